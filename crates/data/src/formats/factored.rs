use std::fmt;
use std::path::{Path, PathBuf};

use domino_core::{Dag, GroundTruth, ImageShape, InterventionTarget, Pairs, Stream};
use nalgebra::DMatrix;
use rand::{Rng, RngExt};

use super::error::FormatError;
use super::grid::FactorGrid;
use super::options::ReadOptions;
use super::pictures::{Gather, Pictures};

/// Pictures of all combinations of discrete factors, read only where they are wanted.
pub struct FactoredImages {
    path: PathBuf,
    grid: FactorGrid,
    pictures: Box<dyn Pictures>,
    /// Number of the picture of each combination, where the file orders them otherwise.
    order: Option<Vec<usize>>,
}

/// How many factors change between the two pictures of a pair. Which ones is drawn uniformly, and a
/// factor that changes takes any of its other values with equal probability.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PairRule {
    /// One.
    #[default]
    One,
    /// None or one, all with equal probability, as in Brehmer et al. 2022.
    NoneOrOne,
    /// Always this many (`k` of Locatello et al. 2020).
    Exactly(usize),
    /// From one to this many, all numbers with equal probability; `d − 1` is the unknown `k` of
    /// Locatello et al. 2020.
    AtMost(usize),
}

impl PairRule {
    /// The factors, of `count`, that change in the next pair, ascending.
    pub(super) fn draw(self, count: usize, rng: &mut dyn Rng) -> Result<Vec<usize>, FormatError> {
        let most = match self {
            Self::One | Self::NoneOrOne => 1,
            Self::Exactly(k) | Self::AtMost(k) => k,
        };
        if most == 0 || most > count {
            return Err(FormatError::Rule { asked: most, factors: count });
        }
        let changes = match self {
            Self::One | Self::Exactly(_) => most,
            Self::NoneOrOne => usize::from(rng.random_range(0..=count) > 0),
            Self::AtMost(_) => rng.random_range(1..=most),
        };
        let mut all: Vec<usize> = (0..count).collect();
        for i in 0..changes {
            let other = rng.random_range(i..count);
            all.swap(i, other);
        }
        all.truncate(changes);
        all.sort_unstable();
        Ok(all)
    }
}

impl FactoredImages {
    /// Pictures whose order is that of the grid.
    pub(super) fn new(
        path: &Path,
        grid: FactorGrid,
        pictures: Box<dyn Pictures>,
    ) -> Result<Self, FormatError> {
        if grid.len() != pictures.len() || grid.is_empty() {
            return Err(FormatError::Malformed {
                path: path.to_owned(),
                place: "pictures".into(),
                expected: format!("{}, one per combination of {:?}", grid.len(), grid.sizes()),
                got: pictures.len().to_string(),
            });
        }
        Ok(Self { path: path.to_owned(), grid, pictures, order: None })
    }

    /// The same pictures where the file has them in another order: `order[combination]` is the
    /// number of its picture.
    pub(super) fn ordered(self, order: Vec<usize>) -> Self {
        Self { order: Some(order), ..self }
    }

    /// The factors.
    pub fn grid(&self) -> &FactorGrid {
        &self.grid
    }

    /// Shape of a stored picture.
    pub fn shape(&self) -> ImageShape {
        self.pictures.shape()
    }

    /// The stored picture of a combination, `[height, width, channels]`.
    ///
    /// # Errors
    /// [`FormatError::Factors`] if there is no such combination, others if it cannot be read.
    pub fn picture(&self, factors: &[usize]) -> Result<Vec<u8>, FormatError> {
        let number = self.number(self.grid.index(factors)?);
        let mut found = Vec::new();
        self.pictures.visit(&[number], &mut |_, picture| {
            found.extend_from_slice(picture);
            Ok(())
        })?;
        Ok(found)
    }

    /// Pairs of pictures that differ in the factors that the rule draws and agree in all others.
    ///
    /// The combination before is drawn uniformly. The truth holds the numbers of the values as
    /// `z_before` and `z_after`, the changed factors as targets, and the empty graph: factors of a
    /// grid do not act on each other. Pairs are drawn independently, so that they may repeat.
    ///
    /// # Errors
    /// [`FormatError::Rule`] if the rule asks for more changes than there are factors,
    /// [`FormatError::TooLarge`] beyond the limits, others if pictures cannot be read.
    ///
    /// Locatello et al., *Weakly-Supervised Disentanglement Without Compromises*, ICML 2020, arXiv
    /// 2002.02886; unlike there, a factor that is said to change does change.
    pub fn pairs(&self, options: &ReadOptions) -> Result<(Pairs, GroundTruth), FormatError> {
        let (n, d) = (options.pairs, self.grid.sizes().len());
        if n == 0 {
            let (path, available) = (self.path.clone(), self.grid.len());
            return Err(FormatError::TooFew { path, asked: n, available });
        }
        let mut rng = options.seed.rng(Stream::Data);
        let mut sides = [Vec::new(), Vec::new()];
        let mut targets = Vec::new();
        for _ in 0..n {
            let changed = options.rule.draw(d, &mut rng)?;
            let before = rng.random_range(0..self.grid.len());
            sides[0].push(before);
            sides[1].push(self.change(before, &changed, &mut rng)?);
            targets.push(target_of(changed));
        }
        let z = |side: &[usize]| {
            let factors: Vec<f64> =
                side.iter().flat_map(|&i| self.grid.factors(i)).map(|v| v as f64).collect();
            Some(DMatrix::from_row_slice(n, d, &factors))
        };
        let truth = GroundTruth {
            z_before: z(&sides[0]),
            z_after: z(&sides[1]),
            targets: Some(targets),
            dag: Some(Dag::empty(d)),
            names: Some(self.grid.names().to_vec()),
            ..GroundTruth::default()
        };
        let [before, after] = sides.map(|side| -> Vec<usize> {
            side.into_iter().map(|index| self.number(index)).collect()
        });
        let pairs = Gather::new(&self.path, options).pairs(&*self.pictures, &before, &after)?;
        Ok((pairs, truth))
    }

    /// The combination with other values of the given factors.
    fn change(
        &self,
        before: usize,
        changed: &[usize],
        rng: &mut dyn Rng,
    ) -> Result<usize, FormatError> {
        let mut factors = self.grid.factors(before);
        for &k in changed {
            let step = rng.random_range(1..self.grid.sizes()[k]);
            factors[k] = (factors[k] + step) % self.grid.sizes()[k];
        }
        self.grid.index(&factors)
    }

    fn number(&self, index: usize) -> usize {
        self.order.as_ref().map_or(index, |order| order[index])
    }
}

impl fmt::Debug for FactoredImages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut f = f.debug_struct("FactoredImages");
        f.field("path", &self.path).field("grid", &self.grid).finish_non_exhaustive()
    }
}

/// The target of ascending variables.
pub(super) fn target_of(variables: Vec<usize>) -> InterventionTarget {
    match variables[..] {
        [] => InterventionTarget::None,
        [one] => InterventionTarget::Atomic(one),
        _ => InterventionTarget::Several(variables),
    }
}
