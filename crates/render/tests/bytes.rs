//! The same scene is the same bytes.

mod common;

use std::thread;

use common::Draw;
use domino_render::{
    Camera, InstructionSet, Light, Material, Object, RenderError, RenderOptions, Rgb, Scene, Shape,
    Vec3, render, render_into,
};

/// Fowler, Noll & Vo's hash, FNV-1a.
fn checksum(bytes: &[u8]) -> u64 {
    let step = |hash: u64, &byte: &u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

fn picture(scene: &Scene, options: &RenderOptions) -> Vec<u8> {
    render(scene, options).expect("a valid scene").data
}

#[test]
fn every_instruction_set_draws_the_same_bytes() {
    for seed in 0..200 {
        let scene = Draw(seed).scene();
        let samples = 1 + seed as usize % 3;
        let pictures =
            InstructionSet::ALL.into_iter().filter(|set| set.is_available()).map(|set| {
                picture(
                    &scene,
                    &RenderOptions { instructions: set, ..RenderOptions::new(41, 33, samples) },
                )
            });
        let checksums: Vec<_> = pictures.map(|bytes| checksum(&bytes)).collect();
        assert!(checksums.windows(2).all(|w| w[0] == w[1]), "scene {seed}: {checksums:?}");
    }
}

/// Checksums that hold for every build, debug or release, and every machine. They change when the renderer
/// draws something else, and with them the checksums of data sets.
#[test]
fn pictures_have_the_checksums_they_always_had() {
    let found = [1, 2, 3, 4, 5, 6]
        .map(|seed| checksum(&picture(&Draw(seed).scene(), &RenderOptions::new(48, 40, 2))));
    let stored = [
        0xbd22_9801_142b_925a,
        0xadb8_f0ba_a176_31e5,
        0x7726_a6c9_ec08_bf66,
        0x3858_4efc_13e7_e41a,
        0x4e3d_cc21_5d3b_e4f3,
        0x8bb9_de1e_360e_b498_u64,
    ];
    assert_eq!(found.map(|c| format!("{c:#018x}")), stored.map(|c| format!("{c:#018x}")));
}

#[test]
fn threads_draw_the_same_bytes() {
    let scenes: Vec<_> = (0..8).map(|seed| Draw(seed).scene()).collect();
    let draw = |scenes: &[Scene]| -> Vec<Vec<u8>> {
        scenes.iter().map(|scene| picture(scene, &RenderOptions::default())).collect()
    };
    let alone = draw(&scenes);
    let (left, right) = scenes.split_at(4);
    let together = thread::scope(|scope| {
        let other = scope.spawn(|| draw(right));
        let mut all = draw(left);
        all.extend(other.join().expect("drawing does not panic"));
        all
    });
    assert_eq!(alone, together);
}

#[test]
fn a_picture_does_not_depend_on_the_order_of_its_objects() {
    for seed in 0..20 {
        let scene = Draw(seed).scene();
        let mut reversed = scene.clone();
        reversed.objects.reverse();
        let options = RenderOptions::default();
        assert_eq!(picture(&scene, &options), picture(&reversed, &options), "scene {seed}");
    }
}

#[test]
fn sizes_that_no_tile_divides_are_parts_of_larger_pictures() {
    // Two pictures of one field of view and height: the wider one shows more at either side.
    let scene = Draw(5).scene();
    let narrow = picture(&scene, &RenderOptions::new(13, 21, 1));
    let wide = picture(&scene, &RenderOptions::new(23, 21, 1));
    let different = (0..21)
        .flat_map(|row| (0..13 * 3).map(move |k| (row, k)))
        .filter(|&(row, k)| narrow[row * 13 * 3 + k].abs_diff(wide[(row * 23 + 5) * 3 + k]) > 1);
    let different = different.count();
    assert!(different < 13 * 21 * 3 / 50, "{different} bytes");
}

#[test]
fn what_cannot_be_drawn_is_said() {
    let scene = Scene::default();
    let error = |scene: &Scene, width, samples| {
        render(scene, &RenderOptions::new(width, 8, samples))
            .expect_err("nothing to draw")
            .to_string()
    };
    assert_eq!(error(&scene, 0, 1), "picture size: expected 1 to 8192 pixels each way, got 0 x 8");
    assert_eq!(error(&scene, 8, 9), "samples along a side of a pixel: expected 1 to 8, got 9");
    let mut small = [0; 5];
    assert_eq!(
        render_into(&scene, &RenderOptions::new(2, 1, 1), &mut small),
        Err(RenderError::Buffer { expected: 6, got: 5 })
    );

    let ball = |radius| Object::new(Shape::Sphere { radius }, Vec3::ZERO, Material::default());
    let balls = Scene { objects: vec![ball(1.0), ball(-1.0)], ..Scene::default() };
    assert_eq!(error(&balls, 8, 1), "object 1: expected radius to be a positive number, got -1");
    let lights = vec![Light::new(Vec3::ZERO, Rgb::WHITE).casting(f32::NAN)];
    let dim = Scene { lights, ..Scene::default() };
    assert_eq!(
        error(&dim, 8, 1),
        "light 0: expected shadow.radius to be finite and not negative, got NaN"
    );
    let blind = Camera { target: Camera::default().eye, ..Camera::default() };
    assert_eq!(
        error(&Scene { camera: blind, ..Scene::default() }, 8, 1),
        "camera 0: expected distance from eye to target to be a positive number, got 0"
    );
}
