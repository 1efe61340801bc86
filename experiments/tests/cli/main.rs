//! The `domino` program as its users meet it.

mod commands;
mod place;
mod refusals;
mod resuming;
