//! Writes the seed corpus of every fuzz target into `corpus/` of this folder. Everything is made here: no scan of a
//! patient is among the seeds.
#![allow(clippy::unwrap_used, reason = "a generator may stop at the first fault")]

#[path = "../../tests/it/encode.rs"]
mod encode;
#[allow(dead_code, unused_imports, reason = "the tests use more of it")]
#[path = "../../tests/it/loading_enhanced.rs"]
mod loading_enhanced;
#[allow(dead_code, unused_imports, reason = "the tests use more of it")]
#[path = "../../tests/it/masks.rs"]
mod masks;
#[allow(dead_code, unused_imports, reason = "the tests use more of it")]
#[path = "../../tests/it/support.rs"]
mod support;
#[allow(dead_code, unused_imports, reason = "the tests use more of it")]
#[path = "../../tests/it/synthetic.rs"]
mod synthetic;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use dicom_core::{Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::mem::InMemElement;
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use flate2::Compression;
use flate2::write::GzEncoder;
use petct::nifti_file;
use petct::volume::Volume;
use petct_fuzz::NEXT_FILE;
use synthetic::{Coding, Synthetic};

fn main() {
    let corpus = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let work = tempfile::tempdir().unwrap();
    for (target, write) in [
        ("header_to_series", series as fn(&Path, &Path)),
        ("date_and_time", texts),
        ("frame", frames),
        ("mask", regions),
    ] {
        let folder = corpus.join(target);
        fs::create_dir_all(&folder).unwrap();
        let scratch = work.path().join(target);
        fs::create_dir_all(&scratch).unwrap();
        write(&scratch, &folder);
    }
}

/// Three slices each, of which two are read by one worker and share their facts: a PET in every coding, vendors' units and
/// clocks, a CT, and objects of many frames.
fn series(scratch: &Path, corpus: &Path) {
    let pet = || Synthetic { shape: [3, 5, 4], ..Synthetic::pet() };
    let codings = [
        Coding::ImplicitLittle,
        Coding::ExplicitLittle,
        Coding::ExplicitBig,
        Coding::Deflated,
        Coding::Rle,
        Coding::JpegLossless,
        Coding::JpegLsLossless,
    ];
    let mut all = codings.map(|coding| Synthetic { coding, ..pet() }).to_vec();
    all.push(Synthetic { shape: [3, 10, 8], ..Synthetic::ct() });
    all.push(Synthetic { bits: 32, ..pet() });
    all.push(Synthetic {
        bits: 8,
        signed: false,
        stored: |[s, r, c]| (9 * s + 3 * r + c) as i32,
        ..pet()
    });
    for (tag, vr, value) in [
        (tags::UNITS, VR::CS, "GML"),
        (tags::UNITS, VR::CS, "CM2ML"),
        (tags::UNITS, VR::CS, "CPS"),
        (tags::DECAY_CORRECTION, VR::CS, "NONE"),
        (tags::DECAY_CORRECTION, VR::CS, "ADMIN"),
        (tags::ACQUISITION_DATE_TIME, VR::DT, "20260102100000.0+0100"),
        (tags::TIMEZONE_OFFSET_FROM_UTC, VR::SH, "+0100"),
        (tags::DECAY_FACTOR, VR::DS, "1.0102"),
        (tags::PATIENT_SIZE, VR::DS, "1.75"),
        (tags::PATIENT_SEX, VR::CS, "F"),
    ] {
        all.push(pet().with(tag, vr, value));
    }
    let private = [
        ("GE MEDICAL SYSTEMS", 0x0009, "GEMS_PETD_01", 0x0D, VR::DT, "20260102100000.00", "BQML"),
        ("SIEMENS", 0x0071, "SIEMENS MED PT", 0x22, VR::DT, "20260102100000.000000", "BQML"),
        (
            "Philips Medical Systems",
            0x7053,
            "Philips PET Private Group",
            0x00,
            VR::DS,
            "0.0005",
            "CNTS",
        ),
    ];
    for (maker, group, creator, element, vr, value, units) in private {
        all.push(
            pet()
                .with(tags::MANUFACTURER, VR::LO, maker)
                .with(Tag(group, 0x10), VR::LO, creator)
                .with(Tag(group, 0x1000 | element), vr, value)
                .with(tags::UNITS, VR::CS, units),
        );
    }
    for (n, series) in all.iter().enumerate() {
        let folder = scratch.join(n.to_string());
        let files = series.write(&folder).into_iter().map(|path| fs::read(path).unwrap());
        let files = files.collect::<Vec<_>>();
        fs::write(corpus.join(format!("series-{n}")), files.join(NEXT_FILE)).unwrap();
    }
    let frames = [
        (pet(), uids::ENHANCED_PET_IMAGE_STORAGE),
        (pet(), uids::LEGACY_CONVERTED_ENHANCED_PET_IMAGE_STORAGE),
        (all[7].clone(), uids::ENHANCED_CT_IMAGE_STORAGE),
    ];
    for (n, (series, class)) in frames.into_iter().enumerate() {
        let folder = scratch.join(format!("frames-{n}"));
        fs::create_dir(&folder).unwrap();
        loading_enhanced::write(&folder, loading_enhanced::joined(&series, class));
        fs::copy(folder.join("object"), corpus.join(format!("frames-{n}"))).unwrap();
    }
    jpeg_2000(corpus);
}

/// A noisy frame of 9 x 7 in each coding, behind its number and its size.
fn frames(_scratch: &Path, corpus: &Path) {
    let samples: Vec<_> = (0..63_u16).map(|i| if i < 30 { 7 } else { i * 37 % 101 }).collect();
    let lossless = |predictor: u8| encode::Lossless {
        bits: 12,
        predictor,
        shift: 0,
        restart_lines: predictor.into(),
    };
    for (n, (codec, stream)) in [
        (0, encode::rle(&samples, 1)),
        (1, encode::rle(&samples, 2)),
        (2, lossless(1).write(&samples, 7)),
        (2, lossless(5).write(&samples, 7)),
        (3, encode::jpeg_ls(&samples, 9, 7, 8, 0)),
        (3, encode::jpeg_ls(&samples, 9, 7, 12, 2)),
    ]
    .into_iter()
    .enumerate()
    {
        fs::write(corpus.join(format!("frame-{n}")), [&[codec, 9, 7], stream.as_slice()].concat())
            .unwrap();
    }
}

/// JPEG 2000 streams of the tests as two slices.
fn jpeg_2000(corpus: &Path) {
    let streams = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/data/jpeg2000");
    for (file, bits, signed, uid) in [
        ("signed.j2k", 16, true, uids::JPEG2000_LOSSLESS),
        ("unsigned.j2k", 12, false, uids::JPEG2000),
    ] {
        let mut series = Synthetic { shape: [2, 64, 48], bits, signed, ..Synthetic::pet() };
        series.put.push(synthetic::encapsulated(fs::read(streams.join(file)).unwrap()));
        let slices = (0..2).map(|slice| {
            let meta = FileMetaTableBuilder::new()
                .transfer_syntax(uid)
                .media_storage_sop_class_uid(uids::POSITRON_EMISSION_TOMOGRAPHY_IMAGE_STORAGE)
                .media_storage_sop_instance_uid(format!("1.2.3.4.{slice}"))
                .build()
                .unwrap();
            let mut bytes = Vec::new();
            series.data_set(slice).with_exact_meta(meta).write_all(&mut bytes).unwrap();
            bytes
        });
        fs::write(corpus.join(file), slices.collect::<Vec<_>>().join(NEXT_FILE)).unwrap();
    }
}

fn texts(_: &Path, corpus: &Path) {
    let texts = [
        "20260102",
        "2026.01.02",
        "100000",
        "10:00:00",
        "10:35",
        "100000.25",
        "235960.5",
        "1000",
        "20260102100000.123456+0130",
        "20260102100000.04-1200",
        "202601021000",
        "2026-01-02T10:35",
        "2026-01-02 10:35:20.5",
        "+1400",
        "-0030",
        "70\\71.5\\-1e3",
        "1.2.840.10008.1.2",
        "IV",
        "DS 4",
        "5PS 3, X",
        "Deauville V",
        "3X",
        "16",
        "1e308",
    ];
    for (n, text) in texts.iter().enumerate() {
        fs::write(corpus.join(n.to_string()), text).unwrap();
    }
}

/// The segmentations of the tests, contours, and label and probability maps, all on the lattice of the tests.
fn regions(scratch: &Path, corpus: &Path) {
    for (n, path) in masks::small_segs(scratch).into_iter().enumerate() {
        fs::copy(path, corpus.join(format!("seg-{n}"))).unwrap();
    }
    for (n, coding) in
        [Coding::ExplicitLittle, Coding::ImplicitLittle, Coding::Deflated].into_iter().enumerate()
    {
        structure_set(&corpus.join(format!("rtstruct-{n}")), coding);
    }
    for (name, value) in [("labels", 1.0_f32), ("fractions", 0.25)] {
        let mut volume = Volume::filled(masks::small_lattice(), 0.0);
        for n in 0..volume.values().len() {
            let voxel = volume.voxel_of(n);
            volume[voxel] = (n % 4) as f32 * value;
        }
        let path = scratch.join(format!("{name}.nii"));
        nifti_file::write(&path, &volume).unwrap();
        let bytes = fs::read(&path).unwrap();
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(&bytes).unwrap();
        fs::write(corpus.join(format!("{name}.nii.gz")), packed.finish().unwrap()).unwrap();
        fs::write(corpus.join(format!("{name}.nii")), bytes).unwrap();
    }
}

/// Two regions: a square with a hole in the first slice, and a point.
fn structure_set(path: &Path, coding: Coding) {
    use masks::{items, text};
    let contour = |kind: &str, points: &str| -> [InMemElement; 3] {
        [
            text(tags::CONTOUR_GEOMETRIC_TYPE, VR::CS, kind),
            text(
                tags::NUMBER_OF_CONTOUR_POINTS,
                VR::IS,
                &(points.split('\\').count() / 3).to_string(),
            ),
            text(tags::CONTOUR_DATA, VR::DS, points),
        ]
    };
    let outer = contour("CLOSED_PLANAR", "-0.5\\-0.5\\0\\3.5\\-0.5\\0\\3.5\\2.5\\0\\-0.5\\2.5\\0");
    let hole = contour("CLOSED_PLANAR", "0.5\\0.5\\0\\1.5\\0.5\\0\\1.5\\1.5\\0\\0.5\\1.5\\0");
    let roi = |number: &str, name: &str| {
        [
            text(tags::ROI_NUMBER, VR::IS, number),
            text(tags::REFERENCED_FRAME_OF_REFERENCE_UID, VR::UI, "1.2"),
            text(tags::ROI_NAME, VR::LO, name),
        ]
    };
    let drawn = |number: &str, contours: &[&[InMemElement]]| {
        [text(tags::REFERENCED_ROI_NUMBER, VR::IS, number), items(tags::CONTOUR_SEQUENCE, contours)]
    };
    let object = InMemDicomObject::from_element_iter([
        text(tags::SOP_CLASS_UID, VR::UI, uids::RT_STRUCTURE_SET_STORAGE),
        text(tags::SOP_INSTANCE_UID, VR::UI, "1.2.3"),
        items(tags::STRUCTURE_SET_ROI_SEQUENCE, &[&roi("1", "node"), &roi("2", "point")]),
        items(
            tags::ROI_CONTOUR_SEQUENCE,
            &[&drawn("1", &[&outer, &hole]), &drawn("2", &[&contour("POINT", "1\\1\\0")])],
        ),
    ]);
    let meta = FileMetaTableBuilder::new().transfer_syntax(coding.transfer_syntax());
    object.with_meta(meta).unwrap().write_to_file(path).unwrap();
}
