//! The synthetic patients: what they show, what is written, and that the committed files are made from this code.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use dicom_dictionary_std::tags;
use dicom_object::{FileDicomObject, InMemDicomObject, open_file};
use glam::DVec3;
use petct::dicom::write::{self, Encoding};
use petct::phantom::{self, Arms, Case, Kind, Lungs, Phantom, Scanner, Tissue, Visit};
use petct::volume::Volume;

use crate::cli::{arg, petct, text};

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_scans")
}

fn plan(case: &str, visit: &str) -> (Case, Visit) {
    let case = phantom::case(case).unwrap();
    let visit = case.visits.iter().find(|v| v.name == visit).unwrap().clone();
    (case, visit)
}

fn files_below(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.insert(
                    path.strip_prefix(folder).unwrap().to_owned(),
                    fs::read(&path).unwrap(),
                );
            }
        }
    }
    found
}

/// Mean over the voxels within a radius.
fn mean_around(volume: &Volume<f64>, centre: DVec3, radius_mm: f64) -> f64 {
    let near =
        |n: &usize| volume.geometry().centre_of(volume.voxel_of(*n)).distance(centre) <= radius_mm;
    let values: Vec<f64> =
        (0..volume.geometry().len()).filter(near).map(|n| volume.values()[n]).collect();
    values.iter().sum::<f64>() / values.len() as f64
}

#[test]
fn the_committed_scans_are_reproduced_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let (case, visit) = plan("patient-2", "t2");
    // One thread here, several when the samples were made.
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    alone.install(|| write::write_visit(&case, &visit, Encoding::JpegLs, folder.path())).unwrap();
    let (made, kept) = (files_below(folder.path()), files_below(&samples().join("patient-2/t2")));
    assert!(made.keys().eq(kept.keys()), "not the same files");
    for (name, bytes) in &made {
        assert!(kept[name] == *bytes, "{} differs", name.display());
    }
}

#[test]
fn the_sample_scans_are_whole_and_small() {
    let files = files_below(&samples());
    let bytes: usize = files.values().map(Vec::len).sum();
    assert!(bytes <= 30_000_000, "{bytes} bytes");
    for case in phantom::cases() {
        for visit in &case.visits {
            for part in ["pet/PT000001.dcm", "ct/CT000001.dcm", "truth.json"] {
                let name = Path::new(&case.name).join(&visit.name).join(part);
                assert!(files.contains_key(&name), "{} is missing", name.display());
            }
        }
        let truth: serde_json::Value =
            serde_json::from_slice(&files[&Path::new(&case.name).join("truth.json")]).unwrap();
        assert_eq!(truth["pairs"].as_array().unwrap().len(), case.pairs.len());
    }
}

#[test]
fn lesions_show_the_suv_max_they_were_given() {
    let (case, visit) = plan("patient-1", "t1");
    let Phantom { pet, truth, .. } = phantom::generate(&case, &visit);
    assert_eq!(truth.lesions.len(), visit.lesions.len());
    for (lesion, asked) in truth.lesions.iter().zip(&visit.lesions) {
        let place = DVec3::from_array(lesion.suv_max_mm);
        let voxel = pet.geometry().voxel_at(place).unwrap();
        let shown = f64::from(pet[voxel]) * truth.suv_per_bqml;
        assert!((shown / asked.suv_max - 1.0).abs() < 0.005, "{}: {shown}", lesion.name);
        // Nothing hotter within 10 mm: the maximum belongs to the lesion.
        let around = (0..pet.geometry().len())
            .filter(|&n| pet.geometry().centre_of(pet.voxel_of(n)).distance(place) < 10.0)
            .map(|n| f64::from(pet.values()[n]) * truth.suv_per_bqml)
            .fold(0.0, f64::max);
        assert!(around <= shown * 1.000_001, "{}: {around} beside {shown}", lesion.name);
    }
}

