//! The figures of a report.

pub(crate) mod axes;
mod bars;
mod counterfactuals;
mod curves;
mod geometry;
mod graph;
mod matrix;
mod nodes;
mod strips;

use super::canvas::Canvas;
use super::{Curves, Report};

pub(crate) use strips::median;
pub(super) use strips::{score_strips, summary};

/// A drawing and the sentences under it.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Name of its files, without extension.
    pub name: &'static str,
    /// What it shows.
    pub title: &'static str,
    /// How to read it.
    pub caption: String,
    /// The drawing.
    pub canvas: Canvas,
}

/// All figures that a report has numbers for, in the order in which it shows them.
pub fn figures(report: &Report, curves: &Curves) -> Vec<Figure> {
    let drawn = [
        graph::graphs(report),
        matrix::edge_beliefs(report),
        matrix::importance(report),
        matrix::confusion(report),
        bars::target_shares(report),
        counterfactuals::counterfactuals(report),
        curves::learning_curves(curves),
    ];
    drawn.into_iter().flatten().collect()
}
