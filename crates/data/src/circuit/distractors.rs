//! Things on the table that no variable moves.

use domino_render::{Material, Object, Rgb, Rotation, Shape, Vec3};
use rand::{Rng, RngExt};

use super::config::{DistractorConfig, Motion};

/// Regions of the table that stay free, one for each distractor: centre and half extent in `x` and `z`.
const REGIONS: [([f32; 2], [f32; 2]); 4] = [
    ([-1.25, -1.05], [0.25, 0.18]),
    ([1.25, -1.05], [0.25, 0.18]),
    ([-0.75, 0.75], [0.20, 0.08]),
    ([0.75, 0.75], [0.20, 0.08]),
];

/// Where distractors are, each from −1 to 1 along the sides of its region, and turned by a share of a
/// full turn.
pub(super) type Places = Vec<[f32; 3]>;

/// Draws where distractors are before and after.
pub(super) fn draw(config: &DistractorConfig, rng: &mut dyn Rng) -> [Places; 2] {
    let mut places = || -> Places {
        let place = |rng: &mut dyn Rng| [(); 3].map(|()| rng.random_range(-1.0..1.0));
        (0..config.count).map(|_| place(rng)).collect()
    };
    let before = places();
    let after = match config.motion {
        Motion::Picture => places(),
        Motion::Pair => before.clone(),
    };
    [before, after]
}

/// Every distractor in the middle of its region.
pub(super) fn at_rest(config: &DistractorConfig) -> Places {
    vec![[0.0; 3]; config.count]
}

/// The distractors in their places.
pub(super) fn objects(places: &Places) -> impl Iterator<Item = Object> {
    places.iter().zip(REGIONS).enumerate().map(|(k, ([x, z, turn], (centre, half)))| {
        let at = Vec3::new(centre[0] + x * half[0], 0.0, centre[1] + z * half[1]);
        let turned = Rotation::about(Vec3::Y, turn * std::f32::consts::PI);
        let (shape, color) = match k {
            0 => (Shape::Cuboid { half: Vec3::new(0.15, 0.13, 0.15), rounding: 0.0 }, ORANGE),
            1 => (Shape::Sphere { radius: 0.16 }, VIOLET),
            2 => (Shape::Capsule { radius: 0.09, half_height: 0.1 }, TEAL),
            _ => (Shape::Ellipsoid { half: Vec3::new(0.2, 0.1, 0.1) }, PINK),
        };
        let material = Material::matte(color).glossy(0.2, 40.0);
        Object::new(shape, at, material).rotated(turned).resting_at(0.0)
    })
}

const ORANGE: Rgb = Rgb::new(0.75, 0.32, 0.06);
const VIOLET: Rgb = Rgb::new(0.34, 0.18, 0.62);
const TEAL: Rgb = Rgb::new(0.08, 0.45, 0.42);
const PINK: Rgb = Rgb::new(0.75, 0.30, 0.42);
