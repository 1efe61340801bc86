//! Parses at the door: a scene that passes has no number that could make another one NaN.

use crate::camera::Camera;
use crate::error::RenderError;
use crate::scene::{Light, Object, Scene, Shadow, Texture};

const LIGHT: &str = "finite and not negative";
const FINITE: &str = "finite";

pub(crate) fn check(scene: &Scene) -> Result<(), RenderError> {
    let fault = |part, index, fault: Option<Fault>| match fault {
        None => Ok(()),
        Some((name, expected, got)) => Err(RenderError::Scene { part, index, name, expected, got }),
    };
    for (index, object) in scene.objects.iter().enumerate() {
        fault("object", index, object.shape.fault().or_else(|| object_fault(object)))?;
    }
    for (index, light) in scene.lights.iter().enumerate() {
        fault("light", index, light_fault(light))?;
    }
    let behind = scene.background;
    let colors = [("ambient", scene.ambient), ("below", behind.below), ("above", behind.above)];
    let dark = colors.iter().find(|(_, color)| !color.is_light());
    fault(
        "surroundings",
        0,
        dark.map(|&(name, color)| (name, LIGHT, color.r + color.g + color.b)),
    )?;
    fault("camera", 0, camera_fault(&scene.camera))
}

/// Name, what was expected, what was found.
type Fault = (&'static str, &'static str, f32);

fn first(checks: &[(bool, &'static str, &'static str, f32)]) -> Option<Fault> {
    let failed = checks.iter().find(|(holds, ..)| !holds);
    failed.map(|&(_, name, expected, got)| (name, expected, got))
}

fn object_fault(object: &Object) -> Option<Fault> {
    let Object { position, rotation, material, .. } = object;
    let (other, size) = match material.texture {
        Texture::Plain => (material.albedo, 1.0),
        Texture::Checker { other, size }
        | Texture::Stripes { other, size }
        | Texture::Noise { other, size, .. } => (other, size),
    };
    first(&[
        (position.is_finite(), "position", FINITE, position.x + position.y + position.z),
        (rotation.is_finite(), "rotation", FINITE, f32::NAN),
        (material.albedo.is_light(), "albedo", LIGHT, material.albedo.r),
        (material.emission.is_light(), "emission", LIGHT, material.emission.r),
        (other.is_light(), "texture.other", LIGHT, other.r),
        (size > 0.0 && size.is_finite(), "texture.size", "a positive number", size),
        (
            material.specular >= 0.0 && material.specular.is_finite(),
            "specular",
            LIGHT,
            material.specular,
        ),
        (
            material.specular <= 0.0 || (1.0..=1e4).contains(&material.shininess),
            "shininess",
            "1 to 10000",
            material.shininess,
        ),
    ])
}

fn light_fault(light: &Light) -> Option<Fault> {
    let radius = match light.shadow {
        Shadow::None => 0.0,
        Shadow::Soft { radius } => radius,
    };
    let spot = light.spot.map_or([0.0, 1.0], |spot| [spot.inner, spot.outer]);
    let towards = light.spot.map_or(1.0, |spot| spot.towards.length());
    first(&[
        (light.position.is_finite(), "position", FINITE, f32::NAN),
        (light.color.is_light(), "color", LIGHT, light.color.r),
        (
            light.attenuation >= 0.0 && light.attenuation.is_finite(),
            "attenuation",
            LIGHT,
            light.attenuation,
        ),
        (radius >= 0.0 && radius.is_finite(), "shadow.radius", LIGHT, radius),
        (towards > 0.0 && towards.is_finite(), "spot.towards", "a direction", towards),
        (spot[0] >= 0.0, "spot.inner", "0 or more", spot[0]),
        (
            spot[1] > spot[0] && spot[1] <= std::f32::consts::PI,
            "spot.outer",
            "more than inner and at most π",
            spot[1],
        ),
    ])
}

fn camera_fault(camera: &Camera) -> Option<Fault> {
    let distance = (camera.target - camera.eye).length();
    let angle = camera.field_of_view;
    first(&[
        (camera.eye.is_finite(), "eye", FINITE, f32::NAN),
        (
            distance > 0.0 && distance.is_finite(),
            "distance from eye to target",
            "a positive number",
            distance,
        ),
        (
            angle > 0.0 && angle < std::f32::consts::PI,
            "field_of_view",
            "between 0 and π radians",
            angle,
        ),
    ])
}
