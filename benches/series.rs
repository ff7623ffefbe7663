//! Reading studies: header scan, PET to SUV and CT to Hounsfield units, by size, encoding and number of threads.
//!
//! `cargo bench --bench series`; series of 645 slices (PET 400 x 400, CT 512 x 512) beside the small ones with
//! `PETCT_BENCH_LARGE=1`, which takes 1.5 GB in the folder for temporary files.
//!
//! Loading is the loader's own: read, decode, scale each slice to SUV or Hounsfield units, straight into the volume. The
//! files are in the page cache after the first run. `bare read` reads the same uncompressed files and does nothing with
//! them: the difference is what scaling costs. Throughput is in the bytes of the volume that is made, for the header
//! scan in files.

mod common;
#[allow(clippy::unwrap_used, reason = "shared with the tests")]
#[path = "../tests/it/encode.rs"]
mod encode;

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};

use chrono::{NaiveDate, NaiveDateTime};
use common::{by_threads, group};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use glam::DVec3;
use petct::acquisition::Sex;
use petct::dicom::codec::{Codec, Frame};
use petct::dicom::write::{Encoding, PetHeader, StudyHeader, ct_series, pet_series, uid_for};
use petct::dicom::{Series, load_ct, load_pet, scan, select};
use petct::geometry::VolumeGeometry;
use petct::phantom::FLUORINE_18_HALF_LIFE_SECS;
use petct::volume::Volume;
use rayon::prelude::*;

/// Name, slices, rows and columns of the PET, and of the CT.
type Size = (&'static str, usize, usize, usize);

fn sizes() -> Vec<Size> {
    let mut sizes = vec![("small", 64, 168, 512)];
    if std::env::var_os("PETCT_BENCH_LARGE").is_some() {
        sizes.push(("large", 645, 400, 512));
    }
    sizes
}

fn benches(c: &mut Criterion) {
    for size in sizes() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let [jpeg_ls, native] = ["jpeg-ls", "uncompressed"].map(|name| folder.path().join(name));
        write_study(&jpeg_ls, Encoding::JpegLs, size);
        write_study(&native, Encoding::Native, size);
        let mut group = group(c, &format!("series/{}", size.0), 10);
        let files = Throughput::Elements(2 * size.1 as u64);
        by_threads(&mut group, "header scan", files, || scan(&native).expect("a study"));
        for (encoding, study) in [("uncompressed", &native), ("JPEG-LS", &jpeg_ls)] {
            load(&mut group, encoding, study);
        }
        bare_read(&mut group, &native.join("pet"), "PET");
        bare_read(&mut group, &native.join("ct"), "CT");
        group.finish();
    }
}

fn load(group: &mut BenchmarkGroup<WallTime>, encoding: &str, study: &Path) {
    let studies = scan(study).expect("a study was written").output;
    let found = select(&studies, None).expect("it has a PET");
    let (pet, ct) = (found.pet, found.ct.expect("it has a CT"));
    let bytes = |series: &Series, width: usize| {
        let geometry = series.geometry.as_ref().expect("a regular stack");
        Throughput::Bytes((geometry.len() * width) as u64)
    };
    let factors: Vec<f64> = (0..pet.slices).map(|s| 4.2e-4 + 1e-9 * s as f64).collect();
    by_threads(group, &format!("PET to SUV, {encoding}"), bytes(pet, 4), || {
        load_pet(pet, &factors).expect("it loads")
    });
    by_threads(group, &format!("CT, {encoding}"), bytes(ct, 2), || load_ct(ct).expect("it loads"));
}

fn bare_read(group: &mut BenchmarkGroup<WallTime>, folder: &Path, name: &str) {
    let files = files_of(folder);
    let bytes = files.iter().map(|file| fs::metadata(file).expect("it is there").len()).sum();
    by_threads(group, &format!("bare read, {name}"), Throughput::Bytes(bytes), || {
        files.par_iter().map(|file| fs::read(file).expect("it is there").len()).sum::<usize>()
    });
}

fn files_of(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("it was written");
    entries.map(|entry| entry.expect("it can be listed").path()).collect()
}

