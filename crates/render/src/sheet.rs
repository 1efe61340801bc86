//! Contact sheets: pictures in a grid with a line of text under each, as a PNG file.

use std::io::Write;

use crate::render::Picture;

/// Height of a line of text in pixels, the space around it included.
const LINE: usize = 11;
/// Size of a letter and of the space it takes.
const LETTER: [usize; 2] = [5, 7];
const ADVANCE: usize = 6;

/// A grid of pictures.
///
/// ```
/// use domino_render::{RenderOptions, Scene, render, sheet::Sheet};
///
/// let picture = render(&Scene::default(), &RenderOptions::new(40, 30, 1))?;
/// let mut sheet = Sheet::new([40, 30], 2);
/// sheet.add(&picture, "before");
/// sheet.add(&picture, "after");
/// sheet.add(&picture, "");
/// let page = sheet.page();
/// assert_eq!((page.width, page.height), (2 * 40 + 3 * 4, 2 * (30 + 11) + 3 * 4));
/// # Ok::<(), domino_render::RenderError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Sheet {
    cell: [usize; 2],
    columns: usize,
    margin: usize,
    cells: Vec<(Picture, String)>,
}

impl Sheet {
    /// An empty sheet of `columns` (at least one) pictures in a row, each of `cell = [width, height]`.
    pub fn new(cell: [usize; 2], columns: usize) -> Self {
        Self { cell, columns: columns.max(1), margin: 4, cells: Vec::new() }
    }

    /// Puts a picture into the next cell, with a caption that is cut where the cell ends. A picture larger
    /// than the cell is cut too.
    pub fn add(&mut self, picture: &Picture, caption: &str) {
        self.cells.push((picture.clone(), caption.to_owned()));
    }

    /// The sheet as one picture on a white page. Without captions there is no room for them.
    pub fn page(&self) -> Picture {
        let captions = self.cells.iter().any(|(_, caption)| !caption.is_empty());
        let line = if captions { LINE } else { 0 };
        let step = [self.cell[0] + self.margin, self.cell[1] + line + self.margin];
        let rows = self.cells.len().div_ceil(self.columns);
        let mut page =
            Picture::white(self.columns * step[0] + self.margin, rows * step[1] + self.margin);
        for (index, (picture, caption)) in self.cells.iter().enumerate() {
            let x = self.margin + index % self.columns * step[0];
            let y = self.margin + index / self.columns * step[1];
            page.paste(picture, [x, y], self.cell);
            page.write(caption, [x, y + self.cell[1] + 2], self.cell[0]);
        }
        page
    }
}

impl Picture {
    fn white(width: usize, height: usize) -> Self {
        Self { width, height, data: vec![255; width * height * 3] }
    }

    /// This picture with another to its right, tops level, on white where one is lower.
    ///
    /// ```
    /// use domino_render::Picture;
    ///
    /// let black = Picture { width: 1, height: 1, data: vec![0; 3] };
    /// let grey = Picture { width: 1, height: 1, data: vec![99; 3] };
    /// assert_eq!(black.beside(&grey).data, [0, 0, 0, 99, 99, 99]);
    /// ```
    pub fn beside(&self, other: &Self) -> Self {
        let mut both = Self::white(self.width + other.width, self.height.max(other.height));
        both.paste(self, [0, 0], [self.width, self.height]);
        both.paste(other, [self.width, 0], [other.width, other.height]);
        both
    }

    /// The picture with each pixel as a square of `factor` x `factor` pixels: small pictures leave no room
    /// for captions.
    pub fn enlarged(&self, factor: usize) -> Self {
        let [width, height] = [self.width * factor, self.height * factor];
        let places = (0..height).flat_map(|y| (0..width).map(move |x| [x / factor, y / factor]));
        let pixels = places.map(|[x, y]| (y * self.width + x) * 3);
        let data = pixels.flat_map(|at| self.data[at..at + 3].iter().copied()).collect();
        Self { width, height, data }
    }

