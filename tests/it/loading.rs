//! The way in: folders of DICOM files to studies, series and voxels.
#![expect(clippy::float_cmp, reason = "the values are exact by construction")]

use std::path::Path;

use dicom_core::{DataElement, PrimitiveValue, VR};
use dicom_dictionary_std::tags;
use dicom_object::mem::InMemElement;
use glam::DVec3;
use petct::dicom::{
    GeometryFault, ReadError, Series, Study, load_ct, load_ct_reduced, load_pet, scan, select,
};
use petct::resample::reduce_hounsfield;
use tempfile::TempDir;

use crate::support::shared_data;
use crate::synthetic::{Coding, Synthetic, encapsulated, text};

fn scanned(folder: &Path) -> Vec<Study> {
    scan(folder).unwrap().output
}

fn written(series: &Synthetic) -> (TempDir, Vec<Study>) {
    let folder = TempDir::new().unwrap();
    series.write(folder.path());
    let studies = scanned(folder.path());
    (folder, studies)
}

fn only(studies: &[Study]) -> &Series {
    assert_eq!(studies.len(), 1);
    assert_eq!(studies[0].series.len(), 1);
    &studies[0].series[0]
}

/// Every voxel is where the builder put it, with the value that its slice's slope and the factor give.
fn check_pet(series: &Synthetic) {
    let (_folder, studies) = written(series);
    let found = only(&studies);
    assert!(found.usable, "{:?}", found.reasons);
    let factors = (0..series.shape[0]).map(|s| 1.0 + s as f64).collect::<Vec<_>>();
    let volume = load_pet(found, &factors).unwrap();
    assert_eq!(volume.geometry().shape(), series.shape);
    let [slices, rows, columns] = series.shape;
    assert_eq!(factors.len(), slices);
    for (s, factor) in factors.iter().enumerate() {
        for r in 0..rows {
            for c in 0..columns {
                let voxel = [s, r, c];
                let miss = (volume.geometry().centre_of(voxel) - series.place(voxel)).length();
                assert!(miss < 0.2, "{voxel:?} lies {miss} mm off");
                let stored = f64::from((series.stored)(voxel));
                let value = (stored * (series.slope)(s) + series.intercept) * factor;
                assert_eq!(volume[voxel], value as f32, "{voxel:?}");
            }
        }
    }
    for (slice, found) in found.acquisition.as_ref().unwrap().slices.iter().enumerate() {
        assert_eq!(found.rescale_slope, (series.slope)(slice));
    }
}

/// The fault of a series that cannot be placed.
fn fault(series: &Synthetic) -> GeometryFault {
    let (_folder, studies) = written(series);
    let found = only(&studies);
    assert!(!found.usable && !found.reasons.is_empty());
    let error = load_pet(found, &vec![1.0; found.slices]).unwrap_err();
    assert!(matches!(error, ReadError::Unusable { .. }));
    found.geometry.clone().unwrap_err()
}

#[test]
fn stacks_of_every_orientation_are_placed_by_position() {
    let (x, y, z) = (DVec3::X, DVec3::Y, DVec3::Z);
    let oblique = glam::DMat3::from_rotation_x(0.4) * glam::DMat3::from_rotation_z(-0.6);
    let rows = [
        [x, y],
        [-x, y],
        [x, -y],
        [-x, -y],
        [x, -z],
        [y, -z],
        [-y, -z],
        [y, x],
        [oblique * x, oblique * y],
        [oblique * x, oblique * -y],
    ];
    for cosines in rows {
        check_pet(&Synthetic { cosines, ..Synthetic::pet() });
    }
}

#[test]
fn names_tell_nothing_of_the_order() {
    check_pet(&Synthetic { file_name: |s| format!("{}", (s * 5) % 7), ..Synthetic::pet() });
    check_pet(&Synthetic { file_name: |s| format!("image.{}.txt", 9 - s), ..Synthetic::pet() });
}

