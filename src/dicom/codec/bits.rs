//! Bits of an entropy-coded segment, first the most significant.
//!
//! Source: ITU-T T.81 B.1.1.5 and F.2.2.5 (a byte 0 after FF), T.87 A.1 (a bit 0 after FF), B.1.1.2 (markers).

/// Reads the bits of a segment up to the next marker. `AFTER_FF` is how many bits of a byte that follows FF are data: none in
/// JPEG, where that byte is 0, and seven in JPEG-LS.
///
/// Fast because the next bits stand in one register, which takes in eight bytes at a time where none of them is FF.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bits<'a, const AFTER_FF: u32> {
    bytes: &'a [u8],
    /// The first byte that has not been taken in.
    at: usize,
    /// The next bits; below those that are held, either the next ones or zeros.
    window: u64,
    /// How many bits of the window are held.
    held: u32,
    /// Zeros that were taken in behind the end of the data.
    beyond: u64,
}

impl<'a, const AFTER_FF: u32> Bits<'a, AFTER_FF> {
    /// Most bits that can be looked at after [`refill`](Self::refill).
    pub(super) const MOST: u32 = 32;

    /// The bits of a stream from a byte on.
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at, window: 0, held: 0, beyond: 0 }
    }

    /// Makes sure that [`MOST`](Self::MOST) bits are held.
    #[inline]
    pub(super) fn refill(&mut self) {
        if self.held >= Self::MOST {
            return;
        }
        let next = self.bytes.get(self.at..).and_then(|rest| rest.first_chunk::<8>());
        match next.map(|&next| u64::from_be_bytes(next)).filter(|&next| !has_ff(next)) {
            Some(next) => {
                self.window |= next >> self.held;
                let bytes = (63 - self.held) / 8;
                self.at += bytes as usize;
                self.held += 8 * bytes;
            }
            None => *self = self.refilled_by_bytes(),
        }
    }

    /// By value, so that the fields stay in registers where this is not called.
    #[cold]
    fn refilled_by_bytes(mut self) -> Self {
        // Room for a byte FF and what follows it.
        while self.held <= 64 - 16 {
            match *self.bytes.get(self.at..).unwrap_or_default() {
                [0xFF, next, ..] if next >> AFTER_FF == 0 => {
                    self.take_in(0xFF, 8);
                    self.take_in(u64::from(next), AFTER_FF);
                    self.at += 2;
                }
                // A marker, or the end of the stream.
                [0xFF, ..] | [] => {
                    self.beyond += u64::from(64 - self.held);
                    self.held = 64;
                }
                [byte, ..] => {
                    self.take_in(u64::from(byte), 8);
                    self.at += 1;
                }
            }
        }
        self
    }

    /// Puts so many bits behind those that are held.
    fn take_in(&mut self, bits: u64, count: u32) {
        self.window |= bits << (64 - self.held - count);
        self.held += count;
    }

    /// The next bits from the top of a word: [`MOST`](Self::MOST) of them after [`refill`](Self::refill), zeros behind.
    #[inline]
    pub(super) fn ahead(&self) -> u64 {
        self.window
    }

    /// Goes over bits that were looked at, fewer than 64.
    #[inline]
    pub(super) fn skip(&mut self, count: u32) {
        self.window <<= count;
        self.held -= count;
    }

    /// Takes up to [`MOST`](Self::MOST) bits as a number.
    #[inline]
    pub(super) fn take(&mut self, count: u32) -> u32 {
        self.refill();
        // In two steps because none may be asked for.
        let bits = (self.window >> 32) >> (32 - count);
        self.skip(count);
        bits as u32
    }

    /// Whether more bits were taken than the segment has.
    #[inline]
    pub(super) fn is_beyond_end(&self) -> bool {
        self.beyond > u64::from(self.held)
    }

    /// Where the marker behind the segment begins; fill bytes FF before it are skipped (T.81 B.1.1.2).
    pub(super) fn marker(&self) -> Option<usize> {
        let rest = self.bytes.get(self.at..)?;
        let is_marker =
            |pair: &[u8]| pair[0] == 0xFF && pair[1] != 0xFF && pair[1] >> AFTER_FF != 0;
        rest.windows(2).position(is_marker).map(|found| self.at + found)
    }

    /// Whether data are left that nothing has asked for: a whole byte before the marker. Where there is no marker, one byte may
    /// be padding, for fragments have an even length (DICOM PS3.5 A.4).
    pub(super) fn has_more(&self) -> bool {
        let marker = self.marker();
        let before = &self.bytes[..marker.unwrap_or(self.bytes.len())];
        let fill = before.iter().rev().take_while(|&&byte| byte == 0xFF).count();
        let before = &before[..before.len() - fill];
        // Behind a last byte FF that only just belongs to the data, its stuffing stands by itself.
        let stuffing = if let [.., 0xFF, _] = before { AFTER_FF } else { 0 };
        let padding = if marker.is_none() { 8 } else { 0 };
        let bits = u64::from(self.held) + 8 * before.len().saturating_sub(self.at) as u64;
        bits.saturating_sub(self.beyond) >= u64::from(8 + stuffing + padding)
    }
}

