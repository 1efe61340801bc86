use crate::color::{Encoder, Rgb};
use crate::error::RenderError;
use crate::lanes::{LANES, TILE};
use crate::scene::Scene;
use crate::tile::{Culling, Stage, Tile};
use crate::validate::check;

/// What a picture is made of besides its scene.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RenderOptions {
    /// Columns of pixels.
    pub width: usize,
    /// Rows of pixels.
    pub height: usize,
    /// Samples along either side of a pixel: 1 for jagged edges, 2 or more for smooth ones.
    pub samples: usize,
    /// Instructions to draw with; the picture is the same with all.
    pub instructions: InstructionSet,
}

impl Default for RenderOptions {
    /// 64 x 64 pixels of 2 x 2 samples.
    fn default() -> Self {
        Self::new(64, 64, 2)
    }
}

impl RenderOptions {
    /// Pictures of `width` x `height` pixels of `samples` x `samples` samples.
    pub fn new(width: usize, height: usize, samples: usize) -> Self {
        Self { width, height, samples, instructions: InstructionSet::detect() }
    }

    fn check(&self) -> Result<(), RenderError> {
        let Self { width, height, samples, instructions } = *self;
        if !(1..=8192).contains(&width) || !(1..=8192).contains(&height) {
            return Err(RenderError::Size { width, height });
        }
        if !(1..=8).contains(&samples) {
            return Err(RenderError::Samples(samples));
        }
        if !instructions.is_available() {
            return Err(RenderError::InstructionSet(instructions));
        }
        Ok(())
    }
}

/// Instructions of the processor that the inner loops are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstructionSet {
    /// Those that every machine of its kind has: SSE2 on x86-64.
    Baseline,
    /// AVX2, in registers of 8 numbers.
    Avx2,
}

impl InstructionSet {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Baseline, Self::Avx2];

    /// The fastest that this machine has.
    pub fn detect() -> Self {
        if Self::Avx2.is_available() { Self::Avx2 } else { Self::Baseline }
    }

    /// Whether this machine has it.
    pub fn is_available(self) -> bool {
        match self {
            Self::Baseline => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => std::is_x86_feature_detected!("avx2"),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx2 => false,
        }
    }
}

/// A picture: rows from the top, three bytes (red, green, blue in sRGB) for each pixel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `[height, width, 3]`, as many bytes as that says.
    pub data: Vec<u8>,
}

/// Draws a scene.
///
/// The same scene and options give the same bytes on every machine, whatever its instructions, and from
/// every thread: all arithmetic is `+ - * / √` in a fixed order.
///
/// # Errors
/// [`RenderError`] if a size or a number of the scene lies outside its range.
///
/// ```
/// use domino_render::{Background, RenderOptions, Rgb, Scene, render};
///
/// let empty = Scene { background: Background::flat(Rgb::WHITE), ..Scene::default() };
/// let picture = render(&empty, &RenderOptions::new(3, 2, 1))?;
/// assert_eq!(picture.data, [255; 18]);
/// # Ok::<(), domino_render::RenderError>(())
/// ```
pub fn render(scene: &Scene, options: &RenderOptions) -> Result<Picture, RenderError> {
    options.check()?;
    let RenderOptions { width, height, .. } = *options;
    let mut data = vec![0; width * height * 3];
    render_into(scene, options, &mut data)?;
    Ok(Picture { width, height, data })
}

/// [`render`] into memory at hand, `[height, width, 3]`, such as one picture of a batch.
///
/// # Errors
/// [`RenderError`] as for [`render`], and if `out` has not the size of the picture.
pub fn render_into(
    scene: &Scene,
    options: &RenderOptions,
    out: &mut [u8],
) -> Result<(), RenderError> {
    let encoder = Encoder::new();
    draw(scene, (options, Culling::On), out, |light| {
        [encoder.encode(light.r), encoder.encode(light.g), encoder.encode(light.b)]
    })
}

