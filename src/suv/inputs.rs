//! Weight, height, sex, dose and half-life: read, checked, repaired only with a loud flag, or replaced by hand.
//!
//! Source of the repairs: IBSI SUV manual (2026) and the histograms of 3433 real series it quotes.

use super::body::BodyMeasure;
use super::decay::Decay;
use super::nuclide::{self, Nuclide};
use super::worksheet::Worksheet;
use super::{Refusal, SuvKind};
use crate::acquisition::{Attribute, Radiopharmaceutical, Sex};

const WEIGHT: (&str, &str) = ("PatientWeight", "(0010,1030)");
const SIZE: (&str, &str) = ("PatientSize", "(0010,1020)");
const SEX: (&str, &str) = ("PatientSex", "(0010,0040)");
const DOSE: (&str, &str) = ("RadionuclideTotalDose", "(0018,1074)");
const HALF_LIFE: (&str, &str) = ("RadionuclideHalfLife", "(0018,1075)");

/// Above this a weight is in grams: 1000 kg is no patient, 1 kg in grams is no scan.
const GRAMS_FROM: f64 = 1000.0;
/// The heaviest person known weighed 635 kg.
const WEIGHT_MAX_KG: f64 = 700.0;
/// Above this a size is in centimetres.
const CENTIMETRES_FROM: f64 = 3.0;
/// Heights of people, metres.
const HEIGHT_M: std::ops::RangeInclusive<f64> = 0.3..=2.8;
/// Body mass indices of people, kg/m².
const BMI: std::ops::RangeInclusive<f64> = 5.0..=150.0;
/// Below this a dose is in megabecquerels: doses in files cluster at 4e2 and 4e8.
const MEGABECQUERELS_BELOW: f64 = 1e4;
/// Doses of people and phantoms, Bq.
const DOSE_BQ: std::ops::RangeInclusive<f64> = 1e6..=1e11;
/// Usual doses of F-18, Bq.
const DOSE_FLUORINE_BQ: std::ops::RangeInclusive<f64> = 1e7..=1e9;
/// Usual doses of F-18 for each kilogram of body weight, MBq/kg: 2 to 7 by guidelines (EANM 2.0 and the paediatric card,
/// QIBA), with room below for long scanners.
const DOSE_FLUORINE_MBQ_PER_KG: std::ops::RangeInclusive<f64> = 1.0..=10.0;

impl<'a> Worksheet<'a> {
    /// Body weight in kilograms.
    pub(super) fn weight_kg(&mut self) -> Result<f64, Refusal> {
        let read = &self.acquisition.patient_weight;
        if let Some(weight) = self.overrides.weight_kg {
            self.note(WEIGHT, read, format!("{weight} kg"), true);
            return Ok(weight);
        }
        let value = positive(read).map_err(|fault| Refusal::MissingWeight { fault })?;
        if let Some(&size) = self.acquisition.patient_size.value()
            && swapped(value, size)
        {
            return Err(Refusal::WeightAndSizeSwapped { weight: value, size });
        }
        let weight = if value > GRAMS_FROM { value / 1000.0 } else { value };
        if !(1.0..=WEIGHT_MAX_KG).contains(&weight) {
            return Err(Refusal::ImplausibleWeight { value });
        }
        if value > GRAMS_FROM {
            self.warn(
                "WEIGHT_IN_GRAMS",
                format!("PatientWeight (0010,1030) is {value}: read as grams, {weight} kg"),
            );
        }
        self.note(WEIGHT, read, format!("{weight} kg"), false);
        Ok(weight)
    }

    /// Body height in metres.
    fn height_m(&mut self) -> Result<f64, Refusal> {
        let read = &self.acquisition.patient_size;
        if let Some(height) = self.overrides.height_m {
            self.note(SIZE, read, format!("{height} m"), true);
            return Ok(height);
        }
        let value = positive(read).map_err(|fault| Refusal::MissingHeight { fault })?;
        let height = if value > CENTIMETRES_FROM { value / 100.0 } else { value };
        if !HEIGHT_M.contains(&height) {
            return Err(Refusal::ImplausibleHeight { value });
        }
        if value > CENTIMETRES_FROM {
            self.warn(
                "SIZE_IN_CENTIMETRES",
                format!("PatientSize (0010,1020) is {value}: read as centimetres, {height} m"),
            );
        }
        self.note(SIZE, read, format!("{height} m"), false);
        Ok(height)
    }

    /// Sex, or M where the formula does not ask.
    fn sex(&mut self, measure: BodyMeasure) -> Result<Sex, Refusal> {
        if !measure.needs_sex() {
            return Ok(Sex::Male);
        }
        let read = &self.acquisition.patient_sex;
        let Some(&sex) = read.value() else {
            return Err(Refusal::MissingSex { fault: read.fault().unwrap_or_default() });
        };
        let letter = match sex {
            Sex::Male => "M",
            Sex::Female => "F",
            Sex::Other => "O",
        };
        self.note(SEX, &Attribute::Value(letter), letter, false);
        Ok(sex)
    }

