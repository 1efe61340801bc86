use burn::tensor::{Device, Tensor, TensorData};
use domino_core::{ImageShape, Observations, Pairs};
use domino_model::upload_rows;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Cells along a side where convolutions end.
pub(super) const CELLS: usize = 4;

/// Smallest side of pictures.
const SMALLEST: usize = 16;

/// Red, green and blue.
pub(super) const COLOURS: usize = 3;

/// Pictures averaged at once.
const CHUNK: usize = 64;

/// Least standard deviation of a channel: pictures of one colour have none.
const LEAST_STD: f64 = 1e-3;

/// Shape of a [`ConvolutionEncoder`](super::ConvolutionEncoder) and its mirror.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ConvolutionConfig {
    /// Side to which larger pictures are averaged down, a power of two from 16 up.
    pub side: usize,
    /// Values that a picture becomes.
    pub latents: usize,
    /// Channels of the first layer; each further layer has twice as many.
    pub channels: usize,
    /// Most channels of a layer.
    pub most_channels: usize,
}

impl Default for ConvolutionConfig {
    fn default() -> Self {
        Self { side: 64, latents: 32, channels: 16, most_channels: 64 }
    }
}

/// Why pictures cannot go through convolutions.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ConvolutionError {
    /// The observations are no pictures of a shape that halves down to 4 by 4.
    #[error(
        "pictures for convolutions: expected [side, side, 3] with a side that is a power of two from \
         {SMALLEST} up, or as many float values, got {got}"
    )]
    Shape {
        /// What one observation looks like.
        got: String,
    },
    /// Float pictures on another scale.
    #[error("float pictures for convolutions: expected values in [0, 1], got {got}")]
    Range {
        /// The first value outside, as text.
        got: String,
    },
    /// The configuration asks for something impossible.
    #[error("{key}: expected {expected}, got {got}")]
    Config {
        /// The key.
        key: &'static str,
        /// What would do.
        expected: &'static str,
        /// What was given.
        got: usize,
    },
}

impl ConvolutionConfig {
    /// Checks sizes.
    ///
    /// # Errors
    /// [`ConvolutionError::Config`] if the side is no power of two from 16 up, or a size is 0.
    pub fn validate(&self) -> Result<(), ConvolutionError> {
        let sizes = [
            ("convolution.network.latents", self.latents),
            ("convolution.network.channels", self.channels),
            ("convolution.network.most_channels", self.most_channels),
        ];
        if let Some((key, got)) = sizes.into_iter().find(|(_, size)| *size == 0) {
            return Err(ConvolutionError::Config { key, expected: "at least 1", got });
        }
        if is_side(self.side) {
            return Ok(());
        }
        let (key, expected) = ("convolution.network.side", "a power of two from 16 up");
        Err(ConvolutionError::Config { key, expected, got: self.side })
    }
}

/// What convolutions are given and of which sizes they are: all of them but the weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConvolutionForm {
    /// Sizes of the network.
    pub config: ConvolutionConfig,
    /// Shape of the pictures before they are averaged down.
    pub shape: ImageShape,
    /// Mean of each channel, of pictures in `[0, 1]`.
    pub mean: [f64; COLOURS],
    /// Standard deviation of each channel.
    pub std: [f64; COLOURS],
}

impl ConvolutionForm {
    /// The form for the pictures of both sides of pairs, and of at most `most` of them the smaller
    /// versions that are learned from: those before and those after, of 8 bits.
    ///
    /// Float observations are taken for pictures where there are `side · side · 3` of them per row.
    ///
    /// # Errors
    /// [`ConvolutionError`] if the pictures are not square, not of three channels or of a side that
    /// is no power of two from 16 up, if floats lie outside `[0, 1]`, or if a size is impossible.
    pub fn fit(
        pairs: &Pairs,
        most: usize,
        config: &ConvolutionConfig,
        device: &Device,
    ) -> Result<(Self, [Observations; 2]), ConvolutionError> {
        config.validate()?;
        let shape = picture_shape(pairs.before())?;
        [pairs.before(), pairs.after()].into_iter().try_for_each(check_range)?;
        let blank = Self { config: config.clone(), shape, mean: [0.0; 3], std: [1.0; 3] };
        let take = pairs.len().min(most.div_ceil(2).max(1));
        let small =
            [pairs.before(), pairs.after()].map(|side| blank.thumbnails(side, take, device));
        let (mean, std) = moments(&small);
        Ok((Self { mean, std, ..blank }, small))
    }

    /// Side of the pictures that convolutions see.
    pub fn side(&self) -> usize {
        self.config.side.min(self.shape.height)
    }

