//! Scans and series of a synthetic body with balls of uptake painted into it.

use std::sync::OnceLock;

use glam::DVec3;

use super::*;
use crate::criteria::Criteria;
use crate::deauville::{DeauvilleScore, Scored};
use crate::diagnostic::Warning;
use crate::geometry::VolumeGeometry;
use crate::lesion::{Class, Site, Threshold};
use crate::matching::Fate;
use crate::phantom::{Phantom, Scanner, body};
use crate::quality::ScanFacts;
use crate::reference::{Method, Status};
use crate::response::{MetabolicCategory, ResponseCategory};
use crate::segmentation::sphere;
use crate::suv::{SuvImage, SuvKind};
use crate::volume::{Mask, Volume};

fn phantom() -> &'static Phantom {
    static PHANTOM: OnceLock<Phantom> = OnceLock::new();
    PHANTOM.get_or_init(|| {
        // Large voxels, but a blood pool still holds ten of them.
        body(&Scanner { pet_voxel_mm: (6.0, 6.0), pet_matrix: 96, ..Scanner::coarse() })
    })
}

/// The body in SUVbw, nothing in it hotter than SUV 3, so that all the rest is what a test paints.
fn capped() -> SuvImage {
    let per_bqml = phantom().truth.suv_per_bqml as f32;
    let volume = phantom().pet.map(|&v| (v * per_bqml).min(3.0));
    SuvImage { kind: SuvKind::BodyWeight, volume }
}

fn organ(name: &str) -> DVec3 {
    DVec3::from_array(phantom().truth.organs_mm[name])
}

/// A ball of uptake.
#[derive(Debug, Clone, Copy)]
struct Ball(DVec3, f64, f32);

/// The capped body with balls, and their mask.
fn painted(balls: &[Ball]) -> (SuvImage, Mask) {
    let mut image = capped();
    let geometry = image.volume.geometry().clone();
    let mut mask = Mask::filled(geometry.clone(), false);
    for &Ball(centre, radius_mm, suv) in balls {
        let region = sphere(&geometry, centre, radius_mm).region;
        assert!(!region.is_empty());
        region.paint(&mut image.volume, suv);
        region.paint(&mut mask, true);
    }
    (image, mask)
}

/// Settings with lesions given as a mask.
fn given(mask: Mask) -> Settings {
    Settings { lesions: Some(mask), ..Settings::default() }
}

fn assessed(image: &SuvImage, settings: &Settings) -> ScanAssessment {
    let input = ScanInput { image, bw_per_value: 1.0, ct: Some(&phantom().ct) };
    assess_scan(&input, settings).unwrap()
}

fn codes(warnings: &[Warning]) -> Vec<&str> {
    warnings.iter().map(|w| w.code).collect()
}

/// In muscle and fat of the left thigh, the right pelvis and the left shoulder: places without organs.
fn places() -> [DVec3; 3] {
    let (bladder, lung) = (organ("bladder"), organ("lung left"));
    [
        bladder + DVec3::new(90.0, 20.0, -30.0),
        bladder + DVec3::new(-90.0, 20.0, 60.0),
        lung + DVec3::new(10.0, 0.0, 10.0),
    ]
}

