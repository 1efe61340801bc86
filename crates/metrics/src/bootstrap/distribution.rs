//! The normal distribution and Student's t, as far as intervals need them.

use std::f64::consts::PI;

/// Beyond it the normal distribution function is 0 or 1 in double precision.
const FARTHEST: f64 = 8.3;

/// Halvings of an interval until its ends are neighbours in double precision.
const HALVINGS: usize = 200;

/// `P(X <= x)` for a standard normal `X`: the series `1/2 + φ(x) Σ x^(2k+1) / (2k+1)!!`.
pub(super) fn normal_cdf(x: f64) -> f64 {
    if x.abs() > FARTHEST {
        return if x > 0.0 { 1.0 } else { 0.0 };
    }
    let (mut term, mut sum, mut odd) = (x, x, 1.0);
    // Every term is below the last one as soon as the odd number exceeds x².
    while term.abs() > f64::EPSILON * sum.abs() {
        odd += 2.0;
        term *= x * x / odd;
        sum += term;
    }
    let density = (-x * x / 2.0).exp() / (2.0 * PI).sqrt();
    (0.5 + density * sum).clamp(0.0, 1.0)
}

/// The `x` with `P(X <= x) = p` for a standard normal `X`; `p` in `(0, 1)`.
pub(super) fn normal_quantile(p: f64) -> f64 {
    root(|x| normal_cdf(x) - p, -FARTHEST, FARTHEST)
}

/// The `t` with `P(|T| <= t) = p` for Student's distribution with `dof` degrees of freedom, at
/// least 1; `p` in `(0, 1)`.
pub(super) fn student_two_sided(p: f64, dof: usize) -> f64 {
    // In the angle θ = atan(t / √dof) the distribution is a finite sum.
    let angle = root(|theta| central_mass(theta, dof) - p, 0.0, PI / 2.0);
    angle.tan() * (dof as f64).sqrt()
}

/// `P(|T| <= √dof tan θ)`; Abramowitz & Stegun, 26.7.3 and 26.7.4.
fn central_mass(theta: f64, dof: usize) -> f64 {
    let (sin, cos) = theta.sin_cos();
    // Σ_k cos^j θ ∏ (j − 1) / j over j = 0, 2, … or j = 1, 3, … below dof − 1.
    let (mut term, mut power) = if dof.is_multiple_of(2) { (1.0, 0) } else { (cos, 1) };
    let mut sum = term;
    while power + 2 < dof {
        term *= cos * cos * (power + 1) as f64 / (power + 2) as f64;
        power += 2;
        sum += term;
    }
    match dof {
        1 => 2.0 * theta / PI,
        _ if dof.is_multiple_of(2) => sin * sum,
        _ => 2.0 / PI * (theta + sin * sum),
    }
}

/// The root of an increasing function by bisection.
fn root(f: impl Fn(f64) -> f64, mut low: f64, mut high: f64) -> f64 {
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if f(middle) < 0.0 { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_quantiles_are_those_of_the_tables() {
        for (p, z) in [(0.5, 0.0), (0.975, 1.959_963_984_540_054), (0.001, -3.090_232_306_167_813)]
        {
            assert!((normal_quantile(p) - z).abs() < 1e-9, "{p}");
            assert!((normal_cdf(z) - p).abs() < 1e-12, "{p}");
        }
        assert!(normal_cdf(-40.0) <= 0.0 && normal_cdf(40.0) >= 1.0);
    }

    #[test]
    fn student_quantiles_are_those_of_the_tables() {
        for (dof, t) in [
            (1, 12.706_204_736),
            (2, 4.302_652_730),
            (3, 3.182_446_305),
            (4, 2.776_445_105),
            (9, 2.262_157_163),
            (30, 2.042_272_456),
        ] {
            assert!((student_two_sided(0.95, dof) - t).abs() < 1e-8, "{dof}");
        }
    }
}
