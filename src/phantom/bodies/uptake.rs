//! Uptake of the organs, drawn from published ranges.
//!
//! Sources: liver 2.17 ± 0.44 and blood 1.55 ± 0.38 from Boktor et al. 2013; the other organs about as in Wang et al.,
//! Mol Imaging Biol 2007;9:83 and Zincirkeser et al., J Int Med Res 2007;35:231, with the hot variants of Shreve, Anzai
//! and Wahl, Radiographics 1999;19:61. They are inputs of a simulation, not reference values.

use super::Kind;
use super::dice::Dice;
use crate::phantom::anatomy::Build;
use crate::phantom::tissue::Uptake;

pub(super) fn draw(seed: u64, kind: Kind, build: &Build) -> Uptake {
    let mut uptake = usual(seed, kind, build);
    special(seed, kind, &mut uptake);
    uptake
}

/// The spread of liver and blood is that of people, shared in good part: what is left in the body is left in both.
fn liver_and_blood(dice: &mut Dice, build: &Build) -> (f64, f64) {
    let bmi = build.weight_kg / (build.height_m * build.height_m);
    // SUV by body weight grows with fat, which takes up little (Zasadny and Wahl, Radiology 1993;189:847).
    let girth = libm::pow(bmi / 25.0, 0.45);
    let level = dice.normal(1.0, 0.16);
    let liver = 2.17 * girth * level * dice.normal(1.0, 0.09);
    let ratio = dice.normal(1.42, 0.17).max(1.08);
    (liver.clamp(1.1, 4.0), (liver / ratio).clamp(0.7, 2.9))
}

/// With this probability from the second range, else from the first.
fn mostly(dice: &mut Dice, usual: (f64, f64), seldom: (f64, (f64, f64))) -> f64 {
    let (probability, hot) = seldom;
    let (low, high) = if dice.chance(probability) { hot } else { usual };
    dice.by_factor(low, high)
}

fn usual(seed: u64, kind: Kind, build: &Build) -> Uptake {
    let mut dice = Dice::new(seed, "uptake");
    let d = &mut dice;
    let (liver, blood) = liver_and_blood(d, build);
    let myocardium = match d.below(3) {
        0 => blood * d.between(0.9, 1.3),
        1 => d.by_factor(2.0, 5.0),
        _ => d.by_factor(5.0, 15.0),
    };
    let spleen = liver * d.normal(0.83, 0.08);
    let occasionally = |d: &mut Dice, probability: f64, low: f64, high: f64| {
        if d.chance(probability) { d.by_factor(low, high) } else { 0.0 }
    };
    Uptake {
        liver,
        blood,
        spleen,
        myocardium,
        marrow: (0.62 * liver * d.normal(1.0, 0.15)).max(0.7),
        brain: d.by_factor(6.0, 14.0),
        renal_pelvis: d.by_factor(3.0, 25.0),
        bladder: d.by_factor(3.0, 60.0),
        bowel: mostly(d, (0.9, 2.2), (0.25, (2.5, 7.0))),
        stomach: mostly(d, (1.1, 2.8), (0.15, (3.0, 6.0))),
        renal_cortex: d.between(2.0, 4.5),
        ureter: d.by_factor(1.5, 10.0),
        muscle: d.between(0.5, 0.9),
        lung: d.between(0.32, 0.6),
        thyroid: mostly(d, (0.9, 1.8), (0.08, (3.0, 8.0))),
        pharynx: mostly(d, (1.4, 3.5), (0.2, (4.0, 9.0))),
        salivary_gland: mostly(d, (1.2, 2.4), (0.1, (3.0, 6.0))),
        pelvic_organ: mostly(d, (0.9, 2.0), (0.07, (2.5, 5.0))),
        myocardium_patches: d.between(0.05, 0.75),
        brown_fat: occasionally(d, 0.06, 3.0, 12.0),
        vocal_muscle: occasionally(d, 0.2, 2.0, 6.0),
        injected_vein: if kind == Kind::Child { 0.0 } else { occasionally(d, 0.12, 5.0, 40.0) },
    }
}

fn special(seed: u64, kind: Kind, uptake: &mut Uptake) {
    let mut dice = Dice::new(seed, "special uptake");
    let d = &mut dice;
    match kind {
        Kind::HotHeart => {
            uptake.myocardium = d.by_factor(9.0, 22.0);
            uptake.myocardium_patches = d.between(0.05, 0.35);
        }
        Kind::HotMarrow => {
            // Sugawara et al., J Clin Oncol 1999;17:173: marrow above the liver, and the spleen with it.
            uptake.marrow = uptake.liver * d.between(1.2, 2.4);
            uptake.spleen = uptake.liver * d.between(1.1, 1.9);
        }
        Kind::LargeSpleen => uptake.spleen = uptake.liver * d.between(1.0, 1.5),
        Kind::HotMuscle => {
            uptake.muscle = d.between(1.5, 3.0);
            uptake.myocardium = d.by_factor(8.0, 16.0);
            uptake.liver *= 0.75;
            uptake.blood *= 0.7;
        }
        Kind::HotBowel => uptake.bowel = d.by_factor(5.0, 14.0),
        Kind::StomachOverLiver => uptake.stomach = d.by_factor(3.0, 8.0),
        Kind::BowelOverLiver => uptake.bowel = d.by_factor(2.0, 6.0),
        Kind::BrownFat => uptake.brown_fat = d.by_factor(4.0, 15.0),
        Kind::FattyLiver => uptake.liver *= d.between(0.8, 1.1),
        _ => {}
    }
}