#[test]
fn a_whole_body_is_scored() {
    let per_bqml = phantom().truth.suv_per_bqml;
    let volume = phantom().pet.map(|&v| (f64::from(v) * per_bqml) as f32);
    let image = SuvImage { kind: SuvKind::BodyWeight, volume };
    let found = assessed(&image, &Settings::default());
    assert_eq!((found.liver.status, found.liver.method), (Status::Ok, Some(Method::Ct)));
    assert_eq!(found.blood_pool.status, Status::Ok);
    assert_eq!(found.level, Some(4.0));
    assert!(matches!(found.deauville.score, Scored::Score(_)));
    let maxima: Vec<f64> = found.lesions.iter().map(|l| l.statistics.max).collect();
    assert!(maxima.is_sorted_by(|a, b| a >= b), "hottest first: {maxima:?}");
    let sites = |class| found.of_class(class).map(|l| l.finding.site).collect::<Vec<_>>();
    let normal = sites(Class::Physiologic);
    for site in [Site::Brain, Site::Bladder, Site::LeftKidney, Site::RightKidney] {
        assert!(normal.contains(&site), "{site}: {normal:?}");
    }
    assert!(!sites(Class::Lesion).is_empty());
    // The same image in another unit: the same regions, the same classes.
    let doubled = SuvImage { volume: image.volume.map(|v| v * 2.0), ..image };
    let input = ScanInput { image: &doubled, bw_per_value: 0.5, ct: Some(&phantom().ct) };
    let settings = Settings { threshold: Threshold::Fixed(8.0), ..Settings::default() };
    let again = assess_scan(&input, &settings).unwrap();
    let classes = |a: &ScanAssessment| -> Vec<_> {
        a.lesions.iter().map(|l| (l.finding.class, l.finding.site, l.statistics.voxels)).collect()
    };
    assert_eq!(classes(&found), classes(&again));
}

#[test]
fn given_lesions_replace_the_search() {
    let [a, b, _] = places();
    let (image, mask) = painted(&[Ball(a, 20.0, 8.0), Ball(b, 20.0, 6.0)]);
    let voxels = mask.values().iter().filter(|v| **v).count();
    let found = assessed(&image, &given(mask));
    assert_eq!(found.level, None);
    assert!(found.lesions.iter().all(|l| l.finding.class == Class::Lesion));
    assert_eq!(found.lesions.iter().map(|l| l.id).collect::<Vec<_>>(), [1, 2]);
    let totals = found.totals;
    assert_eq!(totals.lesions, 2);
    let geometry = image.volume.geometry();
    assert!((totals.tmtv_ml - voxels as f64 * geometry.voxel_ml()).abs() < 1e-6);
    let first = found.lesions[0].statistics.voxels as f64;
    let sum = 8.0 * first + 6.0 * (voxels as f64 - first);
    assert!((totals.tlg_g - sum * geometry.voxel_ml()).abs() < 1e-3);
    // Centroids of digital balls are within half a voxel (diagonally 7 mm) of their middles.
    assert!((totals.dmax_mm.unwrap() - a.distance(b)).abs() < 14.0);
    assert!((found.lesions[0].statistics.max - 8.0).abs() < 1e-9);
}

#[test]
fn a_lesion_in_a_reference_refuses_it() {
    let liver = organ("liver");
    let (image, mask) = painted(&[Ball(liver, 16.0, 9.0)]);
    let sphere = Given::Sphere { centre_mm: liver + DVec3::X * 20.0, radius_mm: 15.0 };
    let found = assessed(&image, &Settings { liver: sphere, ..given(mask) });
    assert_eq!(
        (found.liver.status, found.liver.method),
        (Status::Refused, Some(Method::GivenSphere))
    );
    assert!(found.liver.reasons.iter().any(|r| r.contains("overlaps a lesion")));
    assert!(found.references().liver.is_none());
    assert!(matches!(found.deauville.score, Scored::NotComputable(_)));
}

#[test]
fn references_in_the_wrong_order_are_remarked() {
    let liver = organ("liver");
    let sphere = |centre_mm| Given::Sphere { centre_mm, radius_mm: 15.0 };
    let (image, mask) = painted(&[]);
    let right = Settings { liver: sphere(liver), blood_pool: sphere(liver), ..given(mask) };
    let warned = assessed(&image, &right);
    // The same place for both: the liver is not above the blood pool.
    assert!(codes(&warned.warnings).contains(&"LIVER_NOT_ABOVE_BLOOD_POOL"));
    assert_eq!(warned.totals, Totals { lesions: 0, tmtv_ml: 0.0, tlg_g: 0.0, dmax_mm: None });
    let usual = assessed(&image, &Settings { blood_pool: Given::Automatic, ..right });
    assert!(!codes(&usual.warnings).contains(&"LIVER_NOT_ABOVE_BLOOD_POOL"));
}

