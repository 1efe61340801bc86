use domino::core::{ImageShape, Observations};
use domino_render::Picture;

/// One of several pictures in red, green and blue, each pixel as a square of `scale` pixels. Of more
/// than three channels the first three count, of fewer the first alone.
///
/// # Panics
/// If there is no such picture.
pub(crate) fn picture(x: &Observations, row: usize, scale: usize) -> Picture {
    let Observations::Images { data, shape } = x else { unreachable!("only pictures are drawn") };
    let shape: ImageShape = *shape;
    let pixels = &data[row * shape.len()..(row + 1) * shape.len()];
    let color = |pixel: &[u8]| match pixel {
        [r, g, b, ..] => [*r, *g, *b],
        _ => [pixel[0]; 3],
    };
    let (width, height) = (scale * shape.width, scale * shape.height);
    let at = |x: usize, y: usize| {
        let start = (y / scale * shape.width + x / scale) * shape.channels;
        color(&pixels[start..start + shape.channels])
    };
    let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    Picture { width, height, data: places.flat_map(|(x, y)| at(x, y)).collect() }
}

/// Peak signal-to-noise ratio of each row of `got` against the same row of `want`, in decibels:
/// `10 log₁₀ (255² / mean squared error)`; at most 99, which equal pictures have.
pub(crate) fn psnr(got: &Observations, want: &Observations) -> Vec<f64> {
    let (Observations::Images { data: got, shape }, Observations::Images { data: want, .. }) =
        (got, want)
    else {
        return Vec::new();
    };
    let ratio = |(got, want): (&[u8], &[u8])| {
        let square = |(a, b): (&u8, &u8)| (f64::from(*a) - f64::from(*b)).powi(2);
        let mean = got.iter().zip(want).map(square).sum::<f64>() / shape.len() as f64;
        (10.0 * (255.0 * 255.0 / mean.max(f64::MIN_POSITIVE)).log10()).min(99.0)
    };
    got.chunks_exact(shape.len()).zip(want.chunks_exact(shape.len())).map(ratio).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_become_squares() {
        let shape = ImageShape { height: 1, width: 2, channels: 1 };
        let x = Observations::Images { data: vec![0, 0, 7, 9], shape };
        let picture = picture(&x, 1, 2);
        assert_eq!((picture.width, picture.height), (4, 2));
        let row = [7, 7, 7, 7, 7, 7, 9, 9, 9, 9, 9, 9];
        assert_eq!(picture.data, [row, row].concat());
    }

    #[test]
    fn a_tenth_of_the_range_is_twenty_decibels() {
        let shape = ImageShape { height: 1, width: 2, channels: 1 };
        let images = |data: Vec<u8>| Observations::Images { data, shape };
        let ratios = psnr(&images(vec![100, 51, 8, 8]), &images(vec![125, 77, 8, 8]));
        assert!((ratios[0] - 20.0).abs() < 0.1, "{ratios:?}");
        assert!((ratios[1] - 99.0).abs() < 1e-9);
    }
}
