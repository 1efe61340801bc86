use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};
use domino::core::files::write_atomically;
use domino::core::{ImageShape, Observations};
use domino::data::formats::Picture;
use domino::data::npz::{Array, Limits, write_arrays};
use domino::model::{Action, Causal, LatentCausalModel, Obs, Scm, download, upload, upload_rows};
use domino::recipe::Fit;
use domino_render::sheet::Sheet;
use nalgebra::DMatrix;

use super::embed::open;
use super::output::{say, table};
use crate::dataset::Sample;
use crate::pictures::{like, picture, write_gif};

#[derive(Clone, Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("observation").required(true).args(["data", "image"]))]
pub(super) struct Args {
    /// Folder of a finished run
    run: PathBuf,
    /// File of pairs, one of which is asked about
    #[arg(long, value_name = "FILE", requires = "row")]
    data: Option<PathBuf>,
    /// The pair whose observation before the intervention is asked about, counted from 0
    #[arg(long, value_name = "N", requires = "data")]
    row: Option<usize>,
    /// A picture that is asked about: a PNG or JPEG file of the size that the model knows
    #[arg(long, value_name = "FILE")]
    image: Option<PathBuf>,
    /// A variable, named as in the run's report, and the value it is set to, such as `z2=1.5`, or
    /// several values for a film strip, such as `z2=-1,0,1`, or so many of a range, such as
    /// `z2=-2..2/24`
    #[arg(
        long = "set",
        value_name = "VARIABLE=VALUE",
        required = true,
        allow_hyphen_values = true
    )]
    sets: Vec<String>,
    /// File to write: arrays `x`, `z`, `z_before` and `e`; a picture or film strip where it ends in
    /// `.png`, and an animation where it ends in `.gif`
    #[arg(long, value_name = "FILE.npz|FILE.png|FILE.gif")]
    out: PathBuf,
    /// Where to compute
    #[arg(long, default_value = "cpu")]
    device: String,
}

pub(super) fn perform(args: &Args) -> Result<()> {
    let (_, fit) = open(&args.run, &args.device)?;
    let model = &fit.model;
    let d = model.dim();
    let set = assignments(&args.sets, d)?;
    let observed = args.observation(&fit)?;
    let ends_in =
        |kind: &str| args.out.extension().is_some_and(|ending| ending.eq_ignore_ascii_case(kind));
    ensure!(
        !(ends_in("png") || ends_in("gif")) || matches!(observed, Observations::Images { .. }),
        "--out {}: expected a file that ends in .npz, as the observations are no pictures",
        args.out.display()
    );

    let mut x = Vec::with_capacity(observed.dim());
    observed.push_row(0, &mut x);
    let x = Obs(upload_rows(x, observed.dim(), &model.device()));
    let z_before = model.latents(x);
    let e = model.abduct(z_before.clone());
    let steps = set.iter().flatten().map(Vec::len).max().unwrap_or(1);
    let rows_of = |value: &dyn Fn(usize, Option<&Vec<f64>>) -> f64| {
        upload(&DMatrix::from_fn(steps, d, |n, k| value(n, set[k].as_ref())), &model.device())
    };
    let action = Action {
        mask: rows_of(&|_, v| f64::from(u8::from(v.is_some()))),
        value: rows_of(&|n, v| v.map_or(0.0, |v| v[n.min(v.len() - 1)])),
    };
    let start = Causal(z_before.0.clone().repeat_dim(0, steps));
    let z = model.counterfactual(start, &action);
    let x = like(&observed, &download(model.decode(Causal(z.0.clone())).0));
    let [z, z_before, e] = [z.0, z_before.0, e.0].map(download);
    if ends_in("png") {
        write_png(&args.out, &strip(&x, steps))?;
    } else if ends_in("gif") {
        let there: Vec<domino_render::Picture> =
            (0..steps).map(|row| picture(&x, row, 1)).collect();
        write_atomically(&args.out, |file| write_gif(file, &there))?;
    } else {
        let arrays = [
            ("x", Array::Observations(&x)),
            ("z", Array::Matrix(&z)),
            ("z_before", Array::Matrix(&z_before)),
            ("e", Array::Matrix(&e)),
        ];
        write_arrays(&args.out, &arrays)?;
    }
    say(&table(&comparison(&z_before, &z, &set)));
    say(&args.out.display().to_string());
    Ok(())
}

impl Args {
    /// What is asked about, as one row.
    fn observation(&self, fit: &Fit) -> Result<Observations> {
        if let Some(path) = &self.image {
            return read_picture(path, fit.model.picture_shape());
        }
        let (Some(path), Some(row)) = (&self.data, self.row) else {
            bail!("expected --image, or --data and --row");
        };
        let sample = Sample::read(path)?;
        let (n, name) = (sample.pairs.len(), path.display());
        ensure!(
            row < n,
            "--row: expected a row from 0 to {}, as {name} has {n} pairs, got {row}",
            n - 1
        );
        fit.model.check_width(sample.pairs.dim()).with_context(|| name.to_string())?;
        Ok(sample.pairs.before().slice(row..row + 1))
    }
}

/// A picture file of the size and the channels that a model knows: a grey model takes the mean of
/// the colours.
pub(super) fn read_picture(path: &Path, known: Option<ImageShape>) -> Result<Observations> {
    let name = path.display();
    let Some(known) = known else {
        bail!("{name}: expected a run on pictures, got one on vectors; name a file of pairs");
    };
    let Picture { data, shape } = Picture::read(path, Limits::default())?;
    ensure!(
        (shape.height, shape.width) == (known.height, known.width),
        "{name}: expected {} x {} pixels, as the model was fitted to, got {} x {}",
        known.width,
        known.height,
        shape.width,
        shape.height
    );
    let data = match known.channels {
        3 => data,
        1 => data.chunks_exact(3).map(grey).collect(),
        other => bail!("{name}: expected a model of 1 or 3 channels, got one of {other}"),
    };
    Ok(Observations::Images { data, shape: known })
}