#[test]
fn organs_have_their_uptake_and_hounsfield_numbers() {
    let (case, visit) = plan("patient-2", "t1");
    let Phantom { pet, ct, truth } = phantom::generate(&case, &visit);
    let suv = pet.map(|&v| f64::from(v) * truth.suv_per_bqml);
    let hounsfield = ct.map(|&v| f64::from(v));
    let at = |organ: &str| DVec3::from_array(truth.organs_mm[organ]);
    // A tenth covers noise (10 % a voxel, over tens of correlated voxels), patches and spill.
    for (organ, expected) in [("liver", visit.uptake.liver), ("spleen", visit.uptake.spleen)] {
        let found = mean_around(&suv, at(organ), 10.0);
        assert!((found / expected - 1.0).abs() < 0.1, "{organ}: SUV {found}");
    }
    let blood = &truth.measured["blood pool"];
    assert!((blood.suv_mean / visit.uptake.blood - 1.0).abs() < 0.1, "{blood:?}");
    let liver = &truth.measured["liver"];
    assert!((0.05..0.12).contains(&(liver.suv_sd / liver.suv_mean)), "{liver:?}");
    assert!(liver.suv_max < 3.5, "{liver:?}");
    for (organ, low, high) in [
        ("liver", 55.0, 65.0),
        ("spleen", 45.0, 55.0),
        ("bladder", 5.0, 15.0),
        ("lung right", -900.0, -780.0),
        ("vertebra L4", 150.0, 260.0),
        ("brain", 20.0, 45.0),
    ] {
        let found = mean_around(&hounsfield, at(organ), 8.0);
        assert!((low..high).contains(&found), "{organ}: {found} HU");
    }
    assert!(pet.values().iter().all(|v| *v >= 0.0));
}

fn number(object: &FileDicomObject<InMemDicomObject>, tag: dicom_core::Tag) -> f64 {
    object.element(tag).unwrap().to_float64().unwrap()
}

#[test]
fn the_files_give_back_the_suv() {
    let truth: serde_json::Value =
        serde_json::from_slice(&fs::read(samples().join("patient-1/t0/truth.json")).unwrap())
            .unwrap();
    let mut hottest = 0.0_f64;
    for (name, _) in files_below(&samples().join("patient-1/t0/pet")) {
        let object = open_file(samples().join("patient-1/t0/pet").join(name)).unwrap();
        let rows = object.element(tags::ROWS).unwrap().to_int::<u32>().unwrap();
        let columns = object.element(tags::COLUMNS).unwrap().to_int::<u32>().unwrap();
        let pixels = object.element(tags::PIXEL_DATA).unwrap();
        let code = &pixels.value().fragments().unwrap()[0];
        let (stored, ..) = jpegls::decode(code, columns, rows).unwrap();
        let peak = f64::from(stored.into_iter().max().unwrap());
        let item = &object.element(tags::RADIOPHARMACEUTICAL_INFORMATION_SEQUENCE).unwrap();
        let tracer = &item.items().unwrap()[0];
        let dose = tracer.element(tags::RADIONUCLIDE_TOTAL_DOSE).unwrap().to_float64().unwrap();
        let uptake = truth["uptake_secs"].as_f64().unwrap();
        let left = dose * (-uptake / phantom::FLUORINE_18_HALF_LIFE_SECS).exp2();
        let suv = peak
            * number(&object, tags::RESCALE_SLOPE)
            * number(&object, tags::PATIENT_WEIGHT)
            * 1000.0
            / left;
        hottest = hottest.max(suv);
        // Decay factor and reference time say the same (PS3.3 C.8.9.4.1.5).
        let reference = number(&object, tags::FRAME_REFERENCE_TIME) / 1000.0;
        let factor = (reference / phantom::FLUORINE_18_HALF_LIFE_SECS).exp2();
        assert!((factor / number(&object, tags::DECAY_FACTOR) - 1.0).abs() < 1e-6);
    }
    assert!((hottest / 32.0 - 1.0).abs() < 0.005, "{hottest}");
}

#[test]
fn scans_differ_in_place_weight_dose_and_clock() {
    for case in phantom::cases() {
        for pair in case.visits.windows(2) {
            let (a, b) = (&pair[0], &pair[1]);
            assert!(a.pose.shift_mm.distance(b.pose.shift_mm) > 10.0);
            assert!((a.pose.turn_degrees[2] - b.pose.turn_degrees[2]).abs() > 1.0);
            assert!((a.protocol.dose_bq - b.protocol.dose_bq).abs() > 1.0);
            assert!((a.build.weight_kg - b.build.weight_kg).abs() > 0.1);
            assert!(a.protocol.started_at < b.protocol.started_at);
        }
    }
}

