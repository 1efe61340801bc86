//! One figure over or on the ground, under a coloured spotlight.

use std::f32::consts::{FRAC_PI_2, FRAC_PI_3};

use domino_render::{
    Background, Camera, Light, Material, Object, Rgb, Rotation, Scene, Shape, Spot, Vec3,
};

use super::figure::{Figure, standing};
use super::figures::{NAMES, figures};
use super::palette::{arc_hue, between, pale};
use crate::factors::Variable;

/// Whether the figure rests on the ground.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stance {
    Floating,
    Standing,
}

/// A figure in a place.
#[derive(Clone, Debug)]
pub(super) struct Single {
    stance: Stance,
    figures: [Figure; 7],
}

impl Single {
    pub(super) fn new(stance: Stance) -> Self {
        Self { stance, figures: figures() }
    }

    pub(super) fn properties(&self) -> Vec<Variable> {
        let mut properties = vec![Variable::values("shape", NAMES.len(), 0)];
        let intervals: &[&str] = match self.stance {
            Stance::Floating => &[
                "x",
                "height",
                "depth",
                "roll",
                "pitch",
                "yaw",
                "spot",
                "hue",
                "spot_hue",
                "background_hue",
            ],
            Stance::Standing => &["x", "depth", "yaw", "spot", "hue", "spot_hue", "background_hue"],
        };
        properties.extend(intervals.iter().map(|&name| Variable::interval(name, usual(name))));
        properties
    }

    pub(super) fn camera(&self) -> Camera {
        let (height, field_of_view) = match self.stance {
            Stance::Floating => (0.75, 0.5),
            Stance::Standing => (0.4, 0.45),
        };
        let target = Vec3::new(0.0, height, 0.0);
        Camera { eye: Vec3::new(0.0, 3.0, -6.0), target, field_of_view }
    }

    /// The solids of the figure.
    pub(super) fn body(&self, values: &[f64]) -> Vec<Object> {
        let v: Vec<f32> = values.iter().map(|&v| v as f32).collect();
        let figure = &self.figures[values[0] as usize];
        // Turned by nothing the front looks to the right; in the middle of its range it looks at us.
        let yaw = |u| Rotation::about(Vec3::Y, FRAC_PI_2 + between(-FRAC_PI_2, FRAC_PI_2, u));
        match self.stance {
            Stance::Floating => {
                let position = Vec3::new(
                    between(-0.7, 0.7, v[1]),
                    between(0.65, 1.25, v[2]),
                    between(-0.8, 0.8, v[3]),
                );
                let roll = Rotation::about(Vec3::Z, between(-FRAC_PI_3, FRAC_PI_3, v[4]));
                let pitch = Rotation::about(Vec3::X, between(-FRAC_PI_3, FRAC_PI_3, v[5]));
                let turn = roll.after(pitch.after(yaw(v[6])));
                figure.objects(position, turn, material(v[8]))
            }
            Stance::Standing => {
                let position = Vec3::new(between(-0.62, 0.62, v[1]), 0.0, between(-0.8, 0.8, v[2]));
                standing(figure.objects(position, yaw(v[3]), material(v[5])))
            }
        }
    }

    pub(super) fn scene(&self, values: &[f64]) -> Scene {
        let mut objects = self.body(values);
        let [.., spot, _, spot_hue, background_hue] = *values else {
            unreachable!("a single figure has at least four properties")
        };
        let ground = pale(background_hue as f32);
        objects.push(Object::new(Shape::Plane, Vec3::ZERO, Material::matte(ground)));
        Scene {
            objects,
            lights: vec![spotlight(spot as f32, spot_hue as f32), sky()],
            ambient: Rgb::grey(0.28),
            background: Background { below: ground * 0.4, above: ground * 0.7 },
            ..Scene::default()
        }
    }
}

fn material(hue: f32) -> Material {
    Material::matte(arc_hue(hue)).glossy(0.2, 30.0)
}

/// White light from behind the camera, which shows the colours as they are.
fn sky() -> Light {
    Light::new(Vec3::new(0.0, 6.0, -8.0), Rgb::grey(0.45))
}

/// A coloured lamp on a half circle over the ground, from the left (0) over the back to the right (1).
fn spotlight(place: f32, hue: f32) -> Light {
    let angle = between(-1.0, 1.0, place) * FRAC_PI_2;
    let (sin, cos) = libm::sincosf(angle);
    let position = Vec3::new(3.6 * sin, 4.2, -2.8 * cos + 0.6);
    let color = (arc_hue(hue) * 0.85 + Rgb::grey(0.15)) * 1.2;
    let towards = Vec3::new(0.5 * sin, 0.0, 0.0) - position;
    let aim = Spot { towards, inner: 0.3, outer: 0.42 };
    Light::new(position, color).casting(0.25).aimed(aim)
}

/// Value of a property where it does not vary: a red figure turned a little, white light from the left.
fn usual(name: &str) -> f64 {
    match name {
        "hue" => 0.05,
        "yaw" | "spot" => 0.3,
        "spot_hue" => 0.2,
        "background_hue" => 0.75,
        _ => 0.5,
    }
}
