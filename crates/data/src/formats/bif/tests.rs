use std::fmt::Write;

use proptest::prelude::*;

use super::*;

const ASIA: &str = include_str!("../../../tests/golden/two-causes.bif");

#[test]
fn a_network_with_two_causes_is_read() {
    let network = parse(ASIA).unwrap();
    let names: Vec<&str> = network.variables().iter().map(|v| v.name.as_str()).collect();
    assert_eq!((network.name(), names), ("two-causes", vec!["smoke", "tub", "either"]));
    assert_eq!(network.dag().edges().collect::<Vec<_>>(), [(0, 2), (1, 2)]);
    assert_eq!(network.variables()[1].states, ["yes", "no", "0-5%"]);
    // (no, 0-5%) is the last row of six.
    assert_eq!(network.probabilities(2, &[1, 2]), [0.25, 0.75]);
    assert_eq!(network.probabilities(2, &[0, 1]), [0.9, 0.1]);
}

#[test]
fn a_table_runs_through_the_variable_slowest() {
    let network = parse(
        "network n {} variable a { type discrete [ 3 ] { x, y, z }; } \
         variable b { type discrete [ 2 ] { p, q }; } probability ( a ) { table 0.2, 0.3, 0.5; } \
         probability ( b | a ) { table 0.1, 0.2, 0.3, 0.9, 0.8, 0.7; }",
    );
    let network = network.unwrap();
    for (state, expected) in [[0.1, 0.9], [0.2, 0.8], [0.3, 0.7]].iter().enumerate() {
        let got = network.probabilities(1, &[state]);
        assert!(got.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{got:?}");
    }
}

#[test]
fn rounded_rows_sum_to_one_and_others_are_refused() {
    let one = |values: &str, states: &str| {
        parse(&format!(
            "network n {{}} variable a {{ type discrete [ 3 ] {{ {states} }}; }} \
             probability ( a ) {{ table {values}; }}"
        ))
    };
    let network = one("0.333, 0.333, 0.333", "x, y, z").unwrap();
    assert!((network.probabilities(0, &[]).iter().sum::<f64>() - 1.0).abs() < 1e-12);
    let refusal = |values, states| one(values, states).unwrap_err().to_string();
    let sum =
        "probabilities of a: expected a distribution over 3 states in row 0, got the sum 0.75";
    assert_eq!(refusal("0.25, 0.25, 0.25", "x, y, z"), sum);
    assert_eq!(refusal("0.5, 0.5", "x, y, z"), "probabilities of a: expected 3 values, got 2");
    assert_eq!(refusal("1, 0, 0", "x, y"), "line 1: expected 3 states, got 2");
    assert_eq!(refusal("1, 0, 0", "x, y, x"), "line 1: expected different states, got x twice");
    assert!(refusal("1, -0.1, 0.1", "x, y, z").ends_with("expected values from 0 to 1, got -0.1"));
    assert!(refusal("nan, 0, 0", "x, y, z").ends_with("expected values from 0 to 1, got NaN"));
}

#[test]
fn missing_and_repeated_rows_unknown_names_and_cycles_are_named() {
    let refusal = |from: &str, to: &str| {
        assert!(ASIA.contains(from), "{from}");
        parse(&ASIA.replacen(from, to, 1)).unwrap_err().to_string()
    };
    let missing = refusal("(no, \"0-5%\") 0.25, 0.75;", "");
    assert!(missing.ends_with("a distribution over 2 states in row 5, got none"), "{missing}");
    assert!(refusal("(no, no)", "(no, yes)").ends_with("got row 3 again"));
    assert!(refusal("(no, no)", "(no, maybe)").contains("expected a state of tub, got \"maybe\""));
    assert!(refusal("either | smoke", "either | smog").contains("a variable declared above"));
    let cycle = refusal(
        "probability ( smoke ) {\n  table 0.5, 0.5;",
        "probability ( smoke | either ) {\n default 0.5, 0.5;",
    );
    assert!(cycle.starts_with("the graph has a cycle"), "{cycle}");
    assert!(parse("").unwrap_err().to_string().contains("at least one variable"));
}

#[test]
fn a_default_cannot_stand_for_more_rows_than_the_text_allows() {
    let states: Vec<String> = (0..50).map(|k| format!("s{k}")).collect();
    let mut text = String::from("network n {}");
    for name in ["a", "b", "c", "d", "e"] {
        write!(text, " variable {name} {{ type discrete [ 50 ] {{ {} }}; }}", states.join(","))
            .unwrap();
    }
    text += " probability ( a | b, c, d, e ) { default 1; }";
    let error = parse(&text).unwrap_err().to_string();
    assert!(error.starts_with("probabilities of a: expected at most"), "{error}");
}

proptest! {
    #[test]
    fn no_text_panics(text in "[a-c{}()\\[\\],;|\" 0-2\n./*]{0,60}", at in 0_usize..400) {
        let _ = parse(&text);
        let at = at.min(ASIA.len());
        if ASIA.is_char_boundary(at) {
            // A network cut short is none, but at the very end.
            prop_assert!(parse(&ASIA[..at]).is_err() || at + 2 > ASIA.len());
        }
    }
}
