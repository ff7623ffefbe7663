//! Lossless JPEG frames of one component to samples: Huffman codes of differences from a predictor (process 14), of 2 to 16
//! bits.
//!
//! Source: ITU-T T.81 annex H (lossless operation), C (Huffman tables), B.2 (headers), F.2.2.3 (decoding), A.4 (point transform).

use super::bits::Bits;
use super::markers::{CUT, DHT, DRI, SOF_LOSSLESS, SOS, Segments, fill_intervals};

/// Bits of a byte behind FF that are data (B.1.1.5).
const AFTER_FF: u32 = 0;
/// Bits of a code that are looked up at once; longer codes are rare.
const LOOKED_UP: u32 = 10;
/// Longest code (C.1).
const LONGEST: u32 = 16;
/// The largest class of differences (H.1.2.2).
const CLASSES: u8 = 16;

const NO_CODE: &str = "has bits that are no Huffman code: it is damaged";

/// The samples of a frame of so many rows and columns; the caller has compared these with the frame header.
///
/// # Errors
/// The stream is damaged or truncated, or of a kind that measured images do not have (colour, hierarchical).
pub(super) fn decode(stream: &[u8], rows: usize, columns: usize) -> Result<Vec<u16>, String> {
    let header = Header::of(stream)?;
    let mut samples = vec![0; rows * columns];
    if columns == 0 {
        return Ok(samples);
    }
    // An interval of all samples or more has no marker behind it.
    let interval = match header.restart_samples {
        0 => samples.len(),
        given => given.min(samples.len()),
    };
    // H.1.1
    if !interval.is_multiple_of(columns) {
        return Err("has restart intervals that are no whole lines: it is damaged".into());
    }
    fill_intervals(stream, header.data, &mut samples, interval, |mut bits, lines| {
        header.interval(&mut bits, lines, columns)?;
        Ok(bits)
    })?;
    if header.shift > 0 {
        for sample in &mut samples {
            *sample <<= header.shift;
        }
    }
    Ok(samples)
}

/// What stands before the data.
#[derive(Debug)]
struct Header {
    huffman: Huffman,
    /// Which neighbours predict a sample, 1 to 7 (H.1.2.1).
    predictor: u8,
    /// What the first sample is predicted to be.
    first: u16,
    /// Bits by which samples were shifted down (point transform).
    shift: u8,
    /// Samples between restart markers; 0 where there are none.
    restart_samples: usize,
    /// Where the data begin.
    data: usize,
}

impl Header {
    fn of(stream: &[u8]) -> Result<Self, String> {
        let (mut bits, mut restart_samples) = (None, 0);
        let mut tables = [None; 4];
        let mut segments = Segments::of(stream);
        while let Some((code, content)) = segments.next() {
            match (code, content) {
                (SOF_LOSSLESS, &[precision, ..]) => bits = Some(precision),
                (DHT, content) => read_tables(content, &mut tables)?,
                (DRI, &[high, low]) => {
                    restart_samples = usize::from(u16::from_be_bytes([high, low]));
                }
                // B.2.3: one component with its table, the predictor, and the point transform.
                (SOS, &[1, _, table, predictor, _, shift]) => {
                    let bits = bits.ok_or("has no header of a lossless JPEG frame")?;
                    let (table, shift) = (usize::from(table >> 4), shift & 0xF);
                    if !(2..=16).contains(&bits) || !(1..=7).contains(&predictor) || shift >= bits {
                        return Err(format!(
                            "has coding parameters that lossless JPEG does not know ({bits} bits, predictor {predictor}, shift {shift})"
                        ));
                    }
                    let table = tables.get(table).copied().flatten();
                    return Ok(Self {
                        huffman: Huffman::new(table.ok_or("has no Huffman table for its scan")?)?,
                        predictor,
                        first: 1 << (bits - shift - 1),
                        shift,
                        restart_samples,
                        data: segments.at,
                    });
                }
                (SOS, _) => return Err("has a scan of another kind than one component".into()),
                _ => {}
            }
        }
        Err("has no scan of a lossless JPEG frame: it is truncated or damaged".into())
    }

    /// Fills the lines between two restart markers.
    fn interval(
        &self,
        bits: &mut Bits<AFTER_FF>,
        lines: &mut [u16],
        columns: usize,
    ) -> Result<(), &'static str> {
        let (first, mut rest) = lines.split_at_mut(columns);
        // H.1.2.1: in the first line the neighbour to the left predicts, whatever the predictor is.
        self.huffman.line(bits, &[], first, self.first, |left, _, _| left)?;
        let mut above: &[u16] = first;
        while !rest.is_empty() {
            let (line, behind) = rest.split_at_mut(columns);
            let huffman = &self.huffman;
            match self.predictor {
                1 => huffman.line(bits, above, line, above[0], |a, _, _| a),
                2 => huffman.line(bits, above, line, above[0], |_, b, _| b),
                3 => huffman.line(bits, above, line, above[0], |_, _, c| c),
                4 => huffman.line(bits, above, line, above[0], |a, b, c| a + b - c),
                5 => huffman.line(bits, above, line, above[0], |a, b, c| a + ((b - c) >> 1)),
                6 => huffman.line(bits, above, line, above[0], |a, b, c| b + ((a - c) >> 1)),
                _ => huffman.line(bits, above, line, above[0], |a, b, _| (a + b) >> 1),
            }?;
            (above, rest) = (line, behind);
        }
        Ok(())
    }
}

/// A Huffman table as it is written: how many codes have each length, and their classes.
type Table<'a> = (&'a [u8; 16], &'a [u8]);

