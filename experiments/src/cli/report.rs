use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};
use domino::core::files::write_bytes;

use super::output::say;
use crate::report::{Page, Report, RunLink, Scores, html_many, write_report};
use crate::run::RunFolder;

#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// Folders of finished runs: the report of one is drawn again, several are compared
    #[arg(required = true)]
    runs: Vec<PathBuf>,
    /// Page that compares several runs
    #[arg(long, value_name = "FILE.html", default_value = "runs.html")]
    out: PathBuf,
}

pub(super) fn perform(args: &Args) -> Result<()> {
    let folders = args.runs.iter().map(|run| Ok(RunFolder::finished(run)?));
    let folders: Vec<RunFolder> = folders.collect::<Result<_>>()?;
    if let [one] = &folders[..] {
        draw(one)?;
        say(&one.page().display().to_string());
        return Ok(());
    }
    let reports: Vec<Report> =
        folders.iter().map(|folder| Ok(folder.report()?)).collect::<Result<_>>()?;
    let from = absolute(args.out.parent().unwrap_or(Path::new("")))?;
    let addresses: Vec<String> = folders
        .iter()
        .map(|folder| Ok(address(&from, &absolute(&folder.page())?)))
        .collect::<Result<_>>()?;
    let links: Vec<RunLink<'_>> =
        reports.iter().zip(&addresses).map(|(report, href)| RunLink { report, href }).collect();
    write_bytes(&args.out, html_many(&links).as_bytes())?;
    say(&markdown(&reports));
    say(&args.out.display().to_string());
    Ok(())
}

/// One row per run, for a table in Markdown.
fn markdown(reports: &[Report]) -> String {
    let head = "| experiment | data | seed | disentanglement | MCC | target accuracy | SHD | judged |\n\
                |---|---|---|---|---|---|---|---|";
    let number = |value: Option<f64>, decimals: usize| {
        value.map_or_else(|| "–".to_owned(), |v| format!("{v:.decimals$}"))
    };
    let row = |report: &Report| {
        let score = |of: fn(&Scores) -> Option<f64>, decimals| {
            number(report.scores.as_ref().and_then(of), decimals)
        };
        let cells = [
            report.experiment.clone(),
            format!("{} {:.8}", report.data.name, report.data.checksum),
            report.seed.to_string(),
            score(|s| s.disentanglement, 3),
            score(|s| s.mcc, 3),
            score(|s| s.target_accuracy, 3),
            score(|s| s.shd, 0),
            report.verdict.level.word().to_owned(),
        ];
        format!("| {} |", cells.join(" | "))
    };
    std::iter::once(head.to_owned()).chain(reports.iter().map(row)).collect::<Vec<_>>().join("\n")
}

fn draw(folder: &RunFolder) -> Result<()> {
    let (report, curves) = (folder.report()?, folder.curves()?);
    let (run, config) = (folder.run_info()?, folder.config()?);
    let panels = folder.panels();
    let page = Page {
        report: &report,
        curves: &curves,
        panels: &panels,
        run: run.as_ref(),
        config: &config,
    };
    Ok(write_report(folder.path(), &page)?)
}

fn absolute(path: &Path) -> Result<PathBuf> {
    let here = std::env::current_dir().context("the current folder")?;
    let mut whole = PathBuf::new();
    for part in here.join(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                whole.pop();
            }
            part => whole.push(part),
        }
    }
    Ok(whole)
}

/// The address of a file relative to a folder, both absolute.
fn address(folder: &Path, file: &Path) -> String {
    let shared = folder.components().zip(file.components()).take_while(|(a, b)| a == b).count();
    let up = folder.components().skip(shared).map(|_| "..".to_owned());
    let down = file.components().skip(shared).map(|c| c.as_os_str().to_string_lossy().into_owned());
    let escaped = up.chain(down).map(|part| {
        part.replace('%', "%25").replace('#', "%23").replace('?', "%3F").replace(' ', "%20")
    });
    escaped.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_go_up_and_down() {
        let address = |folder: &str, file: &str| address(Path::new(folder), Path::new(file));
        assert_eq!(address("/a/b", "/a/b/run 1/report.html"), "run%201/report.html");
        assert_eq!(address("/a/b", "/a/c/report.html"), "../c/report.html");
    }
}