/// The mean of red, green and blue.
fn grey(pixel: &[u8]) -> u8 {
    (pixel.iter().map(|&v| u16::from(v)).sum::<u16>() / 3) as u8
}

/// One picture alone, or several beside one another.
fn strip(x: &Observations, steps: usize) -> domino_render::Picture {
    if steps == 1 {
        return picture(x, 0, 1);
    }
    let first = picture(x, 0, 1);
    let mut sheet = Sheet::new([first.width, first.height], steps);
    (0..steps).for_each(|row| sheet.add(&picture(x, row, 1), ""));
    sheet.page()
}

/// Writes a picture as a PNG file, whole or not at all.
pub(super) fn write_png(path: &Path, picture: &domino_render::Picture) -> Result<()> {
    write_atomically(path, |file| picture.write_png(file).map_err(std::io::Error::other))?;
    Ok(())
}

fn comparison(
    before: &DMatrix<f64>,
    after: &DMatrix<f64>,
    set: &[Option<Vec<f64>>],
) -> Vec<Vec<String>> {
    let mut head = ["variable", "before"].map(str::to_owned).to_vec();
    head.extend(std::iter::repeat_n("after".to_owned(), after.nrows()));
    head.push(String::new());
    let row = |k: usize| {
        let mark = if set[k].is_some() { "set" } else { "" };
        let mut cells = vec![format!("z{}", k + 1), format!("{:.4}", before[(0, k)])];
        cells.extend(after.column(k).iter().map(|value| format!("{value:.4}")));
        cells.push(mark.to_owned());
        cells
    };
    std::iter::once(head).chain((0..set.len()).map(row)).collect()
}

/// The values that each variable is set to in turn, if it is.
fn assignments(sets: &[String], d: usize) -> Result<Vec<Option<Vec<f64>>>> {
    let mut set = vec![None; d];
    let mut steps = 1;
    for text in sets {
        let (name, values) = text
            .split_once('=')
            .ok_or_else(|| anyhow!("--set {text}: expected VARIABLE=VALUE, such as z1=0.5"))?;
        let number: Option<usize> = name.strip_prefix('z').and_then(|n| n.parse().ok());
        let place = number.filter(|&n| (1..=d).contains(&n));
        let Some(place) = place else {
            bail!("--set {text}: expected a variable from z1 to z{d}, got `{name}`");
        };
        let parse = |value: &str| {
            let parsed: Option<f64> = value.parse().ok().filter(|v: &f64| v.is_finite());
            parsed.ok_or_else(|| anyhow!("--set {text}: expected a finite number, got `{value}`"))
        };
        let parsed: Vec<f64> = match values.split_once("..") {
            Some((from, rest)) => {
                let (to, count) = rest.split_once('/').unwrap_or((rest, "7"));
                let count = count.parse().ok().filter(|&n: &usize| n > 1).ok_or_else(|| {
                    anyhow!("--set {text}: expected at least 2 values of a range, got `{count}`")
                })?;
                let (from, to) = (parse(from)?, parse(to)?);
                let at = |n| from + (to - from) * n as f64 / (count - 1) as f64;
                (0..count).map(at).collect()
            }
            None => values.split(',').map(parse).collect::<Result<_>>()?,
        };
        ensure!(set[place - 1].is_none(), "--set {text}: expected each variable once");
        ensure!(
            parsed.len() == 1 || steps == 1 || parsed.len() == steps,
            "--set {text}: expected one value or {steps}, as before, got {}",
            parsed.len()
        );
        steps = steps.max(parsed.len());
        set[place - 1] = Some(parsed);
    }
    Ok(set)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(texts: &[&str]) -> Result<Vec<Option<Vec<f64>>>> {
        assignments(&texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>(), 3)
    }

    #[test]
    fn variables_are_counted_from_one() {
        let got = set(&["z3=-1.5", "z1=2"]).unwrap();
        assert_eq!(got, [Some(vec![2.0]), None, Some(vec![-1.5])]);
    }

    #[test]
    fn a_film_strip_has_one_length() {
        let got = set(&["z3=-1,0,1", "z1=2"]).unwrap();
        assert_eq!(got, [Some(vec![2.0]), None, Some(vec![-1.0, 0.0, 1.0])]);
        let error = set(&["z3=-1,0,1", "z1=2,3"]).unwrap_err().to_string();
        assert!(error.contains("one value or 3, as before, got 2"));
    }

    #[test]
    fn a_range_has_its_ends() {
        assert_eq!(set(&["z2=-1..1/5"]).unwrap()[1], Some(vec![-1.0, -0.5, 0.0, 0.5, 1.0]));
        assert_eq!(set(&["z2=0..6"]).unwrap()[1].as_ref().map(Vec::len), Some(7));
        let error = set(&["z2=0..6/1"]).unwrap_err().to_string();
        assert!(error.contains("at least 2 values of a range, got `1`"));
    }

    #[test]
    fn what_is_no_assignment_is_refused() {
        let error = |texts| set(texts).unwrap_err().to_string();
        assert!(error(&["z4=1"]).contains("from z1 to z3, got `z4`"));
        assert!(error(&["z0=1"]).contains("got `z0`"));
        assert!(error(&["arm=1"]).contains("got `arm`"));
        assert!(error(&["z1=inf"]).contains("a finite number, got `inf`"));
        assert!(error(&["z1"]).contains("VARIABLE=VALUE"));
        assert!(error(&["z1=1", "z1=2"]).contains("each variable once"));
    }
}
