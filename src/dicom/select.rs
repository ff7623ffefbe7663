//! Which PET, and which CT with it, an assessment uses; and why the others were left.
//!
//! A PET must be attenuation corrected, of an activity concentration or SUV, and one static volume. The header alone
//! is not believed: attenuation correction is denied by `CorrectedImage` without ATTN, by an `AttenuationCorrectionMethod`
//! NONE, or by a description that says so in words of its own; there are series in archives that list ATTN wrongly.
//!
//! Source: DICOM PS3.3 C.8.9.1 (`SeriesType`, Units, `CorrectedImage`), C.8.2.1.1.1 (`ImageType` of CT).

use dicom_dictionary_std::uids;
use glam::DVec3;

use super::error::ReadError;
use super::series::{Series, Study};
use crate::acquisition::PetAcquisition;
use crate::diagnostic::Warning;
use crate::geometry::VolumeGeometry;

/// A PET is preferred for its coverage when it is longer than each rival by this factor.
const CLEARLY_LONGER: f64 = 1.25;
/// Smallest share of the PET's field of view that a CT must cover.
const LEAST_COVERAGE: f64 = 0.1;

/// The series to work with.
#[derive(Debug, Clone)]
pub struct Selection<'a> {
    /// The PET.
    pub pet: &'a Series,
    /// Its CT, where there is one in the same frame of reference.
    pub ct: Option<&'a Series>,
    /// The other PET and CT series with the reason why each was left.
    pub set_aside: Vec<SetAside>,
    /// What was noticed.
    pub warnings: Vec<Warning>,
}

/// A series that was left, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// `SeriesInstanceUID` (0020,000E).
    pub series_uid: String,
    /// `SeriesDescription` (0008,103E).
    pub description: String,
    /// Why.
    pub reason: String,
}

/// Chooses the PET and its CT, or the PET named by `series_uid` and its CT.
///
/// # Errors
/// No PET can be used, the named one cannot, or two are equally good.
pub fn select<'a>(
    studies: &'a [Study],
    series_uid: Option<&str>,
) -> Result<Selection<'a>, ReadError> {
    let all = studies.iter().flat_map(|study| &study.series).collect::<Vec<_>>();
    let mut warnings = Vec::new();
    let pet = match series_uid {
        Some(uid) => named(&all, uid, &mut warnings)?,
        None => best_pet(&all)?,
    };
    let (ct, ct_reason) = best_ct(&all, pet);
    warnings
        .extend([Some(pet), ct].into_iter().flatten().flat_map(|series| series.remarks.clone()));
    if ct.is_none() {
        warnings.push(Warning::new("NO_CT", ct_reason));
    }
    let set_aside = all
        .iter()
        .filter(|other| ["PT", "CT"].contains(&other.modality.as_str()))
        .filter(|other| {
            !std::ptr::eq(**other, pet) && !ct.is_some_and(|ct| std::ptr::eq(**other, ct))
        })
        .map(|other| SetAside {
            series_uid: other.series_instance_uid.clone(),
            description: other.description.clone(),
            reason: if other.is_pet() {
                pet_reason(other, pet)
            } else {
                ct_reason_of(other, pet, ct)
            },
        })
        .collect();
    Ok(Selection { pet, ct, set_aside, warnings })
}

