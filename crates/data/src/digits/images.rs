use thiserror::Error;

/// Rows and columns of a picture of MNIST.
pub(super) const SIDE: usize = 28;
/// Pixels of a picture of MNIST.
pub(super) const PIXELS: usize = SIDE * SIDE;
/// Number of digits.
pub(super) const CLASSES: usize = 10;

/// Grey pictures of digits, `[n, 28, 28]`, light on dark, by digit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigitImages {
    /// Pictures of each digit, row after row.
    classes: [Vec<u8>; CLASSES],
}

/// Why pictures and labels are no digits.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DigitsError {
    /// Pictures and labels do not match.
    #[error("digits: expected {expected} bytes, 28 x 28 for each label, got {got}")]
    Length {
        /// Bytes wanted.
        expected: usize,
        /// Bytes found.
        got: usize,
    },
    /// A label is no digit.
    #[error("digits: expected labels 0 to 9, got {label} for picture {row}")]
    Label {
        /// Row of the label.
        row: usize,
        /// The label found.
        label: u8,
    },
    /// A digit has no picture.
    #[error("digits: expected pictures of every digit, got none of {0}")]
    Missing(usize),
}

impl DigitImages {
    /// Pictures `[n, 28, 28]` with their labels `[n]`.
    ///
    /// # Errors
    /// [`DigitsError`] if the numbers of pictures and labels differ, if a label is no digit, or if a
    /// digit has no picture.
    ///
    /// ```
    /// use domino_data::digits::DigitImages;
    ///
    /// let labels: Vec<u8> = (0..10).collect();
    /// assert!(DigitImages::new(&vec![0; 10 * 28 * 28], &labels).is_ok());
    /// let error = DigitImages::new(&vec![0; 9 * 28 * 28], &labels[1..]).unwrap_err();
    /// assert_eq!(error.to_string(), "digits: expected pictures of every digit, got none of 0");
    /// ```
    pub fn new(pixels: &[u8], labels: &[u8]) -> Result<Self, DigitsError> {
        let expected = labels.len() * PIXELS;
        if pixels.len() != expected {
            return Err(DigitsError::Length { expected, got: pixels.len() });
        }
        let mut classes: [Vec<u8>; CLASSES] = Default::default();
        for (row, (picture, &label)) in pixels.chunks_exact(PIXELS).zip(labels).enumerate() {
            let class = classes.get_mut(usize::from(label));
            class.ok_or(DigitsError::Label { row, label })?.extend_from_slice(picture);
        }
        match classes.iter().position(Vec::is_empty) {
            Some(class) => Err(DigitsError::Missing(class)),
            None => Ok(Self { classes }),
        }
    }

    /// Number of pictures of a digit.
    pub(super) fn count(&self, class: usize) -> usize {
        self.classes[class].len() / PIXELS
    }

    /// The picture of a digit at `chance`, from 0 to below 1, of all its pictures.
    pub(super) fn pick(&self, class: usize, chance: f64) -> &[u8] {
        let count = self.count(class);
        let at = ((chance * count as f64) as usize).min(count - 1);
        &self.classes[class][at * PIXELS..][..PIXELS]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chances_share_out_all_pictures_of_a_digit() {
        let labels: Vec<u8> = (0..10).chain([3, 3, 3]).collect();
        let pixels: Vec<u8> = (0..13).flat_map(|n| [n; PIXELS]).collect();
        let images = DigitImages::new(&pixels, &labels).unwrap();
        let picked = [0.0, 0.25, 0.5, 0.75, 0.999].map(|chance| images.pick(3, chance)[0]);
        assert_eq!(picked, [3, 10, 11, 12, 12]);
        assert_eq!(images.pick(9, 0.7)[0], 9);
    }

    #[test]
    fn each_fault_is_named() {
        let error = |pixels: usize, labels: &[u8]| {
            DigitImages::new(&vec![0; pixels], labels).unwrap_err().to_string()
        };
        assert_eq!(error(5, &[1]), "digits: expected 784 bytes, 28 x 28 for each label, got 5");
        let stray = error(PIXELS, &[12]);
        assert_eq!(stray, "digits: expected labels 0 to 9, got 12 for picture 0");
        assert_eq!(error(PIXELS, &[0]), "digits: expected pictures of every digit, got none of 1");
    }
}
