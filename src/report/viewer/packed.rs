//! Numbers of 16 bits as text for a page: what is predicted is left out, the rest compressed without loss.
//!
//! Each number is predicted from its left, upper and upper left neighbour of the same slice (the median edge detector of
//! LOCO-I, Weinberger 2000, IEEE Trans Image Process 9:1309), the difference is folded so that small ones of either sign are
//! small, low bytes and high bytes are parted, and all is deflated (gzip) and written in base64. The page undoes it in
//! `html/viewer/decode.js`.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use rayon::prelude::*;

/// Packs a volume with axes slice, row, column.
pub(super) fn volume(values: &[u16], [_, rows, columns]: [usize; 3]) -> String {
    let area = (rows * columns).max(1);
    let slices: Vec<Vec<u16>> =
        values.par_chunks(area).map(|slice| residuals(slice, columns.max(1))).collect();
    let mut bytes = Vec::with_capacity(2 * values.len());
    bytes.extend(slices.iter().flatten().map(|&folded| folded as u8));
    bytes.extend(slices.iter().flatten().map(|&folded| (folded >> 8) as u8));
    text(&bytes)
}

/// Bytes as text.
pub(super) fn text(bytes: &[u8]) -> String {
    let mut packed = GzEncoder::new(Vec::new(), Compression::new(7));
    // Writing into memory does not fail.
    let _ = packed.write_all(bytes);
    STANDARD.encode(packed.finish().unwrap_or_default())
}

/// What is left of a slice when each value is predicted, folded: 0, -1, 1, -2... become 0, 1, 2, 3...
fn residuals(slice: &[u16], columns: usize) -> Vec<u16> {
    let fold = |difference: i16| ((difference << 1) ^ (difference >> 15)) as u16;
    let at = |n: usize| fold(slice[n].wrapping_sub(predicted(slice, n, columns)) as i16);
    (0..slice.len()).map(at).collect()
}

/// The value expected from those before it.
fn predicted(slice: &[u16], n: usize, columns: usize) -> u16 {
    match (n >= columns, !n.is_multiple_of(columns)) {
        (false, false) => 0,
        (false, true) => slice[n - 1],
        (true, false) => slice[n - columns],
        (true, true) => {
            let [left, up, corner] = [slice[n - 1], slice[n - columns], slice[n - columns - 1]];
            let (low, high) = (left.min(up), left.max(up));
            if corner >= high {
                low
            } else if corner <= low {
                high
            } else {
                left.wrapping_add(up).wrapping_sub(corner)
            }
        }
    }
}

/// Numbers in as few bytes as they need: seven bits a byte, the eighth says that more follow (LEB128).
pub(super) fn numbers(numbers: impl IntoIterator<Item = usize>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for mut number in numbers {
        while number > 0x7f {
            bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        bytes.push(number as u8);
    }
    bytes
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Read;

    /// What the page does to a text.
    pub(in crate::report::viewer) fn bytes_of(text: &str) -> Vec<u8> {
        let packed = STANDARD.decode(text).unwrap();
        let mut bytes = Vec::new();
        flate2::read::GzDecoder::new(packed.as_slice()).read_to_end(&mut bytes).unwrap();
        bytes
    }

    /// What the page makes of a volume.
    pub(in crate::report::viewer) fn unpacked(text: &str, shape: [usize; 3]) -> Vec<u16> {
        let bytes = bytes_of(text);
        let n = shape.iter().product::<usize>();
        assert_eq!(bytes.len(), 2 * n);
        let (area, columns) = (shape[1] * shape[2], shape[2]);
        let mut values = vec![0_u16; n];
        for (s, slice) in values.chunks_mut(area).enumerate() {
            for i in 0..area {
                let at = s * area + i;
                let folded = u16::from(bytes[at]) | u16::from(bytes[n + at]) << 8;
                let difference = (folded >> 1) ^ (folded & 1).wrapping_neg();
                slice[i] = predicted(slice, i, columns).wrapping_add(difference);
            }
        }
        values
    }

    /// What the page makes of numbers.
    pub(in crate::report::viewer) fn numbers_of(bytes: &[u8]) -> Vec<usize> {
        let mut found = Vec::new();
        let (mut number, mut shift) = (0, 0);
        for byte in bytes {
            number |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                found.push(number);
                (number, shift) = (0, 0);
            }
        }
        found
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(
            shape in (1_usize..4, 1_usize..6, 1_usize..6),
            seed in proptest::collection::vec(any::<u16>(), 128),
        ) {
            let shape = [shape.0, shape.1, shape.2];
            let values = &seed[..shape.iter().product()];
            prop_assert_eq!(unpacked(&volume(values, shape), shape), values);
        }

        #[test]
        fn numbers_come_back(given in proptest::collection::vec(0_usize..1 << 40, 0..20)) {
            prop_assert_eq!(numbers_of(&numbers(given.iter().copied())), given);
        }
    }

    #[test]
    fn an_even_volume_needs_next_to_nothing() {
        assert!(volume(&vec![700; 64 * 64 * 8], [8, 64, 64]).len() < 400);
    }
}
