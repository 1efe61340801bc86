use super::bytes::{Bytes, Cursor, Hdf5Error, wrong};

/// Kinds of messages in the header of an object.
pub(super) const DATASPACE: u64 = 0x01;
pub(super) const DATATYPE: u64 = 0x03;
pub(super) const LAYOUT: u64 = 0x08;
pub(super) const FILTERS: u64 = 0x0b;
const LINK: u64 = 0x06;
const CONTINUATION: u64 = 0x10;
const SYMBOL_TABLE: u64 = 0x11;

/// An entry of a symbol table: offset of the name, address of the header, 24 bytes of cache.
const SYMBOL: u64 = 40;

/// Bytes of a name that count.
const LONGEST: usize = 64;

/// Names that a message lists.
const MOST: usize = 12;

/// A message and what it says.
pub(super) type Message = (u64, Vec<u8>);

/// The message of a kind, if there is one.
pub(super) fn message(messages: &[Message], kind: u64) -> Option<&[u8]> {
    messages.iter().find(|(found, _)| *found == kind).map(|(_, body)| &**body)
}

/// Address of the header of the root group.
pub(super) fn root(file: &Bytes) -> Result<u64, Hdf5Error> {
    let signature = file.data(0, file.len().min(8), "the file")?;
    if signature != *b"\x89HDF\r\n\x1a\n" {
        return Err(wrong("the file", "an HDF5 file", signature.escape_ascii()));
    }
    let mut block = file.structure(8, file.len().min(80) - 8, "the superblock")?;
    let version = block.byte()?;
    let (before_widths, before_base, before_root) = match version {
        0 => (4, 9, 24 + 8),
        1 => (4, 13, 24 + 8),
        2 | 3 => (0, 1, 16),
        _ => return Err(block.refuse("version 0 to 3", version)),
    };
    block.take(before_widths)?;
    block.expect(&[8, 8])?;
    block.take(before_base)?;
    block.expect(&[0; 8])?;
    block.take(before_root)?;
    block.uint(8)
}

/// The messages of the header at an address, with those that lie elsewhere.
pub(super) fn messages(file: &Bytes, address: u64) -> Result<Vec<Message>, Hdf5Error> {
    let place = "an object header";
    let mut start = file.structure(address, 6, place)?;
    let (mut blocks, form) = if start.rest().starts_with(b"OHDR") {
        start.take(4)?;
        start.expect(&[2])?;
        let flags = start.byte()?;
        let width = 1 << (flags & 3);
        let skipped =
            6 + if flags & 0x20 == 0 { 0 } else { 16 } + if flags & 0x10 == 0 { 0 } else { 4 };
        let len =
            file.structure(address.saturating_add(skipped), width, place)?.uint(width as u8)?;
        (vec![(address + skipped + width, len)], Form::New { ordered: flags & 4 != 0 })
    } else {
        start.expect(&[1])?;
        let len = file.structure(address.saturating_add(8), 4, place)?.uint(4)?;
        (vec![(address + 16, len)], Form::Old)
    };
    let (mut found, mut next) = (Vec::new(), 0);
    while let Some(&(address, len)) = blocks.get(next) {
        let mut block = file.structure(address, len, place)?;
        if next > 0 && matches!(form, Form::New { .. }) {
            block.expect(b"OCHK")?;
        }
        take_messages(&mut block, form, &mut found, &mut blocks)?;
        next += 1;
    }
    Ok(found)
}

#[derive(Clone, Copy)]
enum Form {
    Old,
    New { ordered: bool },
}

