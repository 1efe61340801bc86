//! Pictures of 64 x 64 per second of one thread's time on the processor, for a scene like a small experiment
//! on a table: three buttons, three glowing lamps and an arm of capsules, under four lights.
//!
//! Beside it, in the same run: the same scene by parry3d's ray casts, with hard shadows, and a like scene by
//! `MuJoCo` where Python has it (`MUJOCO_PYTHON` names the interpreter, `python3` by default).
#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use domino_render::{
    Camera, InstructionSet, Light, Material, Object, RenderOptions, Rgb, Scene, Shape, Vec3,
    render_into,
};
use parry3d::math::{Pose, Vector};
use parry3d::query::{Ray, RayCast};
use parry3d::shape::{Ball, Capsule, Cuboid, HalfSpace};

const SIZE: usize = 64;

fn main() {
    let scene = experiment();
    println!("{:<34}{:>12}{:>12}", "pictures of 64 x 64 per CPU second", "1 sample", "2 x 2");
    for set in InstructionSet::ALL.into_iter().filter(|set| set.is_available()) {
        let rate = |samples| {
            let options =
                RenderOptions { instructions: set, ..RenderOptions::new(SIZE, SIZE, samples) };
            let mut out = vec![0; SIZE * SIZE * 3];
            per_second(|| render_into(&scene, &options, &mut out).expect("the scene is valid"))
        };
        row(&format!("domino-render, {set:?}"), rate(1), rate(2));
    }
    let cast = |samples| per_second(|| drop(ray_cast(&scene, samples)));
    row("parry3d, hard shadows", cast(1), cast(2));
    mujoco();
}

fn row(name: &str, single: f64, smooth: f64) {
    println!("{name:<34}{single:>12.0}{smooth:>12.0}");
}

/// Calls per second over a second of processor time.
fn per_second(mut call: impl FnMut()) -> f64 {
    call();
    let start = processor_time();
    let mut calls = 0;
    loop {
        call();
        calls += 1;
        let spent = processor_time().saturating_sub(start).as_secs_f64();
        if spent > 1.0 {
            return f64::from(calls) / spent;
        }
    }
}

/// Time of this thread on a processor where Linux tells it, else the time of day.
fn processor_time() -> Duration {
    thread_local!(static START: Instant = Instant::now());
    let told = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = told.and_then(|text| text.split(' ').next()?.parse().ok());
    nanos.map_or_else(|| START.with(Instant::elapsed), Duration::from_nanos)
}

fn experiment() -> Scene {
    let colors = [Rgb::new(0.1, 0.95, 0.2), Rgb::new(1.0, 0.16, 0.1), Rgb::new(0.2, 0.36, 1.0)];
    let ground = Material::matte(Rgb::grey(0.36));
    let mut objects = vec![Object::new(Shape::Plane, Vec3::ZERO, ground)];
    let mut lights = vec![Light::new(Vec3::new(-1.2, 3.6, -1.6), Rgb::grey(0.3)).casting(0.4)];
    let lamps = [(-1.12, 0.86, 0.9), (0.0, 1.08, 0.3), (1.12, 0.86, 0.6)];
    for ((x, z, on), color) in lamps.into_iter().zip(colors) {
        let place = Vec3::new(x, 0.34, z);
        let glass = Material::matte(color * 0.3).glowing(color * (0.03 + 0.85 * on));
        objects.push(Object::new(Shape::Sphere { radius: 0.34 }, place, glass));
        lights.push(Light::new(place, color * (2.6 * on)).fading(3.0));
        let block = Shape::Cuboid { half: Vec3::new(0.19, 0.09, 0.19), rounding: 0.0 };
        let button = Vec3::new(x, 0.09, z - 0.8);
        objects.push(Object::new(block, button, Material::matte(color * 0.5)));
    }
    let grey = Material::matte(Rgb::grey(0.5));
    let [foot, shoulder] = [Vec3::new(0.0, 0.0, -1.05), Vec3::new(0.0, 0.5, -1.05)];
    let [elbow, wrist] = [Vec3::new(0.5, 0.6, -0.5), Vec3::new(0.95, 0.5, 0.0)];
    let tip = Vec3::new(0.95, 0.2, 0.0);
    let links =
        [(foot, shoulder, 0.2), (shoulder, elbow, 0.115), (elbow, wrist, 0.11), (wrist, tip, 0.1)];
    objects.extend(links.map(|(a, b, radius)| Object::capsule_between(a, b, radius, grey)));
    objects.push(Object::new(Shape::Sphere { radius: 0.15 }, shoulder, grey));
    objects.push(Object::new(Shape::Sphere { radius: 0.13 }, elbow, grey));
    let camera = Camera {
        eye: Vec3::new(0.0, 3.9, -2.15),
        target: Vec3::new(0.0, 0.0, 0.1),
        field_of_view: 0.7,
    };
    Scene { objects, lights, ambient: Rgb::grey(0.07), camera, ..Scene::default() }
}

