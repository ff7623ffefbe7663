//! Compressed streams of the tests, and of the benches: plain encoders of what is decoded.

/// JPEG-LS, with samples that are off by up to `near`.
pub(crate) fn jpeg_ls(
    samples: &[u16],
    rows: usize,
    columns: usize,
    bits: u32,
    near: u8,
) -> Vec<u8> {
    let mut options = jpegls::EncodeOptions::default();
    (options.near, options.precision) = (near, Some(bits as u8));
    let mut stream = Vec::new();
    jpegls::encode_with_options(samples, columns as u32, rows as u32, &options, &mut stream)
        .unwrap();
    stream
}

/// RLE (PS3.5 annex G): one segment for each of so many bytes of a sample, the highest first.
pub(crate) fn rle(samples: &[u16], bytes: usize) -> Vec<u8> {
    let mut stream = vec![0; 64];
    stream[0] = bytes as u8;
    for n in 0..bytes {
        let start = (stream.len() as u32).to_le_bytes();
        stream[4 + 4 * n..8 + 4 * n].copy_from_slice(&start);
        let plane: Vec<_> = samples.iter().map(|&s| (s >> (8 * (bytes - 1 - n))) as u8).collect();
        let mut literal = Vec::new();
        for piece in plane.chunk_by(|a, b| a == b) {
            if piece.len() < 3 {
                literal.extend_from_slice(piece);
                continue;
            }
            write_literal(&mut literal, &mut stream);
            for run in piece.chunks(128) {
                match *run {
                    [byte] => stream.extend([0, byte]),
                    [byte, ..] => stream.extend([(257 - run.len()) as u8, byte]),
                    [] => {}
                }
            }
        }
        write_literal(&mut literal, &mut stream);
        // 128 stands for nothing.
        stream.resize(stream.len().next_multiple_of(2), 128);
    }
    stream
}

fn write_literal(literal: &mut Vec<u8>, stream: &mut Vec<u8>) {
    for run in literal.chunks(128) {
        stream.push((run.len() - 1) as u8);
        stream.extend_from_slice(run);
    }
    literal.clear();
}

/// Lossless JPEG with a Huffman code in which classes of differences have one to sixteen bits.
pub(crate) struct Lossless {
    /// Bits of a sample.
    pub(crate) bits: u32,
    /// Which neighbours predict, 1 to 7.
    pub(crate) predictor: u8,
    /// Bits by which samples are shifted down.
    pub(crate) shift: u32,
    /// Lines between restart markers; 0 for none.
    pub(crate) restart_lines: usize,
}

impl Lossless {
    /// Class 7 has the shortest code, and the last two the longest.
    const CLASSES: [u8; 17] = [7, 6, 8, 5, 9, 4, 10, 3, 11, 2, 12, 1, 13, 0, 14, 15, 16];

    /// The stream of an image.
    pub(crate) fn write(&self, image: &[u16], columns: usize) -> Vec<u8> {
        let [rows_be, columns_be] =
            [image.len() / columns, columns].map(|n| (n as u16).to_be_bytes());
        let mut out = vec![0xFF, 0xD8, 0xFF, 0xC3, 0, 11, self.bits as u8];
        out.extend([rows_be, columns_be].as_flattened());
        out.extend([1, 1, 0x11, 0, 0xFF, 0xC4, 0, 36, 0]);
        out.extend([1; 15]);
        out.push(2);
        out.extend(Self::CLASSES);
        if self.restart_lines > 0 {
            let samples = ((self.restart_lines * columns) as u16).to_be_bytes();
            out.extend([0xFF, 0xDD, 0, 4, samples[0], samples[1]]);
        }
        out.extend([0xFF, 0xDA, 0, 8, 1, 1, 0, self.predictor, 0, self.shift as u8]);
        let lines = if self.restart_lines > 0 { self.restart_lines } else { image.len() };
        for (n, strip) in image.chunks(lines * columns).enumerate() {
            if n > 0 {
                out.extend([0xFF, 0xD0 + ((n - 1) % 8) as u8]);
            }
            self.strip(strip, columns, &mut out);
        }
        out.extend([0xFF, 0xD9]);
        out
    }

    fn strip(&self, strip: &[u16], columns: usize, out: &mut Vec<u8>) {
        let mut bits = Vec::new();
        for i in 0..strip.len() {
            let at = |i: usize| i32::from(strip[i] >> self.shift);
            let predicted = match (i / columns, i % columns) {
                (0, 0) => 1 << (self.bits - self.shift - 1),
                (0, _) => at(i - 1),
                (_, 0) => at(i - columns),
                _ => {
                    let (a, b, c) = (at(i - 1), at(i - columns), at(i - columns - 1));
                    match self.predictor {
                        1 => a,
                        2 => b,
                        3 => c,
                        4 => a + b - c,
                        5 => a + ((b - c) >> 1),
                        6 => b + ((a - c) >> 1),
                        _ => (a + b) >> 1,
                    }
                }
            };
            let difference = i32::from((at(i) - predicted) as i16);
            let class = i32::BITS - difference.unsigned_abs().leading_zeros();
            let place = Self::CLASSES.iter().position(|&c| u32::from(c) == class).unwrap();
            // 0, 10, 110, … and at the end two of sixteen bits.
            let (code, length) = match place {
                0..=14 => ((1_u32 << (place + 1)) - 2, place + 1),
                _ => (0xFFFE + place as u32 - 15, 16),
            };
            let mut push = |value: u32, count: usize| {
                bits.extend((0..count).rev().map(|bit| (value >> bit & 1) as u8));
            };
            push(code, length);
            let further = if difference < 0 { difference - 1 } else { difference };
            push(further as u32, if class == 16 { 0 } else { class as usize });
        }
        bits.resize(bits.len().next_multiple_of(8), 1);
        for byte in bits.chunks(8).map(|byte| byte.iter().fold(0, |all, bit| all << 1 | bit)) {
            out.push(byte);
            if byte == 0xFF {
                out.push(0);
            }
        }
    }
}
