//! LYRIC 2016: under immunotherapy a progression by Lugano may be indeterminate (IR), to be settled by biopsy or repeat imaging.
//!
//! IR1: the sum of products of diameters (SPD) grows by half in the first twelve weeks without clinical deterioration.
//! IR2: less than that, with new lesions (a) or with growth of single lesions by half (b). IR3: uptake rises without growth.
//!
//! Source: Cheson 2016 Blood 128:2489.

use schemars::JsonSchema;
use serde::Serialize;

use super::Reason;
use crate::criteria::EPSILON;

/// Growth of SPD, or of the product of diameters of a lesion, in percent, that is progression by size (inclusive).
///
/// Source: Cheson 2014 JCO 32:3059; Cheson 2016 Blood 128:2489.
pub const GROWTH_PERCENT: f64 = 50.0;

/// Weeks of treatment in which growth may be indeterminate.
///
/// Source: Cheson 2016 Blood 128:2489.
pub const EARLY_WEEKS: f64 = 12.0;

/// An indeterminate response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub enum Indeterminate {
    /// Early growth without clinical deterioration.
    #[serde(rename = "IR1")]
    EarlyGrowth,
    /// New lesions without growth of the whole.
    #[serde(rename = "IR2a")]
    NewLesions,
    /// Growth of single lesions without growth of the whole.
    #[serde(rename = "IR2b")]
    SingleGrowth,
    /// Rise of uptake without growth.
    #[serde(rename = "IR3")]
    UptakeAlone,
}

/// What is known of a follow-up under immunotherapy; `None`: not known.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LyricInput {
    /// Weeks since the start of treatment.
    pub weeks: Option<f64>,
    /// Whether the patient has deteriorated.
    pub deteriorated: Option<bool>,
    /// Change of SPD since its lowest value, percent.
    pub spd_percent: Option<f64>,
    /// Largest change of the product of diameters of one lesion since its lowest value, percent.
    pub lesion_percent: Option<f64>,
    /// Whether there is a new lesion due to lymphoma.
    pub new_lesion: bool,
    /// Whether uptake of a known lesion has increased (Lugano).
    pub uptake_increased: bool,
}

/// Whether the response is indeterminate, and why or why not.
#[derive(Debug, Clone, PartialEq)]
pub struct LyricCall {
    /// The kind; `None`: the Lugano call stands.
    pub indeterminate: Option<Indeterminate>,
    /// The rule that fired.
    pub reason: Reason,
}

/// The LYRIC reading of one follow-up.
pub fn assess(input: &LyricInput) -> LyricCall {
    let (indeterminate, code, text) = judge(input);
    LyricCall { indeterminate, reason: Reason::new(code, text) }
}

fn judge(input: &LyricInput) -> (Option<Indeterminate>, &'static str, String) {
    let grown = |percent: f64| percent >= GROWTH_PERCENT - 100.0 * EPSILON;
    let stands = |code, text: &str| (None, code, text.to_owned());
    let Some(spd) = input.spd_percent else {
        return stands("SPD_NOT_MEASURED", "without SPD nothing tells an indeterminate response");
    };
    let size = format!("SPD {spd:+.1} %");
    if grown(spd) {
        return match (input.weeks, input.deteriorated) {
            (Some(weeks), Some(false)) if weeks <= EARLY_WEEKS * (1.0 + EPSILON) => {
                let text = format!("{size} in week {weeks:.0} without clinical deterioration");
                (Some(Indeterminate::EarlyGrowth), "IR1", text)
            }
            (Some(_), Some(_)) => {
                stands("GROWTH", "SPD grew by half, late or with clinical deterioration")
            }
            (None, _) | (_, None) => {
                stands("COURSE_NOT_KNOWN", "week of treatment or clinical course is not known")
            }
        };
    }
    if input.new_lesion {
        (Some(Indeterminate::NewLesions), "IR2a", format!("new lesion, {size}"))
    } else if let Some(lesion) = input.lesion_percent.filter(|lesion| grown(*lesion)) {
        let text = format!("a lesion {lesion:+.1} %, {size}");
        (Some(Indeterminate::SingleGrowth), "IR2b", text)
    } else if input.uptake_increased {
        (Some(Indeterminate::UptakeAlone), "IR3", format!("uptake increased, {size}"))
    } else {
        stands("NO_GROWTH", "the progression is none of those that may be indeterminate")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules() {
        let early = LyricInput {
            weeks: Some(6.0),
            deteriorated: Some(false),
            spd_percent: Some(60.0),
            ..LyricInput::default()
        };
        let small = LyricInput { spd_percent: Some(49.9), ..early };
        let rows = [
            // R16: score 4, 20 to 4, week 6, SPD +60 %.
            (early, "IR1"),
            (LyricInput { spd_percent: Some(50.0), weeks: Some(12.0), ..early }, "IR1"),
            (LyricInput { weeks: Some(13.0), ..early }, "GROWTH"),
            (LyricInput { deteriorated: Some(true), ..early }, "GROWTH"),
            (LyricInput { deteriorated: None, ..early }, "COURSE_NOT_KNOWN"),
            (LyricInput { new_lesion: true, weeks: Some(40.0), ..small }, "IR2a"),
            (LyricInput { lesion_percent: Some(50.0), ..small }, "IR2b"),
            (LyricInput { uptake_increased: true, ..small }, "IR3"),
            (LyricInput { uptake_increased: true, spd_percent: None, ..small }, "SPD_NOT_MEASURED"),
            (small, "NO_GROWTH"),
        ];
        for (input, code) in rows {
            let call = assess(&input);
            assert_eq!(call.reason.code, code, "{input:?}");
            assert_eq!(call.indeterminate.is_some(), code.starts_with("IR"), "{input:?}");
        }
    }
}
