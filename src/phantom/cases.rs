//! The two patients of the case report, in three scans each.

use chrono::{NaiveDate, NaiveDateTime};
use glam::DVec3;

use super::anatomy::{Arms, Build};
use super::truth::{Fate, LesionFate, PairTruth};
use super::{Case, LesionPlan, Pose, Protocol, Scanner, Tissue, Uptake, Visit, random};
use crate::acquisition::Sex;

/// The cases `petct phantom` can write.
pub fn cases() -> Vec<Case> {
    vec![patient_1(), patient_2()]
}

/// The case of that name.
pub fn case(name: &str) -> Option<Case> {
    cases().into_iter().find(|case| case.name == name)
}

/// Noise that gives a liver of SUV 2.2 in a body of middling girth a coefficient of variation of about 10 %.
const NOISE_AT_ONE: f64 = 0.145;

/// Year, month, day; injection (hour, minute, second); seconds to the scan; MBq.
struct Clock([i32; 3], [u32; 3], i64, f64);

impl Clock {
    fn protocol(&self) -> Protocol {
        let &Self([year, month, day], [hour, minute, second], uptake, megabecquerels) = self;
        let injected_at: NaiveDateTime = NaiveDate::from_ymd_opt(year, month as u32, day as u32)
            .and_then(|date| date.and_hms_opt(hour, minute, second))
            .expect("a date and time of the tables below");
        Protocol {
            dose_bq: megabecquerels * 1e6,
            injected_at,
            started_at: injected_at + chrono::TimeDelta::seconds(uptake),
            bed_secs: 150.0,
            noise_at_one: NOISE_AT_ONE,
        }
    }
}

fn pose(turn_degrees: [f64; 3], shift_mm: [f64; 3]) -> Pose {
    Pose { turn_degrees, shift_mm: DVec3::from_array(shift_mm) }
}

fn visit(name: &str, build: Build, clock: &Clock, pose: Pose, uptake: Uptake) -> Visit {
    let seed = random::bits(build.person, random::seed_of(name));
    let protocol = clock.protocol();
    Visit {
        name: name.into(),
        build,
        uptake,
        lesions: Vec::new(),
        pose,
        protocol,
        scanner: Scanner::default(),
        deauville: 1,
        seed,
    }
}

/// Woman of 66: pancreas, spleen and skeleton; then new lesions; then nothing.
fn patient_1() -> Case {
    let build = |weight_kg| Build {
        sex: Sex::Female,
        height_m: 1.62,
        weight_kg,
        arms: Arms::Up,
        person: 101,
    };
    let uptake = Uptake { liver: 2.2, ..Uptake::default() };
    let pancreas = |suv_max| {
        LesionPlan::focal(
            "pancreas head and body",
            "pancreas",
            suv_max,
            &[
                [-27.0, -13.0, 64.0, 19.0, 17.0, 21.0],
                [-8.0, -22.0, 80.0, 15.0, 13.0, 14.0],
                [14.0, -22.0, 90.0, 17.0, 13.0, 13.0],
            ],
        )
    };
    let mut t0 = visit(
        "t0",
        build(63.0),
        &Clock([2021, 3, 9], [9, 12, 20], 3610, 248.6),
        pose([1.5, -1.0, 2.0], [6.0, 12.0, -420.0]),
        uptake,
    );
    t0.lesions = vec![
        pancreas(32.0),
        LesionPlan::diffuse("spleen", "spleen", 5.0, Tissue::Spleen),
        LesionPlan::diffuse("skeleton", "bone marrow", 5.0, Tissue::Marrow),
    ];
    t0.deauville = 5;
    let later = Uptake {
        liver: 2.3,
        blood: 1.65,
        myocardium: 2.7,
        bladder: 28.0,
        renal_pelvis: 12.0,
        brain: 9.0,
        ..uptake
    };
    let mut t1 = visit(
        "t1",
        build(61.5),
        &Clock([2021, 4, 13], [10, 41, 5], 3795, 240.1),
        pose([-2.0, 1.5, -3.5], [-11.0, 5.0, -455.0]),
        later,
    );
    t1.lesions = vec![
        pancreas(26.0),
        LesionPlan::focal(
            "pancreas tail",
            "pancreas",
            10.5,
            &[[57.0, 17.0, 118.0, 11.0, 10.0, 10.0]],
        ),
        LesionPlan::focal(
            "gastric fundus",
            "stomach, fundus",
            9.0,
            &[[62.0, 10.0, 170.0, 15.0, 13.0, 10.0]],
        ),
        LesionPlan::focal(
            "gastric antrum",
            "stomach, antrum",
            8.0,
            &[[16.0, -54.0, 54.0, 13.0, 10.0, 11.0]],
        ),
        LesionPlan::focal(
            "left kidney",
            "left kidney, parenchyma",
            11.0,
            &[[89.0, 38.0, 82.0, 13.0, 14.0, 16.0]],
        ),
    ];
    t1.deauville = 5;
    let last =
        Uptake { liver: 2.4, blood: 1.7, myocardium: 3.0, bladder: 16.0, brain: 10.0, ..uptake };
    let t2 = visit(
        "t2",
        build(60.5),
        &Clock([2021, 5, 18], [8, 55, 40], 3540, 243.9),
        pose([2.5, 1.0, 4.0], [14.0, 18.0, -398.0]),
        last,
    );
    finish(
        "patient-1",
        "PHANTOM-1",
        "Phantom^One",
        66,
        vec![t0, t1, t2],
        &[("t0", "t1", "PMD"), ("t0", "t2", "CMR"), ("t1", "t2", "CMR")],
    )
}

