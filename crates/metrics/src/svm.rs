//! Linear support vector machines on a single feature.

/// Newton's method on a piecewise quadratic function ends exactly; this many steps are never used.
const MOST_STEPS: usize = 100;
/// A gradient below this, relative to its terms, is rounding.
const TOLERANCE: f64 = 1e-12;

/// A feature in ascending order, with the points in that order.
pub(crate) struct Ascending<'a> {
    values: &'a [f64],
    order: Vec<usize>,
}

impl<'a> Ascending<'a> {
    pub(crate) fn new(values: &'a [f64]) -> Self {
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
        Self { values, order }
    }
}

/// Slope and intercept of one decision function per class, each class against the rest, by squared
/// hinge loss: `½ (w² + b²) + C Σ_i s_i max(0, 1 ∓ (w x_i + b))²`, where members of class `k` weigh
/// `s_i = n / (K n_k)` and others 1. With two classes both sides are weighted so.
///
/// The intercept is penalised as the weight of a constant feature is. This is the optimum that
/// scikit-learn's `LinearSVC(C, class_weight="balanced")` approaches by liblinear.
pub(crate) fn one_feature_svm(
    x: &Ascending<'_>,
    labels: &[usize],
    counts: &[usize],
    c: f64,
) -> Vec<[f64; 2]> {
    let classes = counts.iter().filter(|&&n| n > 0).count() as f64;
    let balanced = |k: usize| c * labels.len() as f64 / (classes * counts[k].max(1) as f64);
    let two = counts.len() == 2;
    (0..counts.len())
        .map(|k| {
            let other = if two { balanced(1 - k) } else { c };
            let sides = [1, 0].map(|own| Prefix::new(x, |i| (labels[i] == k) == (own == 1)));
            minimise(&Sides { sides, strengths: [balanced(k), other] })
        })
        .collect()
}

/// Sums over the members of one side among the first points in ascending order: how many, sum,
/// and sum of squares.
struct Prefix {
    values: Vec<f64>,
    sums: Vec<[f64; 3]>,
}

impl Prefix {
    fn new(x: &Ascending<'_>, belongs: impl Fn(usize) -> bool) -> Self {
        let members = x.order.iter().filter(|&&i| belongs(i)).map(|&i| x.values[i]);
        let values: Vec<f64> = members.collect();
        let mut sums = Vec::with_capacity(values.len() + 1);
        let mut sum = [0.0; 3];
        sums.push(sum);
        for &v in &values {
            sum = [sum[0] + 1.0, sum[1] + v, sum[2] + v * v];
            sums.push(sum);
        }
        Self { values, sums }
    }

    /// Sums over the members with `slope · x < bound`.
    fn below(&self, slope: f64, bound: f64) -> [f64; 3] {
        let n = self.values.len();
        let all = self.sums[n];
        if slope < 0.0 {
            let first = self.values.partition_point(|&v| slope * v >= bound);
            return [0, 1, 2].map(|m| all[m] - self.sums[first][m]);
        }
        self.sums[self.values.partition_point(|&v| slope * v < bound)]
    }
}

/// The loss of one decision function: members first, then the others.
struct Sides {
    sides: [Prefix; 2],
    strengths: [f64; 2],
}

impl Sides {
    /// Value, gradient and the upper triangle of the Hessian at slope `w` and intercept `b`.
    fn at(&self, [w, b]: [f64; 2]) -> (f64, [f64; 2], [f64; 3]) {
        let mut value = 0.5 * (w * w + b * b);
        let (mut gradient, mut hessian) = ([w, b], [1.0, 0.0, 1.0]);
        for ((side, strength), sign) in self.sides.iter().zip(self.strengths).zip([1.0, -1.0]) {
            // Points with sign (w x + b) < 1 lose (1 - sign (w x + b))².
            let [count, sum, squares] = side.below(sign * w, 1.0 - sign * b);
            let free = 1.0 - sign * b;
            let loss = free * free * count - 2.0 * free * sign * w * sum + w * w * squares;
            value += strength * loss;
            gradient[0] -= 2.0 * strength * sign * (free * sum - sign * w * squares);
            gradient[1] -= 2.0 * strength * sign * (free * count - sign * w * sum);
            for (h, moment) in hessian.iter_mut().zip([squares, sum, count]) {
                *h += 2.0 * strength * moment;
            }
        }
        (value, gradient, hessian)
    }
}

fn minimise(loss: &Sides) -> [f64; 2] {
    let mut at = [0.0; 2];
    let (mut value, mut gradient, mut hessian) = loss.at(at);
    let scale = TOLERANCE * gradient[0].hypot(gradient[1]);
    for _ in 0..MOST_STEPS {
        if gradient[0].hypot(gradient[1]) <= scale {
            break;
        }
        let [a, b, c] = hessian;
        let determinant = a * c - b * b;
        let step = [
            (b * gradient[1] - c * gradient[0]) / determinant,
            (b * gradient[0] - a * gradient[1]) / determinant,
        ];
        let lower = (0..50).map(|halvings| 0.5_f64.powi(halvings)).find_map(|length| {
            let candidate = [at[0] + length * step[0], at[1] + length * step[1]];
            let there = loss.at(candidate);
            (there.0 < value).then_some((candidate, there))
        });
        let Some((candidate, there)) = lower else { break };
        at = candidate;
        (value, gradient, hessian) = there;
    }
    at
}

/// The class whose decision function is largest at each value, the first of several.
pub(crate) fn decide(functions: &[[f64; 2]], values: &[f64]) -> Vec<usize> {
    let class = |x: &f64| crate::logistic::first_largest(functions.iter().map(|[w, b]| w * x + b));
    values.iter().map(class).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value_and_slopes(loss: &Sides, at: [f64; 2]) -> ([f64; 2], [f64; 2]) {
        let h = 1e-6;
        let slope = |i: usize| {
            let moved = |by: f64| {
                let mut at = at;
                at[i] += by;
                loss.at(at).0
            };
            (moved(h) - moved(-h)) / (2.0 * h)
        };
        (loss.at(at).1, [slope(0), slope(1)])
    }

    #[test]
    fn the_gradient_is_that_of_the_loss_and_vanishes_at_the_optimum() {
        let x: Vec<f64> = (0..50).map(|i| f64::from(i * 7 % 50) / 25.0 - 1.0).collect();
        let ascending = Ascending::new(&x);
        let sides = [true, false].map(|own| Prefix::new(&ascending, |i| (x[i] > 0.3) == own));
        let loss = Sides { sides, strengths: [0.7, 0.4] };
        for at in [[0.0, 0.0], [2.0, 0.5], [-2.0, 0.5], [3.0, -1.5]] {
            let (gradient, slopes) = value_and_slopes(&loss, at);
            for (g, s) in gradient.iter().zip(slopes) {
                assert!((g - s).abs() < 1e-5, "{at:?}: {gradient:?}, {slopes:?}");
            }
        }
        let (gradient, _) = value_and_slopes(&loss, minimise(&loss));
        assert!(gradient[0].hypot(gradient[1]) < 1e-9, "{gradient:?}");
    }

    #[test]
    fn two_classes_are_parted_where_they_part() {
        let x = [3.0, 1.0, 2.0, 0.0];
        let labels = [1, 0, 1, 0];
        let functions = one_feature_svm(&Ascending::new(&x), &labels, &[2, 2], 10.0);
        assert_eq!(decide(&functions, &x), labels);
    }
}