#[test]
fn bed_joins_that_jitter_are_kept() {
    check_pet(&Synthetic { jitter_mm: |s| if s > 2 { 0.08 } else { 0.0 }, ..Synthetic::pet() });
}

#[test]
fn every_coding_gives_the_same_voxels() {
    for coding in [
        Coding::ImplicitLittle,
        Coding::ExplicitLittle,
        Coding::ExplicitBig,
        Coding::Deflated,
        Coding::Rle,
        Coding::JpegLossless,
        Coding::JpegLsLossless,
        Coding::JpegLsNear(0),
    ] {
        check_pet(&Synthetic { coding, ..Synthetic::pet() });
        let negative = |[s, r, c]: [usize; 3]| 1000 * s as i32 - 40 * (r + c) as i32 - 30000;
        check_pet(&Synthetic { coding, stored: negative, ..Synthetic::pet() });
        let large = |[s, r, c]: [usize; 3]| 65535 - (s + 7 * r + 31 * c) as i32;
        check_pet(&Synthetic { coding, stored: large, signed: false, ..Synthetic::pet() });
    }
}

#[test]
fn sample_widths_and_signs_are_read_as_declared() {
    let small = |[s, r, c]: [usize; 3]| (s + r * c) as i32 - 9;
    let wide = |[s, r, c]: [usize; 3]| 1_000_000 * (s as i32 - 3) + (10 * r + c) as i32;
    for coding in [Coding::ImplicitLittle, Coding::ExplicitLittle, Coding::Deflated] {
        check_pet(&Synthetic { coding, bits: 8, stored: small, ..Synthetic::pet() });
    }
    for coding in [Coding::ExplicitLittle, Coding::ExplicitBig] {
        // BitsStored 12 and 10 of 16: the builder leaves noise in the bits above.
        check_pet(&Synthetic { coding, bits: 12, stored: small, ..Synthetic::pet() });
        check_pet(&Synthetic { coding, bits: 10, signed: false, ..Synthetic::pet() });
        check_pet(&Synthetic { coding, bits: 32, stored: wide, ..Synthetic::pet() });
    }
    let twelve = Synthetic { bits: 12, stored: small, ..Synthetic::pet() };
    check_pet(&Synthetic { coding: Coding::JpegLsLossless, ..twelve.clone() });
    check_pet(&Synthetic { coding: Coding::Rle, ..twelve });
}

#[test]
fn near_lossless_stays_within_its_bound() {
    let near = Synthetic { coding: Coding::JpegLsNear(2), slope: |_| 1.0, ..Synthetic::pet() };
    let (_folder, studies) = written(&near);
    let volume = load_pet(only(&studies), &[1.0; 6]).unwrap();
    for (offset, &value) in volume.values().iter().enumerate() {
        let voxel = volume.voxel_of(offset);
        assert!((f64::from(value) - f64::from((near.stored)(voxel))).abs() <= 2.0);
    }
}

#[test]
fn jpeg_2000_streams_are_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/jpeg2000");
    for (file, bits, signed, shift, uid) in [
        ("signed.j2k", 16, true, -300, "1.2.840.10008.1.2.4.90"),
        ("unsigned.j2k", 12, false, 0, "1.2.840.10008.1.2.4.91"),
    ] {
        let mut series = Synthetic { shape: [2, 64, 48], bits, signed, ..Synthetic::pet() };
        series.put.push(encapsulated(std::fs::read(folder.join(file)).unwrap()));
        let target = TempDir::new().unwrap();
        for slice in 0..2 {
            let meta = dicom_object::FileMetaTableBuilder::new()
                .transfer_syntax(uid)
                .media_storage_sop_class_uid("1.2.840.10008.5.1.4.1.1.128")
                .media_storage_sop_instance_uid(format!("1.2.3.4.{slice}"))
                .build()
                .unwrap();
            let path = target.path().join(slice.to_string());
            series.data_set(slice).with_exact_meta(meta).write_to_file(path).unwrap();
        }
        let studies = scanned(target.path());
        let volume = load_pet(only(&studies), &[1.0; 2]).unwrap();
        for (offset, &value) in volume.values().iter().enumerate() {
            let [s, r, c] = volume.voxel_of(offset);
            let stored = ((137 * r + 901 * c) % 4000) as i32 + shift;
            assert_eq!(f64::from(value), f64::from(stored) * (series.slope)(s), "{file}");
        }
    }
}