/// Whether a byte of a word is FF: of its complement, one is 0, and borrows from its own highest bit alone.
#[inline]
fn has_ff(word: u64) -> bool {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    (!word).wrapping_sub(ONES) & word & (ONES << 7) != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all<const AFTER_FF: u32>(bytes: &[u8], counts: impl IntoIterator<Item = u32>) -> Vec<u32> {
        let mut bits = Bits::<AFTER_FF>::new(bytes, 0);
        counts.into_iter().map(|count| bits.take(count)).collect()
    }

    #[test]
    fn what_follows_ff_is_taken_out() {
        let bytes = [0xFF, 0x00, 0xA5, 0xFF, 0x7F, 0x80];
        assert_eq!(all::<0>(&bytes[..3], [8, 8]), [0xFF, 0xA5]);
        assert_eq!(all::<7>(&bytes, [8, 7, 8, 8, 7, 1, 0]), [0xFF, 0, 0xA5, 0xFF, 0x7F, 1, 0]);
    }

    #[test]
    fn bits_are_the_same_however_many_are_taken_at_a_time() {
        let bytes: Vec<u8> = (0..999_u32).map(|i| ((i * i * 7) >> 3) as u8 & 0xFE).collect();
        let plain = |at: usize| u32::from(bytes[at / 8] >> (7 - at % 8) & 1);
        for step in 1..=32 {
            let found = all::<7>(&bytes, vec![step as u32; bytes.len() * 8 / step]);
            for (n, found) in found.into_iter().enumerate() {
                let expected = (n * step..(n + 1) * step).fold(0, |all, at| all << 1 | plain(at));
                assert_eq!(found, expected, "{step} bits from {}", n * step);
            }
        }
    }

    #[test]
    fn the_end_is_noticed_when_it_is_passed() {
        for (bytes, marker) in [(&[1, 2, 0xFF, 0xFF, 0xD9][..], Some(3)), (&[1, 2], None)] {
            let mut bits = Bits::<7>::new(bytes, 0);
            assert_eq!(bits.take(16), 0x0102);
            assert!(!bits.is_beyond_end());
            assert_eq!(bits.marker(), marker);
            assert_eq!(bits.take(1), 0);
            assert!(bits.is_beyond_end());
        }
        assert_eq!(Bits::<7>::new(&[1], 9).take(32), 0);
    }

    #[test]
    fn data_that_are_left_over_are_noticed() {
        let left = |bytes: &[u8], taken: u32| {
            let mut bits = Bits::<7>::new(bytes, 0);
            bits.take(taken);
            bits.has_more()
        };
        for (bytes, least) in [
            (&[1, 2, 0xFF, 0xD9][..], 9),
            (&[1, 2, 0xFF, 0xFF, 0xFF, 0xD9], 9),
            (&[1, 2, 0xFF, 0xD9, 3, 4], 9),
            (&[1, 2, 3], 9),
            (&[1, 2, 3, 0xFF], 9),
            (&[0xFF, 0x7F, 0xFF, 0xD9], 1),
            (&[1, 0xFF, 0, 0xFF, 0xD9], 9),
            (&[1, 0xFF, 0, 3, 0xFF, 0xD9], 24),
        ] {
            assert!(left(bytes, least - 1), "{bytes:?}");
            assert!(!left(bytes, least) && !left(bytes, 32), "{bytes:?}");
        }
        let long = [&[1; 20][..], &[0xFF, 0xD9]].concat();
        assert!(left(&long, 32) && !left(&long[16..], 32));
        // In JPEG the byte behind FF holds no bits.
        let mut bits = Bits::<0>::new(&[1, 0xFF, 0, 0xFF, 0xD9], 0);
        bits.take(8);
        assert!(bits.has_more());
        bits.take(1);
        assert!(!bits.has_more());
    }

    #[test]
    fn a_word_with_ff_is_told_from_one_without() {
        for at in 0..8 {
            let mut bytes = [0xFE, 0, 0x80, 0x7F, 1, 0xFE, 0, 0xEF];
            assert!(!has_ff(u64::from_be_bytes(bytes)));
            bytes[at] = 0xFF;
            assert!(has_ff(u64::from_be_bytes(bytes)), "{at}");
        }
    }
}
