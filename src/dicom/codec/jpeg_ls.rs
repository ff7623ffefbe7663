//! JPEG-LS frames of one component to samples: lossless and near-lossless, of 2 to 16 bits.
//!
//! Each sample is predicted from its neighbours to the left and above, the error of the prediction is read in a Golomb code
//! whose parameter is learnt for each of 365 contexts, and runs of equal samples are counted. Names are those of the standard:
//! Ra is the sample to the left, Rb above, Rc above to the left and Rd above to the right.
//!
//! Source: ITU-T T.87, named by paragraph.

use super::bits::Bits;
use super::markers::{CUT, DRI, LSE, SOF_JPEG_LS, SOS, Segments, fill_intervals};

/// Bits of a byte behind FF that are data (T.87 A.1).
const AFTER_FF: u32 = 7;
/// Contexts of samples that are no part of a run (A.3.4).
const CONTEXTS: usize = 365;
/// Exponents of the lengths of runs (A.2.1, J).
const RUN_BITS: [u32; 32] = [
    0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13,
    14, 15,
];
/// Bounds of the correction of a prediction (A.6.2, `MIN_C` and `MAX_C`).
const CORRECTION: [i32; 2] = [-128, 127];

const DAMAGED: &str = "has an error of prediction that no sample can have: it is damaged";

/// The samples of a frame of so many rows and columns; the caller has compared these with the frame header.
///
/// # Errors
/// The stream is damaged or truncated, or of a kind that measured images do not have (colour, mapping tables).
pub(super) fn decode(stream: &[u8], rows: usize, columns: usize) -> Result<Vec<u16>, String> {
    let header = Header::of(stream)?;
    let mut samples = vec![0; rows * columns];
    if columns == 0 {
        return Ok(samples);
    }
    let quantised = header.coding.quantised_gradients();
    let lines = if header.restart_lines == 0 { rows } else { header.restart_lines.min(rows) };
    fill_intervals(stream, header.data, &mut samples, lines * columns, |bits, lines| {
        let mut scan = Scan::new(header.coding, &quantised, bits);
        scan.decode(lines, columns)?;
        Ok(scan.bits)
    })?;
    Ok(samples)
}

/// What stands before the data.
#[derive(Debug)]
struct Header {
    coding: Coding,
    /// Lines between restart markers; 0 where there are none.
    restart_lines: usize,
    /// Where the data begin.
    data: usize,
}

/// Numbers that all samples share.
#[derive(Debug, Clone, Copy)]
struct Coding {
    /// The largest sample (MAXVAL).
    largest: i32,
    /// How far a decoded sample may be off (NEAR).
    near: i32,
    /// From which size on a gradient counts as small, medium and large (T1, T2, T3).
    thresholds: [i32; 3],
    /// After how many samples a context is halved (RESET).
    reset: u32,
    /// Errors of prediction that are told apart (RANGE).
    range: i32,
    /// Bits of an error that is written as it is (qbpp).
    error_bits: u32,
    /// Longest code (LIMIT).
    longest: u32,
}

impl Header {
    fn of(stream: &[u8]) -> Result<Self, String> {
        let (mut bits, mut presets, mut restart_lines) = (None, [0; 5], 0);
        let mut segments = Segments::of(stream);
        while let Some((code, content)) = segments.next() {
            match (code, content) {
                (SOF_JPEG_LS, &[precision, ..]) => bits = Some(u32::from(precision)),
                // C.2.4.1.1: MAXVAL, T1, T2, T3 and RESET, 0 for the default.
                (LSE, [1, numbers @ ..]) => {
                    let pairs = numbers.as_chunks::<2>().0.iter();
                    let pairs = pairs.map(|&pair| i32::from(u16::from_be_bytes(pair)));
                    presets.iter_mut().zip(pairs).for_each(|(preset, given)| *preset = given);
                }
                // C.2.5: in two to four bytes; a line is the least unit that is coded where there is one component.
                (DRI, lines) => {
                    restart_lines =
                        lines.iter().take(4).fold(0, |all, &b| all << 8 | usize::from(b));
                }
                // C.2.3: one component with its table, NEAR, how components lie in one another, and a shift.
                (SOS, &[1, _, table, near, _, shift]) => {
                    if table != 0 || shift != 0 {
                        return Err("has mapped or shifted samples, which is not supported".into());
                    }
                    let bits = bits.ok_or("has no JPEG-LS frame header")?;
                    let coding = Coding::new(bits, i32::from(near), presets)?;
                    return Ok(Self { coding, restart_lines, data: segments.at });
                }
                (SOS, _) => return Err("has a scan of another kind than one component".into()),
                _ => {}
            }
        }
        Err("has no JPEG-LS scan: it is truncated or damaged".into())
    }
}