/// One CT slice in each coding, in memory: what decoding alone costs. JPEG 2000, for which there is no encoder here, is a stream of
/// the tests of 64 x 48.
fn codecs(c: &mut Criterion) {
    let (rows, columns) = (512, 512);
    let hounsfield = body([1, rows, columns], |inside, noise| {
        (if inside { 40.0 } else { -1000.0 } + 30.0 * noise) as i16
    });
    let samples: Vec<_> = hounsfield.values().iter().map(|&hu| (hu + 1024) as u16).collect();
    let lossless = encode::Lossless { bits: 12, predictor: 1, shift: 0, restart_lines: 0 };
    let mut group = group(c, "series/codecs", 10);
    for (name, codec, stream, rows, columns) in [
        ("RLE", Codec::Rle, encode::rle(&samples, 2), rows, columns),
        ("JPEG lossless", Codec::Jpeg, lossless.write(&samples, columns), rows, columns),
        ("JPEG-LS", Codec::JpegLs, encode::jpeg_ls(&samples, rows, columns, 12, 0), rows, columns),
        ("JPEG 2000", Codec::Jpeg2000, JPEG_2000.to_vec(), 64, 48),
    ] {
        let frame = Frame { rows, columns, bits_allocated: 16 };
        group.throughput(Throughput::Bytes(2 * (rows * columns) as u64));
        group.bench_function(name, |b| {
            b.iter(|| codec.decode(black_box(&stream), frame).expect("it was written whole"));
        });
    }
    group.finish();
}

const JPEG_2000: &[u8] = include_bytes!("../tests/data/jpeg2000/unsigned.j2k");

/// A body of noisy tissue in air, as PET and as CT.
fn write_study(folder: &Path, encoding: Encoding, (name, slices, pet, ct): Size) {
    let day = NaiveDate::from_ymd_opt(2024, 5, 6).expect("a date");
    let at = |hour, minute| -> NaiveDateTime { day.and_hms_opt(hour, minute, 0).expect("a time") };
    let study = StudyHeader {
        patient_id: "BENCH".into(),
        patient_name: "BENCH".into(),
        sex: Sex::Female,
        age_years: 50,
        height_m: 1.7,
        weight_kg: 70.0,
        started_at: at(10, 0),
        description: name.into(),
        study_uid: uid_for(&format!("bench {name}")),
        frame_of_reference_uid: uid_for(&format!("bench {name} frame of reference")),
        encoding,
    };
    let header = PetHeader {
        started_at: at(10, 2),
        injected_at: at(9, 0),
        dose_bq: 3e8,
        half_life_secs: FLUORINE_18_HALF_LIFE_SECS,
        bed_secs: 120.0,
    };
    let activity =
        body(
            [slices, pet, pet],
            |inside, noise| {
                if inside { 4000.0 + 2000.0 * noise } else { 100.0 * noise }
            },
        );
    let hounsfield = body([slices, ct, ct], |inside, noise| {
        (if inside { 40.0 } else { -1000.0 } + 30.0 * noise) as i16
    });
    pet_series(&folder.join("pet"), &study, &header, &activity).expect("the PET is written");
    ct_series(&folder.join("ct"), &study, &hounsfield).expect("the CT is written");
}

fn body<T>(shape: [usize; 3], value: impl Fn(bool, f32) -> T) -> Volume<T> {
    let [_, rows, columns] = shape;
    let steps = [3.0 * DVec3::Z, 500.0 / rows as f64 * DVec3::Y, 500.0 / columns as f64 * DVec3::X];
    let geometry = VolumeGeometry::new(shape, DVec3::ZERO, steps).expect("a plain lattice");
    let voxel = |i: usize| {
        let share = |at: usize, n: usize| at as f32 / n as f32 - 0.5;
        let (y, x) = (share(i / columns % rows, rows), share(i % columns, columns));
        // The top bits of a multiplicative hash: noise enough to keep a coder busy.
        let noise = ((i as u32).wrapping_mul(0x9E37_79B9) >> 16) as f32 / 65536.0;
        value((x / 0.35).powi(2) + (y / 0.22).powi(2) < 1.0, noise)
    };
    let values = (0..geometry.len()).map(voxel).collect();
    Volume::from_vec(geometry, values)
}

criterion_group!(series, benches, codecs);
criterion_main!(series);