/// A body of a build on large voxels.
fn coarse_body(seed: u64, kind: Kind) -> (Visit, Phantom) {
    let mut case = phantom::seeded(seed, Some(kind));
    let scanner = &mut case.visits[0].scanner;
    *scanner = Scanner { range_mm: scanner.range_mm, ..Scanner::coarse() };
    let scan = phantom::generate(&case, &case.visits[0]);
    (case.visits.remove(0), scan)
}

#[test]
fn a_seed_and_a_build_always_give_the_same_plan_and_others_another() {
    let plan = |seed, kind| format!("{:?}", phantom::seeded(seed, kind).visits);
    for seed in 0..20 {
        assert_eq!(plan(seed, None), plan(seed, None));
        assert_ne!(plan(seed, None), plan(seed + 1, None));
    }
    assert_ne!(plan(3, Some(Kind::Obese)), plan(3, Some(Kind::Child)));
}

#[test]
fn builds_are_what_they_are_called() {
    for seed in 0..30 {
        let of = |kind| phantom::seeded(seed, Some(kind)).visits.remove(0);
        let bmi = |v: &Visit| v.build.weight_kg / (v.build.height_m * v.build.height_m);
        assert!(bmi(&of(Kind::Obese)) > 35.5);
        assert!(of(Kind::Child).build.height_m < 1.5);
        assert_eq!(of(Kind::ArmsDown).build.arms, Arms::Down);
        assert!(of(Kind::NoHead).scanner.range_mm.1 < 450.0);
        assert!(of(Kind::ToToes).scanner.range_mm.0 < -1000.0);
        assert!(matches!(of(Kind::OneLungCollapsed).build.habitus.lungs, Lungs::Collapsed(_)));
        assert!(of(Kind::Breathing).breathing_mm.abs() > 10.0);
        assert!(of(Kind::SitusInversus).build.habitus.inverted);
        assert!(of(Kind::HotHeart).uptake.myocardium > 8.9);
        let in_liver = of(Kind::LiverLesions);
        let here = in_liver.planted.iter().filter(|l| l.site.contains("liver")).count();
        assert!(here >= 1, "seed {seed}: no lesion in the liver");
    }
}

/// Pairs have every fate, and change what alignment has to cope with; what is planted fits the fates.
#[test]
fn seeded_pairs_are_what_they_are_called() {
    let mut fates = BTreeMap::new();
    let (mut arms, mut fields, mut heavier) = (0, 0, 0);
    for seed in 0..40 {
        let case = phantom::seeded_pair(seed);
        assert_eq!(format!("{case:?}"), format!("{:?}", phantom::seeded_pair(seed)));
        let [first, second] = &case.visits[..] else { panic!("{} scans", case.visits.len()) };
        assert!(first.protocol.started_at < second.protocol.started_at);
        let weight = second.build.weight_kg / first.build.weight_kg;
        assert!((0.89..1.11).contains(&weight), "{weight}");
        let shift = second.pose.shift_mm.distance(first.pose.shift_mm);
        assert!(shift <= 100.0, "{shift}");
        arms += usize::from(first.build.arms != second.build.arms);
        fields += usize::from(second.scanner.range_mm.1 < first.scanner.range_mm.1 - 100.0);
        heavier += usize::from(weight > 1.02);
        let map = case.pairs[0].map.unwrap().affine();
        for fate in &case.pairs[0].fates {
            *fates.entry(format!("{:?}", fate.fate)).or_insert(0) += 1;
            let there = [first, second]
                .map(|visit| visit.planted.iter().find(|p| p.name == fate.lesion).map(|p| p.suv));
            assert_eq!(there, [fate.suv_max_before, fate.suv_max_after], "{fate:?}");
            let expected = match fate.fate {
                phantom::Fate::Resolved => [true, false],
                phantom::Fate::New => [false, true],
                phantom::Fate::OutOfView => continue,
                _ => [true, true],
            };
            assert_eq!(there.map(|suv| suv.is_some()), expected, "seed {seed}: {fate:?}");
        }
        // The map carries the person, not the scanner: the heart onto the heart.
        assert!((map.matrix3.determinant() - weight.powf(0.6)).abs() < 1e-6);
    }
    assert_eq!(fates.len(), 6, "{fates:?}");
    assert!(fates.values().all(|&n| n >= 5), "{fates:?}");
    assert!(arms >= 5 && fields >= 3 && heavier >= 5, "{arms} {fields} {heavier}");
}

