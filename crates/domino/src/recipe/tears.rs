//! Codes that are torn: places that the model draws far apart are neighbours in them.
//!
//! An encoder that tells every value of a variable may still put its values in pieces one after the other in
//! the wrong order. Nothing that asks how much a code tells sees that, but all that lies between two values of
//! such a code is wrong, and so is every counterfactual.

use burn::module::Module;
use burn::tensor::Device;
use domino_model::{download, upload};
use domino_vae::Ilcm;
use nalgebra::DMatrix;

use super::variables::Codes;

/// Values of a code, equally likely ones.
const VALUES: usize = 200;

/// Rows of codes among which a code is moved.
const ROWS: usize = 16;

/// A step between neighbouring values over the largest distance between any two, beyond which a code counts as
/// torn: in 228 models of vectors and pictures without a torn code it is at most .24, .1 mostly, and .6 to .8
/// where a code is torn.
pub const TORN: f64 = 0.3;

/// More pieces than that are no tears but noise.
const MOST_PIECES: usize = 8;

/// What a model draws of one code as it runs over its values while the others stay.
struct Way {
    /// The values, growing.
    values: Vec<f64>,
    /// Distances between what is drawn of them, over the largest one.
    distances: DMatrix<f64>,
}

/// A part of a code's values without a tear, by the places of its ends among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Piece {
    first: usize,
    last: usize,
}

impl Piece {
    fn turned(self) -> Self {
        Self { first: self.last, last: self.first }
    }

    fn is_turned(self) -> bool {
        self.first > self.last
    }
}

/// The largest step of each code between neighbouring values, over the largest distance between any two of
/// its values, in what a model of one replica draws, `[d]`.
pub(super) fn largest_steps(model: &Ilcm, codes: &DMatrix<f64>, device: &Device) -> Vec<f64> {
    let plain = model.clone().valid();
    (0..codes.ncols()).map(|k| Way::of(&plain, codes, k, device).largest_step()).collect()
}

/// The largest gap between neighbouring values of each code `[n, d]`, over the extent of its values, the
/// hundredth part at either end left out, `[d]`: next to nothing where a variable takes any value, and `1 / (L − 1)`
/// where it takes `L` evenly spaced ones.
pub(super) fn largest_gaps(codes: &DMatrix<f64>) -> Vec<f64> {
    let gap = |code: nalgebra::DVectorView<'_, f64>| {
        let mut sorted: Vec<f64> = code.iter().copied().collect();
        sorted.sort_by(f64::total_cmp);
        let inner = &sorted[sorted.len() / 100..sorted.len() - sorted.len() / 100];
        let largest = inner.windows(2).map(|pair| pair[1] - pair[0]).fold(0.0, f64::max);
        let extent = inner[inner.len() - 1] - inner[0];
        if extent > 0.0 { largest / extent } else { 0.0 }
    };
    codes.column_iter().map(gap).collect()
}

/// The codes with the pieces of those that are torn in the order in which the model draws them along; nothing
/// where none is torn, or no other order has smaller steps.
pub(super) fn sewn(model: &Ilcm, codes: &Codes, device: &Device) -> Option<Codes> {
    let plain = model.clone().valid();
    let mut sewn = None;
    for k in 0..codes.before.ncols() {
        let way = Way::of(&plain, &codes.before, k, device);
        let pieces = way.pieces();
        let Some(order) = (2..=MOST_PIECES).contains(&pieces.len()).then(|| way.joined(&pieces))
        else {
            continue;
        };
        if way.gaps(&order) < 0.5 * way.gaps(&pieces) {
            reorder(sewn.get_or_insert_with(|| codes.clone()), k, &way.values, &order);
        }
    }
    sewn
}

