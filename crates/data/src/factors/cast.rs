use std::collections::BTreeMap;

use super::error::VariableError;
use super::variable::{Domain, Variable};

/// Which properties of a picture vary, and what the others are.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cast {
    all: Vec<Variable>,
    /// Places of the variables among all properties, in the order of the variables.
    chosen: Vec<usize>,
}

impl Cast {
    /// The properties named in `chosen` vary, in that order, or all in their own order; the others
    /// have their usual values or those in `fixed`.
    pub(crate) fn new(
        mut all: Vec<Variable>,
        chosen: Option<&[String]>,
        fixed: &BTreeMap<String, f64>,
    ) -> Result<Self, VariableError> {
        let chosen = match chosen {
            None => (0..all.len()).collect(),
            Some([]) => return Err(VariableError::Nothing),
            Some(names) => {
                names.iter().map(|name| find(&all, name)).collect::<Result<Vec<_>, _>>()?
            }
        };
        if let Some(at) = (1..chosen.len()).find(|&i| chosen[..i].contains(&chosen[i])) {
            return Err(VariableError::Twice { name: all[chosen[at]].name.clone() });
        }
        for (name, &value) in fixed {
            let at = find(&all, name)?;
            if chosen.contains(&at) {
                return Err(VariableError::FixedAndVaried { name: name.clone() });
            }
            all[at].fixed = checked(&all[at], value)?;
        }
        Ok(Self { all, chosen })
    }

    /// The variables, `[d]`.
    pub(crate) fn variables(&self) -> Vec<Variable> {
        self.chosen.iter().map(|&at| self.all[at].clone()).collect()
    }

    /// All properties of the picture of a state; values that no variable takes become the nearest.
    pub(crate) fn properties(&self, z: &[f64]) -> Vec<f64> {
        let mut values: Vec<f64> = self.all.iter().map(|variable| variable.fixed).collect();
        for (&at, &z) in self.chosen.iter().zip(z) {
            values[at] = self.all[at].domain.nearest(z);
        }
        values
    }
}

fn find(all: &[Variable], name: &str) -> Result<usize, VariableError> {
    all.iter().position(|variable| variable.name == name).ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|variable| variable.name.as_str()).collect();
        VariableError::Unknown { name: name.to_owned(), known: names.join(", ") }
    })
}

fn checked(variable: &Variable, value: f64) -> Result<f64, VariableError> {
    let nearest = variable.domain.nearest(value);
    if nearest.to_bits() == value.to_bits() {
        return Ok(value);
    }
    let expected = match variable.domain {
        Domain::Interval => "a number from 0 to 1".to_owned(),
        Domain::Values(count) => format!("a whole number from 0 to {}", count - 1),
    };
    Err(VariableError::Fixed { name: variable.name.clone(), expected, got: value })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Variable> {
        vec![Variable::values("shape", 3, 1), Variable::interval("x", 0.5)]
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn variables_come_in_the_order_asked_for_and_the_rest_is_fixed() {
        let cast = Cast::new(all(), Some(&names(&["x"])), &BTreeMap::new()).unwrap();
        assert_eq!(cast.properties(&[0.25]), [1.0, 0.25]);
        let cast = Cast::new(all(), Some(&names(&["x", "shape"])), &BTreeMap::new()).unwrap();
        assert_eq!(cast.properties(&[0.25, 2.0]), [2.0, 0.25]);
        let fixed = BTreeMap::from([("shape".to_owned(), 0.0)]);
        let cast = Cast::new(all(), Some(&names(&["x"])), &fixed).unwrap();
        assert_eq!(cast.properties(&[7.0]), [0.0, 1.0]);
    }

    #[test]
    fn each_fault_is_named() {
        let error = |chosen: &[&str], fixed: &[(&str, f64)]| {
            let fixed = fixed.iter().map(|&(name, value)| (name.to_owned(), value)).collect();
            Cast::new(all(), Some(&names(chosen)), &fixed).unwrap_err().to_string()
        };
        assert_eq!(error(&["y"], &[]), "variables: expected any of shape, x, got y");
        assert_eq!(error(&[], &[]), "variables: expected at least one");
        assert_eq!(error(&["x", "x"], &[]), "variables: expected each once, got x twice");
        let both = error(&["x"], &[("x", 0.5)]);
        assert_eq!(both, "fixed.x: expected a property that is no variable");
        let half = error(&["x"], &[("shape", 1.5)]);
        assert_eq!(half, "fixed.shape: expected a whole number from 0 to 2, got 1.5");
        let far = error(&["shape"], &[("x", -1.0)]);
        assert_eq!(far, "fixed.x: expected a number from 0 to 1, got -1");
    }
}