fn vector(v: Vec3) -> Vector {
    Vector::new(v.x, v.y, v.z)
}

type Placed = (Box<dyn RayCast>, Pose, Material);

/// The scene as parry3d has it: all its turned objects are capsules, which need no turn.
fn bodies(scene: &Scene) -> Vec<Placed> {
    let body = |object: &Object| -> (Box<dyn RayCast>, Vec3) {
        match object.shape {
            Shape::Sphere { radius } => (Box::new(Ball::new(radius)), object.position),
            Shape::Cuboid { half, .. } => (Box::new(Cuboid::new(vector(half))), object.position),
            Shape::Capsule { radius, half_height } => {
                let half = object.rotation.apply(Vec3::Y * half_height);
                let [a, b] = [object.position - half, object.position + half];
                (Box::new(Capsule::new(vector(a), vector(b), radius)), Vec3::ZERO)
            }
            _ => (Box::new(HalfSpace::new(Vector::Y)), object.position),
        }
    };
    let placed = scene.objects.iter().map(|object| (body(object), object.material));
    placed.map(|((b, p), m)| (b, Pose::translation(p.x, p.y, p.z), m)).collect()
}

/// One ray after the other, as a program over a geometry library would do it: linear light, not yet encoded.
fn ray_cast(scene: &Scene, samples: usize) -> Vec<Rgb> {
    let bodies = bodies(scene);
    let Camera { eye, target, field_of_view } = scene.camera;
    let forward = (target - eye).normalized();
    let right = Vec3::Y.cross(forward).normalized();
    let up = forward.cross(right);
    let grid = SIZE * samples;
    let step = 2.0 * (0.5 * field_of_view).tan() / grid as f32;
    let middle = 0.5 * grid as f32 - 0.5;
    let sample = |index: usize| {
        let [x, y] = [(index % grid) as f32 - middle, middle - (index / grid) as f32];
        let way = forward + right * (x * step) + up * (y * step);
        let ray = Ray::new(vector(eye), vector(way.normalized()));
        let hits = bodies.iter().filter_map(|(body, pose, material)| {
            Some((body.cast_ray_and_get_normal(pose, &ray, 1e6, true)?, material))
        });
        let nearest = hits.min_by(|a, b| a.0.time_of_impact.total_cmp(&b.0.time_of_impact));
        let Some((hit, material)) = nearest else { return Rgb::BLACK };
        let point = ray.point_at(hit.time_of_impact) + hit.normal * 1e-3;
        light_at(scene, &bodies, point, hit.normal, material)
    };
    (0..grid * grid).map(sample).collect()
}

fn light_at(
    scene: &Scene,
    bodies: &[Placed],
    point: Vector,
    normal: Vector,
    material: &Material,
) -> Rgb {
    let mut light = scene.ambient;
    for (number, lamp) in scene.lights.iter().enumerate() {
        let way = vector(lamp.position) - point;
        let square = way.dot(way);
        let lambert = normal.dot(way) / square.sqrt();
        let ray = Ray::new(point, way);
        let casts = number == 0;
        if lambert > 0.0
            && !(casts && bodies.iter().any(|(b, pose, _)| b.intersects_ray(pose, &ray, 1.0)))
        {
            light = light + lamp.color * (lambert / (1.0 + lamp.attenuation * square));
        }
    }
    material.emission + material.albedo * light
}

fn mujoco() {
    let python = std::env::var("MUJOCO_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/mujoco_rate.py");
    let answer = match Command::new(&python).arg(script).output() {
        Ok(answer) => answer,
        Err(error) => return println!("MuJoCo: not measured: {python}: {error}"),
    };
    let words = String::from_utf8_lossy(&answer.stdout);
    let rates: Vec<f64> = words.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    if let [single, smooth] = rates[..] {
        return row("MuJoCo", single, smooth);
    }
    let reason = String::from_utf8_lossy(&answer.stderr);
    println!("MuJoCo: not measured: {}", reason.lines().last().unwrap_or("no rates came back"));
}
