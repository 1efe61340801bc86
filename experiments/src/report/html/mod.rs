//! Pages: one run, or several side by side. Each is one file that needs nothing else.

mod appendix;
mod many;
mod one;
mod style;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{Figure, Level, Verdict};

pub use many::{RunLink, html_many};
pub use one::{Page, html};

/// A page with the common head.
pub(crate) fn page(title: &str, body: Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(style::sheet())) }
            }
            body { main { (body) } }
        }
    };
    page.into_string()
}

/// Narrowest figure: its caption needs room too.
const FIGURE_WIDTH: f64 = 340.0;

/// A drawing with its caption.
pub(crate) fn figure(figure: &Figure) -> Markup {
    let width = figure.canvas.size().0.max(FIGURE_WIDTH);
    html! {
        figure id=(figure.name) style=(format!("max-width:{width:.0}px")) {
            div.drawing { (PreEscaped(figure.canvas.to_inline_svg(figure.title))) }
            figcaption { (figure.caption) }
        }
    }
}

fn badge(verdict: &Verdict) -> Markup {
    html! {
        @match verdict.level {
            Level::Trustworthy => span.badge.good { "✓ trustworthy" },
            Level::Doubtful => span.badge.fair { "? doubtful" },
            Level::Failed => span.badge.bad { "✗ failed" },
        }
    }
}