impl Coding {
    /// C.2.4.1.1 and A.2.1; `presets` are MAXVAL, T1, T2, T3 and RESET.
    fn new(bits: u32, near: i32, presets: [i32; 5]) -> Result<Self, String> {
        if !(2..=16).contains(&bits) {
            return Err(format!("has samples of {bits} bits, JPEG-LS has 2 to 16"));
        }
        let default = |preset: i32, default: i32| if preset == 0 { default } else { preset };
        let largest = default(presets[0], (1 << bits) - 1);
        let basic = basic_thresholds(largest, near);
        let thresholds: [i32; 3] = std::array::from_fn(|i| default(presets[i + 1], basic[i]));
        let reset = default(presets[4], 64);
        let [t1, t2, t3] = thresholds;
        let known = largest < 1 << bits
            && near <= largest / 2
            && near < t1
            && t1 <= t2
            && t2 <= t3
            && t3 <= largest
            && (3..=largest.max(255)).contains(&reset);
        if !known {
            return Err(format!(
                "has coding parameters that JPEG-LS does not know (MAXVAL {largest}, NEAR {near}, T1 {t1}, T2 {t2}, T3 {t3}, RESET {reset}): it is damaged"
            ));
        }
        let range = (largest + 2 * near) / (2 * near + 1) + 1;
        let bits_of = |count: i32| i32::BITS - (count - 1).leading_zeros();
        let sample_bits = bits_of(largest + 1).max(2);
        Ok(Self {
            largest,
            near,
            thresholds,
            reset: reset as u32,
            range,
            error_bits: bits_of(range),
            longest: 2 * (sample_bits + sample_bits.max(8)),
        })
    }

    /// The class of each gradient from -MAXVAL to MAXVAL, -4 to 4 (A.3.3).
    fn quantised_gradients(&self) -> Vec<i8> {
        let ([t1, t2, t3], near, largest) = (self.thresholds, self.near, self.largest);
        let mut classes = Vec::with_capacity(2 * largest as usize + 1);
        let mut up_to = |gradient: i32, class: i8| {
            classes.resize((gradient + largest + 1) as usize, class);
        };
        for (gradient, class) in [(-t3, -4), (-t2, -3), (-t1, -2), (-near - 1, -1), (near, 0)] {
            up_to(gradient, class);
        }
        for (gradient, class) in [(t1 - 1, 1), (t2 - 1, 2), (t3 - 1, 3), (largest, 4)] {
            up_to(gradient, class);
        }
        classes
    }

    /// Whether errors wrap around at a power of two, which is the case where nothing is lost and MAXVAL has all bits.
    fn wraps_at_power_of_two(&self) -> bool {
        self.near == 0 && self.range.count_ones() == 1
    }

    /// The sample of a prediction and an error of it that has been multiplied out (A.4.4, A.5.3 and A.8).
    #[inline]
    fn sample<const WRAPS: bool>(&self, predicted: i32, error: i32) -> i32 {
        if WRAPS {
            return (predicted + error) & self.largest;
        }
        let around = self.range * (2 * self.near + 1);
        let sample = predicted + error;
        let sample = if sample < -self.near {
            sample + around
        } else if sample > self.largest + self.near {
            sample - around
        } else {
            sample
        };
        sample.clamp(0, self.largest)
    }