#[test]
fn missing_slices_are_refused_with_their_place() {
    let GeometryFault::Gap { missing, after_mm, before_mm, step_mm } =
        fault(&Synthetic { skipped: vec![2, 3], ..Synthetic::pet() })
    else {
        panic!("not a gap")
    };
    assert_eq!((missing, after_mm.z, before_mm.z, step_mm), (2, -97.0, -88.0, 3.0));
}

#[test]
fn stacks_that_are_not_one_volume_are_refused() {
    let place = |z: f64| text(tags::IMAGE_POSITION_PATIENT, VR::DS, &format!("-3\\-5\\{z}"));
    let put_in = |slice, element| Synthetic { put_in: vec![(slice, element)], ..Synthetic::pet() };
    assert!(matches!(fault(&put_in(3, place(-94.0))), GeometryFault::Duplicate { .. }));
    assert!(matches!(fault(&put_in(3, place(-90.0))), GeometryFault::Uneven { .. }));
    let aside = text(tags::IMAGE_POSITION_PATIENT, VR::DS, "4\\-5\\-91");
    assert!(matches!(fault(&put_in(3, aside)), GeometryFault::Shifted { .. }));
    // Beside each other, at the same heights: no dynamic series.
    let stacks = Synthetic {
        put_in: (3..6)
            .map(|s| {
                let place = format!("97\\-5\\{}", -100 + 3 * (s - 3));
                (s as usize, text(tags::IMAGE_POSITION_PATIENT, VR::DS, &place))
            })
            .collect(),
        ..Synthetic::pet()
    };
    assert!(matches!(fault(&stacks), GeometryFault::Shifted { shift_mm: 100.0, .. }));
    let far = text(tags::IMAGE_POSITION_PATIENT, VR::DS, "-3\\-5\\1e12");
    assert!(fault(&put_in(3, far)).to_string().contains("more than 100 m"));
    let metres = Synthetic::pet().with(tags::PIXEL_SPACING, VR::DS, "0.0025\\0.002");
    assert!(fault(&metres).to_string().contains("not between 0.01 and 100 mm"));
    let creeping = Synthetic {
        shape: [60, 5, 4],
        jitter_mm: |s| if s > 30 { 0.2 * (s - 30) as f64 } else { 0.0 },
        ..Synthetic::pet()
    };
    assert!(matches!(fault(&creeping), GeometryFault::Uneven { .. }));
    let gated = Synthetic {
        shape: [12, 5, 4],
        jitter_mm: |s| -3.0 * (s - s / 2) as f64,
        ..Synthetic::pet()
    };
    assert_eq!(fault(&gated), GeometryFault::Phases { places: 6, times: 2 });
    let single = Synthetic { shape: [1, 5, 4], ..Synthetic::pet() };
    assert_eq!(fault(&single), GeometryFault::TooFew { slices: 1 });
    let nowhere = Synthetic::pet().without(tags::IMAGE_POSITION_PATIENT);
    assert!(matches!(fault(&nowhere), GeometryFault::Attribute { .. }));
}

