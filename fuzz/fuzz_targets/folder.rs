//! Any bytes as the one file of a folder that is not an archive. The first byte says which.
#![no_main]

mod common;

use domino_data::formats::{Kind, open_as, read_pairs};
use libfuzzer_sys::fuzz_target;

const FILES: [(Kind, &str); 9] = [
    (Kind::Cars3d, "car.mat"),
    (Kind::SmallNorb, "smallnorb-5-training-dat.mat"),
    (Kind::Mnist, "train-images-idx3-ubyte"),
    (Kind::LightTunnel, "table.csv"),
    (Kind::Clevr, "scenes/CLEVR_train_scenes.json"),
    (Kind::Causal3dIdent, "raw_latents_0.npy"),
    (Kind::Dcdi, "DAG1.npy"),
    (Kind::Dcdi, "regime1.csv"),
    (Kind::Voronoi, "settings.json"),
];

fuzz_target!(|bytes: &[u8]| {
    let Some((which, bytes)) = bytes.split_first() else { return };
    let (kind, name) = FILES[usize::from(*which) % FILES.len()];
    let options = common::options();
    common::with_file(name, bytes, |path| {
        let Some(mut folder) = path.parent() else { return };
        if name.contains('/') {
            folder = folder.parent().unwrap_or(folder);
        }
        let _ = open_as(kind, folder, &options);
        let _ = read_pairs(Some(kind), folder, &options);
    });
});
