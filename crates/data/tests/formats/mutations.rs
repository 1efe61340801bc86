//! Damage of any kind gives an error or pictures, and no panic.

use std::fs;

use domino_core::{Seed, Stream};
use domino_data::formats::{Kind, ReadOptions, bif, open_as, read_pairs};
use domino_data::npz::Limits;
use rand::{Rng, RngExt};

use crate::write::{golden, options};

/// Files and what each is read as, under which name.
const FILES: [(&str, Kind, &str); 6] = [
    ("circuit-bytes.npz", Kind::CausalCircuit, "train.npz"),
    ("circuit-bytes-packed.npz", Kind::CausalCircuit, "train.npz"),
    ("circuit-objects.npz", Kind::CausalCircuit, "train.npz"),
    ("car-plain.mat", Kind::Cars3d, "car.mat"),
    ("car-packed.mat", Kind::Cars3d, "car.mat"),
    ("two-causes.bif", Kind::Bnlearn, "network.bif"),
];

/// Mutants of each file; raise it to look for more.
const MUTANTS: u64 = 150;

fn mutate(bytes: &mut Vec<u8>, rng: &mut dyn Rng) {
    for _ in 0..rng.random_range(1..4) {
        let at = rng.random_range(0..bytes.len());
        match rng.random_range(0..6) {
            0 => bytes[at] ^= 1 << rng.random_range(0..8),
            1 => bytes[at] = rng.random(),
            2 => bytes.truncate(at.max(1)),
            3 => {
                let end = (at + 4).min(bytes.len());
                bytes[at..end].fill(if rng.random() { u8::MAX } else { 0 });
            }
            4 => bytes.insert(at, rng.random()),
            _ => {
                let end = (at + rng.random_range(1..64)).min(bytes.len());
                let copy = bytes[at..end].to_vec();
                let to = rng.random_range(0..=bytes.len());
                bytes.splice(to..to, copy);
            }
        }
    }
}

#[test]
fn no_mutant_panics() {
    let limits = Limits { max_bytes: 1 << 22 };
    let options = ReadOptions { limits, ..options(4) };
    let mut refused = 0;
    for (part, (file, kind, name)) in (0..).zip(FILES) {
        let folder = tempfile::tempdir().unwrap();
        let whole = fs::read(golden(file)).unwrap();
        let mut rng = Seed(7).rng_at(Stream::Noise, part);
        for _ in 0..MUTANTS {
            let mut bytes = whole.clone();
            mutate(&mut bytes, &mut rng);
            let path = folder.path().join(name);
            fs::write(&path, &bytes).unwrap();
            let path = if kind == Kind::Cars3d { folder.path() } else { &*path };
            let opened = open_as(kind, path, &options);
            let read = read_pairs(Some(kind), path, &options);
            refused += usize::from(opened.is_err() || read.is_err());
            if let Ok((pairs, truth)) = read {
                assert!(truth.checked(pairs.len()).is_ok(), "{file}");
            }
            let _ = bif::parse(&String::from_utf8_lossy(&bytes));
        }
    }
    assert!(refused > FILES.len() * 20, "damage is noticed: {refused}");
}