#[test]
fn a_threshold_by_the_liver_needs_one() {
    let steps = [DVec3::Z, DVec3::Y, DVec3::X].map(|axis| axis * 8.0);
    let geometry = VolumeGeometry::new([10; 3], DVec3::ZERO, steps).unwrap();
    let volume = Volume::filled(geometry, 0.0);
    let image = SuvImage { kind: SuvKind::BodyWeight, volume };
    let input = ScanInput { image: &image, bw_per_value: 1.0, ct: None };
    let by_liver = Settings { threshold: Threshold::Liver, ..Settings::default() };
    assert!(assess_scan(&input, &by_liver).is_err());
    // With a fixed one the empty scan is assessed, and not scored.
    let found = assess_scan(&input, &Settings::default()).unwrap();
    assert!(found.lesions.is_empty());
    assert_eq!(found.liver.status, Status::NotFound);
    assert!(found.liver.reasons[0].contains("no body"));
}

#[test]
fn a_scan_is_scored_again_after_classes_changed() {
    let [a, b, _] = places();
    let (image, mask) = painted(&[Ball(a, 20.0, 20.0), Ball(b, 20.0, 6.0)]);
    let mut found = assessed(&image, &given(mask));
    let criteria = Criteria::default();
    let before = found.deauville.score.score().unwrap();
    found.lesions[0].finding.class = Class::Physiologic;
    found.rescore(&image.volume, Vec::new(), &criteria);
    assert_eq!((found.totals.lesions, found.totals.dmax_mm), (1, Some(0.0)));
    assert!(found.deauville.score.score().unwrap() < before);
    assert_eq!(found.deauville.deciding_uptake, Some(6.0));
    // Below the threshold: a lesion, but no volume.
    found.lesions[1].below_threshold = true;
    found.rescore(&image.volume, Vec::new(), &criteria);
    assert_eq!((found.totals.lesions, found.totals.tmtv_ml), (1, 0.0));
    // What is left at an old site counts for the score, not for the totals.
    found.lesions[1].finding.class = Class::Uncertain;
    let residual = crate::deauville::LesionUptake {
        max: 4.0,
        peak: Some(4.0),
        peak_of_four: Some(4.0),
        background: None,
    };
    found.rescore(&image.volume, vec![residual], &criteria);
    assert_eq!((found.totals.lesions, found.residual.len()), (0, 1));
    assert_eq!(found.deauville.deciding_uptake, Some(4.0));
}

/// Two voxel sets that overlap count each voxel once.
#[test]
fn the_tumour_volume_counts_a_voxel_once() {
    let [a, ..] = places();
    let (image, mask) = painted(&[Ball(a, 20.0, 8.0)]);
    let mut found = assessed(&image, &given(mask));
    let once = found.totals;
    found.lesions.push(found.lesions[0].clone());
    found.rescore(&image.volume, Vec::new(), &Criteria::default());
    assert_eq!(found.totals.lesions, 2);
    assert_eq!((found.totals.tmtv_ml, found.totals.tlg_g), (once.tmtv_ml, once.tlg_g));
}

/// A scan of a series, its lesions given.
fn in_series(image: &SuvImage, mask: Mask) -> SeriesScan<'_> {
    SeriesScan {
        input: ScanInput { image, bw_per_value: 1.0, ct: None },
        ct_body: None,
        frame_of_reference_uid: Some("1.2.3"),
        facts: ScanFacts::default(),
        sul_per_value: Some(0.7),
        assessment: assessed(image, &given(mask)),
    }
}

/// Fates of the groups, in the order of the document.
fn fates(pair: &PairAssessment) -> Vec<(Vec<usize>, Vec<usize>, Fate)> {
    let row = |l: &LinkedLesion| (l.baseline_ids.clone(), l.follow_up_ids.clone(), l.fate);
    pair.lesions.iter().map(row).collect()
}

