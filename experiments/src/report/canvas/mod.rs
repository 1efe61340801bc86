//! A drawing made of lines, shapes and text, written as SVG or PNG.
//!
//! Colours are named by role ([`Ink`]), so that one drawing serves a white page, a dark screen and
//! a printed figure. Lengths are pixels at 96 per inch; `y` grows downwards.

mod ink;
mod png;
mod svg;

pub use ink::{Ink, Paint};
pub use png::PngError;
pub(crate) use svg::Target;

/// A point `(x, y)`.
pub type Point = (f64, f64);

/// A drawing.
#[derive(Clone, Debug, PartialEq)]
pub struct Canvas {
    width: f64,
    height: f64,
    marks: Vec<Mark>,
}

/// One thing drawn, with the text that appears when a pointer rests on it.
#[derive(Clone, Debug, PartialEq)]
struct Mark {
    shape: Shape,
    hover: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
enum Shape {
    Polyline { points: Vec<Point>, stroke: Stroke },
    Polygon { points: Vec<Point>, fill: Paint },
    Rect { area: Area, fill: Option<Paint>, stroke: Option<Stroke> },
    Circle { centre: Point, radius: f64, fill: Option<Paint>, stroke: Option<Stroke> },
    Text { at: Point, text: String, style: TextStyle },
}

/// An axis-aligned rectangle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Area {
    /// Left edge.
    pub x: f64,
    /// Top edge.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

impl Area {
    /// The rectangle at `(x, y)` of the given size.
    pub fn new(x: f64, y: f64, width: f64, height: f64) -> Self {
        Self { x, y, width, height }
    }

    /// Right edge.
    pub fn right(&self) -> f64 {
        self.x + self.width
    }

    /// Bottom edge.
    pub fn bottom(&self) -> f64 {
        self.y + self.height
    }

    /// The middle.
    pub fn centre(&self) -> Point {
        (self.x + self.width / 2.0, self.y + self.height / 2.0)
    }
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stroke {
    /// Colour and opacity.
    pub paint: Paint,
    /// Width in pixels.
    pub width: f64,
    /// Continuous or broken.
    pub dash: Dash,
}

/// Whether a line is continuous.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dash {
    /// Continuous.
    Solid,
    /// Broken.
    Dashed,
}

impl Stroke {
    /// A continuous line.
    pub fn solid(ink: Ink, width: f64) -> Self {
        Self { paint: ink.into(), width, dash: Dash::Solid }
    }

    /// A broken line.
    pub fn dashed(ink: Ink, width: f64) -> Self {
        Self { dash: Dash::Dashed, ..Self::solid(ink, width) }
    }
}

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

impl Canvas {
    /// An empty drawing.
    pub fn new(width: f64, height: f64) -> Self {
        Self { width, height, marks: Vec::new() }
    }

    /// Width and height.
    pub fn size(&self) -> (f64, f64) {
        (self.width, self.height)
    }

    /// A straight line.
    pub fn line(&mut self, from: Point, to: Point, stroke: Stroke) {
        self.polyline(vec![from, to], stroke);
    }

    /// Straight lines from point to point.
    pub fn polyline(&mut self, points: Vec<Point>, stroke: Stroke) {
        self.push(Shape::Polyline { points, stroke });
    }

    /// A filled polygon.
    pub fn polygon(&mut self, points: Vec<Point>, fill: impl Into<Paint>) {
        self.push(Shape::Polygon { points, fill: fill.into() });
    }

    /// A filled rectangle.
    pub fn rect(&mut self, area: Area, fill: impl Into<Paint>) {
        self.push(Shape::Rect { area, fill: Some(fill.into()), stroke: None });
    }

    /// The outline of a rectangle.
    pub fn frame(&mut self, area: Area, stroke: Stroke) {
        self.push(Shape::Rect { area, fill: None, stroke: Some(stroke) });
    }

    /// A filled circle.
    pub fn disc(&mut self, centre: Point, radius: f64, fill: impl Into<Paint>) {
        self.push(Shape::Circle { centre, radius, fill: Some(fill.into()), stroke: None });
    }

    /// The outline of a circle.
    pub fn ring(&mut self, centre: Point, radius: f64, stroke: Stroke) {
        self.push(Shape::Circle { centre, radius, fill: None, stroke: Some(stroke) });
    }

    /// Text on a baseline through `at`.
    pub fn text(&mut self, at: Point, text: impl Into<String>, style: TextStyle) {
        self.push(Shape::Text { at, text: text.into(), style });
    }

    /// Says what the last mark means when a pointer rests on it.
    pub fn hover(&mut self, text: impl Into<String>) {
        if let Some(mark) = self.marks.last_mut() {
            mark.hover = Some(text.into());
        }
    }

    /// The drawing as a file of its own: light colours, white ground, no style sheet.
    pub fn to_svg(&self) -> String {
        svg::render(self, Target::File)
    }

    /// The drawing for a page: colours are the page's custom properties, described by `title`.
    pub(crate) fn to_inline_svg(&self, title: &str) -> String {
        svg::render(self, Target::Page { title })
    }

    /// The drawing as PNG at twice its size: light colours, white ground.
    ///
    /// Text is set in a font that is part of the program, so that machines without fonts give the
    /// same picture.
    ///
    /// # Errors
    /// [`PngError`] if the rasteriser refuses the drawing.
    pub fn to_png(&self) -> Result<Vec<u8>, PngError> {
        png::render(self)
    }

    fn push(&mut self, shape: Shape) {
        self.marks.push(Mark { shape, hover: None });
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
