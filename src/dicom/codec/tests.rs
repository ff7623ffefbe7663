use proptest::prelude::*;

use self::encode::{Lossless, jpeg_ls, rle};
use super::*;

#[path = "../../../tests/it/encode.rs"]
mod encode;

/// Images of so many bits that a coder meets: equal, smooth, noisy, of the extremes alone, and with runs.
fn images(bits: u32, rows: usize, columns: usize) -> [Vec<u16>; 6] {
    let largest = (1_u32 << bits) - 1;
    let noise = |i: usize| {
        (i as u32).wrapping_mul(0x9E37_79B9) ^ (i as u32).wrapping_mul(0x85EB_CA6B) >> 13
    };
    let image = |value: &dyn Fn(usize, usize, u32) -> u32| {
        let pixel = |i: usize| value(i / columns, i % columns, noise(i) >> 8) as u16;
        (0..rows * columns).map(pixel).collect()
    };
    [
        image(&|_, _, _| largest / 3),
        image(&|y, x, _| (3 * y + 5 * x) as u32 & largest),
        image(&|_, _, noise| noise & largest),
        image(&|_, _, noise| (noise & 1) * largest),
        image(&|y, x, noise| ((y / 3 + x / 7) as u32 * 11 + noise % 3).min(largest)),
        image(&|y, x, noise| {
            let value = if (x / 9 + y / 4) % 2 == 0 { largest / 2 } else { noise % 5 };
            value.min(largest)
        }),
    ]
}

const SIZES: [(usize, usize); 6] = [(1, 1), (1, 40), (40, 1), (5, 3), (17, 33), (64, 128)];

fn frame(rows: usize, columns: usize) -> Frame {
    Frame { rows, columns, bits_allocated: 16 }
}

fn words(codec: Codec, stream: &[u8], rows: usize, columns: usize) -> Result<Vec<u16>, String> {
    codec.decode(stream, frame(rows, columns)).map(|decoded| decoded.words)
}

#[test]
fn jpeg_ls_gives_back_what_was_written() {
    for bits in 2..=16 {
        for (rows, columns) in SIZES {
            for (n, image) in images(bits, rows, columns).iter().enumerate() {
                let stream = jpeg_ls(image, rows, columns, bits, 0);
                let found = words(Codec::JpegLs, &stream, rows, columns);
                assert_eq!(
                    found.as_ref(),
                    Ok(image),
                    "image {n} of {bits} bits, {rows} x {columns}"
                );
            }
        }
    }
}

#[test]
fn jpeg_ls_with_loss_is_as_another_decoder_has_it() {
    for bits in [3, 5, 8, 12, 15, 16] {
        for (rows, columns) in SIZES {
            for near in 1..=3 {
                for (n, image) in images(bits, rows, columns).iter().enumerate() {
                    let stream = jpeg_ls(image, rows, columns, bits, near);
                    let (expected, ..) =
                        jpegls::decode(&stream, columns as u32, rows as u32).unwrap();
                    let found = words(Codec::JpegLs, &stream, rows, columns).unwrap();
                    assert!(
                        found == expected,
                        "image {n} of {bits} bits, {rows} x {columns}, {near}"
                    );
                    let off = found.iter().zip(image).map(|(a, b)| a.abs_diff(*b)).max();
                    assert!(off <= Some(u16::from(near)));
                }
            }
        }
    }
}

/// The example of T.87 H.3.
#[test]
fn the_example_of_the_standard_is_read() {
    let stream = [
        0xFF, 0xD8, 0xFF, 0xF7, 0x00, 0x0B, 0x08, 0x00, 0x04, 0x00, 0x04, 0x01, 0x01, 0x11, 0x00,
        0xFF, 0xDA, 0x00, 0x08, 0x01, 0x01, 0x00, 0x00, 0x00, 0x00, 0xC0, 0x00, 0x00, 0x6C, 0x80,
        0x20, 0x8E, 0x01, 0xC0, 0x00, 0x00, 0x57, 0x40, 0x00, 0x00, 0x6E, 0xE6, 0x00, 0x00, 0x01,
        0xBC, 0x18, 0x00, 0x00, 0x05, 0xD8, 0x00, 0x00, 0x91, 0x60, 0xFF, 0xD9,
    ];
    let expected = [0, 0, 90, 74, 68, 50, 43, 205, 64, 145, 145, 145, 100, 145, 145, 145];
    assert_eq!(words(Codec::JpegLs, &stream, 4, 4), Ok(expected.to_vec()));
}