#[test]
fn lesions_persist_resolve_and_appear() {
    let [a, b, c] = places();
    let (before, mask) = painted(&[Ball(a, 20.0, 9.0), Ball(b, 20.0, 7.0)]);
    let (now, later_mask) = painted(&[Ball(a, 16.0, 6.0), Ball(c, 16.0, 5.0)]);
    let mut scans = [in_series(&before, mask), in_series(&now, later_mask)];
    let pairs = assess_series(&mut scans, None, &Criteria::default()).unwrap();
    assert_eq!(pairs.len(), 1);
    let expected = [
        (vec![1], vec![1], Fate::Persistent),
        (vec![2], vec![], Fate::Resolved),
        (vec![], vec![2], Fate::New),
    ];
    // Groups come in memory order of the baseline's list, which is hottest first.
    assert_eq!(fates(&pairs[0]), expected);
    let [persistent, resolved, new] = &pairs[0].lesions[..] else { panic!("three groups") };
    assert!((persistent.delta_suv_max_percent.unwrap() + 100.0 / 3.0).abs() < 1e-4);
    assert!(persistent.delta_volume_percent.unwrap() < 0.0);
    assert_eq!((resolved.delta_suv_max_percent, new.delta_suv_max_percent), (None, None));
    // In the capped body nothing is above 3 where the lesion was or comes to be.
    assert!(resolved.suv_max_there.unwrap() <= 3.0 && new.suv_max_there.unwrap() <= 3.0);
    assert!(persistent.suv_max_there.is_none());
    assert!((pairs[0].delta_suv_max_percent.unwrap() + 100.0 / 3.0).abs() < 1e-4);
    // What is left at the resolved site was measured.
    assert_eq!(scans[1].assessment.residual.len(), 1);
    assert!(scans[1].assessment.residual[0].max <= 3.0);
}

#[test]
fn where_the_baseline_was_as_hot_a_lesion_is_not_new_for_certain() {
    let [a, b, _] = places();
    let (now, later_mask) = painted(&[Ball(a, 20.0, 9.0), Ball(b, 20.0, 6.0)]);
    let codes = |suv: f32| -> Vec<&str> {
        // Uptake that is not among the lesions of the baseline.
        let (before, _) = painted(&[Ball(a, 20.0, 9.0), Ball(b, 24.0, suv)]);
        let (_, mask) = painted(&[Ball(a, 20.0, 9.0)]);
        let mut scans = [in_series(&before, mask), in_series(&now, later_mask.clone())];
        let pair = assess_series(&mut scans, None, &Criteria::default()).unwrap().remove(0);
        assert_eq!(fates(&pair)[1], (vec![], vec![2], Fate::New));
        pair.lugano.reasons.iter().map(|r| r.code).collect()
    };
    let (as_hot, cooler) = (codes(6.0), codes(5.0));
    assert!(
        as_hot.contains(&"NEW_SITE_UNVERIFIED") && !as_hot.contains(&"NEW_LESION"),
        "{as_hot:?}"
    );
    assert!(cooler.contains(&"NEW_LESION"), "{cooler:?}");
}

#[test]
fn a_site_outside_the_other_field_of_view_is_neither_resolved_nor_new() {
    let [a, _, c] = places();
    let (before, mask) = painted(&[Ball(a, 20.0, 9.0), Ball(c, 20.0, 7.0)]);
    let (now, later_mask) = painted(&[Ball(c, 20.0, 7.0)]);
    // The second scan begins above the thighs.
    let from = now.volume.geometry().voxel_at(a + DVec3::Z * 21.0).unwrap()[0] + 2;
    let cropped = SuvImage { kind: now.kind, volume: above(&now.volume, from) };
    let forward = {
        let mut scans =
            [in_series(&before, mask.clone()), in_series(&cropped, above(&later_mask, from))];
        assess_series(&mut scans, None, &Criteria::default()).unwrap().remove(0)
    };
    assert_eq!(
        fates(&forward),
        [(vec![1], vec![], Fate::OutOfView), (vec![2], vec![1], Fate::Persistent)]
    );
    assert!(forward.lesions[0].suv_max_there.is_none());
    let mut scans = [in_series(&cropped, above(&later_mask, from)), in_series(&before, mask)];
    let backward = assess_series(&mut scans, None, &Criteria::default()).unwrap().remove(0);
    assert_eq!(
        fates(&backward),
        [(vec![1], vec![2], Fate::Persistent), (vec![], vec![1], Fate::OutOfView)]
    );
}

