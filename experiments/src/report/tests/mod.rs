mod sample;

use sample::{CONFIG, Quality};

use super::*;

type Result = std::result::Result<(), Box<dyn std::error::Error>>;

fn page(report: &Report) -> String {
    let (curves, run) = (sample::curves(), sample::run_info());
    html(&Page { report, curves: &curves, panels: &[], run: Some(&run), config: CONFIG })
}

/// The drawing of a figure, if the report has it.
fn svg(report: &Report, name: &str) -> Option<String> {
    let figures = figures(report, &sample::curves());
    figures.iter().find(|figure| figure.name == name).map(|figure| figure.canvas.to_svg())
}

fn caption(report: &Report, name: &str) -> String {
    let figures = figures(report, &Curves::default());
    figures.into_iter().find(|figure| figure.name == name).expect("the figure exists").caption
}

#[test]
fn report_json_reads_back_as_the_same_report() -> Result {
    for report in
        [sample::report(4, Quality::Good), sample::without_truth(sample::report(1, Quality::Good))]
    {
        let text = serde_json::to_string(&report)?;
        assert_eq!(serde_json::from_str::<Report>(&text)?, report);
    }
    Ok(())
}

#[test]
fn a_diverged_report_survives_json_and_can_be_drawn() -> Result {
    let mut report = sample::report(4, Quality::Poor);
    report.edge_probs[1][2] = f64::NAN;
    report.target_shares[0] = f64::NAN;
    report.learned_edges[0].strength = f64::NAN;
    report.counterfactuals[0].predicted[3] = vec![f64::NAN; 4];
    report.scores.as_mut().expect("the sample has truth").importance[0][0] = f64::NAN;
    let again: Report = serde_json::from_str(&serde_json::to_string(&report)?)?;
    assert!(again.edge_probs[1][2].is_nan() && again.target_shares[0].is_nan());
    assert_eq!(page(&again), page(&report));
    assert!(!page(&report).contains("NaN"));
    Ok(())
}

#[test]
fn a_report_writes_every_figure_twice_and_the_same_each_time() -> Result {
    let (report, curves) = (sample::report(4, Quality::Good), sample::curves());
    let page = Page { report: &report, curves: &curves, panels: &[], run: None, config: CONFIG };
    let (a, b) = (tempfile::tempdir()?, tempfile::tempdir()?);
    write_report(a.path(), &page)?;
    write_report(b.path(), &page)?;
    let names =
        ["graph", "edges", "importance", "confusion", "targets", "counterfactuals", "curves"];
    let figures =
        names.iter().flat_map(|name| ["svg", "png"].map(|k| format!("figures/{name}.{k}")));
    for file in figures.chain(["report.json", "report.html"].map(str::to_owned)) {
        let [first, second] = [&a, &b].map(|folder| std::fs::read(folder.path().join(&file)));
        assert_eq!(first?, second?, "{file}");
    }
    assert_eq!(std::fs::read_dir(a.path().join("figures"))?.count(), 2 * names.len());
    Ok(())
}

#[test]
fn mistakes_in_the_graph_are_counted_and_drawn() {
    let poor = sample::report(4, Quality::Poor);
    let text = caption(&poor, "graph");
    assert!(
        text.contains("1 missing and 1 turned round; learned edges that do not exist: 1"),
        "{text}"
    );
    let drawing = svg(&poor, "graph").expect("four variables have a graph");
    assert!(drawing.contains("turned round") && drawing.contains("stroke-dasharray"));
    let good = svg(&sample::report(4, Quality::Good), "graph").expect("and here");
    assert!(!good.contains("stroke-dasharray") && !good.contains("does not exist"));
}

