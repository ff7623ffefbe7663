//! Each way in which reading can be refused fires, and none is left that nobody has seen work.

use std::fmt::Debug;
use std::fs;
use std::path::Path;

use dicom_core::VR;
use dicom_dictionary_std::{tags, uids};
use glam::{DAffine3, DVec3};
use petct::dicom::{GeometryFault, ReadError, load_pet, scan, select};
use petct::geometry::VolumeGeometry;
use petct::mask_file::{MaskFault, read_organs, read_regions};
use petct::nifti_file::{self, NiftiError};
use petct::organ::Numbering;
use petct::volume::Volume;
use tempfile::TempDir;

use crate::masks::{packed_bits, small_lattice, small_segs, write_seg};
use crate::synthetic::{Synthetic, text};

/// The variants of an enum, from its source: a new one without a row is a guard that nobody has seen work.
fn variants<'a>(source: &'a str, name: &str) -> Vec<&'a str> {
    let (_, body) = source.split_once(&format!("pub enum {name} {{\n")).unwrap();
    let (body, _) = body.split_once("\n}").unwrap();
    let names = body.lines().filter_map(|line| line.strip_prefix("    "));
    let names = names.filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()));
    names.map(|line| line.split(|c: char| !c.is_alphanumeric()).next().unwrap()).collect()
}

/// Every error is of the variant that its row names and one sentence, and the rows name all variants.
fn check<E: Debug + ToString>(source: &str, name: &str, rows: &[(&str, E)]) {
    for (variant, error) in rows {
        let debug = format!("{error:?}");
        let found = debug.split(|c: char| !c.is_alphanumeric()).next().unwrap();
        assert_eq!(found, *variant, "{debug}");
        let sentence = error.to_string();
        assert!(!sentence.is_empty() && !sentence.contains('\n'), "{sentence}");
        assert!(!sentence.ends_with('.') && !sentence.contains("SECRET"), "{sentence}");
    }
    let variants = variants(source, name);
    assert!(variants.len() > 5, "{variants:?}");
    for variant in variants {
        assert!(rows.iter().any(|(fired, _)| *fired == variant), "{name}::{variant} has no row");
    }
}

fn written(series: &Synthetic) -> TempDir {
    let folder = TempDir::new().unwrap();
    series.write(folder.path());
    folder
}

/// Why a folder with one PET gives no voxels.
fn unread(folder: &Path, uid: Option<&str>, factors: usize) -> ReadError {
    let studies = match scan(folder) {
        Ok(found) => found.output,
        Err(error) => return error,
    };
    match select(&studies, uid) {
        Ok(selection) => load_pet(selection.pet, &vec![1.0; factors]).unwrap_err(),
        Err(error) => error,
    }
}

#[test]
#[cfg(unix)]
fn each_refusal_of_a_scan_fires() {
    let pet = written(&Synthetic::pet());
    let empty = TempDir::new().unwrap();
    let note = TempDir::new().unwrap();
    fs::write(note.path().join("a.dcm"), "not an image").unwrap();
    let two = TempDir::new().unwrap();
    for uid in ["1.2.3.1", "1.2.3.7"] {
        Synthetic { series_uid: uid.into(), ..Synthetic::pet() }.write(&two.path().join(uid));
    }
    let cut = TempDir::new().unwrap();
    let files = Synthetic::pet().write(cut.path());
    let bytes = fs::read(&files[2]).unwrap();
    fs::write(&files[2], &bytes[..bytes.len() - 20]).unwrap();
    let gap = written(&Synthetic { skipped: vec![2], ..Synthetic::pet() });
    let stretched = written(&Synthetic {
        stored: |[_, r, _]| 32767 - r as i32,
        slope: |_| 1.0,
        ..Synthetic::pet()
    });
    let rows = vec![
        ("NotFound", unread(&pet.path().join("gone"), None, 6)),
        ("EmptyFolder", unread(empty.path(), None, 6)),
        ("NoDicom", unread(note.path(), None, 6)),
        ("NoPet", unread(written(&Synthetic::ct()).path(), None, 6)),
        ("Ambiguous", unread(two.path(), None, 6)),
        ("NoSuchSeries", unread(pet.path(), Some("1.2.3.4"), 6)),
        ("Unusable", unread(gap.path(), Some("1.2.3.1"), 5)),
        ("Pixels", unread(cut.path(), None, 6)),
        ("Factors", unread(pet.path(), None, 5)),
        ("Stretched", unread(stretched.path(), None, 6)),
        // Neither a file nor a folder.
        ("Io", unread(Path::new("/dev/null"), None, 6)),
    ];
    check(include_str!("../../src/dicom/error.rs"), "ReadError", &rows);
}

/// Why the slices of a series make no volume.
fn unplaced(series: &Synthetic) -> GeometryFault {
    let folder = written(series);
    let studies = scan(folder.path()).unwrap().output;
    studies[0].series[0].geometry.clone().unwrap_err()
}

