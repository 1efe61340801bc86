use domino_render::{Camera, Vec3};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::painter::Stage;
use crate::config_error::{ConfigError, number};

/// Lowest and highest elevation of a camera over the ground, in degrees.
const ELEVATIONS: [f32; 2] = [5.0, 85.0];

/// How a camera stands apart from the usual place of its scene.
///
/// From the usual place all objects are in the picture, whatever the variables.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CameraConfig {
    /// Degrees around the scene, to the right.
    pub turn: f64,
    /// Degrees up from the usual elevation; the camera stays between 5° and 85° over the ground.
    pub raise: f64,
    /// How many times larger the middle of the scene appears.
    #[schemars(range(min = 0.1, max = 10.0))]
    pub zoom: f64,
}

impl Default for CameraConfig {
    fn default() -> Self {
        Self { turn: 0.0, raise: 0.0, zoom: 1.0 }
    }
}

impl CameraConfig {
    pub(super) fn validate(&self, stage: &Stage) -> Result<(), ConfigError> {
        number("camera.turn", "a number from -360 to 360", self.turn, |v| v.abs() <= 360.0)?;
        number("camera.zoom", "a number from 0.1 to 10", self.zoom, |v| (0.1..=10.0).contains(&v))?;
        let properties: Vec<f64> = stage.properties().iter().map(|p| p.fixed).collect();
        let elevation = place(&stage.camera(&properties)).elevation.to_degrees();
        let raised = f64::from(elevation) + self.raise;
        let expected = "a number that leaves the camera 5 to 85 degrees over the ground";
        let [low, high] = ELEVATIONS.map(f64::from);
        if (low..=high).contains(&raised) {
            Ok(())
        } else {
            Err(ConfigError::Number { key: "camera.raise", expected, got: self.raise })
        }
    }

    /// The camera so moved.
    pub(super) fn applied(&self, usual: Camera) -> Camera {
        if *self == Self::default() {
            return usual;
        }
        let Place { distance, azimuth, elevation } = place(&usual);
        let (sin_up, cos_up) = libm::sincosf(elevation + self.raise.to_radians() as f32);
        let (sin, cos) = libm::sincosf(azimuth + self.turn.to_radians() as f32);
        let offset = Vec3::new(cos_up * sin, sin_up, -cos_up * cos) * distance;
        let half = libm::tanf(0.5 * usual.field_of_view) / self.zoom as f32;
        let field_of_view = 2.0 * libm::atanf(half);
        Camera { eye: usual.target + offset, field_of_view, ..usual }
    }
}

/// Where a camera is, seen from its target; angles in radians.
struct Place {
    distance: f32,
    azimuth: f32,
    elevation: f32,
}

fn place(camera: &Camera) -> Place {
    let offset = camera.eye - camera.target;
    let level = libm::hypotf(offset.x, offset.z);
    Place {
        distance: offset.length(),
        azimuth: libm::atan2f(offset.x, -offset.z),
        elevation: libm::atan2f(offset.y, level),
    }
}