/// What speaks against using a series, beyond its geometry.
pub(super) fn objections(series: &Series) -> Vec<String> {
    let mut reasons = Vec::new();
    let classes: &[&str] = match series.modality.as_str() {
        "PT" => &[
            uids::POSITRON_EMISSION_TOMOGRAPHY_IMAGE_STORAGE,
            uids::LEGACY_CONVERTED_ENHANCED_PET_IMAGE_STORAGE,
            uids::ENHANCED_PET_IMAGE_STORAGE,
        ],
        "CT" => &[
            uids::CT_IMAGE_STORAGE,
            uids::ENHANCED_CT_IMAGE_STORAGE,
            uids::LEGACY_CONVERTED_ENHANCED_CT_IMAGE_STORAGE,
        ],
        other => return vec![format!("modality {other} is neither PET nor CT")],
    };
    if !classes.contains(&series.sop_class_uid.as_str()) {
        reasons
            .push(format!("SOPClassUID {} is not an image of the scanner", series.sop_class_uid));
    }
    let kinds = [
        "REPROJECTION",
        "MIP",
        "MAX_IP",
        "MIN_IP",
        "PROJECTION",
        "LOCALIZER",
        "SCOUT",
        "FUSED",
        "FUSION",
    ];
    let times = ["DYNAMIC", "GATED"];
    let words = |value: &String| value.split([' ', '-']).map(str::to_owned).collect::<Vec<_>>();
    let found = series.kinds.iter().flat_map(words).find(|word| {
        kinds.contains(&word.as_str()) || (series.is_pet() && times.contains(&word.as_str()))
    });
    if let Some(kind) = found {
        reasons.push(format!("it is a {} image", kind.to_ascii_lowercase()));
    }
    if let Some(acquisition) = &series.acquisition {
        reasons.extend(uncorrected(series, acquisition));
        reasons.extend(unit_objection(acquisition));
    }
    reasons
}

/// Evidence that a PET is not attenuation corrected.
fn uncorrected(series: &Series, acquisition: &PetAcquisition) -> Option<String> {
    if !acquisition.corrected_image.iter().any(|value| value.eq_ignore_ascii_case("ATTN")) {
        return Some(
            "it is not attenuation corrected: CorrectedImage (0028,0051) lacks ATTN".into(),
        );
    }
    let method = &series.reconstruction.attenuation_correction;
    if method.eq_ignore_ascii_case("NONE") {
        return Some(format!(
            "it is not attenuation corrected: AttenuationCorrectionMethod (0054,1101) is {method}"
        ));
    }
    says_uncorrected(&series.description).then(|| {
        format!("it is not attenuation corrected by its description {:?}", series.description)
    })
}

/// Whether a description says that there is no attenuation correction, in whole words.
fn says_uncorrected(description: &str) -> bool {
    let upper = description.to_ascii_uppercase();
    let words = upper
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|w| !w.is_empty())
        .collect::<Vec<_>>();
    let is = |word: &str, list: &[&str]| list.contains(&word);
    let corrected = ["AC", "CTAC", "ATTN", "ATTENUATION"];
    words.iter().any(|word| is(word, &["NAC", "NOAC", "NONAC"]))
        || words
            .windows(2)
            .any(|pair| is(pair[0], &["NO", "NON", "NOT", "WITHOUT"]) && is(pair[1], &corrected))
        || (is("UNCORRECTED", &words) && !words.iter().any(|word| is(word, &corrected[..2])))
}

fn unit_objection(acquisition: &PetAcquisition) -> Option<String> {
    let units = acquisition.units.value()?;
    let known = ["BQML", "CNTS", "CPS", "GML", "CM2ML"];
    (!known.iter().any(|known| known.eq_ignore_ascii_case(units.trim()))).then(|| {
        format!("Units (0054,1001) {units} are neither an activity concentration nor an SUV")
    })
}

fn named<'a>(
    all: &[&'a Series],
    uid: &str,
    warnings: &mut Vec<Warning>,
) -> Result<&'a Series, ReadError> {
    let series = all
        .iter()
        .copied()
        .find(|series| series.series_instance_uid == uid && series.is_pet())
        .ok_or_else(|| ReadError::NoSuchSeries(uid.to_owned()))?;
    if !series.loadable {
        return Err(ReadError::Unusable {
            series: uid.to_owned(),
            reason: series.reasons.join("; "),
        });
    }
    warnings.extend(series.reasons.iter().map(|reason| {
        Warning::new(
            "SERIES_NAMED",
            format!("series {} was named although {reason}", series.label()),
        )
    }));
    Ok(series)
}

