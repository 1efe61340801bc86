use std::fs;
use std::ops::ControlFlow;

use domino_core::{GroundTruth, PairsError};

use super::support::{
    AtOnce, PAIRS, contents, drawn, generate, generator, options, origin, pictures, write,
};
use crate::Split;
use crate::loader::Drawn;
use crate::store::lock::lock;
use crate::store::{Manifest, Origin, StoreError, write_shards};

#[test]
fn bytes_do_not_depend_on_the_number_of_threads() {
    let written = [1, 4].map(|threads| {
        let folder = tempfile::tempdir().unwrap();
        let go_on = &mut |_| ControlFlow::Continue(());
        write_shards(folder.path(), &drawn(), Some(&origin()), options(threads), go_on).unwrap();
        contents(folder.path())
    });
    assert_eq!(written[0], written[1]);
}

#[test]
fn a_stopped_writer_goes_on_to_the_same_bytes() {
    let whole = tempfile::tempdir().unwrap();
    generate(whole.path()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut stops = 0;
    for limit in (50..PAIRS).step_by(150) {
        let stop = &mut |done| {
            if done > limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let ended = write_shards(folder.path(), &drawn(), Some(&origin()), options(2), stop);
        let Err(StoreError::Stopped { done, pairs: PAIRS }) = ended else { panic!("{ended:?}") };
        assert_eq!(Manifest::read(folder.path()).unwrap().stored(), done);
        assert!(contents(folder.path()).iter().all(|(name, _)| !name.starts_with('.')));
        stops += 1;
    }
    assert!(stops > 3);
    generate(folder.path()).unwrap();
    assert_eq!(contents(folder.path()), contents(whole.path()));
}

#[test]
fn only_what_is_missing_is_written_again() {
    let folder = tempfile::tempdir().unwrap();
    generate(folder.path()).unwrap();
    let before = contents(folder.path());
    let modified = |name: &str| fs::metadata(folder.path().join(name)).unwrap().modified().unwrap();
    let kept = modified("shard-00000.safetensors");
    fs::remove_file(folder.path().join("shard-00001.safetensors")).unwrap();
    fs::write(folder.path().join(".shard-00001.safetensors.1-0.tmp"), "half").unwrap();
    let mut told = Vec::new();
    let tell = &mut |done| {
        told.push(done);
        ControlFlow::Continue(())
    };
    write_shards(folder.path(), &drawn(), Some(&origin()), options(2), tell).unwrap();
    assert_eq!(contents(folder.path()), before);
    assert_eq!(modified("shard-00000.safetensors"), kept);
    assert!(told.is_sorted() && told.last() == Some(&PAIRS), "{told:?}");
}

#[test]
fn another_set_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    generate(folder.path()).unwrap();
    let before = contents(folder.path());
    let go_on = &mut |_| ControlFlow::Continue(());
    let fewer = Drawn::new(generator().build().unwrap(), Split::Train, 10);
    let error = write_shards(folder.path(), &fewer, Some(&origin()), options(1), go_on);
    let error = error.unwrap_err().to_string();
    assert!(error.ends_with("holds another data set: pairs: expected 10, got 1000"), "{error}");
    assert!(matches!(
        write(folder.path(), &pictures(PAIRS, AtOnce::One)),
        Err(StoreError::Different { key: "form", .. })
    ));
    let mut config = generator();
    *config.seed_mut() += 1;
    let origin = Origin::generated(&config, Split::Train);
    let ended = write_shards(folder.path(), &drawn(), Some(&origin), options(1), go_on);
    assert!(matches!(ended, Err(StoreError::Different { key: "origin", .. })));
    assert_eq!(contents(folder.path()), before);
}

#[test]
fn a_folder_of_other_files_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("thesis.tex"), "mine").unwrap();
    let error = generate(folder.path()).unwrap_err().to_string();
    assert!(error.ends_with("or a data set to go on with, found thesis.tex"), "{error}");
    assert_eq!(contents(folder.path()).len(), 1);
    assert!(!folder.path().join(".lock").exists());
}

#[test]
fn two_writers_do_not_meet() {
    let folder = tempfile::tempdir().unwrap();
    let held = lock(folder.path()).unwrap();
    let error = generate(folder.path()).unwrap_err().to_string();
    assert!(error.ends_with("another process is writing here; wait for it or end it"), "{error}");
    drop(held);
    generate(folder.path()).unwrap();
}

#[test]
fn a_shard_that_cannot_be_written_leaves_the_others_and_no_part() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(matches!(generate(&file), Err(StoreError::Write(_))));
    fs::remove_file(&file).unwrap();

    let go_on = &mut |done| {
        if done > 300 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    write_shards(folder.path(), &drawn(), Some(&origin()), options(1), go_on).unwrap_err();
    let begun = Manifest::read(folder.path()).unwrap();
    let next = folder.path().join(format!("shard-{:05}.safetensors", begun.shards.len()));
    fs::create_dir(&next).unwrap();
    let error = generate(folder.path()).unwrap_err().to_string();
    assert!(error.starts_with(&format!("cannot write {}", next.display())), "{error}");
    fs::remove_dir(&next).unwrap();
    assert_eq!(Manifest::read(folder.path()).unwrap(), begun);
    assert!(contents(folder.path()).iter().all(|(name, _)| !name.starts_with('.')));
}

#[test]
fn what_cannot_be_stored_is_refused_before_a_byte_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let (pairs, truth) = pictures(10, AtOnce::One);
    let one = (pairs, GroundTruth { z_after: None, ..truth });
    let error = write(folder.path(), &one).unwrap_err().to_string();
    assert_eq!(error, "z: expected both states of a pair or neither, got the one before");
    let none = Drawn::new(generator().build().unwrap(), Split::Train, 0);
    let ended = write(folder.path(), &none);
    assert!(matches!(ended, Err(StoreError::Pairs(PairsError::Empty(_)))));
    assert_eq!(contents(folder.path()), []);
}
