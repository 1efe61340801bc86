//! Where the tensors of a shard lie.

use std::fmt;
use std::ops::Range;

use domino_core::{Form, GroundTruth, InterventionTarget};
use safetensors::tensor::{Dtype, Metadata, TensorInfo};
use serde::{Deserialize, Serialize};

/// Sides of a pair.
pub(super) const SIDES: usize = 2;

/// Width of the number of bytes in front of a header.
const PREFIX: usize = 8;

/// What one row of a shard holds besides its number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tensors {
    /// Observations, where they are stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x: Option<Tensor>,
    /// Causal variables, `F32 [2, d]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub z: Option<Tensor>,
    /// Noise, `F32 [2, d]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub e: Option<Tensor>,
    /// Targets: labels, `I64 []`, or masks, `U8 [d]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Tensor>,
}

/// Type and shape of one row of a tensor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tensor {
    /// Type of the elements.
    pub dtype: Dtype,
    /// Shape of one row.
    pub row: Vec<usize>,
}

/// The name of a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    E,
    Target,
    X,
    Z,
}

impl Name {
    /// In alphabetical order.
    pub(super) const ALL: [Self; 4] = [Self::E, Self::Target, Self::X, Self::Z];

    pub(super) fn text(self) -> &'static str {
        match self {
            Self::E => "e",
            Self::Target => "target",
            Self::X => "x",
            Self::Z => "z",
        }
    }
}

impl fmt::Display for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.dtype, self.row)
    }
}

impl Tensor {
    fn new(dtype: Dtype, row: &[usize]) -> Self {
        Self { dtype, row: row.to_vec() }
    }

    /// Both observations of a pair.
    pub(super) fn observations(form: Form) -> Self {
        match form {
            Form::Vector { dim } => Self::new(Dtype::F32, &[SIDES, dim]),
            Form::Image(s) => Self::new(Dtype::U8, &[SIDES, s.height, s.width, s.channels]),
        }
    }

    /// Both states of `d` variables.
    pub(super) fn states(d: usize) -> Self {
        Self::new(Dtype::F32, &[SIDES, d])
    }

    /// A label, 0 for none and `k + 1` for variable `k`.
    pub(super) fn label() -> Self {
        Self::new(Dtype::I64, &[])
    }

    /// A mask over `d` variables.
    pub(super) fn mask(d: usize) -> Self {
        Self::new(Dtype::U8, &[d])
    }

    /// Elements in one row.
    pub(super) fn len(&self) -> usize {
        self.row.iter().product()
    }

    /// Bytes in one row.
    pub(super) fn bytes(&self) -> usize {
        self.len() * self.dtype.bitsize() / 8
    }
}

impl Tensors {
    /// Those that hold the rows of a table whose first row has this truth.
    pub(super) fn of(first: &GroundTruth, x: Option<Tensor>, several: Targets) -> Self {
        let states =
            |m: &Option<nalgebra::DMatrix<f64>>| m.as_ref().map(|m| Tensor::states(m.ncols()));
        let target = first.targets.as_ref().map(|_| match several {
            Targets::Labels => Tensor::label(),
            Targets::Masks(d) => Tensor::mask(d),
        });
        Self { x, z: states(&first.z_before), e: states(&first.e_before), target }
    }

    pub(super) fn get(&self, name: Name) -> Option<&Tensor> {
        match name {
            Name::E => self.e.as_ref(),
            Name::Target => self.target.as_ref(),
            Name::X => self.x.as_ref(),
            Name::Z => self.z.as_ref(),
        }
    }

    /// Those present as the library orders them: widest elements first, then by name.
    pub(super) fn in_order(&self) -> Vec<(Name, &Tensor)> {
        let present = Name::ALL.into_iter().filter_map(|name| Some((name, self.get(name)?)));
        let mut present: Vec<_> = present.collect();
        present.sort_by_key(|(_, tensor)| std::cmp::Reverse(tensor.dtype));
        present
    }

    /// Bytes of one row.
    pub(super) fn row_bytes(&self) -> usize {
        self.in_order().iter().map(|(_, tensor)| tensor.bytes()).sum()
    }
}

/// How targets are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Targets {
    /// As numbers of variables.
    Labels,
    /// As masks over so many variables.
    Masks(usize),
}

impl Targets {
    /// Labels, unless a row names several variables.
    pub(super) fn of(targets: &[InterventionTarget], d: usize) -> Self {
        let several = targets.iter().any(|t| matches!(t, InterventionTarget::Several(_)));
        if several { Self::Masks(d) } else { Self::Labels }
    }
}

/// A shard of some rows: its header and where the tensors lie in the file.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) header: Vec<u8>,
    places: Vec<(Name, Range<usize>)>,
}

impl Layout {
    /// The same bytes as the library writes for such tensors.
    pub(super) fn new(tensors: &Tensors, rows: usize) -> Self {
        let (mut places, mut infos, mut start) = (Vec::new(), Vec::new(), 0);
        for (name, tensor) in tensors.in_order() {
            let end = start + rows * tensor.bytes();
            let shape = [&[rows], tensor.row.as_slice()].concat();
            let info = TensorInfo { dtype: tensor.dtype, shape, data_offsets: (start, end) };
            infos.push((name.text().to_owned(), info));
            places.push((name, start..end));
            start = end;
        }
        let metadata = Metadata::new(None, infos).expect("tensors follow each other");
        let mut text = serde_json::to_vec(&metadata).expect("a header is plain JSON");
        text.resize(text.len().next_multiple_of(PREFIX), b' ');
        let header = [&(text.len() as u64).to_le_bytes(), text.as_slice()].concat();
        let shift = header.len();
        for (_, place) in &mut places {
            *place = place.start + shift..place.end + shift;
        }
        Self { header, places }
    }

    /// Bytes of the tensor within the file; none where there is no such tensor.
    pub(super) fn place(&self, name: Name) -> Option<Range<usize>> {
        let found = self.places.iter().find(|(other, _)| *other == name);
        found.map(|(_, place)| place.clone())
    }
}