    fn paste(&mut self, other: &Self, [x, y]: [usize; 2], most: [usize; 2]) {
        let width = other.width.min(most[0]) * 3;
        for row in 0..other.height.min(most[1]) {
            let from = row * other.width * 3;
            let to = ((y + row) * self.width + x) * 3;
            self.data[to..to + width].copy_from_slice(&other.data[from..from + width]);
        }
    }

    /// Writes as many letters as fit into `room` pixels.
    fn write(&mut self, text: &str, [x, y]: [usize; 2], room: usize) {
        for (letter, place) in text.chars().take((room + 1) / ADVANCE).zip(0..) {
            let columns = glyph(letter);
            for (column, bits) in columns.iter().enumerate() {
                for row in (0..LETTER[1]).filter(|row| bits >> row & 1 == 1) {
                    let at = ((y + row) * self.width + x + place * ADVANCE + column) * 3;
                    self.data[at..at + 3].fill(0);
                }
            }
        }
    }

    /// Writes the picture as a PNG file.
    ///
    /// # Errors
    /// [`png::EncodingError`] if the writer fails or the picture has no pixels.
    pub fn write_png(&self, out: impl Write) -> Result<(), png::EncodingError> {
        let mut encoder = png::Encoder::new(out, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_source_srgb(png::SrgbRenderingIntent::Perceptual);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&self.data)?;
        writer.finish()
    }
}

/// A letter of 5 columns from the left, each of 7 bits from the top. Letters that are not in the font are
/// drawn as a box.
fn glyph(letter: char) -> [u8; LETTER[0]] {
    const BOX: [u8; LETTER[0]] = [127, 65, 65, 65, 127];
    let index = (letter as usize).wrapping_sub(' ' as usize);
    FONT.get(index).copied().unwrap_or(BOX)
}