/// The place of the data in a stream of [`jpeg_ls`], which ends in a marker of two bytes.
fn data(stream: &[u8]) -> std::ops::Range<usize> {
    let mut segments = markers::Segments::of(stream);
    segments.find(|&(code, _)| code == markers::SOS).unwrap();
    segments.at..stream.len() - 2
}

/// An image as strips of so many lines that are coded each by itself, with restart markers between them.
fn jpeg_ls_with_restarts(image: &[u16], columns: usize, bits: u32, lines: usize) -> Vec<u8> {
    let rows = image.len() / columns;
    let head = jpeg_ls(image, rows, columns, bits, 0);
    let sos = data(&head).start - 10;
    let mut stream =
        [&head[..sos], &[0xFF, 0xDD, 0, 4, 0, lines as u8], &head[sos..sos + 10]].concat();
    for (n, strip) in image.chunks(lines * columns).enumerate() {
        if n > 0 {
            stream.extend([0xFF, 0xD0 + ((n - 1) % 8) as u8]);
        }
        let strip = jpeg_ls(strip, strip.len() / columns, columns, bits, 0);
        stream.extend(&strip[data(&strip)]);
    }
    stream.extend([0xFF, 0xD9]);
    stream
}

#[test]
fn jpeg_ls_with_restart_markers_is_read() {
    let (rows, columns) = (21, 13);
    for image in images(12, rows, columns) {
        for lines in [1, 2, 7, 20, 21, 30] {
            let stream = jpeg_ls_with_restarts(&image, columns, 12, lines);
            assert_eq!(
                words(Codec::JpegLs, &stream, rows, columns).as_ref(),
                Ok(&image),
                "{lines}"
            );
        }
    }
    let mut stream = jpeg_ls_with_restarts(&images(12, rows, columns)[2], columns, 12, 7);
    let second = stream.windows(2).rposition(|pair| pair == [0xFF, 0xD1]).unwrap();
    stream[second + 1] = 0xD2;
    let refused = words(Codec::JpegLs, &stream, rows, columns).unwrap_err();
    assert!(refused.contains("restart marker"), "{refused}");
}

/// Written by `CharLS`, as DCMTK calls it, with parameters of its own.
#[test]
fn jpeg_ls_with_presets_is_read() {
    let stream = include_bytes!("../../../tests/data/jpeg_ls/presets.jls");
    let samples = include_bytes!("../../../tests/data/jpeg_ls/presets.raw");
    let samples: Vec<_> = samples.as_chunks().0.iter().map(|&b| u16::from_le_bytes(b)).collect();
    assert!(stream.windows(2).any(|pair| pair == [0xFF, markers::LSE]));
    assert_eq!(words(Codec::JpegLs, stream, 32, 48), Ok(samples));
}

#[test]
fn jpeg_ls_of_other_kinds_is_refused_in_words() {
    let whole = jpeg_ls(&images(12, 9, 9)[4], 9, 9, 12, 0);
    let scan = data(&whole).start;
    let with = |at: usize, byte: u8| {
        let mut stream = whole.clone();
        stream[at] = byte;
        words(Codec::JpegLs, &stream, 9, 9).unwrap_err()
    };
    let presets = |numbers: [u8; 10]| {
        let sos = scan - 10;
        let lse = [&[0xFF, 0xF8, 0, 13, 1][..], &numbers].concat();
        words(Codec::JpegLs, &[&whole[..sos], &lse, &whole[sos..]].concat(), 9, 9)
    };
    assert!(with(scan - 4, 1).contains("mapped or shifted"), "a mapping table");
    assert!(with(scan - 1, 1).contains("mapped or shifted"), "a shift");
    let mut of_8_bits = jpeg_ls(&images(8, 9, 9)[4], 9, 9, 8, 0);
    let scan_of_8_bits = data(&of_8_bits).start;
    of_8_bits[scan_of_8_bits - 3] = 128;
    let refused = words(Codec::JpegLs, &of_8_bits, 9, 9).unwrap_err();
    assert!(refused.contains("does not know (MAXVAL 255, NEAR 128,"), "{refused}");
    assert!(with(scan - 6, 3).contains("another kind"), "three components");
    assert!(presets([0; 10]).is_ok(), "zeros are the defaults");
    // MAXVAL 4096 of 12 bits; T1 above T2; RESET 2.
    for numbers in [
        [16, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 90, 0, 80, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 2],
    ] {
        let refused = presets(numbers).unwrap_err();
        assert!(refused.contains("parameters that JPEG-LS does not know"), "{refused}");
    }
    let (rows, columns) = (9, 10);
    let refused = words(Codec::JpegLs, &whole, rows, columns).unwrap_err();
    assert!(refused.contains("the compressed frame is 9 x 9"), "{refused}");
}

