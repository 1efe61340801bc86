use domino_core::{Dag, Form, GroundTruth, InterventionTarget, Observations, Pairs};

/// The fingerprint of pairs and their truth: BLAKE3 in 64 hexadecimal digits.
///
/// Covers every value, shape and name, and which parts of the truth are missing. Numbers enter as
/// `f32`, so that a truth stored in single precision keeps its fingerprint, and the last bits of a
/// platform's elementary functions do not matter.
///
/// ```
/// use domino_data::checksum;
/// use domino_data::scaling::{ScalingConfig, World};
/// use domino_data::{Generator, Split};
///
/// let (pairs, truth) = World::draw(&ScalingConfig::default())?.sample(10, Split::Train)?;
/// assert_eq!(checksum(&pairs, &truth).len(), 64);
/// assert_ne!(checksum(&pairs, &truth), checksum(&pairs.slice(0..9), &truth.slice(0..9)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn checksum(pairs: &Pairs, truth: &GroundTruth) -> String {
    let mut digest = Digest::default();
    for (side, x) in [("before", pairs.before()), ("after", pairs.after())] {
        digest.observations(side, x.form(), x.len());
        match x {
            Observations::Vectors { data, .. } => digest.floats(data.iter().copied()),
            Observations::Images { data, .. } => digest.bytes(data),
        }
    }
    for (name, matrix) in truth.matrices() {
        digest.part(name, &[matrix.nrows(), matrix.ncols()]);
        digest.floats(matrix.iter().map(|v| *v as f32));
    }
    if let Some(targets) = &truth.targets {
        digest.part("target", &[targets.len()]);
        for target in targets {
            digest.target(target);
        }
    }
    digest.finish(truth.dag.as_ref(), truth.names.as_deref())
}

/// Feeds values to the hasher so that different data are different bytes.
#[derive(Default)]
pub(crate) struct Digest {
    hasher: blake3::Hasher,
}

impl Digest {
    /// The head of a part; its values follow.
    pub(crate) fn part(&mut self, name: &str, shape: &[usize]) {
        self.text(name);
        self.counts(shape);
    }

    /// The head of `n` observations of one side; their values follow, row after row.
    pub(crate) fn observations(&mut self, side: &str, form: Form, n: usize) {
        self.part(side, &[]);
        match form {
            Form::Vector { dim } => self.part("vectors", &[n, dim]),
            Form::Image(s) => self.part("images", &[n, s.height, s.width, s.channels]),
        }
    }

    /// Values of vectors or of a matrix, column after column.
    pub(crate) fn floats(&mut self, values: impl Iterator<Item = f32>) {
        let bytes: Vec<u8> = values.flat_map(f32::to_le_bytes).collect();
        self.bytes(&bytes);
    }

    /// Values of pictures, or numbers in single precision as they lie in a file.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
    }

    pub(crate) fn target(&mut self, target: &InterventionTarget) {
        self.counts(target.variables());
    }

    /// The fingerprint, once the graph and the names are told too.
    pub(crate) fn finish(mut self, dag: Option<&Dag>, names: Option<&[String]>) -> String {
        if let Some(dag) = dag {
            self.part("edges", &[dag.dim()]);
            dag.edges().for_each(|(from, to)| self.counts(&[from, to]));
        }
        if let Some(names) = names {
            self.part("names", &[names.len()]);
            for name in names {
                self.text(name);
            }
        }
        self.hasher.finalize().to_hex().to_string()
    }

    /// Length first, so that neighbours cannot run together.
    fn text(&mut self, text: &str) {
        self.hasher.update(&(text.len() as u64).to_le_bytes());
        self.hasher.update(text.as_bytes());
    }

    fn counts(&mut self, counts: &[usize]) {
        self.hasher.update(&(counts.len() as u64).to_le_bytes());
        for &count in counts {
            self.hasher.update(&(count as u64).to_le_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::DMatrix;

    use super::*;

    fn data() -> (Pairs, GroundTruth) {
        let x = |first| Observations::Vectors { data: vec![first, 2.0, 3.0, 4.0], dim: 2 };
        let truth = GroundTruth {
            z_before: Some(DMatrix::from_row_slice(2, 2, &[0.1, 0.2, 0.3, 0.4])),
            targets: Some(vec![InterventionTarget::None, InterventionTarget::Atomic(1)]),
            dag: Some(Dag::chain(2)),
            names: Some(vec!["ab".into(), "c".into()]),
            ..GroundTruth::default()
        };
        (Pairs::new(x(1.0), x(5.0)).unwrap(), truth)
    }

    #[test]
    fn every_part_counts() {
        let (pairs, truth) = data();
        let original = checksum(&pairs, &truth);
        let swapped = Pairs::new(pairs.after().clone(), pairs.before().clone()).unwrap();
        assert_ne!(checksum(&swapped, &truth), original);
        let changes: [fn(&mut GroundTruth); 6] = [
            |t| t.z_before.as_mut().unwrap()[(1, 0)] += 1e-6,
            |t| t.z_after = t.z_before.take(),
            |t| t.targets.as_mut().unwrap()[0] = InterventionTarget::Atomic(0),
            |t| t.dag = Some(Dag::empty(2)),
            |t| t.names = Some(vec!["a".into(), "bc".into()]),
            |t| t.names = None,
        ];
        for change in changes {
            let mut changed = truth.clone();
            change(&mut changed);
            assert_ne!(checksum(&pairs, &changed), original);
        }
    }

    #[test]
    fn the_last_bits_of_a_double_do_not_count() {
        let (pairs, truth) = data();
        let mut nudged = truth.clone();
        nudged.z_before.as_mut().unwrap()[(0, 0)] += 1e-16;
        assert_eq!(checksum(&pairs, &nudged), checksum(&pairs, &truth));
    }
}
