use domino_core::InterventionTarget;
use nalgebra::DMatrix;

use crate::DagError;
use crate::sample::mean_and_inverse_std;

/// Values of one variable, one per row.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// Real numbers.
    Continuous(Vec<f64>),
    /// One of `states` states.
    Categorical {
        /// States, each below `states`.
        values: Vec<u32>,
        /// Number of states, at least 1.
        states: usize,
    },
}

/// What was done to the system while a row was drawn: the variables intervened upon, each with the
/// probability that it was. Without targets the row is observational.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Regime {
    /// Variable and probability, 0 to 1.
    pub targets: Vec<(usize, f64)>,
}

impl Regime {
    /// Nothing was done.
    pub const OBSERVATIONAL: Self = Self { targets: Vec::new() };

    /// These variables were intervened upon, for sure.
    pub fn known(targets: &[usize]) -> Self {
        Self { targets: targets.iter().map(|&k| (k, 1.0)).collect() }
    }

    /// Probability that a variable was a target; 0 if it is not named.
    pub fn probability(&self, variable: usize) -> f64 {
        self.targets.iter().filter(|t| t.0 == variable).map(|t| t.1).fold(0.0, f64::max)
    }

    /// The most probable target, if one is likelier than not.
    pub fn likeliest(&self) -> Option<usize> {
        let best = self.targets.iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
        (best.1 >= 0.5).then_some(best.0)
    }
}

impl From<&InterventionTarget> for Regime {
    fn from(target: &InterventionTarget) -> Self {
        Self::known(target.variables())
    }
}

/// Rows of observations under known or inferred interventions, for structure learning.
///
/// Columns have one length, states are in range, numbers are finite, targets exist, and there is at
/// least one row and one variable.
///
/// ```
/// use domino_dag::{Column, Regime, Samples};
///
/// let columns = vec![
///     Column::Continuous(vec![0.3, -1.2, 5.0]),
///     Column::Categorical { values: vec![0, 2, 1], states: 3 },
/// ];
/// let regimes = vec![Regime::OBSERVATIONAL, Regime::known(&[0])];
/// let samples = Samples::new(columns, regimes, vec![0, 0, 1])?;
/// assert!(samples.target_probability(2, 0) > 0.99 && samples.target_probability(1, 0) < 0.01);
/// # Ok::<(), domino_dag::DagError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Samples {
    columns: Vec<Column>,
    regimes: Vec<Regime>,
    regime_of: Vec<usize>,
}

impl Samples {
    /// Columns of one length, the regimes that occur, and the regime of each row.
    ///
    /// # Errors
    /// [`DagError::Empty`] without rows or columns, [`DagError::Shape`] if lengths differ,
    /// [`DagError::NotFinite`] and [`DagError::State`] for a value out of range, and
    /// [`DagError::Regime`] for a regime or target that does not exist or a probability outside 0
    /// to 1; places are `(row, column)`.
    pub fn new(
        columns: Vec<Column>,
        regimes: Vec<Regime>,
        regime_of: Vec<usize>,
    ) -> Result<Self, DagError> {
        let (rows, dim) = (regime_of.len(), columns.len());
        if rows == 0 || dim == 0 {
            return Err(DagError::Empty { pairs: rows, dim });
        }
        columns.iter().enumerate().try_for_each(|(col, c)| c.check(col, rows))?;
        for (regime, Regime { targets }) in regimes.iter().enumerate() {
            let sound = |&&(k, p): &&(usize, f64)| k < dim && (0.0..=1.0).contains(&p);
            if let Some(&(target, probability)) = targets.iter().find(|t| !sound(t)) {
                return Err(DagError::Regime { regime, target, probability, dim });
            }
        }
        if let Some((row, &regime)) =
            regime_of.iter().enumerate().find(|&(_, &r)| r >= regimes.len())
        {
            return Err(DagError::RegimeOfRow { row, regime, regimes: regimes.len() });
        }
        Ok(Self { columns, regimes, regime_of })
    }

    /// Observational rows.
    ///
    /// # Errors
    /// As [`Samples::new`].
    pub fn observational(columns: Vec<Column>) -> Result<Self, DagError> {
        let rows = columns.first().map_or(0, Column::len);
        Self::new(columns, vec![Regime::OBSERVATIONAL], vec![0; rows])
    }

    /// Continuous values `[n, d]` with target probabilities `[n, d + 1]`, column 0 for "none", as a
    /// fitted model gives them.
    ///
    /// # Errors
    /// As [`Samples::new`], and [`DagError::NotFinite`] for a NaN among the probabilities.
    pub fn with_target_probs(
        values: &DMatrix<f64>,
        target_probs: &DMatrix<f64>,
    ) -> Result<Self, DagError> {
        let (n, d) = values.shape();
        let got = [target_probs.nrows(), target_probs.ncols()];
        if got != [n, d + 1] {
            return Err(DagError::Shape { what: "target_probs", expected: [n, d + 1], got });
        }
        let columns = values.column_iter().map(|c| Column::Continuous(c.iter().copied().collect()));
        let regime = |row: usize| {
            let targets = (0..d).map(|k| (k, target_probs[(row, k + 1)]));
            // A NaN has to reach the check.
            Regime { targets: targets.filter(|t| t.1.abs() > 0.0 || t.1.is_nan()).collect() }
        };
        let regimes = (0..n).map(regime).collect();
        Self::new(columns.collect(), regimes, (0..n).collect())
    }

