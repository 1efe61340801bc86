//! Pictures in files of their own: `Causal3DIdent`, light tunnel, CLEVR.

use std::fs;
use std::path::Path;

use domino_core::Seed;
use domino_data::formats::{
    Causal3dIdent, Clevr, FormatError, Kind, LightTunnel, PairRule, ReadOptions, Source, open,
    read_pairs,
};
use domino_data::npz::Limits;

use crate::write::{doubles, options, picture, png, refusal};

/// Class 0 has 11 pictures and class 2 has 3; latent `k` of picture `i` is spread by `i` and `k`.
fn ident(folder: &Path) {
    for (class, count) in [(0_u8, 11_u8), (2, 3)] {
        let latent = |i: u8, k: u8| f64::from((i * 7 + k * 3) % 11) / 5.5 - 1.0;
        let values: Vec<f64> =
            (0..count).flat_map(|i| (0..10).map(move |k| latent(i, k))).collect();
        let array = doubles("", &[usize::from(count), 10], &values);
        fs::create_dir_all(folder.join("train")).unwrap();
        fs::write(folder.join(format!("train/raw_latents_{class}.npy")), array.npy()).unwrap();
        for i in 0..count {
            let name = if class == 0 { format!("{i:02}.png") } else { format!("{i}.png") };
            png(&folder.join(format!("train/images_{class}")).join(name), 2, 2, [class, i, 7]);
        }
    }
}

#[test]
fn near_matches_stay_in_their_class_and_are_the_nearest() {
    let folder = tempfile::tempdir().unwrap();
    ident(folder.path());
    let set = Causal3dIdent::open(folder.path(), None, Limits::default()).unwrap();
    assert_eq!((set.latents().shape(), set.names()[10].as_str()), ((14, 11), "class"));
    let rule = PairRule::Exactly(3);
    let found = set.pairs(&ReadOptions { rule, ..options(60) }).unwrap();
    let (before, after) = (found.truth.z_before.unwrap(), found.truth.z_after.unwrap());
    let range = |k: usize| set.latents().column(k).max() - set.latents().column(k).min();
    let distance = |x: &[f64], y: &[f64], target: &[usize]| {
        let kept: Vec<usize> = (0..10).filter(|k| !target.contains(k)).collect();
        let sum: f64 = kept.iter().map(|&k| ((x[k] - y[k]) / range(k)).powi(2)).sum();
        (sum / kept.len() as f64).sqrt()
    };
    for (row, target) in found.truth.targets.unwrap().iter().enumerate() {
        let x: Vec<f64> = before.row(row).iter().copied().collect();
        let y: Vec<f64> = after.row(row).iter().copied().collect();
        assert_eq!(picture(found.pairs.before(), row)[0], x[10] as u8);
        assert_eq!(picture(found.pairs.after(), row)[0], x[10] as u8, "one class");
        assert!((distance(&x, &y, target.variables()) - found.distances[row]).abs() < 1e-12);
        for other in set.latents().row_iter() {
            let other: Vec<f64> = other.iter().copied().collect();
            if (other[10] - x[10]).abs() < 0.5 && other != x {
                assert!(distance(&x, &other, target.variables()) >= found.distances[row] - 1e-12);
            }
        }
    }
}

#[test]
fn the_set_is_recognised_and_its_faults_are_named() {
    let folder = tempfile::tempdir().unwrap();
    ident(folder.path());
    assert!(matches!(open(folder.path(), Limits::default()), Ok(Source::Causal3dIdent(_))));
    let kind = Kind::Causal3dIdent;
    png(&folder.path().join("train/images_2/1.png"), 3, 2, [0; 3]);
    let text = refusal(kind, folder.path());
    assert!(
        text.ends_with(
            "images_2/1.png: the picture: expected 2 x 2 pixels like the others, got 2 x 3"
        ),
        "{text}"
    );
    fs::write(folder.path().join("train/images_2/1.png"), b"\x89PNG\r\n\x1a\n").unwrap();
    assert!(
        refusal(kind, folder.path()).contains("1.png: the picture: expected a whole PNG picture")
    );
    fs::remove_file(folder.path().join("train/images_2/1.png")).unwrap();
    assert!(refusal(kind, folder.path()).contains("cannot read"));
    let mut values = [0.5; 30];
    values[12] = f64::NAN;
    let latents = doubles("", &[3, 10], &values).npy();
    fs::write(folder.path().join("train/raw_latents_2.npy"), latents).unwrap();
    assert!(
        refusal(kind, folder.path()).ends_with("latents[12, 2]: expected a finite number, got NaN")
    );
    let latents = doubles("", &[3, 9], &[0.0; 27]).npy();
    fs::write(folder.path().join("train/raw_latents_2.npy"), latents).unwrap();
    assert!(refusal(kind, folder.path()).ends_with("expected [N, 10] numbers, got 9 columns"));
    let error = Causal3dIdent::open(folder.path(), Some("test"), Limits::default()).unwrap_err();
    assert!(matches!(error, FormatError::Read { .. }), "{error}");
}

const HEAD: &str = "red,green,blue,pol_1,pol_2,ir_1,image_file\n";

fn tunnel(folder: &Path, rows: &str) {
    fs::create_dir_all(folder.join("images_64")).unwrap();
    fs::write(folder.join("table.csv"), format!("{HEAD}{rows}")).unwrap();
    for k in 0..3 {
        png(&folder.join(format!("images_64/{k}.png")), 2, 1, [k, k, k]);
    }
}

