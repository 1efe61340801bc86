use nalgebra::DMatrix;

use crate::{MetricError, Sample};

/// More distinct values than this are taken for a continuous factor by mistake. The factors of the
/// public image data sets have up to 183.
const MOST_CLASSES: usize = 256;

/// The classes of a discrete factor: its distinct values in ascending order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Classes {
    values: Vec<f64>,
    labels: Vec<usize>,
}

impl Classes {
    /// The classes of column `factor`.
    pub(crate) fn of(sample: Sample<'_>, factor: usize) -> Result<Self, MetricError> {
        let column = sample.factors().column(factor);
        let mut values: Vec<f64> = column.iter().copied().collect();
        values.sort_by(f64::total_cmp);
        values.dedup_by(|a, b| *a <= *b);
        if values.len() > MOST_CLASSES {
            let (got, most) = (values.len(), MOST_CLASSES);
            return Err(MetricError::Classes { factor, most, got });
        }
        let label = |&y: &f64| values.partition_point(|&v| v < y);
        let labels = column.iter().map(label).collect();
        Ok(Self { values, labels })
    }

    /// Classes `0..count`, as they are.
    pub(crate) fn numbered(labels: Vec<usize>, count: usize) -> Self {
        Self { values: (0..count).map(|k| k as f64).collect(), labels }
    }

    /// The classes of every factor.
    pub(crate) fn of_all(sample: Sample<'_>) -> Result<Vec<Self>, MetricError> {
        (0..sample.factors().ncols()).map(|j| Self::of(sample, j)).collect()
    }

    /// Number of classes.
    pub(crate) fn count(&self) -> usize {
        self.values.len()
    }

    /// The class of every point, `[n]`.
    pub(crate) fn labels(&self) -> &[usize] {
        &self.labels
    }

    /// The class of other values of the same factor, none for a value that has no class.
    pub(crate) fn find(&self, factors: &DMatrix<f64>, factor: usize) -> Vec<Option<usize>> {
        let class = |y: &f64| {
            let at = self.values.partition_point(|v| v < y);
            self.values.get(at).filter(|&&v| v <= *y).map(|_| at)
        };
        factors.column(factor).iter().map(class).collect()
    }
}

/// How often each class occurs, `[classes]`.
pub(crate) fn class_counts(labels: &[usize], classes: usize) -> Vec<usize> {
    let mut counts = vec![0; classes];
    for &label in labels {
        counts[label] += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_numbered_in_ascending_order() {
        let y = DMatrix::from_column_slice(5, 1, &[2.5, -1.0, 0.0, -0.0, 2.5]);
        let classes = Classes::of(Sample::new(&y, &y).unwrap(), 0).unwrap();
        assert_eq!(classes.labels(), [2, 0, 1, 1, 2]);
        assert_eq!(class_counts(classes.labels(), classes.count()), [1, 2, 2]);
        let others = DMatrix::from_column_slice(4, 1, &[0.0, 1.0, 2.5, 9.0]);
        assert_eq!(classes.find(&others, 0), [Some(1), None, Some(2), None]);
    }

    #[test]
    fn a_continuous_factor_is_refused_by_name() {
        let y = DMatrix::from_fn(300, 2, |i, j| if j == 0 { 0.0 } else { i as f64 });
        let error = Classes::of_all(Sample::new(&y, &y).unwrap()).unwrap_err();
        assert_eq!(error.to_string(), "factors[.., 1]: expected at most 256 classes, got 300");
    }
}