    /// One set of rows after another.
    ///
    /// # Errors
    /// [`DagError::Shape`] if the columns differ in number or kind.
    pub fn stacked(parts: &[Self]) -> Result<Self, DagError> {
        let first = parts.first().ok_or(DagError::Empty { pairs: 0, dim: 0 })?;
        let mut all = first.clone();
        for part in &parts[1..] {
            let expected = [part.len(), all.dim()];
            let wrong =
                DagError::Shape { what: "columns", expected, got: [part.len(), part.dim()] };
            if part.dim() != all.dim() {
                return Err(wrong);
            }
            for (column, more) in all.columns.iter_mut().zip(&part.columns) {
                column.extend(more).ok_or_else(|| wrong.clone())?;
            }
            let offset = all.regimes.len();
            all.regimes.extend(part.regimes.iter().cloned());
            all.regime_of.extend(part.regime_of.iter().map(|r| r + offset));
        }
        Ok(all)
    }

    /// The given rows, repeats included, as a bootstrap draws them.
    pub(crate) fn select(&self, rows: &[usize]) -> Self {
        let columns = self.columns.iter().map(|c| c.select(rows)).collect();
        let regime_of = rows.iter().map(|&row| self.regime_of[row]).collect();
        Self { columns, regimes: self.regimes.clone(), regime_of }
    }

    /// Some of the variables, in the given order; targets among the others are forgotten.
    pub(crate) fn project(&self, kept: &[usize]) -> Self {
        let place = |k: usize| kept.iter().position(|&v| v == k);
        let regime = |r: &Regime| Regime {
            targets: r.targets.iter().filter_map(|&(k, p)| Some((place(k)?, p))).collect(),
        };
        Self {
            columns: kept.iter().map(|&k| self.columns[k].clone()).collect(),
            regimes: self.regimes.iter().map(regime).collect(),
            regime_of: self.regime_of.clone(),
        }
    }

    /// The variables.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The regimes that rows refer to.
    pub fn regimes(&self) -> &[Regime] {
        &self.regimes
    }

    /// The regime of a row.
    pub fn regime(&self, row: usize) -> &Regime {
        &self.regimes[self.regime_of[row]]
    }

    /// Probability that a variable was intervened upon in a row.
    pub fn target_probability(&self, row: usize, variable: usize) -> f64 {
        self.regime(row).probability(variable)
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.regime_of.len()
    }

    /// Always false: there is at least one row.
    pub fn is_empty(&self) -> bool {
        self.regime_of.is_empty()
    }

    /// Number of variables `d`.
    pub fn dim(&self) -> usize {
        self.columns.len()
    }

    /// Rows without a likely target.
    pub(crate) fn observational_rows(&self) -> Vec<usize> {
        (0..self.len()).filter(|&row| self.regime(row).likeliest().is_none()).collect()
    }

    /// Rows in which each variable is the likeliest target, `[d]`.
    pub(crate) fn rows_by_target(&self) -> Vec<Vec<usize>> {
        let mut rows = vec![Vec::new(); self.dim()];
        for row in 0..self.len() {
            if let Some(k) = self.regime(row).likeliest() {
                rows[k].push(row);
            }
        }
        rows
    }

    /// Rows that do not target a variable, as far as is known.
    pub(crate) fn rows_sparing(&self, variable: usize) -> Vec<usize> {
        let spared = |&row: &usize| {
            self.regime(row).likeliest() != Some(variable)
                && self.target_probability(row, variable) < 0.5
        };
        (0..self.len()).filter(spared).collect()
    }

    /// Continuous columns with mean 0 and variance 1 over all rows, constants 0; `[n, d]`.
    ///
    /// # Errors
    /// [`DagError::Kind`] if a column is categorical.
    pub(crate) fn standardised(&self) -> Result<DMatrix<f64>, DagError> {
        self.scaled(mean_and_inverse_std)
    }

    /// Continuous columns with mean 0; `[n, d]`.
    ///
    /// # Errors
    /// As [`Samples::standardised`].
    pub(crate) fn centred(&self) -> Result<DMatrix<f64>, DagError> {
        self.scaled(|values| (mean_and_inverse_std(values).0, 1.0))
    }

    fn scaled(&self, law: impl Fn(&[f64]) -> (f64, f64)) -> Result<DMatrix<f64>, DagError> {
        let mut all = DMatrix::zeros(self.len(), self.dim());
        for (k, column) in self.columns.iter().enumerate() {
            let Column::Continuous(values) = column else {
                return Err(DagError::Kind { col: k, expected: "continuous" });
            };
            let (mean, scale) = law(values);
            all.column_mut(k).iter_mut().zip(values).for_each(|(to, v)| *to = (v - mean) * scale);
        }
        Ok(all)
    }
}

