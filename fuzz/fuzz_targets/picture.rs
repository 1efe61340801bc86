//! Any bytes as a PNG or JPEG picture.
#![no_main]

mod common;

use std::fs;
use std::path::Path;

use domino_data::formats::{Filter, Picture, resize};
use libfuzzer_sys::fuzz_target;
use png::{BitDepth, ColorType, Encoder};

/// A PNG picture of each kind and a JPEG one.
fn seeds() -> Vec<Vec<u8>> {
    let kinds = [
        (ColorType::Grayscale, BitDepth::One),
        (ColorType::GrayscaleAlpha, BitDepth::Eight),
        (ColorType::Rgb, BitDepth::Sixteen),
        (ColorType::Rgba, BitDepth::Eight),
        (ColorType::Indexed, BitDepth::Four),
    ];
    let mut seeds = Vec::new();
    for (color, depth) in kinds {
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes, 9, 9);
        encoder.set_color(color);
        encoder.set_depth(depth);
        encoder.set_palette(vec![7; 48]);
        let row = (9 * color.samples() * depth as usize).div_ceil(8);
        let data: Vec<u8> = (0..9 * row).map(|k| k as u8).collect();
        let mut writer = encoder.write_header().expect("a header");
        writer.write_image_data(&data).expect("a picture");
        writer.finish().expect("a whole file");
        seeds.push(bytes);
    }
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/data/tests/golden");
    let circuit = fs::read(golden.join("circuit-bytes.npz")).expect("a golden file");
    let find = |mark: &[u8]| circuit.windows(mark.len()).position(|found| found == mark);
    let (first, last) = (find(b"\xff\xd8\xff"), find(b"\xff\xd9"));
    seeds.push(circuit[first.expect("a start")..last.expect("an end") + 2].to_vec());
    seeds
}

fuzz_target!(
    init: {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/picture");
        fs::create_dir_all(&folder).expect("a folder of seeds");
        for (number, seed) in seeds().iter().enumerate() {
            Picture::decode(seed, common::options().limits).expect("a whole picture");
            fs::write(folder.join(format!("seed-{number}")), seed).expect("a seed");
        }
    },
    |bytes: &[u8]| {
        let Ok(picture) = Picture::decode(bytes, common::options().limits) else { return };
        assert_eq!(picture.data.len(), picture.shape.len());
        let small = resize(&picture.data, picture.shape, [3, 5], Filter::Area);
        assert_eq!(small.len(), 3 * 5 * 3);
    }
);
