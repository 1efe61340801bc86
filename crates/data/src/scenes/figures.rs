//! The seven figures, each within about 0.6 of its origin.

use std::f32::consts::FRAC_PI_2;

use domino_render::{Bone, Rotation, Shape, Vec3};

use super::figure::{Figure, Shade};

/// Names of the figures in the order of their numbers.
pub(super) const NAMES: [&str; 7] = ["teapot", "hare", "cow", "house", "plane", "chair", "duck"];

/// All figures in the order of their numbers.
pub(super) fn figures() -> [Figure; 7] {
    [teapot(), hare(), cow(), house(), plane(), chair(), duck()]
}

fn bone(from: [f32; 3], to: [f32; 3], radii: [f32; 2]) -> Bone {
    let vec = |[x, y, z]: [f32; 3]| Vec3::new(x, y, z);
    Bone { from: vec(from), to: vec(to), radii }
}

fn ball(radius: f32) -> Shape {
    Shape::Sphere { radius }
}

fn cuboid(x: f32, y: f32, z: f32) -> Shape {
    Shape::Cuboid { half: Vec3::new(x, y, z), rounding: 0.0 }
}

fn teapot() -> Figure {
    let bones = vec![
        bone([0.0, -0.06, 0.0], [0.0, 0.03, 0.0], [0.34, 0.29]),
        bone([0.26, -0.1, 0.0], [0.56, 0.22, 0.0], [0.11, 0.05]),
    ];
    let handle = Rotation::about(Vec3::X, FRAC_PI_2);
    Figure::new()
        .with(Shade::Plain, Shape::Blob { bones, blend: 0.06 }, [0.0; 3])
        .with_turned(
            Shade::Light,
            Shape::Torus { ring: 0.17, tube: 0.05 },
            [-0.4, 0.0, 0.0],
            handle,
        )
        .with(Shade::Light, ball(0.09), [0.0, 0.37, 0.0])
}

fn hare() -> Figure {
    let mut bones = vec![
        bone([-0.2, -0.16, 0.0], [0.08, -0.06, 0.0], [0.26, 0.2]),
        bone([0.28, 0.14, 0.0], [0.34, 0.12, 0.0], [0.17, 0.13]),
        bone([-0.12, -0.4, 0.0], [0.2, -0.4, 0.0], [0.08, 0.07]),
    ];
    bones.extend(
        [-1.0, 1.0]
            .map(|side| bone([0.24, 0.24, 0.07 * side], [0.1, 0.58, 0.13 * side], [0.055, 0.045])),
    );
    Figure::new()
        .with(Shade::Plain, Shape::Blob { bones, blend: 0.06 }, [0.0; 3])
        .with(Shade::Light, ball(0.1), [-0.46, -0.1, 0.0])
        .with(Shade::Dark, ball(0.04), [0.38, 0.2, 0.12])
        .with(Shade::Dark, ball(0.04), [0.38, 0.2, -0.12])
}

fn cow() -> Figure {
    let mut bones = vec![
        bone([-0.3, 0.06, 0.0], [0.22, 0.06, 0.0], [0.2, 0.18]),
        bone([0.28, 0.12, 0.0], [0.42, 0.3, 0.0], [0.11, 0.09]),
    ];
    for x in [-0.32, 0.24] {
        bones.extend([-0.11, 0.11].map(|z| bone([x, 0.0, z], [x, -0.4, z], [0.08, 0.06])));
    }
    Figure::new()
        .with(Shade::Plain, Shape::Blob { bones, blend: 0.05 }, [0.0; 3])
        .with_turned(
            Shade::Light,
            Shape::Capsule { radius: 0.1, half_height: 0.08 },
            [0.5, 0.3, 0.0],
            Rotation::about(Vec3::Z, 1.1),
        )
        .with_turned(
            Shade::Dark,
            Shape::Capsule { radius: 0.035, half_height: 0.13 },
            [0.42, 0.42, 0.0],
            Rotation::about(Vec3::X, FRAC_PI_2),
        )
        .with(Shade::Dark, Shape::Capsule { radius: 0.03, half_height: 0.16 }, [-0.5, -0.06, 0.0])
}

fn house() -> Figure {
    let roof = Rotation::about(Vec3::Z, -FRAC_PI_2);
    Figure::new()
        .with(Shade::Plain, cuboid(0.4, 0.22, 0.3), [0.0, -0.16, 0.0])
        .with_turned(
            Shade::Dark,
            Shape::Prism { sides: 3, radius: 0.42, half_height: 0.45 },
            [0.0, 0.26, 0.0],
            roof,
        )
        .with(Shade::Light, cuboid(0.07, 0.2, 0.07), [-0.24, 0.46, -0.12])
        .with(Shade::Light, cuboid(0.02, 0.14, 0.09), [0.4, -0.22, 0.08])
}

fn plane() -> Figure {
    Figure::new()
        .with_turned(
            Shade::Plain,
            Shape::Capsule { radius: 0.12, half_height: 0.42 },
            [0.0, 0.0, 0.0],
            Rotation::about(Vec3::Z, FRAC_PI_2),
        )
        .with(Shade::Plain, cuboid(0.13, 0.03, 0.58), [0.08, 0.0, 0.0])
        .with(Shade::Light, cuboid(0.08, 0.025, 0.24), [-0.46, 0.06, 0.0])
        .with(Shade::Light, cuboid(0.09, 0.15, 0.03), [-0.46, 0.2, 0.0])
        .with(Shade::Dark, ball(0.09), [0.3, 0.09, 0.0])
}

fn chair() -> Figure {
    let mut figure = Figure::new()
        .with(Shade::Plain, cuboid(0.3, 0.06, 0.28), [0.0, -0.06, 0.0])
        .with(Shade::Plain, cuboid(0.05, 0.28, 0.28), [-0.25, 0.28, 0.0]);
    for (x, z) in [(-0.24, -0.22), (-0.24, 0.22), (0.24, -0.22), (0.24, 0.22)] {
        figure = figure.with(Shade::Dark, cuboid(0.05, 0.18, 0.05), [x, -0.3, z]);
    }
    figure.with(Shade::Light, cuboid(0.2, 0.04, 0.2), [0.02, 0.04, 0.0])
}

fn duck() -> Figure {
    let bones = vec![
        bone([-0.16, -0.16, 0.0], [0.14, -0.14, 0.0], [0.25, 0.25]),
        bone([-0.36, -0.08, 0.0], [-0.52, 0.14, 0.0], [0.12, 0.04]),
        bone([0.18, 0.0, 0.0], [0.22, 0.12, 0.0], [0.14, 0.12]),
        bone([0.24, 0.26, 0.0], [0.24, 0.26, 0.0], [0.2, 0.2]),
    ];
    Figure::new()
        .with(Shade::Plain, Shape::Blob { bones, blend: 0.05 }, [0.0; 3])
        .with(
            Shade::Light,
            Shape::Ellipsoid { half: Vec3::new(0.16, 0.06, 0.11) },
            [0.46, 0.22, 0.0],
        )
        .with(Shade::Dark, ball(0.045), [0.36, 0.34, 0.13])
        .with(Shade::Dark, ball(0.045), [0.36, 0.34, -0.13])
}
