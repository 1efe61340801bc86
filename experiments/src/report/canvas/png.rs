use kuva::backend::raster::RasterBackend;
use kuva::render::color::Color;
use kuva::render::render::{PathData, Primitive, Scene, TextAnchor, TextSpan};
use thiserror::Error;

use super::svg::dash_lengths;
use super::{Anchor, Canvas, Dash, Paint, Point, Shape, Stroke, TextStyle, Turn, Weight};

/// Pixels of the picture per pixel of the drawing.
const SCALE: f32 = 2.0;

/// Why a drawing has no PNG.
#[derive(Debug, Error)]
#[error("figure of {width} x {height} pixels: {reason}")]
pub struct PngError {
    /// Width of the drawing.
    pub width: f64,
    /// Height of the drawing.
    pub height: f64,
    /// What the rasteriser says.
    pub reason: String,
}

pub(super) fn render(canvas: &Canvas) -> Result<Vec<u8>, PngError> {
    let mut scene = Scene::new(canvas.width, canvas.height);
    scene.elements = canvas.marks.iter().flat_map(|mark| primitives(&mark.shape)).collect();
    RasterBackend::new().with_scale(SCALE).render_scene(&scene).map_err(|reason| PngError {
        width: canvas.width,
        height: canvas.height,
        reason,
    })
}

fn primitives(shape: &Shape) -> Vec<Primitive> {
    match shape {
        Shape::Polyline { points, stroke } => polyline(points, stroke),
        Shape::Polygon { points, fill } => vec![polygon(points, *fill)],
        Shape::Rect { area, fill, stroke } => {
            let (right, bottom) = (area.right(), area.bottom());
            let fill = fill.map(|fill| Primitive::Rect {
                x: area.x,
                y: area.y,
                width: area.width,
                height: area.height,
                fill: color(fill),
                stroke: None,
                stroke_width: None,
                opacity: None,
            });
            let corners = [(area.x, area.y), (right, area.y), (right, bottom), (area.x, bottom)];
            let closed: Vec<Point> = corners.into_iter().chain([corners[0]]).collect();
            fill.into_iter()
                .chain(stroke.iter().flat_map(|stroke| polyline(&closed, stroke)))
                .collect()
        }
        Shape::Circle { centre, radius, fill, stroke } => vec![Primitive::Circle {
            cx: centre.0,
            cy: centre.1,
            r: *radius,
            fill: fill.map_or(Color::None, color),
            fill_opacity: None,
            stroke: stroke.map(|stroke| color(stroke.paint)),
            stroke_width: stroke.map(|stroke| stroke.width),
        }],
        Shape::Text { at, text, style } => vec![label(*at, text, style)],
    }
}

fn polyline(points: &[Point], stroke: &Stroke) -> Vec<Primitive> {
    let pieces = match stroke.dash {
        Dash::Solid => vec![points.to_vec()],
        Dash::Dashed => dashes(points, dash_lengths(stroke.width)),
    };
    let piece = |points| Primitive::PolyLine {
        points,
        stroke: color(stroke.paint),
        stroke_width: stroke.width,
        stroke_dasharray: None,
    };
    pieces.into_iter().map(piece).collect()
}

fn polygon(points: &[Point], fill: Paint) -> Primitive {
    let corners: Vec<_> = points.iter().map(|(x, y)| format!("{x} {y}")).collect();
    Primitive::Path(Box::new(PathData {
        d: format!("M {} Z", corners.join(" L ")),
        fill: Some(color(fill)),
        stroke: Color::None,
        stroke_width: 0.0,
        opacity: None,
        stroke_dasharray: None,
    }))
}

/// Only rich text is set in bold, and only plain text is turned.
fn label(at: Point, text: &str, style: &TextStyle) -> Primitive {
    let (x, y) = at;
    let size = style.size.round() as u32;
    let anchor = match style.anchor {
        Anchor::Start => TextAnchor::Start,
        Anchor::Middle => TextAnchor::Middle,
        Anchor::End => TextAnchor::End,
    };
    let color = Some(color(style.ink.into()));
    if style.weight == Weight::Bold && style.turn == Turn::Upright {
        let [italic, underline, code, math] = [false; 4];
        let text = text.to_owned();
        let span = TextSpan { text, bold: true, italic, underline, code, math };
        return Primitive::RichText { x, y, spans: vec![span], size, anchor, color };
    }
    let rotate = (style.turn == Turn::Upwards).then_some(-90.0);
    Primitive::Text { x, y, content: text.to_owned(), size, anchor, rotate, bold: false, color }
}

fn color(paint: Paint) -> Color {
    let (r, g, b) = paint.on_white();
    Color::Rgb(r, g, b)
}

/// The visible parts of a broken line.
fn dashes(points: &[Point], [on, off]: [f64; 2]) -> Vec<Vec<Point>> {
    let mut pieces: Vec<Vec<Point>> = Vec::new();
    let mut along = 0.0;
    for pair in points.windows(2) {
        let [from, to] = [pair[0], pair[1]];
        let length = (to.0 - from.0).hypot(to.1 - from.1);
        let mut done = 0.0;
        while done < length {
            let place: f64 = along % (on + off);
            let visible = place < on;
            let step = (if visible { on } else { on + off } - place).min(length - done);
            if visible {
                let point = |s: f64| {
                    let t = s / length;
                    (from.0 + t * (to.0 - from.0), from.1 + t * (to.1 - from.1))
                };
                pieces.push(vec![point(done), point(done + step)]);
            }
            // A step that rounding makes too small would never end.
            let step = step.max(1e-3);
            done += step;
            along += step;
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::super::{Area, Ink};
    use super::*;

    #[test]
    fn dashes_cover_their_share_of_a_bent_line() {
        let pieces = dashes(&[(0.0, 0.0), (50.0, 0.0), (50.0, 50.0)], [6.0, 4.0]);
        let length: f64 = pieces.iter().map(|p| (p[1].0 - p[0].0).hypot(p[1].1 - p[0].1)).sum();
        assert!((length - 60.0).abs() < 0.1, "{length}");
    }

    #[test]
    fn pictures_are_twice_the_drawing_and_hold_text() {
        let mut canvas = Canvas::new(40.0, 20.0);
        let blank = canvas.to_png().unwrap();
        canvas.text((4.0, 15.0), "do", TextStyle::new(12.0, Ink::Text));
        let png = canvas.to_png().unwrap();
        assert_eq!(&png[1..4], b"PNG");
        let side = |at| u32::from_be_bytes([png[at], png[at + 1], png[at + 2], png[at + 3]]);
        assert_eq!((side(16), side(20)), (80, 40));
        assert_ne!(png, blank);
    }

    #[test]
    fn an_empty_drawing_has_no_picture() {
        let mut canvas = Canvas::new(0.0, 5.0);
        canvas.frame(Area::new(0.0, 0.0, 1.0, 1.0), Stroke::solid(Ink::Faint, 1.0));
        let error = canvas.to_png().unwrap_err();
        assert!(error.to_string().starts_with("figure of 0 x 5 pixels: "), "{error}");
    }
}
