//! How many variables pairs support.

use domino_core::{Observations, Pairs};
use domino_vae::start::{WhitenError, Whitening};
use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::look::{Counted, Look, plain_scale, scaled};
use super::neighbours::intrinsic_dimension;
use super::{Answer, NOISE, WIDE};

/// Pairs that a fit counts on, a quarter of those that a diagnosis looks at, so that counting takes less
/// than a second at 64 variables.
const ROWS: usize = 5000;

/// Observations from which on the dimension of a surface is known well enough: to a standard
/// error of .13 at four dimensions.
const ENOUGH_NEIGHBOURS: usize = 1000;

/// By how much the dimension of a surface may exceed the number of variables. It is at most .2 too
/// large on development worlds of two to sixteen variables.
const LEFT_OUT: f64 = 0.5;

/// By how much it may fall short: a constant part, and one per square of the number of variables.
/// Where the mixing bends it is .5 too small of four variables, 2.5 of eight and 9.8 of sixteen.
const TOO_MANY: (f64, f64) = (0.5, 0.05);

/// What a number of variables is taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// One linear map separates the variables, so that each is a direction: the number is exact.
    Directions,
    /// The same under noise, which may hide a direction or bend unseen.
    NoisyDirections,
    /// Observations lie on a bent surface, whose dimension neighbours tell roughly.
    Surface,
    /// The same of features of pictures, which also vary by what nobody sets.
    Features,
}

/// What is known beforehand of the map between variables and observations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Separation {
    /// One linear map separates the variables.
    Linear,
    /// Nothing.
    Unknown,
}

/// How many variables pairs support, and what that rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VariableCount {
    /// The number; where observations bend a dimension, 0 where most of them repeat.
    pub supported: f64,
    /// What it is taken from.
    pub evidence: Evidence,
    /// Directions in which observations, or features, vary by more than noise.
    pub directions: usize,
    /// Observations that were looked at.
    pub observations: usize,
}

impl VariableCount {
    /// Of pairs of vectors.
    ///
    /// # Errors
    /// [`WhitenError`] if the observations do not vary.
    pub(crate) fn of(pairs: &Pairs, known: Separation) -> Result<Self, WhitenError> {
        let look = Look::at(pairs, ROWS)?;
        if known == Separation::Linear || look.counted().linear() {
            return Ok(Self::of_directions(&look));
        }
        Ok(Self::of_surface(look.dimension(), &look, Evidence::Surface))
    }

    /// Of pictures, or of what else has many values, by features `[n, features]` before and the
    /// whitening that gave them.
    pub(crate) fn of_features(features: &DMatrix<f64>, whitening: &Whitening) -> Self {
        let supported = intrinsic_dimension(&scaled(features, &plain_scale(whitening)));
        let (observations, directions) = features.shape();
        Self { supported, evidence: Evidence::Features, directions, observations }
    }

    /// Whether features have to stand for these observations.
    pub(crate) fn needs_features(pairs: &Pairs) -> bool {
        matches!(pairs.before(), Observations::Images { .. }) || pairs.dim() > WIDE
    }

    /// Of pairs that have been looked at already.
    pub(super) fn seen(pairs: &Pairs, look: &Look, dimension: f64, counted: &Counted) -> Self {
        match (counted.linear(), Self::needs_features(pairs)) {
            (true, _) => Self::of_directions(look),
            (_, true) => Self::of_surface(dimension, look, Evidence::Features),
            _ => Self::of_surface(dimension, look, Evidence::Surface),
        }
    }

    fn of_surface(supported: f64, look: &Look, evidence: Evidence) -> Self {
        let (directions, observations) = (look.directions(), look.rows());
        Self { supported, evidence, directions, observations }
    }

    fn of_directions(look: &Look) -> Self {
        let (directions, observations) = (look.directions(), look.rows());
        let evidence =
            if look.noise <= NOISE.0 { Evidence::Directions } else { Evidence::NoisyDirections };
        Self { supported: directions as f64, evidence, directions, observations }
    }

    /// The number to learn, where there is no dimension one for each direction.
    pub fn number(&self) -> usize {
        if self.supported > 0.0 {
            self.supported.round().max(1.0) as usize
        } else {
            self.directions
        }
    }

