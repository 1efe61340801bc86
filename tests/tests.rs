//! Integration tests over the facade: from pairs to scores.

mod oracle;
mod recipe;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
