//! The thirteen checks; each gives a finding, the rule set its weight.

use super::{CheckId, Finding, PairFacts, QualityNumbers, ScanFacts};
use crate::criteria::{EPSILON, EXPECTED_REFERENCES, at_least, at_most};
use Finding::{Doubtful, Holds, Unknown, Violated};

/// Holds or is violated, with one sentence for both.
fn judged(holds: bool, detail: String) -> Finding {
    if holds { Holds(detail) } else { Violated(detail) }
}

/// A number that can be one: the others are not known.
fn positive(value: Option<f64>) -> Option<f64> {
    value.filter(|value| value.is_finite() && *value > 0.0)
}

/// The value of both scans, or the sentence that says where it is missing.
fn both<T>(name: &str, baseline: Option<T>, follow_up: Option<T>) -> Result<(T, T), Finding> {
    let missing = match (baseline, follow_up) {
        (Some(baseline), Some(follow_up)) => return Ok((baseline, follow_up)),
        (None, Some(_)) => "of the baseline is",
        (Some(_), None) => "of the follow-up is",
        (None, None) => "of both scans is",
    };
    Err(Unknown(format!("{name} {missing} not known")))
}

pub(super) fn find(
    id: CheckId,
    baseline: &ScanFacts,
    follow_up: &ScanFacts,
    pair: PairFacts,
    numbers: &QualityNumbers,
) -> Finding {
    let finding = match id {
        CheckId::UptakeWindow => uptake_window(baseline, follow_up, numbers),
        CheckId::UptakeDifference => uptake_difference(baseline, follow_up, numbers),
        CheckId::SameSystem => Ok(same_system(baseline, follow_up)),
        CheckId::Earl => earl(baseline, follow_up),
        CheckId::InjectedDose => injected_dose(baseline, follow_up, numbers),
        CheckId::LiverStability => liver_stability(baseline, follow_up, numbers),
        CheckId::Glucose => glucose(baseline, follow_up, numbers),
        CheckId::Tracer => tracer(baseline, follow_up),
        CheckId::SuvStatus => suv_status(baseline, follow_up),
        CheckId::Patient => Ok(patient(baseline, follow_up, numbers)),
        CheckId::FieldOfView => Ok(field_of_view(pair)),
        CheckId::DateOrder => date_order(baseline, follow_up),
        CheckId::LiverRange => liver_range(baseline, follow_up),
    };
    finding.unwrap_or_else(|unknown| unknown)
}

type Found = Result<Finding, Finding>;

/// The uptake times of both scans; a negative one is not known.
fn uptake_minutes(a: &ScanFacts, b: &ScanFacts) -> Result<(f64, f64), Finding> {
    both("the uptake time", positive(a.uptake_minutes), positive(b.uptake_minutes))
}

fn uptake_window(a: &ScanFacts, b: &ScanFacts, numbers: &QualityNumbers) -> Found {
    let (from, to) = numbers.uptake_minutes;
    let inside = |minutes: f64| at_least(minutes, from) && at_most(minutes, to);
    let (first, second) = match uptake_minutes(a, b) {
        Ok(both) => both,
        // One scan outside the window is enough to say so.
        Err(unknown) => {
            let known = positive(a.uptake_minutes).or(positive(b.uptake_minutes));
            let outside = known.filter(|minutes| !inside(*minutes)).ok_or(unknown)?;
            return Ok(Violated(format!("uptake {outside:.1} min; allowed {from} to {to} min")));
        }
    };
    let detail = format!("uptake {first:.1} and {second:.1} min; allowed {from} to {to} min");
    Ok(judged(inside(first) && inside(second), detail))
}

fn uptake_difference(a: &ScanFacts, b: &ScanFacts, numbers: &QualityNumbers) -> Found {
    let (first, second) = uptake_minutes(a, b)?;
    let difference = (first - second).abs();
    let (limit, earliest) = (numbers.uptake_difference_minutes, numbers.uptake_earliest_minutes);
    let detail = format!(
        "uptake {first:.1} and {second:.1} min, difference {difference:.1} min; allowed {limit} min, none before {earliest} min"
    );
    Ok(judged(at_most(difference, limit) && at_least(first.min(second), earliest), detail))
}

