use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use domino::core::{Dag, Seed, Stream};
use domino::dag::networks::{
    CausalNetwork, DiscreteNetwork, GaussianScm, GraphFamily, Intervention, Plan, Scale,
    draw_samples,
};
use domino::dag::{Column, Samples};
use domino::data::formats::bif::{self, Network};
use domino::data::npz::{Array, Limits, write_arrays};
use nalgebra::DMatrix;

use crate::cli::output::say;
use crate::graph::numbered;

#[derive(Clone, Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// A network as a .bif file, or the family of a random graph: chain, bidiagonal, collider, jungle,
    /// full, random:PROBABILITY, erdos-renyi:EDGES or scale-free:EDGES, with edges per variable
    network: String,
    /// Rows without intervention
    #[arg(long, value_name = "N", default_value_t = 5000)]
    rows: usize,
    /// Rows under an intervention on each variable
    #[arg(long, value_name = "M", default_value_t = 0)]
    interventions: usize,
    /// What an intervention does
    #[arg(long, value_enum, default_value_t = Kind::Perfect)]
    kind: Kind,
    /// Variables of a random network
    #[arg(long, value_name = "D", default_value_t = 8)]
    variables: usize,
    /// Mechanisms of a random network
    #[arg(long, value_enum, default_value_t = Mechanisms::Categorical)]
    mechanisms: Mechanisms,
    /// States of each variable of a random categorical network
    #[arg(long, value_name = "K", default_value_t = 10)]
    states: usize,
    /// What all random numbers come from
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// File to write: rows `x`, their `targets`, the number of `states` of each column, 0 for real
    /// ones, `names`, and the true graph as `adjacency`, which no learner looks at
    #[arg(long, value_name = "FILE.npz")]
    out: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    /// It cuts the variable off from its causes
    Perfect,
    /// The variable still depends on its causes
    Soft,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Mechanisms {
    /// Random conditional distributions over states
    Categorical,
    /// Weighted sums and Gaussian noise
    Linear,
    /// Random networks and Gaussian noise
    Nonlinear,
}

impl Args {
    pub(super) fn perform(&self) -> Result<()> {
        ensure!(
            self.rows + self.interventions > 0,
            "--rows and --interventions: expected at least one row, got none"
        );
        let seed = Seed(self.seed);
        let (names, network) = self.network(seed)?;
        let intervention = match self.kind {
            Kind::Perfect => Intervention::Perfect,
            Kind::Soft => Intervention::Soft,
        };
        let plan = Plan { observational: self.rows, per_target: self.interventions, intervention };
        let samples = draw_samples(&*network, &plan, &mut seed.rng(Stream::Data))?;
        save(&self.out, &names, network.dag(), &samples)?;
        let (n, d, edges) = (samples.len(), samples.dim(), network.dag().edge_count());
        say(&format!("{}: {n} rows, {d} variables, {edges} edges", self.out.display()));
        Ok(())
    }

    fn network(&self, seed: Seed) -> Result<(Vec<String>, Box<dyn CausalNetwork>)> {
        let path = Path::new(&self.network);
        if path.extension().is_some_and(|end| end.eq_ignore_ascii_case("bif")) {
            let network = bif::read(path, Limits::default())?;
            let names = network.variables().iter().map(|v| v.name.clone()).collect();
            return Ok((
                names,
                Box::new(tabulated(&network).with_context(|| self.network.clone())?),
            ));
        }
        ensure!(self.variables > 0, "--variables: expected at least 1, got 0");
        let rng = &mut seed.rng(Stream::World);
        let dag = family(&self.network)?.draw(self.variables, rng)?;
        let network: Box<dyn CausalNetwork> = match self.mechanisms {
            Mechanisms::Categorical => Box::new(DiscreteNetwork::random(dag, self.states, rng)?),
            Mechanisms::Linear => Box::new(GaussianScm::linear(dag, Scale::Unit, rng)),
            Mechanisms::Nonlinear => Box::new(GaussianScm::nonlinear(dag, rng)),
        };
        Ok((numbered("x", self.variables), network))
    }
}

/// The network of a file, whose parents come in any order, with parents ascending.
fn tabulated(network: &Network) -> Result<DiscreteNetwork> {
    let variables = network.variables();
    let states: Vec<usize> = variables.iter().map(|v| v.states.len()).collect();
    let table = |k: usize| {
        let parents = &variables[k].parents;
        let mut ascending = parents.clone();
        ascending.sort_unstable();
        let rows: usize = ascending.iter().map(|&j| states[j]).product();
        let mut table = DMatrix::zeros(rows, states[k]);
        for row in 0..rows {
            let mut rest = row;
            let mut state = vec![0; states.len()];
            for &j in ascending.iter().rev() {
                state[j] = rest % states[j];
                rest /= states[j];
            }
            let given: Vec<usize> = parents.iter().map(|&j| state[j]).collect();
            let probs = network.probabilities(k, &given);
            probs.iter().enumerate().for_each(|(s, p)| table[(row, s)] = *p);
        }
        table
    };
    let tables = (0..variables.len()).map(table).collect();
    Ok(DiscreteNetwork::from_tables(network.dag().clone(), states, tables)?)
}

fn family(text: &str) -> Result<GraphFamily> {
    let (name, number) = text.split_once(':').unwrap_or((text, ""));
    let number = |default: f64| -> Result<f64> {
        if number.is_empty() {
            return Ok(default);
        }
        number.parse().with_context(|| format!("{text}: expected a number, got `{number}`"))
    };
    Ok(match name {
        "chain" => GraphFamily::Chain,
        "bidiagonal" => GraphFamily::Bidiagonal,
        "collider" => GraphFamily::Collider,
        "jungle" => GraphFamily::Jungle,
        "full" => GraphFamily::Full,
        "random" => GraphFamily::Random { edge_probability: number(0.3)? },
        "erdos-renyi" => GraphFamily::ErdosRenyi { edges_per_variable: number(2.0)? },
        "scale-free" => {
            let edges = number(2.0)?;
            ensure!(edges >= 0.0, "{text}: expected at least 0 edges, got {edges}");
            GraphFamily::ScaleFree { edges_per_variable: edges as usize }
        }
        _ => bail!(
            "{text}: expected a .bif file or one of chain, bidiagonal, collider, jungle, full, \
             random, erdos-renyi and scale-free"
        ),
    })
}

fn save(path: &Path, names: &[String], dag: &Dag, samples: &Samples) -> Result<()> {
    let (n, d) = (samples.len(), samples.dim());
    let mut x = DMatrix::zeros(n, d);
    let mut states = DMatrix::zeros(d, 1);
    for (k, column) in samples.columns().iter().enumerate() {
        match column {
            Column::Continuous(values) => x.column_mut(k).copy_from_slice(values),
            Column::Categorical { values, states: count } => {
                states[k] = *count as f64;
                let values = values.iter().map(|v| f64::from(*v));
                x.column_mut(k).iter_mut().zip(values).for_each(|(to, v)| *to = v);
            }
        }
    }
    let label = |row: usize| samples.regime(row).likeliest().map_or(0, |k| k + 1) as f64;
    let targets = DMatrix::from_fn(n, 1, |row, _| label(row));
    let arrays = [
        ("x", Array::Matrix(&x)),
        ("targets", Array::Matrix(&targets)),
        ("states", Array::Matrix(&states)),
        ("names", Array::Strings(names)),
        ("adjacency", Array::Matrix(&dag.adjacency())),
    ];
    Ok(write_arrays(path, &arrays)?)
}
