//! Bodies drawn by a seed: builds, organs, uptake, scanners and lesions as they vary from person to person.
//!
//! They are there to try the placing of references and the finding of lesions on many bodies; their anatomy is that of
//! textbooks and knows nothing of how `reference` and `lesion` work.

mod dice;
mod kind;
mod pairs;
mod person;
mod scanners;
mod sites;
mod uptake;

use chrono::{NaiveDate, TimeDelta};
use glam::DVec3;

pub use kind::Kind;
pub use pairs::seeded_pair;

use self::dice::Dice;
use super::anatomy::Arms;
use super::{Case, CtLook, Pose, Protocol, Visit, random};

/// The body of a seed; without a kind the seed draws that too.
///
/// The case has one scan. The same seed and kind give the same body for ever within a version of this crate.
pub fn seeded(seed: u64, kind: Option<Kind>) -> Case {
    let kind = kind.unwrap_or_else(|| drawn_kind(seed));
    let (build, age_years) = person::draw(seed, kind);
    let uptake = uptake::draw(seed, kind, &build);
    let mut visit = Visit {
        name: format!("{}-{seed}", kind.name()),
        build,
        uptake,
        lesions: Vec::new(),
        planted: Vec::new(),
        breathing_mm: breathing(seed, kind),
        ct_look: ct_look(seed, kind),
        with_ct: true,
        drawn: Some((kind, seed)),
        pose: pose(seed),
        protocol: protocol(seed, kind, build.weight_kg),
        scanner: scanners::draw(seed, kind, build.arms == Arms::Down),
        deauville: 1,
        seed: random::bits(random::seed_of(kind.name()), seed),
    };
    visit.planted = sites::draw(seed, kind, &visit);
    Case {
        name: format!("body-{seed}"),
        patient_id: format!("BODY-{seed}"),
        patient_name: format!("Phantom^Body{seed}"),
        age_years,
        visits: vec![visit],
        pairs: Vec::new(),
    }
}

fn drawn_kind(seed: u64) -> Kind {
    let mut dice = Dice::new(seed, "kind");
    if dice.chance(0.35) { Kind::Usual } else { dice.pick(Kind::ALL) }
}

/// Nobody lies quite in the middle and quite straight.
fn pose(seed: u64) -> Pose {
    let mut dice = Dice::new(seed, "pose");
    let turn_degrees = [2.5, 2.0, 4.0].map(|deviation| dice.normal(0.0, deviation));
    let [x, y] = [9.0, 12.0].map(|deviation| dice.normal(0.0, deviation));
    Pose { turn_degrees, shift_mm: DVec3::new(x, y + 8.0, dice.between(-900.0, 300.0)) }
}

fn protocol(seed: u64, kind: Kind, weight_kg: f64) -> Protocol {
    let mut dice = Dice::new(seed, "protocol");
    let injected_at = NaiveDate::from_ymd_opt(2022, 3, 1)
        .and_then(|day| day.and_hms_opt(8, 0, 0))
        .expect("a day of the calendar")
        + TimeDelta::minutes((seed % 1000) as i64 * 1447);
    let noise_at_one =
        if kind == Kind::Noisy { dice.between(0.26, 0.4) } else { dice.by_factor(0.06, 0.22) };
    Protocol {
        dose_bq: (weight_kg * dice.between(2.5, 5.0) * 10.0).round() * 1e5,
        injected_at,
        started_at: injected_at + TimeDelta::seconds(dice.between(3300.0, 4500.0) as i64),
        bed_secs: 120.0,
        noise_at_one,
        noise_grain_mm: Some(dice.between(4.0, 8.0)),
    }
}

/// Height of the dome in the PET, an average over free breathing, over that in the CT: mostly within a centimetre, more
/// where the CT was taken in inspiration (Goerres et al., Radiology 2003;226:906).
fn breathing(seed: u64, kind: Kind) -> f64 {
    let mut dice = Dice::new(seed, "breathing");
    if kind == Kind::Breathing {
        let far = dice.between(18.0, 40.0);
        return if dice.chance(0.75) { far } else { -0.6 * far };
    }
    dice.normal(3.0, 5.0)
}

fn ct_look(seed: u64, kind: Kind) -> CtLook {
    let mut dice = Dice::new(seed, "CT");
    // Healthy livers have 50 to 65 HU, fatty ones less than 40 (Boyce et al., AJR 2010;194:623).
    let fatty = kind == Kind::FattyLiver || dice.chance(0.1);
    let liver_hu = if fatty { dice.between(5.0, 38.0) } else { dice.normal(57.0, 4.0) };
    CtLook { liver_hu, venous_phase: dice.chance(0.35), oral_contrast: dice.chance(0.2) }
}
