use std::fs;
use std::path::Path;

use domino_data::formats::{Kind, Source, open, read_pairs, small_norb};
use domino_data::npz::Limits;

use crate::write::{options, picture, refusal};

const BYTES: i32 = 507_333_717;
const INTEGERS: i32 = 507_333_716;

fn matrix(magic: i32, lengths: &[i32], data: &[u8]) -> Vec<u8> {
    let mut words = vec![magic, i32::try_from(lengths.len()).unwrap()];
    words.extend(lengths);
    // The head holds three lengths at least.
    words.resize(words.len().max(5), 1);
    [&words.iter().flat_map(|w| w.to_le_bytes()).collect::<Vec<u8>>(), data].concat()
}

fn integers(values: &[i32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// Rows of category, instance, elevation, azimuth and lighting, in the file's own order.
fn labels(instances: [i32; 2]) -> Vec<[i32; 5]> {
    let mut rows = Vec::new();
    for lighting in 0..2 {
        for azimuth in [0, 2, 4] {
            for instance in instances {
                rows.extend([
                    [1, instance, 3, azimuth, lighting],
                    [0, instance, 3, azimuth, lighting],
                ]);
            }
        }
    }
    rows
}

/// Pictures of 1 x 2; the first camera shows the labels, the second is full of 255.
fn write(folder: &Path, part: &str, rows: &[[i32; 5]]) {
    let n = i32::try_from(rows.len()).unwrap();
    let pixels = |r: &[i32; 5]| [(10 * r[0] + r[1]) as u8, (10 * r[3] + r[4]) as u8, 255, 255];
    let data: Vec<u8> = rows.iter().flat_map(pixels).collect();
    let save = |kind: &str, bytes| {
        fs::write(folder.join(format!("smallnorb-5x-{part}-{kind}.mat")), bytes).unwrap();
    };
    save("dat", matrix(BYTES, &[n, 2, 1, 2], &data));
    let categories: Vec<i32> = rows.iter().map(|r| r[0]).collect();
    save("cat", matrix(INTEGERS, &[n], &integers(&categories)));
    let infos: Vec<i32> = rows.iter().flat_map(|r| r[1..].to_vec()).collect();
    save("info", matrix(INTEGERS, &[n, 4], &integers(&infos)));
}

#[test]
fn both_parts_make_one_grid_whatever_their_order() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "training", &labels([4, 6]));
    write(folder.path(), "testing", &labels([0, 9]));
    let Ok(Source::Factored(images)) = open(folder.path(), Limits::default()) else { panic!() };
    assert_eq!(images.grid().names(), ["category", "instance", "azimuth", "lighting"]);
    assert_eq!(images.grid().sizes(), [2, 4, 3, 2]);
    // Instances are 0, 4, 6 and 9, azimuths 0, 2 and 4.
    assert_eq!(images.picture(&[1, 2, 1, 1]).unwrap(), [16, 21]);
    assert_eq!(images.picture(&[0, 3, 2, 0]).unwrap(), [9, 40]);
    let (pairs, truth) = read_pairs(None, folder.path(), &options(30)).unwrap();
    let z = truth.z_before.unwrap();
    for row in 0..30 {
        let azimuth_and_lighting = 20.0 * z[(row, 2)] + z[(row, 3)];
        assert_eq!(picture(pairs.before(), row)[1], azimuth_and_lighting as u8);
    }
    let part = small_norb(folder.path(), Some("training"), Limits::default()).unwrap();
    assert_eq!(part.grid().sizes(), [2, 2, 3, 2]);
}

#[test]
fn files_that_disagree_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let rows = labels([4, 6]);
    write(folder.path(), "training", &rows);
    let dat = folder.path().join("smallnorb-5x-training-dat.mat");
    let whole = fs::read(&dat).unwrap();
    fs::write(&dat, &whole[..whole.len() - 1]).unwrap();
    let text = refusal(Kind::SmallNorb, folder.path());
    assert!(text.ends_with("bytes for shape [24, 2, 1, 2], got 119"), "{text}");
    fs::write(&dat, matrix(1, &[1], &[])).unwrap();
    assert!(refusal(Kind::SmallNorb, folder.path()).contains("expected magic number 507333717"));
    fs::write(&dat, matrix(BYTES, &[24, -2, 1, 2], &[])).unwrap();
    assert!(
        refusal(Kind::SmallNorb, folder.path())
            .ends_with("axis 1: expected a length above 0, got -2")
    );
    fs::write(&dat, matrix(BYTES, &[i32::MAX; 4], &[])).unwrap();
    assert!(refusal(Kind::SmallNorb, folder.path()).contains("bytes for shape [2147483647"));
    fs::write(&dat, whole).unwrap();
    let mut twice = rows.clone();
    twice[0] = twice[1];
    write(folder.path(), "training", &twice);
    assert!(
        refusal(Kind::SmallNorb, folder.path())
            .contains("expected each combination of factors once")
    );
    write(folder.path(), "training", &rows[..23]);
    assert!(
        refusal(Kind::SmallNorb, folder.path()).contains("expected 24 rows, one per combination")
    );
    let mut odd = rows;
    odd[0][3] = 1;
    write(folder.path(), "training", &odd);
    assert!(
        refusal(Kind::SmallNorb, folder.path()).ends_with("azimuth: expected even numbers, got 1")
    );
}
