use burn::tensor::{Tensor, activation::relu};
use domino_core::{ImageShape, Observations, Pairs, Seed, Stream};
use domino_model::{
    HalvingConvolution, StackedLinear, cpu, download, standard_normal, upload_rows,
};
use rand::RngExt;

use super::PictureAutoencoder;
use super::form::{ConvolutionConfig, ConvolutionForm};
use super::network::{ConvolutionEncoder, coordinates};

/// `n` random pictures of a side.
fn pictures(n: usize, side: usize) -> Observations {
    let mut rng = Seed(side as u64).rng(Stream::Data);
    let shape = ImageShape { height: side, width: side, channels: 3 };
    let bytes = (0..n * shape.len()).map(|at| rng.random_range(0..=60_u8) + (at % 3) as u8 * 70);
    Observations::Images { data: bytes.collect(), shape }
}

fn as_floats(x: &Observations) -> Observations {
    let mut data = Vec::new();
    (0..x.len()).for_each(|row| x.push_row(row, &mut data));
    Observations::Vectors { data, dim: x.dim() }
}

fn pairs(n: usize, side: usize) -> Pairs {
    let both = pictures(2 * n, side);
    Pairs::new(both.slice(0..n), both.slice(n..2 * n)).unwrap()
}

fn config(side: usize) -> ConvolutionConfig {
    ConvolutionConfig { side, latents: 5, channels: 4, most_channels: 8 }
}

fn fitted(pairs: &Pairs, side: usize) -> (ConvolutionForm, [Observations; 2]) {
    ConvolutionForm::fit(pairs, 100, &config(side), &cpu()).unwrap()
}

fn refusal(x: Observations) -> String {
    let pairs = Pairs::new(x.clone(), x).unwrap();
    ConvolutionForm::fit(&pairs, 10, &config(16), &cpu()).unwrap_err().to_string()
}

#[test]
fn every_power_of_two_goes_down_to_four_and_back() {
    for (side, seen, layers) in [(16, 64, 2), (32, 64, 3), (64, 64, 4), (128, 128, 5), (512, 64, 4)]
    {
        let pairs = pairs(1, side);
        let (form, small) = fitted(&pairs, seen);
        let sees = side.min(seen);
        assert_eq!(
            (form.side(), form.channels().len(), small[0].dim()),
            (sees, layers, sees * sees * 3)
        );
        let autoencoder = PictureAutoencoder::new(form, &mut Seed(0).rng(Stream::Init), &cpu());
        let latents = autoencoder.encoder.encode(&pairs);
        assert_eq!((latents.len(), latents.dim()), (1, 5));
        let drawn = autoencoder.decoder.forward(Tensor::zeros([2, 5], &cpu()));
        assert_eq!(drawn.dims(), [2, sees, sees, 3]);
    }
}

#[test]
fn bytes_and_floats_are_the_same_pictures() {
    let bytes = pairs(3, 32);
    let floats = Pairs::new(as_floats(bytes.before()), as_floats(bytes.after())).unwrap();
    let [a, b] = [&bytes, &floats].map(|pairs| fitted(pairs, 16));
    assert_eq!(a, b);
    let encoder = ConvolutionEncoder::new(a.0, &mut Seed(0).rng(Stream::Init), &cpu());
    assert_eq!(encoder.encode(&bytes), encoder.encode(&floats));
}

#[test]
fn smaller_pictures_are_means_of_blocks_on_one_scale() {
    let pairs = pairs(4, 32);
    let (form, small) = fitted(&pairs, 16);
    let (mut large, mut cells) = (Vec::new(), Vec::new());
    pairs.before().push_row(1, &mut large);
    small[0].push_row(1, &mut cells);
    let pixel = |row: usize, column: usize| large[(row * 32 + column) * 3 + 2];
    let mean = (pixel(6, 10) + pixel(6, 11) + pixel(7, 10) + pixel(7, 11)) / 4.0;
    assert!((cells[(3 * 16 + 5) * 3 + 2] - mean).abs() <= 0.51 / 255.0);

    let rows = small.iter().flat_map(|side| {
        let mut data = Vec::new();
        (0..side.len()).for_each(|row| side.push_row(row, &mut data));
        data
    });
    let rows = upload_rows(rows.collect(), 16 * 16 * 3, &cpu());
    let channels = form.standardised(rows).reshape([8 * 256, 3]);
    let mean = channels.clone().mean_dim(0);
    let square = channels.square().mean_dim(0);
    assert!(download(mean).amax() < 1e-4 && (download(square).add_scalar(-1.0)).amax() < 1e-3);
}

/// Coordinates are channels like any other: one convolution of five channels gives the same.
#[test]
fn coordinates_are_two_more_channels() {
    let (form, _) = fitted(&pairs(2, 16), 16);
    let mut rng = Seed(1).rng(Stream::Init);
    let encoder = ConvolutionEncoder::new(form, &mut rng, &cpu());
    let x = standard_normal([2, 16, 16, 3], &mut rng, &cpu());
    let parts = [&encoder.colours, &encoder.places]
        .map(|part| part.product.weight.val().reshape([16, -1, 4]));
    let weight = Tensor::cat(parts.to_vec(), 1).reshape([1, 80, 4]);
    let bias = encoder.colours.product.bias.val() + encoder.places.product.bias.val();
    let joined = HalvingConvolution { product: StackedLinear::from_parts(weight, bias) };
    let places = coordinates(16, &cpu()).repeat_dim(0, 2);
    let want = relu(joined.forward(Tensor::cat(vec![x.clone(), places], 3)));
    let difference = (encoder.first(x) - want).abs().max().into_scalar::<f64>();
    assert!(difference < 1e-5, "{difference}");
}

#[test]
fn what_is_no_such_picture_is_named() {
    let picture = |height, width, channels| {
        let shape = ImageShape { height, width, channels };
        Observations::Images { data: vec![0; shape.len()], shape }
    };
    let expected = "pictures for convolutions: expected [side, side, 3] with a side that is a power of \
                    two from 16 up, or as many float values, got ";
    assert_eq!(refusal(picture(32, 32, 1)), format!("{expected}[32, 32, 1] uint8"));
    assert_eq!(refusal(picture(48, 48, 3)), format!("{expected}[48, 48, 3] uint8"));
    assert_eq!(refusal(picture(8, 8, 3)), format!("{expected}[8, 8, 3] uint8"));
    assert_eq!(refusal(picture(32, 64, 3)), format!("{expected}[32, 64, 3] uint8"));
    let floats = |value, dim| Observations::Vectors { data: vec![value; dim], dim };
    assert_eq!(refusal(floats(0.5, 100)), format!("{expected}[100] float"));
    assert_eq!(
        refusal(floats(2.5, 768)),
        "float pictures for convolutions: expected values in [0, 1], got 2.5"
    );
    let error = config(48).validate().unwrap_err();
    assert_eq!(
        error.to_string(),
        "convolution.network.side: expected a power of two from 16 up, got 48"
    );
}
