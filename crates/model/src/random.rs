use burn::tensor::{Device, Tensor, TensorData};
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

/// Independent N(0, 1) values, drawn on the host so that every device starts from the same bytes.
pub fn standard_normal<const D: usize>(
    shape: [usize; D],
    rng: &mut dyn Rng,
    device: &Device,
) -> Tensor<D> {
    from_draws(shape, device, || rng.sample::<f32, _>(StandardNormal))
}

/// Independent U[0, 1) values, drawn on the host.
pub fn uniform<const D: usize>(shape: [usize; D], rng: &mut dyn Rng, device: &Device) -> Tensor<D> {
    from_draws(shape, device, || rng.random::<f32>())
}

fn from_draws<const D: usize>(
    shape: [usize; D],
    device: &Device,
    mut draw: impl FnMut() -> f32,
) -> Tensor<D> {
    let count = shape.iter().product();
    let data: Vec<f32> = (0..count).map(|_| draw()).collect();
    Tensor::from_data(TensorData::new(data, shape), device)
}

#[cfg(test)]
mod tests {
    use domino_core::{Seed, Stream};

    use super::*;
    use crate::{cpu, host::values};

    #[test]
    fn draws_have_the_right_moments_and_repeat() {
        let draw = || {
            let mut rng = Seed(3).rng(Stream::Noise);
            values(standard_normal([100, 100], &mut rng, &cpu()))
        };
        let x = draw();
        let mean = x.iter().sum::<f32>() / 1e4;
        let var = x.iter().map(|v| v * v).sum::<f32>() / 1e4;
        assert!(mean.abs() < 0.05 && (var - 1.0).abs() < 0.06, "mean {mean}, variance {var}");
        assert_eq!(x, draw());
    }
}