impl Column {
    /// Number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Continuous(values) => values.len(),
            Self::Categorical { values, .. } => values.len(),
        }
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether all rows agree.
    pub fn is_constant(&self) -> bool {
        match self {
            Self::Continuous(values) => mean_and_inverse_std(values).1 <= 0.0,
            Self::Categorical { values, .. } => values.iter().all(|v| *v == values[0]),
        }
    }

    fn check(&self, col: usize, rows: usize) -> Result<(), DagError> {
        if self.len() != rows {
            let (expected, got) = ([rows, 1], [self.len(), 1]);
            return Err(DagError::Shape { what: "column", expected, got });
        }
        match self {
            Self::Continuous(values) => match values.iter().position(|v| !v.is_finite()) {
                Some(row) => {
                    Err(DagError::NotFinite { what: "columns", row, col, value: values[row] })
                }
                None => Ok(()),
            },
            Self::Categorical { values, states } => {
                match values.iter().position(|&v| v as usize >= *states) {
                    Some(row) => {
                        Err(DagError::State { row, col, state: values[row], states: *states })
                    }
                    None => Ok(()),
                }
            }
        }
    }

    fn select(&self, rows: &[usize]) -> Self {
        match self {
            Self::Continuous(v) => Self::Continuous(rows.iter().map(|&r| v[r]).collect()),
            Self::Categorical { values: v, states } => {
                Self::Categorical { values: rows.iter().map(|&r| v[r]).collect(), states: *states }
            }
        }
    }

    fn extend(&mut self, more: &Self) -> Option<()> {
        match (self, more) {
            (Self::Continuous(to), Self::Continuous(from)) => to.extend(from),
            (
                Self::Categorical { values, states },
                Self::Categorical { values: more, states: other },
            ) if states == other => values.extend(more),
            _ => return None,
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(values: &[f64]) -> Column {
        Column::Continuous(values.to_vec())
    }

    #[test]
    fn faults_are_named_by_place() {
        let fault = |columns, regimes, rows| Samples::new(columns, regimes, rows).unwrap_err();
        let plain = vec![Regime::OBSERVATIONAL];
        let nan =
            fault(vec![numbers(&[0.0, 1.0]), numbers(&[0.0, f64::NAN])], plain.clone(), vec![0, 0]);
        assert_eq!(nan.to_string(), "columns[1, 1]: expected a finite number, got NaN");
        let state = Column::Categorical { values: vec![0, 3], states: 3 };
        let state = fault(vec![state], plain.clone(), vec![0, 0]);
        assert_eq!(state.to_string(), "columns[1, 0]: expected a state below 3, got 3");
        let short = fault(vec![numbers(&[0.0])], plain.clone(), vec![0, 0]);
        assert_eq!(short.to_string(), "column: expected shape [2, 1], got [1, 1]");
        let target = fault(vec![numbers(&[0.0])], vec![Regime::known(&[4])], vec![0]);
        assert_eq!(
            target.to_string(),
            "regime 0: expected variables below 1 with probabilities from 0 to 1, got 4 with 1"
        );
        let row = fault(vec![numbers(&[0.0])], plain, vec![7]);
        assert_eq!(row.to_string(), "row 0: expected a regime below 1, got 7");
        assert!(matches!(fault(vec![], vec![], vec![]), DagError::Empty { .. }));
    }

    #[test]
    fn rows_find_their_likeliest_target() {
        let probs = nalgebra::dmatrix![0.9, 0.1, 0.0; 0.2, 0.1, 0.7; 0.0, 1.0, 0.0];
        let samples = Samples::with_target_probs(&DMatrix::zeros(3, 2), &probs).unwrap();
        assert_eq!(samples.observational_rows(), [0]);
        assert_eq!(samples.rows_by_target(), [vec![2], vec![1]]);
        assert!((samples.target_probability(1, 1) - 0.7).abs() < 1e-12);
        let nan = DMatrix::from_element(3, 3, f64::NAN);
        assert!(Samples::with_target_probs(&DMatrix::zeros(3, 2), &nan).is_err());
    }

    #[test]
    fn stacking_keeps_each_row_with_its_regime() {
        let one = Samples::observational(vec![numbers(&[1.0, 2.0])]).unwrap();
        let two = Samples::new(vec![numbers(&[3.0])], vec![Regime::known(&[0])], vec![0]).unwrap();
        let both = Samples::stacked(&[one.clone(), two]).unwrap();
        assert_eq!(both.columns()[0], numbers(&[1.0, 2.0, 3.0]));
        assert_eq!(both.rows_by_target(), [vec![2]]);
        let other = Column::Categorical { values: vec![0], states: 2 };
        assert!(Samples::stacked(&[one, Samples::observational(vec![other]).unwrap()]).is_err());
    }
}
