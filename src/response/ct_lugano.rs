//! Lugano 2014 by sizes on CT: CR, PR, SD, PD or not evaluable.
//!
//! A complete response asks for everything to be normal, a partial one for the sum of products of diameters (SPD) of up to six
//! targets to have halved since baseline; one lesion that has grown by half since its lowest, or anything new, is progression.
//! What was not looked at is not taken as normal: a complete or partial response, or stable disease, needs every part.
//!
//! Source: Cheson 2014 JCO 32:3059, table 3. Conventions of this program where the table leaves a choice: a lesion is small or
//! large, and grows, by its diameters at the visit where its product was lowest; a spleen grows from its shortest length so far,
//! by more than half of its largest excess so far; a spleen that had become normal must grow like one that always was;
//! non-measured lesions that are unchanged do not forbid a partial response ("no increase").

mod judge;

pub use judge::assess;

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use super::Reason;
use crate::criteria::{CT_LUGANO, percent_change};

/// Response by sizes on CT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub enum CtCategory {
    /// Complete response.
    #[serde(rename = "CR")]
    Complete,
    /// Partial response.
    #[serde(rename = "PR")]
    Partial,
    /// Stable disease.
    #[serde(rename = "SD")]
    Stable,
    /// Progressive disease.
    #[serde(rename = "PD")]
    Progressive,
    /// Not evaluable; the reasons say why.
    #[serde(rename = "NE")]
    NotEvaluable,
}

impl CtCategory {
    /// The words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Complete => "complete response",
            Self::Partial => "partial response",
            Self::Stable => "stable disease",
            Self::Progressive => "progressive disease",
            Self::NotEvaluable => "not evaluable",
        }
    }
}

impl fmt::Display for CtCategory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Complete => "CR",
            Self::Partial => "PR",
            Self::Stable => "SD",
            Self::Progressive => "PD",
            Self::NotEvaluable => "NE",
        })
    }
}

/// Where a lesion lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LesionKind {
    /// A lymph node.
    Node,
    /// Anything else.
    Extranodal,
}

impl LesionKind {
    /// The longest diameter above which such a lesion is measurable, millimetres.
    pub fn measurable_above_mm(self) -> f64 {
        match self {
            Self::Node => CT_LUGANO.node_long_mm,
            Self::Extranodal => CT_LUGANO.extranodal_long_mm,
        }
    }
}

/// Two perpendicular diameters, millimetres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Diameters {
    long_mm: f64,
    short_mm: f64,
}

impl Diameters {
    /// A lesion that is no longer seen: 0 by 0.
    pub const NOT_VISIBLE: Self = Self { long_mm: 0.0, short_mm: 0.0 };
    /// A lesion that is seen and too small to measure: 5 mm by 5 mm.
    pub const TOO_SMALL: Self =
        Self { long_mm: CT_LUGANO.too_small_mm, short_mm: CT_LUGANO.too_small_mm };

    /// The longest diameter and the shortest perpendicular to it; `None` where they are no lengths or in the wrong order.
    pub fn new(long_mm: f64, short_mm: f64) -> Option<Self> {
        let lengths = long_mm.is_finite() && short_mm >= 0.0 && short_mm <= long_mm;
        lengths.then_some(Self { long_mm, short_mm })
    }

    /// Longest diameter.
    pub fn long_mm(self) -> f64 {
        self.long_mm
    }

    /// Shortest diameter perpendicular to the longest.
    pub fn short_mm(self) -> f64 {
        self.short_mm
    }

    /// The product, square millimetres.
    pub fn product_mm2(self) -> f64 {
        self.long_mm * self.short_mm
    }
}

/// A lesion that is measured at each visit.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// How to call it in sentences.
    pub name: String,
    /// Node or not.
    pub kind: LesionKind,
    /// Its diameters at each visit from the baseline on; `None`: not measured.
    pub sizes: Vec<Option<Diameters>>,
}

/// Lesions that are followed without being measured, against baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NonTarget {
    /// There are none, or none any more.
    Absent,
    /// Smaller.
    Regressed,
    /// As before.
    Unchanged,
    /// Clearly larger.
    Progressed,
}

/// The spleen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Spleen {
    /// Of normal size by the reader's word.
    Normal,
    /// Its vertical length, millimetres.
    Length(f64),
}

impl Spleen {
    /// Length over the longest normal one, millimetres.
    fn excess_mm(self) -> f64 {
        match self {
            Self::Normal => 0.0,
            Self::Length(length) => (length - CT_LUGANO.spleen_normal_mm).max(0.0),
        }
    }
}

