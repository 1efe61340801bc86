//! Sixty-four samples side by side.
//!
//! Whatever is done to a tile is a loop over its lanes whose body knows one lane, has no branch and calls
//! nothing that is not inlined. The compiler turns such a loop into vectors as wide as the instruction set
//! has, and since no lane sees another, the width cannot change a bit of the result.

use crate::color::Rgb;
use crate::vec::Vec3;

/// Side of a tile in samples.
pub(crate) const TILE: usize = 8;
/// Samples of a tile.
pub(crate) const LANES: usize = TILE * TILE;
/// A number for each sample.
pub(crate) type Lane = [f32; LANES];

/// Farther away than anything: a ray that hits nothing. Not infinite, so that no NaN can come of it.
pub(crate) const FAR: f32 = 1e9;

/// A vector or a colour for each sample.
#[derive(Clone)]
pub(crate) struct Lane3 {
    x: Lane,
    y: Lane,
    z: Lane,
}

impl Lane3 {
    pub(crate) const fn zero() -> Self {
        Self { x: [0.0; LANES], y: [0.0; LANES], z: [0.0; LANES] }
    }

    #[inline(always)]
    pub(crate) fn get(&self, i: usize) -> Vec3 {
        Vec3::new(self.x[i], self.y[i], self.z[i])
    }

    #[inline(always)]
    pub(crate) fn set(&mut self, i: usize, v: Vec3) {
        self.x[i] = v.x;
        self.y[i] = v.y;
        self.z[i] = v.z;
    }

    #[inline(always)]
    pub(crate) fn color(&self, i: usize) -> Rgb {
        Rgb::new(self.x[i], self.y[i], self.z[i])
    }

    #[inline(always)]
    pub(crate) fn set_color(&mut self, i: usize, color: Rgb) {
        self.set(i, color.vec());
    }
}

/// One of two values, both of which are computed: `if` and `else` without a branch.
#[expect(clippy::fn_params_excessive_bools, reason = "the condition of the lane")]
#[inline(always)]
pub(crate) fn select<T: Copy>(condition: bool, yes: T, no: T) -> T {
    if condition { yes } else { no }
}

// `f32::min` and `f32::max` handle NaN, which costs two more instructions and which no lane holds.

#[inline(always)]
pub(crate) fn min(a: f32, b: f32) -> f32 {
    select(a < b, a, b)
}

#[inline(always)]
pub(crate) fn max(a: f32, b: f32) -> f32 {
    select(a > b, a, b)
}

#[inline(always)]
pub(crate) fn clamp(v: f32, low: f32, high: f32) -> f32 {
    min(max(v, low), high)
}

/// 0 up to `x = 0`, 1 from `x = 1` on, smooth between.
#[inline(always)]
pub(crate) fn smoothstep(x: f32) -> f32 {
    let x = clamp(x, 0.0, 1.0);
    x * x * (3.0 - 2.0 * x)
}

/// The nearest whole number below, for numbers of up to two million in size.
#[inline(always)]
pub(crate) fn floor(x: f32) -> f32 {
    // Adding 1.5 · 2²³ leaves no bits for a fraction; every instruction set can do that, not every one can
    // round.
    const WHOLE: f32 = 12_582_912.0;
    let near = (x + WHOLE) - WHOLE;
    select(near > x, near - 1.0, near)
}