/// The samples that another decoder has of a lossless JPEG stream of more than 8 bits.
fn of_another(stream: &[u8]) -> Vec<u16> {
    let bytes = jpeg_decoder::Decoder::new(stream).decode().unwrap();
    bytes.as_chunks().0.iter().map(|&b| u16::from_ne_bytes(b)).collect()
}

/// Where the table of [`Lossless`] begins.
const LOSSLESS_DHT: usize = 15;
/// Where its scan begins, if there are no restarts.
const LOSSLESS_SOS: usize = LOSSLESS_DHT + 38;

/// The samples that another decoder has of a stream of [`Lossless`]. It knows neither restarts nor shifts, so each interval is
/// given to it as an image by itself (T.81 H.1.2.1), and shifted samples as those of fewer bits (A.4).
fn of_another_in_parts(stream: &[u8], rows: usize, columns: usize, coding: &Lossless) -> Vec<u16> {
    let scan = data(stream);
    let mut head = [&stream[..LOSSLESS_SOS], &stream[scan.start - 10..scan.start]].concat();
    let shift = head.pop().unwrap();
    assert_eq!(u32::from(shift), coding.shift);
    head[6] -= shift;
    head.push(0);
    let is_restart = |&at: &usize| stream[at] == 0xFF && (0xD0..0xD8).contains(&stream[at + 1]);
    let ends = scan.clone().filter(is_restart).chain([scan.end]);
    let lines = if coding.restart_lines == 0 { rows } else { coding.restart_lines };
    let (mut begin, mut left, mut samples) = (scan.start, rows, Vec::new());
    for end in ends {
        head[8] = left.min(lines) as u8;
        samples.extend(of_another(&[&head, &stream[begin..end], &[0xFF, 0xD9]].concat()));
        (begin, left) = (end + 2, left.saturating_sub(lines));
    }
    assert_eq!(samples.len(), rows * columns);
    samples.iter().map(|sample| sample << shift).collect()
}

