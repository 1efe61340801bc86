use nalgebra::{Cholesky, DMatrix, DVector};

/// A smooth convex function of a vector.
pub(super) trait Objective {
    /// Value at `w`, and whatever its derivatives there need.
    fn evaluate(&self, w: &DVector<f64>) -> (f64, DMatrix<f64>);
    /// Gradient and Hessian at `w`, given what [`Objective::evaluate`] handed back.
    fn derivatives(&self, w: &DVector<f64>, at: &DMatrix<f64>) -> (DVector<f64>, DMatrix<f64>);
    /// Number of points that the value is a sum over.
    fn points(&self) -> usize;
}

/// The value is within about this of its minimum, per point. Newton's method squares the error in
/// each step, so that the last one goes far below.
const TOLERANCE: f64 = 1e-9;
/// Ten steps are usual; nearly separable classes with hardly any penalty take some dozens.
const MOST_STEPS: usize = 200;
/// A step is halved until it keeps this share of the decrease that its slope promises.
const SUFFICIENT: f64 = 1e-4;
/// Halvings before a step counts as lost in rounding.
const MOST_HALVINGS: usize = 40;

/// Newton's method with halved steps.
pub(super) fn minimise(objective: &impl Objective, mut w: DVector<f64>) -> DVector<f64> {
    let enough = TOLERANCE * objective.points() as f64;
    let (mut value, mut at) = objective.evaluate(&w);
    for _ in 0..MOST_STEPS {
        let (gradient, hessian) = objective.derivatives(&w, &at);
        let step = -solve(hessian, &gradient);
        let slope = gradient.dot(&step);
        let mut length = 1.0;
        let mut halvings = 0;
        loop {
            let candidate = &w + &step * length;
            let (lower, there) = objective.evaluate(&candidate);
            if lower <= value + SUFFICIENT * length * slope {
                (w, value, at) = (candidate, lower, there);
                break;
            }
            halvings += 1;
            if halvings > MOST_HALVINGS {
                return w;
            }
            length *= 0.5;
        }
        if -slope / 2.0 <= enough {
            break;
        }
    }
    w
}

/// Solves `hessian x = gradient`. Where rounding leaves the Hessian indefinite, a growing ridge is
/// added: the step is then shorter but still downhill.
fn solve(hessian: DMatrix<f64>, gradient: &DVector<f64>) -> DVector<f64> {
    let scale = hessian.diagonal().amax().max(f64::MIN_POSITIVE);
    let mut ridge = 0.0;
    loop {
        let mut regular = hessian.clone();
        for i in 0..regular.nrows() {
            regular[(i, i)] += ridge;
        }
        if let Some(cholesky) = Cholesky::new(regular) {
            return cholesky.solve(gradient);
        }
        ridge = if ridge > 0.0 { 10.0 * ridge } else { f64::EPSILON * scale };
        if !ridge.is_finite() {
            return gradient / scale;
        }
    }
}
