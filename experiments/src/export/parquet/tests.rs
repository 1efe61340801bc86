use std::collections::BTreeMap;

use super::*;

/// A structure as it is read: fields by their number.
#[derive(Debug)]
enum Thrift {
    Number(usize),
    Text(String),
    List(Vec<Thrift>),
    Struct(BTreeMap<u8, Thrift>),
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn byte(&mut self) -> u8 {
        let byte = self.0[0];
        self.0 = &self.0[1..];
        byte
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.byte()).collect()
    }

    fn varint(&mut self) -> usize {
        let byte = self.byte();
        let low = usize::from(byte & 0x7f);
        if byte < 0x80 { low } else { low | self.varint() << 7 }
    }

    fn value(&mut self, kind: u8) -> Thrift {
        match kind {
            I32 | I64 => Thrift::Number(self.varint() >> 1),
            BINARY => {
                let length = self.varint();
                Thrift::Text(String::from_utf8(self.bytes(length)).unwrap())
            }
            LIST => {
                let head = self.byte();
                let length = if head >> 4 < 15 { usize::from(head >> 4) } else { self.varint() };
                Thrift::List((0..length).map(|_| self.value(head & 15)).collect())
            }
            STRUCT => self.structure(),
            other => panic!("type {other}"),
        }
    }

    fn structure(&mut self) -> Thrift {
        let (mut fields, mut number) = (BTreeMap::new(), 0);
        loop {
            let head = self.byte();
            if head == 0 {
                return Thrift::Struct(fields);
            }
            number += head >> 4;
            fields.insert(number, self.value(head & 15));
        }
    }
}

impl Thrift {
    fn at(&self, number: u8) -> &Thrift {
        let Self::Struct(fields) = self else { panic!("{self:?}") };
        &fields[&number]
    }

    fn list(&self, number: u8) -> &[Thrift] {
        let Self::List(items) = self.at(number) else { panic!("{self:?}") };
        items
    }

    fn number(&self, number: u8) -> usize {
        let Self::Number(value) = self.at(number) else { panic!("{self:?}") };
        *value
    }

    fn text(&self, number: u8) -> String {
        let Self::Text(text) = self.at(number) else { panic!("{self:?}") };
        text.clone()
    }
}

/// Columns and rows of a file, by its own description.
fn read(file: &[u8]) -> (Vec<Column>, usize) {
    let (body, end) = file.split_at(file.len() - 8);
    assert_eq!((&file[..4], &end[4..]), (&MAGIC[..], &MAGIC[..]));
    let length = u32::from_le_bytes(end[..4].try_into().unwrap()) as usize;
    let footer = Reader(&body[body.len() - length..]).structure();
    let schema = footer.list(2);
    assert_eq!(schema[0].number(5), schema.len() - 1);
    let [group] = footer.list(4) else { panic!("one row group") };
    let column = |(element, chunk): (&Thrift, &Thrift)| {
        let data = chunk.at(3);
        assert_eq!(element.number(1), data.number(1));
        let Thrift::Struct(fields) = element else { panic!("{element:?}") };
        let converted = fields.contains_key(&6).then(|| element.number(6));
        let cells = read_page(&file[data.number(9)..], (data.number(1), converted));
        Column { name: element.text(4), cells }
    };
    let columns = schema[1..].iter().zip(group.list(1)).map(column).collect();
    (columns, footer.number(3))
}

/// The cells of a page, of a physical type and perhaps a converted one.
fn read_page(bytes: &[u8], kind: (usize, Option<usize>)) -> Cells {
    let mut reader = Reader(bytes);
    let header = reader.structure();
    let rows = header.at(5).number(1);
    let mut page = Reader(&reader.0[..header.number(3)]);
    let length = u32::from_le_bytes(page.bytes(4).try_into().unwrap()) as usize;
    let rest = page.0[length..].to_vec();
    let mut levels = Reader(&page.0[..length]);
    let mut present = Vec::new();
    while !levels.0.is_empty() {
        let run = levels.varint();
        present.extend(vec![levels.byte() == 1; run >> 1]);
    }
    assert_eq!(present.len(), rows);
    let mut values = Reader(&rest);
    let mut eight = || -> [u8; 8] { values.bytes(8).try_into().unwrap() };
    let mut numbers = |there: &bool| there.then(&mut eight);
    let cells = match kind {
        (2, None) => {
            Cells::Signed(present.iter().map(|p| numbers(p).map(i64::from_le_bytes)).collect())
        }
        (2, Some(14)) => {
            Cells::Unsigned(present.iter().map(|p| numbers(p).map(u64::from_le_bytes)).collect())
        }
        (5, None) => {
            Cells::Numbers(present.iter().map(|p| numbers(p).map(f64::from_le_bytes)).collect())
        }
        (6, Some(0)) => {
            let mut text = || {
                let length = u32::from_le_bytes(values.bytes(4).try_into().unwrap());
                String::from_utf8(values.bytes(length as usize)).unwrap()
            };
            Cells::Text(present.iter().map(|there| there.then(&mut text)).collect())
        }
        other => panic!("types {other:?}"),
    };
    assert!(values.0.is_empty());
    cells
}

fn column(name: &str, cells: Cells) -> Column {
    Column { name: name.to_owned(), cells }
}

#[test]
fn what_is_written_is_read_back() {
    let columns = [
        column("signed", Cells::Signed(vec![Some(-1), None, Some(i64::MAX)])),
        column("unsigned", Cells::Unsigned(vec![Some(u64::MAX), Some(0), None])),
        column("numbers", Cells::Numbers(vec![None, Some(-0.25), Some(f64::MIN_POSITIVE)])),
        column("text", Cells::Text(vec![Some("d = 4, ä".into()), None, Some(String::new())])),
        column("nothing", Cells::Text(vec![None; 3])),
    ];
    assert_eq!(read(&parquet(&columns)), (columns.to_vec(), 3));
}

#[test]
fn many_columns_and_long_ones_fit() {
    let number = |k: u64| (!k.is_multiple_of(3)).then_some(k);
    let columns: Vec<Column> = (0..40)
        .map(|k| column(&format!("c{k}"), Cells::Unsigned((k..k + 5000).map(number).collect())))
        .collect();
    assert_eq!(read(&parquet(&columns)), (columns, 5000));
    let empty = [column("a", Cells::Numbers(vec![]))];
    assert_eq!(read(&parquet(&empty)), (empty.to_vec(), 0));
}
