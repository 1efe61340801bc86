use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use domino::core::{Seed, Stream, StreamRng};
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use super::file::{Draw, RandomAxes, SweepFile, Variant};
use crate::config::{ConfigError, resolve_file, to_canonical_toml};
use crate::settings::{Settings, SettingsError};

/// Hexadecimal digits of a line's id: 64 bits, for lines counted in millions.
const ID_DIGITS: usize = 16;

/// One run of a study.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Its place in the plan, counted from 0.
    pub index: usize,
    /// BLAKE3 of its configuration and its repeat, 16 hexadecimal digits.
    pub id: String,
    /// What distinguishes it from the other lines but seed and repeat: the variant and every key
    /// of grid and random draws.
    pub factors: BTreeMap<String, Value>,
    /// Its seed.
    pub seed: u64,
    /// Which of several equal runs it is, counted from 0.
    pub repeat: usize,
    /// The whole configuration, as canonical TOML.
    pub config: String,
}

/// Every run of a study.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Name of the study.
    pub name: String,
    /// Its runs.
    pub lines: Vec<Line>,
}

/// Why a sweep file yields no plan.
#[derive(Debug, Error)]
pub enum PlanError {
    /// A file or key is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A run's settings contradict each other.
    #[error("run {index} ({factors}): {reason}")]
    Settings {
        /// The line.
        index: usize,
        /// What distinguishes it.
        factors: String,
        /// What is wrong.
        reason: SettingsError,
    },
    /// A line cannot be written.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// The sweep file contradicts itself.
    #[error("{key}: expected {expected}, got {got}")]
    File {
        /// The key.
        key: String,
        /// What would do.
        expected: &'static str,
        /// What is there.
        got: String,
    },
    /// Two lines are one run.
    #[error(
        "runs {first} and {second} are the same ({factors}): expected each run once; a later key may undo a grid's"
    )]
    Twice {
        /// The first line.
        first: usize,
        /// The second line.
        second: usize,
        /// What is said to distinguish it.
        factors: String,
    },
}

impl Line {
    /// The factors on one line, as in `data.scaling.d=4 variant=thin`.
    pub fn label(&self) -> String {
        assignments(&self.factors)
    }
}

/// Keys with their values on one line.
pub(super) fn assignments(factors: &BTreeMap<String, Value>) -> String {
    let part = |(key, value): (&String, &Value)| format!("{key}={}", text(value));
    factors.iter().map(part).collect::<Vec<_>>().join(" ")
}

/// A value as people write it.
pub(super) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// One combination of all that varies but the seed.
#[derive(Clone, Default)]
struct Point {
    config: Option<PathBuf>,
    /// The name of the variant, for exclusions and tables.
    factors: BTreeMap<String, Value>,
    set: Vec<(String, Value)>,
}

impl Plan {
    /// The plan of a sweep file.
    ///
    /// # Errors
    /// [`PlanError`] naming the key of the sweep file, or the run whose settings are wrong.
    pub fn of_file(path: &Path) -> Result<(SweepFile, Self), PlanError> {
        let file: SweepFile = resolve_file(path, &[] as &[&str])?;
        let plan = Self::new(&file, path.parent().unwrap_or(Path::new("")))?;
        Ok((file, plan))
    }

    fn new(file: &SweepFile, folder: &Path) -> Result<Self, PlanError> {
        check(file)?;
        let mut lines: Vec<Line> = Vec::new();
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for point in points(file) {
            for seed in file.seeds.values() {
                if file.exclude.iter().any(|rule| excludes(rule, &point, seed)) {
                    continue;
                }
                let config = settle(file, folder, &point, seed, lines.len())?;
                for repeat in 0..file.repeats {
                    let (index, id) = (lines.len(), id(&config, repeat));
                    let factors = point.factors.clone();
                    let line = Line { index, id, factors, seed, repeat, config: config.clone() };
                    if let Some(&first) = seen.get(&line.id) {
                        return Err(PlanError::Twice {
                            first,
                            second: index,
                            factors: line.label(),
                        });
                    }
                    seen.insert(line.id.clone(), index);
                    lines.push(line);
                }
            }
        }
        if lines.is_empty() {
            return Err(wrong("exclude", "at least one run to be left", "none"));
        }
        Ok(Self { name: file.name.clone(), lines })
    }