    /// The first sum of errors in every context (A.2.1).
    fn first_sum(&self) -> u32 {
        ((self.range + 32) / 64).max(2) as u32
    }
}

/// Thresholds where none are given (C.2.4.1.1.1).
fn basic_thresholds(largest: i32, near: i32) -> [i32; 3] {
    let numbers = if largest >= 128 {
        let factor = (largest.min(4095) + 128) / 256;
        [factor + 2 + 3 * near, factor * 4 + 3 + 5 * near, factor * 17 + 4 + 7 * near]
    } else {
        let factor = 256 / (largest + 1);
        let least = |least: i32, basic: i32, shift: i32| least.max(basic / factor + shift * near);
        [least(2, 3, 3), least(3, 7, 5), least(4, 21, 7)]
    };
    let mut below = near + 1;
    numbers.map(|number| {
        if (below..=largest).contains(&number) {
            below = number;
        }
        below
    })
}

/// What has been learnt of the samples in one context (A.2.1), and what follows from it for the next of them.
#[derive(Debug, Clone, Copy)]
struct Context {
    /// Sum of the sizes of the errors (A).
    sum: u32,
    /// Sum of the errors as far as they are not corrected (B).
    bias: i32,
    /// Correction of the prediction (C).
    correction: i32,
    /// How many samples there were (N).
    count: u32,
    /// Parameter of the Golomb code (k).
    golomb: u32,
    /// All bits where even codes stand for negative errors, none otherwise (A.5.2).
    inverted: i32,
}

impl Context {
    fn new(sum: u32) -> Self {
        let golomb = golomb_parameter(1, sum);
        Self { sum, bias: 0, correction: 0, count: 1, golomb, inverted: 0 }
    }

    /// Learns from an error (A.6). Fast because it has one branch that is hard to foretell, and because what the next sample
    /// of the context waits for is worked out before it comes.
    #[inline]
    fn learn(&mut self, error: i32, coding: &Coding) {
        let mut bias = self.bias + error * (2 * coding.near + 1);
        let mut sum = self.sum + error.unsigned_abs();
        let mut count = self.count;
        if count == coding.reset {
            sum >>= 1;
            bias >>= 1;
            count >>= 1;
        }
        count += 1;
        let n = count as i32;
        let [least, most] = CORRECTION;
        let (low, high) = (bias <= -n, bias > 0);
        let correction = self.correction - i32::from(low) + i32::from(high);
        self.correction = correction.clamp(least, most);
        bias = if low { (bias + n).max(1 - n) } else { bias };
        self.bias = if high { (bias - n).min(0) } else { bias };
        (self.sum, self.count) = (sum, count);
        self.golomb = golomb_parameter(count, sum);
        let inverted = coding.near == 0 && self.golomb == 0 && 2 * self.bias <= -n;
        self.inverted = -i32::from(inverted);
    }
}

/// The least k with count · 2^k of at least the sum (A.5.1). Fast because it counts bits in place of trying.
#[inline]
fn golomb_parameter(count: u32, sum: u32) -> u32 {
    let shift = count.leading_zeros().saturating_sub(sum.leading_zeros());
    shift + u32::from(count << shift < sum)
}

/// What has been learnt of the samples that end a run (A.7.2).
#[derive(Debug, Clone, Copy)]
struct RunContext {
    sum: u32,
    count: u32,
    /// How many errors were negative (Nn).
    negative: u32,
}

/// The interval of a scan that is decoded.
#[derive(Debug)]
struct Scan<'a> {
    coding: Coding,
    /// See [`Coding::quantised_gradients`].
    quantised: &'a [i8],
    bits: Bits<'a, AFTER_FF>,
    contexts: [Context; CONTEXTS],
    /// Where neighbours differ, and where they are alike.
    run_contexts: [RunContext; 2],
    /// Place in [`RUN_BITS`] (`RUNindex`).
    run_index: usize,
}