#[test]
fn attributes_that_differ_between_slices_are_named() {
    let rows = [
        (text(tags::UNITS, VR::CS, "GML"), "Units"),
        (text(tags::PATIENT_WEIGHT, VR::DS, "71"), "PatientWeight"),
        (text(tags::PIXEL_SPACING, VR::DS, "2.5\\2.1"), "PixelSpacing"),
        (
            text(tags::IMAGE_ORIENTATION_PATIENT, VR::DS, "1\\0\\0\\0\\0\\-1"),
            "ImageOrientationPatient",
        ),
        (text(tags::FRAME_OF_REFERENCE_UID, VR::UI, "1.2.99"), "FrameOfReferenceUID"),
        (text(tags::STUDY_INSTANCE_UID, VR::UI, "1.2.99"), "StudyInstanceUID"),
        (text(tags::SERIES_TIME, VR::TM, "100001"), "SeriesTime"),
        (text(tags::DECAY_CORRECTION, VR::CS, "NONE"), "DecayCorrection"),
    ];
    for (element, name) in rows {
        let found = fault(&Synthetic { put_in: vec![(4, element)], ..Synthetic::pet() });
        let GeometryFault::Differs { attribute, .. } = &found else { panic!("{name}: {found}") };
        assert!(attribute.starts_with(name), "{attribute}");
    }
}

#[test]
fn one_slice_that_is_no_slice_is_noticed() {
    let kind = text(tags::IMAGE_TYPE, VR::CS, "DERIVED\\SECONDARY\\MIP");
    let mixed = Synthetic { put_in: vec![(4, kind)], ..Synthetic::pet() };
    let (_folder, studies) = written(&mixed);
    assert_eq!(only(&studies).reasons, ["it is a mip image"]);
}

#[test]
fn a_slope_or_intercept_is_never_invented() {
    for tag in [tags::RESCALE_SLOPE, tags::RESCALE_INTERCEPT] {
        for series in [
            Synthetic::pet().without(tag),
            Synthetic::pet().with(tag, VR::DS, ""),
            Synthetic { put_in: vec![(2, text(tag, VR::DS, "one"))], ..Synthetic::pet() },
            Synthetic::ct().without(tag),
        ] {
            let (_folder, studies) = written(&series);
            let found = only(&studies);
            assert!(!found.usable && found.reasons[0].contains("Rescale"), "{:?}", found.reasons);
            assert!(found.acquisition.is_none());
        }
    }
}

#[test]
fn odd_files_load_and_foreign_files_are_counted() {
    let root = TempDir::new().unwrap();
    let pet = Synthetic { file_name: |s| format!("IM{s}"), ..Synthetic::pet() };
    let files = pet.write(&root.path().join("deep/er"));
    // Without preamble; without preamble and magic code; without file meta group.
    let bytes = std::fs::read(&files[1]).unwrap();
    std::fs::write(&files[1], &bytes[128..]).unwrap();
    let bytes = std::fs::read(&files[2]).unwrap();
    std::fs::write(&files[2], &bytes[132..]).unwrap();
    let mut bare = Vec::new();
    pet.data_set(3)
        .write_dataset_with_ts(
            &mut bare,
            &dicom_transfer_syntax_registry::entries::IMPLICIT_VR_LITTLE_ENDIAN.erased(),
        )
        .unwrap();
    std::fs::write(&files[3], &bare).unwrap();
    // A file meta group that names explicit little endian before an implicit data set.
    let bytes = std::fs::read(&files[4]).unwrap();
    let meta = &bytes[..bytes.windows(4).position(|w| w == [8, 0, 8, 0]).unwrap()];
    let mut wrong = meta.to_vec();
    let implicit = dicom_transfer_syntax_registry::entries::IMPLICIT_VR_LITTLE_ENDIAN.erased();
    pet.data_set(4).write_dataset_with_ts(&mut wrong, &implicit).unwrap();
    std::fs::write(&files[4], wrong).unwrap();
    std::fs::write(root.path().join("notes.dcm"), "not an image").unwrap();
    std::fs::write(root.path().join("empty"), "").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(root.path(), root.path().join("deep/loop")).unwrap();
    let found = scan(root.path()).unwrap();
    assert!(only(&found.output).usable, "{:?}", only(&found.output).reasons);
    assert_eq!(found.warnings.len(), 1);
    assert!(found.warnings[0].message.starts_with("2 file(s)"), "{:?}", found.warnings);
    let volume = load_pet(only(&found.output), &[1.0; 6]).unwrap();
    assert_eq!(volume[[3, 2, 1]], (321.0 * 3.5) as f32);
    let directory = root.path().join("DICOMDIR");
    std::fs::write(&directory, "an index").unwrap();
    assert_eq!(only(&scanned(&directory)).slices, 6);
}

