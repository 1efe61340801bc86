//! Any bytes as one array of an archive whose other arrays are whole; the archive's checksums are right. The
//! first byte says which array of which set.
#![no_main]

mod common;

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use domino_data::formats::{open, open_as, read_pairs};
use libfuzzer_sys::fuzz_target;

use common::sets::{self, Set};

static SETS: LazyLock<Vec<Set>> = LazyLock::new(|| {
    let sets = sets::archives();
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/array");
    fs::create_dir_all(&seeds).expect("a folder of seeds");
    for (kind, arrays) in &sets {
        common::with_file("train.npz", &sets::zip(arrays), |path| {
            open_as(*kind, path, &common::options()).expect("a whole set");
        });
    }
    for (which, (_, bytes)) in (0_u8..).zip(sets.iter().flat_map(|(_, arrays)| arrays)) {
        let seed = [&[which], &bytes[..]].concat();
        fs::write(seeds.join(format!("seed-{which}")), seed).expect("a seed");
    }
    sets
});

fuzz_target!(
    init: {
        LazyLock::force(&SETS);
    },
    |bytes: &[u8]| {
        let Some((which, bytes)) = bytes.split_first() else { return };
        let count: usize = SETS.iter().map(|(_, arrays)| arrays.len()).sum();
        let mut which = usize::from(*which) % count;
        for (kind, arrays) in &*SETS {
            if which >= arrays.len() {
                which -= arrays.len();
                continue;
            }
            let mut arrays = arrays.clone();
            arrays[which].1 = bytes.to_vec();
            let options = common::options();
            common::with_file("train.npz", &sets::zip(&arrays), |path| {
                let _ = open(path, options.limits);
                let _ = open_as(*kind, path, &options);
                let _ = read_pairs(Some(*kind), path, &options);
            });
            return;
        }
    }
);
