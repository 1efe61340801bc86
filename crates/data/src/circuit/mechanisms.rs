use domino_core::Dag;

use crate::unit::{UnitLaw, UnitMechanisms};

/// Sum of the parameters of a lamp's Beta law: larger is less random.
const CONCENTRATION: f64 = 5.0;

/// Mean light of a lamp that nothing lights.
const DARK: f64 = 0.2;

/// What a pressed button or a fully lit parent adds to the mean light.
const GAIN: f64 = 0.6;

/// Width of the bump of a button, as a share of the way to the next.
const BUMP: f64 = 0.3;

/// Arc beyond the outer buttons, as a share of that of each button.
const MARGIN: f64 = 0.6;

/// Names of the lamps by number.
const NAMES: [&str; 8] = ["green", "red", "blue", "yellow", "magenta", "cyan", "orange", "white"];

/// How arm and lamps depend on each other; the equations are in [the module](crate::circuit).
#[derive(Clone, Debug)]
pub struct CircuitMechanisms {
    dag: Dag,
    /// Where the arm presses each button.
    places: Vec<f64>,
    /// Standard deviation of the bumps.
    width: f64,
}

impl CircuitMechanisms {
    /// The mechanisms of lamps that are wired so; the arm reaches all buttons.
    pub(super) fn new(wiring: &Dag) -> Self {
        let n = wiring.dim();
        let arm = (1..=n).map(|lamp| (0, lamp));
        let lamps = wiring.edges().map(|(from, to)| (from + 1, to + 1));
        let edges: Vec<_> = arm.chain(lamps).collect();
        let dag = Dag::from_edges(n + 1, &edges).expect("an arm before a DAG is a DAG");
        let margin = MARGIN / n as f64;
        let step = (1.0 - 2.0 * margin) / (n - 1) as f64;
        let places = (0..n).map(|k| margin + step * k as f64).collect();
        Self { dag, places, width: BUMP * step }
    }

    /// How far each button is pressed when the arm is at `arm`, `[lamps]`.
    pub fn pressed(&self, arm: f64) -> Vec<f64> {
        let bump = |place: &f64| {
            let off = (arm - place) / self.width;
            libm::exp(-0.5 * off * off)
        };
        self.places.iter().map(bump).collect()
    }

    /// Where on its arc the arm presses each button, `[lamps]`.
    pub fn places(&self) -> &[f64] {
        &self.places
    }
}

impl UnitMechanisms for CircuitMechanisms {
    fn dag(&self) -> &Dag {
        &self.dag
    }

    fn names(&self) -> Vec<String> {
        let lamps = NAMES[..self.places.len()].iter();
        std::iter::once(&"arm").chain(lamps).map(ToString::to_string).collect()
    }

    fn law(&self, of: usize, z: &[f64]) -> UnitLaw {
        let Some(lamp) = of.checked_sub(1) else { return UnitLaw::Uniform };
        let lit: f64 = self.dag.parents(of).filter(|&parent| parent > 0).map(|p| z[p]).sum();
        let input = (lit + self.pressed(z[0])[lamp]).clamp(0.0, 1.0);
        UnitLaw::beta(DARK + GAIN * input, CONCENTRATION)
    }
}