#[test]
fn nothing_usable_is_one_sentence() {
    let root = TempDir::new().unwrap();
    let gone = root.path().join("gone");
    assert!(matches!(scan(&gone), Err(ReadError::NotFound(_))));
    assert!(matches!(scan(root.path()), Err(ReadError::EmptyFolder(_))));
    std::fs::write(root.path().join("a.dcm"), "text").unwrap();
    let error = scan(root.path()).unwrap_err();
    assert!(matches!(error, ReadError::NoDicom { files: 1, .. }));
    assert!(!error.to_string().contains('\n') && !error.to_string().ends_with('.'));
    let (_folder, studies) = written(&Synthetic::ct());
    let error = select(&studies, None).unwrap_err();
    assert!(error.to_string().contains("the scan holds CT only"), "{error}");
}

#[test]
fn a_truncated_file_is_named() {
    for coding in [Coding::ExplicitLittle, Coding::JpegLossless, Coding::Deflated] {
        for share in [0.3, 0.97] {
            let root = TempDir::new().unwrap();
            let files = Synthetic { coding, ..Synthetic::pet() }.write(root.path());
            let bytes = std::fs::read(&files[5]).unwrap();
            std::fs::write(&files[5], &bytes[..(bytes.len() as f64 * share) as usize]).unwrap();
            let studies = scanned(root.path());
            let found = only(&studies);
            let message = match load_pet(found, &vec![1.0; found.slices]) {
                Err(error) => error.to_string(),
                Ok(_) => panic!("{coding:?} {share}: a damaged last slice went unnoticed"),
            };
            assert!(message.contains("005.dcm"), "{coding:?} {share}: {message}");
            assert!(!message.contains("SECRET") && !message.contains("Doe"));
        }
    }
}

#[test]
fn damaged_bytes_never_panic() {
    let root = TempDir::new().unwrap();
    let clean = root.path().join("clean");
    for coding in
        [Coding::ExplicitLittle, Coding::Rle, Coding::JpegLossless, Coding::JpegLsLossless]
    {
        let files = Synthetic { coding, shape: [2, 5, 4], ..Synthetic::pet() }.write(&clean);
        let bytes = std::fs::read(&files[1]).unwrap();
        for at in (132..bytes.len()).step_by(3) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0xFF;
            std::fs::write(&files[1], damaged).unwrap();
            for series in scan(&clean).unwrap().output.iter().flat_map(|study| &study.series) {
                let _ = load_pet(series, &vec![1.0; series.slices]);
            }
        }
    }
}

#[test]
fn lengths_and_depths_of_a_hostile_file_are_bounded() {
    // Sequences nested a hundred thousand deep, each of undefined length.
    let level = [
        [0x11, 0x60, 0x10, 0x00].as_slice(),
        b"SQ",
        &[0, 0, 0xFF, 0xFF, 0xFF, 0xFF],
        &[0xFE, 0xFF, 0x00, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF],
    ];
    // Elements, the second of them pixel data, that claim three gigabytes.
    let huge =
        |group: [u8; 2]| [&group, [0x10, 0x00].as_slice(), b"OB", &[0, 0, 0, 0, 0, 0xC0]].concat();
    for (tail, reason) in [
        (huge([0x21, 0x60]), "more than the file has"),
        (huge([0xE0, 0x7F]), "more than the file has"),
        (level.concat().repeat(100_000), "nested too deeply"),
    ] {
        let root = TempDir::new().unwrap();
        let files = Synthetic::pet().write(root.path());
        let syntax = dicom_transfer_syntax_registry::entries::EXPLICIT_VR_LITTLE_ENDIAN.erased();
        let slice = Synthetic::pet().without(tags::PIXEL_DATA).data_set(5);
        let mut bytes = Vec::new();
        slice.write_dataset_with_ts(&mut bytes, &syntax).unwrap();
        bytes.extend(tail);
        std::fs::write(&files[5], bytes).unwrap();
        let studies = scanned(root.path());
        let found = only(&studies);
        let error = load_pet(found, &vec![1.0; found.slices]).unwrap_err().to_string();
        assert!(error.contains(reason) && error.contains("005.dcm"), "{error}");
    }
}

