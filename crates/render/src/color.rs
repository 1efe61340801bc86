use std::ops::{Add, Mul};
use std::sync::LazyLock;

use crate::vec::Vec3;

/// A colour or an amount of light in linear units: twice the number is twice the light. On a picture 1 is
/// white, and more is cut off.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rgb {
    /// Red.
    pub r: f32,
    /// Green.
    pub g: f32,
    /// Blue.
    pub b: f32,
}

impl Rgb {
    /// No light.
    pub const BLACK: Self = Self::grey(0.0);
    /// Full light.
    pub const WHITE: Self = Self::grey(1.0);

    /// The colour with these parts.
    #[inline(always)]
    pub const fn new(r: f32, g: f32, b: f32) -> Self {
        Self { r, g, b }
    }

    /// As much of each part.
    pub const fn grey(v: f32) -> Self {
        Self::new(v, v, v)
    }

    /// The colour that other programs write as `#rrggbb`.
    ///
    /// ```
    /// use domino_render::Rgb;
    ///
    /// assert_eq!(Rgb::from_srgb([255, 0, 0]), Rgb::new(1.0, 0.0, 0.0));
    /// assert!((Rgb::from_srgb([188; 3]).g - 0.5).abs() < 0.01); // half the light looks brighter than half
    /// ```
    pub fn from_srgb(code: [u8; 3]) -> Self {
        let [r, g, b] = code.map(|c| linear_from_srgb(f64::from(c) / 255.0) as f32);
        Self::new(r, g, b)
    }

    /// The pure colour of a hue in turns (0 red, 1/3 green, 2/3 blue), bright and saturated, in sRGB: the
    /// colour wheel of painting programs.
    pub fn from_hue(turns: f32) -> Self {
        let part = |shift: f32| {
            let h = (turns + shift) - libm::floorf(turns + shift);
            f64::from(((6.0 * h - 3.0).abs() - 1.0).clamp(0.0, 1.0))
        };
        let [r, g, b] = [0.0, 2.0 / 3.0, 1.0 / 3.0].map(|s| linear_from_srgb(part(s)) as f32);
        Self::new(r, g, b)
    }

    #[inline(always)]
    pub(crate) fn vec(self) -> Vec3 {
        Vec3::new(self.r, self.g, self.b)
    }

    pub(crate) fn is_light(self) -> bool {
        [self.r, self.g, self.b].iter().all(|v| v.is_finite() && *v >= 0.0)
    }
}

impl Add for Rgb {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self::new(self.r + other.r, self.g + other.g, self.b + other.b)
    }
}

impl Mul<f32> for Rgb {
    type Output = Self;
    #[inline(always)]
    fn mul(self, s: f32) -> Self {
        Self::new(self.r * s, self.g * s, self.b * s)
    }
}

impl Mul for Rgb {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self::new(self.r * other.r, self.g * other.g, self.b * other.b)
    }
}

/// Steps of linear light in the table: fine enough that the code of each of the 256 sRGB values comes back.
const STEPS: u16 = 4095;

static CODES: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let code = |i| 255.0 * srgb_from_linear(f64::from(i) / f64::from(STEPS)) + 0.5;
    (0..=STEPS).map(|i| code(i) as u8).collect()
});

/// From linear light to the bytes of a picture, IEC 61966-2-1, by table.
pub(crate) struct Encoder(&'static [u8]);

impl Encoder {
    pub(crate) fn new() -> Self {
        Self(&CODES)
    }

    #[inline(always)]
    pub(crate) fn encode(&self, linear: f32) -> u8 {
        // Written so that NaN, which no valid scene makes, is black rather than out of the table.
        let cut = if linear > 0.0 { linear } else { 0.0 };
        let cut = if cut < 1.0 { cut } else { 1.0 };
        self.0[(cut * f32::from(STEPS) + 0.5) as usize]
    }
}

fn srgb_from_linear(v: f64) -> f64 {
    if v <= 0.003_130_8 { 12.92 * v } else { 1.055 * libm::pow(v, 1.0 / 2.4) - 0.055 }
}

fn linear_from_srgb(v: f64) -> f64 {
    if v <= 0.040_45 { v / 12.92 } else { libm::pow((v + 0.055) / 1.055, 2.4) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_comes_back_from_its_light() {
        let encoder = Encoder::new();
        for code in 0..=255 {
            assert_eq!(encoder.encode(Rgb::from_srgb([code; 3]).r), code);
        }
    }

    #[test]
    fn light_is_cut_at_black_and_white() {
        let encoder = Encoder::new();
        assert_eq!([-1.0, 0.0, 1.0, 50.0].map(|v| encoder.encode(v)), [0, 0, 255, 255]);
        assert_eq!(encoder.encode(f32::NAN), 0);
    }

    #[test]
    fn hues_go_from_red_over_green_to_blue() {
        assert_eq!(Rgb::from_hue(0.0), Rgb::new(1.0, 0.0, 0.0));
        assert!((Rgb::from_hue(1.0 / 3.0) + Rgb::from_hue(4.0 / 3.0) * -1.0).g.abs() < 1e-5);
        let yellow = Rgb::from_hue(1.0 / 6.0);
        assert!((yellow.r - 1.0).abs() < 1e-5 && (yellow.g - 1.0).abs() < 1e-5 && yellow.b < 1e-5);
    }
}
