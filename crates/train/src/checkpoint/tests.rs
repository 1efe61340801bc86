use std::sync::atomic::AtomicBool;

use domino_core::{Seed, Stream};
use domino_model::{Loss, PairBatch, PairObjective, StackedLinear, cpu, download};
use rand::Rng;

use super::*;
use crate::{Observer, PairSource, PhaseConfig, train};

/// Squared distance of `w x + b` from the observation after.
#[derive(Module, Debug)]
struct Line {
    layer: StackedLinear,
}

impl PairObjective for Line {
    type Weights = ();

    fn loss(&self, pairs: &PairBatch, (): &(), _: &mut dyn Rng) -> Loss {
        let predicted = self.layer.forward(pairs.before.0.clone());
        Loss { total: (predicted - pairs.after.0.clone()).square().mean(), terms: vec![] }
    }
}

/// Remembers what training said.
#[derive(Default)]
struct Listener {
    begun: Vec<u64>,
    damaged: Vec<String>,
}

impl Observer for Listener {
    fn phase(&mut self, _: &str, _: u64, done: u64) {
        self.begun.push(done);
    }

    fn damaged(&mut self, damage: &TrainError) {
        self.damaged.push(damage.to_string());
    }
}

/// Trains for 40 steps with a checkpoint every ten; returns weight, bias and what was said.
fn trained(folder: &Path) -> (Vec<f64>, Listener) {
    let device = cpu().autodiff();
    let layer = StackedLinear::new([1, 1, 1], &mut Seed(3).rng(Stream::Init), &device);
    let before: Vec<f32> = (0..20).map(|v| v as f32 / 10.0).collect();
    let after = before.iter().map(|v| 2.0 * v - 1.0).collect();
    let source = PairSource::new(before, after, 1, 1);
    let phase = PhaseConfig { steps: 40, batch: 4, ..PhaseConfig::default() };
    let checkpoints = Checkpoints::new(folder, "run", 10);
    let mut listener = Listener::default();
    let mut context = TrainContext {
        seed: Seed(3),
        device,
        observer: &mut listener,
        checkpoints: Some(&checkpoints),
        stop: &AtomicBool::new(false),
    };
    let line = train(Line { layer }, &source, (0, "line"), &phase, |_| (), &mut context).unwrap();
    let StackedLinear { weight, bias } = line.layer;
    let numbers = [weight, bias].map(|param| download(param.val().inner().reshape([1, 1]))[(0, 0)]);
    (numbers.to_vec(), listener)
}

fn flip(file: &mut [u8], bit: usize) {
    file[bit / 8] ^= 1 << (bit % 8);
}

#[test]
fn every_flipped_bit_is_noticed_and_its_file_named() {
    let folder = tempfile::tempdir().unwrap();
    trained(folder.path());
    let checkpoints = Checkpoints::new(folder.path(), "run", 10);
    let path = checkpoints.path("00-line");
    let mut file = fs::read(&path).unwrap();
    assert!(checkpoints.parse(&file, &path).is_ok() && file.len() > 200);
    for bit in 0..8 * file.len() {
        flip(&mut file, bit);
        let Err(damage @ TrainError::Checkpoint { .. }) = checkpoints.parse(&file, &path) else {
            panic!("bit {bit} went unnoticed");
        };
        assert!(damage.to_string().starts_with(&path.display().to_string()), "{damage}");
        flip(&mut file, bit);
    }
}

#[test]
fn a_damaged_checkpoint_costs_steps_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, first) = trained(folder.path());
    assert_eq!((first.begun, first.damaged.len()), (vec![0], 0));
    let checkpoints = Checkpoints::new(folder.path(), "run", 10);
    let (last, earlier) = (checkpoints.path("00-line"), checkpoints.earlier("00-line"));

    let mut file = fs::read(&last).unwrap();
    flip(&mut file, 4000);
    fs::write(&last, &file).unwrap();
    let (again, said) = trained(folder.path());
    assert_eq!((&again, said.begun), (&whole, vec![30]));
    assert!(said.damaged[0].contains("00-line.safetensors"), "{:?}", said.damaged);

    fs::write(&last, &file).unwrap();
    fs::write(&earlier, "no checkpoint").unwrap();
    let (again, said) = trained(folder.path());
    assert_eq!((&again, said.begun, said.damaged.len()), (&whole, vec![0], 2));

    fs::remove_file(&last).unwrap();
    let (again, said) = trained(folder.path());
    assert_eq!((&again, said.begun, said.damaged.len()), (&whole, vec![30], 0));
}

#[test]
fn a_checkpoint_of_another_run_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    trained(folder.path());
    let other = Checkpoints::new(folder.path(), "other", 10);
    let path = other.path("00-line");
    let refused = other.parse(&fs::read(&path).unwrap(), &path).err().unwrap().to_string();
    assert!(refused.ends_with("expected a checkpoint of run other, got run"), "{refused}");
}
