use domino_core::Observations;
use nalgebra::DMatrix;

use super::raster::{Outline, Sprite};
use super::*;
use crate::factors::PictureWorld;
use crate::generator::{Generator, Split};

fn world(config: SpritesConfig) -> PictureWorld {
    config.build().unwrap()
}

fn pictures(world: &PictureWorld, z: &DMatrix<f64>) -> Vec<Vec<u8>> {
    let Observations::Images { data, shape } = world.observation_of(z) else {
        panic!("sprites are pictures")
    };
    data.chunks_exact(shape.len()).map(<[u8]>::to_vec).collect()
}

fn white(picture: &[u8]) -> f64 {
    picture.iter().map(|&v| f64::from(v)).sum::<f64>() / 255.0
}

#[test]
fn areas_are_those_of_the_outlines() {
    // Of the heart (x² + y² − 1)³ = x² y³ by numerical integration: 3.661972.
    let heart = 3.661_972 / (1.35 * 1.35);
    let areas = [1.4 * 1.4, std::f64::consts::PI * 0.5, heart];
    for (outline, area) in Outline::ALL.into_iter().zip(areas) {
        for angle in [0.0, 0.7] {
            let mut picture = vec![7; 256 * 256];
            Sprite::new(outline, [128.3, 127.2], 100.0, angle).draw(
                256,
                Edges::Smooth,
                &mut picture,
            );
            let share = white(&picture) / (area * 100.0 * 100.0);
            // One in a thousand is a fiftieth of a pixel along the border.
            assert!((share - 1.0).abs() < 1e-3, "{outline:?}: {share}");
        }
    }
}

#[test]
fn every_sprite_lies_within_the_picture() {
    for (edges, values) in
        [(Edges::Binary, SpriteValues::Grid), (Edges::Smooth, SpriteValues::Continuous)]
    {
        let world = world(SpritesConfig { values, edges, ..Default::default() });
        let largest = |shape: f64, turn: f64, x: f64, y: f64| match values {
            SpriteValues::Grid => vec![shape, 5.0, (turn * 39.0).round(), x * 31.0, y * 31.0],
            SpriteValues::Continuous => vec![shape, 1.0, turn, x, y],
        };
        for (x, y) in [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)] {
            let rows = (0..60).flat_map(|k| largest(f64::from(k % 3), f64::from(k) / 59.0, x, y));
            let z = DMatrix::from_row_iterator(60, 5, rows);
            for picture in pictures(&world, &z) {
                let border = (0..64).flat_map(|i| [i, 63 * 64 + i, i * 64, i * 64 + 63]);
                assert!(border.into_iter().all(|i| picture[i] == 0));
                assert!(white(&picture) > 100.0);
            }
        }
    }
}

#[test]
fn places_go_right_and_down() {
    let world = world(SpritesConfig::default());
    let middle = |z: [f64; 5]| {
        let picture = &pictures(&world, &DMatrix::from_row_slice(1, 5, &z))[0];
        let mean = |place: &dyn Fn(usize) -> usize| {
            let sum: f64 =
                (0..picture.len()).map(|i| place(i) as f64 * f64::from(picture[i])).sum();
            sum / 255.0 / white(picture)
        };
        [mean(&|i| i % 64), mean(&|i| i / 64)]
    };
    let [x, y] = middle([0.0, 5.0, 0.0, 0.0, 31.0]);
    assert!((x - 15.5).abs() < 0.6 && (y - 47.5).abs() < 0.6, "{x} {y}");
}

#[test]
fn whole_turns_and_symmetries_show_the_same() {
    let world = world(SpritesConfig::default());
    let row = |shape: f64, turn: f64| [shape, 3.0, turn, 16.0, 9.0];
    let rows: Vec<f64> =
        (0..3).flat_map(|s| [row(f64::from(s), 0.0), row(f64::from(s), 39.0)]).flatten().collect();
    let pictures = pictures(&world, &DMatrix::from_row_slice(6, 5, &rows));
    for pair in pictures.chunks_exact(2) {
        let off = pair[0].iter().zip(&pair[1]).filter(|(a, b)| a != b).count();
        assert!(off <= 2, "the last turn is the first up to rounding, {off} pixels differ");
    }
}

#[test]
fn binary_pictures_are_black_and_white_and_smooth_ones_are_not() {
    let z = DMatrix::from_row_slice(1, 5, &[1.0, 0.6, 0.3, 0.41, 0.55]);
    let values = SpriteValues::Continuous;
    let binary = pictures(&world(SpritesConfig { values, ..Default::default() }), &z).remove(0);
    assert!(binary.iter().all(|&v| v == 0 || v == 255));
    let edges = Edges::Smooth;
    let smooth =
        pictures(&world(SpritesConfig { values, edges, ..Default::default() }), &z).remove(0);
    assert!(smooth.iter().any(|&v| v > 0 && v < 255));
    let differ = binary.iter().zip(&smooth).filter(|(b, s)| b.abs_diff(**s) > 128).count();
    assert_eq!(differ, 0, "a pixel is white where most of it is");
}

#[test]
fn any_single_change_shows() {
    let world = world(SpritesConfig::default());
    let truth = world.states(Split::Train, 0..600);
    let pairs = world.observe(Split::Train, 0..600, &truth).unwrap();
    let (Observations::Images { data: before, .. }, Observations::Images { data: after, .. }) =
        (pairs.before(), pairs.after())
    else {
        panic!("sprites are pictures")
    };
    let mut changed = [(0.0, 0.0); 5];
    for (row, target) in truth.targets.unwrap().iter().enumerate() {
        let span = row * 4096..(row + 1) * 4096;
        let pixels = before[span.clone()].iter().zip(&after[span]).filter(|(a, b)| a != b).count();
        for &k in target.variables() {
            changed[k].0 += pixels as f64;
            changed[k].1 += 1.0;
        }
    }
    // A sprite has 50 to 450 pixels; a change of a tenth of its 200 to 250 in the mean is plain.
    for (k, (pixels, pairs)) in changed.into_iter().enumerate() {
        assert!(pixels / pairs > 20.0, "variable {k}: {} pixels in the mean", pixels / pairs);
    }
}
