//! RLE frames of one component to samples: runs of equal bytes, for each byte of a sample by itself.
//!
//! Source: DICOM PS3.5 annex G (named by paragraph).

/// Bytes of the header (G.5).
const HEADER: usize = 64;
/// Most segments that the header has room for.
const MOST_SEGMENTS: u32 = 15;
/// Bytes that are copied at once.
const BLOCK: usize = 16;

const CUT: &str = "has an RLE segment that ends before its last sample: it is truncated or damaged";

/// The samples of a frame of so many pixels, of one or two bytes each.
///
/// Fast because bytes go straight to their place in the samples, in blocks wherever there is room behind a run.
///
/// # Errors
/// The stream is damaged or truncated.
pub(super) fn decode(stream: &[u8], pixels: usize, bytes: usize) -> Result<Vec<u16>, String> {
    let segments = segments(stream)?;
    let mut samples = vec![0; pixels];
    match (bytes, segments.as_slice()) {
        // G.2: a segment for each byte.
        (1, [only]) => plane(only, &mut samples, |_, byte| byte.into())?,
        // G.2: the higher byte comes first.
        (2, [high, low]) => {
            plane(high, &mut samples, |_, byte| u16::from(byte) << 8)?;
            plane(low, &mut samples, |sample, byte| sample & 0xFF00 | u16::from(byte))?;
        }
        _ => {
            return Err(format!("has {} RLE segments, a sample has {bytes} bytes", segments.len()));
        }
    }
    Ok(samples)
}

/// The bytes of each segment: from its own offset, which is behind the header, to the next one's (G.5).
fn segments(stream: &[u8]) -> Result<Vec<&[u8]>, String> {
    let header = stream.first_chunk::<HEADER>().ok_or("has no RLE header: it is truncated")?;
    let mut numbers = header.as_chunks::<4>().0.iter().map(|&number| u32::from_le_bytes(number));
    let count = numbers.next().unwrap_or_default();
    if !(1..=MOST_SEGMENTS).contains(&count) {
        return Err(format!("claims {count} RLE segments, a frame has 1 to 15: it is damaged"));
    }
    let mut ends = numbers.clone().skip(1).take(count as usize - 1).map(|end| end as usize);
    let segment = |start: u32| {
        let end = ends.next().unwrap_or(stream.len());
        let start = start as usize;
        stream.get(start..end).filter(|_| start >= HEADER).ok_or_else(|| {
            format!("has an RLE segment from byte {start} to {end}, it has {}: it is truncated or damaged", stream.len())
        })
    };
    numbers.take(count as usize).map(segment).collect()
}

/// Puts the bytes of a segment into the samples (G.3.2); what follows the last one is padding. What is put behind the end of a run
/// must not matter once the next one is put over it.
fn plane(
    mut segment: &[u8],
    samples: &mut [u16],
    put: impl Fn(u16, u8) -> u16,
) -> Result<(), &'static str> {
    let mut rest = samples;
    while !rest.is_empty() {
        let &[control, ref behind @ ..] = segment else { return Err(CUT) };
        let count;
        match control {
            0..128 => {
                count = usize::from(control) + 1;
                literal(behind, rest, count, &put).ok_or(CUT)?;
                segment = behind.get(count..).unwrap_or_default();
            }
            128 => {
                segment = behind;
                continue;
            }
            129.. => {
                let &[byte, ref behind @ ..] = behind else { return Err(CUT) };
                count = 257 - usize::from(control);
                repeat(byte, rest, count, &put);
                segment = behind;
            }
        }
        rest = rest.get_mut(count..).unwrap_or_default();
    }
    Ok(())
}

/// Puts a run of bytes as they are, as far as there is room.
#[inline]
fn literal(
    bytes: &[u8],
    samples: &mut [u16],
    count: usize,
    put: impl Fn(u16, u8) -> u16,
) -> Option<()> {
    let each = |samples: &mut [u16], bytes: &[u8]| {
        samples.iter_mut().zip(bytes).for_each(|(sample, &byte)| *sample = put(*sample, byte));
    };
    let blocks = count.next_multiple_of(BLOCK);
    if let (Some(bytes), Some(samples)) = (bytes.get(..blocks), samples.get_mut(..blocks)) {
        let pairs = samples.as_chunks_mut::<BLOCK>().0.iter_mut().zip(bytes.as_chunks::<BLOCK>().0);
        pairs.for_each(|(samples, bytes)| each(samples, bytes));
    } else {
        let count = count.min(samples.len());
        each(&mut samples[..count], bytes.get(..count)?);
    }
    Some(())
}

/// Repeats a byte, as far as there is room.
#[inline]
fn repeat(byte: u8, samples: &mut [u16], count: usize, put: impl Fn(u16, u8) -> u16) {
    let each = |samples: &mut [u16]| {
        for sample in samples {
            *sample = put(*sample, byte);
        }
    };
    if let Some(samples) = samples.get_mut(..count.next_multiple_of(BLOCK)) {
        for block in samples.as_chunks_mut::<BLOCK>().0 {
            each(block);
        }
    } else {
        let count = count.min(samples.len());
        each(&mut samples[..count]);
    }
}
