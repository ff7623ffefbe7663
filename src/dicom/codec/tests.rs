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
            if (x / 9 + y / 4) % 2 == 0 { largest / 2 } else { noise % 5 }.min(largest)
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
    assert!(with(scan - 3, 255).contains("damaged") || with(scan - 3, 255).contains("truncated"));
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
                        let other = jpeg_decoder::Decoder::new(stream.as_slice()).decode().unwrap();
                        let other: Vec<_> =
                            other.as_chunks().0.iter().map(|&b| u16::from_ne_bytes(b)).collect();
                        assert!(
                            found == other,
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
    for image in images(12, rows, columns) {
        for (restart_lines, shift) in [(1, 0), (7, 0), (20, 0), (21, 0), (4, 3), (0, 5)] {
            let coding = Lossless { bits: 12, predictor: 4, shift, restart_lines };
            let found = words(Codec::Jpeg, &coding.write(&image, columns), rows, columns);
            let expected = image.iter().map(|&sample| sample >> shift << shift).collect();
            assert_eq!(found, Ok(expected), "{restart_lines} lines, shifted by {shift}");
        }
    }
}

#[test]
fn lossless_jpeg_of_other_kinds_is_refused_in_words() {
    let coding = Lossless { bits: 12, predictor: 1, shift: 0, restart_lines: 0 };
    let whole = coding.write(&images(12, 9, 9)[4], 9);
    let (dht, sos) = (15, 15 + 38);
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
        stream.extend([0xFF, 7, 0xFF, 9]);
        let frame = Frame { rows: 1, columns: 4, bits_allocated: 8 };
        Codec::Rle.decode(&stream, frame).map(|decoded| decoded.words)
    };
    assert_eq!(head(1, 64), Ok(vec![7, 7, 9, 9]));
    for (segments, offset) in [(0, 64), (16, 64), (u32::MAX, 64), (1, 69), (1, u32::MAX), (2, 64)] {
        assert!(head(segments, offset).is_err(), "{segments} segments from {offset}");
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
            let found = words(codec, &stream[..end], 24, 19);
            assert!(found.is_err(), "{codec:?} of {} cut at {end}", stream.len());
        }
    }
}

proptest! {
    #[test]
    fn damaged_streams_give_samples_or_a_sentence(
        n in 0..66_usize,
        changes in prop::collection::vec((0..10_000_usize, any::<u8>()), 1..6),
    ) {
        let (codec, mut stream) = streams().swap_remove(n % 66);
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
