//! A follow-up beside an earlier scan: the call, what it hangs on, the checks and the links.

use maud::{Markup, html};

use super::parts::{Kind, Mark, ids, number, percent, sentences, table, text, values};
use crate::quality::{Check, Outcome, Severity, Verdict};
use crate::report::compare::{AlignmentDocument, LinkedDocument, MetabolicDocument, PairDocument};
use crate::response::ResponseCategory;

/// `follow-up 1 (+57 days) against baseline`
pub(super) fn heading(pair: &PairDocument, names: &[String]) -> String {
    format!("{} against {}", name(names, pair.follow_up), name(names, pair.baseline))
}

/// The name of a scan.
pub(super) fn name(names: &[String], n: usize) -> String {
    names.get(n).cloned().unwrap_or_else(|| format!("scan {n}"))
}

/// The call in one line, and its reasons.
pub(super) fn call(pair: &PairDocument, names: &[String]) -> Markup {
    let lugano = &pair.lugano;
    let change = pair.delta_suv_max_percent.map(|d| format!(", SUVmax {d:+.1} %"));
    let line = format!(
        "{}: {} ({}), Deauville {}{}",
        heading(pair, names),
        lugano.category,
        lugano.category.words(),
        lugano.deauville,
        change.unwrap_or_default()
    );
    html! {
        div.call {
            p.line { (line) }
            @if lugano.provisional {
                p { (Mark::Warn.with("provisional")) ": waits for an examination that the reasons recommend." }
            }
            @if lugano.category_x {
                p { (Mark::Warn.with("category X")) ": new uptake that is not, or not surely, lymphoma." }
            }
            @if lugano.category == ResponseCategory::NotEvaluable {
                p { (Mark::Fail.with("no call")) ": the reasons say why." }
            }
            (sentences(lugano.reasons.iter().map(String::as_str)))
        }
    }
}

/// Everything else of a pair.
pub(super) fn details(pair: &PairDocument, names: &[String]) -> Markup {
    html! {
        h3 { (heading(pair, names)) }
        h4 { "What would change the call" }
        @if pair.sensitivity.is_empty() {
            p { "No statement." }
        }
        (sentences(pair.sensitivity.iter().map(|statement| statement.text.as_str())))
        (other_criteria(pair, names))
        (comparability(pair))
        h4 { "Alignment" }
        (alignment(&pair.alignment))
        h4 { "Lesions and what became of them" }
        (links(&pair.lesions))
        (sentences(pair.warnings.iter().map(|warning| warning.message.as_str())))
    }
}

/// PERCIST, EORTC, delta SUVmax and the nadir.
fn other_criteria(pair: &PairDocument, names: &[String]) -> Markup {
    let metabolic = |call: &MetabolicDocument| {
        html! {
            (call.category.to_string())
            @if let Some(change) = call.percent { " (" (format!("{change:+.1}")) " %)" }
            (sentences(call.reasons.iter().map(String::as_str)))
        }
    };
    let delta = &pair.delta_suv_max;
    let reduction = html! {
        (delta.words())
        @if let Some(fall) = delta.percent {
            ": reduced by " (format!("{fall:.1}")) " %, more than " (delta.cutoff_percent) " % is favourable"
        }
        (sentences(delta.reasons.iter().map(String::as_str)))
    };
    let nadir = html! {
        @if let Some(nadir) = pair.nadir {
            (name(names, nadir.scan)) ", SUVmax " (format!("{:.2}", nadir.suv_max))
            @if let Some(change) = nadir.delta_suv_max_percent { (format!(", {change:+.1} % since")) }
        }
    };
    html! {
        h4 { "By other criteria" }
        (values(&[
            ("PERCIST 1.0", metabolic(&pair.percist)),
            ("EORTC 1999", metabolic(&pair.eortc)),
            ("delta SUVmax", reduction),
            ("least uptake before", nadir),
        ]))
    }
}

