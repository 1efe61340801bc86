//! Tables as Apache Parquet files: one row group, one uncompressed page per column, missing cells
//! allowed everywhere.
//!
//! The format is that of <https://github.com/apache/parquet-format>: pages and, at the end of the
//! file, what describes them, as structures in Thrift's compact protocol.

use super::varint;

/// Marks the beginning and the end of a file.
const MAGIC: &[u8; 4] = b"PAR1";

/// The name and the cells of a column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its cells, one per row.
    pub cells: Cells,
}

/// The cells of a column, of one type; a cell may be missing.
#[derive(Clone, Debug, PartialEq)]
pub enum Cells {
    /// Whole numbers with a sign.
    Signed(Vec<Option<i64>>),
    /// Whole numbers without one.
    Unsigned(Vec<Option<u64>>),
    /// Numbers.
    Numbers(Vec<Option<f64>>),
    /// UTF-8.
    Text(Vec<Option<String>>),
}

/// The content of a file with these columns, which have one length.
///
/// ```
/// use domino_experiments::export::{Cells, Column, parquet};
///
/// let scores = Column { name: "mcc".into(), cells: Cells::Numbers(vec![Some(0.9), None]) };
/// let file = parquet(&[scores]);
/// assert!(file.starts_with(b"PAR1") && file.ends_with(b"PAR1"));
/// ```
pub fn parquet(columns: &[Column]) -> Vec<u8> {
    let rows = columns.first().map_or(0, |column| column.cells.rows());
    let mut file = MAGIC.to_vec();
    let mut chunks = Vec::new();
    for column in columns {
        let offset = file.len();
        file.extend(page(&column.cells));
        chunks.push((column, offset, file.len() - offset));
    }
    let footer = footer(&chunks, rows);
    file.extend(&footer);
    file.extend((footer.len() as u32).to_le_bytes());
    file.extend(MAGIC);
    file
}

/// A column with the place and the size of its page.
type Chunk<'a> = (&'a Column, usize, usize);

/// `PageHeader { type, uncompressed size, compressed size, 5: DataPageHeader }` and the page.
fn page(cells: &Cells) -> Vec<u8> {
    const DATA_PAGE: usize = 0;
    const PLAIN: usize = 0;
    const RUN_LENGTHS: usize = 3;
    let present = levels(&cells.present());
    let mut content = (present.len() as u32).to_le_bytes().to_vec();
    content.extend(present);
    content.extend(cells.values());
    let size = content.len();
    let mut kind = Struct::default();
    kind.i32(1, cells.rows()).i32(2, PLAIN).i32(3, RUN_LENGTHS).i32(4, RUN_LENGTHS);
    let mut header = Struct::default();
    header.i32(1, DATA_PAGE).i32(2, size).i32(3, size).group(5, &kind);
    let mut page = header.end();
    page.extend(content);
    page
}

/// Which cells are there, as runs `(length << 1, value)`.
fn levels(present: &[bool]) -> Vec<u8> {
    let mut out = Vec::new();
    for run in present.chunk_by(|a, b| a == b) {
        varint(&mut out, (run.len() as u64) << 1);
        out.push(u8::from(run[0]));
    }
    out
}

