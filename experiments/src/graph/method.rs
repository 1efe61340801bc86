use domino::dag::baselines::{Dcdi, Gies, Notears, Pc};
use domino::dag::{
    Bootstrap, Column, DagError, Enco, LearnedGraph, PairCodes, PairRegression, Samples,
    StructureLearner,
};
use rand::Rng;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use thiserror::Error;

use super::Data;

/// How a graph is learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Method {
    /// Regressions of codes on codes: pairs only
    Pairs,
    /// Networks and interventions; real or categorical
    Enco,
    /// Scores of equivalence classes; real, linear
    Gies,
    /// Least squares under a smooth constraint; real, knows of no interventions
    Notears,
    /// Networks under a smooth constraint; real or categorical
    Dcdi,
    /// Tests of independence; observational, real or categorical
    Pc,
}

/// Why a method gives no graph.
#[derive(Debug, Error)]
pub enum MethodError {
    /// It needs other data.
    #[error("method {method}: expected {expected}, got {got}")]
    Unfit {
        /// The method.
        method: &'static str,
        /// The data that would do.
        expected: &'static str,
        /// The data found.
        got: &'static str,
    },
    /// A setting is none of the method's, or has another type.
    #[error("method {method}: {reason}")]
    Setting {
        /// The method.
        method: &'static str,
        /// What is wrong with it.
        reason: serde_json::Error,
    },
    /// The learner refuses.
    #[error("method {method}: {reason}")]
    Learner {
        /// The method.
        method: &'static str,
        /// Why.
        reason: DagError,
    },
}

impl Method {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pairs => "pairs",
            Self::Enco => "enco",
            Self::Gies => "gies",
            Self::Notears => "notears",
            Self::Dcdi => "dcdi",
            Self::Pc => "pc",
        }
    }

    /// What is usual for data of this form: `pairs` for codes and `enco` for rows.
    pub fn usual(data: &Data) -> Self {
        match data {
            Data::Codes { .. } => Self::Pairs,
            Data::Rows(_) => Self::Enco,
        }
    }

    /// The graph, and all settings of the method: the given ones and the defaults of the others.
    ///
    /// # Errors
    /// [`MethodError`] if the data does not fit the method or a setting is not one of its own.
    pub fn learn(
        self,
        data: &Data,
        settings: Map<String, Value>,
        resamples: usize,
        rng: &mut dyn Rng,
    ) -> Result<(LearnedGraph, Value), MethodError> {
        let given = Given { method: self, settings, resamples };
        match self {
            Self::Pairs => given.codes(self.codes(data)?, rng),
            Self::Enco => given.rows::<Enco>(self.rows(data)?, rng),
            Self::Gies => given.rows::<Gies>(self.rows(data)?, rng),
            Self::Notears => given.rows::<Notears>(self.rows(data)?, rng),
            Self::Dcdi => given.rows::<Dcdi>(self.rows(data)?, rng),
            Self::Pc => given.rows::<Pc>(self.rows(data)?, rng),
        }
    }

    /// The interventions, of those in the data, that the method knows of: `notears` and `pc` of none.
    pub fn seen(self, intervened: &[usize]) -> &[usize] {
        match self {
            Self::Notears | Self::Pc => &[],
            Self::Pairs | Self::Enco | Self::Gies | Self::Dcdi => intervened,
        }
    }

    fn codes(self, data: &Data) -> Result<&PairCodes, MethodError> {
        match data {
            Data::Codes { codes, .. } => Ok(codes),
            Data::Rows(_) => Err(MethodError::Unfit {
                method: self.name(),
                expected: "noise codes of pairs, as in a run, an embedding or pairs with e_before",
                got: "rows of variables; enco, gies, notears, dcdi and pc learn from those",
            }),
        }
    }

    fn rows(self, data: &Data) -> Result<&Samples, MethodError> {
        let is_real = |column: &Column| matches!(column, Column::Continuous(_));
        match data {
            Data::Rows(rows) | Data::Codes { variables: Some(rows), .. } => {
                let any = !matches!(self, Self::Gies | Self::Notears);
                if any || rows.columns().iter().all(is_real) {
                    return Ok(rows);
                }
                Err(MethodError::Unfit {
                    method: self.name(),
                    expected: "real columns",
                    got: "columns of states; enco, dcdi and pc learn from those, and \
                          --columns continuous takes states for numbers",
                })
            }
            Data::Codes { variables: None, .. } => Err(MethodError::Unfit {
                method: self.name(),
                expected: "variables, as in z_before and z_after of pairs",
                got: "noise codes alone; pairs learns from those",
            }),
        }
    }
}

struct Given {
    method: Method,
    settings: Map<String, Value>,
    resamples: usize,
}

impl Given {
    fn codes(
        self,
        codes: &PairCodes,
        rng: &mut dyn Rng,
    ) -> Result<(LearnedGraph, Value), MethodError> {
        let (learner, settings) = self.learner::<PairRegression>()?;
        Ok((learner.learn(codes, rng).map_err(self.refused())?, settings))
    }

    fn rows<L>(
        self,
        rows: &Samples,
        rng: &mut dyn Rng,
    ) -> Result<(LearnedGraph, Value), MethodError>
    where
        L: StructureLearner<Samples> + DeserializeOwned + Serialize,
    {
        let (learner, settings) = self.learner::<L>()?;
        Ok((learner.learn(rows, rng).map_err(self.refused())?, settings))
    }

    fn refused(&self) -> impl Fn(DagError) -> MethodError + use<> {
        let method = self.method.name();
        move |reason| MethodError::Learner { method, reason }
    }

    fn learner<L: DeserializeOwned + Serialize>(
        &self,
    ) -> Result<(Bootstrap<L>, Value), MethodError> {
        let method = self.method.name();
        let wrong = |reason| MethodError::Setting { method, reason };
        let learner: L = serde_json::from_value(self.settings.clone().into()).map_err(wrong)?;
        let settings = serde_json::to_value(&learner).map_err(wrong)?;
        Ok((Bootstrap { learner, resamples: self.resamples }, settings))
    }
}
