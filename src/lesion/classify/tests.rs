//! The rules on tables of features: what lies where, and how large and hot it is.

use std::sync::OnceLock;

use glam::DVec3;

use super::*;
use crate::anatomy::Anatomy;
use crate::organ::OrganMap;
use crate::phantom::{Scanner, body};
use crate::segmentation::Region;

const LIVER: (f64, f64) = (2.0, 3.0);

/// A compact focus far hotter than the liver, in soft tissue, 150 mm above the dome.
fn focus() -> Features {
    Features {
        centroid: DVec3::ZERO,
        hottest: DVec3::ZERO,
        size: DVec3::splat(20.0),
        volume_ml: 4.0,
        max: 12.0,
        peak: 10.0,
        whole_ml: 4.0,
        whole_size: DVec3::splat(20.0),
        at_top: false,
        bone: 0.0,
        lung: 0.0,
        organ: None,
        in_fat: false,
        in_ladder: false,
        depth: 60.0,
        up: 150.0,
        left: 0.0,
        back: -40.0,
    }
}

/// Landmarks with the dome at 0 and the apex 195 mm above it, the column at x = y = 0 and no liver mask.
fn judge(check: impl FnOnce(&Landmarks<'_>)) {
    static ANATOMY: OnceLock<Anatomy> = OnceLock::new();
    let survey = || {
        let phantom = body(&Scanner::coarse());
        Anatomy::survey(&phantom.pet, phantom.truth.suv_per_bqml, Some(&phantom.ct)).unwrap()
    };
    let mut anatomy = ANATOMY.get_or_init(survey).clone();
    anatomy.spine.centres.fill((0.0, 0.0));
    check(&Landmarks {
        anatomy: &anatomy,
        dome_z: 0.0,
        apex_z: 195.0,
        scale: 1.0,
        liver: Some(LIVER),
        liver_mask: None,
        organs: None,
    });
}

/// A focus at a place from dome (up) and column (left, back).
fn focus_at(up: f64, left: f64, back: f64) -> Features {
    let place = DVec3::new(left, back, up);
    Features { centroid: place, hottest: place, up, left, back, ..focus() }
}

#[test]
fn places_and_forms_name_what_they_are() {
    use Class::{Lesion, Physiologic, Uncertain};
    let large = |f: Features| Features { whole_ml: 80.0, volume_ml: 80.0, ..f };
    let thread = |f: Features| Features { size: DVec3::new(8.0, 8.0, 40.0), volume_ml: 2.0, ..f };
    let mild = |f: Features| Features { max: 4.5, peak: 4.0, ..f };
    let rows = [
        ("brain", large(focus_at(330.0, 0.0, -60.0)), Physiologic, Site::Brain),
        ("small in the head", focus_at(330.0, 20.0, -60.0), Uncertain, Site::Head),
        ("node of the neck", focus_at(240.0, 50.0, -20.0), Lesion, Site::Neck),
        ("larynx", focus_at(240.0, 5.0, -40.0), Uncertain, Site::Larynx),
        ("arm", focus_at(100.0, 260.0, 0.0), Uncertain, Site::UpperLimb),
        ("ventricle", large(focus_at(40.0, 40.0, -90.0)), Physiologic, Site::Myocardium),
        ("small at the heart", focus_at(40.0, 40.0, -90.0), Uncertain, Site::Myocardium),
        ("node of the mediastinum", focus_at(120.0, -20.0, -40.0), Lesion, Site::Mediastinum),
        ("oesophagus", thread(focus_at(120.0, 5.0, -40.0)), Uncertain, Site::Oesophagus),
        ("nodule", Features { lung: 0.9, ..focus_at(90.0, -80.0, -20.0) }, Lesion, Site::Lung),
        ("axilla", focus_at(150.0, 150.0, -20.0), Lesion, Site::ChestWall),
        ("spleen focus", focus_at(-20.0, 110.0, 20.0), Lesion, Site::Spleen),
        (
            "whole spleen",
            Features { size: DVec3::new(50.0, 60.0, 90.0), ..large(focus_at(-40.0, 95.0, 20.0)) },
            Uncertain,
            Site::Spleen,
        ),
        (
            "fat on one side",
            Features { in_fat: true, ..focus_at(180.0, 70.0, -10.0) },
            Uncertain,
            Site::BrownFat,
        ),
        ("one kidney", focus_at(-100.0, -60.0, 10.0), Uncertain, Site::RightKidney),
        (
            "a long kidney",
            Features { size: DVec3::new(30.0, 30.0, 70.0), ..focus_at(-100.0, 60.0, 10.0) },
            Physiologic,
            Site::LeftKidney,
        ),
        ("ureter", thread(focus_at(-260.0, 30.0, -20.0)), Physiologic, Site::Ureter),
        (
            "dot of a ureter",
            Features { size: DVec3::splat(12.0), volume_ml: 1.0, ..focus_at(-260.0, 30.0, -20.0) },
            Uncertain,
            Site::Ureter,
        ),
        ("hot node of the mesentery", focus_at(-150.0, 10.0, -80.0), Lesion, Site::Abdomen),
        ("bowel", mild(focus_at(-150.0, 10.0, -80.0)), Uncertain, Site::StomachOrBowel),
        (
            "long bowel",
            Features { size: DVec3::new(150.0, 30.0, 30.0), ..focus_at(-150.0, 10.0, -80.0) },
            Uncertain,
            Site::StomachOrBowel,
        ),
        ("node of the groin", focus_at(-400.0, 80.0, -20.0), Lesion, Site::Pelvis),
        ("thigh", focus_at(-500.0, 80.0, -20.0), Lesion, Site::LowerLimb),
        ("vertebra", Features { bone: 0.8, ..focus_at(-150.0, 0.0, 0.0) }, Lesion, Site::Spine),
        ("rib", Features { bone: 0.8, ..focus_at(60.0, 120.0, 0.0) }, Lesion, Site::Bone),
    ];
    judge(|marks| {
        for (name, features, class, site) in rows {
            let all = [features];
            let found = named(&all[0], &all, marks, false);
            assert_eq!((found.class, found.site), (class, site), "{name}: {}", found.reason);
            assert!(!found.reason.is_empty());
        }
    });
}

#[test]
fn a_kidney_has_a_counterpart() {
    judge(|marks| {
        let pair = [focus_at(-100.0, 60.0, 10.0), focus_at(-115.0, -55.0, 15.0)];
        for (f, site) in pair.iter().zip([Site::LeftKidney, Site::RightKidney]) {
            let found = named(f, &pair, marks, false);
            assert_eq!((found.class, found.site), (Class::Physiologic, site));
        }
        // Too far above the other to be its counterpart.
        let apart = [focus_at(-50.0, 60.0, 10.0), focus_at(-200.0, -55.0, 15.0)];
        assert_eq!(named(&apart[0], &apart, marks, false).class, Class::Uncertain);
    });
}

/// The outline of an organ decides, wherever its rule of place would have looked for it.
#[test]
fn outlined_organs_name_their_uptake() {
    use Class::{Lesion, Physiologic, Uncertain};
    let rows = [
        (Organ::Kidney(Side::Left), Physiologic, Site::LeftKidney),
        (Organ::Kidney(Side::Right), Physiologic, Site::RightKidney),
        (Organ::UrinaryBladder, Physiologic, Site::Bladder),
        (Organ::Brain, Physiologic, Site::Brain),
        (Organ::Colon, Uncertain, Site::StomachOrBowel),
        (Organ::Spleen, Lesion, Site::Spleen),
        (Organ::Liver, Lesion, Site::Liver),
        (Organ::Myocardium, Uncertain, Site::Myocardium),
        // No rule for a vessel: the place names it.
        (Organ::Aorta, Lesion, Site::Mediastinum),
    ];
    judge(|marks| {
        for (organ, class, site) in rows {
            let f = [Features { organ: Some(organ), ..focus_at(120.0, -20.0, -40.0) }];
            let found = named(&f[0], &f, marks, false);
            assert_eq!((found.class, found.site), (class, site), "{organ:?}: {}", found.reason);
        }
        let mut organs = OrganMap::new([1, 1, 1]);
        organs.add(Organ::Kidney(Side::Left), &Region::from_offsets([1, 1, 1], [0]));
        let known = Landmarks { organs: Some(&organs), liver_mask: None, ..*marks };
        // At a kidney's place, but the kidney has been outlined and this is not in it.
        let beside = [focus_at(-100.0, 40.0, 10.0)];
        assert_eq!(named(&beside[0], &beside, marks, false).class, Uncertain);
        assert_eq!(named(&beside[0], &beside, &known, false).class, Lesion);
    });
}

#[test]
fn brown_fat_is_in_fat_on_both_sides() {
    judge(|marks| {
        let fat = |f: Features| Features { in_fat: true, ..f };
        let [left, right] = [70.0, -75.0].map(|left| focus_at(180.0, left, -10.0));
        let pair = [fat(left), fat(right)];
        for f in &pair {
            let found = named(f, &pair, marks, false);
            assert_eq!((found.class, found.site), (Class::Physiologic, Site::BrownFat));
        }
        // A node on the other side, in soft tissue, is no counterpart; and far below it is no brown fat's place.
        let node = [fat(focus_at(180.0, 70.0, -10.0)), focus_at(180.0, -75.0, -10.0)];
        assert_eq!(named(&node[0], &node, marks, false).class, Class::Uncertain);
        assert_eq!(named(&node[1], &node, marks, false).class, Class::Lesion);
        let mesentery = [fat(focus_at(-200.0, 40.0, -80.0)), fat(focus_at(-200.0, -40.0, -80.0))];
        assert_ne!(named(&mesentery[0], &mesentery, marks, false).site, Site::BrownFat);
    });
}

#[test]
fn small_uptakes_in_rows_beside_the_column_are_brown_fat() {
    judge(|marks| {
        let rung =
            |up: f64, left: f64| Features { volume_ml: 1.0, bone: 0.5, ..focus_at(up, left, 10.0) };
        let rows = |levels: usize| -> Vec<Features> {
            let both = |n: usize| [24.0, -26.0].map(|left| rung(20.0 + 22.0 * n as f64, left));
            let mut all: Vec<_> = (0..levels).flat_map(both).collect();
            mark_ladder(&mut all, marks);
            all
        };
        let ladder = rows(3);
        for f in &ladder {
            let found = named(f, &ladder, marks, false);
            assert_eq!((found.class, found.site), (Class::Physiologic, Site::BrownFat));
        }
        // Two levels may be chance: foci in bone.
        let few = rows(2);
        assert_eq!(named(&few[0], &few, marks, false).class, Class::Lesion);
        // One side alone is no ladder, at any number of levels.
        let mut side: Vec<_> = (0..5).map(|n| rung(20.0 + 22.0 * f64::from(n), 24.0)).collect();
        mark_ladder(&mut side, marks);
        assert!(side.iter().all(|f| !f.in_ladder));
    });
}

#[test]
fn glands_of_the_upper_neck_are_alike_on_both_sides() {
    judge(|marks| {
        let of = |left: f64, max: f64| Features { max, ..focus_at(265.0, left, -20.0) };
        for (other, class) in [(11.0, Class::Uncertain), (5.0, Class::Lesion)] {
            let pair = [of(40.0, 12.0), of(-42.0, other)];
            assert_eq!(named(&pair[0], &pair, marks, false).class, class, "{other}");
        }
    });
}

#[test]
fn faint_uptake_is_no_sure_lesion() {
    judge(|marks| {
        for (share, class) in [(1.1, Class::Uncertain), (1.2, Class::Lesion)] {
            let peak = share * LIVER.1;
            let faint = [Features { peak, max: 1.3 * peak, ..focus_at(120.0, -20.0, -40.0) }];
            let found = named(&faint[0], &faint, marks, false);
            assert_eq!((found.class, found.site), (class, Site::Mediastinum));
        }
    });
}

#[test]
fn uptake_of_the_whole_skeleton_is_marrow() {
    let vertebrae = |n: usize| -> Vec<Features> {
        let one = |n: usize| Features { bone: 0.9, ..focus_at(-25.0 * n as f64, 0.0, 0.0) };
        (0..n).map(one).collect()
    };
    // Foci of 20 mm every 25 mm: four reach 95 mm, twelve 295 mm.
    assert!(!diffuse_marrow(&vertebrae(4)) && diffuse_marrow(&vertebrae(12)));
    // Three foci far apart are not diffuse.
    let spread: Vec<_> =
        [0.0, -200.0, -400.0].map(|up| Features { bone: 0.9, ..focus_at(up, 0.0, 0.0) }).into();
    assert!(!diffuse_marrow(&spread) && !diffuse_marrow(&[]));
    judge(|marks| {
        let all = vertebrae(12);
        let found = named(&all[3], &all, marks, true);
        assert_eq!((found.class, found.site), (Class::Uncertain, Site::Marrow));
    });
}

#[test]
fn the_bladder_is_the_strongest_region_low_in_the_middle() {
    let low = |ml: f64, max: f64, left: f64| Features {
        volume_ml: ml,
        whole_ml: ml,
        max,
        ..focus_at(-400.0, left, -40.0)
    };
    judge(|marks| {
        let all = [low(12.0, 20.0, 0.0), low(100.0, 15.0, 10.0), low(300.0, 15.0, 90.0)];
        assert_eq!(bladder(&all, marks), Some(1), "the last lies to the side");
        assert_eq!(bladder(&[low(5.0, 30.0, 0.0)], marks), None, "too small");
        assert_eq!(bladder(&[low(100.0, 4.0, 0.0)], marks), None, "hardly above the liver");
        assert_eq!(bladder(&[], marks), None);
    });
}