fn take_messages(
    block: &mut Cursor<Vec<u8>>,
    form: Form,
    found: &mut Vec<Message>,
    blocks: &mut Vec<(u64, u64)>,
) -> Result<(), Hdf5Error> {
    // What is shorter than the head of a message is a gap or the checksum.
    while block.rest().len() >= 8 {
        let (kind, len, flags);
        match form {
            Form::Old => {
                (kind, len, flags) = (block.uint(2)?, block.uint(2)?, block.byte()?);
                block.take(3)?;
            }
            Form::New { ordered } => {
                (kind, len, flags) = (block.uint(1)?, block.uint(2)?, block.byte()?);
                block.take(if ordered { 2 } else { 0 })?;
            }
        }
        let body = block.take(len)?.to_vec();
        if kind == CONTINUATION {
            let mut body = Cursor::new(body, "a continuation");
            blocks.push((body.uint(8)?, body.uint(8)?));
        } else if flags & 2 == 0 {
            found.push((kind, body));
        } else if matches!(kind, DATASPACE | DATATYPE | FILTERS) {
            return Err(block.refuse("messages in place", "a message that datasets share"));
        }
    }
    Ok(())
}

/// Address of the header of `name` in the root group.
pub(super) fn find(file: &Bytes, name: &str) -> Result<u64, Hdf5Error> {
    let messages = messages(file, root(file)?)?;
    let mut names = Vec::new();
    if let Some(table) = message(&messages, SYMBOL_TABLE) {
        let mut table = Cursor::new(table, "the symbol table");
        let (tree, heap) = (table.uint(8)?, table.uint(8)?);
        let mut heap = file.structure(heap, 32, "the names")?;
        heap.expect(b"HEAP")?;
        heap.take(4)?;
        let len = heap.uint(8)?;
        heap.take(8)?;
        let heap = file.structure(heap.uint(8)?, len, "the names")?;
        visit_symbols(file, tree, u8::MAX, &mut |offset, address| {
            let text = heap.rest().get(offset as usize..).unwrap_or_default();
            let name = text.iter().copied().take(LONGEST).take_while(|&c| c != 0);
            names.push((name.collect(), address));
        })?;
    }
    for (_, body) in messages.iter().filter(|(kind, _)| *kind == LINK) {
        names.extend(link(body)?);
    }
    if let Some(&(_, address)) = names.iter().find(|(found, _)| found == name.as_bytes()) {
        return Ok(address);
    }
    let names = names.iter().take(MOST).map(|(name, _)| String::from_utf8_lossy(name));
    let got = format!("{:?}", names.collect::<Vec<_>>());
    Err(wrong(name, "a dataset of that name", got))
}

/// Visits the names and addresses below a node of a group's tree.
fn visit_symbols(
    file: &Bytes,
    address: u64,
    above: u8,
    sink: &mut dyn FnMut(u64, u64),
) -> Result<(), Hdf5Error> {
    let mut node = file.structure(address, 8, "a group's tree")?;
    if node.rest().starts_with(b"SNOD") {
        node.take(6)?;
        let count = node.uint(2)?;
        let mut node = file.structure(address + 8, count * SYMBOL, "a group's names")?;
        for _ in 0..count {
            sink(node.uint(8)?, node.uint(8)?);
            node.take(SYMBOL - 16)?;
        }
        return Ok(());
    }
    node.expect(b"TREE\0")?;
    let (level, count) = (node.byte()?, node.uint(2)?);
    if level >= above {
        return Err(node.refuse(&format!("a level below {above}"), level));
    }
    let mut node = file.structure(address.saturating_add(24), count * 16, "a group's tree")?;
    for _ in 0..count {
        node.take(8)?;
        visit_symbols(file, node.uint(8)?, level, sink)?;
    }
    Ok(())
}

/// Name and address of a link, unless it leads to a path.
fn link(body: &[u8]) -> Result<Option<(Vec<u8>, u64)>, Hdf5Error> {
    let mut link = Cursor::new(body, "a link");
    link.expect(&[1])?;
    let flags = link.byte()?;
    let kind = if flags & 8 == 0 { 0 } else { link.byte()? };
    link.take(if flags & 4 == 0 { 0 } else { 8 })?;
    link.take(u64::from(flags >> 4 & 1))?;
    let len = link.uint(1 << (flags & 3))?;
    let name = link.take(len)?.to_vec();
    Ok(if kind == 0 { Some((name, link.uint(8)?)) } else { None })
}
