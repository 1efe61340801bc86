//! The incomplete beta function and its inverse.

/// Terms of the continued fraction; it needs about `√max(a, b)` of them.
const TERMS: usize = 500;

/// A term that changes the continued fraction by less ends it.
const TERM_TOLERANCE: f64 = 1e-16;

/// Stands in for a denominator of 0 in Lentz's method.
const TINY: f64 = 1e-300;

/// Steps of the root search; bisection alone would need about 60.
const STEPS: usize = 100;

/// Relative width of a step that ends the search.
const STEP_TOLERANCE: f64 = 4.0 * f64::EPSILON;

/// The regularised incomplete beta function `I_x(a, b)`, by its continued fraction.
///
/// Relative to its size exact as long as it is not close to 1: take `1 − I_{1−x}(b, a)` there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beta {
    a: f64,
    b: f64,
    /// `ln B(a, b)`, which makes the whole 1.
    ln_norm: f64,
}

impl Beta {
    pub(super) fn new(a: f64, b: f64) -> Self {
        Self { a, b, ln_norm: libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b) }
    }

    /// The law of `1 − x`.
    fn mirrored(self) -> Self {
        Self { a: self.b, b: self.a, ln_norm: self.ln_norm }
    }

    /// `P(X <= x)` and `P(X > x)`, the smaller of them exact relative to its size; `y = 1 − x`.
    pub(super) fn tails(self, x: f64, y: f64) -> (f64, f64) {
        if x < (self.a + 1.0) / (self.a + self.b + 2.0) {
            let lower = self.fraction(x, y);
            (lower, 1.0 - lower)
        } else {
            let upper = self.mirrored().fraction(y, x);
            (1.0 - upper, upper)
        }
    }

    /// The quantiles `x` and `1 − x` with `P(X <= x) = lower <= 1/2`.
    pub(super) fn lower_quantile(self, lower: f64) -> (f64, f64) {
        let (mut low, mut high) = (0.0_f64, 1.0_f64);
        // What the power law near 0 says, as long as it stays inside.
        let near_zero = libm::exp((libm::log(lower * self.a) + self.ln_norm) / self.a);
        let mut x = if near_zero < 0.5 { near_zero } else { self.a / (self.a + self.b) };
        for _ in 0..STEPS {
            let off = self.tails(x, 1.0 - x).0 - lower;
            if off > 0.0 {
                high = x;
            } else {
                low = x;
            }
            let newton = x - off / self.density(x, 1.0 - x);
            let next = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
            let step = (next - x).abs();
            x = next;
            if step <= STEP_TOLERANCE * x {
                break;
            }
        }
        (x, 1.0 - x)
    }

    /// The quantiles `x` and `1 − x` with `P(X > x) = upper <= 1/2`.
    pub(super) fn upper_quantile(self, upper: f64) -> (f64, f64) {
        let (y, x) = self.mirrored().lower_quantile(upper);
        (x, y)
    }

    fn density(self, x: f64, y: f64) -> f64 {
        libm::exp((self.a - 1.0) * libm::log(x) + (self.b - 1.0) * libm::log(y) - self.ln_norm)
    }

    /// `I_x(a, b)` where it converges fast, `x < (a + 1) / (a + b + 2)`, by Lentz's method
    /// (DLMF 8.17.22).
    fn fraction(self, x: f64, y: f64) -> f64 {
        if x <= 0.0 {
            return 0.0;
        }
        let (a, b) = (self.a, self.b);
        let front = libm::exp(a * libm::log(x) + b * libm::log(y) - self.ln_norm) / a;
        let floor = |v: f64| if v.abs() < TINY { TINY } else { v };
        let mut c = 1.0;
        let mut d = 1.0 / floor(1.0 - (a + b) * x / (a + 1.0));
        let mut value = d;
        for term in 1..TERMS {
            let m = term as f64;
            let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
            let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
            let before = value;
            for numerator in [even, odd] {
                d = 1.0 / floor(1.0 + numerator * d);
                c = floor(1.0 + numerator / c);
                value *= c * d;
            }
            if (value - before).abs() < TERM_TOLERANCE * value {
                break;
            }
        }
        front * value
    }
}
