//! Compressed streams: which fragments a frame is made of.
//!
//! Source: DICOM PS3.5 A.4 (encapsulation), ITU-T T.81 B.1.1.3 (how a JPEG image begins).

use std::borrow::Cow;
use std::ops::Range;

/// Fragments of pixel data, and where the frames begin among them.
#[derive(Debug)]
pub(super) struct Fragments {
    /// What holds the fragments.
    pub(super) bytes: Vec<u8>,
    /// Where each of them lies.
    pub(super) places: Vec<Range<usize>>,
    /// The offset of each frame's first fragment, or nothing (basic offset table).
    pub(super) offsets: Vec<u32>,
}

impl Fragments {
    /// The compressed stream of one of so many frames: one fragment, which is not copied, several found by the offset table or
    /// by how a stream begins, or all of them.
    pub(super) fn of_frame(&self, frames: usize, frame: usize) -> Result<Cow<'_, [u8]>, String> {
        let places = if frames == 1 {
            Some(self.places.as_slice())
        } else if self.places.len() == frames {
            self.places.get(frame..=frame)
        } else {
            self.firsts(frames).and_then(|firsts| {
                let end = firsts.get(frame + 1).copied().unwrap_or(self.places.len());
                self.places.get(*firsts.get(frame)?..end)
            })
        };
        match places {
            Some([place]) => Ok(Cow::Borrowed(&self.bytes[place.clone()])),
            Some(places @ [_, ..]) => {
                let parts = places.iter().map(|place| &self.bytes[place.clone()]);
                Ok(Cow::Owned(parts.collect::<Vec<_>>().concat()))
            }
            _ => Err("the frames cannot be told apart: the basic offset table is missing or wrong"
                .into()),
        }
    }

    /// The first fragment of each frame by the basic offset table, or by how streams begin where the table is missing or wrong.
    fn firsts(&self, frames: usize) -> Option<Vec<usize>> {
        let fits = |firsts: &Vec<usize>| firsts.len() == frames && firsts.first() == Some(&0);
        let by_table = (self.offsets.len() == frames).then(|| self.firsts_by_table());
        by_table.filter(fits).or_else(|| Some(self.firsts_by_start()).filter(fits))
    }

    /// The fragments at the offsets of the table, which counts from the first fragment's item tag; what follows an offset that is
    /// none of a fragment or out of order is left out.
    fn firsts_by_table(&self) -> Vec<usize> {
        let first = self.places.first().map_or(0, |place| place.start);
        let mut offsets = self.offsets.iter().map(|&offset| offset as usize).peekable();
        let mut is_next =
            |place: &Range<usize>| offsets.next_if_eq(&(place.start - first)).is_some();
        (0..self.places.len()).filter(|&i| is_next(&self.places[i])).collect()
    }

    /// The fragments that begin with the start of a JPEG image (T.81 B.1.1.3) or JPEG 2000 code stream.
    fn firsts_by_start(&self) -> Vec<usize> {
        const STARTS: [&[u8]; 2] = [&[0xFF, 0xD8, 0xFF], &[0xFF, 0x4F, 0xFF, 0x51]];
        let begins = |place: &Range<usize>| {
            STARTS.iter().any(|start| self.bytes[place.clone()].starts_with(start))
        };
        (0..self.places.len()).filter(|&i| begins(&self.places[i])).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fragments(parts: &[&[u8]], offsets: &[u32]) -> Fragments {
        let (mut bytes, mut places) = (Vec::new(), Vec::new());
        for part in parts {
            // The head of an item stands before each.
            bytes.extend([0; 8]);
            places.push(bytes.len()..bytes.len() + part.len());
            bytes.extend_from_slice(part);
        }
        Fragments { bytes, places, offsets: offsets.to_vec() }
    }

    fn found(fragments: &Fragments, frames: usize, frame: usize) -> Option<Vec<u8>> {
        fragments.of_frame(frames, frame).ok().map(Cow::into_owned)
    }

    #[test]
    fn frames_are_cut_by_fragments_or_by_the_offset_table() {
        let parts = [&[1, 1][..], &[2, 2], &[3, 3, 3, 3]];
        let without = fragments(&parts, &[]);
        assert_eq!(found(&without, 3, 1), Some(vec![2, 2]));
        assert_eq!(found(&without, 1, 0), Some(vec![1, 1, 2, 2, 3, 3, 3, 3]));
        assert_eq!(found(&without, 2, 1), None);
        let table = fragments(&parts, &[0, 20]);
        assert_eq!(found(&table, 2, 0), Some(vec![1, 1, 2, 2]));
        assert_eq!(found(&table, 2, 1), Some(vec![3, 3, 3, 3]));
        assert_eq!(found(&fragments(&parts, &[0, 99]), 2, 1), None);
        assert_eq!(found(&fragments(&parts, &[20, 0]), 2, 0), None);
        assert_eq!(found(&fragments(&parts, &[0, 10, 20]), 2, 0), None);
        // An offset that is none of a fragment is not taken for the next one's.
        for wrong in [[0, 12], [0, 19], [10, 20], [1, 20], [0, 0]] {
            assert_eq!(found(&fragments(&parts, &wrong), 2, 0), None, "{wrong:?}");
            assert_eq!(found(&fragments(&parts, &wrong), 2, 1), None, "{wrong:?}");
        }
    }

    #[test]
    fn frames_without_an_offset_table_are_cut_where_streams_begin() {
        let parts = [&[0xFF, 0xD8, 0xFF, 1][..], &[2, 2], &[0xFF, 0xD8, 0xFF, 3], &[0xFF, 0xD9]];
        let all = fragments(&parts, &[]);
        assert_eq!(found(&all, 2, 0), Some([parts[0], parts[1]].concat()));
        assert_eq!(found(&all, 2, 1), Some([parts[2], parts[3]].concat()));
        assert_eq!(found(&all, 3, 1), None);
        assert_eq!(found(&fragments(&parts[1..], &[]), 2, 1), None);
    }

    #[test]
    fn frames_with_a_wrong_offset_table_are_cut_where_streams_begin() {
        let parts = [&[0xFF, 0xD8, 0xFF, 1][..], &[2, 2], &[0xFF, 0xD8, 0xFF, 3], &[0xFF, 0xD9]];
        for table in [&[0, 22][..], &[0, 20], &[12, 22], &[0], &[0, 99], &[0, 22, 34]] {
            let all = fragments(&parts, table);
            assert_eq!(found(&all, 2, 0), Some([parts[0], parts[1]].concat()), "{table:?}");
            assert_eq!(found(&all, 2, 1), Some([parts[2], parts[3]].concat()), "{table:?}");
        }
    }

    #[test]
    fn a_frame_of_one_fragment_is_not_copied() {
        let one = fragments(&[&[1, 2]], &[]);
        assert!(matches!(one.of_frame(1, 0), Ok(Cow::Borrowed([1, 2]))));
    }
}
