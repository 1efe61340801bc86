use std::f64::consts::FRAC_PI_4;

use domino_core::ImageShape;

use super::images::{CLASSES, DigitImages, SIDE};
use crate::factors::{Painter, Variable};

/// Share of the colour circle that hues run through, red over green and blue to violet: on a whole
/// circle 0 and 1 would look the same.
const ARC: f64 = 0.8;
/// Brightness of the background, low enough for digits of the same hue to stand out.
const BACKGROUND: f64 = 0.35;
/// How white the colour of a digit is.
const WHITENESS: f64 = 0.15;
/// Least and largest scale; at 1 a picture of 28 × 28 fills the whole.
const SCALES: [f64; 2] = [0.6, 1.0];
/// Samples along either side of a pixel.
const SAMPLES: usize = 2;

#[derive(Debug)]
pub(super) struct DigitPainter {
    images: DigitImages,
    size: usize,
}

/// What a digit has besides its picture.
pub(super) fn properties() -> Vec<Variable> {
    let intervals = [("hue", 0.2), ("background_hue", 0.8), ("rotation", 0.5), ("scale", 1.0)];
    let intervals = intervals.map(|(name, fixed)| Variable::interval(name, fixed));
    std::iter::once(Variable::values("digit", CLASSES, 5)).chain(intervals).collect()
}

impl DigitPainter {
    pub(super) fn new(images: DigitImages, size: usize) -> Self {
        Self { images, size }
    }
}

impl Painter for DigitPainter {
    fn shape(&self) -> ImageShape {
        ImageShape { height: self.size, width: self.size, channels: 3 }
    }

    fn paint(&self, properties: &[f64], chance: f64, into: &mut [u8]) {
        let [digit, hue, background_hue, rotation, scale] = *properties else {
            unreachable!("a digit has five properties")
        };
        let view = View::new(self.images.pick(digit as usize, chance), self.size, rotation, scale);
        let ink = wheel(ARC * hue).map(|v| WHITENESS + (1.0 - WHITENESS) * v);
        let paper = wheel(ARC * background_hue).map(|v| BACKGROUND * v);
        for (index, pixel) in into.chunks_exact_mut(3).enumerate() {
            let share = view.ink(index % self.size, index / self.size);
            for ((value, ink), paper) in pixel.iter_mut().zip(ink).zip(paper) {
                *value = (255.0 * (paper + (ink - paper) * share)).round() as u8;
            }
        }
    }
}

/// A grey picture, turned and scaled about its middle.
struct View<'a> {
    grey: &'a [u8],
    /// Cosine and sine of its turn, times pixels of the grey picture per pixel of the view.
    step: [f64; 2],
    middle: f64,
}

impl<'a> View<'a> {
    /// Turned counterclockwise by −45° (`rotation` 0) to 45° (1).
    fn new(grey: &'a [u8], size: usize, rotation: f64, scale: f64) -> Self {
        let scale = SCALES[0] + (SCALES[1] - SCALES[0]) * scale;
        let (sin, cos) = libm::sincos(FRAC_PI_4 * (2.0 * rotation - 1.0));
        let unit = SIDE as f64 / (scale * size as f64);
        Self { grey, step: [unit * cos, unit * sin], middle: 0.5 * size as f64 }
    }

    /// How much of a pixel is ink, 0 to 1.
    fn ink(&self, column: usize, row: usize) -> f64 {
        let offset = |k: usize| (k as f64 + 0.5) / SAMPLES as f64;
        let mut sum = 0.0;
        for (i, j) in (0..SAMPLES * SAMPLES).map(|k| (k / SAMPLES, k % SAMPLES)) {
            sum += self.at(column as f64 + offset(j), row as f64 + offset(i));
        }
        sum / (SAMPLES * SAMPLES) as f64
    }

    /// Ink at a point, between the four nearest pixels of the grey picture.
    fn at(&self, x: f64, y: f64) -> f64 {
        let ([cos, sin], right, down) = (self.step, x - self.middle, y - self.middle);
        let half = 0.5 * SIDE as f64 - 0.5;
        let (u, v) = (right * cos - down * sin + half, right * sin + down * cos + half);
        let (left, top) = (u.floor(), v.floor());
        let (across, below) = (u - left, v - top);
        let upper = self.grey(left, top) * (1.0 - across) + self.grey(left + 1.0, top) * across;
        let lower =
            self.grey(left, top + 1.0) * (1.0 - across) + self.grey(left + 1.0, top + 1.0) * across;
        upper * (1.0 - below) + lower * below
    }

    /// A pixel of the grey picture, 0 to 1; black outside.
    fn grey(&self, column: f64, row: f64) -> f64 {
        let inside = |v: f64| (0.0..SIDE as f64).contains(&v);
        if inside(column) && inside(row) {
            f64::from(self.grey[row as usize * SIDE + column as usize]) / 255.0
        } else {
            0.0
        }
    }
}

/// The pure colour of a hue in turns as red, green and blue in sRGB.
fn wheel(turns: f64) -> [f64; 3] {
    [0.0, 2.0 / 3.0, 1.0 / 3.0].map(|shift| {
        let turn = turns + shift - (turns + shift).floor();
        ((6.0 * turn - 3.0).abs() - 1.0).clamp(0.0, 1.0)
    })
}
