use super::results::{Metric, csv_line};
use super::summary::{Group, Spread, Summary};

/// How a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableForm {
    /// GitHub's Markdown.
    Markdown,
    /// A LaTeX `tabular` for the package booktabs.
    Latex,
    /// Comma-separated values, numbers in full.
    Csv,
}

/// A table with one row per group and metric: mean with its 95 % interval, median, worst value with
/// its seed, runs and failures.
pub fn table(summary: &Summary, metrics: &[&Metric], form: TableForm) -> String {
    let head =
        ["runs of", "metric", "mean", "95 % interval", "median", "worst", "seed", "runs", "failed"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for group in &summary.groups {
        for metric in metrics {
            rows.push(row(group, metric, form));
        }
    }
    match form {
        TableForm::Markdown => markdown(&rows),
        TableForm::Latex => latex(&rows),
        TableForm::Csv => rows.iter().map(|row| csv_line(row)).collect(),
    }
}

fn row(group: &Group, metric: &Metric, form: TableForm) -> Vec<String> {
    let name = if group.factors.is_empty() { "all".to_owned() } else { group.label() };
    let mut cells = vec![name, metric.name.to_owned()];
    let number = |value: f64| match form {
        TableForm::Csv => value.to_string(),
        _ => format!("{value:.3}"),
    };
    match group.metrics.get(metric.name) {
        None => cells.extend(["", "", "", "", ""].map(str::to_owned)),
        Some(Spread { mean, median, worst, worst_seed, .. }) => cells.extend([
            number(mean.estimate),
            format!("{} to {}", number(mean.low), number(mean.high)),
            number(*median),
            number(*worst),
            worst_seed.to_string(),
        ]),
    }
    let lost = group.failed.len() + group.missing.len();
    cells.extend([group.runs.to_string(), lost.to_string()]);
    cells
}

fn markdown(rows: &[Vec<String>]) -> String {
    let line = |cells: &Vec<String>| {
        let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let rule = format!("|{}\n", "---|".repeat(rows[0].len()));
    let body: String = rows[1..].iter().map(line).collect();
    line(&rows[0]) + &rule + &body
}

fn latex(rows: &[Vec<String>]) -> String {
    let escaped = |cell: &String| {
        let mut out = String::new();
        for c in cell.chars() {
            match c {
                '\\' => out.push_str("\\textbackslash{}"),
                '~' => out.push_str("\\textasciitilde{}"),
                '^' => out.push_str("\\textasciicircum{}"),
                '&' | '%' | '$' | '#' | '_' | '{' | '}' => out.extend(['\\', c]),
                c => out.push(c),
            }
        }
        out
    };
    let line =
        |cells: &Vec<String>| cells.iter().map(escaped).collect::<Vec<_>>().join(" & ") + " \\\\\n";
    let columns = format!("ll{}", "r".repeat(rows[0].len() - 2));
    let body: String = rows[1..].iter().map(line).collect();
    format!(
        "\\begin{{tabular}}{{{columns}}}\n\\toprule\n{}\\midrule\n{body}\\bottomrule\n\\end{{tabular}}\n",
        line(&rows[0])
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::summarise;
    use crate::sweep::summary::tests::results;

    fn lines(form: TableForm) -> Vec<String> {
        let summary =
            summarise(&results(&[("a_b", 1, Some(0.0)), ("a_b", 2, Some(1.0)), ("c", 1, None)]));
        let text = table(&summary, &[Metric::named("shd").unwrap()], form);
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn every_form_has_every_group() {
        let markdown = lines(TableForm::Markdown);
        assert_eq!(
            markdown[2],
            "| a_b | shd | 0.500 | 0.000 to 1.000 | 0.500 | 1.000 | 2 | 2 | 0 |"
        );
        assert_eq!(markdown[3], "| c | shd |  |  |  |  |  | 1 | 1 |");
        let latex = lines(TableForm::Latex);
        assert_eq!(
            latex[4],
            "a\\_b & shd & 0.500 & 0.000 to 1.000 & 0.500 & 1.000 & 2 & 2 & 0 \\\\"
        );
        assert_eq!(lines(TableForm::Csv)[1], "a_b,shd,0.5,0 to 1,0.5,1,2,2,0");
    }
}
