//! The end of a run's page: every score, the configuration, and what ran where.

use maud::{Markup, html};

use crate::report::numbers::{MISSING, count, duration, fixed};
use crate::report::scores::{SCORES, ScoreKind};
use crate::report::{Report, RunInfo, Scores};

/// A score as text.
pub(super) fn value(kind: &ScoreKind, scores: &Scores) -> String {
    (kind.value)(scores).map_or_else(|| MISSING.to_owned(), |value| fixed(value, kind.decimals))
}

pub(super) fn all_scores(scores: &Scores, report: &Report) -> Markup {
    html! {
        h2 { "All scores" }
        p.small {
            "Learned variables are compared with the true ones on "
            (count(report.data.held_out_rows as u64))
            " held-out pairs. Learned variables have no order of their own: each true variable is \
             matched with one learned variable so that their correlations are largest in sum, and \
             this one matching holds for correlations, graph and confusion matrix. Target accuracy \
             takes the matching that is best for itself, as published; DCI needs none."
        }
        div.scroll {
            table {
                thead { tr { th { "Score" } th.n { "Value" } th { "Direction" } th { "Definition" } } }
                tbody {
                    @for kind in &SCORES {
                        tr {
                            td { (kind.label) }
                            td.n { (value(kind, scores)) }
                            td style="white-space:nowrap" { (kind.better.text()) }
                            td.small { (kind.definition) }
                        }
                    }
                }
            }
        }
    }
}

pub(super) fn config(config: &str, report: &Report) -> Markup {
    html! {
        details {
            summary { "Resolved configuration (" code { (report.config_hash) } ")" }
            pre { (config) }
        }
    }
}

pub(super) fn run(run: Option<&RunInfo>, report: &Report) -> Markup {
    let Some(run) = run else {
        return html! { p.small { "What ran where was not recorded." } };
    };
    let mut rows = vec![
        ("Command line", run.command_line.clone()),
        ("Source revision", run.revision.clone()),
        ("Started", run.started.clone()),
        ("Elapsed time", duration(run.wall_seconds)),
        ("Processor time", duration(run.cpu_seconds)),
        ("Device", run.device.clone()),
        ("Threads", run.threads.to_string()),
        ("Machine", run.host.clone()),
        ("Data checksum (BLAKE3)", run.data_checksum.clone()),
    ];
    if run.data_checksum != report.data.checksum {
        rows.push(("Data checksum in the report", report.data.checksum.clone()));
    }
    let versions: Vec<_> = run.versions.iter().map(|(n, v)| format!("{n} {v}")).collect();
    rows.push(("Versions", versions.join(", ")));
    html! {
        div.scroll {
            table { tbody { @for (name, value) in rows { tr { th { (name) } td.wrap { (value) } } } } }
        }
    }
}
