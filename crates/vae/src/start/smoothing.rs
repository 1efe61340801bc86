use burn::tensor::{Device, Tensor};
use domino_core::ImageShape;
use domino_model::upload;
use nalgebra::DMatrix;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Standard deviations at which a Gaussian is cut off.
const REACH: f64 = 4.0;

/// How pictures are made coarse and smooth.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SmoothingConfig {
    /// Cells along the shorter side of a picture, each the mean of its pixels.
    pub cells: usize,
    /// Standard deviation of the Gaussian that then blurs, in cells; 0 for none.
    pub blur: f64,
}

impl Default for SmoothingConfig {
    fn default() -> Self {
        Self { cells: 16, blur: 1.0 }
    }
}

/// Pictures `[h, w, c]` as the Gaussian-blurred means of a coarse grid of cells,
/// `X ↦ R X Cᵀ` in each channel.
///
/// An object that moves through sharp pictures goes along a curve that winds through many
/// dimensions. In pictures whose blur is a fair part of its way the same curve is nearly straight,
/// which is where learning can start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Smoothing {
    shape: ImageShape,
    /// `R [cells, h]`.
    rows: DMatrix<f64>,
    /// `C [cells, w]`.
    columns: DMatrix<f64>,
}

impl Smoothing {
    /// Smoothing of pictures of a shape. There are at most as many cells as pixels.
    pub fn new(shape: ImageShape, config: &SmoothingConfig) -> Self {
        let side = shape.height.min(shape.width);
        let cells = |pixels: usize| {
            let cells = (config.cells * pixels).div_ceil(side.max(1));
            cells.clamp(1, pixels.max(1))
        };
        let axis = |pixels: usize| {
            let cells = cells(pixels);
            gaussian(cells, config.blur) * means(cells, pixels)
        };
        Self { shape, rows: axis(shape.height), columns: axis(shape.width) }
    }

    /// Values that come out.
    pub fn len(&self) -> usize {
        self.rows.nrows() * self.columns.nrows() * self.shape.channels
    }

    /// Whether nothing comes out.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One smoothed picture, `[cells, cells, c]` row-major.
    ///
    /// # Panics
    /// If the picture has another size.
    pub fn apply(&self, picture: &[f32]) -> Vec<f32> {
        let ImageShape { width, channels, .. } = self.shape;
        assert_eq!(picture.len(), self.shape.len(), "values of a picture");
        let line = width * channels;
        let mut out = Vec::with_capacity(self.len());
        let mut mixed = vec![0.0_f32; line];
        for row in self.rows.row_iter() {
            mixed.fill(0.0);
            for (weight, pixels) in row.iter().zip(picture.chunks_exact(line)) {
                if *weight != 0.0 {
                    let weight = *weight as f32;
                    mixed.iter_mut().zip(pixels).for_each(|(m, p)| *m += weight * p);
                }
            }
            for column in self.columns.row_iter() {
                let start = out.len();
                out.resize(start + channels, 0.0);
                for (weight, pixel) in column.iter().zip(mixed.chunks_exact(channels)) {
                    if *weight != 0.0 {
                        let weight = *weight as f32;
                        out[start..].iter_mut().zip(pixel).for_each(|(o, p)| *o += weight * p);
                    }
                }
            }
        }
        out
    }

    /// The same on a device.
    pub fn on(&self, device: &Device) -> SmoothingTensors {
        SmoothingTensors {
            shape: self.shape,
            rows: upload(&self.rows, device),
            columns: upload(&self.columns, device),
        }
    }
}

/// [`Smoothing`] of batches of pictures.
#[derive(Clone, Debug)]
pub struct SmoothingTensors {
    shape: ImageShape,
    rows: Tensor<2>,
    columns: Tensor<2>,
}

impl SmoothingTensors {
    /// Shape of the pictures that go in.
    pub(crate) fn shape(&self) -> ImageShape {
        self.shape
    }

