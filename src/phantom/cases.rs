//! The two patients of the case report, in three scans each.

use chrono::{NaiveDate, NaiveDateTime};
use glam::DVec3;

use super::anatomy::{Arms, Build, Habitus};
use super::truth::{Fate, LesionFate, PairTruth};
use super::{Case, CtLook, LesionPlan, Pose, Protocol, Scanner, Tissue, Uptake, Visit, random};
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

/// Year, month, day; injection (hour, minute, second); seconds to the scan; megabecquerels.
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
            noise_grain_mm: None,
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
        planted: Vec::new(),
        breathing_mm: 0.0,
        ct_look: CtLook::default(),
        with_ct: true,
        drawn: None,
        pose,
        protocol,
        scanner: Scanner::default(),
        deauville: 1,
        seed,
    }
}

/// Name, site, SUVmax and lumps `[x, y, z, rx, ry, rz]` of a focal lesion.
type Row = (&'static str, &'static str, f64, &'static [[f64; 6]]);

const PANCREAS: &[[f64; 6]] = &[
    [-27.0, -13.0, 64.0, 19.0, 17.0, 21.0],
    [-8.0, -22.0, 80.0, 15.0, 13.0, 14.0],
    [14.0, -22.0, 90.0, 17.0, 13.0, 13.0],
];

#[rustfmt::skip]
const PATIENT_1_T0: &[Row] = &[("pancreas head and body", "pancreas", 32.0, PANCREAS)];

#[rustfmt::skip]
const PATIENT_1_T1: &[Row] = &[
    ("pancreas head and body", "pancreas", 26.0, PANCREAS),
    ("pancreas tail", "pancreas", 10.5, &[[57.0, 17.0, 118.0, 11.0, 10.0, 10.0]]),
    ("gastric fundus", "stomach, fundus", 9.0, &[[62.0, 10.0, 170.0, 15.0, 13.0, 10.0]]),
    ("gastric antrum", "stomach, antrum", 8.0, &[[16.0, -54.0, 54.0, 13.0, 10.0, 11.0]]),
    ("left kidney", "left kidney, parenchyma", 11.0, &[[89.0, 38.0, 82.0, 13.0, 14.0, 16.0]]),
];

#[rustfmt::skip]
const PATIENT_2_T0: &[Row] = &[
    ("mediastinum", "mediastinum, right paratracheal", 6.4, &[[-24.0, 2.0, 318.0, 12.0, 13.0, 17.0]]),
    ("subcarinal", "mediastinum, subcarinal", 5.9, &[[-10.0, 24.0, 280.0, 12.0, 10.0, 13.0]]),
    ("pectoral", "left pectoral muscle", 6.1, &[[82.0, -73.0, 312.0, 18.0, 7.0, 17.0]]),
    ("axilla", "left axilla", 6.9, &[[132.0, -18.0, 352.0, 13.0, 13.0, 15.0]]),
    ("greater curvature", "stomach, greater curvature", 7.7, &[[84.0, -34.0, 108.0, 0.9 * 17.0, 17.0, 1.2 * 17.0]]),
    ("mesentery", "mesentery to hepatic hilum", 7.2, &[
        [-2.0, -38.0, 30.0, 20.0, 15.0, 17.0], [-14.0, -34.0, 56.0, 17.0, 14.0, 17.0],
        [-24.0, -26.0, 82.0, 15.0, 13.0, 16.0], [-30.0, -16.0, 102.0, 15.0, 13.0, 14.0],
    ]),
    ("iliac right", "right external iliac", 5.8, &[[-62.0, -14.0, -92.0, 13.0, 13.0, 17.0]]),
    ("iliac left", "left common iliac", 5.2, &[[36.0, 20.0, -44.0, 12.0, 11.0, 15.0]]),
];

#[rustfmt::skip]
const PATIENT_2_T1: &[Row] = &[
    ("mediastinum", "mediastinum, right paratracheal", 4.3, &[[-24.0, 2.0, 318.0, 10.0, 11.0, 13.0]]),
    ("axilla", "left axilla", 4.2, &[[132.0, -18.0, 352.0, 10.0, 10.0, 11.0]]),
    ("greater curvature", "stomach, greater curvature", 4.6, &[[84.0, -34.0, 108.0, 0.9 * 13.0, 13.0, 1.2 * 13.0]]),
    ("mesentery", "mesentery to hepatic hilum", 4.5, &[
        [-14.0, -34.0, 56.0, 12.0, 11.0, 13.0], [-24.0, -26.0, 80.0, 12.0, 11.0, 14.0], [-30.0, -16.0, 102.0, 12.0, 11.0, 12.0],
    ]),
    ("iliac left", "left common iliac", 4.4, &[[36.0, 20.0, -44.0, 11.0, 10.0, 13.0]]),
];

#[rustfmt::skip]
const PATIENT_2_T2: &[Row] = &[
    ("greater curvature", "stomach, greater curvature", 4.04, &[[84.0, -34.0, 108.0, 0.9 * 11.0, 11.0, 1.2 * 11.0]]),
    ("mesentery", "hepatic hilum", 4.03, &[[-30.0, -18.0, 100.0, 11.0, 10.0, 11.0]]),
];

fn focal(rows: &[Row]) -> Vec<LesionPlan> {
    rows.iter()
        .map(|&(name, site, suv_max, lumps)| LesionPlan::focal(name, site, suv_max, lumps))
        .collect()
}

/// Woman of 66: pancreas, spleen and skeleton; then new lesions; then nothing.
fn patient_1() -> Case {
    let build = |weight_kg| Build {
        sex: Sex::Female,
        height_m: 1.62,
        weight_kg,
        arms: Arms::Up,
        person: 101,
        habitus: Habitus::default(),
    };
    let usual = Uptake::default();
    let place = pose([1.5, -1.0, 2.0], [6.0, 12.0, -420.0]);
    let clock = Clock([2021, 3, 9], [9, 12, 20], 3610, 248.6);
    let mut t0 = visit("t0", build(63.0), &clock, place, usual);
    t0.lesions = focal(PATIENT_1_T0);
    t0.lesions.push(LesionPlan::diffuse("spleen", "spleen", 5.0, Tissue::Spleen));
    t0.lesions.push(LesionPlan::diffuse("skeleton", "bone marrow", 5.0, Tissue::Marrow));
    t0.deauville = 5;

    let uptake = Uptake {
        liver: 2.3,
        blood: 1.65,
        myocardium: 2.7,
        bladder: 28.0,
        renal_pelvis: 12.0,
        brain: 9.0,
        ..usual
    };
    let place = pose([-2.0, 1.5, -3.5], [-11.0, 5.0, -455.0]);
    let clock = Clock([2021, 4, 13], [10, 41, 5], 3795, 240.1);
    let mut t1 = visit("t1", build(61.5), &clock, place, uptake);
    t1.lesions = focal(PATIENT_1_T1);
    t1.deauville = 5;

    let uptake =
        Uptake { liver: 2.4, blood: 1.7, myocardium: 3.0, bladder: 16.0, brain: 10.0, ..usual };
    let place = pose([2.5, 1.0, 4.0], [14.0, 18.0, -398.0]);
    let clock = Clock([2021, 5, 18], [8, 55, 40], 3540, 243.9);
    let t2 = visit("t2", build(60.5), &clock, place, uptake);
    let calls = [("t0", "t1", "PMD"), ("t0", "t2", "CMR"), ("t1", "t2", "CMR")];
    finish("patient-1", "PHANTOM-1", "Phantom^One", 66, vec![t0, t1, t2], &calls)
}

/// Man of 67: six regions; then most of them cooler; then two small foci.
pub(super) fn patient_2() -> Case {
    let build = |weight_kg| Build {
        sex: Sex::Male,
        height_m: 1.74,
        weight_kg,
        arms: Arms::Up,
        person: 202,
        habitus: Habitus::default(),
    };
    let usual = Uptake { liver: 2.4, blood: 1.7, myocardium: 2.0, ..Uptake::default() };
    let place = pose([-1.0, 2.0, -2.5], [-7.0, 10.0, -430.0]);
    let clock = Clock([2021, 6, 2], [8, 47, 10], 3655, 305.2);
    let mut t0 = visit("t0", build(79.0), &clock, place, usual);
    t0.lesions = focal(PATIENT_2_T0);
    t0.deauville = 4;

    let uptake = Uptake { liver: 2.5, blood: 1.75, myocardium: 3.0, bladder: 18.0, ..usual };
    let place = pose([2.0, -1.5, 3.0], [9.0, 16.0, -462.0]);
    let clock = Clock([2021, 7, 6], [11, 3, 30], 3905, 298.4);
    let mut t1 = visit("t1", build(77.5), &clock, place, uptake);
    t1.lesions = focal(PATIENT_2_T1);
    t1.deauville = 4;

    let uptake =
        Uptake { liver: 2.4, blood: 1.65, myocardium: 2.6, bladder: 25.0, brain: 9.0, ..usual };
    let place = pose([-2.5, -1.0, -1.5], [-14.0, 7.0, -405.0]);
    let clock = Clock([2021, 8, 10], [9, 30, 0], 3720, 301.0);
    let mut t2 = visit("t2", build(77.0), &clock, place, uptake);
    t2.lesions = focal(PATIENT_2_T2);
    t2.deauville = 4;
    let calls = [("t0", "t1", "PMR"), ("t0", "t2", "PMR"), ("t1", "t2", "NMR")];
    finish("patient-2", "PHANTOM-2", "Phantom^Two", 67, vec![t0, t1, t2], &calls)
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
            response: Some(response.into()),
            fates: fates(&before.lesions, &after.lesions),
            map: None,
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
