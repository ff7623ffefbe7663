//! The columns of a table of visits and how each is read.

use chrono::{NaiveDate, NaiveDateTime};

use super::sites::{attribution, new_sites, sites};
use super::{NewLesions, Visit, plain};
use crate::criteria::Change;
use crate::response::Hottest;
use crate::response::ct_lugano::{MarrowBiopsy, NonTarget, Spleen};
use crate::response::lugano::Marrow;

/// Reads a field that is not empty into its visit.
pub(super) type Setter = fn(&mut Visit, &str) -> Result<(), String>;

/// Every column.
pub(super) const COLUMNS: [(&str, Setter); 48] = [
    ("patient", |v, t| said(&mut v.patient, Ok(t.to_owned()))),
    ("visit", |v, t| {
        t.clone_into(&mut v.name);
        Ok(())
    }),
    ("date", |v, t| said(&mut v.date, date(t))),
    ("baseline", |v, t| {
        v.baseline = yes_or_no(t)?;
        Ok(())
    }),
    ("disease", |v, t| said(&mut v.disease, Ok(t.to_owned()))),
    ("deauville", |v, t| {
        let written = t.parse().map_err(|e: crate::deauville::NotAScore| e.to_string());
        said(&mut v.deauville, written)
    }),
    ("suv_max", |v, t| {
        v.suv_max = hottest(t)?;
        Ok(())
    }),
    ("suv_peak", |v, t| said(&mut v.suv_peak, number(t))),
    ("suv_peak_of_four", |v, t| said(&mut v.suv_peak_of_four, number(t))),
    ("sul_peak", |v, t| {
        v.sul_peak = hottest(t)?;
        Ok(())
    }),
    ("tlg_g", |v, t| said(&mut v.tlg_g, number(t))),
    ("longest_dimension_mm", |v, t| said(&mut v.longest_dimension_mm, number(t))),
    ("change", |v, t| said(&mut v.change, change(t))),
    ("liver_suv_max", |v, t| said(&mut v.references.liver_suv_max, number(t))),
    ("liver_suv_mean", |v, t| said(&mut v.references.liver_suv_mean, number(t))),
    ("blood_pool_suv_max", |v, t| said(&mut v.references.blood_pool_suv_max, number(t))),
    ("blood_pool_suv_mean", |v, t| said(&mut v.references.blood_pool_suv_mean, number(t))),
    ("liver_sul_mean", |v, t| said(&mut v.references.liver_sul.0, number(t))),
    ("liver_sul_sd", |v, t| said(&mut v.references.liver_sul.1, number(t))),
    ("blood_pool_sul_mean", |v, t| said(&mut v.references.blood_pool_sul.0, number(t))),
    ("blood_pool_sul_sd", |v, t| said(&mut v.references.blood_pool_sul.1, number(t))),
    ("sites", |v, t| {
        v.sites = sites(t)?;
        Ok(())
    }),
    ("new_lesions", |v, t| {
        v.new_lesions = new_lesions(t)?;
        Ok(())
    }),
    ("new_lesion_sites", |v, t| {
        v.new_sites = new_sites(t)?;
        Ok(())
    }),
    ("new_lesion_attribution", |v, t| said(&mut v.attribution, attribution(t))),
    ("marrow", |v, t| {
        v.marrow = marrow(t)?;
        Ok(())
    }),
    ("cycles", |v, t| {
        let count = t.parse().map_err(|_| format!("{t:?} is no number of cycles; write 2"));
        said(&mut v.cycles, count)
    }),
    ("immunotherapy_weeks", |v, t| said(&mut v.immunotherapy_weeks, number(t))),
    ("deteriorated", |v, t| said(&mut v.deteriorated, yes_or_no(t))),
    ("tracer", |v, t| said(&mut v.facts.tracer, Ok(t.to_owned()))),
    ("uptake_minutes", |v, t| said(&mut v.facts.uptake_minutes, number(t))),
    ("dose_mbq", |v, t| said(&mut v.facts.dose_bq, number(t).map(|mbq| mbq * 1e6))),
    ("weight_kg", |v, t| said(&mut v.facts.weight_kg, number(t))),
    ("glucose_mg_dl", |v, t| said(&mut v.facts.glucose_mg_dl, number(t))),
    ("manufacturer", |v, t| said(&mut v.facts.manufacturer, Ok(t.to_owned()))),
    ("model", |v, t| said(&mut v.facts.model, Ok(t.to_owned()))),
    ("software", |v, t| said(&mut v.facts.software, Ok(t.to_owned()))),
    ("reconstruction", |v, t| said(&mut v.facts.reconstruction, Ok(t.to_owned()))),
    ("units", |v, t| said(&mut v.facts.units, Ok(t.to_owned()))),
    ("decay_correction", |v, t| said(&mut v.facts.decay_correction, Ok(t.to_owned()))),
    ("voxel_mm", |v, t| said(&mut v.facts.spacing_mm, spacing(t))),
    ("earl", |v, t| said(&mut v.facts.earl, yes_or_no(t))),
    ("suv_kind", |v, t| said(&mut v.facts.suv_kind, t.parse())),
    ("suv_valid", |v, t| said(&mut v.facts.suv_valid, yes_or_no(t))),
    ("spleen_mm", |v, t| said(&mut v.spleen, spleen(t))),
    ("ct_non_target", |v, t| said(&mut v.non_target, non_target(t))),
    ("ct_new_lesions", |v, t| said(&mut v.ct_new_lesions, yes_or_no(t))),
    ("marrow_biopsy", |v, t| said(&mut v.marrow_biopsy, marrow_biopsy(t))),
];

