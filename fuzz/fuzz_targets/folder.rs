//! Any bytes as one file of a set that is a folder of several, whose other files are whole. The first byte
//! says which file of which set.
#![no_main]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use domino_data::formats::{Kind, Source, open, open_as, read_pairs};
use libfuzzer_sys::fuzz_target;

struct Case {
    kind: Kind,
    folder: PathBuf,
    file: PathBuf,
    whole: Vec<u8>,
}

static ROOT: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a folder"));

/// One case per file of every set, each set in a folder of its own; whole files are seeds.
static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/folder");
    fs::create_dir_all(&seeds).expect("a folder of seeds");
    let mut cases: Vec<Case> = Vec::new();
    for (number, (kind, files)) in common::sets::all().into_iter().enumerate() {
        let folder = ROOT.path().join(number.to_string());
        common::sets::write(&folder, &files);
        open_as(kind, &folder, &common::options()).expect("a whole set");
        for (name, whole) in files {
            let which = u8::try_from(cases.len()).expect("at most 256 files");
            let seed = [&[which], &whole[..]].concat();
            fs::write(seeds.join(format!("seed-{which}")), seed).expect("a seed");
            cases.push(Case { kind, folder: folder.clone(), file: folder.join(name), whole });
        }
    }
    cases
});

/// Some file systems wait for the disk where a file is written over.
fn replace(file: &Path, bytes: &[u8]) {
    fs::remove_file(file).expect("a file that is there");
    fs::write(file, bytes).expect("a file");
}

fuzz_target!(
    init: {
        LazyLock::force(&CASES);
    },
    |bytes: &[u8]| {
        let Some((which, bytes)) = bytes.split_first() else { return };
        let Case { kind, folder, file, whole } = &CASES[usize::from(*which) % CASES.len()];
        replace(file, bytes);
        let options = common::options();
        let _ = open(folder, options.limits);
        if let Ok(Source::Clevr(set)) = open_as(*kind, folder, &options) {
            let _ = set.scenes().iter().take(3).map(|scene| set.picture(scene)).count();
        }
        let _ = read_pairs(Some(*kind), folder, &options);
        replace(file, whole);
    }
);
