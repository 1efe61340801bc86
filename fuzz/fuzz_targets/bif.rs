//! Any text as a Bayesian network.
#![no_main]

use domino_data::formats::bif;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(network) = bif::parse(text) else { return };
    for variable in network.variables() {
        for row in variable.table.chunks_exact(variable.states.len()) {
            assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-9, "a row sums to 1");
        }
    }
});
