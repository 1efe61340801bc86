//! Discrete Bayesian networks in the Bayesian Interchange Format, as the bnlearn repository has them.
//!
//! ```
//! use domino_data::formats::bif;
//!
//! let network = bif::parse(
//!     "network sprinkler {}
//!      variable rain { type discrete [ 2 ] { no, yes }; }
//!      variable wet { type discrete [ 2 ] { no, yes }; }
//!      probability ( rain ) { table 0.8, 0.2; }
//!      probability ( wet | rain ) { (no) 0.9, 0.1; (yes) 0.2, 0.8; }",
//! )?;
//! assert!(network.dag().has_edge(0, 1));
//! assert_eq!(network.probabilities(1, &[1]), [0.2, 0.8]);
//! # Ok::<(), bif::BifError>(())
//! ```

mod lexer;
mod parse;
#[cfg(test)]
mod tests;

use std::path::Path;

use domino_core::{Dag, GraphError};
use thiserror::Error;

use super::error::FormatError;
use super::folder::read_file;
use crate::npz::Limits;

pub use parse::parse;

/// A discrete Bayesian network.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    name: String,
    variables: Vec<Variable>,
    dag: Dag,
}

/// A variable and its distribution given its parents.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Names of its states, at least one.
    pub states: Vec<String>,
    /// Its parents, in the order of the file.
    pub parents: Vec<usize>,
    /// Probabilities of the states, `[configurations of the parents, states]` row-major, the last
    /// parent fastest; every row sums to 1.
    pub table: Vec<f64>,
}

/// Why a text is not a network.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum BifError {
    /// The text does not go on as it should.
    #[error("line {line}: expected {expected}, got {got}")]
    Syntax {
        /// Line, from 1.
        line: usize,
        /// What should stand there.
        expected: String,
        /// What stands there.
        got: String,
    },
    /// The probabilities of a variable are not a distribution.
    #[error("probabilities of {variable}: expected {expected}, got {got}")]
    Table {
        /// The variable.
        variable: String,
        /// What should be there.
        expected: String,
        /// What is there.
        got: String,
    },
    /// Parents form a cycle.
    #[error(transparent)]
    Graph(#[from] GraphError),
}

impl Network {
    /// Name of the network.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The variables, in the order of the file, which need not be a causal one.
    pub fn variables(&self) -> &[Variable] {
        &self.variables
    }

    /// The graph, parents before children.
    pub fn dag(&self) -> &Dag {
        &self.dag
    }

    /// Probabilities of the states of a variable, given the states of its parents in their order.
    ///
    /// # Panics
    /// If there is no such variable, or if the parents' states are not as many as parents or out of
    /// range.
    pub fn probabilities(&self, variable: usize, parents: &[usize]) -> &[f64] {
        let Variable { parents: names, states, table, .. } = &self.variables[variable];
        assert_eq!(parents.len(), names.len(), "one state per parent");
        let row = names.iter().zip(parents).fold(0, |row, (&parent, &state)| {
            let count = self.variables[parent].states.len();
            assert!(state < count, "a state of the parent");
            row * count + state
        });
        &table[row * states.len()..][..states.len()]
    }
}

/// Reads a `.bif` file.
///
/// # Errors
/// [`FormatError`] if the file cannot be read or is no network.
pub fn read(path: &Path, limits: Limits) -> Result<Network, FormatError> {
    let bytes = read_file(path, limits)?;
    parse(&String::from_utf8_lossy(&bytes)).map_err(|reason| FormatError::Malformed {
        path: path.to_owned(),
        place: "the network".into(),
        expected: "a discrete Bayesian network".into(),
        got: format!("a fault: {reason}"),
    })
}
