use crate::screening::Dependence;

/// An order in which causes precede effects, as far as the dependences tell.
///
/// The variable is taken next whose mechanism depends least, in surprise, on the variables that
/// remain; the dependence on a set is that on its strongest member, and among equals the sum of the
/// linear statistics decides. A variable with a cause among
/// the remaining ones also has one there whose only effect on it is direct, so that a cause cannot
/// hide behind paths that cancel.
///
/// Brehmer et al. 2022 (arXiv 2203.16437), appendix: the heuristic order of an implicit causal
/// model, there by permutation dependence of learned solution functions.
pub(crate) fn causal_order(dependences: &[Dependence]) -> Vec<usize> {
    let mut remaining: Vec<usize> = (0..dependences.len()).collect();
    let mut order = Vec::with_capacity(remaining.len());
    while !remaining.is_empty() {
        let on_rest = |k: usize| {
            let Dependence { surprise, linear, .. } = &dependences[k];
            let rest = remaining.iter().filter(|&&j| j != k);
            rest.fold((0.0_f64, 0.0), |(max, sum), &j| (max.max(surprise[j]), sum + linear[j]))
        };
        let least = remaining
            .iter()
            .map(|&k| (on_rest(k), k))
            .min_by(|(a, _), (b, _)| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let Some((_, next)) = least else { break };
        remaining.retain(|&k| k != next);
        order.push(next);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dependences(surprise: &[[f64; 3]]) -> Vec<Dependence> {
        let of =
            |s: &[f64; 3]| Dependence { surprise: s.to_vec(), linear: vec![0.0; 3], curved: false };
        surprise.iter().map(of).collect()
    }

    #[test]
    fn causes_come_first_and_weak_noise_does_not_matter() {
        // 2 -> 0 -> 1, each with a nat or two of chance elsewhere.
        let found = dependences(&[[0.0, 1.5, 80.0], [90.0, 0.0, 20.0], [2.0, 0.5, 0.0]]);
        assert_eq!(causal_order(&found), [2, 0, 1]);
    }

    #[test]
    fn a_hidden_total_effect_does_not_mislead() {
        // 0 -> 1, 0 -> 2, 1 -> 2, where the two paths from 0 to 2 cancel.
        let found = dependences(&[[0.0; 3], [90.0, 0.0, 0.0], [0.0, 90.0, 0.0]]);
        assert_eq!(causal_order(&found), [0, 1, 2]);
    }
}
