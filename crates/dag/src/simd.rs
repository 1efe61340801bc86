//! Loops compiled several times over, for the vector units that the processor may have.
//!
//! Kernels add in a fixed order and never fuse products with sums, so that all versions give the
//! same bits.

#![expect(
    clippy::inline_always,
    reason = "what a kernel calls has to become part of the code for each vector unit"
)]

/// A computation whose `run` is inlined into code for each vector unit; what it calls must be
/// `#[inline(always)]` too.
pub(crate) trait Kernel {
    type Output;
    fn run(self) -> Self::Output;
}

/// Runs a kernel with the widest vectors that the processor has.
#[allow(unsafe_code, reason = "the features are checked in the line above each call")]
pub(crate) fn vectorised<K: Kernel>(kernel: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") {
            return unsafe { with_avx512(kernel) };
        }
        if is_x86_feature_detected!("avx2") {
            return unsafe { with_avx2(kernel) };
        }
    }
    kernel.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn with_avx512<K: Kernel>(kernel: K) -> K::Output {
    kernel.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn with_avx2<K: Kernel>(kernel: K) -> K::Output {
    kernel.run()
}

/// `to += factor · from`.
#[inline(always)]
pub(crate) fn axpy(to: &mut [f32], factor: f32, from: &[f32]) {
    to.iter_mut().zip(from).for_each(|(t, f)| *t += factor * f);
}

/// `to += from`.
#[inline(always)]
pub(crate) fn add(to: &mut [f32], from: &[f32]) {
    to.iter_mut().zip(from).for_each(|(t, f)| *t += f);
}

/// `e^x` to a relative error below 3e-7, for `x` clamped to ±87.
///
/// `x = n ln 2 + r` with `|r| ≤ ln 2 / 2`; `e^r` by its Taylor polynomial of degree 7.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    /// Adding it leaves no room for fractions in an `f32`, so that the sum is rounded.
    const ROUNDER: f32 = 12_582_912.0;
    /// ln 2 in two parts, the first with few digits, so that its multiples are exact.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    let x = x.clamp(-87.0, 87.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUNDER;
    let n = shifted - ROUNDER;
    let r = (x - n * LN_2[0]) - n * LN_2[1];
    let mut series = 1.0 / 5040.0;
    for coefficient in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        series = series * r + coefficient;
    }
    // `n` as an exponent: the low bits of the shifted number are `n` above those of the rounder.
    let exponent = shifted.to_bits().wrapping_sub(ROUNDER.to_bits()).wrapping_add(127);
    series * f32::from_bits(exponent << 23)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Exps(Vec<f32>);

    impl Kernel for Exps {
        type Output = Vec<f32>;

        #[inline(always)]
        fn run(self) -> Vec<f32> {
            self.0.iter().map(|&x| exp(x)).collect()
        }
    }

    #[test]
    fn exponentials_are_right_at_every_width() {
        let xs: Vec<f32> = (-8700..=8700).map(|i| i as f32 / 100.0).collect();
        let wide = vectorised(Exps(xs.clone()));
        for (x, y) in xs.iter().zip(wide) {
            let truth = f64::from(*x).exp();
            assert!((f64::from(y) / truth - 1.0).abs() < 3e-7, "{x}: {y}");
            assert_eq!(y.to_bits(), exp(*x).to_bits(), "the same bits without vectors");
        }
    }
}