#[test]
fn figures_speak_of_factors_not_of_the_arbitrary_order_of_codes() {
    let report = sample::report(4, Quality::Good);
    let mut renamed = report.clone();
    // Swap codes 0 and 1 everywhere: nothing but their names may change.
    let swap = |code: usize| if code < 2 { 1 - code } else { code };
    for edge in &mut renamed.learned_edges {
        (edge.from, edge.to) = (swap(edge.from), swap(edge.to));
    }
    let scores = renamed.scores.as_mut().expect("the sample has truth");
    scores.matching.iter_mut().flatten().for_each(|code| *code = swap(*code));
    scores.importance.swap(0, 1);
    renamed.variables.swap(0, 1);
    renamed.target_shares.swap(1, 2);
    renamed.edge_probs.swap(0, 1);
    renamed.edge_probs.iter_mut().for_each(|row| row.swap(0, 1));
    renamed.counterfactuals.iter_mut().for_each(|strip| {
        strip.variable = swap(strip.variable);
        let truth = strip.truth.iter_mut().flatten();
        strip.predicted.iter_mut().chain(truth).for_each(|z| z.swap(0, 1));
    });
    for name in ["graph", "edges", "importance", "confusion", "targets", "counterfactuals"] {
        assert_eq!(svg(&renamed, name), svg(&report, name), "{name}");
    }
}

#[test]
fn without_truth_the_page_says_so_and_keeps_the_verdict() {
    let report = sample::without_truth(sample::report(4, Quality::Good));
    let page = page(&report);
    assert!(page.contains("No scores: this data comes without truth."));
    assert!(page.contains("✓ trustworthy") && page.contains("held-out pairs"));
    assert!(!page.contains("True graph") && !page.contains("All scores"));
    assert!(svg(&report, "importance").is_none() && svg(&report, "graph").is_some());
}

#[test]
fn partial_truth_shows_what_it_can() {
    let mut report = sample::report(4, Quality::Good);
    let scores = report.scores.as_mut().expect("the sample has truth");
    (scores.true_edges, scores.shd, scores.edge_f1) = (None, None, None);
    scores.confusion.clear();
    let page = page(&report);
    assert!(page.contains("needs truth that is not given") && page.contains("0.972"));
    assert!(svg(&report, "confusion").is_none() && !page.contains("True graph"));
}

#[test]
fn variables_without_a_partner_are_named_and_shown() {
    // Four factors, three codes: code 3, which saw factor 2, is gone.
    let mut few = sample::report(4, Quality::Good);
    few.d = 3;
    few.variables.pop();
    few.learned_edges.retain(|edge| edge.from < 3 && edge.to < 3);
    few.edge_probs.pop();
    few.edge_probs.iter_mut().for_each(|row| row.truncate(3));
    few.target_shares.pop();
    few.counterfactuals.retain(|strip| strip.variable < 3);
    let scores = few.scores.as_mut().expect("the sample has truth");
    scores.matching.iter_mut().for_each(|code| *code = code.filter(|&code| code < 3));
    scores.importance.pop();
    let text = page(&few);
    assert!(text.contains("model.d is 3, but the data has d = 4"), "{text}");
    assert!(text.contains("Without a learned variable: red lamp."));
    assert!(caption(&few, "graph").contains("broken where one of the two does not have them"));
    assert!(svg(&few, "edges").expect("there is a graph").contains("red lamp: not learned"));

    // Three factors, four codes: factor 0, which code 1 saw, is no factor.
    let mut many = sample::report(4, Quality::Good);
    let scores = many.scores.as_mut().expect("the sample has truth");
    scores.matching.remove(0);
    scores.factor_names.remove(0);
    for row in &mut scores.importance {
        row.remove(0);
    }
    let counts = scores.confusion.drain(..).skip(1);
    scores.confusion = counts.map(|mut row| (row.rotate_left(1), row).1).collect();
    let edges = scores.true_edges.take().into_iter().flatten();
    let edges = edges.filter(|&(from, to)| from > 0 && to > 0);
    scores.true_edges = Some(edges.map(|(from, to)| (from - 1, to - 1)).collect());
    let text = page(&many);
    assert!(
        text.contains("d is 4, but the data has d = 3: a") && text.contains("a true variable: z2.")
    );
    for name in ["graph", "edges", "importance", "confusion", "targets", "counterfactuals"] {
        assert!(svg(&many, name).expect("all is known").contains("z2<"), "{name}");
    }
    assert!(!page(&sample::report(4, Quality::Good)).contains("Without a "));
}

