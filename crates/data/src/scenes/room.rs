//! A solid in the middle of a room, seen from different sides.

use std::f32::consts::FRAC_PI_6;

use domino_render::{Background, Camera, Light, Material, Object, Rgb, Scene, Shape, Vec3};

use super::palette::{between, strong};
use crate::factors::Variable;

/// Half the width of the room.
const HALF_WIDTH: f32 = 2.6;
/// Height of the walls.
const HEIGHT: f32 = 3.2;
/// Way from the eye to the middle of the room, on the ground.
const DISTANCE: f32 = 4.2;
/// Hues of floor, walls and object.
const HUES: usize = 10;
const SCALES: usize = 8;
const SHAPES: usize = 4;
const ORIENTATIONS: usize = 15;

/// Properties of the room in the order of `Shapes3D`.
pub(super) fn properties() -> Vec<Variable> {
    vec![
        Variable::values("floor_hue", HUES, 3),
        Variable::values("wall_hue", HUES, 6),
        Variable::values("object_hue", HUES, 0),
        Variable::values("scale", SCALES, 4),
        Variable::values("shape", SHAPES, 0),
        Variable::values("orientation", ORIENTATIONS, 7),
    ]
}

/// The share of its range that the `value`-th of `count` values lies at.
fn share(value: f64, count: usize) -> f32 {
    value as f32 / (count - 1) as f32
}

pub(super) fn camera(values: &[f64]) -> Camera {
    let angle = between(-FRAC_PI_6, FRAC_PI_6, share(values[5], ORIENTATIONS));
    let (sin, cos) = libm::sincosf(angle);
    let eye = Vec3::new(DISTANCE * sin, 2.2, -DISTANCE * cos);
    Camera { eye, target: Vec3::new(0.0, 0.85, 0.0), field_of_view: 0.85 }
}

/// The object in the middle.
pub(super) fn body(values: &[f64]) -> Object {
    let material = Material::matte(hue(values[2])).glossy(0.25, 40.0);
    let size = between(0.75, 1.25, share(values[3], SCALES));
    let shape = match values[4] as usize {
        0 => Shape::Cuboid { half: Vec3::new(0.55, 0.55, 0.55) * size, rounding: 0.0 },
        1 => Shape::Cylinder { radius: 0.55 * size, half_height: 0.55 * size },
        2 => Shape::Sphere { radius: 0.65 * size },
        _ => Shape::Capsule { radius: 0.42 * size, half_height: 0.38 * size },
    };
    Object::new(shape, Vec3::ZERO, material).resting_at(0.0)
}

pub(super) fn scene(values: &[f64]) -> Scene {
    let floor = Object::new(Shape::Plane, Vec3::ZERO, Material::matte(hue(values[0])));
    let mut objects = vec![floor, body(values)];
    objects.extend(walls(Material::matte(hue(values[1]))));
    let lamp = Light::new(Vec3::new(-1.0, 5.0, -3.5), Rgb::grey(0.75)).casting(0.5);
    let sky = hue(values[1]) * 0.5;
    Scene {
        objects,
        lights: vec![lamp],
        ambient: Rgb::grey(0.3),
        background: Background { below: sky, above: Rgb::grey(0.75) },
        ..Scene::default()
    }
}

/// The walls on the left, on the right and at the back; the side of the camera is open.
fn walls(material: Material) -> [Object; 3] {
    let wall = |x: f32, z: f32, half: [f32; 2]| {
        let half = Vec3::new(half[0], 0.5 * HEIGHT, half[1]);
        Object::new(Shape::Cuboid { half, rounding: 0.0 }, Vec3::new(x, 0.5 * HEIGHT, z), material)
    };
    let (depth, out) = (HALF_WIDTH + DISTANCE, HALF_WIDTH + 0.1);
    [
        wall(-out, -0.5 * DISTANCE, [0.1, 0.5 * depth + HALF_WIDTH]),
        wall(out, -0.5 * DISTANCE, [0.1, 0.5 * depth + HALF_WIDTH]),
        wall(0.0, out, [out + 0.1, 0.1]),
    ]
}

fn hue(value: f64) -> Rgb {
    strong(value as f32 / HUES as f32)
}