/// Bone marrow by morphology (and immunohistochemistry where that is indeterminate).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarrowBiopsy {
    /// Normal.
    Normal,
    /// Indeterminate.
    Indeterminate,
    /// Involved, as before.
    Involved,
    /// Newly or again involved.
    NewlyInvolved,
}

/// A lesion that baseline did not have.
#[derive(Debug, Clone, PartialEq)]
pub struct CtNewLesion {
    /// How to call it in sentences.
    pub name: String,
    /// Node or not.
    pub kind: LesionKind,
    /// Its longest diameter, millimetres; `None`: not measured.
    pub long_mm: Option<f64>,
    /// Whether it is unequivocal and due to lymphoma: then a small extranodal one counts, too.
    pub unequivocal: bool,
}

/// What else was seen at one visit; `None`: nobody said.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CtVisit {
    /// Lesions that are not measured.
    pub non_target: Option<NonTarget>,
    /// The spleen.
    pub spleen: Option<Spleen>,
    /// New lesions; an empty list: there are none.
    pub new_lesions: Option<Vec<CtNewLesion>>,
    /// Marrow by biopsy.
    pub marrow: Option<MarrowBiopsy>,
}

/// Sizes of one patient from the baseline on.
#[derive(Debug, Clone, PartialEq)]
pub struct CtSeries {
    /// The targets; each has a size for every visit.
    pub targets: Vec<Target>,
    /// The visits, the baseline first.
    pub visits: Vec<CtVisit>,
}

impl CtSeries {
    /// Sum of products at a visit, square millimetres; `None` where there is no target or one was not measured.
    pub fn spd_mm2(&self, visit: usize) -> Option<f64> {
        let product = |target: &Target| Some(target.sizes.get(visit).copied()??.product_mm2());
        let products: Option<Vec<f64>> = self.targets.iter().map(product).collect();
        products.filter(|products| !products.is_empty()).map(|products| products.iter().sum())
    }

    /// Lowest sum of products before a visit.
    fn spd_nadir_mm2(&self, visit: usize) -> Option<f64> {
        (0..visit).filter_map(|earlier| self.spd_mm2(earlier)).reduce(f64::min)
    }
}

impl Target {
    /// Diameters at the visit before `visit` where the product was lowest.
    fn nadir(&self, visit: usize) -> Option<Diameters> {
        let earlier = self.sizes.iter().take(visit).flatten().copied();
        earlier.reduce(|low, size| if size.product_mm2() < low.product_mm2() { size } else { low })
    }

    fn now(&self, visit: usize) -> Option<Diameters> {
        self.sizes.get(visit).copied().flatten()
    }
}

/// A call by sizes and its numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct CtCall {
    /// The category.
    pub category: CtCategory,
    /// Whether the category waits for an examination that the reasons recommend.
    pub provisional: bool,
    /// Sum of products at baseline, square millimetres.
    pub spd_baseline_mm2: Option<f64>,
    /// Lowest sum of products before this visit.
    pub spd_nadir_mm2: Option<f64>,
    /// Sum of products now.
    pub spd_mm2: Option<f64>,
    /// Change since baseline, percent.
    pub spd_percent: Option<f64>,
    /// Change since the lowest, percent; what LYRIC asks for.
    pub spd_since_nadir_percent: Option<f64>,
    /// Largest change of one target's product since its lowest, percent; `None` also where it was not visible.
    pub lesion_since_nadir_percent: Option<f64>,
    /// The rules that fired.
    pub reasons: Vec<Reason>,
}

impl CtCall {
    /// The numbers of a visit, without a category yet.
    fn measured(series: &CtSeries, visit: usize) -> Self {
        let (baseline, now) = (series.spd_mm2(0), series.spd_mm2(visit));
        let nadir = series.spd_nadir_mm2(visit);
        let change =
            |from: Option<f64>| from.zip(now).and_then(|(from, to)| percent_change(from, to));
        let of_lesion = |target: &Target| {
            percent_change(target.nadir(visit)?.product_mm2(), target.now(visit)?.product_mm2())
        };
        Self {
            category: CtCategory::NotEvaluable,
            provisional: false,
            spd_baseline_mm2: baseline,
            spd_nadir_mm2: nadir,
            spd_mm2: now,
            spd_percent: change(baseline),
            spd_since_nadir_percent: change(nadir),
            lesion_since_nadir_percent: series
                .targets
                .iter()
                .filter_map(of_lesion)
                .reduce(f64::max),
            reasons: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
