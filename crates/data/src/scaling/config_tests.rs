use super::*;
use schemars::schema_for;

fn read(toml: &str) -> Result<ScalingConfig, String> {
    let deserializer = toml::Deserializer::parse(toml).map_err(|e| e.to_string())?;
    serde_path_to_error::deserialize(deserializer)
        .map_err(|e| format!("{}: {}", e.path(), e.inner().message()))
}

fn refusal(config: ScalingConfig) -> String {
    World::draw(&config).unwrap_err().to_string()
}

#[test]
fn names_alone_stand_for_default_options() {
    let config = read("graph = 'random'\nmechanisms = 'mlp'\nmixing = 'leaky_relu'").unwrap();
    let written_out = ScalingConfig {
        graph: GraphConfig::Random(RandomGraph { edge_probability: 0.5 }),
        mechanisms: MechanismConfig::Mlp(MlpConfig {
            hidden: 16,
            location_std: 1.2,
            log_scale: 0.4,
        }),
        mixing: MixingConfig::LeakyRelu(LeakyReluConfig { slope: 0.25, layers: 2, shift: 0.2 }),
        ..ScalingConfig::default()
    };
    assert_eq!(config, written_out);
    assert_eq!(read("").unwrap(), ScalingConfig::default());
    assert_eq!(read("graph = 'chain'").unwrap().graph, GraphConfig::Chain);
}

#[test]
fn tables_set_options() {
    let config =
        read("[mechanisms.mlp]\nhidden = 8\n[graph.random]\nedge_probability = 0.2").unwrap();
    let MechanismConfig::Mlp(mlp) = &config.mechanisms else { panic!("{config:?}") };
    assert_eq!((mlp.hidden, mlp.location_std), (8, 1.2));
    assert_eq!(config.graph, GraphConfig::Random(RandomGraph { edge_probability: 0.2 }));
    let edges = read("graph = { edges = [[0, 1], [2, 1]] }").unwrap();
    assert_eq!(edges.graph, GraphConfig::Edges(vec![(0, 1), (2, 1)]));
    let linear = read("mechanisms = { linear = { weights = 'standard' } }").unwrap();
    let standard = LinearConfig { weights: WeightLaw::Standard };
    assert_eq!(linear.mechanisms, MechanismConfig::Linear(standard));
}

#[test]
fn mistakes_are_named_by_key() {
    let message = |toml| read(toml).unwrap_err();
    let unknown = message("[mechanisms.mlp]\nhiden = 8");
    assert!(
        unknown.starts_with("mechanisms.mlp.hiden: unknown field `hiden`, expected"),
        "{unknown}"
    );
    let wrong = message("[mixing.leaky_relu]\nlayers = 'two'");
    assert!(wrong.starts_with("mixing.leaky_relu.layers: invalid type: string"), "{wrong}");
    let name = message("graph = 'spiral'");
    assert!(
        name.starts_with("graph: unknown variant `spiral`, expected one of `random`"),
        "{name}"
    );
    let two = message("[graph.random]\n[graph.edges]");
    assert!(two.starts_with("graph"), "{two}");
    assert!(message("dimension = 3").contains("unknown field `dimension`"));
    assert!(message("graph = 'edges'").starts_with("graph"), "edges need a list");
}

#[test]
fn configs_survive_toml_and_json() {
    let odd = ScalingConfig {
        seed: 9,
        d: 3,
        dim_x: Some(5),
        graph: GraphConfig::Edges(vec![(2, 0)]),
        mechanisms: MechanismConfig::Mlp(MlpConfig { hidden: 4, ..MlpConfig::default() }),
        mixing: MixingConfig::LeakyRelu(LeakyReluConfig {
            layers: 3,
            ..LeakyReluConfig::default()
        }),
        observation_noise: 0.25,
        levels: vec![0, 2, 7],
        ..ScalingConfig::default()
    };
    for config in [odd, ScalingConfig::default()] {
        assert_eq!(read(&toml::to_string(&config).unwrap()).unwrap(), config);
        let json = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<ScalingConfig>(&json).unwrap(), config);
    }
}

#[test]
fn options_out_of_range_are_refused_with_numbers() {
    let base = ScalingConfig::default;
    assert_eq!(refusal(ScalingConfig { d: 0, ..base() }), "d: expected at least 1, got 0");
    let narrow = ScalingConfig { d: 4, dim_x: Some(3), ..base() };
    assert_eq!(refusal(narrow), "dim_x: expected at least 4, got 3");
    let graph = GraphConfig::Random(RandomGraph { edge_probability: 1.5 });
    assert_eq!(
        refusal(ScalingConfig { graph, ..base() }),
        "graph.random.edge_probability: expected a number from 0 to 1, got 1.5"
    );
    let noise = ScalingConfig { observation_noise: f64::NAN, ..base() };
    assert_eq!(refusal(noise), "observation_noise: expected a finite number, 0 or more, got NaN");
    let mixing = MixingConfig::LeakyRelu(LeakyReluConfig { slope: 0.0, ..Default::default() });
    assert_eq!(
        refusal(ScalingConfig { mixing, ..base() }),
        "mixing.leaky_relu.slope: expected a finite number above 0, got 0"
    );
    let mechanisms = MechanismConfig::Mlp(MlpConfig { hidden: 0, ..Default::default() });
    assert_eq!(
        refusal(ScalingConfig { mechanisms, ..base() }),
        "mechanisms.mlp.hidden: expected at least 1, got 0"
    );
}

#[test]
fn levels_are_one_number_per_variable_and_not_one() {
    let with =
        |levels: &[usize]| refusal(ScalingConfig { levels: levels.to_vec(), ..Default::default() });
    assert_eq!(with(&[2]), "levels: expected 2 values, one per variable, got 1");
    assert_eq!(with(&[0, 1]), "levels, of a discrete variable: expected at least 2, got 1");
    assert_eq!(with(&[65, 0]), "levels, of a discrete variable: expected at most 64, got 65");
}

#[test]
fn given_graphs_must_be_acyclic_and_in_range() {
    let with =
        |edges| ScalingConfig { d: 3, graph: GraphConfig::Edges(edges), ..Default::default() };
    let cycle = refusal(with(vec![(0, 1), (1, 0)]));
    assert!(cycle.starts_with("graph: the graph has a cycle through variable"), "{cycle}");
    assert_eq!(refusal(with(vec![(0, 3)])), "graph: edge 0 -> 3: expected variables below 3");
}

#[test]
fn the_schema_knows_both_forms() {
    let schema = serde_json::to_value(schema_for!(ScalingConfig)).unwrap();
    let mechanisms = &schema["properties"]["mechanisms"];
    assert_eq!(mechanisms["anyOf"][0]["enum"], serde_json::json!(["linear", "mlp"]));
    assert_eq!(mechanisms["anyOf"][1]["$ref"], "#/$defs/MechanismConfig");
    assert!(mechanisms["description"].as_str().unwrap().contains("`linear` or `mlp`"));
    assert_eq!(schema["properties"]["d"]["minimum"], 1);
    assert_eq!(schema["additionalProperties"], false);
}
