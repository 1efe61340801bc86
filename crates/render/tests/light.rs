//! Laws of light and shadow, told from pictures in linear light.

mod common;

use common::Draw;
use domino_render::{
    Background, Camera, Light, Material, Object, RenderOptions, Rgb, Rotation, Scene, Shape, Vec3,
    render, render_linear,
};
use parry3d::math::{Pose, Vector};
use parry3d::query::{Ray, RayCast};
use parry3d::shape::{Ball, Capsule, Cuboid};

const SIZE: usize = 48;

fn linear(scene: &Scene) -> Vec<f32> {
    render_linear(scene, &RenderOptions::new(SIZE, SIZE, 1)).expect("a valid scene")
}

fn assert_close(a: &[f32], b: &[f32], tolerance: f32, what: &str) {
    let off = a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(off <= tolerance, "{what}: off by {off}");
}

#[test]
fn light_is_finite_and_never_negative_even_from_within() {
    for seed in 0..200 {
        let mut draw = Draw(seed);
        let mut scene = draw.scene();
        // An eye and a lamp in the thick of it, and a lamp on the ground.
        scene.camera.eye = draw.vec(-0.5, 0.5);
        scene.camera.target = draw.vec(-1.5, 1.5);
        scene.lights.push(Light::new(scene.objects[0].position, Rgb::WHITE).casting(0.3));
        scene.lights.push(Light::new(scene.camera.eye, Rgb::WHITE).casting(0.0));
        let odd = linear(&scene).iter().filter(|v| !(v.is_finite() && **v >= 0.0)).count();
        assert_eq!(odd, 0, "scene {seed}");
    }
}

#[test]
fn lights_add() {
    for seed in 0..30 {
        let mut both = Draw(seed).scene();
        let mut draw = Draw(seed + 1000);
        both.lights = vec![draw.light(), draw.light()];
        let only = |k: usize| Scene { lights: vec![both.lights[k]], ..both.clone() };
        let none = Scene { lights: vec![], ..both.clone() };
        let sum: Vec<f32> = linear(&only(0))
            .iter()
            .zip(linear(&only(1)))
            .zip(linear(&none))
            .map(|((a, b), c)| a + b - c)
            .collect();
        assert_close(&linear(&both), &sum, 1e-4, &format!("scene {seed}"));
    }
}

#[test]
fn emission_and_ambient_add_and_light_scales() {
    for seed in 0..30 {
        let scene = Draw(seed).scene();
        let mut dark = Scene { ambient: Rgb::BLACK, background: Background::default(), ..scene };
        dark.objects.iter_mut().for_each(|o| o.material.emission = Rgb::BLACK);
        let before = linear(&dark);
        let mut bright = dark.clone();
        bright.lights.iter_mut().for_each(|light| light.color = light.color * 3.0);
        let tripled: Vec<f32> = before.iter().map(|v| 3.0 * v).collect();
        assert_close(&linear(&bright), &tripled, 1e-4, "three times the light");

        // An ambient light of 1 adds the albedo; as much emission then adds the same for white objects.
        let mut white = dark.clone();
        white.objects.iter_mut().for_each(|o| o.material = Material::matte(Rgb::WHITE));
        let mut glowing = white.clone();
        glowing.objects.iter_mut().for_each(|o| o.material.emission = Rgb::grey(0.5));
        white.ambient = Rgb::grey(0.5);
        assert_close(&linear(&white), &linear(&glowing), 1e-6, "ambient and emission");
    }
}

#[test]
fn a_turned_and_moved_world_looks_the_same_to_a_turned_and_moved_eye() {
    for seed in 0..20 {
        let mut draw = Draw(seed);
        let mut scene = draw.scene();
        scene.background = Background::flat(Rgb::grey(0.3));
        // About the vertical, because the camera keeps `y` up; textures turn with their objects.
        let (turn, shift) = (Rotation::about(Vec3::Y, draw.between(0.0, 6.0)), draw.vec(-2.0, 2.0));
        let mut moved = scene.clone();
        for object in &mut moved.objects {
            object.position = turn.apply(object.position) + shift;
            object.rotation = turn.after(object.rotation);
        }
        for light in &mut moved.lights {
            light.position = turn.apply(light.position) + shift;
            light.spot.iter_mut().for_each(|spot| spot.towards = turn.apply(spot.towards));
        }
        moved.camera.eye = turn.apply(scene.camera.eye) + shift;
        moved.camera.target = turn.apply(scene.camera.target) + shift;
        let (a, b) = (linear(&scene), linear(&moved));
        let different = a.iter().zip(&b).filter(|(a, b)| (*a - *b).abs() > 0.02).count();
        // Samples on edges fall to either side.
        assert!(different * 50 < a.len(), "scene {seed}: {different} of {} differ", a.len());
    }
}