    /// One line of JSON per run.
    ///
    /// # Errors
    /// [`PlanError::Json`] if JSON cannot express one.
    pub fn to_jsonl(&self) -> Result<String, PlanError> {
        let line = |line: &Line| Ok(serde_json::to_string(line)? + "\n");
        self.lines.iter().map(line).collect()
    }

    /// Names of all factors, sorted.
    pub fn factors(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.lines.iter().flat_map(|line| line.factors.keys().cloned()).collect();
        names.sort();
        names.dedup();
        names
    }
}

fn wrong(key: impl Into<String>, expected: &'static str, got: impl ToString) -> PlanError {
    PlanError::File { key: key.into(), expected, got: got.to_string() }
}

fn check(file: &SweepFile) -> Result<(), PlanError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if file.name.is_empty() || file.name.starts_with('.') || !file.name.chars().all(plain) {
        return Err(wrong("name", "letters, digits, `.`, `_` and `-`", &file.name));
    }
    if file.repeats == 0 {
        return Err(wrong("repeats", "at least 1", 0));
    }
    if file.seeds.values().is_empty() || file.seeds.keys.is_empty() {
        return Err(wrong("seeds", "at least one seed and one key", "none"));
    }
    for (key, values) in &file.grid {
        if values.is_empty() {
            return Err(wrong(format!("grid.{key}"), "at least one value", "none"));
        }
    }
    check_names("variant.name", file.variant.iter().map(|v| v.name.as_str()))?;
    check_names("world.name", file.world.iter().map(|w| w.name.as_str()))?;
    file.random.as_ref().map_or(Ok(()), check_random)
}

fn check_names<'a>(key: &str, names: impl Iterator<Item = &'a str>) -> Result<(), PlanError> {
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(wrong(key, "a name of its own for each", pair[0])),
        None => Ok(()),
    }
}

