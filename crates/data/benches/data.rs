//! Rates of storing, reading and loading pictures.

#![expect(clippy::print_stdout, reason = "a benchmark reports on standard output")]

fn main() {
    println!();
}
