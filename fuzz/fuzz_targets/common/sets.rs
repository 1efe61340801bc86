//! Small whole sets, as the files of a folder or the arrays of an archive.

use std::path::{Path, PathBuf};

use domino_data::formats::Kind;

/// A set: what it is, and each file's name and bytes.
pub type Set = (Kind, Vec<(&'static str, Vec<u8>)>);

/// A picture of 1 x 1.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\x90wS\xde\
    \0\0\0\x0cIDATx\x9cc```\0\0\0\x04\0\x01\xf6\x178U\0\0\0\0IEND\xaeB`\x82";

const SCENES: &str = r#"{"info": {}, "scenes": [{"image_filename": "0.png", "image_index": 0, "objects": [
    {"3d_coords": [1, -2.5, 0.7], "pixel_coords": [3, 4, 5], "rotation": 90.5, "size": "large",
     "color": "cyan", "material": "metal", "shape": "cube"}]}]}"#;

/// Every set that is a folder of several files.
pub fn all() -> Vec<Set> {
    vec![
        (Kind::SmallNorb, norb()),
        (Kind::Mnist, digits()),
        (Kind::Causal3dIdent, ident()),
        (Kind::LightTunnel, tunnel()),
        (Kind::Clevr, clevr()),
        (Kind::Dcdi, dcdi()),
        (Kind::Voronoi, video(&["c0", "c1"])),
        (Kind::BallInBoxes, video(&["ball_x", "z"])),
        (Kind::Pinball, video(&["cyl_0", "z"])),
        (Kind::Cars3d, vec![("car.mat", golden("car-plain.mat"))]),
        (Kind::Cars3d, vec![("car.mat", golden("car-packed.mat"))]),
    ]
}

fn golden(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/data/tests/golden");
    std::fs::read(folder.join(name)).expect("a golden file")
}

fn norb() -> Vec<(&'static str, Vec<u8>)> {
    let words = |words: &[i32]| words.iter().flat_map(|w| w.to_le_bytes()).collect::<Vec<u8>>();
    let data = [words(&[507_333_717, 4, 2, 2, 1, 2]), (0..8).collect()].concat();
    vec![
        ("smallnorb-training-dat.mat", data),
        ("smallnorb-training-cat.mat", words(&[507_333_716, 1, 2, 1, 1, 0, 1])),
        ("smallnorb-training-info.mat", words(&[507_333_716, 2, 2, 4, 1, 4, 3, 2, 0, 4, 3, 2, 0])),
    ]
}

fn digits() -> Vec<(&'static str, Vec<u8>)> {
    let words = |words: &[u32]| words.iter().flat_map(|w| w.to_be_bytes()).collect::<Vec<u8>>();
    let images = [words(&[0x803, 2, 1, 4]), (0..8).collect()].concat();
    let labels = [words(&[0x801, 2]), vec![7, 9]].concat();
    vec![("train-images-idx3-ubyte", images), ("train-labels-idx1-ubyte", labels)]
}

fn ident() -> Vec<(&'static str, Vec<u8>)> {
    let values: Vec<f64> = (0..30).map(|i| f64::from(i * 7 % 11) / 5.5 - 1.0).collect();
    vec![
        ("raw_latents_0.npy", npy("<f8", &[3, 10], &bytes_of(&values))),
        ("images_0/0.png", PNG.to_vec()),
        ("images_0/1.png", PNG.to_vec()),
        ("images_0/2.png", PNG.to_vec()),
    ]
}

fn tunnel() -> Vec<(&'static str, Vec<u8>)> {
    let table = "red,green,blue,pol_1,pol_2,ir_1,image_file\n\
        0,0,0,0,0,5.5,0.png\n255,10,0,45,0,6,1.png\n0,0,9,90,1,7,2.png\n";
    vec![
        ("table.csv", table.into()),
        ("images_64/0.png", PNG.to_vec()),
        ("images_64/1.png", PNG.to_vec()),
        ("images_64/2.png", PNG.to_vec()),
    ]
}

fn clevr() -> Vec<(&'static str, Vec<u8>)> {
    let listing = ("scenes/CLEVR_train_scenes.json", SCENES.into());
    vec![listing, ("images/train/0.png", PNG.to_vec())]
}

fn dcdi() -> Vec<(&'static str, Vec<u8>)> {
    let doubles = |shape: &[usize], values: &[f64]| npy("<f8", shape, &bytes_of(values));
    vec![
        ("DAG1.npy", doubles(&[2, 2], &[0.0, 1.0, 0.0, 0.0])),
        ("data1.npy", doubles(&[1, 2], &[9.0, 9.5])),
        ("data_interv1.npy", doubles(&[3, 2], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0])),
        ("regime1.csv", b"0\n1\n2\n".to_vec()),
        ("intervention1.csv", b"\n1\n1,0\n".to_vec()),
    ]
}