/// How well a PET serves: whether SUV can be planned, whether it is an original, whether it is a concentration.
fn merit(series: &Series) -> (bool, bool, bool) {
    let Some(a) = &series.acquisition else { return Default::default() };
    let units = a.units.value().map_or_else(String::new, |units| units.trim().to_ascii_uppercase());
    let units = units.as_str();
    let injected = a.radiopharmaceuticals.iter().any(|r| {
        r.total_dose.value().is_some()
            && r.half_life_secs.value().is_some()
            && (r.start_time.value().is_some() || r.start_datetime.value().is_some())
    });
    let timed = injected
        && a.patient_weight.value().is_some_and(|&kg| kg > 0.0)
        && a.decay_correction.value().is_some();
    let factor = |f: &crate::acquisition::Attribute<f64>| f.value().is_some_and(|&f| f > 0.0);
    let planned = match units {
        "BQML" => timed,
        "CPS" => timed && a.corrected_image.iter().any(|c| c == "DCAL"),
        "CNTS" => factor(&a.philips_suv_factor) || (timed && factor(&a.philips_activity_factor)),
        _ => !units.is_empty(),
    };
    (planned, series.image_type.first().is_some_and(|v| v == "ORIGINAL"), units == "BQML")
}

fn extent_mm(series: &Series) -> f64 {
    series.geometry.as_ref().map_or(0.0, |g| g.spacing_mm()[0] * g.shape()[0] as f64)
}

fn best_pet<'a>(all: &[&'a Series]) -> Result<&'a Series, ReadError> {
    let usable = all.iter().copied().filter(|s| s.is_pet() && s.usable).collect::<Vec<_>>();
    let Some(best) = usable.iter().map(|s| merit(s)).max() else {
        return Err(ReadError::NoPet { reasons: why_no_pet(all) });
    };
    let rivals = usable.into_iter().filter(|s| merit(s) == best).collect::<Vec<_>>();
    let clearly_longest = rivals.iter().copied().find(|a| {
        rivals.iter().all(|b| std::ptr::eq(*a, *b) || extent_mm(a) > CLEARLY_LONGER * extent_mm(b))
    });
    clearly_longest
        .ok_or_else(|| ReadError::Ambiguous { series: rivals.iter().map(|s| s.label()).collect() })
}

fn why_no_pet(all: &[&Series]) -> Vec<String> {
    let reasons = all
        .iter()
        .filter(|s| s.is_pet())
        .map(|s| format!("series {}: {}", s.label(), s.reasons.join("; ")))
        .collect::<Vec<_>>();
    if !reasons.is_empty() {
        return reasons;
    }
    let mut modalities = all.iter().map(|s| s.modality.as_str()).collect::<Vec<_>>();
    modalities.sort_unstable();
    modalities.dedup();
    vec![format!("the scan holds {} only", modalities.join(", "))]
}

/// Why a PET was not taken.
fn pet_reason(other: &Series, chosen: &Series) -> String {
    if !other.reasons.is_empty() {
        return other.reasons.join("; ");
    }
    let (mine, best) = (merit(other), merit(chosen));
    if !mine.0 && best.0 {
        "facts for SUV are missing in its header".into()
    } else if mine.1 != best.1 && best.1 {
        "it is derived, the chosen series is original".into()
    } else if mine.2 != best.2 && best.2 {
        "the chosen series is in Bq/ml".into()
    } else if extent_mm(other) < extent_mm(chosen) {
        format!(
            "it covers {:.0} mm, the chosen series {:.0} mm",
            extent_mm(other),
            extent_mm(chosen)
        )
    } else {
        "another series was named".into()
    }
}