fn check_random(random: &RandomAxes) -> Result<(), PlanError> {
    for (key, draw) in &random.keys {
        let key = format!("random.keys.{key}");
        match draw {
            Draw::Uniform([low, high]) if low.is_nan() || high.is_nan() || low > high => {
                return Err(wrong(key, "[low, high]", format!("[{low}, {high}]")));
            }
            Draw::LogUniform([low, high]) if !(*low > 0.0 && low <= high) => {
                return Err(wrong(key, "[low, high] above 0", format!("[{low}, {high}]")));
            }
            Draw::Integer([low, high]) if low > high => {
                return Err(wrong(key, "[low, high]", format!("[{low}, {high}]")));
            }
            Draw::Choice(values) if values.is_empty() => {
                return Err(wrong(key, "at least one value", "none"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Worlds, then variants, then grid, then random draws, the last varying fastest.
fn points(file: &SweepFile) -> Vec<Point> {
    let mut points = vec![Point::default()];
    if !file.world.is_empty() {
        points = file
            .world
            .iter()
            .map(|world| points[0].named("world", &world.name, &world.set))
            .collect();
    }
    if !file.variant.is_empty() {
        let spread = |point: &Point| -> Vec<Point> {
            let of = |variant: &Variant| Point {
                config: variant.config.clone(),
                ..point.named("variant", &variant.name, &variant.set)
            };
            file.variant.iter().map(of).collect()
        };
        points = points.iter().flat_map(spread).collect();
    }
    for (key, values) in &file.grid {
        let spread = |point: &Point| -> Vec<Point> {
            values.iter().map(|value| point.with(key, value.clone())).collect()
        };
        points = points.iter().flat_map(spread).collect();
    }
    let Some(random) = &file.random else { return points };
    let spread = |point: &Point| -> Vec<Point> {
        (0..random.count)
            .map(|at| {
                random.keys.iter().enumerate().fold(point.clone(), |point, (place, (key, draw))| {
                    point.with(key, draw.value(&mut generator(random.seed, at, place)))
                })
            })
            .collect()
    };
    points.iter().flat_map(spread).collect()
}

/// A generator for each number, so that neither another key nor another point shifts it.
fn generator(seed: u64, point: usize, key: usize) -> StreamRng {
    Seed(seed).rng_at(Stream::Eval, (key as u64) << 32 | point as u64)
}

impl Point {
    /// The point with further settings, which a factor tells by their name.
    fn named(&self, factor: &str, name: &str, set: &BTreeMap<String, Value>) -> Self {
        let mut point = self.clone();
        point.factors.insert(factor.to_owned(), Value::String(name.to_owned()));
        point.set.extend(set.clone());
        point
    }

    fn with(&self, key: &str, value: Value) -> Self {
        let mut point = self.clone();
        point.factors.insert(key.to_owned(), value.clone());
        point.set.push((key.to_owned(), value));
        point
    }
}

impl Draw {
    fn value(&self, rng: &mut dyn Rng) -> Value {
        match self {
            Self::Uniform([low, high]) => (low + (high - low) * rng.random::<f64>()).into(),
            Self::LogUniform([low, high]) => {
                (low.ln() + (high / low).ln() * rng.random::<f64>()).exp().clamp(*low, *high).into()
            }
            Self::Integer([low, high]) => rng.random_range(*low..=*high).into(),
            Self::Choice(values) => values[rng.random_range(0..values.len())].clone(),
        }
    }
}

fn excludes(rule: &BTreeMap<String, Value>, point: &Point, seed: u64) -> bool {
    let seed = Value::from(seed);
    !rule.is_empty()
        && rule.iter().all(|(key, value)| {
            let found = if key == "seed" { Some(&seed) } else { point.factors.get(key) };
            found == Some(value)
        })
}

/// The configuration of one run.
fn settle(
    file: &SweepFile,
    folder: &Path,
    point: &Point,
    seed: u64,
    index: usize,
) -> Result<String, PlanError> {
    let path = folder.join(point.config.as_ref().unwrap_or(&file.config));
    let keys = file.set.iter().map(|(key, value)| (key.clone(), value.clone()));
    let seeds = file.seeds.keys.iter().map(|key| (key.clone(), Value::from(seed)));
    let overrides: Vec<String> = keys
        .chain(point.set.iter().cloned())
        .chain(seeds)
        .map(|(key, value)| Ok(format!("{key}={}", toml_text(&key, value)?)))
        .collect::<Result<_, PlanError>>()?;
    let settings: Settings = resolve_file(&path, &overrides)?;
    settings.validate().map_err(|reason| PlanError::Settings {
        index,
        factors: assignments(&point.factors),
        reason,
    })?;
    Ok(to_canonical_toml(&settings)?)
}

/// A value as the TOML of an override.
fn toml_text(key: &str, value: Value) -> Result<String, PlanError> {
    let got = value.to_string();
    toml::Value::try_from(value)
        .map(|value| value.to_string())
        .map_err(|_| wrong(key, "a value that TOML can express", got))
}

fn id(config: &str, repeat: usize) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(config.as_bytes());
    if repeat > 0 {
        hasher.update(format!("repeat {repeat}").as_bytes());
    }
    let mut hex = hasher.finalize().to_hex().to_string();
    hex.truncate(ID_DIGITS);
    hex
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const BASE: &str = "name = 'base'\n[data.scaling]\nd = 2\n";

    fn plan(text: &str) -> Result<Plan, PlanError> {
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join("base.toml"), BASE).unwrap();
        let path = place.path().join("sweep.toml");
        fs::write(&path, format!("name = 's'\nconfig = 'base.toml'\n{text}")).unwrap();
        Plan::of_file(&path).map(|(_, plan)| plan)
    }

    #[test]
    fn everything_is_combined_and_the_seed_varies_fastest() {
        let plan = plan(
            "seeds = { first = 1000, count = 2, keys = ['seed', 'data.scaling.seed'] }
             grid = { 'data.scaling.d' = [2, 4] }
             variant = [{ name = 'a' }, { name = 'b', set = { 'model.replicas' = 1 } }]",
        )
        .unwrap();
        let short = |l: &Line| format!("{} {}", l.label(), l.seed);
        assert_eq!(plan.lines.len(), 8);
        assert_eq!(short(&plan.lines[0]), "data.scaling.d=2 variant=a 1000");
        assert_eq!(short(&plan.lines[3]), "data.scaling.d=4 variant=a 1001");
        assert_eq!(short(&plan.lines[7]), "data.scaling.d=4 variant=b 1001");
        let last: Settings = resolve_text(&plan.lines[7].config);
        let scaling = last.data.scaling.unwrap();
        assert_eq!((last.seed, scaling.seed, scaling.d, last.model.replicas), (1001, 1001, 4, 1));
    }

    #[test]
    fn every_variant_meets_every_world() {
        let plan = plan(
            "world = [{ name = 'small', set = { 'data.scaling.d' = 3 } },
                      { name = 'large', set = { 'data.scaling.d' = 5 } }]
             variant = [{ name = 'a' }, { name = 'b', set = { 'model.replicas' = 1 } }]
             exclude = [{ world = 'large', variant = 'a' }]",
        )
        .unwrap();
        let labels: Vec<_> = plan.lines.iter().map(Line::label).collect();
        assert_eq!(
            labels,
            ["variant=a world=small", "variant=b world=small", "variant=b world=large"]
        );
        let d = |l: &Line| resolve_text(&l.config).data.scaling.unwrap().d;
        assert_eq!(plan.lines.iter().map(d).collect::<Vec<_>>(), [3, 3, 5]);
        assert_eq!(resolve_text(&plan.lines[2].config).model.replicas, 1);
    }

    fn resolve_text(text: &str) -> Settings {
        crate::config::resolve(text, "line", &[] as &[&str]).unwrap()
    }

    #[test]
    fn ids_are_of_the_content_and_of_nothing_else() {
        let one = plan("grid = { 'data.scaling.d' = [2, 4] }").unwrap();
        let other = plan("grid = { 'data.scaling.d' = [4, 8] }").unwrap();
        assert_eq!(one.lines[1].id, other.lines[0].id);
        assert_ne!(one.lines[0].id, one.lines[1].id);
        let repeated = plan("repeats = 2\ngrid = { 'data.scaling.d' = [4] }").unwrap();
        assert_eq!(repeated.lines[0].id, other.lines[0].id);
        assert_ne!(repeated.lines[1].id, other.lines[0].id);
        assert_eq!(repeated.lines[1].config, repeated.lines[0].config);
    }

    #[test]
    fn exclusions_match_all_their_keys() {
        let plan = plan(
            "seeds = { list = [5, 7] }
             grid = { 'data.scaling.d' = [2, 4] }
             exclude = [{ 'data.scaling.d' = 4, seed = 5 }]",
        )
        .unwrap();
        let left: Vec<_> = plan.lines.iter().map(|l| (l.label(), l.seed)).collect();
        let line = |d: usize, seed| (format!("data.scaling.d={d}"), seed);
        assert_eq!(left, [line(2, 5), line(2, 7), line(4, 7)]);
    }

    #[test]
    fn more_random_points_begin_with_the_same_ones() {
        let plan = |count: usize| {
            plan(&format!(
                "[random]\ncount = {count}\nseed = 3\n[random.keys]\n\
                 'data.train' = {{ integer = [100, 200] }}\n\
                 'data.scaling.observation_noise' = {{ log_uniform = [0.01, 0.1] }}\n"
            ))
        };
        let (few, more) = (plan(2).unwrap(), plan(3).unwrap());
        assert_eq!(few.lines[..], more.lines[..2]);
        let of = |key: &str| more.lines.iter().map(|l| l.factors[key].as_f64().unwrap()).collect();
        let (sizes, noises): (Vec<f64>, Vec<f64>) =
            (of("data.train"), of("data.scaling.observation_noise"));
        assert!(sizes.iter().all(|n| (100.0..=200.0).contains(n)));
        assert!((sizes[0] - sizes[1]).abs() > 0.5);
        assert!(noises.iter().all(|n| (0.01..=0.1).contains(n)));
    }

    #[test]
    fn mistakes_name_their_key() {
        let error = |text: &str| plan(text).unwrap_err().to_string();
        assert!(error("repeat = 2").contains("repeat"), "{}", error("repeat = 2"));
        assert!(error("grid = { 'data.scaling.dd' = [1] }").contains("dd"));
        assert_eq!(error("repeats = 0"), "repeats: expected at least 1, got 0");
        assert!(error("grid = { 'data.scaling.d' = [] }").starts_with("grid.data.scaling.d: "));
        assert!(error("set = { name = '../up' }").contains("run 0"));
        let twice = error("grid = { 'data.scaling.d' = [4, 4] }");
        assert!(twice.starts_with("runs 0 and 1 are the same"), "{twice}");
        assert!(error("seeds = { list = [1] }\nexclude = [{ seed = 1 }]").contains("exclude"));
    }
}