    /// How far `d` variables are from those that the pairs support, and how far they may be.
    ///
    /// Directions are counted exactly. The dimension of a surface is hardly ever too large and, with
    /// more variables, more and more too small, so that it tells a variable left out better than
    /// one too many. Pictures may show what nobody sets, and so leave out as much as they like.
    pub fn distance(&self, d: usize) -> (f64, f64) {
        if d > self.directions {
            return ((d - self.directions) as f64, 0.0);
        }
        let (asked, left_out) = (d as f64, self.supported - d as f64);
        // Observations that repeat have no neighbours.
        let known = self.observations >= ENOUGH_NEIGHBOURS && self.supported > 0.0;
        let allowed = match self.evidence {
            Evidence::Directions | Evidence::NoisyDirections => 0.0,
            _ if !known => f64::INFINITY,
            Evidence::Features if left_out > 0.0 => f64::INFINITY,
            Evidence::Surface if left_out > 0.0 => LEFT_OUT,
            Evidence::Features | Evidence::Surface => TOO_MANY.0 + TOO_MANY.1 * asked * asked,
        };
        (left_out.abs(), allowed)
    }

    /// Whether the pairs support `d` variables: an estimate can only doubt it, a count denies it.
    pub fn answer(&self, d: usize) -> Answer {
        let (distance, allowed) = self.distance(d);
        match self.evidence {
            _ if distance <= allowed => Answer::Good,
            Evidence::Features | Evidence::Surface if d <= self.directions => Answer::Doubtful,
            _ => Answer::Bad,
        }
    }

    /// What the number rests on, the middle of a sentence.
    pub fn words(&self) -> String {
        let directions = self.directions;
        let what = match self.evidence {
            Evidence::Features => "features of the observations",
            _ => "the observations",
        };
        match self.evidence {
            Evidence::Directions | Evidence::NoisyDirections => {
                format!("{what} vary in {directions} directions")
            }
            Evidence::Surface | Evidence::Features if self.supported <= 0.0 => {
                format!(
                    "{what} repeat, as those of variables of few values do, in {directions} directions"
                )
            }
            Evidence::Surface | Evidence::Features => format!(
                "{what} lie on a surface of about {:.1} dimensions in {directions} directions",
                self.supported
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use domino_data::scaling::{LeakyReluConfig, MixingConfig, ScalingConfig, World};
    use domino_data::{Generator, Split};
    use domino_vae::start::WhitenConfig;

    use super::*;

    fn pairs(mixing: MixingConfig) -> Pairs {
        let config = ScalingConfig { seed: 5, d: 4, mixing, ..ScalingConfig::default() };
        World::draw(&config).unwrap().sample(6000, Split::Train).unwrap().0
    }

    fn bent() -> Pairs {
        pairs(MixingConfig::LeakyRelu(LeakyReluConfig::default()))
    }

    #[test]
    fn a_linear_map_is_found_out_or_known() {
        for known in [Separation::Linear, Separation::Unknown] {
            let count = VariableCount::of(&pairs(MixingConfig::Rotation), known).unwrap();
            assert_eq!((count.number(), count.evidence), (4, Evidence::Directions));
            let answers = [3, 4, 5].map(|d| count.answer(d));
            assert_eq!(answers, [Answer::Bad, Answer::Good, Answer::Bad]);
        }
    }

    #[test]
    fn a_surface_is_doubted_where_it_is_clearly_another() {
        let count = VariableCount::of(&bent(), Separation::Unknown).unwrap();
        assert_eq!((count.number(), count.evidence), (4, Evidence::Surface));
        let answers = [2, 4, 5].map(|d| count.answer(d));
        assert_eq!(answers, [Answer::Doubtful, Answer::Good, Answer::Bad]);
        let few = VariableCount { observations: 100, ..count };
        assert_eq!(few.answer(2), Answer::Good);
    }

    #[test]
    fn observations_that_repeat_have_no_dimension() {
        let mixing = MixingConfig::LeakyRelu(LeakyReluConfig::default());
        let config =
            ScalingConfig { seed: 5, d: 4, levels: vec![3; 4], mixing, ..Default::default() };
        let pairs = World::draw(&config).unwrap().sample(6000, Split::Train).unwrap().0;
        let count = VariableCount::of(&pairs, Separation::Unknown).unwrap();
        assert_eq!((count.supported, count.evidence), (0.0, Evidence::Surface));
        assert_eq!(count.number(), count.directions);
        assert!(count.words().contains("repeat"), "{}", count.words());
    }

    #[test]
    fn features_may_show_what_nobody_sets() {
        let pairs = bent();
        let whitening = Whitening::fit(&pairs, 4, &WhitenConfig::default()).unwrap();
        let before = whitening.apply(pairs.before()).into_iter().map(f64::from);
        let before = DMatrix::from_row_iterator(6000, whitening.components(), before);
        let count = VariableCount::of_features(&before, &whitening);
        let seen = VariableCount::of(&pairs, Separation::Unknown).unwrap();
        assert!((count.supported - seen.supported).abs() < 0.5, "{count:?} {seen:?}");
        assert_eq!((count.answer(2), count.answer(4)), (Answer::Good, Answer::Good));
    }
}
