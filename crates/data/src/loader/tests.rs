use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use domino_core::{Form, Observations, Pairs, Seed, Stream};
use rand::RngExt;

use super::{Batch, Draws, Loader, LoaderConfig, Order, PairRows, PairView};
use crate::store::StoreError;

/// Vectors of one value, the row before and the row plus 1000 after.
fn numbered(n: usize) -> Pairs {
    let side = |shift: usize| {
        let data = (0..n).map(|row| (row + shift) as f32).collect();
        Observations::Vectors { data, dim: 1 }
    };
    Pairs::new(side(0), side(1_000)).unwrap()
}

fn config(order: Order, threads: usize) -> LoaderConfig {
    let threads = NonZeroUsize::new(threads).unwrap();
    LoaderConfig { batch: 8, order, threads, ..LoaderConfig::new(Seed(1)) }
}

fn batches(loader: Loader<f32>, n: usize) -> Vec<Batch<f32>> {
    loader.take(n).map(Result::unwrap).collect()
}

fn rows(config: LoaderConfig, n: usize) -> Vec<usize> {
    let loader = Loader::new(Arc::new(numbered(50)), config).unwrap();
    batches(loader, n).into_iter().flat_map(|batch| batch.rows).collect()
}

#[test]
fn batches_do_not_depend_on_the_number_of_threads() {
    for order in [Order::Epochs, Order::WithReplacement] {
        let read = [1, 4].map(|threads| {
            batches(Loader::new(Arc::new(numbered(50)), config(order, threads)).unwrap(), 40)
        });
        assert_eq!(read[0], read[1]);
        assert!(read[0].iter().zip(0..).all(|(batch, index)| batch.index == index));
    }
}

#[test]
fn every_row_comes_once_per_epoch() {
    let all = rows(config(Order::Epochs, 2), 25);
    let epochs: Vec<&[usize]> = all.chunks(50).collect();
    assert_eq!(epochs.len(), 4);
    for epoch in &epochs {
        let mut sorted = epoch.to_vec();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..50).collect::<Vec<_>>());
    }
    assert_ne!(epochs[0], epochs[1]);
}

#[test]
fn seeds_and_parts_give_other_orders() {
    for order in [Order::Epochs, Order::WithReplacement] {
        let base = config(order, 1);
        let draws = |seed, first_part| Draws { seed: Seed(seed), first_part };
        let first = rows(base, 5);
        assert_eq!(first, rows(base, 5));
        assert_ne!(first, rows(LoaderConfig { draws: draws(2, 0), ..base }, 5));
        assert_ne!(first, rows(LoaderConfig { draws: draws(1, 1 << 40), ..base }, 5));
    }
}

#[test]
fn a_loader_that_starts_later_goes_on_as_the_first_did() {
    for order in [Order::Epochs, Order::WithReplacement] {
        let whole = rows(config(order, 2), 20);
        let later = rows(LoaderConfig { start: 13, ..config(order, 2) }, 7);
        assert_eq!(later, whole[13 * 8..]);
    }
}

#[test]
fn rows_are_read_as_pairs() {
    let loader = Loader::new(Arc::new(numbered(50)), config(Order::Epochs, 2)).unwrap();
    for batch in batches(loader, 10) {
        let before: Vec<f32> = batch.rows.iter().map(|&row| row as f32).collect();
        let after: Vec<f32> = batch.rows.iter().map(|&row| (row + 1_000) as f32).collect();
        assert_eq!((batch.before, batch.after), (before, after));
    }
}

#[test]
fn pictures_are_read_as_bytes_or_scaled() {
    let shape = domino_core::ImageShape { height: 1, width: 2, channels: 1 };
    let side = |data: &[u8]| Observations::Images { data: data.to_vec(), shape };
    let pairs = Pairs::new(side(&[0, 51]), side(&[102, 255])).unwrap();
    let source = Arc::new(pairs.clone());
    let config = LoaderConfig { batch: 1, ..config(Order::Epochs, 1) };
    let bytes = Loader::<u8>::new(source.clone(), config).unwrap().next().unwrap().unwrap();
    assert_eq!((bytes.before, bytes.after), (vec![0, 51], vec![102, 255]));
    let floats = Loader::<f32>::new(source, config).unwrap().next().unwrap().unwrap();
    let mut expected = Vec::new();
    pairs.before().push_row(0, &mut expected);
    assert_eq!(floats.before, expected);
    let refused = Loader::<u8>::new(Arc::new(numbered(3)), config).err().unwrap();
    assert!(refused.to_string().ends_with("uint8 pictures, got [1] float"), "{refused}");
}

