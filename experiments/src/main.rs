//! The `domino` command.

use std::process::ExitCode;

/// Training allocates and frees many small tensors, at which this is faster than the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    domino_experiments::cli::main()
}
