use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use domino::core::Seed;
use domino::data::formats::{Kind, PairRule, ReadOptions, Size, read_pairs};
use domino::data::npz::write_pairs;

use crate::cli::output::{say, table};

#[derive(Clone, Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// File or folder of the set, as it is published
    #[arg(required_unless_present = "list")]
    path: Option<PathBuf>,
    /// What set it is, such as `dsprites` [default: found out from its files]
    #[arg(long, value_name = "NAME", value_parser = kind)]
    kind: Option<Kind>,
    /// Number of pairs; fewer where the set has pairs of its own and not so many
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pairs: usize,
    /// Decides which pairs
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// Factors that change in a pair, where pairs are formed here: `one`, `none-or-one`,
    /// `exactly-K` or `at-most-K`
    #[arg(long, value_name = "RULE", default_value = "one", value_parser = rule)]
    change: PairRule,
    /// Part of the set, such as `train` or `test`; the experiment of a light tunnel
    #[arg(long, value_name = "NAME")]
    split: Option<String>,
    /// Side of the pictures, which are resized to squares [default: at most 64]
    #[arg(long, value_name = "PIXELS")]
    size: Option<usize>,
    /// File to write
    #[arg(long, value_name = "FILE.npz", required_unless_present = "list")]
    out: Option<PathBuf>,
    /// List the sets that can be read, with the files that each is known by
    #[arg(long)]
    list: bool,
}

impl Args {
    pub(super) fn perform(&self) -> Result<()> {
        let (Some(path), Some(out), false) = (&self.path, &self.out, self.list) else {
            say(&list());
            return Ok(());
        };
        ensure!(self.pairs > 0, "--pairs: expected at least 1, got 0");
        let size = |side| Size::Of { height: side, width: side };
        let options = ReadOptions {
            pairs: self.pairs,
            seed: Seed(self.seed),
            rule: self.change,
            split: self.split.clone(),
            size: self.size.map_or_else(Size::default, size),
            ..ReadOptions::default()
        };
        let (pairs, truth) = read_pairs(self.kind, path, &options)?;
        write_pairs(out, &pairs, &truth)?;
        say(&format!("{}: {} pairs, {}", out.display(), pairs.len(), pairs.before().form()));
        Ok(())
    }
}

fn list() -> String {
    let rows: Vec<Vec<String>> = Kind::ALL
        .iter()
        .map(|kind| vec![kind.name().to_owned(), format!("  {}", kind.files())])
        .collect();
    table(&rows)
}

fn kind(text: &str) -> Result<Kind> {
    Ok(text.parse()?)
}

fn rule(text: &str) -> Result<PairRule> {
    let number = |digits: &str| {
        digits.parse::<usize>().with_context(|| format!("expected a number, got `{digits}`"))
    };
    Ok(match text {
        "one" => PairRule::One,
        "none-or-one" => PairRule::NoneOrOne,
        _ if text.starts_with("exactly-") => PairRule::Exactly(number(&text["exactly-".len()..])?),
        _ if text.starts_with("at-most-") => PairRule::AtMost(number(&text["at-most-".len()..])?),
        _ => bail!("expected one, none-or-one, exactly-K or at-most-K, got `{text}`"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_told_by_name() {
        assert_eq!(rule("exactly-2").unwrap(), PairRule::Exactly(2));
        assert_eq!(rule("at-most-3").unwrap(), PairRule::AtMost(3));
        assert!(rule("exactly-x").unwrap_err().to_string().contains("expected a number"));
        assert!(rule("two").unwrap_err().to_string().contains("exactly-K"));
        assert_eq!(kind("dsprites").unwrap(), Kind::Dsprites);
        assert!(kind("dsprite").is_err());
        assert_eq!(list().lines().count(), Kind::ALL.len());
    }
}
