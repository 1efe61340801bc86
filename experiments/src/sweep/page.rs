use maud::{Markup, html};

use super::compare::Comparison;
use super::results::Metric;
use super::summary::{Group, Summary};
use crate::report::numbers::{MISSING, fixed, significant};
use crate::report::{Better, Figure, figure_markup, page_markup};

/// What a page of a study is made of.
#[derive(Clone, Copy, Debug)]
pub struct StudyPage<'a> {
    /// All groups.
    pub summary: &'a Summary,
    /// The metrics to show, the most important first.
    pub metrics: &'a [&'static Metric],
    /// Comparisons of the variants, by metric.
    pub comparisons: &'a [Comparison],
    /// Drawings.
    pub figures: &'a [Figure],
}

/// The page of a study, one file that needs nothing else: which method won, by how much, how
/// surely, and which seeds failed.
pub fn study_page(page: &StudyPage<'_>) -> String {
    let StudyPage { summary, metrics, comparisons, figures } = *page;
    let runs: usize = summary.groups.iter().map(|group| group.runs).sum();
    let lost = summary.groups.iter().map(|g| g.failed.len() + g.missing.len()).sum::<usize>();
    let body = html! {
        header {
            p.kicker { "Domino · study" }
            h1 { (summary.name) }
            p.facts {
                (runs) " runs in " (summary.groups.len()) " groups; "
                @if lost == 0 { "all finished." } @else { b { (lost) " without a result." } }
            }
        }
        (outcome(page))
        (failures(summary))
        h2 { "All groups" }
        (groups(summary, metrics))
        @if !comparisons.is_empty() {
            h2 { "Variants, seed by seed" }
            (comparison_table(comparisons))
        }
        h2 { "Every seed" }
        @for drawing in figures { h3 { (drawing.title) } (figure_markup(drawing)) }
    };
    page_markup(&format!("{} · Domino", summary.name), body)
}

/// The winner by each metric, in a sentence.
fn outcome(page: &StudyPage<'_>) -> Markup {
    let said: Vec<String> =
        page.metrics.iter().filter_map(|metric| sentence(page, metric)).collect();
    html! {
        @if !said.is_empty() {
            div.note { ul { @for line in &said { li { (line) } } } }
        }
    }
}

fn sentence(page: &StudyPage<'_>, metric: &Metric) -> Option<String> {
    let of_metric: Vec<&Comparison> =
        page.comparisons.iter().filter(|c| c.metric == metric.name).collect();
    let first = of_metric.first()?;
    let gain = |c: &Comparison, name: &str| {
        let sign = if (metric.better == Better::Higher) == (c.first == name) { 1.0 } else { -1.0 };
        sign * c.difference.estimate
    };
    let names: Vec<&String> = of_metric.iter().flat_map(|c| [&c.first, &c.second]).collect();
    let beats_all = |name: &&&String| {
        let own = of_metric.iter().filter(|c| &c.first == **name || &c.second == **name);
        own.clone().count() > 0 && own.into_iter().all(|c| gain(c, name) > 0.0)
    };
    let Some(best) = names.iter().find(beats_all).copied() else {
        let tie = "no variant is ahead of all others in the mean";
        return Some(format!("{}: {tie}.", metric.name));
    };
    let own = |c: &&&Comparison| &c.first == best || &c.second == best;
    let closest =
        of_metric.iter().filter(own).min_by(|a, b| gain(a, best).total_cmp(&gain(b, best)));
    let c = closest.unwrap_or(first);
    let (other, wins) = if &c.first == best { (&c.second, c.wins) } else { (&c.first, c.losses) };
    let sure = if c.p_corrected < 0.05 { "surely" } else { "not surely (it may be chance)" };
    let sign = c.difference.estimate.signum();
    let (a, b) = (sign * c.difference.low, sign * c.difference.high);
    Some(format!(
        "{}: {best} is ahead of {other} by {} (95 % interval {} to {}), better in {wins} of {} pairs, \
         {sure}: p = {}.",
        metric.name,
        fixed(c.difference.estimate.abs(), 3),
        fixed(a.min(b), 3),
        fixed(a.max(b), 3),
        c.pairs.max(c.wins + c.losses),
        significant(c.p_corrected),
    ))
}

fn failures(summary: &Summary) -> Markup {
    let lost: Vec<(&Group, &Vec<u64>, &str)> = summary
        .groups
        .iter()
        .flat_map(|g| [(g, &g.failed, "failed"), (g, &g.missing, "not run")])
        .filter(|(_, seeds, _)| !seeds.is_empty())
        .collect();
    let list = |seeds: &[u64]| seeds.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    html! {
        @if !lost.is_empty() {
            div.note {
                p { b { "Runs without a result" } }
                ul { @for (group, seeds, how) in &lost {
                    li { (group.label()) " " (how) ": seeds " (list(seeds)) }
                } }
            }
        }
    }
}

fn groups(summary: &Summary, metrics: &[&Metric]) -> Markup {
    html! {
        div.scroll {
            table.runs {
                thead { tr {
                    th { "Group" }
                    th.n { "Runs" }
                    th.n { "Lost" }
                    @for metric in metrics { th.n { (metric.name) } }
                } }
                tbody { @for group in &summary.groups {
                    tr {
                        td { @if group.factors.is_empty() { "all" } @else { (group.label()) } }
                        td.n { (group.runs) }
                        td.n { (group.failed.len() + group.missing.len()) }
                        @for metric in metrics { (cell(group, metric)) }
                    }
                } }
            }
        }
        p.small {
            "Mean with its 95 % bootstrap interval; below it the median, and the worst run with its \
             seed."
        }
    }
}

fn cell(group: &Group, metric: &Metric) -> Markup {
    let Some(spread) = group.metrics.get(metric.name) else { return html! { td.n { (MISSING) } } };
    let mean = spread.mean;
    html! {
        td.n {
            (fixed(mean.estimate, 3)) " [" (fixed(mean.low, 3)) ", " (fixed(mean.high, 3)) "]"
            div.small {
                "median " (fixed(spread.median, 3)) ", worst " (fixed(spread.worst, 3))
                " (seed " (spread.worst_seed) ")"
            }
        }
    }
}

fn comparison_table(comparisons: &[Comparison]) -> Markup {
    html! {
        div.scroll {
            table.runs {
                thead { tr {
                    th { "Metric" } th { "First" } th { "Second" }
                    th.n { "First better" } th.n { "Second better" } th.n { "Pairs" }
                    th.n { "First − second" } th.n { "p" } th.n { "p, Holm" } th { "Beware" }
                } }
                tbody { @for c in comparisons {
                    tr {
                        td { (c.metric) } td { (c.first) } td { (c.second) }
                        td.n { (c.wins) } td.n { (c.losses) } td.n { (c.pairs) }
                        td.n {
                            (fixed(c.difference.estimate, 3))
                            " [" (fixed(c.difference.low, 3)) ", " (fixed(c.difference.high, 3)) "]"
                        }
                        td.n { (significant(c.p)) } td.n { (significant(c.p_corrected)) }
                        td { (c.warning.as_deref().unwrap_or("")) }
                    }
                } }
            }
        }
        p.small {
            "Wilcoxon's signed-rank test on runs that share their seed and all else, two-sided, \
             corrected by Holm for the comparisons of one metric. A failed run counts as worse than \
             any finished one."
        }
    }
}
