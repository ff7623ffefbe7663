//! The whole way from volumes in memory to a score, and its first steps, by volume size and number of threads.
//!
//! `cargo bench --bench assessment`; a scan of 400 x 400 x 645 voxels beside the usual sizes with `PETCT_BENCH_LARGE=1`.
//!
//! Throughput is in voxels of the PET; the body is a phantom with the lesions of its baseline.

mod common;

use common::{by_threads, group};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use petct::alignment::{self, align};
use petct::anatomy::Anatomy;
use petct::assessment::{ScanInput, Settings, assess_scan};
use petct::lesion::{Threshold, find};
use petct::phantom::{Scanner, body};
use petct::reference::{Disease, place_blood_pool, place_liver};
use petct::suv::{SuvImage, SuvKind};

/// A scanner of today: 400 x 400 PET voxels and 512 x 512 CT voxels in 645 slices over the usual field of view.
fn large() -> Scanner {
    Scanner {
        pet_voxel_mm: (1.65, 1.6),
        pet_matrix: 400,
        ct_voxel_mm: (0.98, 1.6),
        ct_matrix: 512,
        ..Scanner::default()
    }
}

fn scans() -> Vec<(&'static str, Scanner)> {
    let mut scans = vec![("coarse", Scanner::coarse()), ("usual", Scanner::default())];
    if std::env::var_os("PETCT_BENCH_LARGE").is_some() {
        scans.push(("large", large()));
    }
    scans
}

fn benches(c: &mut Criterion) {
    for (name, scanner) in scans() {
        let phantom = body(&scanner);
        let volume = phantom.pet.map(|&v| (f64::from(v) * phantom.truth.suv_per_bqml) as f32);
        let image = SuvImage { kind: SuvKind::BodyWeight, volume };
        let (pet, ct) = (&image.volume, Some(&phantom.ct));
        let voxels = || Throughput::Elements(pet.geometry().len() as u64);
        let mut group = group(c, &format!("assessment/{name}"), 10);
        by_threads(&mut group, "anatomy", voxels(), || Anatomy::survey(pet, 1.0, ct));
        let anatomy = Anatomy::survey(pet, 1.0, ct).expect("the phantom has a body");
        let none = Disease::default();
        by_threads(&mut group, "reference placement", voxels(), || {
            (place_liver(&anatomy, &none), place_blood_pool(&anatomy, ct, None, &none))
        });
        by_threads(&mut group, "lesions found", voxels(), || {
            find(pet, Threshold::Fixed(4.0), None, Some(2.0), None)
        });
        let input = ScanInput { image: &image, bw_per_value: 1.0, ct };
        let settings = Settings::default();
        by_threads(&mut group, "whole score", voxels(), || assess_scan(&input, &settings));
        let scan = || alignment::Scan { pet, ct, frame_of_reference_uid: None };
        by_threads(&mut group, "alignment", voxels(), || align(&scan(), &scan()));
        group.finish();
    }
}

criterion_group!(assessment, benches);
criterion_main!(assessment);