/// `FileMetaData { version, schema, rows, row groups, 6: made by }`.
fn footer(chunks: &[Chunk<'_>], rows: usize) -> Vec<u8> {
    let mut root = Struct::default();
    root.text(4, "table").i32(5, chunks.len());
    let mut schema = vec![root];
    schema.extend(chunks.iter().map(|(column, ..)| element(column)));
    let parts: Vec<Struct> = chunks.iter().map(|chunk| described(chunk, rows)).collect();
    let bytes: usize = chunks.iter().map(|(.., size)| size).sum();
    let mut group = Struct::default();
    group.groups(1, &parts).i64(2, bytes).i64(3, rows);
    let mut file = Struct::default();
    file.i32(1, 1).groups(2, &schema).i64(3, rows).groups(4, &[group]).text(6, "domino");
    file.end()
}

/// `SchemaElement { type, 3: repetition, 4: name, 6: converted type }`.
fn element(column: &Column) -> Struct {
    const OPTIONAL: usize = 1;
    let mut element = Struct::default();
    element.i32(1, column.cells.physical()).i32(3, OPTIONAL).text(4, &column.name);
    if let Some(converted) = column.cells.converted() {
        element.i32(6, converted);
    }
    element
}

/// `ColumnChunk { 2: offset, 3: ColumnMetaData }`.
fn described((column, offset, size): &Chunk<'_>, rows: usize) -> Struct {
    const UNCOMPRESSED: usize = 0;
    let mut data = Struct::default();
    data.i32(1, column.cells.physical())
        .numbers(2, &[0, 3])
        .texts(3, &[&column.name])
        .i32(4, UNCOMPRESSED)
        .i64(5, rows)
        .i64(6, *size)
        .i64(7, *size)
        .i64(9, *offset);
    let mut chunk = Struct::default();
    chunk.i64(2, *offset).group(3, &data);
    chunk
}

impl Cells {
    fn rows(&self) -> usize {
        match self {
            Self::Signed(cells) => cells.len(),
            Self::Unsigned(cells) => cells.len(),
            Self::Numbers(cells) => cells.len(),
            Self::Text(cells) => cells.len(),
        }
    }

    fn present(&self) -> Vec<bool> {
        fn of<T>(cells: &[Option<T>]) -> Vec<bool> {
            cells.iter().map(Option::is_some).collect()
        }
        match self {
            Self::Signed(cells) => of(cells),
            Self::Unsigned(cells) => of(cells),
            Self::Numbers(cells) => of(cells),
            Self::Text(cells) => of(cells),
        }
    }

    /// The cells that are there, one after the other.
    fn values(&self) -> Vec<u8> {
        let text = |text: &String| [&(text.len() as u32).to_le_bytes(), text.as_bytes()].concat();
        match self {
            Self::Signed(cells) => cells.iter().flatten().flat_map(|v| v.to_le_bytes()).collect(),
            Self::Unsigned(cells) => cells.iter().flatten().flat_map(|v| v.to_le_bytes()).collect(),
            Self::Numbers(cells) => cells.iter().flatten().flat_map(|v| v.to_le_bytes()).collect(),
            Self::Text(cells) => cells.iter().flatten().flat_map(text).collect(),
        }
    }

    /// `INT64`, `DOUBLE` or `BYTE_ARRAY`.
    fn physical(&self) -> usize {
        match self {
            Self::Signed(_) | Self::Unsigned(_) => 2,
            Self::Numbers(_) => 5,
            Self::Text(_) => 6,
        }
    }

    /// `UINT_64` or `UTF8`, where the physical type does not say it all.
    fn converted(&self) -> Option<usize> {
        match self {
            Self::Signed(_) | Self::Numbers(_) => None,
            Self::Unsigned(_) => Some(14),
            Self::Text(_) => Some(0),
        }
    }
}

/// A structure in Thrift's compact protocol; fields are added in the order of their numbers.
#[derive(Default)]
struct Struct {
    bytes: Vec<u8>,
    last: u8,
}

/// Types of fields and of list elements.
const I32: u8 = 5;
const I64: u8 = 6;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const STRUCT: u8 = 12;

impl Struct {
    fn field(&mut self, number: u8, kind: u8) -> &mut Self {
        self.bytes.push((number - self.last) << 4 | kind);
        self.last = number;
        self
    }

    fn i32(&mut self, number: u8, value: usize) -> &mut Self {
        self.field(number, I32);
        zigzag(&mut self.bytes, value);
        self
    }

    fn i64(&mut self, number: u8, value: usize) -> &mut Self {
        self.field(number, I64);
        zigzag(&mut self.bytes, value);
        self
    }

    fn text(&mut self, number: u8, text: &str) -> &mut Self {
        self.field(number, BINARY);
        put_text(&mut self.bytes, text);
        self
    }

    fn group(&mut self, number: u8, group: &Self) -> &mut Self {
        self.field(number, STRUCT).bytes.extend(group.end());
        self
    }

    fn groups(&mut self, number: u8, groups: &[Self]) -> &mut Self {
        self.list(number, STRUCT, groups.len()).bytes.extend(groups.iter().flat_map(Self::end));
        self
    }

    fn numbers(&mut self, number: u8, values: &[usize]) -> &mut Self {
        self.list(number, I32, values.len());
        for value in values {
            zigzag(&mut self.bytes, *value);
        }
        self
    }

    fn texts(&mut self, number: u8, texts: &[&str]) -> &mut Self {
        self.list(number, BINARY, texts.len());
        for text in texts {
            put_text(&mut self.bytes, text);
        }
        self
    }

    fn list(&mut self, number: u8, kind: u8, length: usize) -> &mut Self {
        self.field(number, LIST);
        if length < 15 {
            self.bytes.push((length as u8) << 4 | kind);
        } else {
            self.bytes.push(0xf0 | kind);
            varint(&mut self.bytes, length as u64);
        }
        self
    }

    /// Its bytes with the mark of its end.
    fn end(&self) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        bytes.push(0);
        bytes
    }
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    varint(out, text.len() as u64);
    out.extend(text.as_bytes());
}

/// A number with a sign, which sits in the lowest bit.
fn zigzag(out: &mut Vec<u8>, value: usize) {
    varint(out, (value as u64) << 1);
}

#[cfg(test)]
mod tests;
