use domino_core::InterventionTarget;
use nalgebra::{DMatrix, RowDVector};

use crate::{DagError, PairCodes};

/// Pairs of one target each, made of pairs in which several variables may have been set at once.
///
/// A perfect intervention on causes and effects is as good as one after the other, causes first: the
/// new noise `ẽ_k` was read off a state in which the causes of `k` already had their new values, and
/// what is set later leaves it alone. So a pair with the targets `k₁, k₂, …` in causal order is the chain
///
/// ```text
/// e → e with ẽ_k₁ → e with ẽ_k₁, ẽ_k₂ → …
/// ```
///
/// of pairs with one target each. A pair without a target stays what it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Chains {
    /// Codes before, `[links, d]`.
    pub before: DMatrix<f64>,
    /// Codes after; they differ in the target only.
    pub after: DMatrix<f64>,
    /// The target of each link, `[links]`: 0 for none, `k + 1` for variable `k`.
    pub labels: Vec<usize>,
    /// The pair that each link is of, `[links]`.
    pub pairs: Vec<usize>,
}

/// From which state the targets of a pair are set.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Linking {
    /// From that in which the targets before are set.
    Chain,
    /// From that before the intervention.
    Star,
}

impl Chains {
    /// The chains of pairs with codes `before` and `after`, `[n, d]`, and targets `[n]`, along a causal
    /// order of the variables.
    ///
    /// Without an order every target of a pair is set in the state before. Noise that a cause lost by
    /// being set along then explains nothing of its effect, and no noise of an effect explains
    /// its cause: what depends on what can be seen, though not how strongly.
    ///
    /// # Errors
    /// [`DagError::Shape`] if the codes differ in shape, or there are more or fewer targets than pairs.
    ///
    /// # Panics
    /// If a target is not in the order.
    pub fn new(
        [before, after]: [&DMatrix<f64>; 2],
        targets: &[InterventionTarget],
        order: Option<&[usize]>,
    ) -> Result<Self, DagError> {
        let (n, d) = before.shape();
        crate::codes::check_shape("after", after, [n, d])?;
        if targets.len() != n {
            let got = [targets.len(), d];
            return Err(DagError::Shape { what: "targets", expected: [n, d], got });
        }
        let links: usize = targets.iter().map(|target| target.variables().len().max(1)).sum();
        let mut chains = Self {
            before: DMatrix::zeros(links, d),
            after: DMatrix::zeros(links, d),
            labels: Vec::with_capacity(links),
            pairs: Vec::with_capacity(links),
        };
        let place = |k: usize| {
            let found = |order: &[usize]| order.iter().position(|&v| v == k);
            order.map_or(k, |order| found(order).expect("an order holds every variable"))
        };
        let linking = if order.is_some() { Linking::Chain } else { Linking::Star };
        for (pair, target) in targets.iter().enumerate() {
            let mut set = target.variables().to_vec();
            set.sort_by_key(|&k| place(k));
            let states = [before, after].map(|side| side.row(pair).into_owned());
            chains.add(pair, &set, states, linking);
        }
        Ok(chains)
    }

    /// The links of a pair that sets variables one after the other, or each in the state before.
    fn add(&mut self, pair: usize, set: &[usize], states: [RowDVector<f64>; 2], link: Linking) {
        let [mut state, after] = states;
        for &k in set {
            let mut next = state.clone();
            next[k] = after[k];
            self.push(pair, k + 1, [&state, &next]);
            if link == Linking::Chain {
                state = next;
            }
        }
        if set.is_empty() {
            self.push(pair, 0, [&state, &after]);
        }
    }

    fn push(&mut self, pair: usize, label: usize, states: [&RowDVector<f64>; 2]) {
        let link = self.labels.len();
        self.before.set_row(link, states[0]);
        self.after.set_row(link, states[1]);
        self.labels.push(label);
        self.pairs.push(pair);
    }

    /// The links as pairs whose targets are certain.
    ///
    /// # Errors
    /// Those of [`PairCodes::new`].
    pub fn codes(&self) -> Result<PairCodes, DagError> {
        let (links, d) = self.before.shape();
        let mut probs = DMatrix::zeros(links, d + 1);
        self.labels.iter().enumerate().for_each(|(link, &label)| probs[(link, label)] = 1.0);
        PairCodes::new(self.before.clone(), self.after.clone(), probs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes() -> [DMatrix<f64>; 2] {
        let before = DMatrix::from_fn(3, 3, |row, k| (10 * row + k) as f64);
        [before.clone(), before.add_scalar(100.0)]
    }

    fn targets() -> Vec<InterventionTarget> {
        let masks = [[true, false, true], [false; 3], [false, true, false]];
        masks.iter().map(|mask| InterventionTarget::from_mask(mask)).collect()
    }

    #[test]
    fn a_chain_sets_causes_first() {
        let [before, after] = codes();
        let chains = Chains::new([&before, &after], &targets(), Some(&[2, 1, 0])).unwrap();
        assert_eq!(chains.labels, [3, 1, 0, 2]);
        assert_eq!(chains.pairs, [0, 0, 1, 2]);
        let row = |m: &DMatrix<f64>, at: usize| m.row(at).iter().copied().collect::<Vec<_>>();
        assert_eq!(row(&chains.before, 0), [0.0, 1.0, 2.0]);
        assert_eq!(row(&chains.after, 0), [0.0, 1.0, 102.0]);
        assert_eq!(row(&chains.before, 1), [0.0, 1.0, 102.0]);
        assert_eq!(row(&chains.after, 1), [100.0, 1.0, 102.0]);
        assert_eq!(row(&chains.after, 2), [110.0, 111.0, 112.0]);
        assert_eq!(row(&chains.after, 3), [20.0, 121.0, 22.0]);
    }

    #[test]
    fn without_an_order_every_target_is_set_in_the_state_before() {
        let [before, after] = codes();
        let chains = Chains::new([&before, &after], &targets(), None).unwrap();
        assert_eq!(chains.before.row(0), chains.before.row(1));
        let codes = chains.codes().unwrap();
        assert_eq!(codes.target_probs().column_sum(), nalgebra::DVector::from_element(4, 1.0));
    }

    #[test]
    fn targets_of_other_pairs_are_refused() {
        let [before, after] = codes();
        let error = Chains::new([&before, &after], &targets()[1..], None).unwrap_err();
        assert!(error.to_string().contains("targets"), "{error}");
    }
}