/// [`render`] in linear light, not cut to what a picture can hold: `[height, width, 3]`.
///
/// # Errors
/// [`RenderError`] as for [`render`].
pub fn render_linear(scene: &Scene, options: &RenderOptions) -> Result<Vec<f32>, RenderError> {
    options.check()?;
    let mut out = vec![0.0; options.width * options.height * 3];
    draw(scene, (options, Culling::On), &mut out, |light| [light.r, light.g, light.b])?;
    Ok(out)
}

fn draw<T: Copy>(
    scene: &Scene,
    (options, culling): (&RenderOptions, Culling),
    out: &mut [T],
    encode: impl Fn(Rgb) -> [T; 3],
) -> Result<(), RenderError> {
    options.check()?;
    check(scene)?;
    let RenderOptions { width, height, samples, instructions } = *options;
    let expected = width * height * 3;
    if out.len() != expected {
        return Err(RenderError::Buffer { expected, got: out.len() });
    }
    let grid = [width * samples, height * samples];
    let stage = Stage::new(scene, grid, culling);
    let mut strip = Strip::new(grid[0], samples);
    for (rows, number) in out.chunks_mut(TILE * width * 3).zip(0..) {
        strip.draw(&stage, number * samples * TILE, instructions);
        for (row, y) in rows.chunks_exact_mut(width * 3).zip(0..) {
            for (pixel, x) in row.chunks_exact_mut(3).zip(0..) {
                pixel.copy_from_slice(&encode(strip.mean(x, y)));
            }
        }
    }
    Ok(())
}

/// Samples of eight rows of pixels.
struct Strip {
    tile: Tile,
    light: Vec<Rgb>,
    /// Samples in a row, up to whole tiles.
    columns: usize,
    /// Samples along a side of a pixel.
    samples: usize,
}

impl Strip {
    fn new(columns: usize, samples: usize) -> Self {
        let columns = columns.next_multiple_of(TILE);
        let light = vec![Rgb::BLACK; columns * TILE * samples];
        Self { tile: Tile::new(), light, columns, samples }
    }

    fn draw(&mut self, stage: &Stage<'_>, first_row: usize, instructions: InstructionSet) {
        match instructions {
            InstructionSet::Baseline => self.fill(stage, first_row),
            #[cfg(target_arch = "x86_64")]
            #[allow(unsafe_code, reason = "`RenderOptions::check` has found AVX2 on this machine")]
            InstructionSet::Avx2 => unsafe { self.fill_avx2(stage, first_row) },
            #[cfg(not(target_arch = "x86_64"))]
            InstructionSet::Avx2 => self.fill(stage, first_row),
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn fill_avx2(&mut self, stage: &Stage<'_>, first_row: usize) {
        self.fill(stage, first_row);
    }

    #[inline(always)]
    fn fill(&mut self, stage: &Stage<'_>, first_row: usize) {
        for row in (0..TILE * self.samples).step_by(TILE) {
            for column in (0..self.columns).step_by(TILE) {
                stage.draw([column, first_row + row], &mut self.tile);
                for i in 0..LANES {
                    let place = (row + i / TILE) * self.columns + column + i % TILE;
                    self.light[place] = self.tile.light(i);
                }
            }
        }
    }

    /// Mean light of a pixel.
    fn mean(&self, column: usize, row: usize) -> Rgb {
        let n = self.samples;
        let mut sum = Rgb::BLACK;
        for y in row * n..(row + 1) * n {
            let first = y * self.columns + column * n;
            for &light in &self.light[first..first + n] {
                sum = sum + light;
            }
        }
        sum * (1.0 / (n * n) as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::common::Draw;

    #[test]
    fn culling_changes_no_bit() {
        let options = RenderOptions::new(90, 70, 1);
        for seed in 0..150 {
            let scene = Draw(seed).scene();
            let [culled, full] = [Culling::On, Culling::Off].map(|culling| {
                let mut out = vec![0.0_f32; 90 * 70 * 3];
                let light = |light: Rgb| [light.r, light.g, light.b];
                draw(&scene, (&options, culling), &mut out, light).expect("a valid scene");
                out.into_iter().map(f32::to_bits).collect::<Vec<_>>()
            });
            let changed = culled.iter().zip(&full).filter(|(a, b)| a != b).count();
            assert_eq!(changed, 0, "numbers changed in scene {seed}");
        }
    }
}