/// The printable characters of ASCII from the space on, a byte for each column, the top row in bit 0.
#[rustfmt::skip]
const FONT: [[u8; LETTER[0]]; 95] = [
    [0, 0, 0, 0, 0], [0, 0, 95, 0, 0], [0, 3, 0, 3, 0], [20, 127, 20, 127, 20],
    [36, 42, 127, 42, 18], [99, 19, 8, 100, 99], [54, 73, 85, 34, 80], [0, 0, 3, 0, 0],
    [0, 28, 34, 65, 0], [0, 65, 34, 28, 0], [20, 8, 62, 8, 20], [8, 8, 62, 8, 8], [0, 80, 48, 0, 0],
    [8, 8, 8, 8, 8], [0, 96, 96, 0, 0], [96, 16, 8, 4, 3], [62, 81, 73, 69, 62],
    [0, 66, 127, 64, 0], [98, 81, 73, 73, 70], [34, 65, 73, 73, 54], [24, 20, 18, 127, 16],
    [39, 69, 69, 69, 57], [60, 74, 73, 73, 48], [1, 1, 113, 13, 3], [54, 73, 73, 73, 54],
    [6, 73, 73, 41, 30], [0, 54, 54, 0, 0], [0, 86, 54, 0, 0], [8, 20, 34, 65, 0],
    [20, 20, 20, 20, 20], [0, 65, 34, 20, 8], [2, 1, 81, 9, 6], [62, 65, 93, 85, 30],
    [126, 9, 9, 9, 126], [127, 73, 73, 73, 54], [62, 65, 65, 65, 34], [127, 65, 65, 65, 62],
    [127, 73, 73, 73, 65], [127, 9, 9, 9, 1], [62, 65, 73, 73, 122], [127, 8, 8, 8, 127],
    [0, 65, 127, 65, 0], [32, 64, 65, 63, 1], [127, 8, 20, 34, 65], [127, 64, 64, 64, 64],
    [127, 2, 12, 2, 127], [127, 6, 8, 48, 127], [62, 65, 65, 65, 62], [127, 9, 9, 9, 6],
    [62, 65, 81, 33, 94], [127, 9, 25, 41, 70], [70, 73, 73, 73, 49], [1, 1, 127, 1, 1],
    [63, 64, 64, 64, 63], [31, 32, 64, 32, 31], [127, 32, 24, 32, 127], [99, 20, 8, 20, 99],
    [3, 4, 120, 4, 3], [97, 81, 73, 69, 67], [0, 127, 65, 65, 0], [3, 4, 8, 16, 96],
    [0, 65, 65, 127, 0], [4, 2, 1, 2, 4], [64, 64, 64, 64, 64], [0, 1, 2, 0, 0],
    [32, 84, 84, 84, 120], [127, 68, 68, 68, 56], [56, 68, 68, 68, 68], [56, 68, 68, 68, 127],
    [56, 84, 84, 84, 24], [8, 126, 9, 1, 2], [8, 84, 84, 84, 60], [127, 4, 4, 4, 120],
    [0, 68, 125, 64, 0], [32, 64, 68, 61, 0], [127, 16, 40, 68, 0], [0, 65, 127, 64, 0],
    [124, 4, 120, 4, 120], [124, 4, 4, 4, 120], [56, 68, 68, 68, 56], [124, 20, 20, 20, 8],
    [8, 20, 20, 20, 124], [124, 8, 4, 4, 8], [72, 84, 84, 84, 36], [4, 63, 68, 64, 32],
    [60, 64, 64, 64, 124], [28, 32, 64, 32, 28], [60, 64, 56, 64, 60], [68, 40, 16, 40, 68],
    [12, 80, 80, 80, 60], [68, 100, 84, 76, 68], [0, 8, 54, 65, 0], [0, 0, 127, 0, 0],
    [0, 65, 54, 8, 0], [24, 4, 8, 16, 12],
];

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: usize, height: usize, value: u8) -> Picture {
        Picture { width, height, data: vec![value; width * height * 3] }
    }

    #[test]
    fn pictures_stand_in_their_cells_and_captions_below() {
        let mut sheet = Sheet::new([6, 4], 2);
        sheet.add(&picture(6, 4, 10), "");
        sheet.add(&picture(6, 4, 20), "I");
        sheet.add(&picture(9, 9, 30), "");
        let page = sheet.page();
        let at = |x: usize, y: usize| page.data[(y * page.width + x) * 3];
        assert_eq!([at(3, 3), at(4, 4), at(9, 7), at(10, 4)], [255, 10, 10, 255]);
        assert_eq!([at(14, 4), at(19, 7)], [20, 20]);
        // The stem of the letter, in the third of its five columns, two pixels below the picture.
        assert_eq!((10..17).map(|y| at(16, y)).collect::<Vec<_>>(), [0; 7]);
        // The third starts a row and is cut to its cell.
        assert_eq!([at(4, 23), at(9, 26), at(10, 23), at(4, 27)], [30, 30, 255, 255]);
    }

    #[test]
    fn an_enlarged_picture_repeats_its_pixels() {
        let pair = picture(1, 1, 1).beside(&picture(1, 1, 2)).enlarged(2);
        assert_eq!((pair.width, pair.height), (4, 2));
        assert_eq!(pair.data[..12], [1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2]);
        assert_eq!(pair.data[..12], pair.data[12..]);
    }

    #[test]
    fn a_png_file_holds_the_picture() {
        let drawn = picture(3, 2, 77);
        let mut file = Vec::new();
        drawn.write_png(&mut file).expect("memory takes all");
        let mut reader = png::Decoder::new(std::io::Cursor::new(&file)).read_info().expect("a PNG");
        let mut read = vec![0; 18];
        let info = reader.next_frame(&mut read).expect("one picture");
        assert_eq!((info.width, info.height, read), (3, 2, drawn.data));
    }
}
