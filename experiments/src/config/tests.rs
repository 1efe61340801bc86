use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::*;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Experiment {
    name: String,
    seed: u64,
    train: Train,
    #[serde(default)]
    phase: Vec<Phase>,
    start: Option<Start>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Train {
    lr: f64,
    #[serde(default)]
    batch: usize,
    optimizer: Optimizer,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Optimizer {
    Adam { beta: f64 },
    Sgd { momentum: f64 },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Start {
    Random,
    Ica { contrast: String },
    Fixed { angle: f64 },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Phase {
    name: String,
    steps: usize,
}

const TEXT: &str = r#"
name = "chain"
seed = 7
[train]
lr = 0.1
optimizer.adam.beta = 0.9
[[phase]]
name = "variables"
steps = 10
[[phase]]
name = "mechanisms"
steps = 20
[start.ica]
contrast = "tanh"
"#;

fn with(overrides: &[&str]) -> Result<Experiment, ConfigError> {
    resolve(TEXT, "chain.toml", overrides)
}

fn message(overrides: &[&str]) -> String {
    with(overrides).expect_err("the override is wrong").to_string()
}

#[test]
fn overrides_are_toml_values_or_else_strings() -> Result<(), ConfigError> {
    let config = with(&["train.lr=3e-4", "name=a chain of 4", "train.batch=64", "seed = 8"])?;
    assert!((config.train.lr - 3e-4).abs() < 1e-15);
    assert_eq!((config.name.as_str(), config.train.batch, config.seed), ("a chain of 4", 64, 8));
    assert_eq!(with(&["name=\"7\""])?.name, "7");
    Ok(())
}

#[test]
fn an_index_reaches_into_an_array_of_tables() -> Result<(), ConfigError> {
    let config = with(&["phase.1.steps=99"])?;
    assert_eq!(config.phase.iter().map(|phase| phase.steps).collect::<Vec<_>>(), [10, 99]);
    assert_eq!(
        message(&["phase.2.steps=1"]),
        "override `phase.2.steps=1`: phase is an array of 2, which has no `2`: expected an index \
         below its length"
    );
    Ok(())
}

#[test]
fn another_variant_replaces_the_whole_table() -> Result<(), ConfigError> {
    let config = with(&["start.fixed.angle=0.5"])?;
    assert_eq!(config.start, Some(Start::Fixed { angle: 0.5 }));
    assert_eq!(with(&["start=random"])?.start, Some(Start::Random));
    assert_eq!(
        with(&["start=random", "start.ica.contrast=cube"])?.start,
        Some(Start::Ica { contrast: "cube".to_owned() })
    );
    let config = with(&["train.optimizer.sgd.momentum=0.5"])?;
    assert_eq!(config.train.optimizer, Optimizer::Sgd { momentum: 0.5 });
    Ok(())
}

#[test]
fn the_same_variant_keeps_its_other_keys() -> Result<(), ConfigError> {
    let config = with(&["train.optimizer.adam.beta=0.5"])?;
    assert_eq!(config.train.optimizer, Optimizer::Adam { beta: 0.5 });
    Ok(())
}

/// Two stages that train differently, the second one of several kinds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Stages {
    rough: Training,
    fine: Training,
    last: Last,
    several: Vec<Last>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Training {
    steps: usize,
    lr: f64,
    warm_up: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Last {
    Trained(Training),
    Solved { ridge: f64 },
}

impl Default for Training {
    fn default() -> Self {
        Self { steps: 10, lr: 0.1, warm_up: None }
    }
}

impl Default for Stages {
    fn default() -> Self {
        let fine = Training { steps: 50, lr: 0.01, warm_up: Some(5) };
        Self {
            rough: Training::default(),
            last: Last::Trained(fine.clone()),
            fine,
            several: vec![],
        }
    }
}

#[test]
fn to_set_one_key_changes_no_other() -> Result<(), ConfigError> {
    let stages = |text, overrides: &[&str]| resolve::<Stages>(text, "x.toml", overrides);
    let default = Stages::default();
    let longer = Stages { fine: Training { steps: 80, ..default.fine.clone() }, ..default.clone() };
    assert_eq!(stages("[fine]\nsteps = 80", &[])?, longer);
    assert_eq!(stages("", &["fine.steps=80"])?, longer);
    assert_eq!(stages("", &["fine={ steps = 80 }"])?, longer);
    assert_eq!(
        stages("fine.lr = 0.2", &["fine={ steps = 80 }"])?.fine.lr.to_bits(),
        0.2_f64.to_bits()
    );

    let last = Last::Trained(Training { steps: 80, ..default.fine.clone() });
    assert_eq!(stages("", &["last.trained.steps=80"])?.last, last);
    let solved = Last::Solved { ridge: 1.0 };
    assert_eq!(stages("last.solved.ridge = 1.0", &[])?.last, solved);
    // Of what stands in a list, only its own type says what holds by default.
    let own = Last::Trained(Training { steps: 80, ..Training::default() });
    assert_eq!(stages("[[several]]\ntrained.steps = 80", &[])?.several, [own]);
    Ok(())
}

#[test]
fn errors_name_the_source_the_key_and_what_was_expected() {
    let text = TEXT.replace("lr = 0.1", "lr = 0.1\nlrr = 0.1");
    let error = resolve::<Experiment>(&text, "configs/x.toml", &[] as &[&str]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "configs/x.toml: train.lrr: unknown field `lrr`, expected one of `lr`, `batch`, `optimizer`"
    );
    assert_eq!(
        message(&["phase.0.steps=ten"]),
        "override `phase.0.steps=ten`: phase[0].steps: invalid type: string \"ten\", expected usize"
    );
    assert_eq!(
        message(&["train.lr=1", "train.lrr=2"]),
        "override `train.lrr=2`: train.lrr: unknown field `lrr`, expected one of `lr`, `batch`, \
         `optimizer`"
    );
    let error = resolve::<Experiment>("name = 'x'", "x.toml", &[] as &[&str]).unwrap_err();
    assert_eq!(error.to_string(), "x.toml: top level: missing field `seed`");
}

#[test]
fn a_malformed_override_says_what_one_looks_like() {
    assert_eq!(message(&["train.lr"]), "override `train.lr`: expected key.sub=value");
    assert_eq!(message(&["train..lr=1"]), "override `train..lr=1`: expected key.sub=value");
    assert_eq!(
        message(&["name.first=x"]),
        "override `name.first=x`: name is of type string: expected a table or an array"
    );
}

#[test]
fn a_value_cannot_smuggle_in_a_second_key() {
    assert_eq!(
        with(&["name=1\nseed=9"]).map(|c| (c.name, c.seed)).unwrap(),
        ("1\nseed=9".into(), 7)
    );
}

#[test]
fn a_syntax_error_shows_the_line() {
    let error = resolve::<Experiment>("name = \nseed = 1", "x.toml", &[] as &[&str]).unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("x.toml: TOML parse error at line 1"), "{text}");
}

#[test]
fn seeds_stay_below_two_to_the_63() {
    let limit = "must stay below 2^63 = 9223372036854775808";
    assert_eq!(with(&["seed=9223372036854775807"]).unwrap().seed, (1 << 63) - 1);
    let by_override = message(&["seed=9223372036854775808"]);
    assert!(
        by_override.starts_with("override `seed=9223372036854775808`: 9223372036854775808 is out")
            && by_override.ends_with(limit),
        "{by_override}"
    );
    let text = TEXT.replace("seed = 7", "seed = 9223372036854775808");
    let by_file = resolve::<Experiment>(&text, "x.toml", &[] as &[&str]).unwrap_err().to_string();
    assert!(by_file.starts_with("x.toml: ") && by_file.ends_with(limit), "{by_file}");
    let config = Experiment { seed: 1 << 63, ..with(&[]).unwrap() };
    let by_value = config_hash(&config).unwrap_err().to_string();
    assert!(by_value.ends_with(limit), "{by_value}");
}

#[test]
fn the_hash_forgets_the_order_of_keys_and_sees_every_value() -> Result<(), ConfigError> {
    let swapped = TEXT.replace("name = \"chain\"\nseed = 7", "seed = 7\nname = \"chain\"");
    assert_ne!(swapped, TEXT);
    let swapped: Experiment = resolve(&swapped, "x.toml", &[] as &[&str])?;
    let hash = config_hash(&with(&[])?)?;
    assert_eq!(config_hash(&swapped)?, hash);
    assert_ne!(config_hash(&with(&["train.lr=0.2"])?)?, hash);
    assert!(hash.len() == 12 && hash.chars().all(|c| c.is_ascii_hexdigit()));
    Ok(())
}

#[test]
fn canonical_toml_reads_back_as_the_same_configuration() -> Result<(), ConfigError> {
    let config = with(&["start=random"])?;
    let text = to_canonical_toml(&config)?;
    let again: Experiment = resolve(&text, "config.toml", &[] as &[&str])?;
    assert_eq!(again, config);
    assert_eq!(to_canonical_toml(&again)?, text);
    Ok(())
}

#[test]
fn a_file_inherits_from_its_base_key_by_key() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("base.toml"), TEXT)?;
    let child = folder.path().join("child.toml");
    std::fs::write(&child, "base = \"./base.toml\"\ntrain.lr = 0.5\nstart.fixed.angle = 1.0\n")?;
    let config: Experiment = resolve_file(&child, &["train.batch=3"])?;
    assert!((config.train.lr - 0.5).abs() < 1e-15);
    assert_eq!((config.name.as_str(), config.train.batch), ("chain", 3));
    assert_eq!(config.start, Some(Start::Fixed { angle: 1.0 }));
    assert_eq!(config.train.optimizer, with(&[])?.train.optimizer);
    Ok(())
}

#[test]
fn an_inherited_mistake_is_reported_where_it_stands() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let base = folder.path().join("base.toml");
    std::fs::write(&base, TEXT.replace("lr = 0.1", "lr = 'fast'"))?;
    let child = folder.path().join("child.toml");
    std::fs::write(&child, "base = \"base.toml\"\nseed = 1\n")?;
    let error = resolve_file::<Experiment>(&child, &[] as &[&str]).unwrap_err().to_string();
    assert_eq!(
        error,
        format!("{}: train.lr: invalid type: string \"fast\", expected f64", base.display())
    );
    Ok(())
}

#[test]
fn a_cycle_of_bases_is_refused() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let (a, b) = (folder.path().join("a.toml"), folder.path().join("b.toml"));
    std::fs::write(&a, "base = \"b.toml\"")?;
    std::fs::write(&b, "base = \"./x/../a.toml\"")?;
    let error = resolve_file::<Experiment>(&a, &[] as &[&str]).unwrap_err().to_string();
    let (a, b) = (a.display(), b.display());
    assert_eq!(
        error,
        format!("{a} -> {b} -> {a}: the chain of base files is a cycle: expected it to end")
    );
    Ok(())
}

#[test]
fn a_base_must_be_a_path_that_exists() {
    let refuse =
        |text| resolve::<Experiment>(text, "x.toml", &[] as &[&str]).unwrap_err().to_string();
    assert_eq!(refuse("base = 3"), "x.toml: base: expected the path of a TOML file, got integer");
    assert!(refuse("base = 'absent.toml'").starts_with("absent.toml: "));
}

#[test]
fn the_schema_names_every_key() -> Result<(), Box<dyn std::error::Error>> {
    let schema: serde_json::Value = serde_json::from_str(&json_schema::<Experiment>()?)?;
    assert_eq!(schema["title"], "Experiment");
    assert_eq!(schema["$defs"]["Phase"]["required"], serde_json::json!(["name", "steps"]));
    Ok(())
}