#[test]
fn a_ct_comes_in_hounsfield_units() {
    let ct = Synthetic {
        stored: |[s, r, c]| if r == 0 { -2000 } else { 1000 + (100 * s + c) as i32 },
        slope: |s| 1.0 + s as f64 * 0.25,
        ..Synthetic::ct()
    };
    let (_folder, studies) = written(&ct);
    let hu = load_ct(only(&studies)).unwrap();
    let coarsest = 2.5 * hu.geometry().spacing_mm().into_iter().fold(0.0, f64::max);
    let reduced = load_ct_reduced(only(&studies), coarsest).unwrap();
    assert!(reduced.values().len() < hu.values().len() / 4);
    assert_eq!(reduced, reduce_hounsfield(&hu, coarsest));
    assert_eq!(hu[[0, 0, 0]], -3024);
    assert_eq!(hu[[2, 1, 3]], (1203.0_f64 * 1.5 - 1024.0).round() as i16);
    for (vr, value) in
        [(VR::SS, PrimitiveValue::from(-2000_i16)), (VR::US, PrimitiveValue::from(63536_u16))]
    {
        let mut padded = ct.clone();
        padded.put.push(DataElement::new(tags::PIXEL_PADDING_VALUE, vr, value));
        let (_folder, studies) = written(&padded);
        let hu = load_ct(only(&studies)).unwrap();
        assert_eq!((hu[[0, 0, 0]], hu[[0, 1, 0]]), (-1024, -24));
    }
}

/// Values of a PET whose first row holds one stored value and whose other voxels hold 100 or more, and its remarks.
fn first_row_of(
    stored: fn([usize; 3]) -> i32,
    signed: bool,
    put: &[InMemElement],
) -> (f32, Vec<&'static str>) {
    let pet = Synthetic { stored, signed, slope: |_| 0.5, put: put.to_vec(), ..Synthetic::pet() };
    let (_folder, studies) = written(&pet);
    let found = only(&studies);
    let values = load_pet(found, &vec![3.0; found.slices]).unwrap();
    assert_eq!(values[[0, 1, 2]], 153.0);
    (values[[0, 0, 0]], found.remarks.iter().map(|remark| remark.code).collect())
}

#[test]
fn padding_of_a_pet_is_no_uptake() {
    let put = |tag, vr, value: PrimitiveValue| DataElement::new(tag, vr, value);
    let (value, limit) = (tags::PIXEL_PADDING_VALUE, tags::PIXEL_PADDING_RANGE_LIMIT);
    let low = |[_, r, c]: [usize; 3]| if r == 0 { -2000 } else { 100 + c as i32 };
    let zero = |[_, r, c]: [usize; 3]| if r == 0 { 0 } else { 100 + c as i32 };
    let high = |[_, r, c]: [usize; 3]| if r == 0 { 30_000 } else { 100 + c as i32 };
    assert_eq!(first_row_of(low, true, &[]), (-3000.0, vec![]));
    for padding in [
        vec![put(value, VR::SS, (-2000_i16).into())],
        vec![put(value, VR::US, 63_536_u16.into())],
        vec![put(value, VR::SS, (-1_i16).into()), put(limit, VR::SS, (-3000_i16).into())],
        vec![put(value, VR::US, 62_536_u16.into()), put(limit, VR::US, 65_535_u16.into())],
    ] {
        assert_eq!(first_row_of(low, true, &padding), (0.0, vec![]), "{padding:?}");
    }
    let other = [put(value, VR::SS, (-1999_i16).into())];
    assert_eq!(first_row_of(low, true, &other), (-3000.0, vec![]));
    assert_eq!(first_row_of(zero, false, &[put(value, VR::US, 0_u16.into())]), (0.0, vec![]));
    // What would be activity may be the hottest voxels of a slice.
    let told = vec!["PADDING_WITH_ACTIVITY"];
    let hot = [put(value, VR::SS, 30_000_i16.into())];
    assert_eq!(first_row_of(high, true, &hot), (45_000.0, told.clone()));
    let all = [put(value, VR::US, 0_u16.into()), put(limit, VR::US, 65_535_u16.into())];
    assert_eq!(first_row_of(high, false, &all), (45_000.0, told));
}