    /// Grams (or square centimetres) by which the requested kind of SUV is standardised.
    ///
    /// Refuses sex O and James' formula beyond its peak: the result would be compared with thresholds.
    pub(super) fn normaliser(&mut self, kind: SuvKind, weight_kg: f64) -> Result<f64, Refusal> {
        let measure = BodyMeasure::from(kind);
        if measure == BodyMeasure::Weight {
            return Ok(weight_kg * 1000.0);
        }
        let sex = self.sex(measure)?;
        if sex == Sex::Other {
            return Err(Refusal::SexOther);
        }
        let height = self.height_m()?;
        let bmi = body_mass_index(weight_kg, height)?;
        if let Some(peak) = measure.peak_bmi(sex).filter(|peak| bmi > *peak) {
            return Err(Refusal::BeyondJamesPeak { bmi, peak });
        }
        if weight_kg < 35.0 || height < 1.4 {
            self.warn(
                "ADULT_FORMULA",
                format!("the formula of {kind} was made from adults; this patient has {weight_kg} kg and {height} m"),
            );
        }
        positive_measure(measure.normaliser(weight_kg, height, sex))
    }

    /// Grams (or square centimetres) by which the file's own SUV was standardised.
    ///
    /// The writer has used the formula whatever the patient, so it is inverted whatever the patient, with a warning.
    pub(super) fn stored_normaliser(
        &mut self,
        measure: BodyMeasure,
        weight_kg: f64,
    ) -> Result<f64, Refusal> {
        if measure == BodyMeasure::Weight {
            return Ok(weight_kg * 1000.0);
        }
        let sex = self.sex(measure)?;
        let height = self.height_m()?;
        let bmi = body_mass_index(weight_kg, height)?;
        if sex == Sex::Other {
            self.warn(
                "SEX_OTHER_MEAN",
                "PatientSex (0010,0040) is O: the stored SUV is converted by the mean of both formulas",
            );
        }
        if let Some(peak) = measure.peak_bmi(sex).filter(|peak| bmi > *peak) {
            self.warn(
                "BEYOND_JAMES_PEAK",
                format!("the stored SUV uses James' formula at a body mass index of {bmi:.2}, beyond its peak at {peak:.2}"),
            );
        }
        positive_measure(measure.normaliser(weight_kg, height, sex))
    }

