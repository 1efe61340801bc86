use maud::{Markup, html};

use super::{badge, figure, page};
use crate::report::Report;
use crate::report::figures::{score_strips, summary};
use crate::report::numbers::{MISSING, fixed, significant};
use crate::report::scores::{Rank, SCORES, ScoreKind};

/// One of several runs, and where its own page is.
#[derive(Clone, Copy)]
pub struct RunLink<'a> {
    /// What the run found.
    pub report: &'a Report,
    /// Address of its page, relative to this one.
    pub href: &'a str,
}

/// The page of several runs: a table with one row per run, and every score of all runs.
pub fn html_many(runs: &[RunLink<'_>]) -> String {
    let reports: Vec<&Report> = runs.iter().map(|run| run.report).collect();
    let trusted = reports.iter().filter(|report| report.verdict.trustworthy()).count();
    let title = title(&reports);
    let body = html! {
        header {
            p.kicker { "Domino · several runs" }
            h1 { (title) }
            p.facts {
                (runs.len()) " " (if runs.len() == 1 { "run" } else { "runs" })
                ", of which " (trusted) " pass every label-free check."
            }
        }
        (table(runs, &title))
        @if let Some(strips) = score_strips(&reports) {
            h2 { (strips.title) }
            (figure(&strips))
        } @else {
            div.note {
                p {
                    b { "No scores: these runs have no truth to compare with. " }
                    "The verdict and its measures need no labels."
                }
            }
        }
        (definitions())
    };
    page(&format!("{title} · Domino"), body)
}

/// The experiments' names, each once.
fn title(reports: &[&Report]) -> String {
    let mut names: Vec<&str> = reports.iter().map(|report| report.experiment.as_str()).collect();
    names.dedup();
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}

fn headline() -> impl Iterator<Item = &'static ScoreKind> {
    SCORES.iter().filter(|kind| kind.rank == Rank::Headline)
}

fn table(runs: &[RunLink<'_>], title: &str) -> Markup {
    html! {
        div.scroll style="margin-top:24px" {
            table.runs {
                thead {
                    tr {
                        th { "Run" }
                        th { "Verdict" }
                        @for kind in headline() {
                            th.n { abbr title=(kind.definition) { (kind.label) } }
                        }
                        th.n { "Sparsity" }
                        th.n { "Reconstruction" }
                    }
                }
                tbody { @for run in runs { (row(run, title)) } }
                @if runs.len() > 1 { tfoot { (medians(runs)) } }
            }
        }
        p.small { "Last row: median, and the range over all runs." }
    }
}

fn row(run: &RunLink<'_>, title: &str) -> Markup {
    let report = run.report;
    let score = |kind: &ScoreKind| {
        let value = report.scores.as_ref().and_then(kind.value);
        value.map_or_else(|| MISSING.to_owned(), |value| fixed(value, kind.decimals))
    };
    let measure = |value: Option<f64>| value.map_or_else(|| MISSING.to_owned(), significant);
    html! {
        tr {
            td {
                a href=(run.href) { "seed " (report.seed) }
                @if title != report.experiment { div.small { (report.experiment) } }
                div.small { code { (report.config_hash) } }
            }
            td { (badge(&report.verdict)) }
            @for kind in headline() { td.n { (score(kind)) } }
            td.n { (measure(report.verdict.sparsity_of_change)) }
            td.n { (measure(report.verdict.reconstruction)) }
        }
    }
}

fn medians(runs: &[RunLink<'_>]) -> Markup {
    let of = |values: &mut dyn Iterator<Item = Option<f64>>, decimals: usize| {
        let mut values: Vec<f64> = values.flatten().filter(|value| value.is_finite()).collect();
        values.sort_by(f64::total_cmp);
        if values.is_empty() { MISSING.to_owned() } else { summary(&values, decimals) }
    };
    let score = |kind: &ScoreKind| {
        let value = |run: &RunLink<'_>| run.report.scores.as_ref().and_then(kind.value);
        of(&mut runs.iter().map(value), kind.decimals)
    };
    let cell = |text: String| {
        let (first, rest) = text.split_once(' ').unwrap_or((&text, ""));
        let range = rest.trim_matches(['(', ')']).replace(" to ", "–");
        html! { td.n { (first) div.small { (range) } } }
    };
    html! {
        tr {
            td { "median" div.small { "range" } }
            td {}
            @for kind in headline() { (cell(score(kind))) }
            (cell(of(&mut runs.iter().map(|run| run.report.verdict.sparsity_of_change), 3)))
            (cell(of(&mut runs.iter().map(|run| run.report.verdict.reconstruction), 3)))
        }
    }
}

fn definitions() -> Markup {
    html! {
        details {
            summary { "What the scores mean" }
            div.scroll style="padding:0 18px 10px" {
                table {
                    tbody {
                        @for kind in &SCORES {
                            tr {
                                th { (kind.label) }
                                td { (kind.definition) " " (capitalised(kind.better.text())) "." }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().collect::<String>() + letters.as_str()
    })
}
