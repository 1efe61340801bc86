//! What a state looks like.

use domino_render::{
    Background, Light, Material, Object, Rgb, Rotation, Scene, Shape, Texture, Vec3,
};

use super::config::Pattern;
use super::layout::{Arm, Button, Lamp, Layout};

/// Height of a lamp's socket.
const SOCKET: f32 = 0.12;

/// What does not depend on the state: table, wall, plates and sockets.
pub(super) fn stage(layout: &Layout, table: Pattern, wall: Pattern) -> Scene {
    let ground = Object::new(Shape::Plane, Vec3::ZERO, surface(Rgb::grey(0.30), table));
    let half = Vec3::new(9.0, 3.0, 0.1);
    let wall = Object::new(
        Shape::Cuboid { half, rounding: 0.0 },
        Vec3::new(0.0, half.y, 2.25),
        surface(Rgb::grey(0.34), wall),
    );
    let mut objects = vec![ground, wall];
    objects.extend(layout.buttons.iter().map(plate));
    objects.extend(layout.lamps.iter().map(socket));
    Scene {
        objects,
        lights: vec![
            Light::new(Vec3::new(-1.6, 4.2, -1.6), Rgb::new(0.42, 0.40, 0.37)).casting(0.45),
        ],
        ambient: Rgb::new(0.075, 0.08, 0.09),
        background: Background::flat(Rgb::grey(0.05)),
        camera: layout.camera,
    }
}

/// Adds what the state moves and lights: `lamps` holds the light of each lamp.
pub(super) fn furnish(scene: &mut Scene, layout: &Layout, arm: &Arm, lamps: &[f64]) {
    scene.objects.extend(arm_parts(arm, layout.tip));
    for (button, top) in layout.buttons.iter().zip(&arm.tops) {
        scene.objects.push(cap(button, *top));
    }
    for (lamp, light) in layout.lamps.iter().zip(lamps) {
        let centre = lamp.place + Vec3::Y * (SOCKET + 0.9 * lamp.radius);
        scene.objects.push(bulb(lamp, centre, *light as f32));
        // Small lamps are close to each other, so each throws less light.
        let power = 3.8 * *light as f32 * (lamp.radius / 0.33);
        scene.lights.push(Light::new(centre, lamp.color * power).fading(3.2));
    }
}

/// Glass that glows from within, whiter the brighter it is.
fn bulb(lamp: &Lamp, centre: Vec3, light: f32) -> Object {
    let glow = lamp.color * (0.02 + 0.95 * light) + Rgb::grey(0.10 * light * light);
    let glass = Material::matte(lamp.color * 0.12).glossy(0.25, 60.0).glowing(glow);
    Object::new(Shape::Sphere { radius: lamp.radius }, centre, glass)
}

fn socket(lamp: &Lamp) -> Object {
    let half = Vec3::new(0.62 * lamp.radius, 0.5 * SOCKET + 0.02, 0.62 * lamp.radius);
    let dark = Material::matte(Rgb::grey(0.05)).glossy(0.15, 30.0);
    Object::new(Shape::Cuboid { half, rounding: 0.02 }, lamp.place, dark).resting_at(0.0)
}

fn plate(button: &Button) -> Object {
    let half = Vec3::new(button.half + 0.05, 0.025, 0.24);
    let dark = Material::matte(Rgb::grey(0.04));
    Object::new(Shape::Cuboid { half, rounding: 0.0 }, button.place, dark)
        .rotated(Rotation::about(Vec3::Y, -button.angle))
        .resting_at(0.0)
}

/// The part of a button that sinks, its top at height `top`.
fn cap(button: &Button, top: f32) -> Object {
    let half = Vec3::new(button.half, 0.5 * top, 0.18);
    let plastic = Material::matte(button.color * 0.55).glossy(0.15, 30.0);
    Object::new(Shape::Cuboid { half, rounding: 0.03 }, button.place, plastic)
        .rotated(Rotation::about(Vec3::Y, -button.angle))
        .resting_at(0.0)
}

fn arm_parts(arm: &Arm, tip: f32) -> [Object; 5] {
    let dark = Material::matte(Rgb::grey(0.07)).glossy(0.3, 40.0);
    let pale = Material::matte(Rgb::new(0.78, 0.78, 0.74)).glossy(0.2, 30.0);
    let joint = |at, radius| Object::new(Shape::Sphere { radius }, at, dark);
    [
        Object::capsule_between(arm.base, arm.shoulder, 0.21, dark),
        Object::capsule_between(arm.shoulder, arm.elbow, 0.12, pale),
        joint(arm.elbow, 0.15),
        Object::capsule_between(arm.elbow, arm.tip, 0.8 * tip, pale),
        joint(arm.tip, tip),
    ]
}

/// A grey surface in a pattern.
fn surface(grey: Rgb, pattern: Pattern) -> Material {
    let other = grey * 0.5;
    let texture = match pattern {
        Pattern::Plain => Texture::Plain,
        Pattern::Checker => Texture::Checker { other, size: 0.45 },
        Pattern::Stripes => Texture::Stripes { other, size: 0.22 },
        Pattern::Clouds => Texture::Noise { other: grey * 0.25, size: 0.5, seed: 7 },
    };
    Material::matte(grey).textured(texture)
}
