//! Where things are: lengths in table units, `y` up, `z` away from the viewer.

use domino_render::{Camera, Rgb, Vec3};

use super::config::View;
use super::mechanisms::CircuitMechanisms;

/// Where the arm stands.
const BASE: Vec3 = Vec3::new(0.0, 0.0, 0.45);
/// Height of the shoulder.
const SHOULDER: f32 = 0.46;
/// From the base to the tip, along the table.
const REACH: f32 = 1.25;
/// Largest angle of the arm to either side, in radians.
const SWING: f32 = 1.15;
/// Lengths of upper arm and finger.
const LINKS: [f32; 2] = [0.76, 0.84];

/// Height of a button that is not pressed, and how far it sinks.
const BUTTON: f32 = 0.17;
const TRAVEL: f32 = 0.1;
/// Height of the tip above the buttons between two of them.
const HOVER: f32 = 0.1;
/// How far a bump must rise for the finger to touch the button.
const CONTACT: f32 = 0.45;

/// Colours of the lamps by number.
const COLORS: [Rgb; 8] = [
    Rgb::new(0.10, 0.95, 0.20),
    Rgb::new(1.00, 0.13, 0.09),
    Rgb::new(0.18, 0.34, 1.00),
    Rgb::new(1.00, 0.75, 0.08),
    Rgb::new(0.90, 0.16, 0.80),
    Rgb::new(0.08, 0.80, 0.85),
    Rgb::new(1.00, 0.38, 0.04),
    Rgb::new(0.85, 0.85, 0.85),
];

/// A circuit with its buttons and lamps in place.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) buttons: Vec<Button>,
    pub(super) lamps: Vec<Lamp>,
    /// Radius of the finger's tip.
    pub(super) tip: f32,
    pub(super) camera: Camera,
}

/// A button on its plate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Button {
    pub(super) color: Rgb,
    /// Where it lies on the table.
    pub(super) place: Vec3,
    /// Angle of the arm over its middle.
    pub(super) angle: f32,
    /// Half its extent along the arc.
    pub(super) half: f32,
}

/// A lamp on its socket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lamp {
    pub(super) color: Rgb,
    /// Where it stands on the table.
    pub(super) place: Vec3,
    pub(super) radius: f32,
}

/// The arm in one position.
#[derive(Clone, Debug)]
pub(super) struct Arm {
    pub(super) base: Vec3,
    pub(super) shoulder: Vec3,
    pub(super) elbow: Vec3,
    /// Centre of the ball at the end of the finger.
    pub(super) tip: Vec3,
    /// Height of the top of each button.
    pub(super) tops: Vec<f32>,
}

impl Layout {
    pub(super) fn new(mechanisms: &CircuitMechanisms, view: View) -> Self {
        let places = mechanisms.places();
        let step = (places[1] - places[0]) as f32 * 2.0 * SWING * REACH;
        let button = |(place, color): (&f64, Rgb)| {
            let angle = angle_of(*place);
            Button { color, place: on_arc(angle), angle, half: 0.36 * step }
        };
        Self {
            buttons: places.iter().zip(COLORS).map(button).collect(),
            lamps: lamps(places.len()),
            tip: (0.3 * step).min(0.11),
            camera: camera(view),
        }
    }

    /// The arm when it is at `arm` on its arc and the buttons are pressed so far.
    pub(super) fn arm(&self, arm: f64, pressed: &[f64]) -> Arm {
        let angle = angle_of(arm);
        let sunk = |b: &f64| ((*b as f32 - CONTACT) / (1.0 - CONTACT)).max(0.0);
        let tops: Vec<f32> = pressed.iter().map(|b| BUTTON - TRAVEL * sunk(b)).collect();
        // The tip rests on the button below it, and rises between buttons.
        let most = pressed.iter().copied().fold(0.0, f64::max) as f32;
        let lowest = tops.iter().copied().fold(BUTTON, f32::min);
        let close = (most / CONTACT).min(1.0);
        let gap = HOVER * (1.0 - close * close * (3.0 - 2.0 * close));
        let tip = on_arc(angle) + Vec3::Y * (lowest + gap + self.tip);
        let shoulder = BASE + Vec3::Y * SHOULDER;
        Arm { base: BASE, shoulder, elbow: elbow(shoulder, tip), tip, tops }
    }
}

fn angle_of(arm: f64) -> f32 {
    (2.0 * arm as f32 - 1.0) * SWING
}

/// The point of the buttons' arc under the tip, towards the viewer at angle 0.
fn on_arc(angle: f32) -> Vec3 {
    let (sin, cos) = libm::sincosf(angle);
    BASE + Vec3::new(sin, 0.0, -cos) * REACH
}

/// Where two links of given length meet above the line from shoulder to tip.
fn elbow(shoulder: Vec3, tip: Vec3) -> Vec3 {
    let line = tip - shoulder;
    let span = line.length();
    let [upper, finger] = LINKS;
    let along = (upper * upper - finger * finger + span * span) / (2.0 * span);
    let height = (upper * upper - along * along).max(0.0).sqrt();
    let forward = line.normalized();
    let up = (Vec3::Y - forward * forward.y).normalized();
    shoulder + forward * along + up * height
}

/// A row of lamps that bends away at its middle.
fn lamps(n: usize) -> Vec<Lamp> {
    let half_width = 1.12 + 0.03 * (n - 3) as f32;
    let step = 2.0 * half_width / (n - 1) as f32;
    let radius = (0.42 * step).min(0.33);
    let lamp = |(k, color)| {
        let share = 2.0 * k as f32 / (n - 1) as f32 - 1.0;
        let place = Vec3::new(half_width * share, 0.0, 1.50 - 0.2 * share * share);
        Lamp { color, place, radius }
    };
    (0..n).zip(COLORS).map(lamp).collect()
}

fn camera(view: View) -> Camera {
    let (azimuth, elevation, target, field_of_view) = match view {
        View::Front => (0.0, 46.0, Vec3::new(0.0, 0.22, 0.44), 0.62),
        View::Low => (0.0, 13.0, Vec3::new(0.0, 0.5, 0.6), 0.60),
        View::Orbit { azimuth, elevation } => {
            (azimuth as f32, elevation as f32, Vec3::new(0.0, 0.22, 0.5), 0.68)
        }
    };
    let distance = 5.0;
    let (sin, cos) = libm::sincosf(azimuth.to_radians());
    let (up, out) = libm::sincosf(elevation.to_radians());
    let eye = target + Vec3::new(sin * out, up, -cos * out) * distance;
    Camera { eye, target, field_of_view }
}