impl Way {
    fn of(model: &Ilcm, codes: &DMatrix<f64>, k: usize, device: &Device) -> Self {
        let (n, d) = codes.shape();
        let mut sorted: Vec<f64> = codes.column(k).iter().copied().collect();
        sorted.sort_by(f64::total_cmp);
        let middle = |at: usize| sorted[(2 * at + 1) * n / (2 * VALUES)];
        let values: Vec<f64> = (0..VALUES).map(middle).collect();
        let device = device.clone().inner();
        let mut squares = DMatrix::zeros(VALUES, VALUES);
        for kept in (0..ROWS).map(|row| codes.row(row * n / ROWS)) {
            let moved =
                DMatrix::from_fn(VALUES, d, |at, j| if j == k { values[at] } else { kept[j] });
            let drawn = download(model.mean_observations(upload(&moved, &device)));
            let inner = &drawn * drawn.transpose();
            let own = inner.diagonal();
            squares += DMatrix::from_fn(VALUES, VALUES, |i, j| {
                (own[i] + own[j] - 2.0 * inner[(i, j)]).max(0.0)
            });
        }
        let distances = squares.map(f64::sqrt);
        let largest = distances.max().max(f64::MIN_POSITIVE);
        Self { values, distances: distances / largest }
    }

    fn steps(&self) -> impl Iterator<Item = f64> {
        (1..VALUES).map(|at| self.distances[(at - 1, at)])
    }

    fn largest_step(&self) -> f64 {
        self.steps().fold(0.0, f64::max)
    }

    /// The parts between tears, in the order of the values.
    fn pieces(&self) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut first = 0;
        for (at, step) in self.steps().enumerate() {
            if step > TORN {
                pieces.push(Piece { first, last: at });
                first = at + 1;
            }
        }
        pieces.push(Piece { first, last: VALUES - 1 });
        pieces
    }

    /// Sum of the distances between ends that meet.
    fn gaps(&self, pieces: &[Piece]) -> f64 {
        pieces.windows(2).map(|pair| self.distances[(pair[0].last, pair[1].first)]).sum()
    }

    /// The pieces in an order, each either way round: those whose ends are nearest are joined first.
    fn joined(&self, pieces: &[Piece]) -> Vec<Piece> {
        let mut chains: Vec<Vec<Piece>> = pieces.iter().map(|&piece| vec![piece]).collect();
        while chains.len() > 1 {
            let (mut nearest, mut best) = (f64::INFINITY, (0, 1, Vec::new()));
            for b in 1..chains.len() {
                for a in 0..b {
                    for ahead in [chains[a].clone(), turned(&chains[a])] {
                        for behind in [chains[b].clone(), turned(&chains[b])] {
                            let gap =
                                self.distances[(ahead[ahead.len() - 1].last, behind[0].first)];
                            if best.2.is_empty() || gap < nearest {
                                (nearest, best) = (gap, (a, b, [&*ahead, &*behind].concat()));
                            }
                        }
                    }
                }
            }
            let (a, b, joined) = best;
            chains.swap_remove(b);
            chains[a] = joined;
        }
        // As many values as possible keep growing.
        let chain = chains.swap_remove(0);
        let backwards = chain.iter().filter(|piece| piece.is_turned());
        let backwards: usize = backwards.map(|piece| piece.first - piece.last + 1).sum();
        if 2 * backwards > VALUES { turned(&chain) } else { chain }
    }
}

/// A chain the other way round.
fn turned(chain: &[Piece]) -> Vec<Piece> {
    chain.iter().rev().map(|piece| piece.turned()).collect()
}

