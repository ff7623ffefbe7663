//! Measuring a placed region, and the checks that decide whether it may serve.

use super::{Form, Placement, Reference, ReferenceKind, Status};
use crate::criteria::ExpectedReferences;
use crate::diagnostic::Warning;
use crate::segmentation::{Region, Shape, cylinder, sphere};
use crate::statistics::{RegionStatistics, statistics};
use crate::volume::Volume;

/// Another region that a reference must not touch.
#[derive(Debug, Clone, Copy)]
pub struct Rival<'a> {
    /// Its name in the reason.
    pub name: &'a str,
    /// Its voxels.
    pub region: &'a Region,
}

/// Measures a region and checks it: inside the scan, enough voxels, none exactly 0 (a masked PET), even, as expected,
/// and clear of the rivals (lesions).
///
/// `bw_per_value` turns the image's values into SUVbw, for the ranges only.
pub fn measure(
    kind: ReferenceKind,
    pet: &Volume<f32>,
    bw_per_value: f64,
    placement: &Placement,
    limits: &ExpectedReferences,
    rivals: &[Rival<'_>],
) -> Reference {
    let (shape, widened) = voxels(pet, placement, limits);
    let found = statistics(pet, &shape.region);
    let mut reasons = refusals(kind, pet, &shape, found.as_ref(), limits);
    for rival in rivals {
        if !shape.region.intersection(rival.region).is_empty() {
            reasons.push(format!("the region overlaps {}", rival.name));
        }
    }
    let status = if reasons.is_empty() { Status::Ok } else { Status::Refused };
    if status == Status::Ok {
        reasons.clone_from(&placement.notes);
    } else {
        reasons.push(format!("give the {} with {} x,y,z,r or a mask", kind.name(), kind.flag()));
    }
    let mut warnings: Vec<Warning> = widened.into_iter().collect();
    if let Some(found) = &found {
        warnings.extend(remarks(kind, found, bw_per_value, limits));
    }
    Reference {
        kind,
        status,
        method: Some(placement.method),
        centre_mm: shape.region.centroid_mm(pet.geometry()),
        region: Some(shape.region),
        statistics: found,
        reasons,
        warnings,
    }
}

/// The region's voxels. A cylinder with too few is widened to 2 cm, and said so: on large voxels 1 cm holds only seven.
fn voxels(
    pet: &Volume<f32>,
    placement: &Placement,
    limits: &ExpectedReferences,
) -> (Shape, Option<Warning>) {
    let geometry = pet.geometry();
    match placement.form {
        Form::Sphere { centre_mm, radius_mm } => (sphere(geometry, centre_mm, radius_mm), None),
        Form::Cylinder { centre_mm, axis, radius_mm, length_mm } => {
            let narrow = cylinder(geometry, centre_mm, axis, radius_mm, length_mm);
            if narrow.region.voxels() >= limits.fewest_voxels {
                return (narrow, None);
            }
            let message = format!(
                "the cylinder of {} mm holds only {} voxels of this scan and was widened to {} mm",
                2.0 * radius_mm,
                narrow.region.voxels(),
                3.0 * radius_mm
            );
            let wide = cylinder(geometry, centre_mm, axis, 1.5 * radius_mm, length_mm);
            (wide, Some(Warning::new("BLOOD_POOL_WIDENED", message)))
        }
        Form::Voxels(ref region) => (Shape { region: region.clone(), truncated: false }, None),
    }
}

fn refusals(
    kind: ReferenceKind,
    pet: &Volume<f32>,
    shape: &Shape,
    found: Option<&RegionStatistics>,
    limits: &ExpectedReferences,
) -> Vec<String> {
    let mut reasons = Vec::new();
    let Some(found) = found else {
        return vec!["the region has no voxel inside the PET".into()];
    };
    if shape.truncated {
        reasons.push("the region reaches beyond the PET".into());
    }
    if found.voxels < limits.fewest_voxels {
        let fewest = limits.fewest_voxels;
        reasons
            .push(format!("{} voxels are too few for a mean ({fewest} are needed)", found.voxels));
    }
    let zeros = shape.region.values(pet).filter(|&v| v == 0.0).count();
    if zeros > 0 {
        reasons.push(format!("{zeros} voxels are exactly 0: the PET is masked there"));
    }
    match found.coefficient_of_variation() {
        Some(variation) if variation <= limits.variation_refused => {}
        Some(variation) => reasons.push(format!(
            "the uptake varies by {:.0} % in the region (limit {:.0} %): not one tissue",
            100.0 * variation,
            100.0 * limits.variation_refused
        )),
        None => reasons.push(format!("the mean uptake of the {} is not positive", kind.name())),
    }
    reasons
}

fn remarks(
    kind: ReferenceKind,
    found: &RegionStatistics,
    bw_per_value: f64,
    limits: &ExpectedReferences,
) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mean = found.mean * bw_per_value;
    let (low, high) = match kind {
        ReferenceKind::Liver => limits.liver_suv_mean,
        ReferenceKind::BloodPool => limits.blood_pool_suv_mean,
    };
    if !(low..=high).contains(&mean) {
        let code = match kind {
            ReferenceKind::Liver => "LIVER_OUT_OF_RANGE",
            ReferenceKind::BloodPool => "BLOOD_POOL_OUT_OF_RANGE",
        };
        let message = format!(
            "{} SUVmean {mean:.2} lies outside {low:.1} to {high:.1}: check weight, dose, times and the region's place",
            kind.name()
        );
        warnings.push(Warning::new(code, message));
    }
    if let Some(variation) = found.coefficient_of_variation()
        && variation > limits.variation_warned
    {
        let message = format!(
            "the uptake varies by {:.0} % in the {} region: noise, or an edge",
            100.0 * variation,
            kind.name()
        );
        warnings.push(Warning::new("REFERENCE_UNEVEN", message));
    }
    warnings
}
