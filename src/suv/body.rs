//! Body measures by which uptake is standardised.
//!
//! W kilograms, H centimetres, BMI kg/m².
//!
//! | measure | male | female | source |
//! |---|---|---|---|
//! | lean body mass, James with 120 | 1.10W − 120(W/H)² | 1.07W − 148(W/H)² | Morgan 1994; DICOM `SUVType` LBM |
//! | lean body mass, James with 128 | 1.10W − 128(W/H)² | 1.07W − 148(W/H)² | James 1976; DICOM LBMJAMES128 |
//! | lean body mass, Janmahasatian | 9270W/(6680 + 216·BMI) | 9270W/(8780 + 244·BMI) | Janmahasatian 2005; DICOM LBMJANMA |
//! | ideal body weight | 48.0 + 1.06(H − 152) | 45.5 + 0.91(H − 152) | DICOM IBW |
//! | body surface area, m² | 0.007184·W^0.425·H^0.725 | the same | Du Bois 1916; DICOM BSA |
//!
//! Source: PS3.3 C.8.9.1 (`SUVType`), PS3.16 CID 85, IBSI SUV manual (2026).

use super::SuvKind;
use crate::acquisition::Sex;

/// What a stored SUV is standardised by: every `SUVType` (0054,1006) of the standard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyMeasure {
    Weight,
    LeanJames120,
    LeanJames128,
    LeanJanmahasatian,
    Ideal,
    SurfaceArea,
}

impl From<SuvKind> for BodyMeasure {
    fn from(kind: SuvKind) -> Self {
        match kind {
            SuvKind::BodyWeight => Self::Weight,
            SuvKind::LeanBodyMass => Self::LeanJanmahasatian,
            SuvKind::LeanBodyMassJames => Self::LeanJames128,
            SuvKind::BodySurfaceArea => Self::SurfaceArea,
            SuvKind::IdealBodyWeight => Self::Ideal,
        }
    }
}

impl BodyMeasure {
    /// Whether the formula is another one for men and women.
    pub(super) fn needs_sex(self) -> bool {
        !matches!(self, Self::Weight | Self::SurfaceArea)
    }

    /// The body mass index at which the formula peaks; beyond it, more weight gives less lean mass.
    ///
    /// The derivative of aW − b(W/H)² is zero at W = aH²/2b.
    pub(super) fn peak_bmi(self, sex: Sex) -> Option<f64> {
        let (a, b) = james(self, sex)?;
        Some(a * 1e4 / (2.0 * b))
    }

    /// The measure: kilograms, or square metres for the surface area. Sex `O` gives the mean of both formulas.
    pub(super) fn value(self, weight_kg: f64, height_m: f64, sex: Sex) -> f64 {
        if sex == Sex::Other {
            let [male, female] =
                [Sex::Male, Sex::Female].map(|sex| self.value(weight_kg, height_m, sex));
            return f64::midpoint(male, female);
        }
        let height_cm = height_m * 100.0;
        if let Some((a, b)) = james(self, sex) {
            return a * weight_kg - b * (weight_kg / height_cm).powi(2);
        }
        let bmi = weight_kg / (height_m * height_m);
        match (self, sex) {
            (Self::SurfaceArea, _) => 0.007_184 * weight_kg.powf(0.425) * height_cm.powf(0.725),
            (Self::LeanJanmahasatian, Sex::Male) => 9270.0 * weight_kg / (6680.0 + 216.0 * bmi),
            (Self::LeanJanmahasatian, _) => 9270.0 * weight_kg / (8780.0 + 244.0 * bmi),
            (Self::Ideal, Sex::Male) => 48.0 + 1.06 * (height_cm - 152.0),
            (Self::Ideal, _) => 45.5 + 0.91 * (height_cm - 152.0),
            (Self::Weight | Self::LeanJames120 | Self::LeanJames128, _) => weight_kg,
        }
    }

    /// Grams (or square centimetres) of the measure: what divides the dose.
    pub(super) fn normaliser(self, weight_kg: f64, height_m: f64, sex: Sex) -> f64 {
        let unit = if self == Self::SurfaceArea { 1e4 } else { 1e3 };
        unit * self.value(weight_kg, height_m, sex)
    }
}

/// The coefficients of James' formula aW − b(W/H)².
fn james(measure: BodyMeasure, sex: Sex) -> Option<(f64, f64)> {
    match (measure, sex) {
        (BodyMeasure::LeanJames120, Sex::Male) => Some((1.10, 120.0)),
        (BodyMeasure::LeanJames128, Sex::Male) => Some((1.10, 128.0)),
        // For sex O the female curve peaks first and so bounds the mean.
        (BodyMeasure::LeanJames120 | BodyMeasure::LeanJames128, Sex::Female | Sex::Other) => {
            Some((1.07, 148.0))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn worked_numbers() {
        use Sex::{Female, Male};
        // sex, kg, m; James 120, James 128, Janmahasatian, Du Bois, ideal
        let rows = [
            (Male, 70.0, 1.75, [57.8000, 56.5200, 55.8571, 1.84814, 72.380]),
            (Female, 60.0, 1.65, [44.6298, 44.6298, 39.2868, 1.65866, 57.330]),
            (Male, 120.0, 1.75, [75.5755, 71.8139, 73.4564, 2.32392, 72.380]),
            (Female, 110.0, 1.60, [47.7469, 47.7469, 52.9319, 2.09868, 52.780]),
        ];
        let measures = [
            BodyMeasure::LeanJames120,
            BodyMeasure::LeanJames128,
            BodyMeasure::LeanJanmahasatian,
            BodyMeasure::SurfaceArea,
            BodyMeasure::Ideal,
        ];
        for (sex, weight, height, expected) in rows {
            for (measure, expected) in measures.into_iter().zip(expected) {
                assert_relative_eq!(
                    measure.value(weight, height, sex),
                    expected,
                    max_relative = 3.1e-6
                );
            }
        }
    }

    #[test]
    fn james_peaks() {
        let peak = |sex| BodyMeasure::LeanJames128.peak_bmi(sex).unwrap();
        assert_relative_eq!(peak(Sex::Male), 42.97, epsilon = 0.005);
        assert_relative_eq!(peak(Sex::Female), 36.15, epsilon = 0.005);
        assert_eq!(BodyMeasure::LeanJanmahasatian.peak_bmi(Sex::Male), None);
        // At the peak the lean mass no longer grows with weight.
        let at = |weight| BodyMeasure::LeanJames128.value(weight, 1.6, Sex::Female);
        let top = peak(Sex::Female) * 1.6 * 1.6;
        assert!(at(top) > at(top + 1.0) && at(top) > at(top - 1.0));
    }

    #[test]
    fn sex_other_is_the_mean() {
        let of = |sex| BodyMeasure::Ideal.value(70.0, 1.75, sex);
        assert_relative_eq!(of(Sex::Other), 69.405, epsilon = 1e-9);
        assert_relative_eq!(of(Sex::Other) * 2.0, of(Sex::Male) + of(Sex::Female));
    }
}
