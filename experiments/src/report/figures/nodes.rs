use domino::core::Dag;

use crate::report::Report;

/// The variables that figures show, in one numbering for truth and model.
///
/// With truth: first the factors, each with its matched code, then the codes without a factor.
/// Without truth: the codes.
pub(super) struct Nodes {
    /// Names, `[nodes]`.
    pub(super) names: Vec<String>,
    /// Number of nodes that are factors.
    factors: usize,
    /// The code of each node, where it has one, `[nodes]`.
    codes: Vec<Option<usize>>,
    /// True edges between nodes, where known.
    pub(super) true_edges: Option<Vec<(usize, usize)>>,
}

/// A learned edge between nodes.
pub(super) struct LearnedEdge {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) probability: f64,
}

impl Nodes {
    pub(super) fn of(report: &Report) -> Self {
        let factors: &[String] = report.scores.as_ref().map_or(&[], |s| &s.factor_names);
        let matching: &[Option<usize>] = report.scores.as_ref().map_or(&[], |s| &s.matching);
        let mut names = factors.to_vec();
        let matched =
            |factor| matching.get(factor).copied().flatten().filter(|&code| code < report.d);
        let mut codes: Vec<_> = (0..factors.len()).map(matched).collect();
        for code in 0..report.d {
            if !codes.contains(&Some(code)) {
                names.push(match factors {
                    [] => code_name(report, code),
                    _ => format!("learned {}", code_name(report, code)),
                });
                codes.push(Some(code));
            }
        }
        let true_edges = report.scores.as_ref().and_then(|s| s.true_edges.clone());
        Self { names, factors: factors.len(), codes, true_edges }
    }

    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// The code of a node.
    pub(super) fn code(&self, node: usize) -> Option<usize> {
        self.codes.get(node).copied().flatten()
    }

    /// Whether a node stands for a true variable; every node may where none is known.
    pub(super) fn is_factor(&self, node: usize) -> bool {
        self.factors == 0 || node < self.factors
    }

    /// The node that shows a code.
    pub(super) fn node(&self, code: usize) -> Option<usize> {
        self.codes.iter().position(|&known| known == Some(code))
    }

    /// Causes first: by the true graph where it is known, else as learned.
    pub(super) fn order(&self, report: &Report) -> Vec<usize> {
        if let Some(edges) = &self.true_edges
            && let Ok(dag) = Dag::from_edges(self.len(), edges)
        {
            return dag.topological_order().to_vec();
        }
        let mut order: Vec<_> = report.order.iter().filter_map(|&code| self.node(code)).collect();
        order.extend((0..self.len()).filter(|node| !order.contains(node)).collect::<Vec<_>>());
        order
    }

    pub(super) fn learned_edges(&self, report: &Report) -> Vec<LearnedEdge> {
        let edge = |edge: &crate::report::Edge| {
            let (from, to) = (self.node(edge.from)?, self.node(edge.to)?);
            Some(LearnedEdge { from, to, probability: edge.probability })
        };
        report.learned_edges.iter().filter_map(edge).collect()
    }

    /// Whether the truth has the edge; `None` if the truth is unknown.
    pub(super) fn is_true(&self, from: usize, to: usize) -> Option<bool> {
        self.true_edges.as_ref().map(|edges| edges.contains(&(from, to)))
    }
}

/// The name of a code.
pub(super) fn code_name(report: &Report, code: usize) -> String {
    report.variables.get(code).map_or_else(|| format!("z{}", code + 1), |v| v.name.clone())
}