/// The law that lets a trainer hand its own drawing over: one generator per batch, pool after pool.
#[test]
fn with_replacement_pools_draw_in_turn_from_one_generator() {
    let pools = vec![vec![1, 2, 3], vec![7, 40]];
    let draws = Draws { seed: Seed(4), first_part: 100 };
    let config = LoaderConfig { draws, ..config(Order::WithReplacement, 2) };
    let loader = Loader::with_pools(Arc::new(numbered(50)), pools.clone(), config).unwrap();
    for (index, batch) in (0..).zip(batches(loader, 5)) {
        let mut rng = Seed(4).rng_at(Stream::Batch, 100 + index);
        let mut expected = Vec::new();
        for pool in &pools {
            expected.extend((0..8).map(|_| pool[rng.random_range(0..pool.len())] as usize));
        }
        assert_eq!(batch.rows, expected);
    }
}

#[test]
fn pools_have_epochs_of_their_own() {
    let pools = vec![(0..16).collect(), (30..34).collect()];
    let loader = Loader::with_pools(Arc::new(numbered(50)), pools, config(Order::Epochs, 2));
    let read = batches(loader.unwrap(), 2);
    let mut first: Vec<usize> = read.iter().flat_map(|batch| batch.rows[..8].to_vec()).collect();
    first.sort_unstable();
    assert_eq!(first, (0..16).collect::<Vec<_>>());
    for batch in read {
        let mut second = batch.rows[8..].to_vec();
        second.sort_unstable();
        assert_eq!(second, [30, 30, 31, 31, 32, 32, 33, 33]);
    }
}

#[test]
fn what_cannot_be_loaded_is_refused() {
    let refused = |pools, batch| {
        let config = LoaderConfig { batch, ..config(Order::Epochs, 1) };
        let loader = Loader::<f32>::with_pools(Arc::new(numbered(3)), pools, config);
        loader.err().unwrap().to_string()
    };
    assert_eq!(refused(vec![vec![0], vec![]], 1), "pool 1: expected at least one row, got none");
    assert_eq!(refused(vec![vec![0, 3]], 1), "expected a row below 3, got 3");
    assert_eq!(refused(vec![vec![0]], 0), "batch: expected at least 1 pair, got 0");
}

/// Counts what is read; the last row cannot be, and the one before makes it panic.
#[derive(Debug)]
struct Counted {
    pairs: Pairs,
    visits: AtomicUsize,
    faulty: Option<usize>,
}

impl PairRows for Counted {
    fn len(&self) -> usize {
        self.pairs.len()
    }
    fn form(&self) -> Form {
        PairRows::form(&self.pairs)
    }
    fn visit(&self, rows: &[usize], each: &mut dyn FnMut(PairView<'_>)) -> Result<(), StoreError> {
        self.visits.fetch_add(1, Ordering::SeqCst);
        match self.faulty {
            Some(faulty) if rows.contains(&faulty) && faulty == 0 => panic!("row 0"),
            Some(got) if rows.contains(&got) => Err(StoreError::Row { len: 50, got }),
            _ => self.pairs.visit(rows, each),
        }
    }
}

fn counted(faulty: Option<usize>) -> Arc<Counted> {
    Arc::new(Counted { pairs: numbered(50), visits: AtomicUsize::new(0), faulty })
}

#[test]
fn no_more_is_read_than_is_allowed_ahead() {
    let source = counted(None);
    let config = LoaderConfig { ahead: 3, ..config(Order::Epochs, 4) };
    let mut loader = Loader::<f32>::new(source.clone(), config).unwrap();
    loader.next().unwrap().unwrap();
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(source.visits.load(Ordering::SeqCst), 4);
}

#[test]
fn an_error_comes_in_its_turn_and_ends_the_loader() {
    let loader = Loader::<f32>::new(counted(Some(17)), config(Order::Epochs, 4)).unwrap();
    let items: Vec<_> = loader.collect();
    let expected = rows(config(Order::Epochs, 1), 7).iter().position(|&row| row == 17).unwrap();
    assert_eq!(items.len(), expected / 8 + 1);
    assert!(matches!(items.last(), Some(Err(StoreError::Row { got: 17, .. }))));
}

#[test]
#[should_panic(expected = "row 0")]
fn a_panic_of_a_thread_reaches_the_reader() {
    let loader = Loader::<f32>::new(counted(Some(0)), config(Order::Epochs, 3)).unwrap();
    assert!(loader.take(7).all(|batch| batch.is_ok()));
}
