use std::fs;

use domino_core::{InterventionTarget, Observations};
use domino_data::formats::{Kind, Source, open, read_pairs};
use domino_data::npz::Limits;

use crate::write::{Packing, Raw, bytes, doubles, npz, options, picture, read, refusal, strings};

/// Four frames of 1 x 1 and four channels, three latents and a projection.
fn pong() -> Vec<Raw> {
    let frames = (0..4).flat_map(|t| [t, 10 + t, 20 + t, 30 + t]).collect();
    let latents: Vec<f64> = (0..16).map(f64::from).collect();
    let targets = [0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0];
    vec![
        bytes("images", &[4, 1, 1, 4], frames),
        doubles("latents", &[4, 4], &latents),
        doubles("targets", &[3, 4], &targets),
        strings("keys", &["ball_x", "ball_vel_dir_proj", "paddle_left_y", "score_left"]),
    ]
}

#[test]
fn consecutive_frames_are_pairs_with_masks_as_targets() {
    let folder = tempfile::tempdir().unwrap();
    npz(&folder.path().join("train.npz"), &pong(), Packing::Deflated);
    let (pairs, truth) = read_pairs(None, folder.path(), &options(100)).unwrap();
    assert_eq!(pairs.len(), 3);
    assert_eq!(picture(pairs.before(), 1), [1, 11, 21, 31], "the motion channel is kept");
    assert_eq!(picture(pairs.after(), 1), [2, 12, 22, 32]);
    assert_eq!(truth.names.unwrap(), ["ball_x", "paddle_left_y", "score_left"]);
    assert_eq!(truth.z_after.unwrap().row(0), nalgebra::matrix![4.0, 6.0, 7.0]);
    let several = InterventionTarget::Several(vec![0, 2]);
    let expected = [InterventionTarget::None, InterventionTarget::None, several];
    assert_eq!(truth.targets.unwrap(), expected, "column 1 is a projection");
}

#[test]
fn the_family_is_told_by_names_and_targets_may_name_groups() {
    let folder = tempfile::tempdir().unwrap();
    let mut arrays = pong();
    arrays[3] = strings("keys", &["ball-x", "ball-y", "cyl-0-active", "score"]);
    arrays[2] = doubles("targets", &[3, 2], &[0.0, 1.0, 1.0, 0.0, 1.0, 1.0]);
    arrays.push(strings("keys_targets", &["ball", "score"]));
    npz(&folder.path().join("val.npz"), &arrays, Packing::Stored);
    let options = domino_data::formats::ReadOptions { split: Some("val".into()), ..options(9) };
    let (_, truth) = read_pairs(None, folder.path(), &options).unwrap();
    let sets: Vec<Vec<usize>> =
        truth.targets.unwrap().iter().map(|t| t.variables().to_vec()).collect();
    assert_eq!(sets, [vec![3], vec![0, 1], vec![0, 1, 3]]);
    let kind = |names: &[&str]| {
        let mut arrays = pong();
        arrays[3] = strings("keys", names);
        let path = npz(&folder.path().join("x.npz"), &arrays, Packing::Stored);
        matches!(open(&path, Limits::default()), Ok(Source::Video(_)))
    };
    assert!(kind(&["c0", "c1", "c2", "c3"]) && kind(&["ball_b", "ball_x", "ball_y", "z"]));
}

#[test]
fn the_instantaneous_graph_comes_from_the_settings() {
    let folder = tempfile::tempdir().unwrap();
    let mut arrays = pong();
    arrays[3] = strings("keys", &["c0", "c1", "c2", "c3"]);
    let path = npz(&folder.path().join("train.npz"), &arrays, Packing::Stored);
    let settings = folder.path().join("settings.json");
    let graph = "[[0,1,0,0],[0,0,1,0],[0,0,0,0],[0,0,0,0]]";
    fs::write(&settings, format!("{{\"causal_graph\": {graph}, \"seed\": 42}}")).unwrap();
    let dag = read(Kind::Voronoi, &path).unwrap().1.dag.unwrap();
    assert_eq!(dag.edges().collect::<Vec<_>>(), [(0, 1), (1, 2)]);
    for (text, expected) in [
        ("{\"causal_graph\": [[0]]}", "expected 4 rows of 4 entries, one per latent"),
        ("{\"causal_graph\": 7}", "expected settings as a JSON object"),
        ("[", "expected settings as a JSON object"),
    ] {
        fs::write(&settings, text).unwrap();
        let error = read(Kind::Voronoi, &path).unwrap_err().to_string();
        assert!(error.contains("settings.json") && error.contains(expected), "{error}");
    }
}

#[test]
fn videos_that_disagree_and_nans_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("train.npz");
    let with = |at: usize, raw: Raw| {
        let mut arrays = pong();
        arrays[at] = raw;
        refusal(Kind::InterventionalPong, &npz(&path, &arrays, Packing::Stored))
    };
    let text = with(2, doubles("targets", &[4, 4], &[0.0; 16]));
    assert_eq!(text, "PATH: targets: expected 3 rows, one per pair of consecutive frames, got 4");
    let text = with(1, doubles("latents", &[3, 4], &[0.0; 12]));
    assert_eq!(text, "PATH: latents: expected 4 rows, one per frame, got 3");
    let text = with(3, strings("keys", &["a", "b"]));
    assert_eq!(text, "PATH: latents: expected 2 columns, one per name, got 4");
    let mut values = [0.0; 16];
    values[6] = f64::NAN;
    let text = with(1, doubles("latents", &[4, 4], &values));
    assert!(text.contains("z_before[1, 1]: expected a finite number"), "{text}");
    let triplets = bytes("images", &[2, 2, 1, 1, 4], vec![0; 16]);
    assert!(with(0, triplets).contains("(a file of triplets has five axes)"));
    let pickled = Raw { descr: "|O".into(), ..strings("keys", &["a", "b", "c", "d"]) };
    assert!(with(3, pickled).contains("pickled Python objects, which are never unpickled"));
}

#[test]
fn temporal_causal3dident_keeps_three_channels_and_twelve_variables() {
    let folder = tempfile::tempdir().unwrap();
    let raw: Vec<f64> = (0..30).map(f64::from).collect();
    let mut targets = [0.0; 24];
    targets[12 + 11] = 1.0;
    let arrays = [
        bytes("imgs", &[3, 1, 1, 4], (0..12).collect()),
        doubles("raw_latents", &[3, 10], &raw),
        doubles("shape_latents", &[3, 2], &[0.5, 1.5, 2.5, 3.5, 4.5, 5.5]),
        doubles("interventions", &[2, 12], &targets),
    ];
    npz(&folder.path().join("train.npz"), &arrays, Packing::Deflated);
    let (pairs, truth) = read_pairs(None, folder.path(), &options(9)).unwrap();
    assert!(matches!(pairs.before(), Observations::Images { shape, .. } if shape.channels == 3));
    assert_eq!(picture(pairs.after(), 0), [4, 5, 6]);
    let z = truth.z_after.unwrap();
    assert_eq!((z[(1, 9)], z[(1, 10)], z[(1, 11)]), (29.0, 4.5, 5.5));
    let expected = [InterventionTarget::None, InterventionTarget::Atomic(11)];
    assert_eq!(truth.targets.unwrap(), expected);
    let mut short = arrays.to_vec();
    short[0] = bytes("imgs", &[3, 1, 1, 2], vec![0; 6]);
    let path = npz(&folder.path().join("test.npz"), &short, Packing::Stored);
    assert!(refusal(Kind::TemporalCausal3dIdent, &path).contains("at least 3 channels"));
}
