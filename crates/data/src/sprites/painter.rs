use std::f64::consts::PI;

use domino_core::ImageShape;

use super::config::SpriteValues;
use super::raster::{Edges, Outline, Sprite};
use crate::factors::{Painter, Variable};

/// Numbers of values of shape, scale, orientation, x and y, in the order of dSprites.
const COUNTS: [usize; 5] = [3, 6, 40, 32, 32];
/// Range of the orientation where it is continuous.
const CONTINUOUS_TURN: f64 = 80.0 * PI / 180.0;
/// Lengths as shares of the picture: radius of a sprite of scale 1, and its middle at the least x or
/// y, far enough from the border for every turn.
const RADIUS: f64 = 12.0 / 64.0;
const MARGIN: f64 = 16.0 / 64.0;

/// The values that dSprites' `latents_values` has for the numbers of values in `latents_classes`,
/// both without the colour: shape 1 to 3, scale 0.5 to 1, orientation 0 to 2π, x and y 0 to 1.
///
/// `None` where a number is too large. The first and the last orientation are the same turn.
///
/// ```
/// use domino_data::sprites::latent_values;
///
/// let [shape, scale, orientation, x, y] = latent_values([2, 5, 39, 0, 31]).expect("the largest");
/// assert_eq!([shape, scale, x, y], [3.0, 1.0, 0.0, 1.0]);
/// assert!((orientation - std::f64::consts::TAU).abs() < 1e-12);
/// ```
pub fn latent_values(classes: [usize; 5]) -> Option<[f64; 5]> {
    let inside = classes.iter().zip(COUNTS).all(|(&class, count)| class < count);
    let place = |i: usize| classes[i] as f64 / (COUNTS[i] - 1) as f64;
    inside.then(|| {
        let shape = (classes[0] + 1) as f64;
        [shape, 0.5 + 0.5 * place(1), 2.0 * PI * place(2), place(3), place(4)]
    })
}

#[derive(Clone, Debug)]
pub(super) struct SpritePainter {
    pub(super) values: SpriteValues,
    pub(super) edges: Edges,
    pub(super) size: usize,
}

impl SpritePainter {
    pub(super) fn properties(&self) -> Vec<Variable> {
        let names = ["shape", "scale", "orientation", "x", "y"];
        let property = |(i, name): (usize, &str)| match self.values {
            SpriteValues::Continuous if i > 0 => Variable::interval(name, 0.5),
            _ => Variable::values(name, COUNTS[i], COUNTS[i] / 2),
        };
        names.into_iter().enumerate().map(property).collect()
    }

    /// The sprite of some properties, as [`Painter::paint`] has them.
    pub(super) fn sprite(&self, properties: &[f64]) -> Sprite {
        let places: Vec<f64> = match self.values {
            SpriteValues::Continuous => properties.to_vec(),
            SpriteValues::Grid => {
                properties.iter().zip(COUNTS).map(|(v, count)| v / (count - 1) as f64).collect()
            }
        };
        let whole_turn = match self.values {
            SpriteValues::Grid => 2.0 * PI,
            SpriteValues::Continuous => CONTINUOUS_TURN,
        };
        let size = self.size as f64;
        let middle = |u: f64| size * (MARGIN + (1.0 - 2.0 * MARGIN) * u);
        let outline = Outline::ALL[properties[0] as usize];
        let unit = size * RADIUS * (0.5 + 0.5 * places[1]);
        Sprite::new(outline, [middle(places[3]), middle(places[4])], unit, whole_turn * places[2])
    }
}

impl Painter for SpritePainter {
    fn shape(&self) -> ImageShape {
        ImageShape { height: self.size, width: self.size, channels: 1 }
    }

    fn paint(&self, properties: &[f64], _: f64, into: &mut [u8]) {
        self.sprite(properties).draw(self.size, self.edges, into);
    }
}
