use super::Scores;
use super::numbers::fixed;

/// Which way a score improves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// Upwards.
    Higher,
    /// Downwards.
    Lower,
}

impl Better {
    /// In words.
    pub fn text(self) -> &'static str {
        match self {
            Self::Higher => "higher is better",
            Self::Lower => "lower is better",
        }
    }
}

/// A score and what a reader must know of it.
pub(super) struct ScoreKind {
    pub(super) label: &'static str,
    pub(super) better: Better,
    pub(super) perfect: &'static str,
    pub(super) definition: &'static str,
    pub(super) decimals: usize,
    /// Whether it is among the big numbers on top.
    pub(super) rank: Rank,
    pub(super) value: fn(&Scores) -> Option<f64>,
}

/// How prominently a score is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rank {
    Headline,
    Detail,
}

/// Every score in the order in which reports show them.
pub(super) const SCORES: [ScoreKind; 13] = [
    ScoreKind {
        label: "Disentanglement",
        better: Better::Higher,
        perfect: "1",
        definition: "DCI disentanglement: 1 when every learned variable matters for one true \
                     variable only, by importances of boosted trees (Eastwood & Williams 2018).",
        decimals: 3,
        rank: Rank::Headline,
        value: |s| s.disentanglement,
    },
    ScoreKind {
        label: "Completeness",
        better: Better::Higher,
        perfect: "1",
        definition: "DCI completeness: 1 when every true variable is captured by one learned \
                     variable only.",
        decimals: 3,
        rank: Rank::Headline,
        value: |s| s.completeness,
    },
    ScoreKind {
        label: "MCC",
        better: Better::Higher,
        perfect: "1",
        definition: "Mean absolute Pearson correlation of true variables with the learned \
                     variables they are matched with, under the best one-to-one matching; a true \
                     variable without one counts as 0.",
        decimals: 3,
        rank: Rank::Headline,
        value: |s| s.mcc,
    },
    ScoreKind {
        label: "Target accuracy",
        better: Better::Higher,
        perfect: "1",
        definition: "Share of pairs whose intervened variable, or the absence of one, is named \
                     correctly, under the best one-to-one matching of variables.",
        decimals: 3,
        rank: Rank::Headline,
        value: |s| s.target_accuracy,
    },
    ScoreKind {
        label: "Exact sets",
        better: Better::Higher,
        perfect: "1",
        definition: "Share of pairs whose whole set of intervened variables is named correctly, \
                     under the best one-to-one matching of variables.",
        decimals: 3,
        rank: Rank::Headline,
        value: |s| s.exact_sets,
    },
    ScoreKind {
        label: "SHD",
        better: Better::Lower,
        perfect: "0",
        definition: "Structural Hamming distance: edges to add, remove or turn round to reach the \
                     true graph; a turned edge counts once.",
        decimals: 0,
        rank: Rank::Headline,
        value: |s| s.shd,
    },
    ScoreKind {
        label: "Edge F1",
        better: Better::Higher,
        perfect: "1",
        definition: "Harmonic mean of precision and recall of directed edges.",
        decimals: 3,
        rank: Rank::Headline,
        value: |s| s.edge_f1,
    },
    ScoreKind {
        label: "Set or not",
        better: Better::Higher,
        perfect: "1",
        definition: "Share of pairs in which a variable is rightly said to be set or not, mean \
                     over the true variables.",
        decimals: 3,
        rank: Rank::Detail,
        value: |s| s.set_states,
    },
    ScoreKind {
        label: "Smallest correlation",
        better: Better::Higher,
        perfect: "1",
        definition: "The worst true variable's absolute Pearson correlation with its learned one: \
                     one lost variable shows here even when the mean is high.",
        decimals: 3,
        rank: Rank::Detail,
        value: |s| s.smallest_correlation,
    },
    ScoreKind {
        label: "MCC (Spearman)",
        better: Better::Higher,
        perfect: "1",
        definition: "As MCC, with rank correlation: unchanged by monotone maps of a variable.",
        decimals: 3,
        rank: Rank::Detail,
        value: |s| s.mcc_spearman,
    },
    ScoreKind {
        label: "Informativeness",
        better: Better::Lower,
        perfect: "0",
        definition: "Mean squared error with which boosted trees predict the true variables from \
                     the learned ones on held-out rows.",
        decimals: 4,
        rank: Rank::Detail,
        value: |s| s.informativeness_test,
    },
    ScoreKind {
        label: "Edge precision",
        better: Better::Higher,
        perfect: "1",
        definition: "Share of learned edges that exist, direction included.",
        decimals: 3,
        rank: Rank::Detail,
        value: |s| s.edge_precision,
    },
    ScoreKind {
        label: "Edge recall",
        better: Better::Higher,
        perfect: "1",
        definition: "Share of true edges that are found, direction included.",
        decimals: 3,
        rank: Rank::Detail,
        value: |s| s.edge_recall,
    },
];

/// Label and value of every score that is known, as text, in the order of reports.
pub fn score_rows(scores: &Scores) -> Vec<[String; 2]> {
    known(scores)
        .map(|(kind, value)| [kind.label.to_owned(), fixed(value, kind.decimals)])
        .collect()
}

/// Label and value of every score that is a finite number, in the order of reports.
pub fn score_values(scores: &Scores) -> impl Iterator<Item = (&'static str, f64)> {
    known(scores).map(|(kind, value)| (kind.label, value)).filter(|(_, value)| value.is_finite())
}

fn known(scores: &Scores) -> impl Iterator<Item = (&'static ScoreKind, f64)> {
    SCORES.iter().filter_map(|kind| Some((kind, (kind.value)(scores)?)))
}
