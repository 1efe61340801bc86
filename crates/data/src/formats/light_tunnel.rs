use std::fmt;
use std::path::{Path, PathBuf};

use nalgebra::DMatrix;

use super::error::FormatError;
use super::files::FilePictures;
use super::folder::{Folder, names, read_file};
use super::matched::{LatentImages, MatchedPairs};
use super::options::ReadOptions;
use crate::npz::Limits;

const IMAGE_FILE: &str = "image_file";
const INPUTS: [&str; 5] = ["red", "green", "blue", "pol_1", "pol_2"];
const SENSORS: [&str; 9] =
    ["current", "ir_1", "ir_2", "ir_3", "vis_1", "vis_2", "vis_3", "angle_1", "angle_2"];
const PICTURES: &str = "images_64";

/// One experiment of the light tunnel: pictures of a light source through two polarisers, with the
/// five inputs that were set and what the sensors measured.
///
/// The inputs are the latents: red, green and blue of the source and the angles of the polarisers.
/// Pairs are nearly matching ones, formed as for [`Causal3dIdent`](super::Causal3dIdent).
///
/// Gamella, Bing & Runge, *Sanity Checking Causal Representation Learning on a Simple Real-World
/// System*, ICML 2025, arXiv 2502.20099 (`lt_crl_benchmark_v1`, CC BY 4.0).
pub struct LightTunnel {
    images: LatentImages,
    sensor_names: Vec<String>,
    sensors: DMatrix<f64>,
}

impl LightTunnel {
    /// Opens the folder of an experiment, or in the folder of the set the experiment `split`.
    ///
    /// # Errors
    /// [`FormatError`] if the table or the first picture cannot be read or are of other form, or if
    /// the table names a picture outside the folder.
    pub fn open(path: &Path, split: Option<&str>, limits: Limits) -> Result<Self, FormatError> {
        let folder = split.map_or_else(|| path.to_owned(), |name| path.join(name));
        let listing = table(&folder)?;
        let table = Table::read(&listing, limits)?;
        let files = table.column(IMAGE_FILE)?.map(str::to_owned).collect::<Vec<_>>();
        let latents = table.numbers(&INPUTS)?;
        let present = SENSORS.into_iter().filter(|name| table.position(name).is_some());
        let present: Vec<&str> = present.collect();
        let sensors = table.numbers(&present)?;
        if files.is_empty() {
            return Err(table.wrong("rows".into(), "at least one", "none"));
        }
        let pictures = Folder::open(&folder.join(PICTURES))?;
        let count = files.len();
        let place = move |number: usize| pictures.join(&listing, &files[number]);
        let images = LatentImages {
            path: folder,
            latents,
            names: INPUTS.map(str::to_owned).to_vec(),
            fixed_from: INPUTS.len(),
            pictures: Box::new(FilePictures::open(count, Box::new(place), limits)?),
        };
        let sensor_names = present.into_iter().map(str::to_owned).collect();
        Ok(Self { images, sensor_names, sensors })
    }

    /// The inputs, `[n, 5]`: red, green, blue from 0 to 255, angles in degrees.
    pub fn inputs(&self) -> &DMatrix<f64> {
        &self.images.latents
    }

    /// Names of the sensors in the table.
    pub fn sensor_names(&self) -> &[String] {
        &self.sensor_names
    }

    /// What the sensors measured, `[n, sensors]`.
    pub fn sensors(&self) -> &DMatrix<f64> {
        &self.sensors
    }

    /// Nearly matching pairs, see [`LightTunnel`].
    ///
    /// # Errors
    /// [`FormatError`] if an input is not finite, if the rule asks for more than five changes, or if
    /// pictures cannot be read.
    pub fn pairs(&self, options: &ReadOptions) -> Result<MatchedPairs, FormatError> {
        self.images.pairs(options)
    }
}

impl fmt::Debug for LightTunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut f = f.debug_struct("LightTunnel");
        f.field("path", &self.images.path).finish_non_exhaustive()
    }
}

/// The table of an experiment: the one of its own name, or the only one.
fn table(folder: &Path) -> Result<PathBuf, FormatError> {
    let found = names(folder)?;
    let is_table = |name: &&String| {
        Path::new(name).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv"))
    };
    let tables: Vec<&String> = found.iter().filter(is_table).collect();
    let own = folder.file_name().map(|name| format!("{}.csv", name.to_string_lossy()));
    let chosen = tables.iter().find(|name| Some(name.as_str()) == own.as_deref());
    match (chosen, &tables[..]) {
        (Some(name), _) | (None, [name]) => Ok(folder.join(name)),
        _ => Err(FormatError::Missing {
            path: folder.to_owned(),
            expected: "the table of one experiment, NAME/NAME.csv".into(),
            found,
        }),
    }
}

struct Table {
    path: PathBuf,
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    fn read(path: &Path, limits: Limits) -> Result<Self, FormatError> {
        let bytes = read_file(path, limits)?;
        let text = String::from_utf8_lossy(&bytes);
        let mut lines = text.lines().map(cells);
        let head = lines.next().unwrap_or_default();
        let mut table = Self { path: path.to_owned(), head, rows: Vec::new() };
        for (row, cells) in lines.enumerate() {
            if cells.len() != table.head.len() {
                let expected = format!("{} comma-separated values", table.head.len());
                let got = cells.len().to_string();
                return Err(table.wrong(format!("row {}", row + 1), &expected, &got));
            }
            table.rows.push(cells);
        }
        Ok(table)
    }

    fn wrong(&self, place: String, expected: &str, got: &str) -> FormatError {
        let (expected, got) = (expected.to_owned(), got.to_owned());
        FormatError::Malformed { path: self.path.clone(), place, expected, got }
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.head.iter().position(|other| other == name)
    }

    fn column(&self, name: &str) -> Result<impl Iterator<Item = &str>, FormatError> {
        let Some(at) = self.position(name) else {
            let place = "the head".into();
            return Err(self.wrong(place, &format!("a column {name}"), &self.head.join(", ")));
        };
        Ok(self.rows.iter().map(move |row| row[at].as_str()))
    }

    fn numbers(&self, columns: &[&str]) -> Result<DMatrix<f64>, FormatError> {
        let mut values = Vec::new();
        for &name in columns {
            for (row, text) in self.column(name)?.enumerate() {
                let value = text.parse::<f64>();
                let wrong = |_| self.wrong(format!("row {}, {name}", row + 1), "a number", text);
                values.push(value.map_err(wrong)?);
            }
        }
        Ok(DMatrix::from_vec(self.rows.len(), columns.len(), values))
    }
}

/// The values of a line, quotes taken off.
fn cells(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    for letter in line.chars() {
        match letter {
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            _ => cells.last_mut().expect("there is a first cell").push(letter),
        }
    }
    cells.iter().map(|cell| cell.trim().to_owned()).collect()
}