#[test]
fn what_one_scan_does_not_show_is_judged_by_no_criterion() {
    let [a, _, c] = places();
    let (before, mask) = painted(&[Ball(a, 20.0, 9.0), Ball(c, 20.0, 7.0)]);
    let from = before.volume.geometry().voxel_at(a + DVec3::Z * 21.0).unwrap()[0] + 2;
    let cropped = SuvImage { kind: before.kind, volume: above(&before.volume, from) };
    let compared = |first: &SuvImage, second: &SuvImage| {
        let lesions = |image: &SuvImage| {
            let cut = image.volume.geometry().shape() != mask.geometry().shape();
            if cut { above(&mask, from) } else { mask.clone() }
        };
        let mut scans = [in_series(first, lesions(first)), in_series(second, lesions(second))];
        assess_series(&mut scans, None, &Criteria::default()).unwrap().remove(0)
    };
    // The same uptake in both; the hottest lesion is below the end of one scan.
    for (first, second, code) in
        [(&before, &cropped, "SITE_OUT_OF_FIELD"), (&cropped, &before, "NEW_SITE_UNVERIFIED")]
    {
        let pair = compared(first, second);
        assert_eq!(pair.delta_suv_max_percent, Some(0.0), "{code}: that of the other lesion");
        assert_eq!(pair.eortc.category, MetabolicCategory::NotEvaluable, "{code}");
        assert_eq!(pair.percist.category, MetabolicCategory::NotEvaluable, "{code}");
        assert_eq!(pair.delta_suv_max.favourable, None, "{code}");
        assert!(pair.lugano.reasons.iter().any(|r| r.code == code), "{:?}", pair.lugano.reasons);
    }
    assert_eq!(compared(&before, &before).eortc.category, MetabolicCategory::Stable);
}

#[test]
fn what_merely_covers_a_known_site_is_measured_there_alone() {
    let [a, ..] = places();
    let (before, mask) = painted(&[Ball(a, 12.0, 9.0)]);
    // Wide uptake over the site, hottest far from it: diffuse marrow, a loop of bowel.
    let end = a + DVec3::Z * 60.0;
    let wide = [Ball(a + DVec3::Z * 30.0, 50.0, 4.0), Ball(end, 12.0, 7.0)];
    let (now, later_mask) = painted(&wide);
    let mut scans = [in_series(&before, mask), in_series(&now, later_mask)];
    scans[1].assessment.lesions.iter_mut().for_each(|l| l.finding.class = Class::Uncertain);
    let pair = assess_series(&mut scans, None, &Criteria::default()).unwrap().remove(0);
    assert_eq!(fates(&pair), [(vec![1], vec![1], Fate::Persistent)]);
    assert_eq!(scans[1].assessment.lesions[0].finding.class, Class::Uncertain);
    assert_eq!(scans[1].assessment.totals.lesions, 0);
    let [left] = scans[1].assessment.residual[..] else { panic!("one site") };
    assert!((left.max - 4.0).abs() < 0.1, "{}", left.max);
    let expected = 100.0 * (left.max - 9.0) / 9.0;
    assert!((pair.delta_suv_max_percent.unwrap() - expected).abs() < 1e-6);
    assert!((pair.lesions[0].delta_suv_max_percent.unwrap() - expected).abs() < 1e-6);
    // It does not stand out of what covers it: score 1. The cover itself is told as uncertain.
    assert_eq!(pair.lugano.category, ResponseCategory::Complete);
    let open = scans[1].assessment.deauville.if_uncertain_are_lesions.score();
    assert!(open >= Some(DeauvilleScore::Four), "{open:?}");
}

