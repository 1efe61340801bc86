use domino::dag::Column;
use nalgebra::DMatrix;

/// Categorical variables have at most so many states where nothing else says that they are some.
const MOST_STATES: f64 = 64.0;

/// Learners have weights for every state.
const LARGEST: f64 = 1000.0;

/// How columns of numbers are to be understood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Columns {
    /// As the file says, or else as states where all are whole numbers from 0 to 63
    #[default]
    Auto,
    /// As real numbers
    Continuous,
    /// As states, whole numbers from 0 up
    Categorical,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Real,
    States(f64),
}

pub(super) fn kinds(x: &DMatrix<f64>, columns: Columns) -> Vec<Kind> {
    let kind = |column: &[f64]| {
        let is_state = |v: &f64| (0.0..MOST_STATES).contains(v) && v.fract().abs() < f64::EPSILON;
        let states = column.iter().copied().fold(0.0, f64::max) + 1.0;
        match columns {
            Columns::Categorical => Kind::States(states),
            Columns::Auto if column.iter().all(is_state) => Kind::States(states),
            Columns::Auto | Columns::Continuous => Kind::Real,
        }
    };
    // Whole numbers in every column are states; a constant among real columns is none.
    let kinds: Vec<Kind> = x.column_iter().map(|c| kind(c.as_slice())).collect();
    let real = kinds.iter().any(|kind| matches!(kind, Kind::Real));
    let constant = |k: usize| x.column(k).iter().all(|v| v.total_cmp(&x[(0, k)]).is_eq());
    let settled = |(k, kind): (usize, Kind)| match kind {
        Kind::States(_) if real && columns == Columns::Auto && constant(k) => Kind::Real,
        kind => kind,
    };
    kinds.into_iter().enumerate().map(settled).collect()
}

/// The columns of these kinds, or what was expected and what is there.
pub(super) fn typed(x: &DMatrix<f64>, kinds: &[Kind]) -> Result<Vec<Column>, (String, String)> {
    let column = |(k, kind): (usize, &Kind)| {
        let column: Vec<f64> = x.column(k).iter().copied().collect();
        let Kind::States(states) = *kind else { return Ok(Column::Continuous(column)) };
        if states > LARGEST {
            return Err((format!("at most {LARGEST} states"), format!("{states} in column {k}")));
        }
        let is_state = |v: &f64| (0.0..states).contains(v) && v.fract().abs() < f64::EPSILON;
        if let Some(at) = column.iter().position(|v| !is_state(v)) {
            let expected =
                format!("states of column {k}, whole numbers from 0 to {}", states - 1.0);
            return Err((expected, format!("{} in row {at}", column[at])));
        }
        let values = column.iter().map(|v| *v as u32).collect();
        Ok(Column::Categorical { values, states: states as usize })
    };
    kinds.iter().enumerate().map(column).collect()
}

pub(super) fn continuous(x: &DMatrix<f64>) -> Vec<Column> {
    x.column_iter().map(|c| Column::Continuous(c.iter().copied().collect())).collect()
}
