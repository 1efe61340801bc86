use std::fmt::Write;

use super::{
    Anchor, Canvas, Dash, Ink, Mark, Paint, Point, Shape, Stroke, TextStyle, Turn, Weight,
};

/// Where the SVG goes.
#[derive(Clone, Copy)]
pub(super) enum Target<'a> {
    /// A file of its own.
    File,
    /// A page that defines a custom property `--<ink>` per colour.
    Page {
        /// What the drawing shows, for readers who cannot see it.
        title: &'a str,
    },
}

const FONTS: &str = "Inter, system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, \
                     'DejaVu Sans', sans-serif";

pub(super) fn render(canvas: &Canvas, target: Target<'_>) -> String {
    let mut out = String::new();
    let (w, h) = (number(canvas.width), number(canvas.height));
    let head = format!("width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\"");
    let fonts = FONTS;
    match target {
        Target::File => {
            let white = hex(Ink::Paper);
            let _ = write!(
                out,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" {head} font-family=\"{fonts}\">\n\
                 <rect width=\"{w}\" height=\"{h}\" fill=\"{white}\"/>\n"
            );
        }
        Target::Page { title } => {
            let title = escape(title);
            let _ = writeln!(
                out,
                "<svg {head} role=\"img\" aria-label=\"{title}\" style=\"min-width:{}px\">",
                number(canvas.width * 0.6)
            );
        }
    }
    for mark in &canvas.marks {
        write_mark(&mut out, mark, target);
    }
    out.push_str("</svg>\n");
    out
}

fn write_mark(out: &mut String, mark: &Mark, target: Target<'_>) {
    let (open, attributes) = match &mark.shape {
        Shape::Polyline { points, stroke } => {
            ("polyline", format!("{} fill=\"none\"{}", corners(points), line(stroke, target)))
        }
        Shape::Polygon { points, fill } => {
            ("polygon", corners(points) + &paint("fill", *fill, target))
        }
        Shape::Rect { area, fill, stroke } => {
            let [x, y, w, h] = [area.x, area.y, area.width, area.height].map(number);
            let place = format!("x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\"");
            ("rect", place + &filled(*fill, *stroke, target))
        }
        Shape::Circle { centre, radius, fill, stroke } => {
            let [x, y, r] = [centre.0, centre.1, *radius].map(number);
            let place = format!("cx=\"{x}\" cy=\"{y}\" r=\"{r}\"");
            ("circle", place + &filled(*fill, *stroke, target))
        }
        Shape::Text { at, text, style } => {
            let attributes = text_attributes(*at, style, target);
            let _ = writeln!(out, "<text {attributes}>{}</text>", escape(text));
            return;
        }
    };
    let _ = match &mark.hover {
        None => writeln!(out, "<{open} {attributes}/>"),
        Some(hover) => {
            writeln!(out, "<{open} {attributes}><title>{}</title></{open}>", escape(hover))
        }
    };
}

fn filled(fill: Option<Paint>, stroke: Option<Stroke>, target: Target<'_>) -> String {
    let fill = fill.map_or_else(|| " fill=\"none\"".to_owned(), |fill| paint("fill", fill, target));
    fill + &stroke.map_or_else(String::new, |stroke| line(&stroke, target))
}

fn line(stroke: &Stroke, target: Target<'_>) -> String {
    let dash = match stroke.dash {
        Dash::Solid => String::new(),
        Dash::Dashed => {
            let [on, off] = dash_lengths(stroke.width).map(number);
            format!(" stroke-dasharray=\"{on} {off}\"")
        }
    };
    let paint = paint("stroke", stroke.paint, target);
    format!("{paint} stroke-width=\"{}\" stroke-linejoin=\"round\"{dash}", number(stroke.width))
}

/// Lengths of a dash and of the gap after it, for a line of a width.
pub(super) fn dash_lengths(width: f64) -> [f64; 2] {
    [3.0 + 1.5 * width, 2.0 + 1.5 * width]
}

fn paint(what: &str, paint: Paint, target: Target<'_>) -> String {
    let opacity = if paint.opacity < 1.0 {
        format!(" {what}-opacity=\"{}\"", number((paint.opacity * 1000.0).round() / 1000.0))
    } else {
        String::new()
    };
    match target {
        Target::File => format!(" {what}=\"{}\"{opacity}", hex(paint.ink)),
        Target::Page { .. } => {
            format!(" style=\"{what}:var(--{})\"{opacity}", paint.ink.name())
        }
    }
}

fn text_attributes(at: Point, style: &TextStyle, target: Target<'_>) -> String {
    let [x, y, size] = [at.0, at.1, style.size].map(number);
    let mut out = format!("x=\"{x}\" y=\"{y}\" font-size=\"{size}\"");
    match style.anchor {
        Anchor::Start => {}
        Anchor::Middle => out.push_str(" text-anchor=\"middle\""),
        Anchor::End => out.push_str(" text-anchor=\"end\""),
    }
    if style.weight == Weight::Bold {
        out.push_str(" font-weight=\"600\"");
    }
    if style.turn == Turn::Upwards {
        let _ = write!(out, " transform=\"rotate(-90 {x} {y})\"");
    }
    out + &paint("fill", style.ink.into(), target)
}

fn corners(points: &[Point]) -> String {
    let pairs: Vec<_> = points.iter().map(|&(x, y)| number(x) + "," + &number(y)).collect();
    format!("points=\"{}\"", pairs.join(" "))
}

/// Hundredths of a pixel are below what anyone sees, and keep files small.
fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

fn hex(ink: Ink) -> String {
    let (r, g, b) = ink.light();
    format!("#{r:02x}{g:02x}{b:02x}")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::super::Area;
    use super::*;

    fn drawing() -> Canvas {
        let mut canvas = Canvas::new(10.0, 20.0);
        canvas.rect(Area::new(0.0, 1.0, 2.504, 3.0), Paint::faded(Ink::Accent, 0.5));
        canvas.hover("p < 0.5");
        canvas.text((1.0, 2.0), "a & b", TextStyle::new(9.0, Ink::Text).middle());
        canvas
    }

    #[test]
    fn a_file_states_its_colours() {
        let svg = drawing().to_svg();
        assert!(svg.contains(
            "<rect x=\"0\" y=\"1\" width=\"2.5\" height=\"3\" fill=\"#1f5fad\" \
             fill-opacity=\"0.5\"><title>p &lt; 0.5</title></rect>"
        ));
        assert!(svg.contains("text-anchor=\"middle\" fill=\"#1b1f24\">a &amp; b</text>"));
        assert!(!svg.contains("var(--"));
    }

    #[test]
    fn a_page_lends_its_colours() {
        let svg = drawing().to_inline_svg("a drawing");
        assert!(svg.contains("style=\"fill:var(--accent)\" fill-opacity=\"0.5\""));
        assert!(!svg.contains('#') && svg.contains("aria-label=\"a drawing\""));
    }
}
