//! Pictures of many states at once, by as many threads as there are processors.

use std::num::NonZeroUsize;
use std::sync::LazyLock;
use std::thread;

use domino_core::{ImageShape, Observations};
use domino_render::{RenderOptions, Scene, render_into};
use rand::Rng;

use crate::normal;

/// Number of threads that draw; the pictures do not depend on it.
pub(crate) fn threads() -> usize {
    thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// Draws `n` pictures, each from the scene of its number and then finished in place.
///
/// # Panics
/// If a scene is not valid: generators make only valid ones.
pub(crate) fn draw(
    n: usize,
    options: &RenderOptions,
    threads: usize,
    scene_of: impl Fn(usize) -> Scene + Sync,
    finish: impl Fn(usize, &mut [u8]) + Sync,
) -> Observations {
    let shape = ImageShape { height: options.height, width: options.width, channels: 3 };
    fill(n, shape, threads, |row, picture| {
        render_into(&scene_of(row), options, picture)
            .expect("generators make valid scenes and pictures of valid sizes");
        finish(row, picture);
    })
}

/// `n` pictures, each painted by its number alone.
pub(crate) fn fill(
    n: usize,
    shape: ImageShape,
    threads: usize,
    paint: impl Fn(usize, &mut [u8]) + Sync,
) -> Observations {
    let mut data = vec![0; n * shape.len()];
    let share = n.div_ceil(threads.max(1)).max(1);
    let paint = &paint;
    thread::scope(|scope| {
        for (part, pictures) in data.chunks_mut(share * shape.len()).enumerate() {
            scope.spawn(move || {
                for (row, picture) in (part * share..).zip(pictures.chunks_exact_mut(shape.len())) {
                    paint(row, picture);
                }
            });
        }
    });
    Observations::Images { data, shape }
}

/// Levels of the sensor's noise: quantiles of `N(0, 1)` in the middles of equally likely cells.
static NOISE: LazyLock<Vec<f32>> = LazyLock::new(|| {
    let cells = 1 << NOISE_BITS;
    let middle = |i| (f64::from(i) + 0.5) / f64::from(cells);
    (0..cells).map(|i| normal::quantile(middle(i)) as f32).collect()
});

/// Random bits behind the noise of one value.
const NOISE_BITS: u32 = 12;

/// Adds normal noise of standard deviation `level` grey values to every value of a picture, rounded
/// and kept within 0 to 255; nothing at all at level 0.
pub(crate) fn add_noise(picture: &mut [u8], level: f64, rng: &mut dyn Rng) {
    if level <= 0.0 {
        return;
    }
    for values in picture.chunks_mut((u64::BITS / NOISE_BITS) as usize) {
        let mut bits = rng.next_u64();
        for value in values {
            let cell = (bits & ((1 << NOISE_BITS) - 1)) as usize;
            bits >>= NOISE_BITS;
            let noisy = f32::from(*value) + level as f32 * NOISE[cell];
            *value = (noisy + 0.5).clamp(0.0, 255.0) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use domino_core::{Seed, Stream};
    use domino_render::{Background, Rgb};

    use super::*;

    #[test]
    fn pictures_do_not_depend_on_the_number_of_threads() {
        let scene_of = |row: usize| Scene {
            background: Background::flat(Rgb::grey(row as f32 / 10.0)),
            ..Scene::default()
        };
        let options = RenderOptions::new(8, 8, 1);
        let by = |threads| draw(7, &options, threads, scene_of, |row, p| p[0] = row as u8);
        for threads in [2, 3, 7, 20] {
            assert_eq!(by(1), by(threads), "{threads} threads");
        }
        let Observations::Images { data, .. } = by(2) else { panic!("pictures") };
        assert!((0..7).all(|row| usize::from(data[row * 192]) == row));
    }

    #[test]
    fn noise_has_its_level_and_no_bias() {
        let mut picture = vec![100; 30_000];
        add_noise(&mut picture, 8.0, &mut Seed(1).rng(Stream::Data));
        let n = picture.len() as f64;
        let off = |v: &u8| f64::from(*v) - 100.0;
        let mean = picture.iter().map(off).sum::<f64>() / n;
        let spread = (picture.iter().map(|v| off(v).powi(2)).sum::<f64>() / n).sqrt();
        assert!(mean.abs() < 0.25 && (spread - 8.0).abs() < 0.2, "{mean} {spread}");
    }
}
