use std::fs::{self, File};
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use domino_core::ImageShape;

use super::error::FormatError;
use super::factored::FactoredImages;
use super::folder::{names, read_file, unreadable};
use super::grid::FactorGrid;
use super::pictures::{PictureSink, Pictures};
use crate::npz::Limits;

const FACTORS: [&str; 5] = ["category", "instance", "elevation", "azimuth", "lighting"];
/// Column of the azimuth, which is stored doubled.
const AZIMUTH: usize = 3;
const BYTES: i32 = 507_333_717;
const INTEGERS: i32 = 507_333_716;

/// Opens a folder of `SmallNORB`: toys by category (5), instance (5 for training, 5 for testing),
/// elevation (9), azimuth (18) and lighting (6); the first camera's 96 × 96 grey pictures.
///
/// `split` is `training` or `testing`, or both where it is missing. The instance is a factor like
/// the others, numbered in ascending order.
///
/// # Errors
/// [`FormatError`] if files are missing, damaged or disagree, or are no grid of factors.
///
/// `LeCun`, Huang & Bottou, *Learning Methods for Generic Object Recognition with Invariance to Pose
/// and Lighting*, CVPR 2004.
pub fn small_norb(
    path: &Path,
    split: Option<&str>,
    limits: Limits,
) -> Result<FactoredImages, FormatError> {
    let found = names(path)?;
    let wanted = |name: &&String| {
        let part = split.is_none_or(|split| name.contains(split));
        name.starts_with("smallnorb-") && name.ends_with("-dat.mat") && part
    };
    let stems: Vec<&str> =
        found.iter().filter(wanted).filter_map(|name| name.strip_suffix("dat.mat")).collect();
    if stems.is_empty() {
        let expected = format!("smallnorb-*{}*-dat.mat, unpacked", split.unwrap_or_default());
        return Err(FormatError::Missing { path: path.to_owned(), expected, found });
    }
    let mut parts = Vec::new();
    let mut labels = Vec::new();
    for stem in stems {
        let part = Part::open(&path.join(format!("{stem}dat.mat")))?;
        let categories = integers(&path.join(format!("{stem}cat.mat")), &[part.count], limits)?;
        let infos = integers(&path.join(format!("{stem}info.mat")), &[part.count, 4], limits)?;
        for (category, info) in categories.iter().zip(infos.as_chunks::<4>().0) {
            labels.push([*category, info[0], info[1], info[2], info[3]]);
        }
        parts.push(part);
    }
    let shape = parts[0].shape;
    if let Some(other) = parts.iter().find(|part| part.shape != shape) {
        let expected = format!("{shape:?}, as in the first file");
        return Err(malformed(&other.path, "pictures", expected, format!("{:?}", other.shape)));
    }
    let (grid, order) = order(path, &labels)?;
    let pictures = NorbPictures { parts, shape };
    Ok(FactoredImages::new(path, grid, Box::new(pictures))?.ordered(order))
}

fn malformed(path: &Path, place: &str, expected: String, got: String) -> FormatError {
    FormatError::Malformed { path: path.to_owned(), place: place.into(), expected, got }
}

/// The grid of the labels, and the number of the picture of each of its combinations.
fn order(path: &Path, labels: &[[i32; 5]]) -> Result<(FactorGrid, Vec<usize>), FormatError> {
    let values: [Vec<i32>; 5] = std::array::from_fn(|k| {
        let mut values: Vec<i32> = labels.iter().map(|row| row[k]).collect();
        values.sort_unstable();
        values.dedup();
        values
    });
    let odd = |value: &&i32| **value % 2 != 0;
    if let Some(value) = values[AZIMUTH].iter().find(odd) {
        return Err(malformed(path, "azimuth", "even numbers".into(), value.to_string()));
    }
    let sizes = values.each_ref().map(Vec::len);
    let total = sizes.iter().fold(1_u128, |n, &size| n.saturating_mul(size as u128));
    if total != labels.len() as u128 {
        let expected = format!("{total} rows, one per combination of {sizes:?} values");
        return Err(malformed(path, "labels", expected, labels.len().to_string()));
    }
    let mut order = vec![usize::MAX; labels.len()];
    for (number, row) in labels.iter().enumerate() {
        let place = row.iter().zip(&values).fold(0, |place, (value, values)| {
            place * values.len() + values.partition_point(|other| other < value)
        });
        if order[place] != usize::MAX {
            let expected = "each combination of factors once".into();
            return Err(malformed(
                path,
                "labels",
                expected,
                format!("{row:?} again in row {number}"),
            ));
        }
        order[place] = number;
    }
    let named: Vec<(&str, usize)> = FACTORS.into_iter().zip(sizes).collect();
    Ok((FactorGrid::new(&named), order))
}

