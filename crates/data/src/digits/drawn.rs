//! Digits written with a pen of our own, for those who have no pictures of digits at hand.

use std::f64::consts::{PI, TAU};

use rand::{Rng, RngExt};

use super::images::{CLASSES, DigitImages, PIXELS, SIDE};

/// Segments of a whole ellipse.
const SEGMENTS: usize = 24;

type Point = [f64; 2];
/// Points that a pen joins without being lifted; `x` to the right and `y` down, 0 to 1.
type Stroke = Vec<Point>;

/// A part of an ellipse from one angle to another, in degrees: 0 right, 90 down.
fn arc(centre: Point, radii: Point, from: f64, to: f64) -> Stroke {
    let steps = (((to - from).abs() / 360.0 * SEGMENTS as f64).ceil() as usize).max(1);
    let point = |k: usize| {
        let angle = (from + (to - from) * k as f64 / steps as f64) / 180.0 * PI;
        let (sin, cos) = libm::sincos(angle);
        [centre[0] + radii[0] * cos, centre[1] + radii[1] * sin]
    };
    (0..=steps).map(point).collect()
}

/// How a digit is written.
fn strokes(digit: usize) -> Vec<Stroke> {
    let ring = |centre, radii| arc(centre, radii, 0.0, 360.0);
    let then = |mut stroke: Stroke, points: &[Point]| {
        stroke.extend_from_slice(points);
        stroke
    };
    match digit {
        0 => vec![ring([0.5, 0.5], [0.22, 0.36])],
        1 => vec![vec![[0.38, 0.28], [0.54, 0.14], [0.54, 0.86]]],
        2 => {
            let top = arc([0.5, 0.34], [0.21, 0.2], 180.0, 390.0);
            vec![then(top, &[[0.28, 0.86], [0.75, 0.86]])]
        }
        3 => vec![
            arc([0.47, 0.31], [0.2, 0.17], 200.0, 450.0),
            arc([0.47, 0.67], [0.24, 0.19], 270.0, 520.0),
        ],
        4 => vec![vec![[0.6, 0.86], [0.6, 0.14], [0.25, 0.62], [0.77, 0.62]]],
        5 => {
            let bowl = arc([0.47, 0.63], [0.23, 0.22], 230.0, 515.0);
            vec![vec![[0.7, 0.14], [0.36, 0.14], [0.33, 0.47]], bowl]
        }
        6 => {
            let neck = vec![[0.65, 0.14], [0.46, 0.26], [0.34, 0.46], [0.29, 0.66]];
            vec![neck, ring([0.5, 0.67], [0.21, 0.19])]
        }
        7 => vec![vec![[0.26, 0.16], [0.75, 0.16], [0.44, 0.86]]],
        8 => vec![ring([0.5, 0.31], [0.17, 0.17]), ring([0.5, 0.67], [0.22, 0.19])],
        _ => {
            let tail = vec![[0.7, 0.34], [0.68, 0.6], [0.56, 0.86]];
            vec![ring([0.5, 0.34], [0.2, 0.19]), tail]
        }
    }
}

/// `per_class` pictures of each digit, no two written alike.
pub(super) fn drawn(per_class: usize, rng: &mut dyn Rng) -> DigitImages {
    let mut pixels = Vec::with_capacity(CLASSES * per_class * PIXELS);
    let mut labels = Vec::with_capacity(CLASSES * per_class);
    for digit in 0..CLASSES {
        for _ in 0..per_class {
            let hand = Hand::draw(rng);
            pixels.extend(hand.written(&strokes(digit)));
            labels.push(digit as u8);
        }
    }
    DigitImages::new(&pixels, &labels).expect("one label per picture, and all digits")
}

/// How somebody writes.
struct Hand {
    slant: f64,
    width: f64,
    height: f64,
    /// How far strokes swing to the side, and where along their way.
    swing: f64,
    phase: f64,
    /// Radius of the pen in pixels.
    pen: f64,
}

impl Hand {
    fn draw(rng: &mut dyn Rng) -> Self {
        Self {
            slant: rng.random_range(-0.12..0.3),
            width: rng.random_range(0.8..1.15),
            height: rng.random_range(0.86..1.0),
            swing: rng.random_range(-0.03..0.03),
            phase: rng.random_range(0.0..TAU),
            pen: rng.random_range(0.9..1.6),
        }
    }

    /// A point of a stroke on paper, in pixels.
    fn placed(&self, [x, y]: Point) -> Point {
        let (right, down) = ((x - 0.5) * self.width, (y - 0.5) * self.height);
        let swing = self.swing * libm::sin(TAU * y + self.phase);
        [right - self.slant * down + swing, down].map(|v| (v * 0.9 + 0.5) * SIDE as f64)
    }

    fn written(&self, strokes: &[Stroke]) -> [u8; PIXELS] {
        let placed = |stroke: &Stroke| stroke.iter().map(|&p| self.placed(p)).collect::<Stroke>();
        let strokes: Vec<Stroke> = strokes.iter().map(placed).collect();
        let segments = || strokes.iter().flat_map(|stroke| stroke.windows(2));
        std::array::from_fn(|pixel| {
            let point = [(pixel % SIDE) as f64 + 0.5, (pixel / SIDE) as f64 + 0.5];
            let away =
                segments().map(|s| distance(point, s[0], s[1])).fold(f64::INFINITY, f64::min);
            (255.0 * (self.pen + 0.5 - away).clamp(0.0, 1.0)).round() as u8
        })
    }
}

/// From a point to the segment between two others, which differ.
fn distance(point: Point, from: Point, to: Point) -> f64 {
    let along = [to[0] - from[0], to[1] - from[1]];
    let offset = [point[0] - from[0], point[1] - from[1]];
    let dot = |a: Point, b: Point| a[0] * b[0] + a[1] * b[1];
    let share = (dot(offset, along) / dot(along, along)).clamp(0.0, 1.0);
    let off = [offset[0] - share * along[0], offset[1] - share * along[1]];
    dot(off, off).sqrt()
}
