//! What holds for every series: invariants through written DICOM files, the loader, the SUV plan and the metrics.

use std::path::Path;

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};
use dicom_core::value::DataSetSequence;
use dicom_core::{DataElement, PrimitiveValue, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use glam::DVec3;
use petct::dicom::{load_pet, scan, select};
use petct::segmentation::{Region, components};
use petct::statistics::{peak_global, peak_hottest_four, peak_local, statistics};
use petct::suv::{Overrides, SuvKind, plan};
use petct::volume::Volume;
use proptest::prelude::*;
use proptest::sample::SizeRange;
use tempfile::TempDir;

use crate::synthetic::{Synthetic, text};

const SHAPE: [usize; 3] = [4, 5, 6];
const VOXELS: usize = SHAPE[0] * SHAPE[1] * SHAPE[2];
const HALF_LIFE_SECS: f64 = 6586.2;

/// What decides the SUV of a written series.
#[derive(Debug, Clone)]
struct Facts {
    weight_hg: u32,
    dose_kbq: u32,
    /// Tenths, so that their text is exact.
    slope_tenths: u32,
    correction: &'static str,
    injected: NaiveDateTime,
    scanned: NaiveDateTime,
    dated: bool,
}

impl Default for Facts {
    fn default() -> Self {
        let injected = day(2026, 1, 2).and_hms_opt(9, 0, 0).unwrap();
        Self {
            weight_hg: 700,
            dose_kbq: 370_000,
            slope_tenths: 5,
            correction: "START",
            injected,
            scanned: injected + TimeDelta::hours(1),
            dated: true,
        }
    }
}

impl Facts {
    fn uptake_secs(&self) -> f64 {
        (self.scanned - self.injected).num_seconds() as f64
    }

    /// SUV of a stored value of 1, written anew from the formula.
    fn expected(&self) -> f64 {
        let decay = match self.correction {
            "ADMIN" => 1.0,
            _ => (-self.uptake_secs() / HALF_LIFE_SECS).exp2(),
        };
        let grams = f64::from(self.weight_hg) * 100.0;
        f64::from(self.slope_tenths) / 10.0 * grams / (f64::from(self.dose_kbq) * 1000.0 * decay)
    }

    fn series(&self) -> Synthetic {
        let date = |time: NaiveDateTime| time.format("%Y%m%d").to_string();
        let clock = |time: NaiveDateTime| time.format("%H%M%S").to_string();
        let mut tracer = InMemDicomObject::from_element_iter([
            text(tags::RADIOPHARMACEUTICAL, VR::LO, "FDG"),
            text(tags::RADIONUCLIDE_TOTAL_DOSE, VR::DS, &format!("{}000", self.dose_kbq)),
            text(tags::RADIONUCLIDE_HALF_LIFE, VR::DS, &HALF_LIFE_SECS.to_string()),
            text(tags::RADIOPHARMACEUTICAL_START_TIME, VR::TM, &clock(self.injected)),
        ]);
        if self.dated {
            let stamp = self.injected.format("%Y%m%d%H%M%S").to_string();
            tracer.put(text(tags::RADIOPHARMACEUTICAL_START_DATE_TIME, VR::DT, &stamp));
        }
        let mut series = Synthetic { shape: SHAPE, ..Synthetic::pet() };
        for (tag, vr, value) in [
            (tags::PATIENT_WEIGHT, VR::DS, (f64::from(self.weight_hg) / 10.0).to_string()),
            (tags::RESCALE_SLOPE, VR::DS, (f64::from(self.slope_tenths) / 10.0).to_string()),
            (tags::DECAY_CORRECTION, VR::CS, self.correction.to_owned()),
            (tags::STUDY_DATE, VR::DA, date(self.scanned)),
            (tags::SERIES_DATE, VR::DA, date(self.scanned)),
            (tags::SERIES_TIME, VR::TM, clock(self.scanned)),
            (tags::ACQUISITION_DATE, VR::DA, date(self.scanned)),
            (tags::ACQUISITION_TIME, VR::TM, clock(self.scanned)),
        ] {
            series.put.push(text(tag, vr, &value));
        }
        series.put.push(DataElement::new(
            tags::RADIOPHARMACEUTICAL_INFORMATION_SEQUENCE,
            VR::SQ,
            DataSetSequence::from(vec![tracer]),
        ));
        series
    }

    /// SUV of a stored value of 1, as read from written files.
    fn measured(&self) -> f64 {
        let folder = TempDir::new().unwrap();
        let series = self.series();
        series.write(folder.path());
        let volume = suv(folder.path());
        let voxel = [3, 4, 5];
        f64::from(volume[voxel]) / f64::from((series.stored)(voxel))
    }
}

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

/// From files to SUV.
fn suv(folder: &Path) -> Volume<f32> {
    let studies = scan(folder).unwrap().output;
    let pet = select(&studies, None).unwrap().pet;
    let acquisition = pet.acquisition.as_ref().unwrap();
    let plan = plan(acquisition, SuvKind::BodyWeight, &Overrides::default()).unwrap().output;
    load_pet(pet, &plan.factors).unwrap()
}

/// Equal to the precision of an f32 voxel.
fn same(found: f64, expected: f64) -> bool {
    (found / expected - 1.0).abs() < 2e-7
}

/// A series with the given values, written with its slices, rows and columns in other orders and with other files
/// for its slices; the orientation and the positions in the headers follow.
fn written(values: &[u16], flipped: [bool; 2], files: &[usize]) -> TempDir {
    let [slices, rows, columns] = SHAPE;
    let mut series = Facts::default().series();
    let plain = series.clone();
    let from = |n: usize, flip: bool, at: usize| if flip { n - 1 - at } else { at };
    // Turning one axis over turns the normal over, and with it the order of the slices.
    let falling = flipped[0] != flipped[1];
    let first = [from(slices, falling, 0), from(rows, flipped[0], 0), from(columns, flipped[1], 0)];
    series.origin_mm = plain.place(first);
    let sign = |flip: bool| if flip { -1.0 } else { 1.0 };
    series.cosines = [DVec3::X * sign(flipped[1]), DVec3::Y * sign(flipped[0])];
    for (s, file) in files.iter().enumerate() {
        let mut pixels = Vec::with_capacity(rows * columns);
        for r in 0..rows {
            for c in 0..columns {
                let [s, r, c] = [
                    from(slices, falling, s),
                    from(rows, flipped[0], r),
                    from(columns, flipped[1], c),
                ];
                pixels.push(values[(s * rows + r) * columns + c]);
            }
        }
        let pixels = PrimitiveValue::U16(pixels.into());
        series.put_in.push((s, DataElement::new(tags::PIXEL_DATA, VR::OW, pixels)));
        let number = text(tags::INSTANCE_NUMBER, VR::IS, &file.to_string());
        series.put_in.push((s, number));
    }
    let folder = TempDir::new().unwrap();
    for (path, file) in series.write(&folder.path().join("written")).into_iter().zip(files) {
        std::fs::rename(path, folder.path().join(format!("{file}.dcm"))).unwrap();
    }
    folder
}

/// Each lesion's metrics, which do not depend on how voxels are stored: voxels, volume, maximum, mean, deviation, median,
/// TLG and the three peaks; the hottest lesion first.
fn metrics(volume: &Volume<f32>) -> Vec<[f64; 10]> {
    let mut all = Vec::new();
    let regions = components(volume, 0.4 * volume.values().iter().copied().fold(0.0, f32::max));
    for region in &regions {
        let s = statistics(volume, region).unwrap();
        let peaks = [peak_local, peak_global, peak_hottest_four]
            .map(|peak| peak(volume, region).unwrap().mean);
        let [local, global, four] = peaks;
        let voxels = s.voxels as f64;
        all.push([
            s.max,
            voxels,
            s.volume_ml,
            s.mean,
            s.sd,
            s.median,
            s.integral(),
            local,
            global,
            four,
        ]);
    }
    all.sort_by(|a, b| b.partial_cmp(a).unwrap());
    all
}

fn whole<T>(volume: &Volume<T>) -> Region {
    Region::from_offsets(volume.geometry().shape(), 0..volume.values().len())
}

/// Stored values; the positive ones leave no doubt about ratios.
fn stored(len: impl Into<SizeRange>) -> impl Strategy<Value = Vec<u16>> {
    prop::collection::vec(1_u16..30_000, len)
}

fn order() -> impl Strategy<Value = Vec<usize>> {
    Just((1..=SHAPE[0]).collect::<Vec<_>>()).prop_shuffle()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Linear in slope and weight, inverse in dose, and equal to the formula.
    #[test]
    fn suv_is_linear(weight_hg in 300_u32..1500, dose_kbq in 100_000_u32..600_000, slope_tenths in 1_u32..1000) {
        let facts = Facts { weight_hg, dose_kbq, slope_tenths, ..Facts::default() };
        let value = facts.measured();
        prop_assert!(same(value, facts.expected()), "{value} is not {}", facts.expected());
        let steeper = Facts { slope_tenths: 2 * slope_tenths, ..facts.clone() };
        let heavier = Facts { weight_hg: 2 * weight_hg, ..facts.clone() };
        let hotter = Facts { dose_kbq: 2 * dose_kbq, ..facts };
        for (changed, ratio) in [(steeper, 2.0), (heavier, 2.0), (hotter, 0.5)] {
            let found = changed.measured() / value;
            prop_assert!(same(found, ratio), "{found} is not {ratio}");
        }
    }

    /// De-identification shifts every date and time by the same offset, over midnight, months and leap years.
    #[test]
    fn suv_does_not_know_the_calendar(secs in -40_i64 * 86_400 * 365..20 * 86_400 * 365, uptake in 1800_i64..4 * 3600, dated: bool) {
        let facts = Facts::default();
        let injected = facts.injected + TimeDelta::seconds(secs);
        let shifted = Facts { injected, scanned: injected + TimeDelta::seconds(uptake), dated, ..facts };
        prop_assert!(same(shifted.measured(), shifted.expected()), "{shifted:?}");
    }

    /// START and ADMIN differ by the decay between injection and scan, and by nothing when there is none.
    #[test]
    fn start_is_admin_without_uptake(uptake in 60_i64..4 * 3600) {
        for uptake in [uptake, 1] {
            let start = Facts::default();
            let start = Facts { scanned: start.injected + TimeDelta::seconds(uptake), ..start };
            let admin = Facts { correction: "ADMIN", ..start.clone() };
            let ratio = start.measured() / admin.measured();
            prop_assert!(same(ratio, (uptake as f64 / HALF_LIFE_SECS).exp2()), "{ratio} after {uptake} s");
        }
    }

    /// Files in any order, and rows and columns turned over with their orientation, change no voxel and no metric.
    #[test]
    fn storage_order_changes_nothing(values in stored(VOXELS), rows: bool, columns: bool, files in order()) {
        let plain = suv(written(&values, [false, false], &[1, 2, 3, 4]).path());
        let turned = suv(written(&values, [rows, columns], &files).path());
        for n in 0..VOXELS {
            let voxel = plain.voxel_of(n);
            let there = turned.geometry().voxel_at(plain.geometry().centre_of(voxel)).unwrap();
            prop_assert_eq!(plain[voxel].to_bits(), turned[there].to_bits());
        }
        let (before, after) = (metrics(&plain), metrics(&turned));
        prop_assert_eq!(before.len(), after.len());
        for (before, after) in before.iter().zip(&after) {
            for (a, b) in before.iter().zip(after) {
                prop_assert!((a - b).abs() <= 1e-9 * a.abs(), "{before:?} became {after:?}");
            }
        }
    }

    /// SUVmean <= global SUVpeak <= SUVmax over the whole image, the local peak is at most the global one, and TLG is
    /// MTV times SUVmean. A margin of air as wide as the sphere keeps every voxel in as many spheres as any other, and
    /// then no mean of spheres can lie wholly below the mean of the image.
    #[test]
    fn peaks_lie_between_mean_and_maximum(values in stored(27)) {
        let mut padded = vec![0_u16; VOXELS * 64];
        let [slices, rows, columns] = SHAPE.map(|n| 4 * n);
        for (n, value) in values.into_iter().enumerate() {
            let [s, r, c] = [7 + n / 9, 8 + n / 3 % 3, 10 + n % 3];
            padded[(s * rows + r) * columns + c] = value;
        }
        prop_assert_eq!(padded.len(), slices * rows * columns);
        let steps = [DVec3::Z * 3.0, DVec3::Y * 2.5, DVec3::X * 2.0];
        let lattice = petct::geometry::VolumeGeometry::new([slices, rows, columns], DVec3::ZERO, steps).unwrap();
        let volume = Volume::from_vec(lattice, padded.into_iter().map(|v| f32::from(v) / 1000.0).collect());
        let region = whole(&volume);
        let s = statistics(&volume, &region).unwrap();
        let [local, global] = [peak_local, peak_global].map(|peak| peak(&volume, &region).unwrap().mean);
        prop_assert!(s.mean <= global * (1.0 + 1e-12) && global <= s.max && local <= global);
        prop_assert!((s.integral() - s.voxels as f64 * volume.geometry().voxel_ml() * s.mean).abs() < 1e-9 * s.integral());
    }
}
