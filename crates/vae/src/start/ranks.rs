use nalgebra::RowDVector;

/// Cosines `√2 cos(jπ F(c))`, `j = 1, …, count`, of the rank `F(c)` of values among those before:
/// orthonormal functions of them that do not grow beyond what was seen.
pub(super) struct RankCosines {
    sorted: Vec<f64>,
    count: usize,
}

impl RankCosines {
    pub(super) fn of(before: impl Iterator<Item = f64>, count: usize) -> Self {
        let mut sorted: Vec<f64> = before.collect();
        sorted.sort_by(f64::total_cmp);
        Self { sorted, count }
    }

    /// The functions of one value.
    pub(super) fn of_value(&self, value: f64) -> RowDVector<f64> {
        let below = self.sorted.partition_point(|&v| v < value);
        let angle = std::f64::consts::PI * below as f64 / self.sorted.len() as f64;
        RowDVector::from_fn(self.count, |_, j| {
            std::f64::consts::SQRT_2 * ((j + 1) as f64 * angle).cos()
        })
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::DMatrix;

    use super::*;

    #[test]
    fn cosines_of_ranks_are_orthonormal() {
        let ranks = RankCosines::of((0..1000).map(|v| f64::from(v).powi(3)), 5);
        let rows: Vec<_> = (0..1000).map(|v| ranks.of_value(f64::from(v).powi(3))).collect();
        let values = DMatrix::from_rows(&rows);
        let gram = values.tr_mul(&values) / 1000.0;
        assert!((gram - DMatrix::<f64>::identity(5, 5)).amax() < 5e-3);
        // Beyond what was seen they stay at the ends.
        assert!((ranks.of_value(1e12) - ranks.of_value(2e12)).amax() < 1e-12);
    }
}