/// Tables of a segment, each behind its place (B.2.4.2). They are read only where a scan uses them: others may be of another kind.
fn read_tables<'a>(
    mut content: &'a [u8],
    tables: &mut [Option<Table<'a>>; 4],
) -> Result<(), &'static str> {
    while let [place, rest @ ..] = content {
        let (counts, rest) = rest.split_first_chunk::<16>().ok_or("has a cut Huffman table")?;
        let codes = counts.iter().map(|&count| usize::from(count)).sum::<usize>();
        let (classes, rest) = rest.split_at_checked(codes).ok_or("has a cut Huffman table")?;
        content = rest;
        // Tables of the upper half are for coefficients.
        if let Some(table) = tables.get_mut(usize::from(*place)) {
            *table = Some((counts, classes));
        }
    }
    Ok(())
}

/// A Huffman code of classes of differences.
#[derive(Debug, Clone)]
struct Huffman {
    /// For each beginning of [`LOOKED_UP`] bits the code that it begins with.
    codes: Box<[Code; 1 << LOOKED_UP]>,
    /// The longer codes with their bits, from the top of 16.
    long: Vec<(u16, Code)>,
}

/// A code: its class, and how many bits it has alone and with those of the difference behind it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Code {
    class: u8,
    bits: u8,
    /// 0 where there is no such code.
    with_difference: u8,
}

impl Huffman {
    /// Codes of each length count on from those that are shorter (C.2). More codes than classes are refused: with a thousand of
    /// them, to search the long ones would take long.
    fn new((counts, classes): Table) -> Result<Self, String> {
        if classes.len() > usize::from(CLASSES) + 1 {
            return Err("has a Huffman table of more codes than classes: it is damaged".into());
        }
        let mut codes = Box::new([Code::default(); 1 << LOOKED_UP]);
        let mut long = Vec::new();
        let mut classes = classes.iter();
        let mut next = 0_u32;
        for (length, &count) in (1..=LONGEST).zip(counts) {
            for &class in classes.by_ref().take(usize::from(count)) {
                let end = next + (1 << (LONGEST - length));
                if class > CLASSES || end > 1 << LONGEST {
                    return Err("has a Huffman table that is none: it is damaged".into());
                }
                // H.1.2.2: the difference of the largest class is known without further bits.
                let further = if class == CLASSES { 0 } else { class };
                let bits = length as u8;
                let code = Code { class, bits, with_difference: bits + further };
                if length <= LOOKED_UP {
                    let shift = LONGEST - LOOKED_UP;
                    codes[(next >> shift) as usize..(end >> shift) as usize].fill(code);
                } else {
                    long.push((next as u16, code));
                }
                next = end;
            }
        }
        Ok(Self { codes, long })
    }

    /// Fills a line. `predict` is given the samples to the left, above, and above to the left; of the first sample `first` is
    /// the prediction. There is nothing above the first line.
    ///
    /// Fast because one look at a table tells how many bits code and difference have together, so that the next look need not
    /// wait for the difference.
    #[inline]
    fn line(
        &self,
        bits: &mut Bits<AFTER_FF>,
        above: &[u16],
        line: &mut [u16],
        first: u16,
        predict: impl Fn(i32, i32, i32) -> i32,
    ) -> Result<(), &'static str> {
        let codes = &*self.codes;
        let mut own = *bits;
        let mut difference = || {
            own.refill();
            let ahead = own.ahead();
            let mut code = codes[(ahead >> (64 - LOOKED_UP)) as usize];
            if code.with_difference == 0 {
                code = self.long_code(ahead).ok_or(NO_CODE)?;
            }
            own.skip(u32::from(code.with_difference));
            Ok::<_, &str>(code.difference(ahead))
        };
        let mut left = i32::from(first.wrapping_add(difference()? as u16));
        if let Some(sample) = line.first_mut() {
            *sample = left as u16;
        }
        let mut above_left = above.first().map_or(0, |&sample| i32::from(sample));
        if above.is_empty() {
            for sample in &mut line[1..] {
                left = (predict(left, 0, 0) + difference()?) & 0xFFFF;
                *sample = left as u16;
            }
        } else {
            for (sample, &above) in line[1..].iter_mut().zip(&above[1..]) {
                let above = i32::from(above);
                left = (predict(left, above, above_left) + difference()?) & 0xFFFF;
                *sample = left as u16;
                above_left = above;
            }
        }
        *bits = own;
        if bits.is_beyond_end() { Err(CUT) } else { Ok(()) }
    }

    /// A code that is not looked up: the last of those that are not above the bits ahead.
    ///
    /// Fast because there are no more of them than classes: to compare them one by one takes less time than to search by halves.
    #[cold]
    fn long_code(&self, ahead: u64) -> Option<Code> {
        let ahead = (ahead >> 48) as u16;
        let (first, code) = *self.long.iter().rfind(|&&(first, _)| first <= ahead)?;
        (ahead >> (LONGEST as u8 - code.bits) == first >> (LONGEST as u8 - code.bits))
            .then_some(code)
    }
}

impl Code {
    /// The difference that stands behind the code (H.1.2.2, table H.2): a first bit of 0 makes it negative.
    #[inline]
    fn difference(self, ahead: u64) -> i32 {
        let class = u32::from(self.class);
        // In two steps because there may be no bits.
        let bits = (ahead << self.bits >> 32) as u32;
        let value = (bits >> 1 >> (31 - class)) as i32;
        let negative = !(bits as i32) >> 31;
        // Class 16 has the one difference 32768, which is -32768 as well modulo 2^16.
        if class == u32::from(CLASSES) {
            return 1 << 15;
        }
        value + (negative & (1 - (1 << class)))
    }
}