    /// The injection that the series shows: the only item, or the one of FDG among several.
    pub(super) fn radiopharmaceutical(&mut self) -> Result<&'a Radiopharmaceutical, Refusal> {
        let items = &self.acquisition.radiopharmaceuticals;
        let first = items.first().ok_or(Refusal::MissingRadiopharmaceutical)?;
        if items.iter().all(|item| item == first) {
            return Ok(first);
        }
        let fdg: Vec<_> = items.iter().filter(|item| nuclide::is_fdg(item)).collect();
        let &[item] = fdg.as_slice() else {
            return Err(Refusal::SeveralRadiopharmaceuticals { count: items.len() });
        };
        self.warn(
            "SEVERAL_RADIOPHARMACEUTICALS",
            format!("RadiopharmaceuticalInformationSequence (0054,0016) has {} items: the one of FDG is used", items.len()),
        );
        Ok(item)
    }

    /// Injected activity in becquerels at the time of injection.
    pub(super) fn dose_bq(&mut self, item: &Radiopharmaceutical) -> Result<f64, Refusal> {
        let read = &item.total_dose;
        if let Some(dose) = self.overrides.dose_mbq {
            self.note(DOSE, read, format!("{dose} MBq"), true);
            return Ok(dose * 1e6);
        }
        let value = positive(read).map_err(|fault| Refusal::MissingDose { fault })?;
        let megabecquerels = value < MEGABECQUERELS_BELOW;
        let dose = if megabecquerels { value * 1e6 } else { value };
        let fluorine = nuclide::of(item).is_some_and(|nuclide| nuclide.name == "F-18");
        let repaired = unit_repaired(item, value);
        // A repair is a guess that the result must bear out: 10 "MBq" of F-18 may as well be millicuries.
        let believable = if fluorine && repaired { &DOSE_FLUORINE_BQ } else { &DOSE_BQ };
        if !believable.contains(&dose) {
            return Err(Refusal::ImplausibleDose { value });
        }
        // PS3.3 C.8.9.2: Bq in the PET Isotope module; C.8.22.4: MBq in the Enhanced PET Isotope module.
        if repaired {
            let (unit, standard) = if megabecquerels { ("MBq", "Bq") } else { ("Bq", "MBq") };
            self.warn(
                "DOSE_UNIT_REPAIRED",
                format!("RadionuclideTotalDose (0018,1074) is {value}: read as {unit}, although the standard has {standard} here"),
            );
        }
        if fluorine && !DOSE_FLUORINE_BQ.contains(&dose) {
            self.warn(
                "DOSE_UNUSUAL",
                format!("the dose of {} MBq is unusual for F-18; check its unit", dose / 1e6),
            );
        }
        self.note(DOSE, read, format!("{} MBq", dose / 1e6), false);
        Ok(dose)
    }

    /// Says of a dose that is usual by itself that it does not go with the weight: one of the two is another patient's, in
    /// another unit or mistyped, and SUV is wrong by as much. A dose whose unit was guessed must go with it: what reads as 12
    /// megabecquerels for an adult is 12 mCi.
    pub(super) fn compare_dose_and_weight(
        &mut self,
        item: &Radiopharmaceutical,
        dose_bq: f64,
        weight_kg: f64,
    ) -> Result<(), Refusal> {
        let fluorine = nuclide::of(item).is_some_and(|nuclide| nuclide.name == "F-18");
        let per_kg = dose_bq / 1e6 / weight_kg;
        let unusual = fluorine && !DOSE_FLUORINE_MBQ_PER_KG.contains(&per_kg);
        if let Some(&value) = item.total_dose.value()
            && unusual
            && self.overrides.dose_mbq.is_none()
            && unit_repaired(item, value)
        {
            return Err(Refusal::ImplausibleDose { value });
        }
        if unusual && DOSE_FLUORINE_BQ.contains(&dose_bq) {
            self.warn(
                "DOSE_PER_WEIGHT_UNUSUAL",
                format!(
                    "{} MBq of F-18 for {weight_kg} kg are {per_kg:.2} MBq/kg, outside 1 to 10; check dose and weight",
                    dose_bq / 1e6
                ),
            );
        }
        Ok(())
    }

    /// The decay of the nuclide, from the file's half-life; from the table, with a warning, where the file has none and
    /// names its nuclide without doubt.
    pub(super) fn decay(&mut self, item: &Radiopharmaceutical) -> Result<Decay, Refusal> {
        let read = &item.half_life_secs;
        let known = nuclide::of(item);
        let secs = match (positive(read), known) {
            (Ok(secs), _) => secs,
            (Err(fault), Some(Nuclide { name, half_life_secs })) => {
                self.warn(
                    "HALF_LIFE_FROM_TABLE",
                    format!("RadionuclideHalfLife (0018,1075) {fault}: {half_life_secs} s of {name} used"),
                );
                half_life_secs
            }
            (Err(fault), None) => return Err(Refusal::MissingHalfLife { fault }),
        };
        if let Some(known) = known {
            self.check_half_life(secs, known)?;
        }
        self.note(HALF_LIFE, read, format!("{secs} s"), false);
        Decay::new(secs).ok_or_else(|| Refusal::MissingHalfLife { fault: format!("is {secs}") })
    }

    /// Refuses minutes and hours; another half-life than the nuclide's is used as the file has it, with a warning.
    fn check_half_life(&mut self, secs: f64, known: Nuclide) -> Result<(), Refusal> {
        let ratio = secs / known.half_life_secs;
        let off_by = |factor: f64| {
            (ratio * factor - 1.0).abs() < 0.05 || (ratio / factor - 1.0).abs() < 0.05
        };
        if off_by(60.0) || off_by(3600.0) || off_by(1000.0) {
            return Err(Refusal::WrongHalfLife {
                value: secs,
                nuclide: known.name,
                expected: known.half_life_secs,
            });
        }
        if (ratio - 1.0).abs() > 0.01 {
            self.warn(
                "HALF_LIFE_UNUSUAL",
                format!(
                    "RadionuclideHalfLife (0018,1075) is {secs} s and used so; {} has {} s",
                    known.name, known.half_life_secs
                ),
            );
        }
        Ok(())
    }
}

/// A value above zero, or what is wrong with it.
fn positive(read: &Attribute<f64>) -> Result<f64, String> {
    match read {
        Attribute::Value(value) if value.is_finite() && *value > 0.0 => Ok(*value),
        Attribute::Value(value) => Err(format!("is {value}")),
        other => Err(other.fault().unwrap_or_default()),
    }
}

/// Whether a weight and a size are each other's: metres beside kilograms, or centimetres beside the kilograms of a body
/// that cannot be.
fn swapped(weight: f64, size: f64) -> bool {
    let metres = weight <= CENTIMETRES_FROM && (20.0..=300.0).contains(&size);
    let index = |kilograms: f64, centimetres: f64| kilograms / (centimetres / 100.0).powi(2);
    let centimetres = (100.0..=250.0).contains(&weight)
        && (20.0..=300.0).contains(&size)
        && !BMI.contains(&index(weight, size))
        && BMI.contains(&index(size, weight));
    metres || centimetres
}

fn body_mass_index(weight_kg: f64, height_m: f64) -> Result<f64, Refusal> {
    let bmi = weight_kg / (height_m * height_m);
    if BMI.contains(&bmi) { Ok(bmi) } else { Err(Refusal::ImplausibleBody { bmi }) }
}

fn positive_measure(value: f64) -> Result<f64, Refusal> {
    if value > 0.0 { Ok(value) } else { Err(Refusal::NoBodyMeasure { value: value / 1000.0 }) }
}

/// Whether a dose is written in another unit than the standard has at its place: below [`MEGABECQUERELS_BELOW`] it is in
/// megabecquerels.
fn unit_repaired(item: &Radiopharmaceutical, value: f64) -> bool {
    (value < MEGABECQUERELS_BELOW) != item.dose_in_megabecquerels
}
