/// What values a variable takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// The numbers from 0 to 1.
    Interval,
    /// The whole numbers from 0 to one less than this.
    Values(usize),
}

impl Domain {
    /// The value of the domain nearest to `v`; 0 for NaN.
    ///
    /// ```
    /// use domino_data::factors::Domain;
    ///
    /// assert_eq!(Domain::Interval.nearest(1.25), 1.0);
    /// assert_eq!(Domain::Values(4).nearest(1.6), 2.0);
    /// ```
    pub fn nearest(self, v: f64) -> f64 {
        let v = if v.is_nan() { 0.0 } else { v };
        match self {
            Self::Interval => v.clamp(0.0, 1.0),
            Self::Values(count) => v.round().clamp(0.0, count as f64 - 1.0),
        }
    }

    /// Where in the interval from 0 to 1 a value lies; the `k`-th of `n` at `(k + 1/2) / n`.
    pub(crate) fn place(self, v: f64) -> f64 {
        match self {
            Self::Interval => v,
            Self::Values(count) => (v + 0.5) / count as f64,
        }
    }

    /// Number of values, where they can be counted.
    pub fn count(self) -> Option<usize> {
        match self {
            Self::Interval => None,
            Self::Values(count) => Some(count),
        }
    }
}

/// A property of a picture that may be a causal variable.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// What it is called.
    pub name: String,
    /// Its values.
    pub domain: Domain,
    /// Its value in pictures where it does not vary.
    pub fixed: f64,
}

impl Variable {
    pub(crate) fn interval(name: impl Into<String>, fixed: f64) -> Self {
        Self { name: name.into(), domain: Domain::Interval, fixed }
    }

    pub(crate) fn values(name: impl Into<String>, count: usize, fixed: usize) -> Self {
        Self { name: name.into(), domain: Domain::Values(count), fixed: fixed as f64 }
    }
}
