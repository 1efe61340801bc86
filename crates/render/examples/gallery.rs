//! Draws every shape, texture and kind of light: `cargo run --release -p domino-render --example gallery -- OUT.png`

use std::env;
use std::error::Error;
use std::f32::consts::PI;
use std::fs;

use domino_render::sheet::Sheet;
use domino_render::{
    Background, Bone, Camera, Light, Material, Object, RenderOptions, Rgb, Rotation, Scene, Shape,
    Spot, Texture, Vec3, render,
};

fn main() -> Result<(), Box<dyn Error>> {
    let out = env::args().nth(1).ok_or("expected one argument: the PNG file to write")?;
    let size = 192;
    let mut sheet = Sheet::new([size, size], 5);
    for (name, scene) in exhibits() {
        sheet.add(&render(&scene, &RenderOptions::new(size, size, 3))?, name);
    }
    let mut png = Vec::new();
    sheet.page().write_png(&mut png)?;
    fs::write(out, png)?;
    Ok(())
}

fn exhibits() -> Vec<(&'static str, Scene)> {
    let mut all: Vec<_> =
        shapes().into_iter().map(|(name, shape)| (name, on_a_table(shape))).collect();
    all.extend(textures().map(|(name, texture)| (name, textured(texture))));
    all.push(("soft and hard shadow", shadows()));
    all.push(("coloured spots", spots()));
    all.push(("lamps", circuit()));
    all
}

fn shapes() -> Vec<(&'static str, Shape)> {
    let half = Vec3::new(0.7, 0.5, 0.6);
    vec![
        ("sphere", Shape::Sphere { radius: 0.7 }),
        ("ellipsoid", Shape::Ellipsoid { half: Vec3::new(0.9, 0.45, 0.6) }),
        ("capsule", Shape::Capsule { radius: 0.4, half_height: 0.5 }),
        ("cuboid", Shape::Cuboid { half, rounding: 0.0 }),
        ("rounded cuboid", Shape::Cuboid { half, rounding: 0.2 }),
        ("cylinder", Shape::Cylinder { radius: 0.55, half_height: 0.6 }),
        ("cone", Shape::Cone { bottom: 0.7, top: 0.0, half_height: 0.7 }),
        ("cut cone", Shape::Cone { bottom: 0.4, top: 0.7, half_height: 0.5 }),
        ("torus", Shape::Torus { ring: 0.6, tube: 0.25 }),
        ("prism of 3", Shape::Prism { sides: 3, radius: 0.8, half_height: 0.5 }),
        ("prism of 6", Shape::Prism { sides: 6, radius: 0.7, half_height: 0.5 }),
        ("blob: teapot", Shape::Blob { bones: teapot(), blend: 0.12 }),
        ("blob: hare", Shape::Blob { bones: hare(), blend: 0.15 }),
    ]
}

fn bone(from: [f32; 3], to: [f32; 3], radii: [f32; 2]) -> Bone {
    let vec = |[x, y, z]: [f32; 3]| Vec3::new(x, y, z);
    Bone { from: vec(from), to: vec(to), radii }
}

fn teapot() -> Vec<Bone> {
    let mut bones = vec![
        bone([0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.5, 0.5]),
        bone([0.0, 0.55, 0.0], [0.0, 0.6, 0.0], [0.08, 0.09]),
        bone([0.4, -0.1, 0.0], [0.85, 0.35, 0.0], [0.16, 0.07]),
    ];
    let handle = |turn: f32| {
        let (sin, cos) = (turn * PI).sin_cos();
        [-0.5 - 0.3 * sin, 0.28 * cos, 0.0]
    };
    bones.extend(
        (0..6_u8).map(|k| {
            bone(handle(f32::from(k) / 6.0), handle(f32::from(k + 1) / 6.0), [0.06, 0.06])
        }),
    );
    bones
}

fn hare() -> Vec<Bone> {
    let mut bones = vec![
        bone([-0.25, 0.0, 0.0], [0.2, 0.15, 0.0], [0.38, 0.28]),
        bone([0.45, 0.55, 0.0], [0.58, 0.5, 0.0], [0.2, 0.13]),
        bone([-0.62, 0.0, 0.0], [-0.62, 0.0, 0.0], [0.13, 0.13]),
    ];
    for side in [-1.0, 1.0] {
        bones.push(bone([0.4, 0.68, 0.08 * side], [0.22, 1.15, 0.16 * side], [0.06, 0.07]));
        bones.push(bone([-0.25, -0.25, 0.22 * side], [0.05, -0.36, 0.24 * side], [0.15, 0.09]));
        bones.push(bone([0.3, 0.1, 0.13 * side], [0.38, -0.36, 0.14 * side], [0.1, 0.08]));
    }
    bones
}

fn ground(material: Material) -> Object {
    Object::new(Shape::Plane, Vec3::ZERO, material)
}

fn studio(objects: Vec<Object>) -> Scene {
    Scene {
        objects,
        lights: vec![
            Light::new(Vec3::new(-2.5, 4.5, -3.0), Rgb::new(0.85, 0.8, 0.72)).casting(0.5),
            Light::new(Vec3::new(4.0, 2.5, -2.0), Rgb::new(0.12, 0.15, 0.22)),
        ],
        ambient: Rgb::new(0.13, 0.14, 0.16),
        background: Background { below: Rgb::grey(0.25), above: Rgb::new(0.45, 0.6, 0.85) },
        camera: Camera {
            eye: Vec3::new(0.0, 2.2, -4.2),
            target: Vec3::new(0.0, 0.55, 0.0),
            field_of_view: 0.68,
        },
    }
}

