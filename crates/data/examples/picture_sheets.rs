//! Draws a contact sheet of each world of pictures into the folder given as argument:
//! `cargo run --release -p domino-data --example picture_sheets -- docs/pictures`.
//!
//! A row per variable: four of its values with all else as in the first state of the test split, then
//! two pairs under an intervention on it.

use std::error::Error;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use domino_core::{InterventionTarget, Observations};
use domino_data::factors::{Domain, PictureWorld};
use domino_data::{DatasetSpec, Generator, GeneratorConfig, Split};
use domino_render::Picture;
use domino_render::sheet::Sheet;
use nalgebra::DMatrix;

const SPECS: [&str; 7] = [
    include_str!("../../../datasets/scenes-floating/spec.toml"),
    include_str!("../../../datasets/scenes-standing/spec.toml"),
    include_str!("../../../datasets/shapes-room/spec.toml"),
    include_str!("../../../datasets/clevr-tabletop/spec.toml"),
    include_str!("../../../datasets/sprites-grid/spec.toml"),
    include_str!("../../../datasets/sprites-continuous/spec.toml"),
    include_str!("../../../datasets/digits-drawn/spec.toml"),
];

/// Values of a variable that are shown.
const VALUES: usize = 4;
/// Pairs with each target that are shown.
const PAIRS: usize = 2;
/// Rows of the split to look for them in.
const ROWS: usize = 1_000;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("expected a folder")?);
    fs::create_dir_all(&folder)?;
    for text in SPECS {
        let config = toml::from_str::<DatasetSpec>(text)?.generator()?;
        let world = if let GeneratorConfig::Scenes(config) = &config {
            config.build()?
        } else if let GeneratorConfig::Sprites(config) = &config {
            config.build()?
        } else if let GeneratorConfig::Digits(config) = &config {
            config.build()?
        } else {
            return Err("expected a world of pictures".into());
        };
        draw(&world, &folder.join(format!("{}.png", config.name())))?;
    }
    Ok(())
}

fn draw(world: &PictureWorld, path: &Path) -> Result<(), Box<dyn Error>> {
    let truth = world.states(Split::Test, 0..ROWS);
    let (Some(z), Some(targets)) = (&truth.z_before, &truth.targets) else {
        return Err("a world knows its states".into());
    };
    let mut cells = Vec::new();
    for (k, variable) in world.variables().iter().enumerate() {
        let mut states = DMatrix::from_fn(VALUES, z.ncols(), |_, j| z[(0, j)]);
        for row in 0..VALUES {
            let share = row as f64 / (VALUES - 1) as f64;
            states[(row, k)] = match variable.domain {
                Domain::Interval => share,
                Domain::Values(count) => (share * (count - 1) as f64).round(),
            };
        }
        let captions = (0..VALUES).map(|row| match row {
            0 => variable.name.clone(),
            _ => format!("{:.2}", states[(row, k)]),
        });
        cells.extend(pictures(&world.observation_of(&states)).into_iter().zip(captions));
        let aimed = (0..ROWS).filter(|&row| targets[row] == InterventionTarget::Atomic(k));
        for row in aimed.take(PAIRS) {
            let pair = world.observe(Split::Test, row..row + 1, &truth.slice(row..row + 1))?;
            let captions = ["before".into(), format!("do {}", variable.name)];
            let sides = [pair.before(), pair.after()].into_iter().flat_map(pictures);
            cells.extend(sides.zip(captions));
        }
    }
    let side = cells[0].0.width;
    let mut sheet = Sheet::new([side.max(64), side], VALUES + 2 * PAIRS);
    for (picture, caption) in &cells {
        sheet.add(picture, caption);
    }
    sheet.page().write_png(File::create(path)?)?;
    Ok(())
}

/// Pictures in colour, those of one channel in grey.
fn pictures(x: &Observations) -> Vec<Picture> {
    let Observations::Images { data, shape } = x else { return Vec::new() };
    let repeat = 3 / shape.channels;
    let picture = |data: &[u8]| Picture {
        width: shape.width,
        height: shape.height,
        data: data.iter().flat_map(|&v| std::iter::repeat_n(v, repeat)).collect(),
    };
    data.chunks_exact(shape.len()).map(picture).collect()
}
