use super::Encoded;
use super::row::Row;
use super::stack::Stack;
use crate::simd::{Kernel, add, axpy, vectorised};

/// Sets of variables, one after another.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ParentSets {
    members: Vec<u32>,
    ends: Vec<u32>,
}

impl ParentSets {
    /// Ends the current set, to which `members` were pushed, and begins the next.
    pub(crate) fn close(&mut self) {
        self.ends.push(self.members.len() as u32);
    }

    /// Adds a variable to the current set.
    #[inline(always)]
    pub(crate) fn push(&mut self, variable: usize) {
        self.members.push(variable as u32);
    }

    /// Number of closed sets.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    #[inline(always)]
    pub(crate) fn get(&self, at: usize) -> &[u32] {
        let from = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.members[from as usize..self.ends[at] as usize]
    }
}

/// Mean loss of the network of `target` over rows, each with its own set of parents, and its
/// gradient, which is written to `gradient`.
pub(crate) struct Fit<'a> {
    pub(crate) stack: &'a Stack,
    pub(crate) data: &'a Encoded,
    pub(crate) target: usize,
    pub(crate) rows: &'a [usize],
    pub(crate) sets: &'a ParentSets,
    pub(crate) gradient: &'a mut [f32],
}

/// Losses of the network of `target` for every set of parents, `[sets][row]`.
pub(crate) struct Evaluate<'a> {
    pub(crate) stack: &'a Stack,
    pub(crate) data: &'a Encoded,
    pub(crate) target: usize,
    pub(crate) rows: &'a [usize],
    /// Variables in all sets; `sets` holds the others.
    pub(crate) always: &'a [usize],
    pub(crate) sets: &'a ParentSets,
}

impl Fit<'_> {
    /// The mean loss in nats.
    pub(crate) fn loss(self) -> f32 {
        vectorised(Fitted { fit: self, mask_slopes: None })
    }

    /// Slopes of each row's loss by the presence of each variable, `[rows, dim]`, 0 for the target.
    pub(crate) fn mask_slopes(self) -> Vec<f32> {
        let mut slopes = vec![0.0; self.rows.len() * self.data.dim()];
        vectorised(Fitted { fit: self, mask_slopes: Some(&mut slopes) });
        slopes
    }
}

/// A fit, and room for the slopes by the masks where they are wanted.
struct Fitted<'a, 'b> {
    fit: Fit<'a>,
    mask_slopes: Option<&'b mut [f32]>,
}

impl Evaluate<'_> {
    /// Losses in nats, `[sets, rows]` row-major.
    pub(crate) fn losses(self) -> Vec<f32> {
        vectorised(self)
    }
}

impl Kernel for Fitted<'_, '_> {
    type Output = f32;

    #[inline(always)]
    fn run(mut self) -> f32 {
        let Fit { stack, data, target, rows, sets, gradient } = self.fit;
        let parts = stack.parts(target);
        let h = parts.hidden;
        let (mut state, mut back) = (Row::new(&parts), vec![0.0; h]);
        gradient.fill(0.0);
        let (input, rest) = gradient.split_at_mut(parts.input.len());
        let (bias, output) = rest.split_at_mut(h);
        let mut total = 0.0;
        for (at, &row) in rows.iter().enumerate() {
            let set = sets.get(at);
            let read = |i: usize| (data.code(row, i), data.value(row, i));
            state.hidden.copy_from_slice(parts.bias);
            for &i in set {
                let (code, value) = read(i as usize);
                Row::add_input(&mut state.hidden, &parts, code, value);
            }
            state.forward();
            total += state.loss(data, row, target);
            state.backward(&parts, output, &mut back);
            add(bias, &back);
            for &i in set {
                let (code, value) = read(i as usize);
                add(&mut input[code * h..][..h], &back);
                if value.abs() > 0.0 {
                    axpy(&mut input[(code + 1) * h..][..h], value, &back);
                }
            }
            if let Some(slopes) = &mut self.mask_slopes {
                for i in (0..data.dim()).filter(|&i| i != target) {
                    let (code, value) = read(i);
                    slopes[at * data.dim() + i] = parts.slope(code, value, &back);
                }
            }
        }
        let share = 1.0 / rows.len().max(1) as f32;
        for slope in gradient {
            *slope *= share;
        }
        total * share
    }
}

impl Kernel for Evaluate<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn run(self) -> Vec<f32> {
        let parts = self.stack.parts(self.target);
        let (h, n, dim) = (parts.hidden, self.rows.len(), self.data.dim());
        let (mut state, mut base) = (Row::new(&parts), vec![0.0; h]);
        let mut contributions = vec![0.0; dim * h];
        let mut used = vec![false; dim];
        self.sets.members.iter().for_each(|&i| used[i as usize] = true);
        let mut losses = vec![0.0; self.sets.len() * n];
        for (at, &row) in self.rows.iter().enumerate() {
            base.copy_from_slice(parts.bias);
            let input = |i: usize| (self.data.code(row, i), self.data.value(row, i));
            for &i in self.always {
                let (code, value) = input(i);
                Row::add_input(&mut base, &parts, code, value);
            }
            for i in (0..dim).filter(|&i| used[i]) {
                let (code, value) = input(i);
                let contribution = &mut contributions[i * h..][..h];
                contribution.fill(0.0);
                Row::add_input(contribution, &parts, code, value);
            }
            for set in 0..self.sets.len() {
                state.hidden.copy_from_slice(&base);
                for &i in self.sets.get(set) {
                    add(&mut state.hidden, &contributions[i as usize * h..][..h]);
                }
                state.forward();
                losses[set * n + at] = state.loss(self.data, row, self.target);
            }
        }
        losses
    }
}