    /// Halvings from there to 4 by 4, and channels after each.
    pub(super) fn channels(&self) -> Vec<usize> {
        let layers = (self.side() / CELLS).ilog2();
        let wide = |layer: u32| self.config.channels.saturating_mul(1 << layer);
        (0..layers).map(|layer| wide(layer).min(self.config.most_channels)).collect()
    }

    /// Pictures `[n, h · w · 3]` of the whole or of the smaller side, in `[0, 1]`, as
    /// `[n, side, side, 3]` of mean 0 and variance 1.
    pub(super) fn standardised(&self, pictures: Tensor<2>) -> Tensor<4> {
        let side = self.side();
        let small = averaged(pictures, side);
        let [n, _] = small.dims();
        let row = |values: [f64; COLOURS]| {
            let data: Vec<f32> = values.iter().map(|&v| v as f32).collect();
            let data = TensorData::new(data, [1, 1, 1, COLOURS]);
            Tensor::<4>::from_data(data, &small.device())
        };
        let small = small.clone().reshape([n, side, side, COLOURS]);
        (small - row(self.mean)) * row(self.std.map(f64::recip))
    }

    /// The first pictures, averaged down and rounded to 8 bits.
    fn thumbnails(&self, pictures: &Observations, take: usize, device: &Device) -> Observations {
        let side = self.side();
        let mut data = Vec::with_capacity(take * side * side * COLOURS);
        for start in (0..take).step_by(CHUNK) {
            let small =
                averaged(upload_range(pictures, start..take.min(start + CHUNK), device), side);
            data.extend(small.into_data().iter::<f32>().map(|v| (v * 255.0).round() as u8));
        }
        Observations::Images {
            data,
            shape: ImageShape { height: side, width: side, channels: COLOURS },
        }
    }
}

/// A range of observations on a device, `[n, dim]`.
pub(super) fn upload_range(
    x: &Observations,
    rows: std::ops::Range<usize>,
    device: &Device,
) -> Tensor<2> {
    let mut data = Vec::with_capacity(rows.len() * x.dim());
    rows.for_each(|row| x.push_row(row, &mut data));
    upload_rows(data, x.dim(), device)
}

fn is_side(side: usize) -> bool {
    side >= SMALLEST && side.is_power_of_two()
}

/// The shape of square pictures of three channels, also of those that come as floats.
fn picture_shape(x: &Observations) -> Result<ImageShape, ConvolutionError> {
    let shape = match x {
        Observations::Images { shape, .. } => *shape,
        Observations::Vectors { dim, .. } => {
            let side = (dim / COLOURS).isqrt();
            ImageShape { height: side, width: side, channels: COLOURS }
        }
    };
    let is_square = shape.height == shape.width && shape.channels == COLOURS;
    if is_square && is_side(shape.height) && shape.len() == x.dim() {
        return Ok(shape);
    }
    Err(ConvolutionError::Shape { got: x.form().to_string() })
}

fn check_range(x: &Observations) -> Result<(), ConvolutionError> {
    let Observations::Vectors { data, .. } = x else { return Ok(()) };
    data.iter()
        .find(|v| !(0.0..=1.0).contains(*v))
        .map_or(Ok(()), |v| Err(ConvolutionError::Range { got: v.to_string() }))
}

/// Square pictures `[n, s · s · 3]` as the means of equal blocks, `[n, side · side · 3]`.
fn averaged(pictures: Tensor<2>, side: usize) -> Tensor<2> {
    let [n, values] = pictures.dims();
    let block = (values / COLOURS).isqrt() / side;
    if block == 1 {
        return pictures;
    }
    let lines = pictures.reshape([n * side, block, side * block * COLOURS]).mean_dim(1);
    let cells = lines.reshape([n * side * side, block, COLOURS]).mean_dim(1);
    cells.reshape([n, side * side * COLOURS])
}

/// Mean and standard deviation of each channel, in `[0, 1]`.
fn moments(pictures: &[Observations; 2]) -> ([f64; COLOURS], [f64; COLOURS]) {
    let (mut sums, mut squares, mut count) = ([0.0; COLOURS], [0.0; COLOURS], 0);
    for side in pictures {
        let mut row = Vec::new();
        for at in 0..side.len() {
            row.clear();
            side.push_row(at, &mut row);
            for (place, &value) in row.iter().enumerate() {
                sums[place % COLOURS] += f64::from(value);
                squares[place % COLOURS] += f64::from(value) * f64::from(value);
            }
            count += row.len() / COLOURS;
        }
    }
    let mean = sums.map(|sum| sum / count as f64);
    let mut std = [0.0; COLOURS];
    for ((std, square), mean) in std.iter_mut().zip(squares).zip(mean) {
        *std = (square / count as f64 - mean * mean).max(0.0).sqrt().max(LEAST_STD);
    }
    (mean, std)
}
