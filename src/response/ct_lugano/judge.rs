//! The rules, in the order: progression by any, then what is missing, then complete, partial, stable.

use super::{
    CtCall, CtCategory, CtNewLesion, CtSeries, CtVisit, Diameters, LesionKind, MarrowBiopsy,
    NonTarget, Spleen, Target,
};
use crate::criteria::{CT_LUGANO, EPSILON, at_least, at_most};
use crate::response::Reason;

/// `x > y` but for rounding; lengths in millimetres.
fn above(x: f64, y: f64) -> bool {
    !at_most(x, y)
}

/// The call for one visit (counted from the baseline, which is 0) against baseline and the lowest sizes before it.
pub fn assess(series: &CtSeries, visit: usize) -> CtCall {
    let mut call = CtCall::measured(series, visit);
    let nothing = CtVisit::default();
    let now = series.visits.get(visit).unwrap_or(&nothing);
    let progression = progression(series, visit, now);
    if !progression.is_empty() {
        call.category = CtCategory::Progressive;
        call.reasons = progression;
        return call;
    }
    call.reasons = missing(series, visit, now, &call);
    if call.reasons.is_empty() {
        judge_response(series, visit, now, &mut call);
    }
    call
}

/// Everything that is progression by itself.
fn progression(series: &CtSeries, visit: usize, now: &CtVisit) -> Vec<Reason> {
    let mut reasons: Vec<Reason> =
        series.targets.iter().filter_map(|target| grown(target, visit)).collect();
    reasons.extend(spleen_grown(series, visit));
    if now.non_target == Some(NonTarget::Progressed) {
        let text = "lesions that are not measured have clearly progressed";
        reasons.push(Reason::new("CT_NON_TARGET_PROGRESSED", text));
    }
    reasons.extend(now.new_lesions.iter().flatten().filter_map(new_lesion));
    if now.marrow == Some(MarrowBiopsy::NewlyInvolved) {
        let text = "new or recurrent involvement of the marrow by morphology";
        reasons.push(Reason::new("CT_NEW_MARROW", text));
    }
    reasons
}

/// One target that has grown by half, or is there again.
fn grown(target: &Target, visit: usize) -> Option<Reason> {
    let (now, nadir) = (target.now(visit)?, target.nadir(visit)?);
    let name = &target.name;
    if nadir == Diameters::NOT_VISIBLE {
        // Source: "regrowth of previously resolved lesions"; from the size at which such a lesion would be a new one.
        return above(now.long_mm, target.kind.measurable_above_mm()).then(|| {
            let text = format!("{name} is there again, {:.1} mm", now.long_mm);
            Reason::new("CT_REGROWTH", text)
        });
    }
    let growth = (now.long_mm - nadir.long_mm).max(now.short_mm - nadir.short_mm);
    let needed = if at_most(nadir.long_mm, CT_LUGANO.small_up_to_mm) {
        CT_LUGANO.growth_of_small_mm
    } else {
        CT_LUGANO.growth_of_large_mm
    };
    let factor = 1.0 + CT_LUGANO.increase_percent / 100.0;
    let progressed = above(now.long_mm, CT_LUGANO.node_long_mm)
        && at_least(now.product_mm2(), factor * nadir.product_mm2())
        && at_least(growth, needed);
    progressed.then(|| {
        let percent = 100.0 * (now.product_mm2() / nadir.product_mm2() - 1.0);
        let text = format!(
            "{name} grew from {} to {} ({percent:+.0} % of its lowest product, {growth:+.1} mm)",
            size(nadir),
            size(now)
        );
        Reason::new("CT_LESION_GROWN", text)
    })
}

fn size(of: Diameters) -> String {
    format!("{:.1} x {:.1} mm", of.long_mm, of.short_mm)
}