#[test]
fn every_criterion_speaks_of_the_same_disease() {
    let [a, b, _] = places();
    let balls = [Ball(a, 20.0, 9.0), Ball(b, 20.0, 6.0)];
    let (image, mask) = painted(&balls);
    let mut scans = [in_series(&image, mask.clone()), in_series(&image, mask)];
    // The hottest was uncertain before and is a lesion now; nothing has changed.
    scans[0].assessment.lesions[0].finding.class = Class::Uncertain;
    let pair = assess_series(&mut scans, None, &Criteria::default()).unwrap().remove(0);
    assert_eq!(pair.lugano.category, ResponseCategory::None);
    assert_eq!(pair.delta_suv_max_percent, Some(0.0));
    assert_eq!(pair.eortc.category, MetabolicCategory::Stable);
    assert_eq!(pair.percist.category, MetabolicCategory::Stable);
}

/// The slices from a number on.
fn above<T: Copy>(volume: &Volume<T>, from: usize) -> Volume<T> {
    let geometry = volume.geometry();
    let [slices, rows, columns] = geometry.shape();
    let origin = geometry.centre_of([from, 0, 0]);
    let shape = [slices - from, rows, columns];
    let cropped = VolumeGeometry::new(shape, origin, geometry.steps_mm()).unwrap();
    Volume::from_vec(cropped, volume.values()[from * rows * columns..].to_vec())
}

#[test]
fn uncertain_uptake_at_a_known_site_is_disease() {
    let [a, _, c] = places();
    let (before, mask) = painted(&[Ball(a, 20.0, 9.0)]);
    let (now, later_mask) = painted(&[Ball(a, 20.0, 6.0), Ball(c, 20.0, 5.0)]);
    let mut scans = [in_series(&before, mask), in_series(&now, later_mask)];
    let later = &mut scans[1].assessment;
    later.lesions.iter_mut().for_each(|l| l.finding.class = Class::Uncertain);
    later.rescore(&now.volume, Vec::new(), &Criteria::default());
    assert_eq!(later.totals.lesions, 0);
    let pairs = assess_series(&mut scans, None, &Criteria::default()).unwrap();
    let classes: Vec<Class> = scans[1].assessment.lesions.iter().map(|l| l.finding.class).collect();
    assert_eq!(classes, [Class::Lesion, Class::Uncertain]);
    assert!(scans[1].assessment.lesions[0].finding.reason.contains("site of an earlier lesion"));
    assert_eq!(scans[1].assessment.totals.lesions, 1);
    assert_eq!(scans[1].assessment.deauville.deciding_uptake, Some(6.0));
    assert_eq!(pairs[0].lesions[1].class, Class::Uncertain);
    // Uncertain in both scans stays uncertain.
    let mut unsure = [scans[0].clone(), scans[1].clone()];
    for scan in &mut unsure {
        for lesion in &mut scan.assessment.lesions {
            lesion.finding.class = Class::Uncertain;
        }
    }
    assess_series(&mut unsure, None, &Criteria::default()).unwrap();
    assert!(unsure[1].assessment.of_class(Class::Lesion).next().is_none());
}

#[test]
fn each_scan_is_compared_with_the_first_and_the_one_before() {
    let [a, ..] = places();
    let (image, mask) = painted(&[Ball(a, 20.0, 9.0)]);
    let mut scans = {
        let scan = in_series(&image, mask);
        [0, 1, 2, 3].map(|_| scan.clone())
    };
    let pairs = assess_series(&mut scans, None, &Criteria::default()).unwrap();
    let ends: Vec<_> = pairs.iter().map(|p| (p.baseline, p.follow_up)).collect();
    assert_eq!(ends, [(0, 1), (0, 2), (1, 2), (0, 3), (2, 3)]);
    assert!(assess_series(&mut scans[..1], None, &Criteria::default()).unwrap().is_empty());
}
