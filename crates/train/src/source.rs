use burn::tensor::Device;
use domino_core::Observations;
use domino_model::{Obs, PairBatch, upload_rows};
use rand::{Rng, RngExt};

/// Where minibatches come from: rows of two tables of floats or of pictures, drawn with replacement.
///
/// A stack of models draws independently for each of its members, each from its own pool of rows.
#[derive(Clone, Debug)]
pub struct PairSource {
    before: Observations,
    after: Observations,
    pools: Vec<Vec<u32>>,
}

impl PairSource {
    /// All rows of two row-major tables of `dim` columns, for each of `stack` models.
    pub fn new(before: Vec<f32>, after: Vec<f32>, dim: usize, stack: usize) -> Self {
        let rows = before.len().checked_div(dim).unwrap_or(0) as u32;
        let tables = [before, after].map(|data| Observations::Vectors { data, dim });
        Self::with_pools(tables, vec![(0..rows).collect(); stack])
    }

    /// Rows of two tables of as many rows, one pool of row numbers per model. Pictures reach the models
    /// as floats in `[0, 1]`.
    pub fn with_pools([before, after]: [Observations; 2], pools: Vec<Vec<u32>>) -> Self {
        Self { before, after, pools }
    }

    /// Models that draw from this source.
    pub fn stack(&self) -> usize {
        self.pools.len()
    }

    /// `batch` rows for each model, `[stack · batch, dim]`, grouped by model; a model whose pool
    /// is empty gets row 0.
    pub fn batch(&self, batch: usize, rng: &mut dyn Rng, device: &Device) -> PairBatch {
        let mut rows = Vec::with_capacity(self.stack() * batch);
        for pool in &self.pools {
            for _ in 0..batch {
                rows.push(if pool.is_empty() { 0 } else { pool[rng.random_range(0..pool.len())] });
            }
        }
        let [before, after] = [&self.before, &self.after].map(|table| gather(table, &rows, device));
        PairBatch { before, after }
    }
}

fn gather(table: &Observations, rows: &[u32], device: &Device) -> Obs {
    let mut data = Vec::with_capacity(rows.len() * table.dim());
    for &row in rows {
        table.push_row(row as usize, &mut data);
    }
    Obs(upload_rows(data, table.dim(), device))
}

#[cfg(test)]
mod tests {
    use domino_core::{Seed, Stream};
    use domino_model::{cpu, download};

    use super::*;

    #[test]
    fn each_model_draws_from_its_own_pool_and_rows_stay_pairs() {
        let before: Vec<f32> = (0..10).map(|v| v as f32).collect();
        let after = before.iter().map(|v| v + 100.0).collect();
        let tables = [before, after].map(|data| Observations::Vectors { data, dim: 1 });
        let source = PairSource::with_pools(tables, vec![vec![1, 2], vec![7]]);
        let batch = source.batch(50, &mut Seed(0).rng(Stream::Batch), &cpu());
        let (before, after) = (download(batch.before.0), download(batch.after.0));
        assert_eq!(before.nrows(), 100);
        assert!((after - &before).iter().all(|v| (v - 100.0).abs() < 1e-6));
        assert!(before.rows(0, 50).iter().all(|&v| (1.0..2.5).contains(&v)));
        assert!(before.rows(50, 50).iter().all(|&v| (v - 7.0).abs() < 1e-6));
    }
}