type Placed = (Box<dyn RayCast>, Pose);

/// A floor of light 1 where the lamp reaches it, under a few bodies that are themselves black.
fn shadow_play(draw: &mut Draw, radius: f32) -> (Scene, Vec<Placed>) {
    let lamp = Light::new(Vec3::new(draw.between(-1.0, 1.0), 5.0, 0.5), Rgb::WHITE).casting(radius);
    let white = Material::matte(Rgb::WHITE);
    let mut objects = vec![Object::new(Shape::Plane, Vec3::ZERO, white)];
    let mut bodies: Vec<Placed> = Vec::new();
    for k in 0..3_u8 {
        let place = draw.vec(-1.2, 1.2) + Vec3::Y * 2.4;
        let (shape, body): (_, Box<dyn RayCast>) = match k {
            0 => (Shape::Sphere { radius: 0.4 }, Box::new(Ball::new(0.4))),
            1 => (
                Shape::Capsule { radius: 0.2, half_height: 0.5 },
                Box::new(Capsule::new_y(0.5, 0.2)),
            ),
            _ => (
                Shape::Cuboid { half: Vec3::new(0.5, 0.1, 0.3), rounding: 0.0 },
                Box::new(Cuboid::new(Vector::new(0.5, 0.1, 0.3))),
            ),
        };
        objects.push(Object::new(shape, place, Material::default()));
        bodies.push((body, Pose::translation(place.x, place.y, place.z)));
    }
    // From below the bodies nothing hides the floor.
    let camera = Camera {
        eye: Vec3::new(0.0, 1.0, -3.0),
        target: Vec3::new(0.0, 0.0, 0.3),
        field_of_view: 0.8,
    };
    (Scene { objects, lights: vec![lamp], camera, ..Scene::default() }, bodies)
}

#[test]
fn soft_shadows_become_hard_ones_as_the_light_shrinks() {
    let mut disagreements = Vec::new();
    for radius in [0.8, 0.2, 0.02, 0.0] {
        let mut wrong = 0;
        for seed in 0..6 {
            let (scene, bodies) = shadow_play(&mut Draw(seed), radius);
            let lamp = scene.lights[0].position;
            let lit = Scene { objects: scene.objects[..1].to_vec(), ..scene.clone() };
            let (picture, unshaded) = (linear(&scene), linear(&lit));
            for row in 0..SIZE {
                for column in 0..SIZE {
                    let Some(floor) = floor_at(&scene.camera, column, row) else { continue };
                    let way = lamp - floor;
                    let origin = Vector::new(floor.x, floor.y, floor.z);
                    let ray = Ray::new(origin, Vector::new(way.x, way.y, way.z));
                    let blocked = bodies.iter().any(|(b, at)| b.intersects_ray(at, &ray, 1.0));
                    let index = (row * SIZE + column) * 3;
                    let visible = picture[index] / unshaded[index];
                    let expected = if blocked { 0.0 } else { 1.0 };
                    wrong += i32::from((visible - expected).abs() > 0.1);
                }
            }
        }
        disagreements.push(wrong);
    }
    assert!(disagreements[0] > 500, "a wide light has a wide rim: {disagreements:?}");
    assert!(disagreements.is_sorted_by(|a, b| a > b), "{disagreements:?}");
    assert!(disagreements[3] <= 3, "hard shadows are those of a ray caster: {disagreements:?}");
}

