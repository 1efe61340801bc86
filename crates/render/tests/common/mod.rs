//! Random scenes for tests, from a generator of a few lines that never changes.
#![allow(dead_code, reason = "each test takes what it needs")]

use std::f32::consts::TAU;

use domino_render::{
    Background, Bone, Camera, Light, Material, Object, Rgb, Rotation, Scene, Shape, Spot, Texture,
    Vec3,
};

/// `SplitMix64` (Steele, Lea & Flood 2014).
pub(crate) struct Draw(pub(crate) u64);

impl Draw {
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.bits() % n
    }

    pub(crate) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * ((self.bits() >> 40) as f32 / 16_777_216.0)
    }

    pub(crate) fn vec(&mut self, low: f32, high: f32) -> Vec3 {
        Vec3::new(self.between(low, high), self.between(low, high), self.between(low, high))
    }

    /// A direction of length 1.
    pub(crate) fn direction(&mut self) -> Vec3 {
        loop {
            let v = self.vec(-1.0, 1.0);
            if (0.01..1.0).contains(&v.dot(v)) {
                return v.normalized();
            }
        }
    }

    pub(crate) fn rotation(&mut self) -> Rotation {
        Rotation::about(self.direction(), self.between(0.0, TAU))
    }

    pub(crate) fn color(&mut self) -> Rgb {
        let v = self.vec(0.0, 1.0);
        Rgb::new(v.x, v.y, v.z)
    }

    /// Any shape but the plane.
    pub(crate) fn shape(&mut self) -> Shape {
        let [a, b] = [self.between(0.1, 0.7), self.between(0.1, 0.7)];
        match self.below(10) {
            0 => Shape::Sphere { radius: a },
            1 => Shape::Ellipsoid { half: self.vec(0.1, 0.8) },
            2 => Shape::Capsule { radius: a, half_height: b },
            3 => Shape::Cuboid { half: self.vec(0.1, 0.7), rounding: 0.0 },
            4 => Shape::Cuboid { half: self.vec(0.2, 0.7), rounding: 0.15 },
            5 => Shape::Cylinder { radius: a, half_height: b },
            6 => Shape::Cone { bottom: a, top: self.below(2) as f32 * b, half_height: b },
            7 => Shape::Torus { ring: 0.2 + a, tube: 0.3 * b },
            8 => Shape::Prism { sides: 3 + self.below(6) as u8, radius: a, half_height: b },
            _ => {
                let bones = (0..3).map(|_| Bone {
                    from: self.vec(-0.5, 0.5),
                    to: self.vec(-0.5, 0.5),
                    radii: [self.between(0.1, 0.3), self.between(0.1, 0.3)],
                });
                Shape::Blob { bones: bones.collect(), blend: a * 0.3 }
            }
        }
    }

    pub(crate) fn texture(&mut self) -> Texture {
        let [other, size] = [self.color(), Rgb::grey(self.between(0.1, 0.6))];
        let size = size.r;
        match self.below(6) {
            0 => Texture::Checker { other, size },
            1 => Texture::Stripes { other, size },
            2 => Texture::Noise { other, size, seed: self.bits() as u32 },
            _ => Texture::Plain,
        }
    }

    pub(crate) fn material(&mut self) -> Material {
        let matte = Material::matte(self.color()).textured(self.texture());
        match self.below(3) {
            0 => matte.glossy(self.between(0.1, 0.8), self.between(4.0, 200.0)),
            1 => matte.glowing(self.color() * 0.3),
            _ => matte,
        }
    }

    pub(crate) fn light(&mut self) -> Light {
        let position = self.vec(-3.0, 3.0) + Vec3::Y * 3.5;
        let mut light = Light::new(position, self.color()).fading(self.between(0.0, 0.2));
        if self.below(4) > 0 {
            let radius = self.between(0.0, 0.8);
            light = light.casting(if self.below(4) == 0 { 0.0 } else { radius });
        }
        if self.below(3) == 0 {
            let towards = self.vec(-1.0, 1.0) - position;
            light = light.aimed(Spot { towards, inner: self.between(0.0, 0.4), outer: 0.6 });
        }
        light
    }

    /// A scene of up to nine objects and three lights, mostly on a ground.
    pub(crate) fn scene(&mut self) -> Scene {
        let mut objects = Vec::new();
        if self.below(5) > 0 {
            objects.push(Object::new(Shape::Plane, Vec3::Y * -0.5, self.material()));
        }
        for _ in 0..=self.below(8) {
            let object = Object::new(self.shape(), self.vec(-1.5, 1.5), self.material());
            objects.push(object.rotated(self.rotation()));
        }
        let eye = self.direction() * self.between(1.0, 6.0);
        Scene {
            objects,
            lights: (0..=self.below(3)).map(|_| self.light()).collect(),
            ambient: self.color() * 0.2,
            background: Background { below: self.color(), above: self.color() },
            camera: Camera {
                eye: Vec3::new(eye.x, eye.y.abs() * 0.8, eye.z),
                target: self.vec(-0.5, 0.5),
                field_of_view: self.between(0.3, 1.4),
            },
        }
    }
}