#[test]
fn lossless_jpeg_gives_back_what_was_written() {
    for predictor in 1..=7 {
        for bits in [2, 8, 11, 12, 16] {
            for (rows, columns) in SIZES {
                for image in images(bits, rows, columns) {
                    let coding = Lossless { bits, predictor, shift: 0, restart_lines: 0 };
                    let stream = coding.write(&image, columns);
                    let found = words(Codec::Jpeg, &stream, rows, columns).unwrap();
                    assert!(
                        found == image,
                        "predictor {predictor}, {bits} bits, {rows} x {columns}"
                    );
                    if columns > 1 && bits > 8 {
                        assert!(
                            found == of_another(&stream),
                            "predictor {predictor}, {bits} bits, another decoder"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn lossless_jpeg_with_restarts_and_shifts_is_read() {
    let (rows, columns) = (21, 13);
    let codings = [(1, 0), (7, 0), (20, 0), (21, 0), (30, 0), (4, 3), (0, 5)];
    for image in images(16, rows, columns) {
        for (predictor, (restart_lines, shift)) in (1..=7).flat_map(|p| codings.map(|c| (p, c))) {
            let coding = Lossless { bits: 16, predictor, shift, restart_lines };
            let stream = coding.write(&image, columns);
            let found = words(Codec::Jpeg, &stream, rows, columns);
            let expected: Vec<_> = image.iter().map(|&s| s >> shift << shift).collect();
            let name = format!("predictor {predictor}, {restart_lines} lines, shift {shift}");
            assert_eq!(found.as_ref(), Ok(&expected), "{name}");
            let other = of_another_in_parts(&stream, rows, columns, &coding);
            assert_eq!(other, expected, "{name}, another decoder");
        }
    }
}

#[test]
fn restart_intervals_of_lossless_jpeg_are_whole_lines_or_all() {
    let (rows, columns) = (21, 13);
    let image = &images(12, rows, columns)[4];
    let coding = Lossless { bits: 12, predictor: 2, shift: 0, restart_lines: 0 };
    let whole = coding.write(image, columns);
    let with = |samples: u16| {
        let [high, low] = samples.to_be_bytes();
        let dri = [0xFF, markers::DRI, 0, 4, high, low];
        let stream = [&whole[..LOSSLESS_SOS], &dri, &whole[LOSSLESS_SOS..]].concat();
        words(Codec::Jpeg, &stream, rows, columns)
    };
    for samples in [0, 21 * 13, 21 * 13 + 1, u16::MAX] {
        assert_eq!(with(samples).as_ref(), Ok(image), "{samples}");
    }
    assert!(with(21 * 13 - 1).unwrap_err().contains("no whole lines"));
    assert!(with(20 * 13).unwrap_err().contains("restart marker"));
}

#[test]
fn what_stands_before_the_scan_of_lossless_jpeg_may_differ() {
    let (rows, columns) = (17, 33);
    let image = &images(12, rows, columns)[2];
    let coding = Lossless { bits: 12, predictor: 6, shift: 0, restart_lines: 0 };
    let whole = coding.write(image, columns);
    let head = &whole[..LOSSLESS_DHT];
    let table = &whole[LOSSLESS_DHT + 5..LOSSLESS_SOS];
    let rest = &whole[LOSSLESS_SOS..];
    let dht = |tables: &[u8]| {
        let length = (tables.len() as u16 + 2).to_be_bytes();
        [&[0xFF, markers::DHT], &length[..], tables].concat()
    };
    let check = |stream: &[u8], by_another: bool, name: &str| {
        assert_eq!(words(Codec::Jpeg, stream, rows, columns).as_ref(), Ok(image), "{name}");
        assert!(!by_another || of_another(stream) == *image, "{name}, another decoder");
    };
    // Two codes of one bit for classes 3 and 4, which would give other samples.
    let other = [&[2][..], &[0; 15], &[3, 4]].concat();
    for id in 0..4_u8 {
        let own = [&[id], table].concat();
        let of_others = |places: &[u8]| {
            places.iter().flat_map(|&place| [&[place][..], &other].concat()).collect::<Vec<_>>()
        };
        let others = of_others(&[(id + 1) % 4, (id + 3) % 4]);
        let mut rest = rest.to_vec();
        rest[6] = id << 4;
        for (tables, name) in [
            (dht(&own), "a table"),
            (dht(&[&others[..], &own].concat()), "the last of three"),
            (dht(&[&own, &others[..]].concat()), "the first of three"),
            (dht(&[&of_others(&[id])[..], &own].concat()), "another one of the same place"),
            ([dht(&others), dht(&own)].concat(), "two segments"),
            (dht(&[&of_others(&[0x10 + id])[..], &own].concat()), "one for coefficients"),
        ] {
            let name = format!("{name}, place {id}");
            check(&[head, &tables, &rest].concat(), true, &name);
        }
        // Of no use, and not what a table of differences is.
        let unused = [&[(id + 1) % 4, 2][..], &[0; 15], &[0x21, 0xF0]].concat();
        check(&[head, &dht(&[&own[..], &unused].concat()), &rest].concat(), false, "an unused one");
    }
    let tables = &whole[LOSSLESS_DHT..LOSSLESS_SOS];
    let mut sampled = head.to_vec();
    assert_eq!(sampled[13], 0x11);
    sampled[13] = 0x22;
    check(&[&sampled, tables, rest].concat(), true, "sampling factors of 2 x 2");
    for code in [0xE1, 0xEE, 0xFE] {
        let segment = [0xFF, code, 0, 8, 0xFF, markers::SOS, 0xFF, 0xD9, 0xFF, 0xFF];
        check(&[head, tables, &segment, rest].concat(), code != 0xEE, "a segment");
        check(
            &[&head[..2], &segment, &head[2..], tables, rest].concat(),
            code != 0xEE,
            "one first",
        );
    }
}

#[test]
fn lossless_jpeg_of_other_kinds_is_refused_in_words() {
    let coding = Lossless { bits: 12, predictor: 1, shift: 0, restart_lines: 0 };
    let whole = coding.write(&images(12, 9, 9)[4], 9);
    let (dht, sos) = (LOSSLESS_DHT, LOSSLESS_SOS);
    let with = |changes: &[(usize, u8)]| {
        let mut stream = whole.clone();
        for &(at, byte) in changes {
            stream[at] = byte;
        }
        words(Codec::Jpeg, &stream, 9, 9).unwrap_err()
    };
    assert_eq!((whole[dht + 1], whole[sos + 1]), (markers::DHT, markers::SOS));
    assert!(with(&[(sos + 7, 0)]).contains("predictor 0"));
    assert!(with(&[(sos + 9, 12)]).contains("shift 12"));
    assert!(with(&[(sos + 6, 0x10)]).contains("no Huffman table"));
    assert!(with(&[(sos + 4, 2)]).contains("another kind"));
    assert!(with(&[(dht + 5, 3)]).contains("Huffman table"), "three codes of one bit");
    assert!(with(&[(dht + 20, 3)]).contains("Huffman table"), "more codes than classes");
    assert!(with(&[(dht + 22, 17)]).contains("Huffman table"), "a class of 17");
    // One code more than there are classes.
    let more = |classes: &[u8], codes_of_16_bits: u8| {
        let mut table = [&whole[dht..sos], classes].concat();
        (table[3], table[20]) = (table[3] + classes.len() as u8, codes_of_16_bits);
        words(Codec::Jpeg, &[&whole[..dht], &table, &whole[sos..]].concat(), 9, 9)
    };
    assert!(more(&[], 2).is_ok());
    assert!(more(&[16], 3).unwrap_err().contains("more codes than classes"));
}

#[test]
fn rle_gives_back_what_was_written() {
    for (rows, columns) in SIZES {
        for image in images(16, rows, columns) {
            assert_eq!(words(Codec::Rle, &rle(&image, 2), rows, columns).as_ref(), Ok(&image));
        }
        for image in images(8, rows, columns) {
            let stream = rle(&image, 1);
            let frame = Frame { bits_allocated: 8, ..frame(rows, columns) };
            assert_eq!(Codec::Rle.decode(&stream, frame).unwrap().words, image);
        }
    }
}

#[test]
fn literal_runs_of_every_length_are_read() {
    for length in 1..=128_usize {
        let bytes: Vec<u8> = (0..3 * length).map(|i| (i * 7 + i / 5) as u8).collect();
        let runs = bytes.chunks(length).flat_map(|run| [&[(length - 1) as u8], run].concat());
        let mut stream = vec![0; 64];
        (stream[0], stream[4]) = (1, 64);
        stream.extend(runs);
        let frame = Frame { rows: 1, columns: 3 * length, bits_allocated: 8 };
        let expected: Vec<_> = bytes.iter().map(|&b| u16::from(b)).collect();
        assert_eq!(Codec::Rle.decode(&stream, frame).unwrap().words, expected);
        // A run that goes on behind the last sample is cut.
        let frame = Frame { columns: 3 * length - 1, ..frame };
        let found = Codec::Rle.decode(&stream, frame).unwrap().words;
        assert_eq!(found, expected[..3 * length - 1]);
        stream.pop();
        let frame = Frame { columns: 3 * length, ..frame };
        assert!(Codec::Rle.decode(&stream, frame).unwrap_err().contains("truncated"));
    }
}

#[test]
fn an_rle_header_is_not_believed() {
    let head = |segments: u32, offset: u32| {
        let mut stream = [&segments.to_le_bytes()[..], &offset.to_le_bytes(), &[0; 56]].concat();
        // No run, as a segment might begin.
        stream[63] = 128;
        stream.extend([0xFF, 7, 0xFF, 9]);
        let frame = Frame { rows: 1, columns: 4, bits_allocated: 8 };
        Codec::Rle.decode(&stream, frame).map(|decoded| decoded.words)
    };
    assert_eq!(head(1, 64), Ok(vec![7, 7, 9, 9]));
    for (segments, offset) in [
        (0, 64),
        (16, 64),
        (u32::MAX, 64),
        (1, 69),
        (1, u32::MAX),
        (2, 64),
        (1, 63),
        (1, 60),
        (1, 0),
    ] {
        assert!(head(segments, offset).is_err(), "{segments} segments from {offset}");
    }
    // One segment more than a sample has bytes.
    for bytes in [1, 2] {
        let mut more = rle(&[258, 258, 4, 7], bytes);
        let frame = Frame { rows: 1, columns: 4, bits_allocated: 8 * bytes };
        assert!(Codec::Rle.decode(&more, frame).is_ok());
        more[0] += 1;
        let end = more.len() as u32;
        more[4 + 4 * bytes..8 + 4 * bytes].copy_from_slice(&end.to_le_bytes());
        more.extend([253, 0]);
        let refused = Codec::Rle.decode(&more, frame).unwrap_err();
        assert!(refused.contains(&format!("has {} RLE segments", bytes + 1)), "{refused}");
    }
    assert!(words(Codec::Rle, &[1; 63], 1, 1).is_err());
    let one = rle(&[1, 2], 1);
    assert!(words(Codec::Rle, &one, 1, 2).unwrap_err().contains("a sample has 2 bytes"));
}

/// A stream of each codec that is decoded here, and its image of 24 x 19 samples.
fn streams() -> Vec<(Codec, Vec<u8>)> {
    let (rows, columns) = (24, 19);
    let mut all = Vec::new();
    for image in images(12, rows, columns) {
        for predictor in 1..=7 {
            let coding =
                Lossless { bits: 12, predictor, shift: 0, restart_lines: predictor.into() };
            all.push((Codec::Jpeg, coding.write(&image, columns)));
        }
        all.push((Codec::JpegLs, jpeg_ls(&image, rows, columns, 12, 0)));
        all.push((Codec::JpegLs, jpeg_ls(&image, rows, columns, 12, 2)));
        all.push((Codec::JpegLs, jpeg_ls_with_restarts(&image, columns, 12, 5)));
        all.push((Codec::Rle, rle(&image, 2)));
    }
    all
}

#[test]
fn truncated_streams_are_refused() {
    for (codec, stream) in streams() {
        // An end marker may be missing, and the last byte may be padding.
        for end in 0..stream.len() - 4 {
            let refused = words(codec, &stream[..end], 24, 19).unwrap_err();
            assert!(
                refused.contains("truncated"),
                "{codec:?} of {} cut at {end}: {refused}",
                stream.len()
            );
        }
    }
}

#[test]
fn data_behind_the_last_sample_are_refused() {
    for (codec, stream) in streams() {
        if codec == Codec::Rle {
            continue;
        }
        let whole = words(codec, &stream, 24, 19);
        assert!(whole.is_ok());
        let scan = data(&stream);
        let is_marker = |&at: &usize| stream[at] == 0xFF && stream[at + 1] >= 0xD0;
        for at in scan.clone().filter(is_marker).chain([scan.end]) {
            let with = |bytes: &[u8]| {
                words(codec, &[&stream[..at], bytes, &stream[at..]].concat(), 24, 19)
            };
            assert_eq!(with(&[0xFF; 3]), whole, "{codec:?}: fill bytes at {at}");
            for more in [&[0][..], &[0x5A], &[0; 40]] {
                let refused = with(more).unwrap_err();
                assert!(refused.contains("left over"), "{codec:?}, {more:?} at {at}: {refused}");
            }
        }
        let with_end = |end: &[u8]| words(codec, &[&stream[..scan.end], end].concat(), 24, 19);
        assert_eq!(with_end(&[]), whole);
        assert_eq!(with_end(&[0]), whole, "a byte of padding");
        assert_eq!(with_end(&[0xFF, 0xD9, 0, 0, 0]), whole, "padding behind the end");
        assert!(with_end(&[0; 2]).unwrap_err().contains("left over"));
    }
}

proptest! {
    #[test]
    fn damaged_streams_give_samples_or_a_sentence(
        (codec, whole) in prop::sample::select(streams()),
        changes in prop::collection::vec((0..10_000_usize, any::<u8>()), 1..6),
    ) {
        let mut stream = whole;
        for (at, byte) in changes {
            let at = at % stream.len();
            stream[at] = byte;
        }
        match words(codec, &stream, 24, 19) {
            Ok(found) => prop_assert_eq!(found.len(), 24 * 19),
            Err(reason) => prop_assert!(!reason.is_empty()),
        }
    }
}
