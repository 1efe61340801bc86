use std::io::{self, Seek, Write};

use nalgebra::DMatrix;
use npyz::npz::NpzWriter;
use npyz::{DType, TypeStr, WriterBuilder};

/// Writes arrays into an `.npz` archive whose bytes depend on nothing but the arrays.
pub(super) struct ArrayWriter<W: Write + Seek> {
    npz: NpzWriter<W>,
}

impl<W: Write + Seek> ArrayWriter<W> {
    pub(super) fn new(file: W) -> Self {
        Self { npz: NpzWriter::new(file) }
    }

    /// An array of a NumPy type; `chunks` are its bytes, last index fastest, little-endian.
    pub(super) fn array(
        &mut self,
        name: &str,
        type_name: &str,
        shape: &[usize],
        mut chunks: impl Iterator<Item = Vec<u8>>,
    ) -> io::Result<()> {
        let element: TypeStr = type_name.parse().map_err(io::Error::other)?;
        let shape: Vec<u64> = shape.iter().map(|&length| length as u64).collect();
        // A real date would make equal data unequal files; level 0 stores without compressing.
        let options = default_for(|npz: &mut NpzWriter<W>, options| {
            drop(npz.array::<u8>(name, options));
        });
        let options =
            options.large_file(true).compression_level(Some(0)).last_modified_time(<_>::default());
        let start = self.npz.array::<u8>(name, options)?;
        let header = start.dtype(DType::Plain(element)).shape(&shape);
        let entry = header.write_header_only()?;
        chunks.try_for_each(|chunk| entry.write_all(&chunk))
    }

    pub(super) fn matrix(&mut self, name: &str, m: &DMatrix<f64>) -> io::Result<()> {
        let row = |row: usize| m.row(row).iter().flat_map(|v| v.to_le_bytes()).collect();
        self.array(name, "<f8", &[m.nrows(), m.ncols()], (0..m.nrows()).map(row))
    }

    pub(super) fn strings(&mut self, name: &str, strings: &[String]) -> io::Result<()> {
        // NumPy has no strings of length 0.
        let longest = strings.iter().map(|s| s.chars().count()).max().unwrap_or(0).max(1);
        let padded = |s: &String| {
            let points = s.chars().chain(std::iter::repeat('\0')).take(longest);
            points.flat_map(|c| u32::from(c).to_le_bytes()).collect()
        };
        let type_name = format!("<U{longest}");
        self.array(name, &type_name, &[strings.len()], strings.iter().map(padded))
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        self.npz.zip_writer().finish()?.flush()
    }
}

/// The default of a function's last argument, whose type npyz does not export.
fn default_for<A, O: Default>(_: impl FnOnce(&mut A, O)) -> O {
    O::default()
}