impl<'a> Scan<'a> {
    fn new(coding: Coding, quantised: &'a [i8], bits: Bits<'a, AFTER_FF>) -> Self {
        let sum = coding.first_sum();
        Self {
            coding,
            quantised,
            bits,
            contexts: [Context::new(sum); CONTEXTS],
            run_contexts: [RunContext { sum, count: 1, negative: 0 }; 2],
            run_index: 0,
        }
    }

    /// Fills lines of so many columns.
    fn decode(&mut self, lines: &mut [u16], columns: usize) -> Result<(), String> {
        // A sample more to both sides, so that no sample lacks neighbours (A.2.1).
        let (mut above, mut line) = (vec![0_u16; columns + 2], vec![0_u16; columns + 2]);
        let wraps = self.coding.wraps_at_power_of_two();
        for target in lines.chunks_exact_mut(columns) {
            above[columns + 1] = above[columns];
            line[0] = above[1];
            if wraps {
                self.line::<true>(&above, &mut line)?;
            } else {
                self.line::<false>(&above, &mut line)?;
            }
            if self.bits.is_beyond_end() {
                return Err(CUT.into());
            }
            target.copy_from_slice(&line[1..=columns]);
            std::mem::swap(&mut above, &mut line);
        }
        Ok(())
    }

    /// Decodes a line between its two edges.
    ///
    /// Fast because classes of gradients come from a table and those above are used twice, because all that a sample waits for
    /// is its neighbour to the left, and because the bits stay in registers.
    fn line<const WRAPS: bool>(&mut self, above: &[u16], line: &mut [u16]) -> Result<(), String> {
        let Self { coding, quantised, .. } = *self;
        let class = |gradient: i32| i32::from(quantised[(gradient + coding.largest) as usize]);
        let end = line.len() - 1;
        let above = &above[..=end];
        let longest = coding.longest - coding.error_bits - 1;
        let mut x = 1;
        while x < end {
            let [mut rc, mut rb] = [above[x - 1], above[x]].map(i32::from);
            let mut ra = i32::from(line[x - 1]);
            let mut class_above = class(rb - rc);
            let mut bits = self.bits;
            while x < end {
                let rd = i32::from(above[x + 1]);
                let next_class = class(rd - rb);
                let index = (9 * next_class + class_above) * 9 + class(rc - ra);
                if index == 0 {
                    break;
                }
                // A.3.4: contexts of opposite signs are one, with errors of opposite signs.
                let sign = index >> 31;
                let context = &mut self.contexts[((index ^ sign) - sign) as usize];
                let correction = (context.correction ^ sign) - sign;
                let predicted = (predict(ra, rb, rc) + correction).clamp(0, coding.largest);
                let code = golomb(&mut bits, context.golomb, longest, &coding)?;
                let error = unfolded(code) ^ context.inverted;
                context.learn(error, &coding);
                let error = ((error ^ sign) - sign) * (2 * coding.near + 1);
                let sample = coding.sample::<WRAPS>(predicted, error);
                line[x] = sample as u16;
                x += 1;
                (ra, rc, rb, class_above) = (sample, rb, rd, next_class);
            }
            self.bits = bits;
            if x < end {
                x = self.run::<WRAPS>(above, line, x)?;
            }
        }
        Ok(())
    }

    /// A run and the sample that ends it (A.7): where the next sample stands.
    fn run<const WRAPS: bool>(
        &mut self,
        above: &[u16],
        line: &mut [u16],
        start: usize,
    ) -> Result<usize, String> {
        let end = line.len() - 1;
        let alike = line[start - 1];
        let mut x = start;
        // A.7.1.2
        while self.bits.take(1) == 1 {
            let whole = 1 << RUN_BITS[self.run_index];
            if whole <= end - x && self.run_index < RUN_BITS.len() - 1 {
                self.run_index += 1;
            }
            x += whole.min(end - x);
            if x == end {
                line[start..end].fill(alike);
                return Ok(end);
            }
        }
        let run_bits = RUN_BITS[self.run_index];
        x += self.bits.take(run_bits) as usize;
        if x >= end {
            return Err("has a run that is longer than its line: it is damaged".into());
        }
        line[start..x].fill(alike);
        line[x] = self.run_end::<WRAPS>(i32::from(alike), i32::from(above[x]), run_bits)? as u16;
        self.run_index = self.run_index.saturating_sub(1);
        Ok(x + 1)
    }

