/// A colour by what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// Text and axes.
    Text,
    /// Secondary text.
    Muted,
    /// Grid lines and frames.
    Faint,
    /// The ground.
    Paper,
    /// Panels on the ground.
    Panel,
    /// Data, and full intensity in matrices.
    Accent,
    /// Text on full intensity.
    OnAccent,
    /// Something missing or wrong.
    Bad,
    /// Something turned round.
    Turned,
    /// Something as it should be.
    Good,
}

impl Ink {
    /// All colours, for style sheets.
    pub const ALL: [Self; 10] = [
        Self::Text,
        Self::Muted,
        Self::Faint,
        Self::Paper,
        Self::Panel,
        Self::Accent,
        Self::OnAccent,
        Self::Bad,
        Self::Turned,
        Self::Good,
    ];

    /// Name of the colour in style sheets.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Muted => "muted",
            Self::Faint => "faint",
            Self::Paper => "paper",
            Self::Panel => "panel",
            Self::Accent => "accent",
            Self::OnAccent => "on-accent",
            Self::Bad => "bad",
            Self::Turned => "turned",
            Self::Good => "good",
        }
    }

    /// The colour on a light ground, as (red, green, blue). Blue, vermilion and purple stay apart
    /// for colour-blind readers.
    pub fn light(self) -> (u8, u8, u8) {
        match self {
            Self::Text => (0x1b, 0x1f, 0x24),
            Self::Muted => (0x57, 0x60, 0x6a),
            Self::Faint => (0xd8, 0xde, 0xe4),
            Self::Paper | Self::OnAccent => (0xff, 0xff, 0xff),
            Self::Panel => (0xf6, 0xf8, 0xfa),
            Self::Accent => (0x1f, 0x5f, 0xad),
            Self::Bad => (0xcb, 0x3a, 0x16),
            Self::Turned => (0x8a, 0x3f, 0xb0),
            Self::Good => (0x1a, 0x7f, 0x4b),
        }
    }

    /// The colour on a dark ground.
    pub fn dark(self) -> (u8, u8, u8) {
        match self {
            Self::Text => (0xe6, 0xea, 0xef),
            Self::Muted => (0x9d, 0xa7, 0xb3),
            Self::Faint => (0x30, 0x37, 0x40),
            Self::Paper => (0x11, 0x15, 0x1a),
            Self::OnAccent => (0x0b, 0x10, 0x16),
            Self::Panel => (0x19, 0x1f, 0x26),
            Self::Accent => (0x6f, 0xb0, 0xff),
            Self::Bad => (0xff, 0x80, 0x5c),
            Self::Turned => (0xd0, 0x94, 0xf5),
            Self::Good => (0x4f, 0xc9, 0x8b),
        }
    }
}

/// A colour with an opacity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Paint {
    /// The colour.
    pub ink: Ink,
    /// From 0, invisible, to 1.
    pub opacity: f64,
}

impl Paint {
    /// A colour of which only a part covers; no number counts as 0.
    pub fn faded(ink: Ink, opacity: f64) -> Self {
        let opacity = if opacity.is_nan() { 0.0 } else { opacity.clamp(0.0, 1.0) };
        Self { ink, opacity }
    }

    /// The opaque light colour that this paint gives on white.
    pub(super) fn on_white(self) -> (u8, u8, u8) {
        let (r, g, b) = self.ink.light();
        let mix = |c: u8| (f64::from(c) * self.opacity + 255.0 * (1.0 - self.opacity)).round();
        (mix(r) as u8, mix(g) as u8, mix(b) as u8)
    }
}

impl From<Ink> for Paint {
    fn from(ink: Ink) -> Self {
        Self { ink, opacity: 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opacity_runs_from_white_to_the_colour() {
        assert_eq!(Paint::faded(Ink::Bad, 0.0).on_white(), (255, 255, 255));
        assert_eq!(Paint::faded(Ink::Bad, 9.0).on_white(), Ink::Bad.light());
        assert_eq!(Paint::faded(Ink::Bad, f64::NAN).on_white(), (255, 255, 255));
    }
}