/// Man of 67: six sites; then most of them cooler; then two small foci.
fn patient_2() -> Case {
    let build = |weight_kg| Build {
        sex: Sex::Male,
        height_m: 1.74,
        weight_kg,
        arms: Arms::Up,
        person: 202,
    };
    let uptake = Uptake { liver: 2.4, blood: 1.7, myocardium: 2.0, ..Uptake::default() };
    let gastric = |suv_max, r: f64| {
        LesionPlan::focal(
            "greater curvature",
            "stomach, greater curvature",
            suv_max,
            &[[84.0, -34.0, 108.0, 0.9 * r, r, 1.2 * r]],
        )
    };
    let mut t0 = visit(
        "t0",
        build(79.0),
        &Clock([2021, 6, 2], [8, 47, 10], 3655, 305.2),
        pose([-1.0, 2.0, -2.5], [-7.0, 10.0, -430.0]),
        uptake,
    );
    t0.lesions = vec![
        LesionPlan::focal(
            "mediastinum",
            "mediastinum, right paratracheal",
            6.4,
            &[[-24.0, 2.0, 318.0, 12.0, 13.0, 17.0]],
        ),
        LesionPlan::focal(
            "subcarinal",
            "mediastinum, subcarinal",
            5.9,
            &[[-10.0, 24.0, 280.0, 12.0, 10.0, 13.0]],
        ),
        LesionPlan::focal(
            "pectoral",
            "left pectoral muscle",
            6.1,
            &[[82.0, -73.0, 312.0, 18.0, 7.0, 17.0]],
        ),
        LesionPlan::focal("axilla", "left axilla", 6.9, &[[132.0, -18.0, 352.0, 13.0, 13.0, 15.0]]),
        gastric(7.7, 17.0),
        LesionPlan::focal(
            "mesentery",
            "mesentery to hepatic hilum",
            7.2,
            &[
                [-2.0, -38.0, 30.0, 20.0, 15.0, 17.0],
                [-14.0, -34.0, 56.0, 17.0, 14.0, 17.0],
                [-24.0, -26.0, 82.0, 15.0, 13.0, 16.0],
                [-30.0, -16.0, 102.0, 15.0, 13.0, 14.0],
            ],
        ),
        LesionPlan::focal(
            "iliac right",
            "right external iliac",
            5.8,
            &[[-62.0, -14.0, -92.0, 13.0, 13.0, 17.0]],
        ),
        LesionPlan::focal(
            "iliac left",
            "left common iliac",
            5.2,
            &[[36.0, 20.0, -44.0, 12.0, 11.0, 15.0]],
        ),
    ];
    t0.deauville = 5;
    let later = Uptake { liver: 2.5, blood: 1.75, myocardium: 3.0, bladder: 18.0, ..uptake };
    let mut t1 = visit(
        "t1",
        build(77.5),
        &Clock([2021, 7, 6], [11, 3, 30], 3905, 298.4),
        pose([2.0, -1.5, 3.0], [9.0, 16.0, -462.0]),
        later,
    );
    t1.lesions = vec![
        LesionPlan::focal(
            "mediastinum",
            "mediastinum, right paratracheal",
            4.3,
            &[[-24.0, 2.0, 318.0, 10.0, 11.0, 13.0]],
        ),
        LesionPlan::focal("axilla", "left axilla", 4.2, &[[132.0, -18.0, 352.0, 10.0, 10.0, 11.0]]),
        gastric(4.6, 13.0),
        LesionPlan::focal(
            "mesentery",
            "mesentery to hepatic hilum",
            4.5,
            &[
                [-14.0, -34.0, 56.0, 12.0, 11.0, 13.0],
                [-24.0, -26.0, 80.0, 12.0, 11.0, 14.0],
                [-30.0, -16.0, 102.0, 12.0, 11.0, 12.0],
            ],
        ),
        LesionPlan::focal(
            "iliac left",
            "left common iliac",
            4.4,
            &[[36.0, 20.0, -44.0, 11.0, 10.0, 13.0]],
        ),
    ];
    t1.deauville = 4;
    let last =
        Uptake { liver: 2.4, blood: 1.65, myocardium: 2.6, bladder: 25.0, brain: 9.0, ..uptake };
    let mut t2 = visit(
        "t2",
        build(77.0),
        &Clock([2021, 8, 10], [9, 30, 0], 3720, 301.0),
        pose([-2.5, -1.0, -1.5], [-14.0, 7.0, -405.0]),
        last,
    );
    t2.lesions = vec![
        gastric(4.04, 11.0),
        LesionPlan::focal(
            "mesentery",
            "hepatic hilum",
            4.03,
            &[[-30.0, -18.0, 100.0, 11.0, 10.0, 11.0]],
        ),
    ];
    t2.deauville = 4;
    finish(
        "patient-2",
        "PHANTOM-2",
        "Phantom^Two",
        67,
        vec![t0, t1, t2],
        &[("t0", "t1", "PMR"), ("t0", "t2", "PMR"), ("t1", "t2", "PMR")],
    )
}

