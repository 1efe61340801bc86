//! Disentanglement, identifiability and graph metrics on host matrices.
//!
//! Representations are scored on a [`Sample`]: latents `[n, D]` and the true factors `[n, K]` of
//! the same points, in double precision. [`dci`] asks whether each latent serves one factor and
//! each factor is served by one latent; [`mcc`] matches factors with latents by correlation, and
//! that [`Matching`] relabels a learned graph before [`shd`] and [`edge_scores`] compare it with
//! the true one. [`target_accuracy`] scores inferred intervention targets, [`set_accuracy`]
//! those of several variables at once.
//!
//! The scores of Locatello et al. 2019 come in three kinds:
//!
//! - on a sample, or one to fit and one to test on: [`dci_classifier`], [`mig`], [`modularity`],
//!   [`explicitness`], [`irs`], [`sap_discrete`], [`sap_continuous`], [`downstream`],
//!   [`reduced_downstream`], and DCI as first published, [`dci_lasso`] and [`dci_forest`];
//! - on a [`Representation`], whose factors they choose: [`beta_vae`], [`factor_vae`], [`fairness`],
//!   [`strong_downstream`];
//! - without factors: [`unsupervised`], and [`udr`] across several models.
//!
//! Published values depend on the version of scikit-learn: [`TreeImportance`], [`Multiclass`] and
//! [`Intercept`] choose.
//!
//! Options are structs whose `Default` holds the published values, results are plain structs with
//! named parts that serialise, and randomness is passed in.
//!
//! ```
//! use domino_core::Dag;
//! use domino_metrics::{Correlation, Reversal, Sample, mcc, shd};
//! use nalgebra::DMatrix;
//!
//! // The latents are the factors in reverse order, and so is the learned graph.
//! let factors = DMatrix::from_fn(8, 3, |i, j| ((i >> j) & 1) as f64);
//! let latents = DMatrix::from_fn(8, 3, |i, j| -factors[(i, 2 - j)]);
//! let learned = Dag::from_edges(3, &[(2, 1), (1, 0)])?;
//!
//! let scores = mcc(Sample::new(&latents, &factors)?, Correlation::Pearson)?;
//! let relabelled = scores.matching.relabel(&learned)?;
//! assert_eq!(shd(&Dag::chain(3), &relabelled, Reversal::Once)?, 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The public codes that define the conventions are named at each function; their golden values
//! are part of the tests.

mod accuracy;
mod beta_vae;
mod bootstrap;
mod citris;
mod classes;
mod concentration;
mod correlation;
mod dci;
mod dci_classifier;
mod dci_regression;
mod digraph;
mod downstream;
mod error;
mod explicitness;
mod factor_vae;
mod fairness;
mod forest;
mod gbt;
mod graph;
mod information;
mod irs;
mod lasso;
mod logistic;
mod matching;
mod mcc;
mod mig;
mod modularity;
mod parallel;
mod predictor;
mod reduced_downstream;
mod regression;
mod representation;
mod rows;
mod sample;
mod sap;
mod score;
mod set_accuracy;
mod strong_downstream;
mod svm;
mod target_accuracy;
mod udr;
mod unsupervised;

pub use accuracy::Accuracy;
pub use beta_vae::{
    BetaVae, BetaVaeOptions, SharedFactorDifferences, beta_vae, beta_vae_of_differences,
};
pub use bootstrap::{
    BootstrapOptions, Interval, IntervalMethod, bootstrap, bootstrap_all, interval_of_replicates,
    mean_interval,
};
pub use citris::{
    DiagonalSummary, FactorDistance, FactorKind, Factors, GroupScores, PredictedFactor,
    ReadFactors, Triplets, factor_distance, group_scores, score_predictions, triplet_distance,
};
pub use concentration::{Concentration, completeness, disentanglement};
pub use correlation::{Correlation, correlation_matrix};
pub use dci::{Dci, DciOptions, SquaredError, dci};
pub use dci_classifier::{DciClassifier, DciClassifierOptions, dci_classifier};
pub use dci_regression::{
    DciForestOptions, DciLassoOptions, DciRegression, RelativeError, dci_forest, dci_lasso,
};
pub use digraph::Digraph;
pub use downstream::{Downstream, DownstreamAt, DownstreamOptions, downstream};
pub use error::MetricError;
pub use explicitness::{AreaUnderCurve, Explicitness, explicitness};
pub use factor_vae::{FactorVae, FactorVaeOptions, factor_vae, factor_vae_of_votes};
pub use fairness::{
    Fairness, FairnessOptions, GroupUnfairness, Unfairness, fairness, group_unfairness,
};
pub use gbt::{Columns, Gbt, GbtClassifier, GbtOptions, TreeImportance};
pub use graph::{
    Adjustment, Binning, Calibration, CalibrationOptions, EdgeProbScores, EdgeScores, GcastleRates,
    GraphScores, MAX_EDIT_DIM, ReliabilityBin, Reversal, ShdConvention, WrongEffects,
    adjustment_distance, calibration, cdt_area_under_precision_recall, edge_prob_scores,
    edge_scores, edge_scores_of_digraphs, edit_distance, gcastle_rates, orientation_accuracy, shd,
    shd_by_convention, shd_of_classes, shd_of_digraphs, sid, unlabelled_edit_distance,
};
pub use information::{BinOptions, FactorValues, MutualInformation, mutual_information};
pub use irs::{Irs, IrsOptions, irs};
pub use logistic::{Intercept, LogisticCvOptions, LogisticOptions, Multiclass};
pub use matching::Matching;
pub use mcc::{Mcc, mcc, mcc_out_of_sample};
pub use mig::{Mig, mig};
pub use modularity::{Modularity, modularity};
pub use predictor::Predictor;
pub use reduced_downstream::{ReducedDownstream, ReducedDownstreamOptions, reduced_downstream};
pub use regression::{
    AffineMcc, KernelRidge, KernelRidgeChoice, KernelRidgeOptions, R2, Regressor, WeakMcc,
    affine_mcc, block_r2, r2, weak_mcc,
};
pub use representation::{LatentTable, Representation, draw_sample};
pub use sample::Sample;
pub use sap::{Sap, SapOptions, sap_continuous, sap_discrete};
pub use score::{
    Better, Cost, MetricInfo, Missing, Points, Prediction, Score, ScoreError, ScoreOptions,
    Scorecard, Truth, metrics, scorecard,
};
pub use set_accuracy::{SetAccuracy, set_accuracy};
pub use strong_downstream::{StrongDownstream, StrongDownstreamOptions, strong_downstream};
pub use target_accuracy::{TargetAccuracy, UnderMatching, target_accuracy, target_accuracy_under};
pub use udr::{ModelLatents, Similarity, Udr, UdrOptions, UnusedLatents, latent_similarity, udr};
pub use unsupervised::{Unsupervised, unsupervised};