#[test]
fn one_variable_has_no_graph_but_a_page() {
    let report = sample::report(1, Quality::Good);
    assert!(svg(&report, "graph").is_none() && svg(&report, "importance").is_some());
    assert!(page(&report).contains("1 learned variable<"));
}

#[test]
fn a_page_needs_nothing_else() {
    let page = page(&sample::report(16, Quality::Poor));
    for outside in ["http://", "https://", "<script", "url(", "@import", "<link"] {
        assert!(!page.contains(outside), "{outside}");
    }
}

#[test]
fn names_are_text_not_markup() {
    let mut report = sample::report(4, Quality::Good);
    report.scores.as_mut().expect("the sample has truth").factor_names[0] = "<b>&".to_owned();
    let page = page(&report);
    assert!(page.contains("&lt;b&gt;&amp;") && !page.contains("<b>&"));
}

#[test]
fn several_runs_are_compared_by_median_and_range() {
    let good = sample::report(4, Quality::Good);
    let poor = Report { seed: 8, ..sample::report(4, Quality::Poor) };
    let best = Report { seed: 9, ..good.clone() };
    let link = |report, href| RunLink { report, href };
    let page =
        html_many(&[link(&good, "7/a.html"), link(&poor, "8/a.html"), link(&best, "9/a.html")]);
    assert!(page.contains("3 runs, of which 2 pass every label-free check."), "{page}");
    assert!(page.contains("0.996") && page.contains("0.841–0.996"));
    assert!(page.contains("href=\"8/a.html\"") && page.contains("Scores of all runs"));
}

#[test]
fn several_runs_without_truth_have_a_table_only() {
    let report = sample::without_truth(sample::report(4, Quality::Good));
    let page = html_many(&[RunLink { report: &report, href: "r.html" }]);
    assert!(page.contains("No scores: these runs have no truth") && !page.contains("<svg"));
}

#[test]
#[ignore = "writes pages to look at into the folder $DOMINO_GALLERY"]
fn gallery() -> Result {
    let folder = std::path::PathBuf::from(std::env::var("DOMINO_GALLERY")?);
    let (curves, run) = (sample::curves(), sample::run_info());
    let cases = [
        ("d4-good", sample::report(4, Quality::Good)),
        ("d4-poor", sample::report(4, Quality::Poor)),
        ("d4-unlabelled", sample::without_truth(sample::report(4, Quality::Good))),
        ("d16-good", sample::report(16, Quality::Good)),
        ("d16-poor", sample::report(16, Quality::Poor)),
        ("d16-unlabelled", sample::without_truth(sample::report(16, Quality::Poor))),
        ("d1", sample::report(1, Quality::Good)),
    ];
    for (name, report) in &cases {
        let page = Page { report, curves: &curves, panels: &[], run: Some(&run), config: CONFIG };
        write_report(&folder.join(name), &page)?;
    }
    let seeds: Vec<_> = (0..9)
        .map(|seed| {
            let mut report = if seed % 4 == 3 { cases[1].1.clone() } else { cases[0].1.clone() };
            report.seed = seed;
            let scores = report.scores.as_mut().expect("the sample has truth");
            let shift = 0.03 * sample::noise(seed as usize);
            scores.mcc = scores.mcc.map(|score| score - shift);
            scores.disentanglement = scores.disentanglement.map(|score| score - 2.0 * shift);
            scores.target_accuracy = scores.target_accuracy.map(|score| score - shift);
            report
        })
        .collect();
    let links: Vec<_> =
        seeds.iter().map(|report| RunLink { report, href: "d4-good/report.html" }).collect();
    Ok(std::fs::write(folder.join("many.html"), html_many(&links))?)
}
