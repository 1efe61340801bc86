use domino_core::Form;

use super::rows::{PairRows, PairView};
use crate::store::StoreError;

/// Some pairs on the host, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch<T> {
    /// Number of the batch, counted from 0.
    pub index: u64,
    /// The rows of the source, `[rows]`.
    pub rows: Vec<usize>,
    /// Observations before, `[rows, dim]`.
    pub before: Vec<T>,
    /// Observations after, `[rows, dim]`.
    pub after: Vec<T>,
}

/// What observations are read as: `f32`, pictures scaled to `[0, 1]`, or `u8`, pictures as stored.
pub trait Element: Copy + Send + Sync + 'static {
    /// Whether observations of a form can be read so.
    fn reads(form: Form) -> bool;

    /// Appends both sides of a pair of a form that can be read.
    fn append(pair: PairView<'_>, before: &mut Vec<Self>, after: &mut Vec<Self>);
}

impl Element for f32 {
    fn reads(_: Form) -> bool {
        true
    }

    fn append(pair: PairView<'_>, before: &mut Vec<Self>, after: &mut Vec<Self>) {
        match pair {
            PairView::Floats([a, b]) => {
                before.extend_from_slice(a);
                after.extend_from_slice(b);
            }
            PairView::Bytes([a, b]) => {
                before.extend(a.iter().map(|&v| Self::from(v) / 255.0));
                after.extend(b.iter().map(|&v| Self::from(v) / 255.0));
            }
        }
    }
}

impl Element for u8 {
    fn reads(form: Form) -> bool {
        matches!(form, Form::Image(_))
    }

    fn append(pair: PairView<'_>, before: &mut Vec<Self>, after: &mut Vec<Self>) {
        let PairView::Bytes([a, b]) = pair else { return };
        before.extend_from_slice(a);
        after.extend_from_slice(b);
    }
}

impl<T: Element> Batch<T> {
    /// Reads rows of a source.
    pub(super) fn read(
        source: &dyn PairRows,
        index: u64,
        rows: Vec<usize>,
    ) -> Result<Self, StoreError> {
        let values = rows.len() * values(source.form());
        let (mut before, mut after) = (Vec::with_capacity(values), Vec::with_capacity(values));
        source.visit(&rows, &mut |pair| T::append(pair, &mut before, &mut after))?;
        Ok(Self { index, rows, before, after })
    }
}

/// Values in one observation.
fn values(form: Form) -> usize {
    match form {
        Form::Vector { dim } => dim,
        Form::Image(shape) => shape.len(),
    }
}
