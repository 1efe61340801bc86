use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{Markup, html};

use super::appendix::{all_scores, config, run, value};
use super::{badge, figure, page};
use crate::pictures::{Panel, PictureScores};
use crate::report::figures::figures;
use crate::report::numbers::{MISSING, count, fixed, percent, significant};
use crate::report::scores::{Rank, SCORES, ScoreKind};
use crate::report::{Curves, Figure, Level, Report, RunInfo, Scores, Verdict};

/// What the page of one run shows.
#[derive(Clone, Copy)]
pub struct Page<'a> {
    /// What was found.
    pub report: &'a Report,
    /// How the loss went.
    pub curves: &'a Curves,
    /// Pages of pictures, of a model that draws them.
    pub panels: &'a [Panel],
    /// What ran where, if that is known.
    pub run: Option<&'a RunInfo>,
    /// The resolved configuration as TOML.
    pub config: &'a str,
}

/// The page of one run: one file without scripts or outside resources, the same for the same input.
pub fn html(shown: &Page<'_>) -> String {
    let report = shown.report;
    let drawn = figures(report, shown.curves);
    let find = |name: &str| drawn.iter().find(|figure| figure.name == name);
    let title = format!("{}, seed {} · Domino", report.experiment, report.seed);
    let body = html! {
        (header(report))
        (numbers(report))
        (verdict(&report.verdict))
        (section("Causal graph", &[find("graph"), find("edges")]))
        (section("Variables and targets", &[find("importance"), find("confusion"), find("targets")]))
        (variables(report))
        (section("Counterfactuals: what would be if", &[find("counterfactuals")]))
        (pictures(report.pictures.as_ref(), shown.panels))
        (section("Learning curves", &[find("curves")]))
        @if let Some(scores) = &report.scores { (all_scores(scores, report)) }
        h2 { "How this was made" }
        (config(shown.config, report))
        (run(shown.run, report))
    };
    page(&title, body)
}

/// Pictures that the model draws, and how good they are.
fn pictures(scores: Option<&PictureScores>, panels: &[Panel]) -> Markup {
    html! {
        @if !panels.is_empty() {
            h2 { "Pictures" }
            @if let Some(scores) = scores { (psnr_table(scores)) }
            @for panel in panels {
                @let (name, kind) = panel.file.split_once('.').unwrap_or((panel.file, "png"));
                figure id=(name) {
                    img
                        style="max-width:100%;image-rendering:pixelated"
                        alt=(panel.caption)
                        src=(format!("data:image/{kind};base64,{}", STANDARD.encode(&panel.bytes)));
                    figcaption { (panel.caption) }
                }
            }
        }
    }
}

fn psnr_table(scores: &PictureScores) -> Markup {
    let decibels = |value: f64| format!("{} dB", fixed(value, 1));
    html! {
        p {
            "Reconstructions of held-out pictures reach a peak signal-to-noise ratio of "
            b { (decibels(scores.reconstruction_psnr)) } "."
        }
        @if !scores.counterfactuals.is_empty() {
            div.scroll {
                table {
                    thead { tr {
                        th { "One variable set" } th.n { "Mean" } th.n { "Worst tenth below" }
                        th.n { "Left as it was" }
                    } }
                    tbody {
                        @for edit in &scores.counterfactuals {
                            tr {
                                td { (edit.variable) }
                                td.n { (decibels(edit.psnr)) }
                                td.n { (decibels(edit.low_psnr)) }
                                td.n { (decibels(edit.unchanged_psnr)) }
                            }
                        }
                    }
                }
            }
            p.small {
                "Counterfactual pictures against the rendered truth, the values being those that \
                 interventions gave; last, the picture before the intervention as the answer."
            }
            div.scroll {
                table {
                    thead { tr {
                        th { "One variable set" }
                        @for edit in &scores.counterfactuals { th.n { "Error of " (edit.variable) } }
                    } }
                    tbody {
                        @for edit in &scores.counterfactuals {
                            tr {
                                td { (edit.variable) }
                                @for (&error, &own) in edit.errors.iter().zip(&edit.reading_errors) {
                                    td.n { (fixed(error, 3)) " (" (fixed(own, 3)) ")" }
                                }
                            }
                        }
                    }
                }
            }
            p.small {
                "Root mean squared error of each variable in the same pictures over its standard deviation, read off \
                 them by a regression that was fitted to true pictures; in brackets its error on the rendered truth."
            }
        }
    }
}

fn header(report: &Report) -> Markup {
    let data = &report.data;
    html! {
        header {
            p.kicker { "Domino · causal representation learning" }
            div.top { h1 { (report.experiment) } (badge(&report.verdict)) }
            p.facts {
                "Seed " (report.seed) " · configuration " code { (report.config_hash) } " · "
                (report.model) " · " (report.d) " " (variables_word(report.d))
            }
            p.facts {
                "Fitted to " (count(data.rows as u64)) " before-and-after pairs of "
                b { (data.name) } " (" (count(data.dim_x as u64)) " numbers per observation). "
                "All measurements but the learning curves are on "
                (count(data.held_out_rows as u64)) " held-out pairs that training never saw."
            }
            @if let Some(text) = report.miscount() { div.note { p { b { (text) } } } }
        }
    }
}

fn variables_word(d: usize) -> &'static str {
    if d == 1 { "learned variable" } else { "learned variables" }
}