/// The point of the floor in the middle of a pixel.
fn floor_at(camera: &Camera, column: usize, row: usize) -> Option<Vec3> {
    let forward = (camera.target - camera.eye).normalized();
    let right = Vec3::Y.cross(forward).normalized();
    let step = 2.0 * (0.5 * camera.field_of_view).tan() / SIZE as f32;
    let middle = 0.5 * SIZE as f32 - 0.5;
    let ray = forward
        + right * ((column as f32 - middle) * step)
        + forward.cross(right) * ((middle - row as f32) * step);
    let t = -camera.eye.y / ray.y;
    let point = camera.eye + ray * t;
    (t > 0.0 && point.dot(point) < 9.0).then_some(point)
}

#[test]
fn a_ball_shades_half_of_a_light_whose_middle_it_touches() {
    // From the origin the edge of the ball covers the light's centre.
    let ball =
        Object::new(Shape::Sphere { radius: 0.5 }, Vec3::new(0.5, 2.0, 0.0), Material::default());
    let floor = Object::new(Shape::Plane, Vec3::ZERO, Material::matte(Rgb::WHITE));
    let lamp = Light::new(Vec3::new(0.0, 4.0, 0.0), Rgb::WHITE).casting(0.3);
    let camera = Camera { eye: Vec3::new(0.0, 0.5, -2.0), target: Vec3::ZERO, field_of_view: 0.01 };
    let scene =
        Scene { objects: vec![floor, ball], lights: vec![lamp], camera, ..Scene::default() };
    let light = render_linear(&scene, &RenderOptions::new(1, 1, 1)).expect("a valid scene");
    assert!((light[0] - 0.5).abs() < 1e-3, "{light:?}");
}

#[test]
fn light_fades_and_spots_end() {
    let floor = Object::new(Shape::Plane, Vec3::ZERO, Material::matte(Rgb::WHITE));
    let camera = Camera { eye: Vec3::new(0.0, 3.0, -0.1), target: Vec3::ZERO, field_of_view: 0.01 };
    let lit = |light: Light| {
        let scene =
            Scene { objects: vec![floor.clone()], lights: vec![light], camera, ..Scene::default() };
        render_linear(&scene, &RenderOptions::new(1, 1, 1)).expect("a valid scene")[0]
    };
    let above = Light::new(Vec3::Y * 2.0, Rgb::WHITE);
    assert!((lit(above) - 1.0).abs() < 1e-4);
    assert!((lit(above.fading(0.5)) - 1.0 / 3.0).abs() < 1e-4);
    let spot = |towards| domino_render::Spot { towards, inner: 0.2, outer: 0.4 };
    assert!((lit(above.aimed(spot(-Vec3::Y))) - 1.0).abs() < 1e-4);
    assert!(lit(above.aimed(spot(Vec3::X))).abs() < 1e-6);
}

#[test]
fn a_lamp_in_a_ball_shines_out_of_it() {
    let floor = Object::new(Shape::Plane, Vec3::ZERO, Material::matte(Rgb::WHITE));
    let place = Vec3::new(0.0, 1.0, 0.0);
    let ball = Object::new(Shape::Sphere { radius: 0.3 }, place, Material::default());
    let camera = Camera { eye: Vec3::new(0.0, 1.0, -4.0), target: Vec3::ZERO, field_of_view: 0.3 };
    let with = |objects: Vec<Object>| {
        let lights = vec![Light::new(place, Rgb::WHITE).casting(0.2)];
        linear(&Scene { objects, lights, camera, ..Scene::default() })
    };
    assert_close(
        &with(vec![floor.clone(), ball]),
        &with(vec![floor]),
        1e-6,
        "the ball is no shade",
    );
}

#[test]
fn samples_average_in_linear_light() {
    // A wall of light whose edge runs through the middle of the picture of one pixel.
    let wall = Shape::Cuboid { half: Vec3::new(1.0, 5.0, 0.1), rounding: 0.0 };
    let glow = Material::default().glowing(Rgb::WHITE);
    let camera = Camera { eye: Vec3::new(0.0, 0.0, -5.0), target: Vec3::ZERO, field_of_view: 0.1 };
    let scene =
        Scene { objects: vec![Object::new(wall, Vec3::X, glow)], camera, ..Scene::default() };
    for samples in [2, 4] {
        let options = RenderOptions::new(1, 1, samples);
        assert_eq!(render_linear(&scene, &options).expect("a valid scene"), [0.5; 3]);
        // Half the light is code 188 of sRGB, not 128.
        assert_eq!(render(&scene, &options).expect("a valid scene").data, [188; 3]);
    }
}
