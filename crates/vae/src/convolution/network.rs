use burn::module::Module;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor, TensorData};
use domino_core::{ImageShape, Observations, Pairs};
use domino_model::{DoublingConvolution, HalvingConvolution, StackedLinear};
use rand::Rng;

use super::ConvolutionForm;
use super::form::{CELLS, COLOURS, upload_range};

/// Pictures encoded at once: larger blocks are mapped and faulted anew by every operation.
const CHUNK: usize = 64;

/// From pictures to a few values: convolutions that halve, down to 4 by 4 cells, and a linear layer.
///
/// ```text
/// h_1 = relu(W_1 ∗ (x, columns, rows)),  h_l = relu(W_l ∗ h_{l−1}),  latents = W h_L + b
/// ```
///
/// with all kernels 4 by 4 and of stride 2. Two channels beside the colours hold each pixel's column
/// and row in `[−1, 1]`: what a filter sees is the same everywhere, but where it sees it is not.
#[derive(Module, Debug)]
pub struct ConvolutionEncoder {
    pub(super) colours: HalvingConvolution,
    /// The same layer's part for the coordinates, which are the same in all pictures: evaluated
    /// once per batch.
    pub(super) places: HalvingConvolution,
    layers: Vec<HalvingConvolution>,
    head: StackedLinear,
    #[module(skip)]
    form: ConvolutionForm,
}

impl ConvolutionEncoder {
    /// An encoder of random weights.
    pub fn new(form: ConvolutionForm, rng: &mut dyn Rng, device: &Device) -> Self {
        let channels = form.channels();
        let last = channels[channels.len() - 1];
        Self {
            colours: HalvingConvolution::new([COLOURS, channels[0]], rng, device),
            places: HalvingConvolution::new([2, channels[0]], rng, device),
            layers: channels
                .windows(2)
                .map(|size| HalvingConvolution::new([size[0], size[1]], rng, device))
                .collect(),
            head: StackedLinear::new([1, CELLS * CELLS * last, form.config.latents], rng, device),
            form,
        }
    }

    /// Sizes and the scale of the pictures.
    pub fn form(&self) -> &ConvolutionForm {
        &self.form
    }

    /// Shape of the pictures.
    pub fn shape(&self) -> ImageShape {
        self.form.shape
    }

    /// Pictures `[n, h · w · 3]` in `[0, 1]`, of the whole side or already averaged down, to
    /// latents `[n, latents]`.
    pub fn forward(&self, pictures: Tensor<2>) -> Tensor<2> {
        let chunks = pictures.split(CHUNK, 0).into_iter();
        let latents = chunks.map(|chunk| self.latents(self.form.standardised(chunk)));
        Tensor::cat(latents.collect(), 0)
    }

    /// Latents `[n, latents]` of standardised pictures `[n, side, side, 3]`.
    pub(super) fn latents(&self, pictures: Tensor<4>) -> Tensor<2> {
        let first = self.first(pictures);
        let cells = self.layers.iter().fold(first, |x, layer| relu(layer.forward(x)));
        let [n, height, width, channels] = cells.dims();
        self.head.forward(cells.reshape([n, height * width * channels]))
    }

    /// The first layer, on standardised pictures and their coordinates.
    pub(super) fn first(&self, pictures: Tensor<4>) -> Tensor<4> {
        let [_, side, _, _] = pictures.dims();
        let places = self.places.forward(coordinates(side, &pictures.device()));
        relu(self.colours.forward(pictures) + places)
    }

    /// The latents of both sides of pairs, as observations.
    ///
    /// # Panics
    /// If the pictures are not of this encoder's shape, or its weights are not finite.
    pub fn encode(&self, pairs: &Pairs) -> Pairs {
        let plain = self.clone().valid();
        let device = plain.head.weight.val().device();
        let side = |x: &Observations| {
            let mut data = Vec::with_capacity(x.len() * self.form.config.latents);
            for start in (0..x.len()).step_by(CHUNK) {
                let rows = start..x.len().min(start + CHUNK);
                let latents = plain.forward(upload_range(x, rows, &device));
                data.extend(latents.into_data().iter::<f32>());
            }
            Observations::Vectors { data, dim: self.form.config.latents }
        };
        Pairs::new(side(pairs.before()), side(pairs.after()))
            .expect("finite weights make as many finite latents of both sides")
    }
}

/// From latents to standardised pictures: the mirror of [`ConvolutionEncoder`], a linear layer to 4 by 4
/// cells and transposed convolutions that double, down to the three colours.
#[derive(Module, Debug)]
pub struct ConvolutionDecoder {
    head: StackedLinear,
    layers: Vec<DoublingConvolution>,
}

impl ConvolutionDecoder {
    /// A decoder of random weights.
    pub fn new(form: &ConvolutionForm, rng: &mut dyn Rng, device: &Device) -> Self {
        let mut channels = vec![COLOURS];
        channels.extend(form.channels());
        channels.reverse();
        let cells = CELLS * CELLS * channels[0];
        let head = StackedLinear::new([1, form.config.latents, cells], rng, device);
        let layers = channels
            .windows(2)
            .map(|size| DoublingConvolution::new([size[0], size[1]], rng, device))
            .collect();
        Self { head, layers }
    }

    /// Standardised pictures `[n, side, side, 3]` of latents `[n, latents]`.
    pub fn forward(&self, latents: Tensor<2>) -> Tensor<4> {
        let [n, _] = latents.dims();
        let cells = self.head.forward(latents);
        let [_, values] = cells.dims();
        let cells = cells.reshape([n, CELLS, CELLS, values / (CELLS * CELLS)]);
        self.layers.iter().fold(cells, |x, layer| layer.forward(relu(x)))
    }
}

/// Column and row of each pixel in `[−1, 1]`, `[1, side, side, 2]`.
pub(super) fn coordinates(side: usize, device: &Device) -> Tensor<4> {
    let place = |at: usize| 2.0 * at as f32 / (side - 1) as f32 - 1.0;
    let pixels = (0..side * side).flat_map(|at| [place(at % side), place(at / side)]);
    Tensor::from_data(TensorData::new(pixels.collect::<Vec<f32>>(), [1, side, side, 2]), device)
}
