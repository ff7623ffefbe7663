//! The calls of a pair as documents have them, for scans and for visits read elsewhere.

use super::compare::{
    ComparabilityDocument, CriteriaDocument, DeltaDocument, LuganoDocument, MetabolicDocument,
};
use super::finite;
use crate::criteria::{Criteria, DELTA_SUV_MAX, EORTC, PERCIST};
use crate::quality::Comparability;
use crate::response::Reason;
use crate::response::delta_suv_max::DeltaSuvMax;
use crate::response::eortc::EortcCall;
use crate::response::lugano::LuganoCall;
use crate::response::percist::PercistCall;

/// Reasons as `CODE: text`.
pub(super) fn coded(reasons: &[Reason]) -> Vec<String> {
    reasons.iter().map(|r| format!("{}: {}", r.code, r.text)).collect()
}

impl From<&Criteria> for CriteriaDocument {
    fn from(criteria: &Criteria) -> Self {
        Self {
            convention: criteria.convention.name,
            change: criteria.change.name,
            change_source: criteria.change.source,
            quality: criteria.quality.name(),
            positive_from: criteria.positive_from.into(),
        }
    }
}

impl From<&Comparability> for ComparabilityDocument {
    fn from(comparability: &Comparability) -> Self {
        Self {
            verdict: comparability.verdict,
            rule_set: comparability.rule_set.name(),
            checks: comparability.checks.clone(),
        }
    }
}

impl From<&LuganoCall> for LuganoDocument {
    fn from(call: &LuganoCall) -> Self {
        Self {
            category: call.category,
            deauville: call.deauville.clone(),
            category_x: call.category_x,
            provisional: call.provisional,
            reasons: coded(&call.reasons),
        }
    }
}

impl From<&PercistCall> for MetabolicDocument {
    fn from(call: &PercistCall) -> Self {
        Self {
            category: call.category,
            percent: call.percent.and_then(finite),
            reasons: coded(&call.reasons),
            source: PERCIST.source,
        }
    }
}

impl From<&EortcCall> for MetabolicDocument {
    fn from(call: &EortcCall) -> Self {
        Self {
            category: call.category,
            percent: call.percent.and_then(finite),
            reasons: coded(&call.reasons),
            source: EORTC.source,
        }
    }
}

impl From<&DeltaSuvMax> for DeltaDocument {
    fn from(delta: &DeltaSuvMax) -> Self {
        Self {
            percent: delta.percent.and_then(finite),
            cutoff_percent: delta.cutoff_percent,
            favourable: delta.favourable,
            reasons: coded(&delta.reasons),
            source: DELTA_SUV_MAX.source,
        }
    }
}

impl DeltaDocument {
    /// Whether the reduction is favourable, in words.
    pub(super) fn words(&self) -> &'static str {
        match self.favourable {
            Some(true) => "favourable",
            Some(false) => "not favourable",
            None => "not known",
        }
    }
}