#[test]
fn the_tunnel_is_read_by_its_table() {
    let folder = tempfile::tempdir().unwrap();
    tunnel(folder.path(), "0,0,0,0,0,5.5,0.png\n255,10,0,45,0,6,1.png\n0,0,9,90,1,7,2.png\n");
    let Ok(Source::LightTunnel(set)) = open(folder.path(), Limits::default()) else { panic!() };
    assert_eq!(set.inputs().row(1), nalgebra::matrix![255.0, 10.0, 0.0, 45.0, 0.0]);
    assert_eq!((set.sensor_names(), set.sensors()[(2, 0)]), (&["ir_1".to_owned()][..], 7.0));
    let found = set.pairs(&options(20)).unwrap();
    for (side, z) in
        [(found.pairs.before(), found.truth.z_before), (found.pairs.after(), found.truth.z_after)]
    {
        let z = z.unwrap();
        for row in 0..20 {
            let number = usize::from(picture(side, row)[0]);
            assert_eq!(z.row(row), set.inputs().row(number));
        }
    }
}

#[test]
fn tables_with_faults_and_pictures_outside_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("set");
    png(&folder.path().join("secret.png"), 2, 1, [0; 3]);
    let refusal = |rows: &str| {
        tunnel(&path, rows);
        refusal(Kind::LightTunnel, &path)
    };
    let text = refusal("0,0,0,0,0,0,../../secret.png\n");
    assert!(
        text.contains("expected a file inside PATH/images_64, got a path that leads out"),
        "{text}"
    );
    let absolute = folder.path().join("secret.png");
    assert!(refusal(&format!("0,0,0,0,0,0,{}\n", absolute.display())).contains("leads out of it"));
    assert!(refusal("0,0,x,0,0,0,0.png\n").ends_with("row 1, blue: expected a number, got x"));
    assert!(refusal("0,0\n").contains("row 1: expected 7 comma-separated values, got 2"));
    assert!(refusal("").ends_with("rows: expected at least one, got none"));
    fs::write(path.join("table.csv"), "red,image_file\n1,0.png\n").unwrap();
    let text = crate::write::refusal(Kind::LightTunnel, &path);
    assert!(text.ends_with("the head: expected a column green, got red, image_file"), "{text}");
    fs::write(path.join("other.csv"), "").unwrap();
    assert!(
        crate::write::refusal(Kind::LightTunnel, &path)
            .contains("expected the table of one experiment")
    );
}

#[cfg(unix)]
#[test]
fn links_to_pictures_outside_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("set");
    tunnel(&path, "0,0,0,0,0,0,0.png\n1,1,1,1,1,1,link.png\n");
    png(&folder.path().join("secret.png"), 2, 1, [0; 3]);
    std::os::unix::fs::symlink(folder.path().join("secret.png"), path.join("images_64/link.png"))
        .unwrap();
    assert!(refusal(Kind::LightTunnel, &path).contains("\"link.png\": expected a file inside"));
    let set = LightTunnel::open(&path, None, Limits::default()).unwrap();
    let options = ReadOptions { seed: Seed(2), ..options(1) };
    assert!(matches!(set.pairs(&options), Err(FormatError::Outside { .. })));
}

fn scenes(folder: &Path, file: &str) {
    fs::create_dir_all(folder.join("scenes")).unwrap();
    let text = format!(
        "{{\"info\": {{}}, \"scenes\": [{{\"image_filename\": {file:?}, \"image_index\": 0, \"objects\": [\
         {{\"3d_coords\": [1, -2.5, 0.7], \"pixel_coords\": [3, 4, 5], \"rotation\": 90.5, \
         \"size\": \"large\", \"color\": \"cyan\", \"material\": \"metal\", \"shape\": \"cube\"}}]}}]}}"
    );
    fs::write(folder.join("scenes/CLEVR_val_scenes.json"), text).unwrap();
    png(&folder.join("images/val/CLEVR_val_000000.png"), 3, 2, [1, 2, 3]);
}

#[test]
fn scenes_and_their_pictures_are_read() {
    let folder = tempfile::tempdir().unwrap();
    scenes(folder.path(), "CLEVR_val_000000.png");
    let set = Clevr::open(folder.path(), Some("val"), Limits::default()).unwrap();
    let object = &set.scenes()[0].objects[0];
    assert_eq!((object.coords, object.shape.as_str()), ([1.0, -2.5, 0.7], "cube"));
    assert_eq!(set.picture(&set.scenes()[0]).unwrap().data[..3], [1, 2, 3]);
    let error = read_pairs(None, folder.path(), &options(1)).unwrap_err().to_string();
    assert!(error.starts_with("clevr has no pairs"), "{error}");
    let error = Clevr::open(folder.path(), None, Limits::default()).unwrap_err().to_string();
    assert!(
        error.ends_with("expected scenes/CLEVR_train_scenes.json, found CLEVR_val_scenes.json")
    );
}

#[test]
fn scenes_outside_and_damaged_listings_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    scenes(folder.path(), "../../scenes/CLEVR_val_scenes.json");
    let set = Clevr::open(folder.path(), Some("val"), Limits::default()).unwrap();
    assert!(matches!(set.picture(&set.scenes()[0]), Err(FormatError::Outside { .. })));
    fs::write(
        folder.path().join("scenes/CLEVR_val_scenes.json"),
        "{\"scenes\": [{\"objects\": 1}]}",
    )
    .unwrap();
    let error = Clevr::open(folder.path(), Some("val"), Limits::default()).unwrap_err().to_string();
    assert!(error.contains("expected a JSON object with scenes"), "{error}");
}