/// Magic number and lengths of the axes.
fn head(path: &Path, file: &mut dyn Read) -> Result<(i32, Vec<usize>, u64), FormatError> {
    let mut word = || {
        let mut bytes = [0; 4];
        let read = file.read_exact(&mut bytes);
        read.map_err(|e| malformed(path, "the head", "a binary matrix".into(), e.to_string()))?;
        Ok::<i32, FormatError>(i32::from_le_bytes(bytes))
    };
    let magic = word()?;
    if magic != BYTES && magic != INTEGERS {
        let expected = format!("magic number {BYTES} (bytes) or {INTEGERS} (integers)");
        return Err(malformed(path, "the head", expected, magic.to_string()));
    }
    let axes = word()?;
    if !(1..=8).contains(&axes) {
        return Err(malformed(path, "the head", "1 to 8 axes".into(), axes.to_string()));
    }
    let mut lengths = Vec::new();
    for axis in 0..axes.max(3) {
        let length = word()?;
        if axis >= axes {
            continue;
        }
        let Some(length) = usize::try_from(length).ok().filter(|&length| length > 0) else {
            let place = format!("axis {axis}");
            return Err(malformed(path, &place, "a length above 0".into(), length.to_string()));
        };
        lengths.push(length);
    }
    Ok((magic, lengths, 8 + 4 * u64::from(axes.max(3).unsigned_abs())))
}

fn integers(path: &Path, shape: &[usize], limits: Limits) -> Result<Vec<i32>, FormatError> {
    let bytes = read_file(path, limits)?;
    let mut rest = &*bytes;
    let (magic, lengths, _) = head(path, &mut rest)?;
    if magic != INTEGERS || lengths != shape || rest.len() != 4 * shape.iter().product::<usize>() {
        let expected = format!("{shape:?} integers, one row per picture");
        let got = format!("shape {lengths:?}, type {magic}, {} bytes", rest.len());
        return Err(malformed(path, "the matrix", expected, got));
    }
    Ok(rest.as_chunks::<4>().0.iter().map(|bytes| i32::from_le_bytes(*bytes)).collect())
}

/// One file of pictures, `[n, cameras, height, width]`.
struct Part {
    path: PathBuf,
    start: u64,
    count: usize,
    cameras: usize,
    shape: ImageShape,
}

impl Part {
    fn open(path: &Path) -> Result<Self, FormatError> {
        let mut file = File::open(path).map_err(|e| unreadable(path, e))?;
        let (magic, lengths, start) = head(path, &mut file)?;
        let expected = || "[N, 2, H, W] bytes".to_owned();
        let [count, cameras, height, width] = lengths[..] else {
            return Err(malformed(path, "pictures", expected(), format!("shape {lengths:?}")));
        };
        if magic != BYTES {
            return Err(malformed(path, "pictures", expected(), format!("type {magic}")));
        }
        let declared = lengths.iter().fold(1, |n: u128, &length| n.saturating_mul(length as u128));
        let length = fs::metadata(path).map_err(|e| unreadable(path, e))?.len();
        if declared + u128::from(start) != u128::from(length) {
            let expected = format!("{} bytes for shape {lengths:?}", declared + u128::from(start));
            return Err(malformed(path, "the file", expected, length.to_string()));
        }
        let shape = ImageShape { height, width, channels: 1 };
        Ok(Self { path: path.to_owned(), start, count, cameras, shape })
    }

    fn visit(&self, wanted: &[usize], sink: &mut PictureSink<'_>) -> Result<(), FormatError> {
        let unreadable = |e| unreadable(&self.path, e);
        let mut file = BufReader::new(File::open(&self.path).map_err(unreadable)?);
        let mut picture = vec![0; self.shape.len()];
        let step = (self.cameras * picture.len()) as u64;
        for &number in wanted {
            file.seek(SeekFrom::Start(self.start + number as u64 * step)).map_err(unreadable)?;
            file.read_exact(&mut picture).map_err(unreadable)?;
            sink(number, &picture)?;
        }
        Ok(())
    }
}

struct NorbPictures {
    parts: Vec<Part>,
    shape: ImageShape,
}

impl Pictures for NorbPictures {
    fn shape(&self) -> ImageShape {
        self.shape
    }

    fn len(&self) -> usize {
        self.parts.iter().map(|part| part.count).sum()
    }

    fn visit(&self, wanted: &[usize], sink: &mut PictureSink<'_>) -> Result<(), FormatError> {
        let (mut start, mut rest) = (0, wanted);
        for part in &self.parts {
            let (here, later) = rest.split_at(rest.partition_point(|&n| n < start + part.count));
            let local: Vec<usize> = here.iter().map(|number| number - start).collect();
            part.visit(&local, &mut |number, picture| sink(start + number, picture))?;
            (start, rest) = (start + part.count, later);
        }
        Ok(())
    }
}
