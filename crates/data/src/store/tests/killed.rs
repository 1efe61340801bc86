//! A writer that is killed at any moment leaves a set that the same call finishes.

use std::env;
use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use domino_core::{Form, GroundTruth, Pairs, Seed, Stream};
use rand::RngExt;

use super::support::{PAIRS, contents, drawn, origin};
use crate::loader::Drawn;
use crate::store::{Manifest, StoreError, Table, WriteOptions, write_shards};

/// Where the writer that is to be killed writes; only that process has it.
const FOLDER: &str = "DOMINO_TEST_KILLED_WRITER";

/// How long it takes over a shard.
const PAUSE: Duration = Duration::from_millis(4);

/// Kills before the set is finished.
const KILLS: usize = 5;

/// The generated table, slowly.
struct Slow(Drawn);

impl Table for Slow {
    fn len(&self) -> usize {
        Table::len(&self.0)
    }
    fn form(&self) -> Form {
        Table::form(&self.0)
    }
    fn truth(&self, rows: Range<usize>) -> GroundTruth {
        self.0.truth(rows)
    }
    fn pairs(&self, rows: Range<usize>, truth: &GroundTruth) -> Result<Pairs, StoreError> {
        thread::sleep(PAUSE);
        Table::pairs(&self.0, rows, truth)
    }
}

#[test]
#[ignore = "the process that another test starts and kills"]
fn writes_until_it_is_killed() {
    let Some(folder) = env::var_os(FOLDER).map(PathBuf::from) else { return };
    write(&folder, &Slow(drawn()));
}

/// Writes a table into some fifty shards.
fn write(folder: &Path, table: &dyn Table) {
    let options = WriteOptions { shard_bytes: 2_000, ..WriteOptions::default() };
    let go_on = &mut |_| ControlFlow::Continue(());
    write_shards(folder, table, Some(&origin()), options, go_on).unwrap();
}

#[test]
fn a_killed_writer_is_finished_to_the_same_bytes() {
    let whole = tempfile::tempdir().unwrap();
    write(whole.path(), &drawn());
    let folder = tempfile::tempdir().unwrap();
    let mut rng = Seed(5).rng(Stream::Data);
    let stored = || Manifest::read(folder.path()).map_or(0, |manifest| manifest.stored());
    let mut progress = vec![0];
    while progress.len() <= KILLS {
        let mut writer = Command::new(env::current_exe().unwrap())
            .args(["--ignored", "--exact", "store::tests::killed::writes_until_it_is_killed"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // At some moment after the next shard is whole: before it, a process may not have begun.
        let deadline = Instant::now() + Duration::from_secs(20);
        while stored() <= *progress.last().unwrap() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(1));
        }
        thread::sleep(Duration::from_millis(rng.random_range(0..12)));
        writer.kill().unwrap();
        writer.wait().unwrap();
        progress.push(stored());
    }
    assert!(progress.is_sorted_by(|a, b| a < b), "{progress:?}");
    assert!(progress[KILLS] < PAIRS, "no writer was killed amid its work: {progress:?}");
    write(folder.path(), &drawn());
    assert_eq!(contents(folder.path()), contents(whole.path()));
}