/// The spleen, where it has grown by the rule for an enlarged or for a normal one.
fn spleen_grown(series: &CtSeries, visit: usize) -> Option<Reason> {
    let Spleen::Length(now) = series.visits.get(visit)?.spleen? else { return None };
    let earlier = || series.visits.iter().take(visit).filter_map(|visit| visit.spleen);
    let largest_excess = earlier().map(Spleen::excess_mm).reduce(f64::max)?;
    let became_normal = earlier().any(|spleen| spleen.excess_mm() == 0.0);
    let lengths = earlier().filter_map(|spleen| match spleen {
        Spleen::Length(length) => Some(length),
        Spleen::Normal => None,
    });
    // A spleen called normal without a number grows from the longest normal length.
    let shortest = lengths.reduce(f64::min).unwrap_or(CT_LUGANO.spleen_normal_mm);
    let normal = CT_LUGANO.spleen_normal_mm;
    if became_normal {
        let grown = above(now, normal) && at_least(now - shortest, CT_LUGANO.spleen_growth_mm);
        let again = if largest_excess > 0.0 { "again" } else { "newly" };
        return grown.then(|| {
            let text = format!("the spleen is {again} enlarged: {shortest:.0} to {now:.0} mm");
            Reason::new("CT_SPLEEN_GROWN", text)
        });
    }
    let limit = shortest + CT_LUGANO.spleen_excess_percent / 100.0 * largest_excess;
    above(now, limit).then(|| {
        let text = format!(
            "the spleen grew from {shortest:.0} to {now:.0} mm, more than half of its excess of \
             {largest_excess:.0} mm"
        );
        Reason::new("CT_SPLEEN_GROWN", text)
    })
}

/// A new lesion that is progression; a small extranodal one only where it is unequivocal.
fn new_lesion(lesion: &CtNewLesion) -> Option<Reason> {
    let large = lesion.long_mm.is_some_and(|long| above(long, lesion.kind.measurable_above_mm()));
    let counts = large || (lesion.unequivocal && lesion.kind == LesionKind::Extranodal);
    counts.then(|| {
        let length = lesion.long_mm.map(|long| format!(", {long:.1} mm")).unwrap_or_default();
        Reason::new("CT_NEW_LESION", format!("new lesion: {}{length}", lesion.name))
    })
}

/// What has to be known for any call but progression.
fn missing(series: &CtSeries, visit: usize, now: &CtVisit, call: &CtCall) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let mut miss = |code, text: String| reasons.push(Reason::new(code, text));
    for (at, name) in [(0, "at baseline"), (visit, "now")] {
        let unmeasured = series.targets.iter().filter(|target| target.now(at).is_none());
        let names: Vec<&str> = unmeasured.map(|target| target.name.as_str()).collect();
        if !names.is_empty() {
            let text = format!("not measured {name}: {}", names.join(", "));
            miss("CT_TARGET_NOT_MEASURED", text);
        }
    }
    if series.targets.len() > CT_LUGANO.most_targets {
        let text = format!(
            "{} targets; the criteria sum up to {}",
            series.targets.len(),
            CT_LUGANO.most_targets
        );
        miss("CT_TOO_MANY_TARGETS", text);
    }
    let normal = |target: &&Target| {
        let size = target.sizes.first().copied().flatten();
        size.is_some_and(|size| at_most(size.long_mm, target.kind.measurable_above_mm()))
    };
    for target in series.targets.iter().filter(normal) {
        let limit = target.kind.measurable_above_mm();
        let text = format!(
            "{} is no target: its longest diameter at baseline is not above {limit:.0} mm",
            target.name
        );
        miss("CT_TARGET_NOT_MEASURABLE", text);
    }
    if series.targets.is_empty() && call.spd_mm2.is_none() {
        miss("CT_TARGET_NOT_MEASURED", "there is no target".to_owned());
    }
    if now.non_target.is_none() {
        let text =
            "whether there are lesions that are not measured, and how they are, is not stated";
        miss("CT_NON_TARGET_NOT_STATED", text.to_owned());
    }
    let spleens = [series.visits.first().and_then(|first| first.spleen), now.spleen];
    if spleens.contains(&None) {
        let text = "the length of the spleen is not stated of both visits";
        miss("CT_SPLEEN_NOT_STATED", text.to_owned());
    }
    if now.new_lesions.is_none() {
        let text = "whether there are new lesions is not stated";
        miss("NEW_LESIONS_NOT_STATED", text.to_owned());
    }
    for lesion in now.new_lesions.iter().flatten().filter(|lesion| lesion.long_mm.is_none()) {
        let text = format!("the new lesion {} is not measured", lesion.name);
        miss("CT_NEW_LESION_NOT_MEASURED", text);
    }
    reasons
}

