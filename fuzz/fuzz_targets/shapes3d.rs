//! Any bytes as the HDF5 file of Shapes3D.
#![no_main]

mod common;

use domino_data::formats::{Kind, read_pairs};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    common::with_file("3dshapes.h5", bytes, |path| {
        let _ = read_pairs(Some(Kind::Shapes3d), path, &common::options());
    });
});