#[test]
fn each_refusal_of_a_stack_fires() {
    let pet = Synthetic::pet;
    let at = |place: &str| Synthetic {
        put_in: vec![(3, text(tags::IMAGE_POSITION_PATIENT, VR::DS, place))],
        ..pet()
    };
    // Each slice 5 m beside the one before it and 3 mm above: no volume is so flat.
    let beside = |s: usize| {
        let place = format!("{}\\-5\\{}", 5000 * s, 3 * s);
        (s, text(tags::IMAGE_POSITION_PATIENT, VR::DS, &place))
    };
    let flat = Synthetic { put_in: (0..6).map(beside).collect(), ..pet() };
    let gated = Synthetic { shape: [12, 5, 4], jitter_mm: |s| -3.0 * (s - s / 2) as f64, ..pet() };
    let mixed = Synthetic { put_in: vec![(4, text(tags::UNITS, VR::CS, "GML"))], ..pet() };
    let rows = vec![
        ("TooFew", unplaced(&Synthetic { shape: [1, 5, 4], ..pet() })),
        ("Attribute", unplaced(&pet().without(tags::IMAGE_POSITION_PATIENT))),
        ("Differs", unplaced(&mixed)),
        ("Gap", unplaced(&Synthetic { skipped: vec![2], ..pet() })),
        ("Duplicate", unplaced(&at("-3\\-5\\-94"))),
        ("Phases", unplaced(&gated)),
        ("Uneven", unplaced(&at("-3\\-5\\-90"))),
        ("Shifted", unplaced(&at("4\\-5\\-91"))),
        ("Lattice", unplaced(&flat)),
    ];
    check(include_str!("../../src/dicom/error.rs"), "GeometryFault", &rows);
}

fn no_regions(path: &Path, onto: &VolumeGeometry, frame: &str) -> MaskFault {
    read_regions(path, onto, Some(frame)).unwrap_err().fault
}

fn no_organs(path: &Path, onto: &VolumeGeometry, numbering: Option<Numbering>) -> MaskFault {
    read_organs(path, onto, None, numbering).unwrap_err().fault
}

/// A label map in a row of voxels with these labels.
fn labels(folder: &Path, values: &[f32]) -> std::path::PathBuf {
    let steps = [DVec3::Z, DVec3::Y, DVec3::X];
    let lattice = VolumeGeometry::new([1, 1, values.len()], DVec3::ZERO, steps).unwrap();
    let path = folder.join(format!("{}.nii", values.len()));
    nifti_file::write(&path, &Volume::from_vec(lattice, values.to_vec())).unwrap();
    path
}

#[test]
fn each_refusal_of_regions_fires() {
    let folder = TempDir::new().unwrap();
    let here = small_lattice();
    let far = here.moved(DAffine3::from_translation(DVec3::X * 500.0)).unwrap();
    let steps = [DVec3::Z, DVec3::Y, DVec3::X];
    let vast = VolumeGeometry::new([400, 400, 400], DVec3::ZERO, steps).unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let seg = |kind: &str| {
        let path = folder.path().join(format!("seg{kind}"));
        write_seg(&path, kind, uids::EXPLICIT_VR_LITTLE_ENDIAN, 1, packed_bits());
        path
    };
    let good = &small_segs(folder.path())[0];
    let many = (1_u8..=60).map(f32::from).collect::<Vec<_>>();
    let rows = vec![
        ("Io", no_regions(&folder.path().join("gone"), &here, "1.2")),
        ("NotRegions", no_regions(&file("note", b"nothing"), &here, "1.2")),
        ("Nifti", no_regions(&file("damaged", &[0x1F, 0x8B, 0, 0]), &here, "1.2")),
        ("Malformed", no_regions(&seg(""), &here, "1.2")),
        ("Unsupported", no_regions(&seg("SURFACE"), &here, "1.2")),
        ("OtherFrame", no_regions(good, &here, "1.3")),
        ("Empty", no_regions(&labels(folder.path(), &[0.0; 3]), &here, "1.2")),
        ("Outside", no_regions(good, &far, "1.2")),
        (
            "NoOrgan",
            no_organs(&labels(folder.path(), &[200.0; 6]), &here, Some(Numbering::TotalV2)),
        ),
        ("TooLarge", no_regions(&labels(folder.path(), &many), &vast, "1.2")),
    ];
    check(include_str!("../../src/mask_file.rs"), "MaskFault", &rows);
}

#[test]
fn each_refusal_of_nifti_fires() {
    let folder = TempDir::new().unwrap();
    let good = fs::read(labels(folder.path(), &[0.0, 1.0, 2.0])).unwrap();
    let volume = Volume::filled(small_lattice(), 0.0);
    // A byte offset of the header, and what to put there.
    let spoilt = |at: usize, bytes: &[u8]| {
        let mut bad = good.clone();
        bad[at..at + bytes.len()].copy_from_slice(bytes);
        let path = folder.path().join("spoilt");
        fs::write(&path, bad).unwrap();
        nifti_file::read(&path).unwrap_err()
    };
    let cut = |bytes: usize| {
        let path = folder.path().join("cut");
        fs::write(&path, &good[..bytes]).unwrap();
        nifti_file::read(&path).unwrap_err()
    };
    let write = |name: &str| nifti_file::write(folder.path().join(name), &volume).unwrap_err();
    let rows: Vec<(&str, NiftiError)> = vec![
        ("Io", nifti_file::read(folder.path().join("gone")).unwrap_err()),
        ("NotNifti", cut(100)),
        ("Unsupported", spoilt(70, &[32, 0])),
        ("Truncated", cut(good.len() - 1)),
        ("NoAffine", spoilt(252, &[0; 4])),
        ("Geometry", spoilt(280, &[0; 48])),
        ("BadName", write("x.mha")),
        ("Write", write("no/such/x.nii")),
    ];
    check(include_str!("../../src/nifti_file.rs"), "NiftiError", &rows);
}
