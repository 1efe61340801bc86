use nalgebra::DMatrix;

/// Columns factored at a time: enough for matrix products to dominate, few enough for the cache.
const BLOCK: usize = 64;

/// The lower factor `L` of a symmetric positive definite matrix `A = L Lᵀ`, in blocks of columns so
/// that nearly all of the work is matrix products.
pub(super) struct Cholesky {
    /// Above the diagonal lies what lay there before.
    l: DMatrix<f64>,
}

impl Cholesky {
    /// Factors `a`, of which only the lower triangle is read; nothing if it is not positive definite.
    ///
    /// Golub & Van Loan, *Matrix computations*, algorithm 4.2.4.
    pub(super) fn new(mut a: DMatrix<f64>) -> Option<Self> {
        let n = a.nrows();
        for start in (0..n).step_by(BLOCK) {
            let width = BLOCK.min(n - start);
            if start > 0 {
                let (done, mut block) = a.columns_range_pair_mut(0..start, start..start + width);
                let rows = done.rows(start, n - start);
                let top = done.rows(start, width).transpose();
                block.rows_mut(start, n - start).gemm(-1.0, &rows, &top, 1.0);
            }
            factor_columns(&mut a, start, width)?;
        }
        Some(Self { l: a })
    }

    /// `A⁻¹ b`, for `b` of shape `[n, K]`.
    pub(super) fn solve(&self, mut b: DMatrix<f64>) -> DMatrix<f64> {
        let n = self.l.nrows();
        for mut x in b.column_iter_mut() {
            for k in 0..n {
                x[k] /= self.l[(k, k)];
                let at_k = x[k];
                let below = self.l.column(k);
                x.rows_mut(k + 1, n - k - 1).axpy(-at_k, &below.rows(k + 1, n - k - 1), 1.0);
            }
            for k in (0..n).rev() {
                let below = self.l.column(k);
                let rest = below.rows(k + 1, n - k - 1).dot(&x.rows(k + 1, n - k - 1));
                x[k] = (x[k] - rest) / self.l[(k, k)];
            }
        }
        b
    }
}

/// Factors the columns `start..start + width` among themselves.
fn factor_columns(a: &mut DMatrix<f64>, start: usize, width: usize) -> Option<()> {
    let n = a.nrows();
    for col in start..start + width {
        for earlier in start..col {
            let weight = a[(col, earlier)];
            let (from, mut to) = a.columns_range_pair_mut(earlier..=earlier, col..=col);
            let from = from.column(0);
            to.column_mut(0).rows_mut(col, n - col).axpy(-weight, &from.rows(col, n - col), 1.0);
        }
        let pivot = a[(col, col)];
        if pivot.is_nan() || pivot <= 0.0 {
            return None;
        }
        let mut column = a.column_mut(col);
        let mut below = column.rows_mut(col, n - col);
        below /= pivot.sqrt();
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use domino_core::{Seed, Stream};
    use rand::RngExt;

    use super::*;

    #[test]
    fn solutions_solve_whatever_the_size_of_the_last_block() {
        let mut rng = Seed(1).rng(Stream::Data);
        for n in [1, 5, BLOCK, BLOCK + 1, 3 * BLOCK - 7] {
            let m = DMatrix::from_fn(n, n, |_, _| rng.random::<f64>() - 0.5);
            let a = &m * m.transpose() + DMatrix::identity(n, n);
            let b = DMatrix::from_fn(n, 2, |_, _| rng.random::<f64>());
            let x = Cholesky::new(a.clone()).unwrap().solve(b.clone());
            assert!((a * x - b).amax() < 1e-10, "{n}");
        }
    }

    #[test]
    fn what_is_not_positive_definite_has_no_factor() {
        assert!(Cholesky::new(DMatrix::from_row_slice(2, 2, &[1.0, 2.0, 2.0, 1.0])).is_none());
        assert!(Cholesky::new(DMatrix::from_element(1, 1, f64::NAN)).is_none());
    }
}