    /// Smooths pictures `[n, h · w · c]`.
    pub fn forward(&self, pictures: Tensor<2>) -> Tensor<2> {
        let ImageShape { height, width, channels } = self.shape;
        let [n, _] = pictures.dims();
        let ([down, _], [across, _]) = (self.rows.dims(), self.columns.dims());
        let lines = pictures.reshape([n, height, width * channels]);
        let mixed = self.rows.clone().reshape([1, down, height]).matmul(lines);
        let mixed = mixed.reshape([n * down, width, channels]);
        let cells = self.columns.clone().reshape([1, across, width]).matmul(mixed);
        cells.reshape([n, down * across * channels])
    }
}

/// Means of `cells` equal stretches of `pixels` pixels; a pixel on a border counts by its parts.
fn means(cells: usize, pixels: usize) -> DMatrix<f64> {
    let length = pixels as f64 / cells as f64;
    DMatrix::from_fn(cells, pixels, |cell, pixel| {
        let (from, to) = (cell as f64 * length, (cell + 1) as f64 * length);
        let overlap = to.min((pixel + 1) as f64) - from.max(pixel as f64);
        overlap.max(0.0) / length
    })
}

/// Convolution with a Gaussian; beyond its ends a line goes on as its last cell.
fn gaussian(cells: usize, std: f64) -> DMatrix<f64> {
    if std <= 0.0 {
        return DMatrix::identity(cells, cells);
    }
    let reach = (REACH * std).ceil() as usize;
    let weight = |offset: usize| (-0.5 * (offset as f64 / std).powi(2)).exp();
    let total: f64 = 1.0 + 2.0 * (1..=reach).map(weight).sum::<f64>();
    let mut matrix = DMatrix::zeros(cells, cells);
    for to in 0..cells {
        matrix[(to, to)] += 1.0 / total;
        for offset in 1..=reach {
            matrix[(to, to.saturating_sub(offset))] += weight(offset) / total;
            matrix[(to, (to + offset).min(cells - 1))] += weight(offset) / total;
        }
    }
    matrix
}

#[cfg(test)]
mod tests {
    use domino_core::{Seed, Stream};
    use domino_model::{cpu, upload_rows};
    use rand::RngExt;

    use super::*;

    const SHAPE: ImageShape = ImageShape { height: 12, width: 15, channels: 3 };

    fn picture() -> Vec<f32> {
        let mut rng = Seed(4).rng(Stream::Data);
        (0..SHAPE.len()).map(|_| rng.random()).collect()
    }

    #[test]
    fn a_plain_picture_stays_plain() {
        let smoothing = Smoothing::new(SHAPE, &SmoothingConfig { cells: 5, blur: 0.7 });
        assert_eq!(smoothing.len(), 5 * 7 * 3);
        let smooth = smoothing.apply(&vec![0.25; SHAPE.len()]);
        assert!(smooth.iter().all(|v| (v - 0.25).abs() < 1e-6));
    }

    #[test]
    fn without_blur_a_cell_is_the_mean_of_its_pixels() {
        let x = picture();
        let smooth = Smoothing::new(SHAPE, &SmoothingConfig { cells: 4, blur: 0.0 }).apply(&x);
        let pixel = |row: usize, column: usize| x[(row * 15 + column) * 3 + 1];
        let block = (3..6).flat_map(|r| (6..9).map(move |c| (r, c)));
        let mean = block.map(|(r, c)| pixel(r, c)).sum::<f32>() / 9.0;
        assert!((smooth[(5 + 2) * 3 + 1] - mean).abs() < 1e-6);
    }

    #[test]
    fn host_and_device_agree() {
        let smoothing = Smoothing::new(SHAPE, &SmoothingConfig::default());
        let x = picture();
        let there = smoothing.on(&cpu()).forward(upload_rows(x.clone(), SHAPE.len(), &cpu()));
        let there: Vec<f32> = there.into_data().iter::<f32>().collect();
        let here = smoothing.apply(&x);
        assert!(here.iter().zip(&there).all(|(a, b)| (a - b).abs() < 1e-5));
    }
}