/// Complete, partial or stable, where nothing progresses and all is known.
fn judge_response(series: &CtSeries, visit: usize, now: &CtVisit, call: &mut CtCall) {
    let residue = residue(series, visit, now);
    if residue.is_empty() {
        call.category = CtCategory::Complete;
        call.reasons.push(Reason::new("CT_ALL_NORMAL", "every site is normal"));
        if now.marrow != Some(MarrowBiopsy::Normal) {
            call.provisional = true;
            let text = "a complete response needs a marrow that is normal by morphology, by \
                        immunohistochemistry where that is indeterminate";
            call.reasons.push(Reason::new("CT_MARROW_NOT_STATED", text));
        }
        return;
    }
    let Some(percent) = call.spd_percent else {
        // Only a target that was measured as nothing at baseline leaves no percent, and that is no target.
        call.reasons.push(Reason::new("CT_TARGET_NOT_MEASURED", "SPD at baseline is zero"));
        return;
    };
    let numbers = format!("SPD {percent:+.1} % since baseline");
    let halved = -percent >= CT_LUGANO.decrease_percent - 100.0 * EPSILON;
    let spleen = spleen_not_regressed(series, now);
    if halved && spleen.is_none() {
        call.category = CtCategory::Partial;
        call.reasons.push(Reason::new("CT_SPD_DECREASED", numbers));
        call.reasons.extend(residue);
    } else {
        call.category = CtCategory::Stable;
        let code = if halved { "CT_SPD_DECREASED" } else { "CT_SPD_NOT_DECREASED" };
        call.reasons.push(Reason::new(code, numbers));
        call.reasons.extend(spleen);
    }
}

/// What is left that forbids a complete response.
fn residue(series: &CtSeries, visit: usize, now: &CtVisit) -> Vec<Reason> {
    let mut reasons = Vec::new();
    for target in &series.targets {
        let long = target.now(visit).map_or(0.0, Diameters::long_mm);
        let abnormal = match target.kind {
            LesionKind::Node => above(long, CT_LUGANO.node_long_mm),
            // Source: "no extralymphatic sites of disease".
            LesionKind::Extranodal => long > 0.0,
        };
        if abnormal {
            let text = format!("{} remains, {long:.1} mm", target.name);
            reasons.push(Reason::new("CT_RESIDUAL", text));
        }
    }
    if now.non_target.is_some_and(|state| state != NonTarget::Absent) {
        let text = "lesions that are not measured remain";
        reasons.push(Reason::new("CT_RESIDUAL", text));
    }
    if now.spleen.is_some_and(|spleen| spleen.excess_mm() > 0.0) {
        reasons.push(Reason::new("CT_RESIDUAL", "the spleen is enlarged"));
    }
    if now.marrow == Some(MarrowBiopsy::Involved) {
        reasons.push(Reason::new("CT_RESIDUAL", "the marrow is involved by morphology"));
    }
    for lesion in now.new_lesions.iter().flatten() {
        let text = format!("{} is new, too small to be progression by itself", lesion.name);
        reasons.push(Reason::new("CT_RESIDUAL", text));
    }
    reasons
}

/// A spleen that was enlarged and has not lost more than half of its excess.
fn spleen_not_regressed(series: &CtSeries, now: &CtVisit) -> Option<Reason> {
    let before = series.visits.first()?.spleen?.excess_mm();
    let excess = now.spleen?.excess_mm();
    let needed = (1.0 - CT_LUGANO.spleen_excess_percent / 100.0) * before;
    (before > 0.0 && at_least(excess, needed)).then(|| {
        let text = format!(
            "the spleen is {excess:.0} mm over normal, {before:.0} mm at baseline: it has not lost more \
             than half of that"
        );
        Reason::new("CT_SPLEEN_NOT_REGRESSED", text)
    })
}
