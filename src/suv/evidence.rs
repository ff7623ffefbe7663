//! What `DecayFactor` (0054,1321) shows about the clock of a series.
//!
//! λ decay constant, F `FrameReferenceTime`, T `ActualFrameDuration`:
//! Siemens writes exp(λF), F being the average count time; GE writes exp(λF)·λT/(1 − exp(−λT)), F being the start of the
//! frame. Which of the two fits tells what F is. Evidence only: the pixels are corrected already.
//!
//! Source: DICOM PS3.3 C.8.9.4.1.8 (`DecayFactor`); both forms measured on series of these vendors.

use super::decay::Decay;
use super::{DecayFactorEvidence, DecayFactorForm};
use crate::acquisition::PetSlice;

/// A form fits where no slice deviates by more. The two forms differ by λT/2: 0.3 % for a frame of one minute of F-18.
const FITS_WITHIN: f64 = 1e-3;

/// Compares the `DecayFactor` of the slices with both vendors' forms.
pub(super) fn decay_factor(slices: &[PetSlice], decay: Decay) -> DecayFactorEvidence {
    let none = DecayFactorEvidence { form: DecayFactorForm::None, max_relative_deviation: None };
    if slices
        .iter()
        .filter_map(|slice| slice.decay_factor.value())
        .all(|factor| (factor - 1.0).abs() < f64::EPSILON)
    {
        return none;
    }
    let siemens = deviation(slices, |reference, _| Some(decay.growth(reference)));
    let ge = deviation(slices, |reference, frame| {
        Some(decay.growth(reference) * decay.in_frame(frame?))
    });
    let (form, nearest) = match (siemens, ge) {
        (None, None) => {
            return DecayFactorEvidence {
                form: DecayFactorForm::Unknown,
                max_relative_deviation: None,
            };
        }
        (Some(siemens), Some(ge)) if ge < siemens => (DecayFactorForm::Ge, ge),
        (Some(siemens), _) => (DecayFactorForm::Siemens, siemens),
        (None, Some(ge)) => (DecayFactorForm::Ge, ge),
    };
    let form = if nearest <= FITS_WITHIN { form } else { DecayFactorForm::Unknown };
    DecayFactorEvidence { form, max_relative_deviation: Some(nearest) }
}

/// The largest relative deviation of the slices' factors from a form; `None` where no slice has all it needs.
fn deviation(slices: &[PetSlice], form: impl Fn(f64, Option<f64>) -> Option<f64>) -> Option<f64> {
    slices
        .iter()
        .filter_map(|slice| {
            let factor = *slice.decay_factor.value()?;
            let expected = form(reference_secs(slice)?, duration_secs(slice))?;
            let deviation = (factor / expected - 1.0).abs();
            deviation.is_finite().then_some(deviation)
        })
        .reduce(f64::max)
}

/// `FrameReferenceTime` in seconds, where it is a number.
pub(super) fn reference_secs(slice: &PetSlice) -> Option<f64> {
    slice.frame_reference_time_ms.value().map(|ms| ms / 1000.0).filter(|secs| secs.is_finite())
}

/// `ActualFrameDuration` in seconds, where it is a positive number.
pub(super) fn duration_secs(slice: &PetSlice) -> Option<f64> {
    slice
        .frame_duration_ms
        .value()
        .map(|ms| ms / 1000.0)
        .filter(|secs| secs.is_finite() && *secs > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acquisition::Attribute;

    fn slice(reference_secs: f64, frame_secs: f64, factor: f64) -> PetSlice {
        PetSlice {
            frame_reference_time_ms: Attribute::Value(reference_secs * 1000.0),
            frame_duration_ms: Attribute::Value(frame_secs * 1000.0),
            decay_factor: Attribute::Value(factor),
            ..Default::default()
        }
    }

    fn evidence(half_life: f64, slices: &[PetSlice]) -> DecayFactorEvidence {
        decay_factor(slices, Decay::new(half_life).unwrap())
    }

    /// The factors that a GE Discovery ST writes for six beds of 240 s.
    #[test]
    fn ge_form() {
        let rows = [
            (1215.0, 1.15077),
            (972.0, 1.12172),
            (729.0, 1.09341),
            (486.0, 1.06581),
            (243.0, 1.0389),
            (0.0, 1.01268),
        ];
        let slices: Vec<_> = rows.map(|(start, factor)| slice(start, 240.0, factor)).into();
        let found = evidence(6588.0, &slices);
        assert_eq!(found.form, DecayFactorForm::Ge);
        assert!(found.max_relative_deviation.unwrap() < 1e-5, "{found:?}");
    }

    #[test]
    fn siemens_form() {
        let decay = Decay::new(6586.2).unwrap();
        let slices: Vec<_> =
            [60.0, 180.0, 300.0].map(|mid| slice(mid, 120.0, decay.growth(mid))).into();
        let found = evidence(6586.2, &slices);
        assert_eq!(found.form, DecayFactorForm::Siemens);
        assert!(found.max_relative_deviation.unwrap() < 1e-12);
    }

    #[test]
    fn no_form() {
        assert_eq!(evidence(6586.2, &[slice(150.0, 300.0, 1.0)]).form, DecayFactorForm::None);
        assert_eq!(evidence(6586.2, &[PetSlice::default()]).form, DecayFactorForm::None);
        assert_eq!(evidence(6586.2, &[slice(0.0, 180.0, 1.134)]).form, DecayFactorForm::Unknown);
        let alone = PetSlice { decay_factor: Attribute::Value(1.2), ..Default::default() };
        let found = evidence(6586.2, &[alone]);
        assert_eq!((found.form, found.max_relative_deviation), (DecayFactorForm::Unknown, None));
    }
}