/// Names of the columns of a table of visits.
pub fn column_names() -> Vec<&'static str> {
    COLUMNS.iter().map(|(name, _)| *name).collect()
}

fn said<T>(place: &mut Option<T>, value: Result<T, String>) -> Result<(), String> {
    *place = Some(value?);
    Ok(())
}

/// A number that is not negative; a comma is never taken for a point.
pub(super) fn number(text: &str) -> Result<f64, String> {
    let value = text.parse::<f64>().ok().filter(|value| value.is_finite() && *value >= 0.0);
    value.ok_or_else(|| {
        format!(
            "{text:?} is not a number; write it like 7.7, or leave it empty where it is not known"
        )
    })
}

/// A number, or `none` where nothing is left to measure.
fn hottest(text: &str) -> Result<Hottest, String> {
    if plain(text) == "none" {
        return Ok(Hottest::NoLesion);
    }
    let value = number(text).map_err(|_| {
        format!(
            "{text:?} is not a number; write it like 7.7, none where there is no lesion, or leave it empty where \
             it is not known"
        )
    });
    value.map(Hottest::Uptake)
}

/// One of some words; spaces, hyphens and underscores are the same.
fn one_of<T: Copy>(text: &str, words: &[(&str, T)]) -> Result<T, String> {
    let word = plain(&text.replace(['_', '-'], " "));
    let found = words.iter().find(|(name, _)| *name == word);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<&str> = words.iter().map(|(name, _)| *name).collect();
        let known = names.join(", ");
        format!("{text:?} is none of {known}; write one of them, or leave it empty where it is not known")
    })
}

pub(super) fn yes_or_no(text: &str) -> Result<bool, String> {
    one_of(text, &[("yes", true), ("no", false)])
}

fn change(text: &str) -> Result<Change, String> {
    let words = [
        ("reduced", Change::Reduced),
        ("unchanged", Change::Unchanged),
        ("increased", Change::Increased),
    ];
    one_of(text, &words)
}

fn new_lesions(text: &str) -> Result<NewLesions, String> {
    let words =
        [("yes", NewLesions::Yes), ("no", NewLesions::No), ("uncertain", NewLesions::Uncertain)];
    one_of(text, &words)
}

fn marrow(text: &str) -> Result<Marrow, String> {
    let words = [
        ("clear", Marrow::Clear),
        ("diffuse reactive", Marrow::DiffuseReactive),
        ("focal residual", Marrow::FocalResidual),
        ("focal unchanged", Marrow::FocalUnchanged),
        ("new focus", Marrow::NewFocus),
    ];
    one_of(text, &words)
}

fn non_target(text: &str) -> Result<NonTarget, String> {
    let words = [
        ("absent", NonTarget::Absent),
        ("regressed", NonTarget::Regressed),
        ("unchanged", NonTarget::Unchanged),
        ("progressed", NonTarget::Progressed),
    ];
    one_of(text, &words)
}

fn marrow_biopsy(text: &str) -> Result<MarrowBiopsy, String> {
    let words = [
        ("normal", MarrowBiopsy::Normal),
        ("indeterminate", MarrowBiopsy::Indeterminate),
        ("involved", MarrowBiopsy::Involved),
        ("newly involved", MarrowBiopsy::NewlyInvolved),
    ];
    one_of(text, &words)
}

fn spleen(text: &str) -> Result<Spleen, String> {
    if plain(text) == "normal" { Ok(Spleen::Normal) } else { number(text).map(Spleen::Length) }
}

/// Distances of voxels along slice, row and column: `3 x 4 x 4`.
fn spacing(text: &str) -> Result<[f64; 3], String> {
    let parts: Result<Vec<f64>, String> = text.split('x').map(|part| number(part.trim())).collect();
    parts.ok().and_then(|parts| parts.try_into().ok()).ok_or_else(|| {
        format!("{text:?} is no size of a voxel; write slice x row x column, like 3 x 4 x 4")
    })
}

/// A day, or a day with a time of day.
fn date(text: &str) -> Result<NaiveDateTime, String> {
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    let midnight = day.and_then(|day| day.and_hms_opt(0, 0, 0));
    let time = || {
        let forms = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"];
        forms.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
    };
    midnight
        .or_else(time)
        .ok_or_else(|| format!("{text:?} is no date; write it like 2024-03-31 or 2024-03-31T09:30"))
}