/// Every set that is one archive; the names are those of its entries.
pub fn archives() -> Vec<Set> {
    let doubles = |shape: &[usize]| {
        let values: Vec<f64> = (0..shape.iter().product()).map(|k: usize| (k % 3) as f64).collect();
        npy("<f8", shape, &bytes_of(&values))
    };
    let temporal = vec![
        ("imgs.npy", npy("|u1", &[4, 1, 1, 4], &[7; 16])),
        ("raw_latents.npy", doubles(&[4, 10])),
        ("shape_latents.npy", doubles(&[4, 2])),
        ("interventions.npy", npy("<f8", &[3, 12], &bytes_of(&[0.0; 36]))),
    ];
    let classes = [[0.0; 6], [0.0, 0.0, 0.0, 0.0, 1.0, 0.0]].concat();
    let sprites = vec![
        ("imgs.npy", npy("|u1", &[2, 1, 2], &[0, 1, 1, 0])),
        ("latents_classes.npy", npy("<f8", &[2, 6], &bytes_of(&classes))),
    ];
    let arm = vec![("images.npy", npy("|u1", &[1, 2, 1, 1, 1, 1, 3, 1, 1, 3], &[7; 18]))];
    let samples = vec![
        ("data_obs.npy", doubles(&[3, 2])),
        ("data_int.npy", doubles(&[2, 2, 2])),
        ("adj_matrix.npy", npy("<f8", &[2, 2], &bytes_of(&[0.0, 1.0, 0.0, 0.0]))),
    ];
    let mut sets = vec![
        (Kind::TemporalCausal3dIdent, temporal),
        (Kind::InterventionalPong, frames(&["ball_x", "score"])),
        (Kind::Dsprites, sprites),
        (Kind::Mpi3d, arm),
        (Kind::Enco, samples),
    ];
    for name in ["circuit-bytes.npz", "circuit-objects.npz", "circuit-sizes.npz"] {
        sets.push((Kind::CausalCircuit, unzip(&golden(name))));
    }
    sets
}

fn video(keys: &[&str; 2]) -> Vec<(&'static str, Vec<u8>)> {
    let settings = b"{\"causal_graph\": [[0,1],[0,0]], \"seed\": 42}".to_vec();
    vec![("train.npz", zip(&frames(keys))), ("settings.json", settings)]
}

fn frames(keys: &[&str; 2]) -> Vec<(&'static str, Vec<u8>)> {
    let text = |key: &&str| {
        let chars = key.chars().chain(std::iter::repeat('\0')).take(6);
        chars.flat_map(|c| u32::from(c).to_le_bytes()).collect::<Vec<u8>>()
    };
    let keys: Vec<u8> = keys.iter().flat_map(text).collect();
    let latents = bytes_of(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
    vec![
        ("images.npy", npy("|u1", &[4, 1, 1, 3], &[7; 12])),
        ("latents.npy", npy("<f8", &[4, 2], &latents)),
        ("targets.npy", npy("<f8", &[3, 2], &bytes_of(&[0.0, 1.0, 0.0, 0.0, 1.0, 0.0]))),
        ("keys.npy", npy("<U6", &[2], &keys)),
    ]
}

fn bytes_of(values: &[f64]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn npy(descr: &str, shape: &[usize], bytes: &[u8]) -> Vec<u8> {
    let shape: String = shape.iter().map(|n| format!("{n},")).collect();
    let head = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}\n");
    let length = u16::try_from(head.len()).expect("a short head").to_le_bytes();
    [b"\x93NUMPY\x01\0".as_slice(), &length, head.as_bytes(), bytes].concat()
}

/// The entries of an archive that are stored and not packed.
fn unzip(bytes: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let word = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]) as usize;
    let long = |at: usize| word(at) | word(at + 2) << 16;
    let mut entries = Vec::new();
    for at in (0..bytes.len() - 4).filter(|&at| bytes[at..].starts_with(b"PK\x01\x02")) {
        let name = String::from_utf8_lossy(&bytes[at + 46..][..word(at + 28)]).into_owned();
        let start = long(at + 42);
        let start = start + 30 + word(start + 26) + word(start + 28);
        assert_eq!(word(at + 10), 0, "{name} is stored");
        entries.push((&*name.leak(), bytes[start..][..long(at + 20)].to_vec()));
    }
    entries
}

/// An archive of stored entries.
pub fn zip(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in entries {
        let (start, len) = (file.len() as u32, (bytes.len() as u32).to_le_bytes());
        let sum = crc32fast::hash(bytes).to_le_bytes();
        let name_len = (name.len() as u16).to_le_bytes();
        // Version, flags, method, time and date; sum and both lengths; lengths of name and extras.
        let common =
            [&[20, 0, 0, 0, 0, 0, 0, 0, 0, 0], &sum[..], &len, &len, &name_len, &[0; 2]].concat();
        file.extend([b"PK\x03\x04", &common[..], name.as_bytes(), bytes].concat());
        let rest = [&[0; 10][..], &start.to_le_bytes()].concat();
        directory.extend([b"PK\x01\x02\x14\0", &common[..], &rest, name.as_bytes()].concat());
    }
    let count = (entries.len() as u16).to_le_bytes();
    let (start, len) = ((file.len() as u32).to_le_bytes(), (directory.len() as u32).to_le_bytes());
    let end = [b"PK\x05\x06\0\0\0\0", &count[..], &count, &len, &start, &[0; 2]].concat();
    [file, directory, end].concat()
}

/// Writes the files of a set below `folder`.
pub fn write(folder: &Path, files: &[(&'static str, Vec<u8>)]) {
    for (name, bytes) in files {
        let path: PathBuf = folder.join(name);
        std::fs::create_dir_all(path.parent().expect("a file in a folder")).expect("a folder");
        std::fs::write(path, bytes).expect("a file");
    }
}
