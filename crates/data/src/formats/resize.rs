use domino_core::ImageShape;

/// How pictures change size. Both are separable, computed in double precision and rounded to the
/// nearest, and so give the same bytes everywhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Filter {
    /// A pixel is the average of the area that it covers: the right choice for shrinking.
    #[default]
    Area,
    /// A pixel is interpolated between the four nearest pixel centres: smooth for enlarging; when
    /// shrinking it skips pixels.
    Bilinear,
}

/// Resizes a picture `[height, width, channels]` to `height` × `width`, each channel alone.
///
/// ```
/// use domino_core::ImageShape;
/// use domino_data::formats::{Filter, resize};
///
/// let shape = ImageShape { height: 2, width: 2, channels: 1 };
/// assert_eq!(resize(&[0, 10, 20, 30], shape, [1, 1], Filter::Area), [15]);
/// ```
///
/// # Panics
/// If `picture` has not the length of `shape`.
pub fn resize(picture: &[u8], shape: ImageShape, size: [usize; 2], filter: Filter) -> Vec<u8> {
    assert_eq!(picture.len(), shape.len(), "a picture has the length of its shape");
    let [height, width] = size;
    let (rows, columns) =
        (weights(shape.height, height, filter), weights(shape.width, width, filter));
    let line = shape.width * shape.channels;
    let mut tall = vec![0.0; height * line];
    for (into, taps) in tall.chunks_exact_mut(line.max(1)).zip(&rows) {
        for &(from, weight) in taps {
            for (value, &pixel) in into.iter_mut().zip(&picture[from * line..][..line]) {
                *value += weight * f64::from(pixel);
            }
        }
    }
    let mut out = Vec::with_capacity(height * width * shape.channels);
    for line in tall.chunks_exact(line.max(1)) {
        for taps in &columns {
            for channel in 0..shape.channels {
                let at = |from: usize| line[from * shape.channels + channel];
                let value: f64 = taps.iter().map(|&(from, weight)| weight * at(from)).sum();
                out.push(value.round().clamp(0.0, 255.0) as u8);
            }
        }
    }
    out
}

/// For each of `to` pixels the pixels among `from` that it is made of, and their weights, which sum
/// to 1.
fn weights(from: usize, to: usize, filter: Filter) -> Vec<Vec<(usize, f64)>> {
    let scale = from as f64 / to as f64;
    match filter {
        Filter::Area => (0..to).map(|i| area(from, scale, i)).collect(),
        Filter::Bilinear => (0..to).map(|i| nearest_two(from, scale, i)).collect(),
    }
}

fn area(from: usize, scale: f64, pixel: usize) -> Vec<(usize, f64)> {
    let (start, end) = (pixel as f64 * scale, (pixel + 1) as f64 * scale);
    let last = (end.ceil() as usize).min(from);
    let overlap = |i: usize| ((i + 1) as f64).min(end) - (i as f64).max(start);
    let covered = (start as usize..last).map(|i| (i, overlap(i) / scale));
    covered.filter(|&(_, weight)| weight > 0.0).collect()
}

fn nearest_two(from: usize, scale: f64, pixel: usize) -> Vec<(usize, f64)> {
    let centre = ((pixel as f64 + 0.5) * scale - 0.5).clamp(0.0, (from - 1) as f64);
    let low = centre as usize;
    let high = (low + 1).min(from - 1);
    let weight = centre - low as f64;
    vec![(low, 1.0 - weight), (high, weight)]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn grey(height: usize, width: usize) -> ImageShape {
        ImageShape { height, width, channels: 1 }
    }

    #[test]
    fn area_averages_blocks_and_parts_of_pixels() {
        let picture = [0, 4, 8, 12, 16, 20, 24, 28];
        assert_eq!(resize(&picture, grey(2, 4), [1, 2], Filter::Area), [10, 18]);
        // Each of the two covers one pixel and a half.
        assert_eq!(resize(&[0, 30, 90], grey(1, 3), [1, 2], Filter::Area), [10, 70]);
    }

    #[test]
    fn bilinear_meets_values_between_centres() {
        // Centres of the four lie at -0.25, 0.25, 0.75 and 1.25 between the two.
        let four = resize(&[0, 100], grey(1, 2), [1, 4], Filter::Bilinear);
        assert_eq!(four, [0, 25, 75, 100]);
    }

    #[test]
    fn channels_stay_apart() {
        let shape = ImageShape { height: 1, width: 2, channels: 2 };
        assert_eq!(resize(&[0, 100, 20, 200], shape, [1, 1], Filter::Area), [10, 150]);
    }

    proptest! {
        #[test]
        fn one_colour_stays_and_the_same_size_changes_nothing(
            (h, w, to_h, to_w) in (1_usize..9, 1_usize..9, 1_usize..9, 1_usize..9),
            color: u8, seed: u8,
        ) {
            for filter in [Filter::Area, Filter::Bilinear] {
                let flat = resize(&vec![color; h * w], grey(h, w), [to_h, to_w], filter);
                prop_assert_eq!(flat, vec![color; to_h * to_w]);
                let any: Vec<u8> = (0..h * w).map(|i| seed.wrapping_mul(i as u8 | 1)).collect();
                prop_assert_eq!(&resize(&any, grey(h, w), [h, w], filter), &any);
            }
        }
    }
}
