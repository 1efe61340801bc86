use std::fs;
use std::path::Path;

use domino_core::Observations;
use nalgebra::DMatrix;

use super::*;
use crate::factors::PictureWorld;
use crate::generator::{Generator, Split};
use crate::scaling::GraphConfig;

fn pictures(x: &Observations) -> Vec<&[u8]> {
    let Observations::Images { data, shape } = x else { panic!("digits are pictures") };
    data.chunks_exact(shape.len()).collect()
}

/// How far a pixel's colour is from that of the background, which the first pixel shows.
fn ink(picture: &[u8]) -> Vec<f64> {
    let off =
        |pixel: &[u8]| pixel.iter().zip(picture).map(|(a, b)| f64::from(a.abs_diff(*b))).sum();
    let away: Vec<f64> = picture.chunks_exact(3).map(off).collect();
    let most = away.iter().copied().fold(0.0, f64::max);
    away.iter().map(|v| v / most).collect()
}

fn world(config: DigitsConfig) -> PictureWorld {
    config.build().unwrap()
}

#[test]
fn a_change_of_colour_leaves_the_handwriting() {
    let world = world(DigitsConfig { seed: 2, ..Default::default() });
    let (pairs, truth) = world.sample(400, Split::Train).unwrap();
    let (before, after) = (pictures(pairs.before()), pictures(pairs.after()));
    let mut handwriting = 0;
    for (row, target) in truth.targets.unwrap().iter().enumerate() {
        let colour = target.variables().iter().all(|k| (1..3).contains(k));
        let (a, b) = (ink(before[row]), ink(after[row]));
        let off = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        if colour {
            // Bytes round by up to 1/2, and colours are at least 60 apart.
            assert!(off < 0.06, "row {row}: {off}");
        }
        handwriting += usize::from(!colour && off > 0.3);
    }
    assert!(handwriting > 150, "other targets change the handwriting: {handwriting}");
}

#[test]
fn every_row_has_a_handwriting_of_its_own() {
    let world = world(DigitsConfig {
        variables: Some(vec!["hue".into()]),
        graph: GraphConfig::Empty,
        ..Default::default()
    });
    let (pairs, _) = world.sample(50, Split::Train).unwrap();
    let mut inks: Vec<Vec<u8>> = pictures(pairs.before())
        .iter()
        .map(|p| ink(p).iter().map(|v| (v * 4.0).round() as u8).collect())
        .collect();
    inks.sort();
    inks.dedup();
    assert!(inks.len() > 30, "{} of 50 handwritings differ", inks.len());
}

#[test]
fn the_digit_causes_its_hue() {
    let world = world(DigitsConfig::default());
    let z = world.states(Split::Train, 0..4_000).z_before.unwrap();
    let (digit, hue) = (z.column(0).into_owned(), z.column(1).into_owned());
    let centred = digit.add_scalar(-digit.mean());
    let explained = centred.dot(&hue).powi(2) / centred.norm_squared();
    let all = hue.add_scalar(-hue.mean()).norm_squared();
    // The means run over 0.72 (variance 0.053), about which the variance is at most 0.0147.
    assert!((0.7..0.95).contains(&(explained / all)), "{}", explained / all);
}

#[test]
fn drawn_digits_can_be_told_apart() {
    // The nearest mean of half of the pictures names the digit of the other half.
    let config = DigitsConfig { graph: GraphConfig::Empty, ..Default::default() };
    let world = world(DigitsConfig { variables: Some(vec!["digit".into()]), size: 28, ..config });
    let (pairs, truth) = world.sample(1_200, Split::Train).unwrap();
    let z = truth.z_before.unwrap();
    let inks: Vec<Vec<f64>> = pictures(pairs.before()).iter().map(|p| ink(p)).collect();
    let mut means = vec![(vec![0.0; 784], 0.0); 10];
    for row in 0..600 {
        let (mean, count) = &mut means[z[(row, 0)] as usize];
        mean.iter_mut().zip(&inks[row]).for_each(|(m, v)| *m += v);
        *count += 1.0;
    }
    let distance = |ink: &[f64], (mean, count): &(Vec<f64>, f64)| -> f64 {
        ink.iter().zip(mean).map(|(v, m)| (v - m / count).powi(2)).sum()
    };
    let right = (600..1_200).filter(|&row| {
        let near = |k: &usize| distance(&inks[row], &means[*k]);
        let nearest = (0..10).min_by(|a, b| near(a).total_cmp(&near(b))).unwrap();
        nearest == z[(row, 0)] as usize
    });
    let right = right.count();
    assert!(right > 510, "{right} of 600"); // MNIST itself gives 82 in 100
}

