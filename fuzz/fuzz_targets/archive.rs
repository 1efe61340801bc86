//! Any bytes as the `.npz` of any set that is one: CausalCircuit with its pickles, the videos, dSprites,
//! MPI3D and ENCO.
#![no_main]

mod common;

use domino_data::formats::{Kind, open, open_as, read_pairs};
use libfuzzer_sys::fuzz_target;

const KINDS: [Kind; 9] = [
    Kind::CausalCircuit,
    Kind::TemporalCausal3dIdent,
    Kind::InterventionalPong,
    Kind::BallInBoxes,
    Kind::Voronoi,
    Kind::Pinball,
    Kind::Dsprites,
    Kind::Mpi3d,
    Kind::Enco,
];

fuzz_target!(|bytes: &[u8]| {
    let options = common::options();
    common::with_file("train.npz", bytes, |path| {
        let _ = open(path, options.limits);
        for kind in KINDS {
            let _ = open_as(kind, path, &options);
            let _ = read_pairs(Some(kind), path, &options);
        }
    });
});
