use nalgebra::DMatrix;
use rand::{Rng, RngExt};

/// A standard normal draw.
///
/// Box & Muller, *A note on the generation of random normal deviates*, 1958.
pub(crate) fn normal(rng: &mut dyn Rng) -> f64 {
    let (radius, angle): (f64, f64) = (1.0 - rng.random::<f64>(), rng.random());
    (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
}

/// The first state whose cumulative probability exceeds a uniform draw; `probs` sum to 1.
pub(crate) fn categorical(probs: impl Iterator<Item = f64>, rng: &mut dyn Rng) -> u32 {
    let level: f64 = rng.random();
    let (mut sum, mut last) = (0.0, 0);
    for (state, p) in probs.enumerate() {
        sum += p;
        if p > 0.0 {
            last = state;
        }
        if level < sum {
            return state as u32;
        }
    }
    // Rounding left the sum a hair below the draw.
    last as u32
}

/// A matrix with orthonormal columns (rows, if it is wide) times `gain`, uniform over those.
///
/// Saxe, `McClelland` & Ganguli, *Exact solutions to the nonlinear dynamics of learning in deep linear
/// neural networks*, ICLR 2014.
pub(crate) fn orthogonal(rows: usize, cols: usize, gain: f64, rng: &mut dyn Rng) -> DMatrix<f64> {
    if rows < cols {
        return orthogonal(cols, rows, gain, rng).transpose();
    }
    let (q, r) = DMatrix::from_fn(rows, cols, |_, _| normal(rng)).qr().unpack();
    // The sign of R's diagonal makes the law uniform whatever the convention of the factorisation.
    DMatrix::from_fn(rows, cols, |i, j| gain * q[(i, j)] * r[(j, j)].signum())
}

#[cfg(test)]
mod tests {
    use domino_core::{Seed, Stream};

    use super::*;

    #[test]
    fn orthogonal_matrices_are_so_in_either_shape() {
        let mut rng = Seed(1).rng(Stream::World);
        let tall = orthogonal(7, 3, 2.0, &mut rng);
        assert!((tall.transpose() * &tall - DMatrix::identity(3, 3) * 4.0).amax() < 1e-12);
        let wide = orthogonal(3, 7, 2.0, &mut rng);
        assert!((&wide * wide.transpose() - DMatrix::identity(3, 3) * 4.0).amax() < 1e-12);
    }

    #[test]
    fn states_come_as_often_as_their_probability() {
        let mut rng = Seed(2).rng(Stream::Data);
        let probs = [0.5, 0.0, 0.2, 0.3];
        let mut counts = [0_usize; 4];
        (0..20_000).for_each(|_| counts[categorical(probs.into_iter(), &mut rng) as usize] += 1);
        for (p, count) in probs.iter().zip(counts) {
            assert!((count as f64 / 20_000.0 - p).abs() < 0.015);
        }
        assert_eq!(counts[1], 0);
    }
}
