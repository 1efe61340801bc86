//! TensorBoard's event files: records of protocol-buffer messages `Event`.

use super::{score_tags, varint};
use crate::report::{Curves, Scores};

/// Wire types of protocol buffers.
const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const BYTES: u64 = 2;
const FIXED32: u64 = 5;

/// The content of an event file with every loss over its steps and every score at the last step.
///
/// `wall_time` stands at every event, in seconds since 1970; an exported run has no other.
pub fn tensorboard_events(curves: &Curves, scores: Option<&Scores>, wall_time: f64) -> Vec<u8> {
    let mut file = Vec::new();
    let mut version = header(wall_time, 0);
    put_bytes(&mut version, 3, b"brain.Event:2");
    record(&mut file, &version);
    for series in &curves.series {
        for &(step, value) in &series.points {
            scalar(&mut file, wall_time, step, &format!("loss/{}", series.term), value);
        }
    }
    let last = curves.series.iter().flat_map(|s| s.points.iter().map(|(step, _)| *step)).max();
    for (tag, value) in score_tags(scores) {
        scalar(&mut file, wall_time, last.unwrap_or(0), &tag, value);
    }
    file
}

/// `Event { wall_time = 1, step = 2, summary = 5 { value = 1 { tag = 1, simple_value = 2 } } }`.
fn scalar(file: &mut Vec<u8>, wall_time: f64, step: u64, tag: &str, value: f64) {
    let mut entry = Vec::new();
    put_bytes(&mut entry, 1, tag.as_bytes());
    put_key(&mut entry, 2, FIXED32);
    entry.extend((value as f32).to_le_bytes());
    let mut summary = Vec::new();
    put_bytes(&mut summary, 1, &entry);
    let mut event = header(wall_time, step);
    put_bytes(&mut event, 5, &summary);
    record(file, &event);
}

fn header(wall_time: f64, step: u64) -> Vec<u8> {
    let mut event = Vec::new();
    put_key(&mut event, 1, FIXED64);
    event.extend(wall_time.to_le_bytes());
    put_key(&mut event, 2, VARINT);
    varint(&mut event, step);
    event
}

fn put_key(out: &mut Vec<u8>, field: u64, wire: u64) {
    varint(out, field << 3 | wire);
}

fn put_bytes(out: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    put_key(out, field, BYTES);
    varint(out, bytes.len() as u64);
    out.extend(bytes);
}

/// A record: length, its checksum, data, its checksum.
fn record(file: &mut Vec<u8>, data: &[u8]) {
    let length = (data.len() as u64).to_le_bytes();
    file.extend(length);
    file.extend(masked(crc32c(&length)).to_le_bytes());
    file.extend(data);
    file.extend(masked(crc32c(data)).to_le_bytes());
}

/// A checksum of data that may hold checksums, as TensorFlow stores it.
fn masked(crc: u32) -> u32 {
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

/// Castagnoli's cyclic redundancy check.
fn crc32c(data: &[u8]) -> u32 {
    !data.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            let carry = 0_u32.wrapping_sub(crc & 1);
            crc >> 1 ^ 0x82f6_3b78 & carry
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Series;

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        // RFC 3720, appendix B.4.
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
    }

    #[test]
    fn records_can_be_walked_and_hold_every_point() {
        let points = vec![(1, 0.5), (300, -2.0)];
        let curves =
            Curves { phases: vec![], series: vec![Series { term: "total".into(), points }] };
        let file = tensorboard_events(&curves, None, 1.0);
        let mut rest = &file[..];
        let mut count = 0;
        while !rest.is_empty() {
            let length = u64::from_le_bytes(rest[..8].try_into().unwrap()) as usize;
            assert_eq!(rest[8..12], masked(crc32c(&rest[..8])).to_le_bytes());
            let data = &rest[12..12 + length];
            assert_eq!(rest[12 + length..16 + length], masked(crc32c(data)).to_le_bytes());
            rest = &rest[16 + length..];
            count += 1;
        }
        assert_eq!(count, 3);
        assert!(file.windows(10).any(|part| part == b"loss/total"));
        assert!(file.windows(4).any(|part| part == (-2.0_f32).to_le_bytes()));
    }
}
