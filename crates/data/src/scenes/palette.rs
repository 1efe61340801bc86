//! Colours of hues.

use domino_render::Rgb;

/// Share of the colour circle that the hue of a continuous variable runs through, from red over green
/// and blue to violet: on a whole circle 0 and 1 would look the same.
const ARC: f32 = 0.8;

/// Linear interpolation.
pub(super) fn between(low: f32, high: f32, u: f32) -> f32 {
    low + (high - low) * u
}

/// A strong colour on the open arc.
pub(super) fn arc_hue(u: f32) -> Rgb {
    strong(ARC * u)
}

/// A pale colour on the open arc, for grounds.
pub(super) fn pale(u: f32) -> Rgb {
    Rgb::from_hue(ARC * u) * 0.3 + Rgb::grey(0.2)
}

/// A strong colour of a hue in turns.
pub(super) fn strong(turns: f32) -> Rgb {
    Rgb::from_hue(turns) * 0.75 + Rgb::grey(0.05)
}