/// May the scans be compared: the verdict and each check by a sign, a word and a sentence.
fn comparability(pair: &PairDocument) -> Markup {
    let comparability = &pair.comparability;
    let verdict = match comparability.verdict {
        Verdict::Assessable => Mark::Pass,
        Verdict::AssessableWithWarnings => Mark::Warn,
        Verdict::InsufficientInformation => Mark::Unknown,
        Verdict::NotAssessable => Mark::Fail,
    };
    let headings = [
        ("Check", Kind::Text),
        ("Result", Kind::Text),
        ("Weight", Kind::Text),
        ("What was found", Kind::Words),
    ];
    let row = |check: &Check| {
        vec![
            text(check.id.name()),
            outcome(check),
            text(weight(check.severity)),
            text(&check.detail),
        ]
    };
    let rows: Vec<Vec<Markup>> = comparability.checks.iter().map(row).collect();
    html! {
        h4 { "Quality and comparability" }
        p {
            (verdict.with(&comparability.verdict.name().to_lowercase().replace('_', " ")))
            " by the rules " (comparability.rule_set) "."
        }
        (table("Checks of comparability", &headings, &rows))
    }
}

fn outcome(check: &Check) -> Markup {
    match check.result {
        Outcome::Pass => Mark::Pass.with("pass"),
        Outcome::Warn => Mark::Warn.with("warn"),
        Outcome::Fail => Mark::Fail.with("fail"),
        Outcome::Unknown => Mark::Unknown.with("unknown"),
    }
}

fn weight(severity: Severity) -> &'static str {
    match severity {
        Severity::Block => "blocks",
        Severity::Warn => "warns",
        Severity::Inform => "informs",
    }
}

fn alignment(alignment: &AlignmentDocument) -> Markup {
    let quality = &alignment.quality;
    let mark = match quality.verdict {
        "good" => Mark::Pass,
        "failed" => Mark::Fail,
        _ => Mark::Warn,
    };
    let [x, y, z] = alignment.translation_mm;
    let stretch = alignment.stretch.map(|s| format!("{s:.3}")).join(", ");
    html! {
        p { (mark.with(quality.verdict)) " by " (alignment.method.replace('_', " ")) ": " (quality.words()) "." }
        (sentences(quality.reasons.iter().map(String::as_str)))
        (values(&[
            ("moved by x, y, z (mm)", text(format!("{x:.1}, {y:.1}, {z:.1}"))),
            ("turned by (degrees)", number(Some(alignment.turn_degrees), 1)),
            ("stretched by x, y, z", text(stretch)),
            ("correlation before, after", html! {
                (number(quality.correlation_before, 3)) ", " (number(quality.correlation_after, 3))
            }),
            ("overlap of bodies, skeletons (Dice)", html! {
                (number(quality.body_overlap_dice, 3)) ", " (number(quality.skeleton_overlap_dice, 3))
            }),
            ("share of the body seen by both", number(quality.common_body_fraction, 3)),
        ]))
    }
}

fn links(lesions: &[LinkedDocument]) -> Markup {
    let headings = [
        ("Before (no.)", Kind::Text),
        ("Now (no.)", Kind::Text),
        ("Fate", Kind::Text),
        ("Link confidence", Kind::Text),
        ("Class", Kind::Text),
        ("SUVmax (%)", Kind::Number),
        ("Volume (%)", Kind::Number),
        ("SUVmax in the other scan", Kind::Number),
        ("Note", Kind::Words),
    ];
    let row = |l: &LinkedDocument| {
        vec![
            text(ids(&l.baseline_ids)),
            text(ids(&l.follow_up_ids)),
            text(l.fate.to_string()),
            text(l.link_confidence.to_string()),
            text(l.class),
            percent(l.delta_suv_max_percent),
            percent(l.delta_volume_percent),
            number(l.suv_max_there, 2),
            text(l.note.as_deref().unwrap_or_default()),
        ]
    };
    let rows: Vec<Vec<Markup>> = lesions.iter().map(row).collect();
    html! {
        @if rows.is_empty() {
            p { "Neither scan has a lesion or an uncertain region." }
        } @else {
            (table("Linked lesions; numbers are those of each scan", &headings, &rows))
        }
    }
}