#[test]
fn digits_lie_within_the_picture() {
    let world = world(DigitsConfig { size: 64, ..Default::default() });
    for turn in [0.0, 0.5, 1.0] {
        let rows = (0..10).flat_map(|digit| [f64::from(digit), 0.2, 0.8, turn, 1.0]);
        let x = world.observation_of(&DMatrix::from_row_iterator(10, 5, rows));
        for picture in pictures(&x) {
            let ink = ink(picture);
            let border = (0..64).flat_map(|i| [i, 63 * 64 + i, i * 64, i * 64 + 63]);
            assert!(border.into_iter().all(|i| ink[i] < 0.02));
            assert!(ink.iter().filter(|v| **v > 0.5).count() > 80);
        }
    }
}

#[test]
fn any_single_change_shows() {
    let world = world(DigitsConfig { seed: 2, ..Default::default() });
    let (pairs, truth) = world.sample(600, Split::Train).unwrap();
    let (before, after) = (pictures(pairs.before()), pictures(pairs.after()));
    let mut moved = [(0.0, 0.0); 5];
    for (row, target) in truth.targets.unwrap().iter().enumerate() {
        let off = |(a, b): (&u8, &u8)| f64::from(a.abs_diff(*b));
        let mean =
            before[row].iter().zip(after[row]).map(off).sum::<f64>() / before[row].len() as f64;
        for &k in target.variables() {
            moved[k].0 += mean;
            moved[k].1 += 1.0;
        }
    }
    // A digit covers a sixth of the picture: one of 255 in the mean is a fiftieth of the range there.
    for (k, (sum, pairs)) in moved.into_iter().enumerate() {
        assert!(sum / pairs > 3.0, "variable {k}: {}", sum / pairs);
    }
}

/// Files in the form of MNIST: `count` pictures of each digit `d` whose pixels are all `20 d`.
fn write_mnist(folder: &Path, count: u32) {
    let labels: Vec<u8> = (0..10 * count).map(|row| (row % 10) as u8).collect();
    let head = |words: &[u32]| -> Vec<u8> { words.iter().flat_map(|w| w.to_be_bytes()).collect() };
    let pixels = labels.iter().flat_map(|&label| [20 * label; 784]);
    let images: Vec<u8> = head(&[0x803, 10 * count, 28, 28]).into_iter().chain(pixels).collect();
    fs::write(folder.join("t10k-images-idx3-ubyte"), images).unwrap();
    let labels = [head(&[0x801, 10 * count]), labels].concat();
    fs::write(folder.join("t10k-labels-idx1-ubyte"), labels).unwrap();
}

fn from_mnist(folder: &Path) -> DigitsConfig {
    let source = MnistConfig { folder: folder.to_owned(), part: "t10k".into() };
    DigitsConfig { source: DigitSource::Mnist(source), ..Default::default() }
}

#[test]
fn pictures_come_from_files_of_mnist() {
    let folder = tempfile::tempdir().unwrap();
    write_mnist(folder.path(), 3);
    let world = world(from_mnist(folder.path()));
    let middle = |digit: f64| {
        let z = DMatrix::from_row_slice(1, 5, &[digit, 0.0, 0.0, 0.5, 1.0]);
        pictures(&world.observation_of(&z))[0][(16 * 32 + 16) * 3]
    };
    // Red ink on dark red: 0.35 + (1 − 0.35) × 20 d / 255.
    assert_eq!([middle(0.0), middle(4.0), middle(9.0)], [89, 141, 206]);
}

#[test]
fn files_of_mnist_that_cannot_serve_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = || from_mnist(folder.path()).build().unwrap_err().to_string();
    let missing = error();
    assert!(missing.starts_with("source.mnist: "), "{missing}");
    assert!(missing.contains("expected t10k-images-idx3-ubyte"), "{missing}");
    write_mnist(folder.path(), 1);
    let images = folder.path().join("t10k-images-idx3-ubyte");
    let mut bytes = fs::read(&images).unwrap();
    (bytes[11], bytes[15]) = (56, 14);
    fs::write(&images, &bytes).unwrap();
    assert_eq!(error(), "source.mnist: expected pictures [28, 28, 1] uint8, got [56, 14, 1] uint8");
}
