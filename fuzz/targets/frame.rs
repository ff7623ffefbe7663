//! One compressed frame to samples, by each decoder of this project.
#![no_main]

use libfuzzer_sys::fuzz_target;
use petct::dicom::codec::{Codec, Frame};

fuzz_target!(|bytes: &[u8]| {
    let [codec, rows, columns, ref stream @ ..] = *bytes else { return };
    let (codec, bits_allocated) = match codec % 4 {
        0 => (Codec::Rle, 8),
        1 => (Codec::Rle, 16),
        2 => (Codec::Jpeg, 16),
        _ => (Codec::JpegLs, 16),
    };
    let frame = Frame { rows: rows.into(), columns: columns.into(), bits_allocated };
    if let Ok(decoded) = codec.decode(stream, frame) {
        assert_eq!(decoded.words.len(), frame.rows * frame.columns);
    }
});
