use std::path::PathBuf;

use anyhow::{Context, Result};
use domino::data::GeneratorConfig;

use super::spec;
use crate::cli::output::{say, table};

#[derive(Clone, Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Folder of the data sets
    #[arg(long, value_name = "DIR", default_value = "datasets")]
    datasets: PathBuf,
}

impl Args {
    pub(super) fn perform(&self) -> Result<()> {
        let mut rows = vec![["data set", "pairs", "generator"].map(str::to_owned).to_vec()];
        for (name, spec) in spec::all(&self.datasets)? {
            let generator = spec.generator().with_context(|| name.clone())?;
            let kind = generator.kind().to_owned();
            rows.push(vec![name, spec.pairs.to_string(), kind]);
        }
        say(&table(&rows));
        say(&format!("generators: {}", GeneratorConfig::KINDS.join(", ")));
        Ok(())
    }
}
