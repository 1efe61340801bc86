//! The standard normal law, to the same bits on every platform.

use std::f64::consts::{FRAC_1_SQRT_2, TAU};

use rand::{Rng, RngExt};

/// `Φ(x)`; relative to its size exact in the lower tail, so take `Φ(−x)` for the upper one.
pub(crate) fn cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x * FRAC_1_SQRT_2)
}

/// `Φ⁻¹(p)`, `0 < p < 1`.
pub(crate) fn quantile(p: f64) -> f64 {
    if p > 0.5 { -lower_quantile(1.0 - p) } else { lower_quantile(p) }
}

/// A draw from `N(0, 1)`, from one draw of the generator.
pub(crate) fn draw(rng: &mut dyn Rng) -> f64 {
    // The middles of 2^53 cells: neither 0 nor 1, and symmetric.
    let cell = rng.random::<u64>() >> 11;
    quantile((cell as f64 + 0.5) / (1_u64 << 53) as f64)
}

/// `Φ⁻¹(p)` for `p <= 1/2`: formula 26.2.23 of Abramowitz & Stegun (error below 4.5e-4), sharpened
/// by Halley's method, which takes the number of correct digits times three in each step.
fn lower_quantile(p: f64) -> f64 {
    let t = (-2.0 * libm::log(p)).sqrt();
    let guess = ((0.010_328 * t + 0.802_853) * t + 2.515_517)
        / (((0.001_308 * t + 0.189_269) * t + 1.432_788) * t + 1.0);
    let mut x = guess - t;
    for _ in 0..2 {
        let off = (cdf(x) - p) / (libm::exp(-0.5 * x * x) / TAU.sqrt());
        x -= off / (1.0 + 0.5 * x * off);
    }
    x
}

#[cfg(test)]
mod tests {
    use domino_core::{Seed, Stream};

    use super::*;

    #[test]
    fn quantiles_invert_the_distribution_function_in_both_tails() {
        for exponent in 1..250 {
            let p = 10_f64.powf(-0.2 * f64::from(exponent));
            assert!((cdf(quantile(p)) / p - 1.0).abs() < 1e-12, "{p}");
            if p > 1e-9 {
                assert!((cdf(-quantile(1.0 - p)) / p - 1.0).abs() < 1e-6, "{p}");
            }
        }
        // scipy 1.16: norm.ppf([0.975, 0.5, 1e-10])
        assert!((quantile(0.975) - 1.959_963_984_540_054).abs() < 1e-14);
        assert!(quantile(0.5).abs() < 1e-15);
        assert!((quantile(1e-10) + 6.361_340_902_404_056).abs() < 1e-13);
    }

    #[test]
    fn draws_have_the_moments_of_the_normal_law() {
        let rng = &mut Seed(3).rng(Stream::Data);
        let draws: Vec<f64> = (0..20_000).map(|_| draw(rng)).collect();
        let moment = |k| draws.iter().map(|x| x.powi(k)).sum::<f64>() / draws.len() as f64;
        assert!(moment(1).abs() < 0.03 && (moment(2) - 1.0).abs() < 0.04);
        assert!(moment(3).abs() < 0.12 && (moment(4) - 3.0).abs() < 0.3);
    }
}