#[test]
fn the_map_of_a_body_tells_what_its_images_show() {
    for kind in [Kind::Child, Kind::OneLungCollapsed, Kind::SitusInversus] {
        let (visit, Phantom { pet, ct, truth }) = coarse_body(5, kind);
        let map = phantom::TissueMap::new(&visit);
        // Deep in an organ: no other tissue within 12 mm.
        let deep = |tissue: Tissue, place: DVec3| {
            [DVec3::X, DVec3::Y, DVec3::Z].iter().all(|&axis| {
                [-12.0, 0.0, 12.0].iter().all(|&d| map.tissue_at(place + d * axis) == Some(tissue))
            })
        };
        let mean = |tissue: Tissue| {
            // Each third voxel is enough.
            let values: Vec<f64> = (0..pet.geometry().len())
                .step_by(3)
                .filter(|&n| {
                    let place = pet.geometry().centre_of(pet.voxel_of(n));
                    deep(tissue, place) && map.lesion_at(place).is_none()
                })
                .map(|n| f64::from(pet.values()[n]) * truth.suv_per_bqml)
                .collect();
            assert!(values.len() > 20, "{kind:?}: {tissue:?} has {} deep voxels", values.len());
            values.iter().sum::<f64>() / values.len() as f64
        };
        let liver = mean(Tissue::Liver);
        assert!((liver / visit.uptake.liver - 1.0).abs() < 0.12, "{kind:?}: liver {liver}");
        let lung = mean(Tissue::Lung);
        assert!(lung < 1.0, "{kind:?}: lung {lung}");
        let body = truth.body.unwrap();
        let liver = DVec3::from_array(body.organ_centroids_mm["liver"]);
        assert_eq!(liver.x > visit.pose.shift_mm.x, kind == Kind::SitusInversus, "{kind:?}");
        assert!(ct.geometry().voxel_at(liver).is_some());
    }
}

#[test]
fn planted_lesions_have_the_volume_they_were_given_and_lie_where_the_truth_says() {
    let mut ratios = Vec::new();
    for seed in [1, 2, 3] {
        let (visit, Phantom { truth, .. }) = coarse_body(seed, Kind::LiverLesions);
        let map = phantom::TissueMap::new(&visit);
        for (n, (lesion, plan)) in truth.lesions.iter().zip(&visit.planted).enumerate() {
            assert_eq!(map.lesion_at(DVec3::from_array(lesion.centre_mm)), Some(n));
            assert!((1.0..90.0).contains(&lesion.volume_ml), "{lesion:?}");
            ratios.push(lesion.volume_ml / plan.volume_ml);
        }
    }
    // Knobs are drawn: single lesions differ, their mean does not.
    let mean = ratios.iter().sum::<f64>() / ratios.len() as f64;
    assert!((0.9..1.1).contains(&mean), "{mean} over {} lesions", ratios.len());
}

#[test]
fn a_body_needs_a_seed_and_a_build_that_exists() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, word) in [
        (&["phantom", "body"][..], "--seed"),
        (&["phantom", "body", "--seed", "1", "--build", "giant"], "one-lung-collapsed"),
        (&["phantom", "patient-1", "--seed", "1"], "body"),
        (&["phantom", "pair"], "--seed"),
        (&["phantom", "pair", "--seed", "1", "--build", "obese"], "--build"),
    ] {
        let output = petct(&[arguments, &["-o", arg(folder.path())]].concat());
        assert_ne!(output.status.code(), Some(0), "{arguments:?}");
        let said = text(&[output.stdout, output.stderr].concat());
        assert!(said.contains(word), "{said}");
    }
}