#[test]
fn what_is_found_does_not_depend_on_how_files_are_dealt_to_threads() {
    let weight = |value| text(tags::PATIENT_WEIGHT, VR::DS, value);
    let in_slice =
        |slice, element| Synthetic { put_in: vec![(slice, element)], ..Synthetic::pet() };
    let padded = DataElement::new(tags::PIXEL_PADDING_VALUE, VR::US, PrimitiveValue::from(0_u16));
    let repeated = text(tags::IMAGE_POSITION_PATIENT, VR::DS, "-3\\-5\\-100");
    let cases = [
        Synthetic::pet(),
        Synthetic::ct(),
        in_slice(4, weight("71")),
        in_slice(0, weight("71")),
        in_slice(3, text(tags::UNITS, VR::CS, "CNTS")),
        in_slice(4, text(tags::RESCALE_SLOPE, VR::DS, "")),
        in_slice(2, text(tags::SPECIFIC_CHARACTER_SET, VR::CS, "ISO_IR 192")),
        in_slice(5, text(tags::PIXEL_SPACING, VR::DS, "9\\9")),
        in_slice(1, text(tags::IMAGE_TYPE, VR::CS, "DERIVED")),
        in_slice(3, padded),
        in_slice(4, repeated),
        Synthetic { skipped: vec![2], ..Synthetic::pet() },
        Synthetic { coding: Coding::ExplicitBig, ..Synthetic::pet() },
    ];
    for case in cases {
        let folder = TempDir::new().unwrap();
        case.write(folder.path());
        // Another series, whose files lie between those of the first.
        let other = Synthetic {
            series_uid: "1.2.3.9".into(),
            file_name: |s| format!("{s:03}b.dcm"),
            ..Synthetic::ct()
        };
        other.write(folder.path());
        let found = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| format!("{:#?}", scan(folder.path())))
        };
        let alone = found(1);
        for threads in [2, 16] {
            assert_eq!(found(threads), alone, "{:?}", case.put_in);
        }
    }
}

#[test]
fn a_pet_without_weight_still_loads() {
    let (_folder, studies) = written(&Synthetic::pet().with(tags::PATIENT_WEIGHT, VR::DS, ""));
    let found = only(&studies);
    assert!(found.usable);
    let weight = &found.acquisition.as_ref().unwrap().patient_weight;
    assert_eq!(*weight, petct::acquisition::Attribute::Empty);
    assert_eq!(select(&studies, None).unwrap().pet.slices, 6);
}

#[test]
fn a_real_whole_body_keeps_a_slope_for_each_slice() {
    let Some(folder) = shared_data("sts001/pet") else { return };
    let studies = scanned(&folder);
    let selection = select(&studies, None).unwrap();
    let mut slopes = selection
        .pet
        .acquisition
        .as_ref()
        .unwrap()
        .slices
        .iter()
        .map(|s| s.rescale_slope)
        .collect::<Vec<_>>();
    slopes.sort_by(f64::total_cmp);
    slopes.dedup();
    assert_eq!((selection.pet.slices, slopes.len()), (267, 267));
    // The published SUVmax of this scan and its factor.
    let pet = load_pet(selection.pet, &[2.429_03e-4; 267]).unwrap();
    let max = pet.values().iter().copied().fold(0.0, f32::max);
    assert!((max - 66.5215).abs() < 1e-3, "{max}");
}
