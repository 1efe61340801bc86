//! Any bytes as a PNG or JPEG picture.
#![no_main]

mod common;

use domino_data::formats::{Filter, Picture, resize};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(picture) = Picture::decode(bytes, common::options().limits) else { return };
    assert_eq!(picture.data.len(), picture.shape.len());
    let small = resize(&picture.data, picture.shape, [3, 5], Filter::Area);
    assert_eq!(small.len(), 3 * 5 * 3);
});
