//! Minimisation of smooth functions plus absolute values.

/// Pairs of steps and gradient changes that are kept.
const MEMORY: usize = 10;

/// Halvings of a step that does not lower the value enough.
const HALVINGS: usize = 30;

/// Share of the promised decrease that a step must keep.
const ARMIJO: f64 = 1e-4;

/// When to stop.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    pub(super) steps: usize,
    /// Relative decrease of the value below which it has converged.
    pub(super) decrease: f64,
}

/// A smooth function: its value at a point, with the gradient written to the second slice.
pub(super) type Smooth<'a> = &'a mut dyn FnMut(&[f64], &mut [f64]) -> f64;

/// Moves `x` to a minimum of `f(x) + Σ l1_i |x_i|` and returns the value there.
///
/// Andrew & Gao, *Scalable training of L1-regularized log-linear models*, ICML 2007 (OWL-QN).
pub(super) fn minimise(x: &mut Vec<f64>, l1: &[f64], limits: Limits, f: Smooth<'_>) -> f64 {
    let n = x.len();
    let mut gradient = vec![0.0; n];
    let mut value = f(x, &mut gradient) + absolute(x, l1);
    let mut memory: Vec<(Vec<f64>, Vec<f64>, f64)> = Vec::new();
    for _ in 0..limits.steps {
        let slope = pseudo_gradient(x, &gradient, l1);
        let mut direction = two_loops(&slope, &memory);
        // A direction against the steepest descent leaves the orthant of a priced coordinate.
        for ((d, s), l) in direction.iter_mut().zip(&slope).zip(l1) {
            if *l > 0.0 && *d * s >= 0.0 {
                *d = 0.0;
            }
        }
        let promise = dot(&direction, &slope);
        if promise >= 0.0 {
            break;
        }
        let first = if memory.is_empty() { 1.0 / dot(&slope, &slope).sqrt().max(1.0) } else { 1.0 };
        let Some((next, next_gradient, lower)) =
            line_search(x, &slope, &direction, (first, promise, value), l1, f)
        else {
            if memory.is_empty() {
                break;
            }
            memory.clear();
            continue;
        };
        let step: Vec<f64> = next.iter().zip(x.iter()).map(|(a, b)| a - b).collect();
        let change: Vec<f64> = next_gradient.iter().zip(&gradient).map(|(a, b)| a - b).collect();
        let curvature = dot(&step, &change);
        if curvature > 1e-12 * dot(&change, &change) {
            memory.push((step, change, curvature));
            if memory.len() > MEMORY {
                memory.remove(0);
            }
        }
        let converged = value - lower < limits.decrease * value.abs().max(1e-8);
        (*x, gradient, value) = (next, next_gradient, lower);
        if converged {
            break;
        }
    }
    value
}

type Point = (Vec<f64>, Vec<f64>, f64);

fn line_search(
    x: &[f64],
    slope: &[f64],
    direction: &[f64],
    (mut length, promise, value): (f64, f64, f64),
    l1: &[f64],
    f: Smooth<'_>,
) -> Option<Point> {
    let mut gradient = vec![0.0; x.len()];
    for _ in 0..HALVINGS {
        let mut next: Vec<f64> = x.iter().zip(direction).map(|(x, d)| x + length * d).collect();
        for (at, moved) in next.iter_mut().enumerate() {
            let side = if x[at].abs() > 0.0 { x[at] } else { -slope[at] };
            if l1[at] > 0.0 && *moved * side < 0.0 {
                *moved = 0.0;
            }
        }
        let lower = f(&next, &mut gradient) + absolute(&next, l1);
        if lower <= value + ARMIJO * length * promise {
            return Some((next, gradient, lower));
        }
        length *= 0.5;
    }
    None
}

/// The steepest ascent of the whole function, 0 where an absolute value holds a coordinate at 0.
fn pseudo_gradient(x: &[f64], gradient: &[f64], l1: &[f64]) -> Vec<f64> {
    let one = |((x, g), l): ((&f64, &f64), &f64)| {
        if x.abs() > 0.0 {
            g + l * x.signum()
        } else if g + l < 0.0 {
            g + l
        } else if g - l > 0.0 {
            g - l
        } else {
            0.0
        }
    };
    x.iter().zip(gradient).zip(l1).map(one).collect()
}

/// Minus the approximate inverse Hessian times the slope.
///
/// Nocedal & Wright, *Numerical Optimization*, 2006, algorithm 7.4.
fn two_loops(slope: &[f64], memory: &[(Vec<f64>, Vec<f64>, f64)]) -> Vec<f64> {
    let mut q: Vec<f64> = slope.iter().map(|s| -s).collect();
    let mut factors = Vec::with_capacity(memory.len());
    for (step, change, curvature) in memory.iter().rev() {
        let factor = dot(step, &q) / curvature;
        q.iter_mut().zip(change).for_each(|(q, y)| *q -= factor * y);
        factors.push(factor);
    }
    if let Some((_, change, curvature)) = memory.last() {
        let scale = curvature / dot(change, change);
        for q in &mut q {
            *q *= scale;
        }
    }
    for ((step, change, curvature), factor) in memory.iter().zip(factors.iter().rev()) {
        let back = factor - dot(change, &q) / curvature;
        q.iter_mut().zip(step).for_each(|(q, s)| *q += back * s);
    }
    q
}

fn absolute(x: &[f64], l1: &[f64]) -> f64 {
    x.iter().zip(l1).map(|(x, l)| l * x.abs()).sum()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { steps: 500, decrease: 1e-14 };

    #[test]
    fn the_valley_of_rosenbrock_is_followed_to_its_end() {
        let mut x = vec![-1.2, 1.0];
        minimise(&mut x, &[0.0; 2], LIMITS, &mut |x, g| {
            let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
            (g[0], g[1]) = (-2.0 * a - 400.0 * x[0] * b, 200.0 * b);
            a * a + 100.0 * b * b
        });
        assert!((x[0] - 1.0).abs() < 1e-4 && (x[1] - 1.0).abs() < 1e-4, "{x:?}");
    }

    #[test]
    fn absolute_values_shrink_as_the_lasso_does() {
        // (x - c)²/2 + |x| has its minimum at c shrunk by 1.
        let mut x = vec![0.5; 3];
        minimise(&mut x, &[1.0; 3], LIMITS, &mut |x, g| {
            [3.0, -2.0, 0.4]
                .iter()
                .enumerate()
                .map(|(i, c)| {
                    g[i] = x[i] - c;
                    0.5 * g[i] * g[i]
                })
                .sum()
        });
        for (found, expected) in x.iter().zip([2.0, -1.0, 0.0]) {
            assert!((found - expected).abs() < 1e-6, "{x:?}");
        }
    }
}
