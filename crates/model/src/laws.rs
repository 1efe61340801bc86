//! The laws of a structural causal model, stated once for every implementer.

use burn::tensor::Tensor;
use domino_core::{Seed, Stream};

use crate::{Action, Causal, Noise, Scm, cpu, download, standard_normal};

/// Rows on which the laws are tried.
const ROWS: usize = 16;

/// Edges less probable than this count as absent.
const EDGE: f64 = 0.5;

/// Asserts the laws of an SCM on random noise, to an absolute `tolerance`:
///
/// 1. `s⁻¹(s(e)) = e`, and `s(s⁻¹(z)) = z`;
/// 2. the empty intervention changes nothing;
/// 3. the target takes its value;
/// 4. variables that no path of [`edge_probs`](Scm::edge_probs) leads to do not move.
///
/// # Panics
/// If a law is broken.
pub fn assert_scm_laws(scm: &dyn Scm, tolerance: f64) {
    let d = scm.dim();
    let e = standard_normal([ROWS, d], &mut Seed(0).rng(Stream::Eval), &cpu());
    let z = scm.solve(Noise(e.clone())).0;
    assert_close("s⁻¹(s(e))", scm.abduct(Causal(z.clone())).0, e.clone(), tolerance);

    let idle = scm.intervene(Noise(e.clone()), &Action::nothing(ROWS, d, &cpu()));
    assert_close("the empty intervention", idle.0, z.clone(), tolerance);

    let reached = reachability(scm);
    for (target, reached) in reached.iter().enumerate() {
        let action = Action::set(ROWS, d, target, 0.7, &cpu());
        let after = scm.counterfactual(Causal(z.clone()), &action).0;
        let set = after.clone().narrow(1, target, 1);
        assert_close("the target's value", set.clone(), set.zeros_like() + 0.7, tolerance);
        for other in (0..d).filter(|&j| j != target && !reached[j]) {
            let column = |x: &Tensor<2>| x.clone().narrow(1, other, 1);
            assert_close("a non-descendant", column(&after), column(&z), tolerance);
        }
    }
}

fn reachability(scm: &dyn Scm) -> Vec<Vec<bool>> {
    let d = scm.dim();
    let probs = download(scm.edge_probs());
    let mut reached: Vec<Vec<bool>> =
        (0..d).map(|i| (0..d).map(|j| probs[(i, j)] >= EDGE).collect()).collect();
    for via in 0..d {
        for from in 0..d {
            for to in 0..d {
                reached[from][to] |= reached[from][via] && reached[via][to];
            }
        }
    }
    reached
}

fn assert_close(what: &str, got: Tensor<2>, expected: Tensor<2>, tolerance: f64) {
    let gap = (download(got) - download(expected)).amax();
    assert!(gap <= tolerance, "{what} is off by {gap}, allowed {tolerance}");
}