fn finish(
    name: &str,
    patient_id: &str,
    patient_name: &str,
    age_years: u32,
    visits: Vec<Visit>,
    calls: &[(&str, &str, &str)],
) -> Case {
    let find = |name: &str| visits.iter().find(|v| v.name == name).expect("calls name visits");
    let pair = |&(from, to, response): &(&str, &str, &str)| {
        let (before, after) = (find(from), find(to));
        PairTruth {
            from: from.into(),
            to: to.into(),
            deauville: after.deauville,
            response: response.into(),
            fates: fates(&before.lesions, &after.lesions),
        }
    };
    let pairs = calls.iter().map(pair).collect();
    Case {
        name: name.into(),
        patient_id: patient_id.into(),
        patient_name: patient_name.into(),
        age_years,
        visits,
        pairs,
    }
}

/// Lesions are the same if they have the same name.
fn fates(before: &[LesionPlan], after: &[LesionPlan]) -> Vec<LesionFate> {
    let find =
        |list: &[LesionPlan], name: &str| list.iter().find(|l| l.name == name).map(|l| l.suv_max);
    let new = after.iter().filter(|l| find(before, &l.name).is_none());
    before
        .iter()
        .chain(new)
        .map(|lesion| {
            let (was, is) = (find(before, &lesion.name), find(after, &lesion.name));
            let fate = match (was, is) {
                (Some(_), Some(_)) => Fate::Persistent,
                (Some(_), None) => Fate::Resolved,
                _ => Fate::New,
            };
            LesionFate { lesion: lesion.name.clone(), fate, suv_max_before: was, suv_max_after: is }
        })
        .collect()
}