/// Puts the values of code `k`, both sides together, in the order of pieces: their law stays what it is.
fn reorder(codes: &mut Codes, k: usize, values: &[f64], order: &[Piece]) {
    let n = codes.before.nrows();
    let both: Vec<f64> =
        codes.before.column(k).iter().chain(codes.after.column(k).iter()).copied().collect();
    // Between two pieces the tear is somewhere between the neighbouring values.
    let cut = |last: usize| {
        values.get(last + 1).map_or(f64::INFINITY, |next| 0.5 * (values[last] + next))
    };
    let place = |value: f64| -> usize {
        let holds = |piece: &Piece| {
            let (low, high) = (piece.first.min(piece.last), piece.first.max(piece.last));
            let from = if low == 0 { f64::NEG_INFINITY } else { cut(low - 1) };
            from <= value && value < cut(high)
        };
        order.iter().position(holds).unwrap_or(order.len() - 1)
    };
    let keys: Vec<(usize, f64)> = both
        .iter()
        .map(|&value| {
            let at = place(value);
            (at, if order[at].is_turned() { -value } else { value })
        })
        .collect();
    let mut ranked: Vec<usize> = (0..both.len()).collect();
    ranked.sort_by(|&a, &b| keys[a].0.cmp(&keys[b].0).then(keys[a].1.total_cmp(&keys[b].1)));
    let mut sorted = both;
    sorted.sort_by(f64::total_cmp);
    for (value, row) in sorted.into_iter().zip(ranked) {
        let side = if row < n { &mut codes.before } else { &mut codes.after };
        side[(row % n, k)] = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A way whose values are drawn at places along a line.
    fn way(places: impl Fn(f64) -> f64) -> Way {
        let values: Vec<f64> = (0..VALUES).map(|at| (at as f64 + 0.5) / VALUES as f64).collect();
        let drawn: Vec<f64> = values.iter().map(|&v| places(v)).collect();
        let distances = DMatrix::from_fn(VALUES, VALUES, |i, j| (drawn[i] - drawn[j]).abs());
        let largest = distances.max();
        Way { values, distances: distances / largest }
    }

    /// The middle third first, then the last one backwards, then the first.
    fn torn(v: f64) -> f64 {
        if v < 0.25 {
            0.4 + v
        } else if v < 0.6 {
            1.0 - (v - 0.25)
        } else {
            v - 0.6
        }
    }

    #[test]
    fn a_curve_is_whole_and_a_torn_one_has_its_pieces() {
        let whole = way(|v| v.powi(3));
        assert_eq!((whole.pieces().len(), whole.largest_step() < 0.05), (1, true));
        let torn = way(torn);
        assert!(torn.largest_step() > 0.34);
        let ends: Vec<_> = torn.pieces().iter().map(|p| (p.first, p.last)).collect();
        assert_eq!(ends, [(0, 49), (50, 119), (120, 199)]);
    }

    #[test]
    fn few_values_leave_gaps() {
        let at = |row: usize| (row as f64 * 0.618_034).fract();
        let codes = DMatrix::from_fn(1000, 3, |row, k| match k {
            0 => at(row).powi(3),
            1 => (at(row) * 5.0).floor(),
            _ => 7.0,
        });
        let gaps = largest_gaps(&codes);
        assert!(gaps[0] < 0.01, "{gaps:?}");
        assert_eq!((gaps[1], gaps[2]), (0.25, 0.0));
    }

    #[test]
    fn pieces_are_joined_where_they_meet() {
        let torn = way(torn);
        let pieces = torn.pieces();
        let order = torn.joined(&pieces);
        let ends: Vec<_> = order.iter().map(|p| (p.first, p.last)).collect();
        assert_eq!(ends, [(120, 199), (0, 49), (119, 50)]);
        assert!(torn.gaps(&order) < 0.02 && torn.gaps(&pieces) > 0.7);
    }

    #[test]
    fn a_sewn_code_grows_along_what_is_drawn() {
        let way = way(torn);
        let n = 500;
        let at = |row: usize, shift: f64| (row as f64 * 0.618_034 + shift).fract();
        let side = |shift: f64| DMatrix::from_fn(n, 2, |row, j| at(row, shift) + j as f64);
        let before = Codes { before: side(0.0), after: side(0.3) };
        let mut after = before.clone();
        reorder(&mut after, 0, &way.values, &way.joined(&way.pieces()));
        let mut rows: Vec<(f64, f64)> = (0..n)
            .flat_map(|row| {
                [(&before.before, &after.before), (&before.after, &after.after)]
                    .map(|(old, new)| (new[(row, 0)], torn(old[(row, 0)])))
            })
            .collect();
        rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        assert!(rows.windows(2).all(|pair| pair[0].1 <= pair[1].1 + 1e-12));
        assert_eq!(after.before.column(1), before.before.column(1));
        let values = |codes: &Codes| {
            let mut all: Vec<f64> = codes
                .before
                .column(0)
                .iter()
                .chain(codes.after.column(0).iter())
                .copied()
                .collect();
            all.sort_by(f64::total_cmp);
            all
        };
        assert_eq!(values(&before), values(&after));
    }
}
