//! Size, sex and organs of a person.

use super::Kind;
use super::dice::Dice;
use crate::acquisition::Sex;
use crate::phantom::anatomy::{Arms, Build, Habitus, Lungs, Side};
use crate::phantom::random;

/// The person of a seed, and the age in years.
pub(super) fn draw(seed: u64, kind: Kind) -> (Build, u32) {
    let mut dice = Dice::new(seed, "person");
    let sex = dice.pick(&[Sex::Female, Sex::Male]);
    let arms = if kind == Kind::ArmsDown || dice.chance(0.15) { Arms::Down } else { Arms::Up };
    let (age, height_m, bmi) = match kind {
        Kind::Child => child(&mut dice),
        Kind::Obese => (dice.between(30.0, 70.0), height(&mut dice, sex), dice.between(36.0, 52.0)),
        _ => (
            dice.between(18.0, 85.0),
            height(&mut dice, sex),
            dice.normal(25.5, 4.0).clamp(17.0, 36.0),
        ),
    };
    let build = Build {
        sex,
        height_m: (height_m * 100.0).round() / 100.0,
        weight_kg: (bmi * height_m * height_m * 10.0).round() / 10.0,
        arms,
        person: random::bits(seed, 77),
        habitus: habitus(seed, kind),
    };
    (build, age as u32)
}

fn height(dice: &mut Dice, sex: Sex) -> f64 {
    match sex {
        Sex::Female => dice.normal(1.64, 0.065),
        _ => dice.normal(1.77, 0.07),
    }
}

/// Median height and body mass index by age (growth charts of the WHO, 2 to 9 years), with their usual spread.
fn child(dice: &mut Dice) -> (f64, f64, f64) {
    let age = dice.between(2.0, 9.5);
    (age, 0.76 + 0.062 * age + dice.normal(0.0, 0.035), dice.normal(15.8, 1.2))
}

/// Organs vary in diameter by about a tenth; the domes of the diaphragm by about a rib.
fn habitus(seed: u64, kind: Kind) -> Habitus {
    let mut dice = Dice::new(seed, "habitus");
    let mut size = |deviation: f64| dice.normal(1.0, deviation);
    let mut habitus = Habitus {
        liver: size(0.06),
        left_lobe: size(0.14),
        spleen: size(0.10),
        kidneys: size(0.06),
        heart: size(0.08).max(0.85),
        stomach: size(0.12),
        ..Habitus::default()
    };
    habitus.right_dome_mm = dice.normal(0.0, 8.0);
    habitus.left_dome_mm = habitus.right_dome_mm + dice.normal(0.0, 6.0);
    habitus.kidney_mm = [dice.normal(0.0, 8.0), dice.normal(0.0, 8.0)];
    special(&mut dice, kind, &mut habitus);
    habitus
}

fn special(dice: &mut Dice, kind: Kind, habitus: &mut Habitus) {
    let side = dice.pick(&[Side::Left, Side::Right]);
    match kind {
        Kind::Child => {
            // The head of a child is three quarters grown at three years; liver and kidneys are large for the body.
            habitus.head = dice.between(1.2, 1.4);
            habitus.liver *= 1.12;
            habitus.kidneys *= 1.1;
        }
        Kind::Obese => {
            // Girth grows more than organs do; the belly pushes the diaphragm up.
            habitus.liver *= 0.95;
            habitus.right_dome_mm += dice.between(0.0, 20.0);
            habitus.left_dome_mm += dice.between(0.0, 20.0);
        }
        Kind::OneLungCollapsed => {
            habitus.lungs = Lungs::Collapsed(side);
            let up = dice.between(0.0, 35.0);
            match side {
                Side::Left => habitus.left_dome_mm += up,
                Side::Right => habitus.right_dome_mm += up,
            }
        }
        Kind::Effusion => {
            habitus.lungs = Lungs::Effusion(side, dice.between(230.0, 330.0));
        }
        Kind::ElevatedDiaphragm => {
            let up = dice.between(30.0, 60.0);
            let both = dice.chance(0.3);
            if both || side == Side::Left {
                habitus.left_dome_mm += up;
            }
            if both || side == Side::Right {
                habitus.right_dome_mm += up;
            }
        }
        Kind::LargeLiver => {
            habitus.liver *= dice.between(1.18, 1.4);
            habitus.left_lobe *= dice.between(1.1, 1.5);
        }
        Kind::LargeSpleen | Kind::HotMarrow => habitus.spleen *= dice.between(1.15, 1.5),
        Kind::StomachOverLiver => habitus.stomach_over_liver = true,
        Kind::BowelOverLiver => habitus.bowel_over_liver = true,
        Kind::SitusInversus => habitus.inverted = true,
        _ => {}
    }
}
