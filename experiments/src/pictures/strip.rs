use domino::core::{ImageShape, Observations};
use domino_render::Picture;
use nalgebra::DMatrix;

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

/// Decoded observations `[n, dim]` in the form of those they came from.
pub(crate) fn like(observed: &Observations, decoded: &DMatrix<f64>) -> Observations {
    // Rows of observations lie one after the other, columns of matrices do.
    let values = decoded.transpose();
    match observed {
        Observations::Vectors { dim, .. } => {
            Observations::Vectors { data: values.iter().map(|&v| v as f32).collect(), dim: *dim }
        }
        Observations::Images { shape, .. } => {
            let byte = |&v: &f64| (v * 255.0).round().clamp(0.0, 255.0) as u8;
            Observations::Images { data: values.iter().map(byte).collect(), shape: *shape }
        }
    }
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
    fn pictures_come_back_as_bytes_row_by_row() {
        let shape = ImageShape { height: 1, width: 3, channels: 1 };
        let observed = Observations::Images { data: vec![0; 3], shape };
        let decoded = DMatrix::from_row_slice(2, 3, &[-0.5, 0.2, 7.0, 0.0, 0.4, 0.6]);
        let data = vec![0, 51, 255, 0, 102, 153];
        assert_eq!(like(&observed, &decoded), Observations::Images { data, shape });
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
