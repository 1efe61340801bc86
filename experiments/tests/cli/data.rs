//! Folders of shards: made, stopped, finished, damaged, looked at and trained on.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use domino::core::{ImageShape, Observations, Pairs};
use domino::data::npz::{Limits, read_pairs, write_pairs};
use domino::data::store::{Manifest, Shards};

use crate::place::Place;

const SPEC: &str = "pairs = 2000\n[scaling]\nd = 3\ngraph = 'chain'\n";

/// More than a thousand shards, so that a test can look on.
const LONG: &str = "data generate spec.toml --pairs 300000 --shard-bytes 20000 --out set";

fn place() -> Place {
    let place = Place::new();
    place.write("spec.toml", SPEC);
    place
}

fn refused(place: &Place, arguments: &str, part: &str) {
    let ran = place.domino(arguments);
    assert_eq!(ran.code, Some(2), "domino {arguments}\n{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains(part), "`{part}` missing in: {}", ran.stderr);
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
}

/// Waits until a set has more pairs than before; a machine that takes longer is at fault.
fn wait_for_pairs(place: &Place, more_than: usize) -> usize {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        let stored = Manifest::read(&place.path("set")).map_or(0, |manifest| manifest.stored());
        if stored > more_than {
            return stored;
        }
        assert!(Instant::now() < deadline, "no shard in a minute");
        thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_folder_holds_what_a_file_does() {
    let place = place();
    let told = place.succeeds("data generate spec.toml --shard-bytes 20000 --out set").stdout;
    let file = place.succeeds("data generate spec.toml --out all.npz").stdout;
    let sum = |line: &str| line.trim().rsplit_once("checksum ").unwrap().1.to_owned();
    assert_eq!(sum(&told), sum(&file));
    assert!(told.starts_with("set: 2000 pairs in 8 shards"), "{told}");

    let again = place.succeeds("data generate spec.toml --shard-bytes 20000 --out set").stdout;
    assert_eq!(again, told);
    assert_eq!(sum(&place.succeeds("data verify set").stdout), sum(&told));

    let (folder, file) =
        (place.succeeds("data inspect set"), place.succeeds("data inspect all.npz"));
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (folder, file) = (lines(&folder.stdout), lines(&file.stdout));
    assert!(file.iter().all(|line| folder.contains(line)), "{folder:?} lacks part of {file:?}");
    let origin = "generator: scaling-d3, version 1, seed 0, split train";
    assert!(folder.iter().any(|line| line == origin), "{folder:?}");

    place.succeeds("data export set --rows 300..900 --out some.npz");
    place.succeeds("data export all.npz --rows 300..900 --out same.npz");
    let read = |name| read_pairs(&place.path(name), Limits::default()).unwrap();
    assert_eq!(read("some.npz").0, read("same.npz").0);
    place.succeeds("data export set --without-truth --out bare.npz");
    assert!(read("bare.npz").1.is_empty());
}

#[test]
fn splits_and_seeds_are_other_pairs() {
    let place = place();
    let sum = |arguments: &str| {
        let line = place.succeeds(&format!("data generate spec.toml {arguments}")).stdout;
        line.trim().rsplit_once("checksum ").unwrap().1.to_owned()
    };
    let all = ["--out a", "--split test --out b", "--seed 1 --out c", "--pairs 9 --out d"].map(sum);
    assert!((0..4).all(|i| (0..i).all(|j| all[i] != all[j])), "{all:?}");
}

#[test]
fn data_sets_go_by_their_names() {
    let place = place();
    fs::create_dir_all(place.path("datasets/chain")).unwrap();
    place.write("datasets/chain/spec.toml", format!("checksum = '00'\n{SPEC}"));
    let listed = place.succeeds("data list").stdout;
    assert!(listed.lines().any(|line| {
        line.split_whitespace().collect::<Vec<_>>() == ["chain", "2000", "scaling"]
    }));
    assert!(listed.contains("generators: scaling"), "{listed}");
    refused(&place, "data generate chain --out set", "checksum: expected 00, got ");
    place.succeeds("data generate chain --pairs 20 --out few");
    refused(&place, "data generate ring --out x", "or the name of a data set: chain");
    assert!(!place.has("x"));
}

#[test]
fn a_killed_generator_is_finished_to_the_same_bytes() {
    let place = place();
    let generate = "data generate spec.toml --pairs 60000 --shard-bytes 20000 --out";
    place.succeeds(&format!("{generate} whole"));
    let mut stored = 0;
    for round in 0..4 {
        let mut child = place.start(&format!("{generate} set"));
        stored = wait_for_pairs(&place, stored);
        thread::sleep(Duration::from_millis(3 * round));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let unfinished = Manifest::read(&place.path("set")).unwrap();
    assert!(unfinished.stored() < 60_000, "no generator was killed amid its work");
    refused(&place, "data verify set", "expected 60000 pairs, got ");
    place.succeeds(&format!("{generate} set"));
    place.succeeds("data verify set");
    assert_eq!(place.read("set/dataset.json"), place.read("whole/dataset.json"));
    assert_eq!(fs::read_dir(place.path("set")).unwrap().count(), unfinished_files(&place));
}

/// The manifest, the lock and the shards of a finished set.
fn unfinished_files(place: &Place) -> usize {
    Manifest::read(&place.path("whole")).unwrap().shards.len() + 2
}

#[test]
fn two_generators_do_not_share_a_folder() {
    let place = place();
    let mut first = place.start(LONG);
    wait_for_pairs(&place, 0);
    refused(&place, LONG, "set: another process is writing here");
    first.kill().unwrap();
    first.wait().unwrap();
    refused(&place, "data generate spec.toml --out set", "pairs: expected 2000, got 300000");
}

#[cfg(unix)]
#[test]
fn a_full_disk_leaves_whole_shards_only() {
    let place = place();
    // Files of at most 16 blocks of 512 bytes, and no death by signal at more.
    let script = "trap '' XFSZ; ulimit -f 16; exec \"$0\" data generate spec.toml --out set";
    let ran = Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_domino")])
        .current_dir(place.path(""))
        .stdout(Stdio::null())
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("cannot write set/shard-00000.safetensors: "), "{stderr}");
    assert_eq!(Manifest::read(&place.path("set")).unwrap().stored(), 0);
    assert_eq!(fs::read_dir(place.path("set")).unwrap().count(), 2);
    place.succeeds("data generate spec.toml --out set");
}

#[test]
fn damage_is_named() {
    let place = place();
    place.succeeds("data generate spec.toml --shard-bytes 20000 --out set");
    let shard = "set/shard-00004.safetensors";
    let whole = place.read(shard);
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 4;
    place.write(shard, flipped);
    refused(&place, "data verify set", &format!("{shard}: BLAKE3: expected "));
    refused(&place, "data inspect set", &format!("{shard}: BLAKE3: expected "));
    place.write(shard, &whole[..whole.len() - 1]);
    refused(&place, "data verify set", &format!("{shard}: expected {} bytes, got ", whole.len()));
    fs::remove_file(place.path(shard)).unwrap();
    refused(&place, "data verify set", &format!("cannot read {shard}: "));
    place.succeeds("data generate spec.toml --shard-bytes 20000 --out set");
    place.succeeds("data verify set");
    let manifest = place.text("set/dataset.json").replace("\"z2\"", "\"second\"");
    place.write("set/dataset.json", manifest);
    refused(&place, "data verify set", "set/dataset.json: checksum: expected ");
}

#[test]
fn pictures_are_drawn_on_a_sheet_and_vectors_are_not() {
    let place = place();
    let shape = ImageShape { height: 8, width: 8, channels: 3 };
    let side = |shift: usize| {
        let data = (0..30 * shape.len()).map(|n| (n * shift % 256) as u8).collect();
        Observations::Images { data, shape }
    };
    let pairs = Pairs::new(side(3), side(5)).unwrap();
    write_pairs(&place.path("pictures.npz"), &pairs, &<_>::default()).unwrap();
    let told = place.succeeds("data inspect pictures.npz --sheet sheet.png").stdout;
    assert!(told.ends_with("sheet.png\n") && told.contains("[30, 8, 8, 3] uint8"), "{told}");
    assert!(place.read("sheet.png").starts_with(b"\x89PNG"));
    place.succeeds("data generate spec.toml --out set");
    refused(&place, "data inspect set --sheet no.png", "--sheet: expected pictures, got [3] float");
    assert!(!place.has("no.png"));
}

#[test]
fn a_model_is_trained_on_a_folder_as_on_a_file() {
    let place = place();
    place.succeeds("data generate linear.toml --pairs 1200 --shard-bytes 20000 --out pairs");
    place.succeeds("data export pairs --out pairs.npz");
    place.succeeds("run linear.toml data.path=pairs --out from-folder");
    place.succeeds("run linear.toml data.path=pairs.npz --out from-file");
    let scores = |run: &str| place.json(&format!("{run}/report.json"))["scores"].clone();
    assert_eq!(scores("from-folder"), scores("from-file"));
    place.succeeds("embed from-folder --data pairs --out embedding.npz");
    assert_eq!(Shards::open(&place.path("pairs")).unwrap().manifest().shards.len(), 4);
}