/// Why a CT cannot belong to a PET, if so.
fn ct_mismatch(ct: &Series, pet: &Series) -> Option<String> {
    if !ct.usable {
        return Some(ct.reasons.join("; "));
    }
    if pet.frame_of_reference_uid.is_empty()
        || ct.frame_of_reference_uid != pet.frame_of_reference_uid
    {
        return Some("it is not in the frame of reference of the PET".into());
    }
    let covered = coverage(ct, pet);
    (covered < LEAST_COVERAGE).then(|| format!("it covers {:.0} % of the PET", covered * 100.0))
}

/// The CT in the frame of the PET: one of the PET's study before others, then the one that covers most of it; among those the
/// one nearest to it in number of slices.
fn best_ct<'a>(all: &[&'a Series], pet: &Series) -> (Option<&'a Series>, String) {
    let ct = all.iter().copied().filter(|s| s.modality == "CT").collect::<Vec<_>>();
    if ct.is_empty() {
        return (None, "the scan holds no CT".into());
    }
    let key = |s: &Series| {
        let original = s.image_type.first().is_some_and(|v| v == "ORIGINAL");
        let percent = (coverage(s, pet) * 50.0).round() as i64;
        let same_study = s.study_instance_uid == pet.study_instance_uid;
        (same_study, percent, original, std::cmp::Reverse(s.slices.abs_diff(pet.slices)))
    };
    let fitting = ct.iter().copied().filter(|s| ct_mismatch(s, pet).is_none());
    // Of equals the first by series number is taken: the last maximum of the reversed order.
    let best = fitting.collect::<Vec<_>>().into_iter().rev().max_by_key(|s| key(s));
    let reasons =
        ct.iter().filter_map(|s| Some(format!("series {}: {}", s.label(), ct_mismatch(s, pet)?)));
    (best, format!("no CT fits the PET: {}", reasons.collect::<Vec<_>>().join("; ")))
}

fn ct_reason_of(other: &Series, pet: &Series, chosen: Option<&Series>) -> String {
    ct_mismatch(other, pet).unwrap_or_else(|| {
        let share = |s| coverage(s, pet) * 100.0;
        let own = |s: &Series| s.study_instance_uid == pet.study_instance_uid;
        match chosen {
            Some(chosen) if own(chosen) && !own(other) => {
                "it is of another study than the PET, which has a CT of its own".into()
            }
            Some(chosen) => format!(
                "another CT fits the PET better: this one covers {:.0} % of it in {} slices, the chosen {:.0} % in {}",
                share(other), other.slices, share(chosen), chosen.slices
            ),
            None => "it was not needed".into(),
        }
    })
}

/// Share of the PET's bounding box that the bounding box of another series covers.
fn coverage(other: &Series, pet: &Series) -> f64 {
    let (Ok(a), Ok(b)) = (&other.geometry, &pet.geometry) else { return 0.0 };
    let ((low_a, high_a), (low_b, high_b)) = (cell_bounds(a), cell_bounds(b));
    let shared = (high_a.min(high_b) - low_a.max(low_b)).max(DVec3::ZERO);
    let whole = high_b - low_b;
    (shared / whole).to_array().into_iter().product()
}

/// Bounds of the voxel cells, not of their centres.
fn cell_bounds(geometry: &VolumeGeometry) -> (DVec3, DVec3) {
    let (low, high) = geometry.bounds_mm();
    let half =
        geometry.steps_mm().into_iter().fold(DVec3::ZERO, |sum, step| sum + step.abs()) / 2.0;
    (low - half, high + half)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_deny_attenuation_correction() {
        for (description, expected) in [
            ("PET NAC", true),
            ("WB_NAC_2mm", true),
            ("PET no AC", true),
            ("Non-attenuation corrected", true),
            ("WB UNCORRECTED", true),
            ("NoAC PET", true),
            ("PET AC", false),
            ("CTAC pinnacle", false),
            ("PET AC motion uncorrected", false),
            ("NACHSORGE", false),
            ("", false),
        ] {
            assert_eq!(says_uncorrected(description), expected, "{description}");
        }
    }
}
