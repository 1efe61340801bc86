use domino_core::Observations;
use domino_render::{Camera, Object, Shape, Vec3};
use nalgebra::DMatrix;

use super::figure::lowest_point;
use super::painter::Stage;
use super::*;
use crate::factors::{Domain, PictureWorld, Variable};
use crate::generator::{Generator, Split};

/// Pictures whose mean byte moves by this much look different side by side: of 64 × 64 pixels, 30 by
/// a third of their range.
const VISIBLE: f64 = 30.0 * 85.0 / 4096.0;

fn scenes() -> Vec<SceneConfig> {
    let table = |objects| SceneConfig::Tabletop(TabletopConfig { objects });
    vec![
        SceneConfig::Floating,
        SceneConfig::Standing,
        SceneConfig::Room,
        table(1),
        table(3),
        table(8),
    ]
}

/// Properties with each at both ends of its range, and many in between.
fn states(properties: &[Variable]) -> Vec<Vec<f64>> {
    let value = |variable: &Variable, u: f64| match variable.domain {
        Domain::Interval => u,
        Domain::Values(count) => (u * (count - 1) as f64).round(),
    };
    let mut bits = 0x9e37_79b9_7f4a_7c15_u64;
    let mut state = |ends: bool| -> Vec<f64> {
        let mut draw = |variable| {
            bits = bits
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let u = (bits >> 40) as f64 / f64::from(1 << 24);
            value(variable, if ends { u.round() } else { u })
        };
        properties.iter().map(&mut draw).collect()
    };
    (0..600).map(|k| state(k % 3 > 0)).collect()
}

/// How far an object reaches past the edges of the picture, seen from the eye; negative inside.
fn overreach(camera: &Camera, object: &Object) -> f32 {
    let forward = (camera.target - camera.eye).normalized();
    let right = Vec3::Y.cross(forward).normalized();
    let (up, slope) = (forward.cross(right), libm::tanf(0.5 * camera.field_of_view));
    let past = |edge: Vec3| {
        let out = (edge - forward * slope).normalized();
        (object.position - camera.eye).dot(out) + object.shape.reach(object.rotation.undo(out))
    };
    [right, -right, up, -up].into_iter().map(past).fold(f32::NEG_INFINITY, f32::max)
}

#[test]
fn every_object_lies_within_the_picture() {
    for scene in scenes() {
        let stage = Stage::new(&scene);
        for values in states(&stage.properties()) {
            let camera = stage.camera(&values);
            for object in stage.bodies(&values) {
                let overreach = overreach(&camera, &object);
                assert!(overreach < 0.0, "{scene:?} {values:?}: {overreach}");
            }
        }
    }
}

#[test]
fn objects_stand_on_the_ground() {
    for scene in scenes() {
        let stage = Stage::new(&scene);
        for values in states(&stage.properties()) {
            let bodies = stage.bodies(&values);
            let lowest = bodies.iter().map(lowest_point).fold(f32::INFINITY, f32::min);
            match scene {
                SceneConfig::Floating => assert!(lowest > 0.0, "{values:?}: {lowest}"),
                SceneConfig::Standing => assert!(lowest.abs() < 1e-5, "{values:?}: {lowest}"),
                _ => assert!(bodies.iter().all(|b| lowest_point(b).abs() < 1e-5), "{values:?}"),
            }
        }
    }
}

#[test]
fn objects_on_a_table_keep_to_their_fields() {
    for objects in 1..=8 {
        let stage = Stage::new(&SceneConfig::Tabletop(TabletopConfig { objects }));
        for values in states(&stage.properties()) {
            for (number, object) in stage.bodies(&values).iter().enumerate() {
                let field = tabletop::field(number, objects);
                let on_ground = [object.position.x, object.position.z];
                let reach = level_reach(&object.shape);
                for (axis, at) in on_ground.into_iter().enumerate() {
                    let off = (at - field.centre[axis]).abs();
                    assert!(off + reach <= field.half[axis] + 1e-6, "{objects} {values:?}");
                }
            }
        }
    }
}

#[test]
fn fields_do_not_overlap() {
    for count in 2..=8 {
        let fields: Vec<_> = (0..count).map(|number| tabletop::field(number, count)).collect();
        for (i, a) in fields.iter().enumerate() {
            for b in &fields[i + 1..] {
                let apart = |axis: usize| {
                    (a.centre[axis] - b.centre[axis]).abs() - a.half[axis] - b.half[axis]
                };
                assert!(apart(0).max(apart(1)) > -1e-6, "{count}: {a:?} {b:?}");
            }
        }
    }
}

/// Radius of the upright shape seen from above.
fn level_reach(shape: &Shape) -> f32 {
    let around = (0..64).map(|k| libm::sincosf(k as f32 / 64.0 * std::f32::consts::TAU));
    around.map(|(x, z)| shape.reach(Vec3::new(x, 0.0, z))).fold(0.0, f32::max)
}

#[test]
fn any_single_change_shows() {
    for scene in
        [SceneConfig::Floating, SceneConfig::Standing, SceneConfig::Room, scenes()[4].clone()]
    {
        let world = ScenesConfig { seed: 1, scene, ..Default::default() }.build().unwrap();
        let d = world.variables().len();
        let rows = 24;
        let states = world.states(Split::Train, 0..rows).z_before.unwrap();
        for k in 0..d {
            let mut changed = states.clone();
            for row in 0..rows {
                changed[(row, k)] = elsewhere(world.variables()[k].domain, states[(row, k)]);
            }
            let moved = mean_difference(&world, &states, &changed);
            assert!(moved > VISIBLE, "{}: {moved:.3}", world.variables()[k].name);
        }
    }
}

/// A value half a range away.
fn elsewhere(domain: Domain, v: f64) -> f64 {
    match domain {
        Domain::Interval => (v + 0.5) % 1.0,
        Domain::Values(count) => (v + (count / 2) as f64) % count as f64,
    }
}

fn mean_difference(world: &PictureWorld, a: &DMatrix<f64>, b: &DMatrix<f64>) -> f64 {
    let (Observations::Images { data: a, .. }, Observations::Images { data: b, .. }) =
        (world.observation_of(a), world.observation_of(b))
    else {
        panic!("scenes are pictures")
    };
    a.iter().zip(&b).map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / a.len() as f64
}

#[test]
fn a_moved_camera_sees_another_picture_and_an_unmoved_one_the_same() {
    let picture = |camera: CameraConfig| {
        let scene = SceneConfig::Room;
        let world = ScenesConfig { scene, size: 16, camera, ..Default::default() }.build().unwrap();
        world.observation_of(&DMatrix::zeros(1, 6))
    };
    let usual = picture(CameraConfig::default());
    let whole = picture(CameraConfig { turn: 360.0, ..Default::default() });
    let (Observations::Images { data: a, .. }, Observations::Images { data: b, .. }) =
        (&usual, &whole)
    else {
        panic!("scenes are pictures")
    };
    assert!(a.iter().zip(b).all(|(a, b)| a.abs_diff(*b) <= 8), "a whole turn is none");
    assert_ne!(picture(CameraConfig { turn: 10.0, ..Default::default() }), usual);
    assert_ne!(picture(CameraConfig { raise: 10.0, ..Default::default() }), usual);
    assert_ne!(picture(CameraConfig { zoom: 1.2, ..Default::default() }), usual);
}

#[test]
fn a_camera_below_the_ground_is_refused() {
    let camera = CameraConfig { raise: -60.0, ..Default::default() };
    let error = ScenesConfig { camera, ..Default::default() }.build().unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("camera.raise: expected a number that leaves the camera"), "{text}");
}
