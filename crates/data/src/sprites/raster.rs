//! Sprites as pixels.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Samples per pixel and direction of a smooth edge.
const SUBSAMPLES: usize = 4;

/// How the border of a sprite meets the pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Edges {
    /// A pixel is white if its centre lies in the sprite, and else black.
    #[default]
    Binary,
    /// A pixel is as white as the share of its 4 × 4 sample points that lies in the sprite.
    Smooth,
}

/// The outline of a sprite of scale 1, in an own frame with `v` up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outline {
    Square,
    Ellipse,
    Heart,
}

impl Outline {
    /// In the order of their numbers.
    pub(super) const ALL: [Self; 3] = [Self::Square, Self::Ellipse, Self::Heart];

    /// Radius around the origin that no point of the outline lies beyond.
    pub(super) const REACH: f64 = 1.0;

    /// Whether a point lies inside.
    fn holds(self, u: f64, v: f64) -> bool {
        match self {
            // Half the diagonal is 0.99.
            Self::Square => u.abs() <= 0.7 && v.abs() <= 0.7,
            // Semi-axes 1 and 1/2.
            Self::Ellipse => u * u + 4.0 * v * v <= 1.0,
            // The sextic heart (x² + y² − 1)³ ≤ x² y³ about (0, 0.1), from where it reaches 1.3495.
            Self::Heart => {
                let (x, y) = (1.35 * u, 1.35 * v + 0.1);
                let disc = x * x + y * y - 1.0;
                disc * disc * disc <= x * x * y * y * y
            }
        }
    }
}

/// An outline in its place, lengths in pixels, `y` down from the upper edge.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sprite {
    outline: Outline,
    centre: [f64; 2],
    /// Pixels per unit of the outline.
    unit: f64,
    /// Cosine and sine of the angle it is turned by, counterclockwise.
    turn: [f64; 2],
}

impl Sprite {
    /// An outline `unit` pixels in radius, turned by `angle` radians counterclockwise.
    pub(super) fn new(outline: Outline, centre: [f64; 2], unit: f64, angle: f64) -> Self {
        let (sin, cos) = libm::sincos(angle);
        Self { outline, centre, unit, turn: [cos, sin] }
    }

    /// Draws the sprite in white on a black picture of `size` × `size` pixels.
    pub(super) fn draw(&self, size: usize, edges: Edges, into: &mut [u8]) {
        into.fill(0);
        let reach = Outline::REACH * self.unit + 1.0;
        let span = |centre: f64| {
            let first = (centre - reach).max(0.0) as usize;
            first..((centre + reach).max(0.0) as usize + 1).min(size)
        };
        for row in span(self.centre[1]) {
            for column in span(self.centre[0]) {
                into[row * size + column] = self.brightness(row as f64, column as f64, edges);
            }
        }
    }

    fn brightness(&self, row: f64, column: f64, edges: Edges) -> u8 {
        if edges == Edges::Binary {
            return if self.holds(column + 0.5, row + 0.5) { u8::MAX } else { 0 };
        }
        let offset = |k: usize| (k as f64 + 0.5) / SUBSAMPLES as f64;
        let samples = (0..SUBSAMPLES).flat_map(|i| (0..SUBSAMPLES).map(move |j| (i, j)));
        let inside = samples.filter(|&(i, j)| self.holds(column + offset(j), row + offset(i)));
        let all = SUBSAMPLES * SUBSAMPLES;
        ((255 * inside.count() + all / 2) / all) as u8
    }

    fn holds(&self, x: f64, y: f64) -> bool {
        let [cos, sin] = self.turn;
        let (right, up) = ((x - self.centre[0]) / self.unit, (self.centre[1] - y) / self.unit);
        self.outline.holds(right * cos + up * sin, up * cos - right * sin)
    }
}
