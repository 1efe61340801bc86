//! Integration tests over the facade: from pairs to scores.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod hand_over;
mod oracle;
mod recipe;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
