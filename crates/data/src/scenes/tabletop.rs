//! Several solids on a table, each in a field of its own.

use domino_render::{
    Background, Camera, Light, Material, Object, Rgb, Rotation, Scene, Shape, Vec3,
};

use super::palette::{arc_hue, between};
use crate::factors::Variable;

/// Properties of one object.
const PROPERTIES: usize = 6;
/// Half the diagonal of the largest cube, in its own half edge.
const HALF_DIAGONAL: f32 = std::f32::consts::SQRT_2;
/// Half the width and half the depth of the table's part that objects stand on.
const HALF_TABLE: [f32; 2] = [2.0, 1.9];
/// Most objects in one row.
const ONE_ROW: usize = 2;
/// Least and largest radius of an object on the ground, as shares of the lesser half of its field.
const SIZES: [f32; 2] = [0.36, 0.7];
/// The same half counts as this in a larger field.
const MOST_ROOM: f32 = 1.2;

/// Where the `number`-th of `count` objects may stand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    pub(super) centre: [f32; 2],
    pub(super) half: [f32; 2],
}

/// Fields in rows from the front: one row up to two objects, two rows above.
pub(super) fn field(number: usize, count: usize) -> Field {
    let back = if count > ONE_ROW { count / 2 } else { 0 };
    let (front, rows) = (count - back, if back > 0 { 2 } else { 1 });
    let (row, column, columns) =
        if number < front { (0, number, front) } else { (1, number - front, back) };
    let half = [HALF_TABLE[0] / columns as f32, HALF_TABLE[1] / rows as f32];
    let middle = |axis: usize, place: usize| (2 * place + 1) as f32 * half[axis] - HALF_TABLE[axis];
    Field { centre: [middle(0, column), middle(1, row)], half }
}

/// `x_1`, `depth_1`, … of each object.
pub(super) fn properties(count: usize) -> Vec<Variable> {
    (1..=count)
        .flat_map(|k| {
            let hue = (k as f64 - 0.5) / count as f64;
            [
                Variable::interval(format!("x_{k}"), 0.5),
                Variable::interval(format!("depth_{k}"), 0.5),
                Variable::interval(format!("hue_{k}"), hue),
                Variable::interval(format!("size_{k}"), 0.5),
                Variable::values(format!("shape_{k}"), 3, k % 3),
                Variable::values(format!("material_{k}"), 2, 0),
            ]
        })
        .collect()
}

pub(super) fn camera() -> Camera {
    Camera {
        eye: Vec3::new(0.0, 5.2, -6.2),
        target: Vec3::new(0.0, 0.1, -0.05),
        field_of_view: 0.6,
    }
}

/// The objects, each within its field.
pub(super) fn bodies(values: &[f64]) -> Vec<Object> {
    let count = values.len() / PROPERTIES;
    let each = values.chunks_exact(PROPERTIES).enumerate();
    each.map(|(number, values)| body(values, field(number, count))).collect()
}

fn body(values: &[f64], field: Field) -> Object {
    let [x, depth, hue, size] = [0, 1, 2, 3].map(|i| values[i] as f32);
    let room = field.half[0].min(field.half[1]).min(MOST_ROOM);
    let half = between(SIZES[0], SIZES[1], size) * room / HALF_DIAGONAL;
    let place = |u: f32, axis: usize| {
        let free = field.half[axis] - SIZES[1] * room;
        field.centre[axis] + between(-free, free, u)
    };
    let shape = match values[4] as usize {
        0 => Shape::Cuboid { half: Vec3::new(half, half, half), rounding: 0.1 * half },
        1 => Shape::Sphere { radius: 1.2 * half },
        _ => Shape::Cylinder { radius: half, half_height: 1.1 * half },
    };
    let position = Vec3::new(place(x, 0), 0.0, place(depth, 1));
    Object::new(shape, position, material(hue, values[5]))
        .rotated(Rotation::about(Vec3::Y, 0.5))
        .resting_at(0.0)
}

/// Rubber (0) or metal (1).
fn material(hue: f32, kind: f64) -> Material {
    let color = arc_hue(hue);
    if kind < 0.5 {
        return Material::matte(color);
    }
    Material::matte(color * 0.45 + Rgb::grey(0.05)).glossy(1.6, 24.0)
}

pub(super) fn scene(values: &[f64]) -> Scene {
    let table = Material::matte(Rgb::grey(0.42));
    let mut objects = bodies(values);
    objects.push(Object::new(Shape::Plane, Vec3::ZERO, table));
    let key = Light::new(Vec3::new(-3.5, 6.0, -3.0), Rgb::grey(0.8)).casting(0.5);
    let fill = Light::new(Vec3::new(5.0, 4.0, -4.0), Rgb::grey(0.25));
    Scene {
        objects,
        lights: vec![key, fill],
        ambient: Rgb::grey(0.25),
        background: Background::flat(Rgb::grey(0.3)),
        ..Scene::default()
    }
}
