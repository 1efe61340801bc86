use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, bail, ensure};
use domino::core::Observations;
use domino::data::npz::{Array, write_arrays};
use domino::model::{Action, Causal, LatentCausalModel, Obs, Scm, download, upload, upload_rows};
use nalgebra::DMatrix;

use super::embed::open;
use super::output::{say, table};
use crate::dataset::Sample;

#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// Folder of a finished run
    run: PathBuf,
    /// File of pairs
    #[arg(long, value_name = "FILE.npz")]
    data: PathBuf,
    /// The pair whose observation before the intervention is asked about, counted from 0
    #[arg(long, value_name = "N")]
    row: usize,
    /// A variable, named as in the run's report, and the value it is set to, such as `z2=1.5`
    #[arg(
        long = "set",
        value_name = "VARIABLE=VALUE",
        required = true,
        allow_hyphen_values = true
    )]
    sets: Vec<String>,
    /// File to write: arrays `x`, `z`, `z_before` and `e`
    #[arg(long, value_name = "FILE.npz")]
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
    let sample = Sample::read(&args.data)?;
    let (n, name) = (sample.pairs.len(), args.data.display());
    ensure!(
        args.row < n,
        "--row: expected a row from 0 to {}, as {name} has {n} pairs, got {}",
        n - 1,
        args.row
    );
    model.check_width(sample.pairs.dim()).with_context(|| name.to_string())?;

    let observed = sample.pairs.before();
    let mut x = Vec::with_capacity(observed.dim());
    observed.push_row(args.row, &mut x);
    let x = Obs(upload_rows(x, observed.dim(), &model.device()));
    let z_before = model.latents(x);
    let e = model.abduct(z_before.clone());
    let row_of = |value: &dyn Fn(Option<f64>) -> f64| {
        upload(&DMatrix::from_fn(1, d, |_, k| value(set[k])), &model.device())
    };
    let action = Action {
        mask: row_of(&|v| f64::from(u8::from(v.is_some()))),
        value: row_of(&|v| v.unwrap_or(0.0)),
    };
    let z = model.counterfactual(z_before.clone(), &action);
    let x = like(observed, &download(model.decode(Causal(z.0.clone())).0));
    let [z, z_before, e] = [z.0, z_before.0, e.0].map(download);
    let arrays = [
        ("x", Array::Observations(&x)),
        ("z", Array::Matrix(&z)),
        ("z_before", Array::Matrix(&z_before)),
        ("e", Array::Matrix(&e)),
    ];
    write_arrays(&args.out, &arrays)?;
    say(&table(&comparison(&z_before, &z, &set)));
    say(&args.out.display().to_string());
    Ok(())
}

fn comparison(
    before: &DMatrix<f64>,
    after: &DMatrix<f64>,
    set: &[Option<f64>],
) -> Vec<Vec<String>> {
    let head = ["variable", "before", "after", ""].map(str::to_owned).to_vec();
    let row = |k: usize| {
        let mark = if set[k].is_some() { "set" } else { "" };
        let number = |m: &DMatrix<f64>| format!("{:.4}", m[(0, k)]);
        vec![format!("z{}", k + 1), number(before), number(after), mark.to_owned()]
    };
    std::iter::once(head).chain((0..set.len()).map(row)).collect()
}

/// The value that each variable is set to, if it is.
fn assignments(sets: &[String], d: usize) -> Result<Vec<Option<f64>>> {
    let mut set = vec![None; d];
    for text in sets {
        let (name, value) = text
            .split_once('=')
            .ok_or_else(|| anyhow!("--set {text}: expected VARIABLE=VALUE, such as z1=0.5"))?;
        let number: Option<usize> = name.strip_prefix('z').and_then(|n| n.parse().ok());
        let place = number.filter(|&n| (1..=d).contains(&n));
        let Some(place) = place else {
            bail!("--set {text}: expected a variable from z1 to z{d}, got `{name}`");
        };
        let parsed: Option<f64> = value.parse().ok().filter(|v: &f64| v.is_finite());
        let Some(parsed) = parsed else {
            bail!("--set {text}: expected a finite number, got `{value}`");
        };
        ensure!(set[place - 1].is_none(), "--set {text}: expected each variable once");
        set[place - 1] = Some(parsed);
    }
    Ok(set)
}

/// A decoded observation in the form of those it came from.
fn like(observed: &Observations, decoded: &DMatrix<f64>) -> Observations {
    match observed {
        Observations::Vectors { dim, .. } => {
            Observations::Vectors { data: decoded.iter().map(|&v| v as f32).collect(), dim: *dim }
        }
        Observations::Images { shape, .. } => {
            let byte = |&v: &f64| (v * 255.0).round().clamp(0.0, 255.0) as u8;
            Observations::Images { data: decoded.iter().map(byte).collect(), shape: *shape }
        }
    }
}

#[cfg(test)]
mod tests {
    use domino::core::ImageShape;

    use super::*;

    fn set(texts: &[&str]) -> Result<Vec<Option<f64>>> {
        assignments(&texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>(), 3)
    }

    #[test]
    fn variables_are_counted_from_one() {
        assert_eq!(set(&["z3=-1.5", "z1=2"]).unwrap(), [Some(2.0), None, Some(-1.5)]);
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

    #[test]
    fn pictures_come_back_as_bytes() {
        let shape = ImageShape { height: 1, width: 3, channels: 1 };
        let observed = Observations::Images { data: vec![0; 3], shape };
        let decoded = DMatrix::from_row_slice(1, 3, &[-0.5, 0.2, 7.0]);
        assert_eq!(
            like(&observed, &decoded),
            Observations::Images { data: vec![0, 51, 255], shape }
        );
    }
}
