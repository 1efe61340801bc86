use domino_core::Dag;
use nalgebra::DMatrix;
use rand::{Rng, RngExt};

use super::conditional::RandomConditional;
use super::{CausalNetwork, Intervention};
use crate::draw::categorical;
use crate::{Column, DagError};

/// How far the probabilities of a table's row may be from a sum of 1: files round them.
const SUM_TOLERANCE: f64 = 1e-2;

/// Share of the values that a soft intervention replaces.
const SOFT_SHARE: f64 = 0.5;

/// A Bayesian network over categorical variables.
#[derive(Clone, Debug, PartialEq)]
pub struct DiscreteNetwork {
    dag: Dag,
    states: Vec<usize>,
    conditionals: Vec<Conditional>,
}

#[derive(Clone, Debug, PartialEq)]
enum Conditional {
    /// `[parent states, states]`, the last parent fastest.
    Table(DMatrix<f64>),
    Random(RandomConditional),
}

impl DiscreteNetwork {
    /// A network from conditional probability tables, as a `.bif` file holds them.
    ///
    /// `states[k]` is the number of states of variable `k`; `tables[k]` is `[Π states of its
    /// parents, states[k]]`, parents ascending, the last one counting fastest. Rows are scaled to a
    /// sum of 1.
    ///
    /// # Errors
    /// [`DagError::Shape`] if the tables do not fit graph and states, [`DagError::NotDistribution`]
    /// for a negative entry, a NaN or a row whose sum is off 1 by more than 0.01.
    ///
    /// ```
    /// use domino_core::Dag;
    /// use domino_dag::networks::DiscreteNetwork;
    /// use nalgebra::dmatrix;
    ///
    /// let tables = vec![dmatrix![0.2, 0.8], dmatrix![0.9, 0.1; 0.3, 0.7]];
    /// let network = DiscreteNetwork::from_tables(Dag::chain(2), vec![2, 2], tables)?;
    /// assert!((network.probabilities(1, &[1])[1] - 0.7).abs() < 1e-12);
    /// # Ok::<(), domino_dag::DagError>(())
    /// ```
    pub fn from_tables(
        dag: Dag,
        states: Vec<usize>,
        tables: Vec<DMatrix<f64>>,
    ) -> Result<Self, DagError> {
        let dim = dag.dim();
        if states.len() != dim || tables.len() != dim {
            let (expected, got) = ([dim, dim], [states.len(), tables.len()]);
            return Err(DagError::Shape { what: "states and tables", expected, got });
        }
        let mut conditionals = Vec::with_capacity(dim);
        for (k, mut table) in tables.into_iter().enumerate() {
            let rows = dag.parents(k).map(|j| states[j]).product();
            let (expected, got) = ([rows, states[k]], [table.nrows(), table.ncols()]);
            if got != expected {
                return Err(DagError::Shape { what: "table", expected, got });
            }
            for (row, mut probs) in table.row_iter_mut().enumerate() {
                let sum = probs.sum();
                let sound = probs.iter().all(|p| *p >= 0.0) && (sum - 1.0).abs() <= SUM_TOLERANCE;
                if !sound {
                    return Err(DagError::NotDistribution { variable: k, row, sum });
                }
                probs /= sum;
            }
            conditionals.push(Conditional::Table(table));
        }
        Ok(Self { dag, states, conditionals })
    }

    /// Random conditionals over `states` states each: `softmax` of a two-layer network of embedded
    /// parent states with orthogonal weights of gain 2.5; roots have standard normal logits.
    ///
    /// # Errors
    /// [`DagError::Option`] for less than one state.
    ///
    /// Lippe, Cohen & Gavves, ICLR 2022, arXiv 2107.10483, appendix; there with 10 states.
    pub fn random(dag: Dag, states: usize, rng: &mut dyn Rng) -> Result<Self, DagError> {
        if states == 0 {
            return Err(DagError::Option { key: "states", expected: "1 or more", got: 0.0 });
        }
        let draw = |k: usize| {
            let parents = vec![states; dag.parents(k).count()];
            Conditional::Random(RandomConditional::draw(states, &parents, rng))
        };
        let conditionals = (0..dag.dim()).map(draw).collect();
        Ok(Self { states: vec![states; dag.dim()], dag, conditionals })
    }

    /// Number of states of each variable.
    pub fn states(&self) -> &[usize] {
        &self.states
    }

    /// The law of a variable given the states of its parents, ascending by parent.
    pub fn probabilities(&self, variable: usize, parents: &[u32]) -> Vec<f64> {
        match &self.conditionals[variable] {
            Conditional::Random(net) => net.probabilities(parents),
            Conditional::Table(table) => {
                let states = self.dag.parents(variable).map(|j| self.states[j]);
                let row = states.zip(parents).fold(0, |row, (k, &s)| row * k + s as usize);
                table.row(row).iter().copied().collect()
            }
        }
    }
}

