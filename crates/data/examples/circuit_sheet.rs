//! Draws contact sheets of the circuit: `cargo run --release -p domino-data --example circuit_sheet -- FOLDER`

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use domino_core::InterventionTarget::Atomic;
use domino_core::Observations;
use domino_data::circuit::{Circuit, CircuitConfig, DistractorConfig, Pattern, View};
use domino_data::scaling::{GraphConfig, RandomGraph};
use domino_data::{Generator, Split};
use domino_render::Picture;
use domino_render::sheet::Sheet;
use nalgebra::DMatrix;

/// Pictures in a row.
const COLUMNS: usize = 8;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args().nth(1).ok_or("expected one argument: the folder to write to")?;
    let folder = Path::new(&folder);
    fs::create_dir_all(folder)?;
    let plain = CircuitConfig::default();
    write(&folder.join("circuit.png"), &sweeps_and_pairs(&plain)?)?;
    write(&folder.join("circuit-variants.png"), &variants(&plain)?)?;
    write(&folder.join("circuit-large.png"), &close_ups(plain)?)
}

/// The arm on a button and between two.
fn close_ups(plain: CircuitConfig) -> Result<Picture, Box<dyn Error>> {
    let large = CircuitConfig { size: 320, samples: 3, ..plain };
    let z = DMatrix::from_row_slice(2, 4, &[0.2, 0.9, 0.6, 0.1, 0.62, 0.1, 0.95, 0.4]);
    let mut sheet = Sheet::new([large.size; 2], 2);
    add_all(&mut sheet, &Circuit::new(&large)?.observation_of(&z), "");
    Ok(sheet.page())
}

/// Rows that sweep each variable, then pairs under an intervention on each.
fn sweeps_and_pairs(config: &CircuitConfig) -> Result<Picture, Box<dyn Error>> {
    let circuit = Circuit::new(config)?;
    let d = circuit.dag().dim();
    let mut sheet = Sheet::new([config.size, config.size], COLUMNS);
    for (k, name) in circuit.names().iter().enumerate() {
        let mut z = DMatrix::from_element(COLUMNS, d, 0.35);
        for column in 0..COLUMNS {
            let share = column as f64 / (COLUMNS - 1) as f64;
            z[(column, k)] = 0.02 + 0.96 * share;
        }
        for (column, picture) in pictures(&circuit.observation_of(&z)).into_iter().enumerate() {
            sheet.add(&picture, &format!("{name} {:.2}", z[(column, k)]));
        }
    }
    let (pairs, truth) = circuit.sample(200, Split::Test)?;
    let (before, after) = (pictures(pairs.before()), pictures(pairs.after()));
    let targets = truth.targets.ok_or("expected the truth to name the targets")?;
    for (k, name) in circuit.names().iter().enumerate() {
        let rows = (0..targets.len()).filter(|&row| targets[row] == Atomic(k));
        for row in rows.take(COLUMNS / 2) {
            sheet.add(&before[row], "before");
            sheet.add(&after[row], &format!("do({name})"));
        }
    }
    Ok(sheet.page())
}

/// A row of pictures for each of some options.
fn variants(plain: &CircuitConfig) -> Result<Picture, Box<dyn Error>> {
    let six = GraphConfig::Random(RandomGraph::default());
    let four = DistractorConfig { count: 4, ..DistractorConfig::default() };
    let (table, wall) = (Pattern::Clouds, Pattern::Stripes);
    let rows = [
        ("6 lamps", CircuitConfig { lamps: 6, wiring: six.clone(), ..plain.clone() }),
        ("8 lamps", CircuitConfig { lamps: 8, wiring: six, ..plain.clone() }),
        ("distractors", CircuitConfig { distractors: four, ..plain.clone() }),
        ("textures", CircuitConfig { table, wall, ..plain.clone() }),
        ("low", CircuitConfig { view: View::Low, ..plain.clone() }),
        ("orbit", CircuitConfig { view: orbit(), sensor_noise: 6.0, ..plain.clone() }),
    ];
    let mut sheet = Sheet::new([plain.size, plain.size], COLUMNS);
    for (name, config) in rows {
        let (pairs, _) = Circuit::new(&config)?.sample(COLUMNS, Split::Test)?;
        add_all(&mut sheet, pairs.before(), name);
    }
    Ok(sheet.page())
}

fn orbit() -> View {
    View::Orbit { azimuth: 35.0, elevation: 38.0 }
}

fn add_all(sheet: &mut Sheet, x: &Observations, caption: &str) {
    for picture in pictures(x) {
        sheet.add(&picture, caption);
    }
}

fn pictures(x: &Observations) -> Vec<Picture> {
    let Observations::Images { data, shape } = x else { return Vec::new() };
    let picture =
        |data: &[u8]| Picture { width: shape.width, height: shape.height, data: data.to_vec() };
    data.chunks_exact(shape.len()).map(picture).collect()
}

fn write(path: &Path, page: &Picture) -> Result<(), Box<dyn Error>> {
    let mut png = Vec::new();
    page.write_png(&mut png)?;
    Ok(fs::write(path, png)?)
}