#[cfg(test)]
mod tests {
    use domino_core::{Seed, Stream};
    use rand::RngExt;

    use super::*;
    use crate::{Column, Samples};

    fn mixed() -> Samples {
        let mut rng = Seed(1).rng(Stream::Data);
        let states = |k: u32, rng: &mut domino_core::StreamRng| Column::Categorical {
            values: (0..7).map(|_| rng.random_range(0..k)).collect(),
            states: k as usize,
        };
        let columns = vec![
            states(3, &mut rng),
            Column::Continuous((0..7).map(|_| rng.random_range(-2.0..2.0)).collect()),
            states(4, &mut rng),
            Column::Continuous((0..7).map(|_| rng.random_range(-2.0..2.0)).collect()),
        ];
        Samples::observational(columns).unwrap()
    }

    fn sets(of: &[&[usize]]) -> ParentSets {
        let mut sets = ParentSets::default();
        for set in of {
            set.iter().for_each(|&i| sets.push(i));
            sets.close();
        }
        sets
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        let rows: Vec<usize> = (0..7).collect();
        let data = Encoded::new(&mixed(), &rows);
        let mut stack = Stack::draw(&data, 16, &mut Seed(2).rng(Stream::Init));
        for target in 0..4 {
            // Without biases an empty set puts every unit on its kink.
            let from = data.inputs() * 16;
            stack.weights_mut(target)[from..from + 16].fill(0.1);
            let others: Vec<usize> = (0..4).filter(|&i| i != target).collect();
            let parents: Vec<&[usize]> = (0..7).map(|row| &others[row % 4..]).collect();
            let sets = sets(&parents);
            let mut gradient = vec![0.0; stack.weights(target).len()];
            let loss = |stack: &Stack, gradient: &mut [f32]| {
                Fit { stack, data: &data, target, rows: &rows, sets: &sets, gradient }.loss()
            };
            loss(&stack, &mut gradient);
            let mut scratch = gradient.clone();
            // A loss of about 2 in f32 is rounded to 2e-7, which over the step is 1e-4.
            let (step, tolerance) = (1e-3, 1e-3);
            for at in (0..gradient.len()).step_by(7) {
                let kept = stack.weights(target)[at];
                stack.weights_mut(target)[at] = kept + step;
                let above = loss(&stack, &mut scratch);
                stack.weights_mut(target)[at] = kept - step;
                let below = loss(&stack, &mut scratch);
                stack.weights_mut(target)[at] = kept;
                let numeric = (above - below) / (2.0 * step);
                assert!((numeric - gradient[at]).abs() < tolerance, "{target} {at}: {numeric}");
            }
        }
    }

    /// An input that is present adds `w` to the hidden sums, so its mask has the slope of `w · ∂/∂w`.
    #[test]
    fn slopes_by_masks_are_those_of_the_weights_they_let_through() {
        let data = Encoded::new(&mixed(), &[0, 1, 2, 3, 4, 5, 6]);
        let stack = Stack::draw(&data, 16, &mut Seed(4).rng(Stream::Init));
        let mut gradient = vec![0.0; stack.weights(3).len()];
        let sets = sets(&[&[0, 1, 2]]);
        let fit = Fit {
            stack: &stack,
            data: &data,
            target: 3,
            rows: &[2],
            sets: &sets,
            gradient: &mut gradient,
        };
        let slopes = fit.mask_slopes();
        for (i, widths) in [3, 2, 4].into_iter().enumerate() {
            let from = [0, 3, 5][i] * 16;
            let through = from..from + widths * 16;
            let pairs = stack.weights(3)[through.clone()].iter().zip(&gradient[through]);
            let expected: f32 = pairs.map(|(w, g)| w * g).sum();
            assert!((slopes[i] - expected).abs() < 1e-5, "{i}: {} {expected}", slopes[i]);
        }
        assert!(slopes[3].abs() < 1e-9);
    }

    #[test]
    fn evaluation_gives_the_losses_that_fitting_sees() {
        let data = Encoded::new(&mixed(), &[0, 1, 2, 3, 4, 5, 6]);
        let stack = Stack::draw(&data, 16, &mut Seed(3).rng(Stream::Init));
        let mut gradient = vec![0.0; stack.weights(0).len()];
        let evaluated = Evaluate {
            stack: &stack,
            data: &data,
            target: 0,
            rows: &[5],
            always: &[2],
            sets: &sets(&[&[], &[1, 3]]),
        };
        let losses = evaluated.losses();
        for (loss, set) in losses.iter().zip([&[2][..], &[1, 2, 3]]) {
            let sets = sets(&[set]);
            let gradient = &mut gradient;
            let fit =
                Fit { stack: &stack, data: &data, target: 0, rows: &[5], sets: &sets, gradient };
            assert!((fit.loss() - loss).abs() < 1e-5);
        }
    }
}