fn numbers(report: &Report) -> Markup {
    let Some(scores) = &report.scores else {
        return html! {
            div.note {
                p {
                    b { "No scores: this data comes without truth. " }
                    "Scores compare learned variables, targets and edges with true ones, and none \
                     are known here. What remains is the verdict below, which needs no labels."
                }
            }
        };
    };
    let shown = SCORES.iter().filter(|kind| kind.rank == Rank::Headline);
    html! {
        dl.numbers {
            @for kind in shown {
                div.number {
                    dt { (term(kind)) }
                    dd {
                        div.value { (value(kind, scores)) }
                        div.small { (hint(kind, scores)) }
                    }
                }
            }
        }
    }
}

fn term(kind: &ScoreKind) -> Markup {
    html! { abbr title=(kind.definition) { (kind.label) } }
}

fn hint(kind: &ScoreKind, scores: &Scores) -> String {
    match (kind.value)(scores) {
        None => "needs truth that is not given".to_owned(),
        Some(_) => format!("{}; {} is perfect", kind.better.text(), kind.perfect),
    }
}

/// Name, value and meaning of a measure that needs no labels.
type Measure = (&'static str, Option<f64>, &'static str);

fn measures(verdict: &Verdict) -> [Measure; 10] {
    [
        (
            "Sparsity of change",
            verdict.sparsity_of_change,
            "Mean share of a pair's squared change that lies in its most changed variable; 1 if \
             every intervention changes one noise variable only.",
        ),
        (
            "Target entropy",
            verdict.target_entropy,
            "Entropy of the inferred targets, as a share of its maximum; near 0 if one variable \
             takes all interventions.",
        ),
        (
            "Unforeseen change",
            verdict.unforeseen,
            "Mean share of a variable's squared change that the model does not foresee from the \
             noise before and the target's new value; 0 if all answers are right.",
        ),
        (
            "Dependence of set values",
            verdict.dependence,
            "Mean share of the variance of newly set values that the noise of the other variables \
             explains; 0 for interventions that depend on nothing.",
        ),
        (
            "Persistence of set values",
            verdict.persistence,
            "Mean share of the variance of newly set values that the variable's own noise before \
             explains; 0 for interventions that leave nothing of the old value.",
        ),
        (
            "Agreement of replicas",
            verdict.agreement,
            "Smallest rank correlation of a code with its counterpart in the replica that agrees \
             best; 1 if two starts end in the same variables.",
        ),
        (
            "Supported variables",
            verdict.supported_variables,
            "Directions in which the observations vary, or the dimension of the surface that they \
             lie on; the number of learned variables if that is right.",
        ),
        (
            "Largest step",
            verdict.largest_step,
            "Largest step between neighbouring values of a code in what is drawn of them, over the extent of \
             all that is drawn; large where a code is torn.",
        ),
        (
            "Reconstruction error",
            verdict.reconstruction,
            "Mean squared error of reconstructed observations over the data's variance; 0 is best.",
        ),
        (
            "Log likelihood",
            verdict.log_likelihood,
            "Mean log likelihood of a pair in nats; to compare runs on the same data, higher is better.",
        ),
    ]
}

fn verdict(verdict: &Verdict) -> Markup {
    let conclusion = match verdict.level {
        Level::Trustworthy => {
            "Every check that needs no labels is passed: the result can be trusted as far as the \
             data alone can tell."
        }
        Level::Doubtful => {
            "A check that needs no labels is near its threshold: most variables will be right. \
             Another seed, more training or more pairs may help."
        }
        Level::Failed => {
            "A check that needs no labels failed: do not rely on this result. Another seed, more \
             training or more pairs may help."
        }
    };
    html! {
        h2 { "Verdict without labels" }
        p { (badge(verdict)) " " (conclusion) }
        @if !verdict.reasons.is_empty() {
            ul { @for reason in &verdict.reasons { li { (reason) } } }
        }
        div.scroll {
            table {
                thead { tr { th { "Check" } th.n { "Value" } th { "What it measures" } } }
                tbody {
                    @for (name, value, meaning) in measures(verdict) {
                        tr {
                            td { (name) }
                            td.n { (value.map_or_else(|| MISSING.to_owned(), significant)) }
                            td.small { (meaning) }
                        }
                    }
                }
            }
        }
    }
}

fn section(title: &str, figures: &[Option<&Figure>]) -> Markup {
    let figures: Vec<&Figure> = figures.iter().copied().flatten().collect();
    if figures.is_empty() {
        return html! {};
    }
    html! {
        h2 { (title) }
        div.row { @for shown in figures { (figure(shown)) } }
    }
}

fn variables(report: &Report) -> Markup {
    let name = |code: usize| report.variables.get(code).map_or(MISSING, |v| v.name.as_str());
    let factor = |code: usize| {
        let scores = report.scores.as_ref()?;
        let factor = scores.matching.iter().position(|&matched| matched == Some(code))?;
        scores.factor_names.get(factor).map(String::as_str)
    };
    let parents = |codes: &[usize]| {
        let names: Vec<_> = codes.iter().map(|&code| name(code)).collect();
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    };
    html! {
        details {
            summary { "Learned variables one by one" }
            div.scroll style="padding:0 18px 10px" {
                table {
                    thead {
                        tr {
                            th { "Variable" }
                            @if report.scores.is_some() { th { "Matched with" } }
                            th.n { "Intervened on" }
                            th { "Direct causes" }
                        }
                    }
                    tbody {
                        @for (code, variable) in report.variables.iter().enumerate() {
                            tr {
                                td { (variable.name) }
                                @if report.scores.is_some() { td { (factor(code).unwrap_or(MISSING)) } }
                                td.n { (percent(variable.intervened_share)) }
                                td { (parents(&variable.parents)) }
                            }
                        }
                    }
                }
            }
        }
    }
}
