use std::fmt;
use std::ops::Range;

use domino_core::{Form, GroundTruth, Observations, Pairs};

use crate::generator::{Generator, Split};
use crate::store::StoreError;

/// Pairs that can be read in any order, by any number of threads, and again.
pub trait PairRows: fmt::Debug + Send + Sync {
    /// Number of pairs.
    fn len(&self) -> usize;

    /// Whether there is no pair.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What one observation looks like.
    fn form(&self) -> Form;

    /// Shows the rows `rows`, in that order.
    ///
    /// # Errors
    /// [`StoreError`] if a row does not exist, cannot be read or is not what was written.
    fn visit(&self, rows: &[usize], each: &mut dyn FnMut(PairView<'_>)) -> Result<(), StoreError>;
}

/// One pair, before and after in the same form.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PairView<'a> {
    /// Vectors, `[dim]` each.
    Floats([&'a [f32]; 2]),
    /// Pictures, `[height, width, channels]` each, last index fastest.
    Bytes([&'a [u8]; 2]),
}

/// Copies rows of any source, in that order.
///
/// # Errors
/// [`StoreError`] if there is no row among them, or if the source cannot give one.
pub fn gather(source: &dyn PairRows, rows: &[usize]) -> Result<Pairs, StoreError> {
    let (mut floats, mut bytes) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
    source.visit(rows, &mut |pair| match pair {
        PairView::Floats(sides) => extend(&mut floats, sides),
        PairView::Bytes(sides) => extend(&mut bytes, sides),
    })?;
    let [before, after] = match source.form() {
        Form::Vector { dim } => floats.map(|data| Observations::Vectors { data, dim }),
        Form::Image(shape) => bytes.map(|data| Observations::Images { data, shape }),
    };
    Ok(Pairs::new(before, after)?)
}

fn extend<T: Copy>(into: &mut [Vec<T>; 2], sides: [&[T]; 2]) {
    for (all, side) in into.iter_mut().zip(sides) {
        all.extend_from_slice(side);
    }
}

/// [`StoreError::Row`] where a row is beyond the last.
pub(crate) fn check_rows(rows: &[usize], len: usize) -> Result<(), StoreError> {
    rows.iter().find(|&&row| row >= len).map_or(Ok(()), |&got| Err(StoreError::Row { len, got }))
}

impl PairRows for Pairs {
    fn len(&self) -> usize {
        Self::len(self)
    }

    fn form(&self) -> Form {
        self.before().form()
    }

    fn visit(&self, rows: &[usize], each: &mut dyn FnMut(PairView<'_>)) -> Result<(), StoreError> {
        check_rows(rows, Self::len(self))?;
        for &row in rows {
            let span = row * self.dim()..(row + 1) * self.dim();
            match (self.before(), self.after()) {
                (Observations::Vectors { data: a, .. }, Observations::Vectors { data: b, .. }) => {
                    each(PairView::Floats([&a[span.clone()], &b[span]]));
                }
                (Observations::Images { data: a, .. }, Observations::Images { data: b, .. }) => {
                    each(PairView::Bytes([&a[span.clone()], &b[span]]));
                }
                _ => unreachable!("both sides of pairs have one form"),
            }
        }
        Ok(())
    }
}

/// The first pairs of a split of a generator, made when they are read.
///
/// A row costs what the generator takes to find its state and show it: generators of pictures find
/// a row at once, [`World`](crate::scaling::World) passes over all rows before it.
///
/// ```
/// use domino_data::loader::{Drawn, PairRows, gather};
/// use domino_data::scaling::{ScalingConfig, World};
/// use domino_data::{Generator, Split};
///
/// let world = World::draw(&ScalingConfig::default())?;
/// let (pairs, _) = world.sample(10, Split::Train)?;
/// let drawn = Drawn::new(Box::new(world), Split::Train, 10);
/// assert_eq!(gather(&drawn, &[7, 8])?, pairs.slice(7..9));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Drawn {
    generator: Box<dyn Generator>,
    split: Split,
    pairs: usize,
}

impl Drawn {
    /// The first `pairs` rows of a split.
    pub fn new(generator: Box<dyn Generator>, split: Split, pairs: usize) -> Self {
        Self { generator, split, pairs }
    }

    /// The generator.
    pub fn generator(&self) -> &dyn Generator {
        &*self.generator
    }

    /// All that is true of some rows.
    pub fn states(&self, rows: Range<usize>) -> GroundTruth {
        self.generator.states(self.split, rows)
    }

    /// The pairs of rows whose states are at hand.
    ///
    /// # Errors
    /// [`StoreError::Pairs`] if the generator's output is no pairs.
    pub fn observe(&self, rows: Range<usize>, states: &GroundTruth) -> Result<Pairs, StoreError> {
        Ok(self.generator.observe(self.split, rows, states)?)
    }
}

impl PairRows for Drawn {
    fn len(&self) -> usize {
        self.pairs
    }

    fn form(&self) -> Form {
        self.generator.form()
    }

    fn visit(&self, rows: &[usize], each: &mut dyn FnMut(PairView<'_>)) -> Result<(), StoreError> {
        check_rows(rows, self.pairs)?;
        for &row in rows {
            let states = self.states(row..row + 1);
            self.observe(row..row + 1, &states)?.visit(&[0], each)?;
        }
        Ok(())
    }
}
