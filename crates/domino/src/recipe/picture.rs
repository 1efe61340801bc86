//! Drawing the pictures of a fitted model.

use burn::module::Module;
use domino_core::{Observations, Pairs, Stream};
use domino_model::{Noise, Scm, download, upload};
use domino_train::{PairSource, TrainContext, train};
use domino_vae::{FittedIlcm, PictureBasis, PictureDecoder, PictureRegression};

use super::variables::Codes;
use super::{FitError, PictureStage};

/// Rows solved at once.
const CHUNK: usize = 2048;

/// Fits what draws pictures from the variables and codes of both sides.
pub(super) fn fit_picture(
    model: &FittedIlcm,
    pairs: &Pairs,
    codes: &Codes,
    stage: &PictureStage,
    place: u64,
    context: &mut TrainContext<'_>,
) -> Result<PictureDecoder, FitError> {
    let take = pairs.len().min(stage.pairs.div_ceil(2).max(1));
    let sides = [(pairs.before(), &codes.before), (pairs.after(), &codes.after)];
    let device = context.device.clone().inner();
    let basis = PictureBasis::fit(pairs.before(), stage.network.directions);
    let (mut inputs, mut coefficients) = (Vec::new(), Vec::new());
    for (pictures, codes) in sides {
        let pictures: Observations = pictures.slice(0..take);
        coefficients.extend(basis.coefficients(&pictures, &device));
        for start in (0..take).step_by(CHUNK) {
            let e = codes.rows(start, CHUNK.min(take - start)).into_owned();
            let z = download(model.solve(Noise(upload(&e, &device))).0);
            let both = PictureDecoder::inputs(upload(&z, &device), upload(&e, &device));
            inputs.extend(download(both).transpose().iter().map(|&v| v as f32));
        }
    }
    let d = model.dim();
    let mut rng = context.seed.rng_at(Stream::Init, (1 << 34) + place);
    let decoder = PictureDecoder::new(d, &basis, &stage.network, &mut rng, &context.device);
    let tables = [(inputs, 2 * d), (coefficients, basis.len())]
        .map(|(data, dim)| Observations::Vectors { data, dim });
    let source = PairSource::with_pools(tables, vec![(0..2 * take as u32).collect()]);
    let name = (place, "picture");
    let trained =
        train(PictureRegression { decoder }, &source, name, &stage.phase, |_| (), context)?;
    Ok(trained.decoder.valid())
}
