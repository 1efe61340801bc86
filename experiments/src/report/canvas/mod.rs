//! A drawing made of lines, shapes and text, written as SVG or PNG.
//!
//! Colours are named by role ([`Ink`]), so that one drawing serves a white page, a dark screen and
//! a printed figure. Lengths are pixels at 96 per inch; `y` grows downwards.

mod ink;
mod png;
mod svg;
mod text;

pub use ink::{Ink, Paint};
pub use png::PngError;
pub use text::{Anchor, TextStyle, Turn, Weight, fitted, text_width};

use svg::Target;

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
