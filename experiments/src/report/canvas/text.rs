use super::Ink;

/// How text is set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TextStyle {
    /// Size in pixels.
    pub size: f64,
    /// Colour.
    pub ink: Ink,
    /// Which end of the text the point is.
    pub anchor: Anchor,
    /// Regular or bold.
    pub weight: Weight,
    /// Upright or turned by a quarter, reading upwards.
    pub turn: Turn,
}

/// Which part of a text lies at its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// Its start.
    Start,
    /// Its middle.
    Middle,
    /// Its end.
    End,
}

/// Thickness of letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// Regular.
    Regular,
    /// Bold.
    Bold,
}

/// Direction of reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Left to right.
    Upright,
    /// Bottom to top.
    Upwards,
}

impl TextStyle {
    /// Regular text of a size, starting at its point.
    pub fn new(size: f64, ink: Ink) -> Self {
        let (anchor, weight, turn) = (Anchor::Start, Weight::Regular, Turn::Upright);
        Self { size, ink, anchor, weight, turn }
    }

    /// The same with the middle of the text at its point.
    pub fn middle(self) -> Self {
        Self { anchor: Anchor::Middle, ..self }
    }

    /// The same with the end of the text at its point.
    pub fn end(self) -> Self {
        Self { anchor: Anchor::End, ..self }
    }

    /// The same in bold.
    pub fn bold(self) -> Self {
        Self { weight: Weight::Bold, ..self }
    }

    /// The same reading upwards.
    pub fn upwards(self) -> Self {
        Self { turn: Turn::Upwards, ..self }
    }
}

/// Width of a text in pixels, on the wide side: layouts hold in whatever font a viewer has.
///
/// Advances are those of common sans-serif faces rounded up, in classes of similar letters.
pub fn text_width(text: &str, size: f64) -> f64 {
    let em = |c: char| match c {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' => 0.32,
        'f' | 't' | 'r' | ' ' | '(' | ')' | '[' | ']' | '-' | '/' => 0.40,
        'm' | 'w' | 'M' | 'W' | '→' | '%' | '@' => 0.97,
        'A'..='Z' | '−' | '+' | '=' | '±' | '×' => 0.76,
        c if c.is_ascii() => 0.63,
        _ => 0.70,
    };
    text.chars().map(em).sum::<f64>() * size
}

/// The text, cut with an ellipsis to at most `width` pixels.
pub fn fitted(text: &str, size: f64, width: f64) -> String {
    if text_width(text, size) <= width {
        return text.to_owned();
    }
    let mut kept: String = text.to_owned();
    while !kept.is_empty() && text_width(&kept, size) + 0.9 * size > width {
        kept.pop();
    }
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_only_where_it_does_not_fit() {
        assert_eq!(fitted("green lamp", 12.0, 200.0), "green lamp");
        let cut = fitted("a very long name of a variable", 12.0, 80.0);
        assert!(cut.ends_with('…') && text_width(&cut, 12.0) < 85.0, "{cut}");
    }
}
