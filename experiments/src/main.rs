//! The `domino` command.

fn main() {}