impl CausalNetwork for DiscreteNetwork {
    fn dag(&self) -> &Dag {
        &self.dag
    }

    fn sample(
        &self,
        rows: usize,
        targets: &[usize],
        intervention: Intervention,
        rng: &mut dyn Rng,
    ) -> Vec<Column> {
        let mut values = vec![Vec::new(); self.dag.dim()];
        for &k in self.dag.topological_order() {
            let parents: Vec<usize> = self.dag.parents(k).collect();
            let target = targets.contains(&k);
            let value = |row: usize| {
                let perfect = intervention == Intervention::Perfect;
                if target && (perfect || rng.random_bool(SOFT_SHARE)) {
                    return rng.random_range(0..self.states[k] as u32);
                }
                let states: Vec<u32> = parents.iter().map(|&j| values[j][row]).collect();
                categorical(self.probabilities(k, &states).into_iter(), rng)
            };
            values[k] = (0..rows).map(value).collect();
        }
        let column = |(values, &states)| Column::Categorical { values, states };
        values.into_iter().zip(&self.states).map(column).collect()
    }
}

#[cfg(test)]
mod tests {
    use domino_core::{Seed, Stream};
    use nalgebra::dmatrix;

    use super::*;

    /// 0 → 1 ← 2 with tables in which every entry differs.
    fn collider() -> DiscreteNetwork {
        let dag = Dag::from_edges(3, &[(0, 1), (2, 1)]).unwrap();
        let child = dmatrix![
            0.1, 0.9; 0.2, 0.8; 0.3, 0.7;
            0.4, 0.6; 0.5, 0.5; 0.6, 0.4];
        let tables = vec![dmatrix![0.25, 0.75], child, dmatrix![0.5, 0.3, 0.2]];
        DiscreteNetwork::from_tables(dag, vec![2, 2, 3], tables).unwrap()
    }

    fn frequency(columns: &[Column], holds: impl Fn(&[u32]) -> bool) -> f64 {
        let value = |c: &Column, row: usize| match c {
            Column::Categorical { values, .. } => values[row],
            Column::Continuous(_) => unreachable!("discrete networks give states"),
        };
        let rows = columns[0].len();
        let all = (0..rows).map(|r| columns.iter().map(|c| value(c, r)).collect::<Vec<_>>());
        all.filter(|row| holds(row)).count() as f64 / rows as f64
    }

    #[test]
    fn samples_follow_the_tables_and_the_interventions() {
        let network = collider();
        let mut rng = Seed(1).rng(Stream::Data);
        let mut draw = |targets: &[usize], how| network.sample(40_000, targets, how, &mut rng);
        let seen = draw(&[], Intervention::Perfect);
        // P(0 = 1, 2 = 2, 1 = 0) = 0.75 · 0.2 · 0.6.
        assert!((frequency(&seen, |s| s == [1, 0, 2]) - 0.09).abs() < 0.006);
        let set = draw(&[1], Intervention::Perfect);
        assert!((frequency(&set, |s| s == [1, 0, 2]) - 0.75 * 0.2 * 0.5).abs() < 0.006);
        let soft = draw(&[1], Intervention::Soft);
        assert!((frequency(&soft, |s| s == [0, 0, 0]) - 0.25 * 0.5 * 0.3).abs() < 0.006);
    }

    #[test]
    fn tables_that_do_not_fit_are_refused() {
        let chain = || Dag::chain(2);
        let fault = |tables| DiscreteNetwork::from_tables(chain(), vec![2, 2], tables).unwrap_err();
        let wrong = fault(vec![dmatrix![0.2, 0.8], dmatrix![0.9, 0.1]]);
        assert_eq!(wrong.to_string(), "table: expected shape [2, 2], got [1, 2]");
        let sum = fault(vec![dmatrix![0.2, 0.8], dmatrix![0.9, 0.1; 0.5, 0.7]]);
        assert_eq!(
            sum.to_string(),
            "table 1, row 1: expected probabilities that sum to 1, got a sum of 1.2"
        );
    }

    #[test]
    fn random_conditionals_depend_on_every_parent() {
        let dag = Dag::from_edges(3, &[(0, 2), (1, 2)]).unwrap();
        let network = DiscreteNetwork::random(dag, 5, &mut Seed(3).rng(Stream::World)).unwrap();
        let base = network.probabilities(2, &[0, 0]);
        assert!((base.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        for other in [[1, 0], [0, 1]] {
            let moved = network.probabilities(2, &other);
            let change: f64 = base.iter().zip(&moved).map(|(a, b)| (a - b).abs()).sum();
            assert!(change > 0.1, "{change}");
        }
    }
}