/// Text without differences of case and spaces; `None` where nothing is left.
fn plain(text: Option<&str>) -> Option<String> {
    let words: Vec<_> = text?.split_whitespace().map(str::to_lowercase).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

fn same_system(a: &ScanFacts, b: &ScanFacts) -> Finding {
    type Part = fn(&ScanFacts) -> Option<&str>;
    let parts: [(&str, Part); 6] = [
        ("manufacturer", |facts| facts.manufacturer.as_deref()),
        ("model", |facts| facts.model.as_deref()),
        ("software", |facts| facts.software.as_deref()),
        ("reconstruction", |facts| facts.reconstruction.as_deref()),
        ("units", |facts| facts.units.as_deref()),
        ("decay correction", |facts| facts.decay_correction.as_deref()),
    ];
    let (mut differ, mut unknown) = (Vec::new(), Vec::new());
    for (name, part) in parts {
        match (plain(part(a)), plain(part(b))) {
            (Some(first), Some(second)) if first == second => {}
            (Some(first), Some(second)) => differ.push(format!("{name} {first:?} and {second:?}")),
            (None, _) | (_, None) => unknown.push(name),
        }
    }
    match (a.spacing_mm, b.spacing_mm) {
        // Headers round: a hundredth of a millimetre is no other grid.
        (Some(first), Some(second)) => {
            if first.iter().zip(second).any(|(x, y)| (x - y).abs() > 0.01) {
                differ.push(format!("voxels {first:.2?} and {second:.2?} mm"));
            }
        }
        (None, _) | (_, None) => unknown.push("voxel size"),
    }
    if !differ.is_empty() {
        Violated(format!("not the same: {}", differ.join(", ")))
    } else if !unknown.is_empty() {
        Unknown(format!("not known of both scans: {}", unknown.join(", ")))
    } else {
        Holds("same scanner, software, reconstruction and voxels".into())
    }
}

fn earl(a: &ScanFacts, b: &ScanFacts) -> Found {
    let (first, second) = both("the EARL status", a.earl, b.earl)?;
    let word = |approved| if approved { "approved" } else { "not approved" };
    let detail = format!("EARL: baseline {}, follow-up {}", word(first), word(second));
    Ok(judged(first && second, detail))
}

fn injected_dose(a: &ScanFacts, b: &ScanFacts, numbers: &QualityNumbers) -> Found {
    let (first, second) = both("the injected dose", positive(a.dose_bq), positive(b.dose_bq))?;
    let percent = 100.0 * (second - first) / first;
    let limit = numbers.dose_difference_percent;
    let detail = format!(
        "{:.1} and {:.1} MBq, {percent:+.1} %; allowed {limit} %",
        first / 1e6,
        second / 1e6
    );
    Ok(judged(at_most(percent.abs(), limit), detail))
}

fn liver_stability(a: &ScanFacts, b: &ScanFacts, numbers: &QualityNumbers) -> Found {
    let sul = (positive(a.liver_sul_mean), positive(b.liver_sul_mean));
    let (first, second) = both("SULmean of the liver", sul.0, sul.1)?;
    let difference = (second - first).abs();
    let percent = 100.0 * difference / first.max(second);
    let (limit, limit_percent) = (numbers.liver_difference, numbers.liver_difference_percent);
    let detail = format!(
        "liver SULmean {first:.2} and {second:.2}: {difference:.2}, {percent:.1} % of the larger; allowed {limit} and {limit_percent} %"
    );
    let within = difference <= limit + EPSILON && percent <= limit_percent + 100.0 * EPSILON;
    Ok(judged(within, detail))
}

fn glucose(a: &ScanFacts, b: &ScanFacts, numbers: &QualityNumbers) -> Found {
    let limit = numbers.glucose_below_mg_dl;
    let known = (positive(a.glucose_mg_dl), positive(b.glucose_mg_dl));
    if let Some(high) = [known.0, known.1].into_iter().flatten().find(|value| *value >= limit) {
        return Ok(Violated(format!("blood glucose {high:.0} mg/dL; must be below {limit:.0}")));
    }
    let (first, second) = both("the blood glucose", known.0, known.1)?;
    Ok(Holds(format!("blood glucose {first:.0} and {second:.0} mg/dL; below {limit:.0}")))
}

/// Letters and digits in lower case: `F^18^ Fluoro-deoxyglucose` and `fluorodeoxyglucose f18` differ only in order.
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// One name for the spellings of a tracer; `None` for words that name none.
pub(super) fn tracer_name(text: &str) -> Option<String> {
    let name = letters(text);
    let fdg = ["fdg", "fluorodeoxyglucose", "fludeoxyglucose", "fluordeoxyglucose"];
    if fdg.iter().any(|spelling| name.contains(spelling)) {
        return Some("FDG".into());
    }
    let nothing = ["", "solution", "other", "unknown", "none", "undefined", "pharmaceutical"];
    (!nothing.contains(&name.as_str())).then_some(name)
}

/// One name for the spellings of a nuclide: `^18^Fluorine`, `F-18`, `18F` and `Fluorine-18` are `f18`.
pub(super) fn nuclide_name(text: &str) -> Option<String> {
    let name = letters(text);
    let (digits, element): (String, String) = name.chars().partition(char::is_ascii_digit);
    let symbols = [
        ("fluorine", "f"),
        ("fluor", "f"),
        ("gallium", "ga"),
        ("carbon", "c"),
        ("copper", "cu"),
        ("zirconium", "zr"),
        ("iodine", "i"),
        ("nitrogen", "n"),
        ("oxygen", "o"),
        ("rubidium", "rb"),
    ];
    let symbol = symbols.iter().find(|(long, _)| *long == element).map_or(&*element, |(_, s)| s);
    (!digits.is_empty() && !symbol.is_empty()).then(|| format!("{symbol}{digits}"))
}

fn tracer(a: &ScanFacts, b: &ScanFacts) -> Found {
    let nuclide = |facts: &ScanFacts| facts.nuclide.as_deref().and_then(nuclide_name);
    if let (Some(first), Some(second)) = (nuclide(a), nuclide(b))
        && first != second
    {
        return Ok(Violated(format!("nuclides {first} and {second}")));
    }
    let name = |facts: &ScanFacts| facts.tracer.as_deref().and_then(tracer_name);
    let (first, second) = both("the radiopharmaceutical", name(a), name(b))?;
    Ok(if first == second {
        Holds(format!("both scans with {first}"))
    } else {
        Violated(format!("{first} and {second}"))
    })
}

fn suv_status(a: &ScanFacts, b: &ScanFacts) -> Found {
    if let (Some(first), Some(second)) = (a.suv_kind, b.suv_kind)
        && first != second
    {
        return Ok(Violated(format!("kinds of SUV differ: {first:?} and {second:?}")));
    }
    if let Some(which) = [(a, "baseline"), (b, "follow-up")]
        .into_iter()
        .find(|(facts, _)| facts.suv_valid == Some(false))
    {
        return Ok(Violated(format!("the {} has no valid SUV", which.1)));
    }
    let (kind, _) = both("the kind of SUV", a.suv_kind, b.suv_kind)?;
    both("the validity of SUV", a.suv_valid, b.suv_valid)?;
    Ok(Holds(format!("both scans in valid SUV ({kind:?})")))
}

/// Same identifier, birth date and sex; a contradiction in any of them is another patient.
fn patient(a: &ScanFacts, b: &ScanFacts, numbers: &QualityNumbers) -> Finding {
    let same = |first: Option<String>, second: Option<String>| Some(first? == second?);
    let identifier = same(plain(a.patient_id.as_deref()), plain(b.patient_id.as_deref()));
    let birth = a.birth_date.zip(b.birth_date).map(|(first, second)| first == second);
    // `O` contradicts nothing: anonymised files have it in place of the sex.
    let sex = a.sex.zip(b.sex).map(|(first, second)| {
        first == second || [first, second].contains(&crate::acquisition::Sex::Other)
    });
    let parts = [("PatientID", identifier), ("birth date", birth), ("sex", sex)];
    let named = |wanted: Option<bool>| -> Vec<_> {
        parts.iter().filter(|(_, same)| *same == wanted).map(|(name, _)| *name).collect()
    };
    let differ = named(Some(false));
    if !differ.is_empty() {
        return Violated(format!("another patient by {}", differ.join(", ")));
    }
    if identifier.is_none() {
        return Unknown("PatientID is not known of both scans".into());
    }
    let same = format!("same {}", named(Some(true)).join(", "));
    match weight_remark(a, b, numbers) {
        Some(remark) => Doubtful(format!("{same}; {remark}")),
        None => Holds(same),
    }
}

/// A large change of weight moves SUVbw: said beside the patient, since it is no other patient.
fn weight_remark(a: &ScanFacts, b: &ScanFacts, numbers: &QualityNumbers) -> Option<String> {
    let (first, second) = positive(a.weight_kg).zip(positive(b.weight_kg))?;
    let percent = 100.0 * (second - first) / first;
    let large = !at_most(percent.abs(), numbers.weight_change_percent);
    large.then(|| format!("weight changed by {percent:+.1} %: prefer SUL"))
}

fn field_of_view(pair: PairFacts) -> Finding {
    match pair.sites_out_of_field {
        None => Unknown("the field of view was not checked".into()),
        Some(0) => Holds("every site of the baseline is in the field of view".into()),
        Some(sites) => {
            Violated(format!("{sites} sites of the baseline are outside the field of view"))
        }
    }
}

fn date_order(a: &ScanFacts, b: &ScanFacts) -> Found {
    if a.series_uid.is_some() && a.series_uid == b.series_uid {
        return Ok(Violated("baseline and follow-up are the same series".into()));
    }
    let (first, second) = both("the acquisition date", a.acquired, b.acquired)?;
    let minutes = (second - first).num_minutes();
    let days = minutes as f64 / (24.0 * 60.0);
    Ok(judged(second > first, format!("follow-up {days:.1} days after the baseline")))
}

fn liver_range(a: &ScanFacts, b: &ScanFacts) -> Found {
    let (from, to) = EXPECTED_REFERENCES.liver_suv_mean;
    let suv = (positive(a.liver_suv_mean), positive(b.liver_suv_mean));
    let inside = |value: f64| at_least(value, from) && at_most(value, to);
    let outside = [suv.0, suv.1].into_iter().flatten().find(|value| !inside(*value));
    if let Some(value) = outside {
        return Ok(Violated(format!("liver SUVmean {value:.2}; expected {from} to {to}")));
    }
    let (first, second) = both("SUVmean of the liver", suv.0, suv.1)?;
    Ok(Holds(format!("liver SUVmean {first:.2} and {second:.2}; expected {from} to {to}")))
}