    /// The sample that ends a run (A.7.2).
    fn run_end<const WRAPS: bool>(
        &mut self,
        ra: i32,
        rb: i32,
        run_bits: u32,
    ) -> Result<i32, String> {
        let coding = self.coding;
        let alike = (ra - rb).abs() <= coding.near;
        let predicted = if alike { ra } else { rb };
        let sign = if !alike && ra > rb { -1 } else { 1 };
        let context = &mut self.run_contexts[usize::from(alike)];
        let kind = u32::from(alike);
        let golomb_k = golomb_parameter(context.count, context.sum + kind * (context.count >> 1));
        let longest = coding.longest - run_bits - 1 - coding.error_bits - 1;
        let code = golomb(&mut self.bits, golomb_k, longest, &coding)?;
        // A.7.2.1: the last bit tells the rarer sign.
        let (size, rarer) = ((code + kind).div_ceil(2), (code + kind) % 2 == 1);
        let negative = (golomb_k != 0 || 2 * context.negative >= context.count) == rarer;
        let error = if negative { -(size as i32) } else { size as i32 };
        context.negative += u32::from(error < 0);
        context.sum += (code + 1 - kind) / 2;
        if context.count == coding.reset {
            context.sum >>= 1;
            context.count >>= 1;
            context.negative >>= 1;
        }
        context.count += 1;
        Ok(coding.sample::<WRAPS>(predicted, sign * error * (2 * coding.near + 1)))
    }
}

/// The median of both neighbours and of the plane through three (A.4.1).
#[inline]
fn predict(ra: i32, rb: i32, rc: i32) -> i32 {
    (ra + rb - rc).clamp(ra.min(rb), ra.max(rb))
}

/// 0, -1, 1, -2, 2, …: the error of a code (A.5.2).
#[inline]
fn unfolded(code: u32) -> i32 {
    (code >> 1) as i32 ^ -((code & 1) as i32)
}

/// A number in a Golomb code with parameter k (A.5.3): zeros up to a one count 2^k each; after `longest` zeros the number stands
/// as it is, less one.
#[inline]
fn golomb(
    bits: &mut Bits<AFTER_FF>,
    k: u32,
    longest: u32,
    coding: &Coding,
) -> Result<u32, &'static str> {
    bits.refill();
    let ahead = bits.ahead();
    let zeros = ahead.leading_zeros();
    let code = if zeros < longest && zeros + k < Bits::<AFTER_FF>::MOST {
        let rest = (ahead << zeros << 1 >> 32) >> (32 - k);
        bits.skip(zeros + 1 + k);
        zeros << k | rest as u32
    } else {
        let (code, after) = long_golomb(*bits, k, longest, coding)?;
        *bits = after;
        code
    };
    // A.4.5: errors are taken modulo RANGE.
    if code <= coding.range as u32 { Ok(code) } else { Err(DAMAGED) }
}

/// The same for codes that may be longer than what can be looked at.
#[cold]
fn long_golomb<'a>(
    mut bits: Bits<'a, AFTER_FF>,
    k: u32,
    longest: u32,
    coding: &Coding,
) -> Result<(u32, Bits<'a, AFTER_FF>), &'static str> {
    let mut zeros = 0;
    while bits.take(1) == 0 {
        zeros += 1;
        if zeros > longest {
            // Behind the end of the data there are zeros.
            return Err(if bits.is_beyond_end() { CUT } else { DAMAGED });
        }
    }
    let code = if zeros < longest {
        u64::from(zeros) << k | u64::from(bits.take(k))
    } else {
        u64::from(bits.take(coding.error_bits)) + 1
    };
    Ok((u32::try_from(code).map_err(|_| DAMAGED)?, bits))
}