fn on_a_table(shape: Shape) -> Scene {
    let color = Material::matte(Rgb::from_srgb([222, 110, 60])).glossy(0.35, 60.0);
    let turn = Rotation::about(Vec3::Y, 0.5);
    let object = Object::new(shape, Vec3::ZERO, color).rotated(turn).resting_at(0.0);
    studio(vec![ground(Material::matte(Rgb::grey(0.42))), object])
}

fn textures() -> [(&'static str, Texture); 3] {
    let other = Rgb::from_srgb([40, 70, 120]);
    [
        ("checker", Texture::Checker { other, size: 0.3 }),
        ("stripes", Texture::Stripes { other, size: 0.15 }),
        ("noise", Texture::Noise { other, size: 0.25, seed: 1 }),
    ]
}

fn textured(texture: Texture) -> Scene {
    let material = Material::matte(Rgb::from_srgb([235, 225, 200])).textured(texture);
    let ball = Shape::Sphere { radius: 0.5 };
    let block = Shape::Cuboid { half: Vec3::new(0.35, 0.35, 0.35), rounding: 0.05 };
    let turn = Rotation::about(Vec3::new(0.3, 1.0, 0.0), 0.7);
    studio(vec![
        ground(Material::matte(Rgb::grey(0.5)).textured(texture)),
        Object::new(ball, Vec3::new(-0.6, 0.0, 0.2), material).rotated(turn).resting_at(0.0),
        Object::new(block, Vec3::new(0.6, 0.0, -0.1), material).rotated(turn).resting_at(0.0),
    ])
}

fn shadows() -> Scene {
    let ball = Shape::Sphere { radius: 0.3 };
    let white = Material::matte(Rgb::grey(0.8));
    let mut scene = studio(vec![
        ground(Material::matte(Rgb::grey(0.6))),
        Object::new(ball.clone(), Vec3::new(-0.6, 0.8, 0.0), white),
        Object::new(ball, Vec3::new(0.6, 0.8, 0.0), white),
    ]);
    let warm = Light::new(Vec3::new(-0.6, 4.0, -0.6), Rgb::grey(0.35));
    scene.lights =
        vec![warm.casting(0.6), Light { position: Vec3::new(0.6, 4.0, -0.6), ..warm }.casting(0.0)];
    scene
}

fn spots() -> Scene {
    let mut scene = studio(vec![
        ground(Material::matte(Rgb::grey(0.7))),
        Object::new(
            Shape::Capsule { radius: 0.25, half_height: 0.35 },
            Vec3::ZERO,
            Material::matte(Rgb::grey(0.8)).glossy(0.5, 120.0),
        )
        .resting_at(0.0),
    ]);
    let hues = [0.0, 1.0 / 3.0, 2.0 / 3.0];
    scene.lights = hues.map(spot).to_vec();
    scene.ambient = Rgb::grey(0.03);
    scene
}

fn spot(hue: f32) -> Light {
    let (sin, cos) = (hue * 2.0 * PI).sin_cos();
    let position = Vec3::new(1.6 * sin, 3.0, -1.6 * cos);
    let aim = Spot {
        towards: Vec3::new(0.25 * sin, 0.2, -0.25 * cos) - position,
        inner: 0.22,
        outer: 0.3,
    };
    Light::new(position, Rgb::from_hue(hue) * 0.9).casting(0.25).aimed(aim)
}

/// Three lamps beyond three buttons, and an arm that presses one.
fn circuit() -> Scene {
    let colors = [Rgb::new(0.1, 0.95, 0.2), Rgb::new(1.0, 0.16, 0.1), Rgb::new(0.2, 0.36, 1.0)];
    let mut scene = studio(vec![ground(
        Material::matte(Rgb::grey(0.36))
            .textured(Texture::Checker { other: Rgb::grey(0.3), size: 0.5 }),
    )]);
    scene.lights = vec![Light::new(Vec3::new(-1.2, 3.6, -1.6), Rgb::grey(0.3)).casting(0.4)];
    scene.ambient = Rgb::grey(0.07);
    let lamps = [(-1.12, 0.86, 0.9), (0.0, 1.08, 0.3), (1.12, 0.86, 0.6)];
    for ((x, z, on), color) in lamps.into_iter().zip(colors) {
        let place = Vec3::new(x, 0.34, z);
        let glass = Material::matte(color * 0.3).glowing(color * (0.03 + 0.85 * on));
        scene.objects.push(Object::new(Shape::Sphere { radius: 0.34 }, place, glass));
        scene.lights.push(Light::new(place, color * (2.6 * on)).fading(3.0));
        let block = Shape::Cuboid { half: Vec3::new(0.19, 0.09, 0.19), rounding: 0.03 };
        let button = Vec3::new(x, 0.0, z - 0.8);
        scene
            .objects
            .push(Object::new(block, button, Material::matte(color * 0.5)).resting_at(0.0));
    }
    let [base, tip] = [Vec3::new(0.0, 0.5, -1.05), Vec3::new(0.95, 0.5, 0.0)];
    let dark = Material::matte(Rgb::grey(0.12)).glossy(0.3, 40.0);
    let light = Material::matte(Rgb::grey(0.75)).glossy(0.2, 30.0);
    let foot = Vec3::new(base.x, 0.0, base.z);
    let finger = Vec3::new(tip.x, 0.25, tip.z);
    scene.objects.push(Object::capsule_between(foot, base, 0.2, dark));
    scene.objects.push(Object::capsule_between(base, tip, 0.115, light));
    scene.objects.push(Object::capsule_between(tip, finger, 0.1, dark));
    scene.camera = Camera {
        eye: Vec3::new(0.0, 3.9, -2.15),
        target: Vec3::new(0.0, 0.0, 0.1),
        field_of_view: 0.7,
    };
    scene
}
