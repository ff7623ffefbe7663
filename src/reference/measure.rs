//! Measuring a placed region, and the checks that decide whether it may serve.

use super::{Form, Method, Placement, Reference, ReferenceKind, Status, blood_pool};
use crate::criteria::ExpectedReferences;
use crate::diagnostic::Warning;
use crate::segmentation::{Region, Shape, cylinder, sphere};
use crate::statistics::{RegionStatistics, statistics};
use crate::volume::Volume;

/// Another region that a reference must not touch, and that an automatic one does not come near.
#[derive(Debug, Clone)]
pub struct Rival<'a> {
    name: &'a str,
    region: &'a Region,
    margin_mm: f64,
}

impl<'a> Rival<'a> {
    /// A region with the margin that such a reference keeps from it; `name` stands in the reason.
    pub fn new(kind: ReferenceKind, method: Method, name: &'a str, region: &'a Region) -> Self {
        let margin_mm = match method {
            Method::Ct | Method::Pet | Method::Organs => kind.from_lesions_mm(),
            Method::GivenSphere | Method::GivenMask => 0.0,
        };
        Self { name, region, margin_mm }
    }
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
        } else if shape.region.is_near(rival.region, pet.geometry(), rival.margin_mm) {
            let margin_mm = rival.margin_mm;
            reasons.push(format!("{} lies within {margin_mm:.0} mm of the region", rival.name));
        }
    }
    let status = if reasons.is_empty() { Status::Ok } else { Status::Refused };
    if status == Status::Ok {
        reasons.clone_from(&placement.notes);
    } else {
        reasons.push(format!("give the {} with {} x,y,z,r or a mask", kind.name(), kind.flag()));
    }
    let mut warnings: Vec<Warning> = widened.into_iter().chain(placement.doubts.clone()).collect();
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

/// The region's voxels. A cylinder of adult size with too few is widened by half, and said so: on large voxels 1 cm holds only
/// seven. A child's aorta has no room for that.
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
            let adult = radius_mm >= blood_pool::RADIUS_MM;
            if narrow.region.voxels() >= limits.fewest_voxels || !adult {
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

#[cfg(test)]
mod tests {
    use glam::DVec3;

    use super::*;
    use crate::criteria::EXPECTED_REFERENCES;
    use crate::geometry::VolumeGeometry;

    const MIDDLE: DVec3 = DVec3::splat(40.0);

    /// 20 voxels of 4 mm along each axis, even uptake.
    fn even(suv: f32) -> Volume<f32> {
        even_on(4.0, suv)
    }

    fn even_on(voxel_mm: f64, suv: f32) -> Volume<f32> {
        let steps = [DVec3::Z, DVec3::Y, DVec3::X].map(|axis| axis * voxel_mm);
        Volume::filled(VolumeGeometry::new([20; 3], DVec3::ZERO, steps).unwrap(), suv)
    }

    fn placement(form: Form) -> Placement {
        Placement {
            form,
            method: Method::GivenSphere,
            notes: vec!["a note".into()],
            doubts: vec![],
        }
    }

    fn ball(centre_mm: DVec3, radius_mm: f64) -> Placement {
        placement(Form::Sphere { centre_mm, radius_mm })
    }

    fn liver(pet: &Volume<f32>, at: &Placement, rivals: &[Rival<'_>]) -> Reference {
        measure(ReferenceKind::Liver, pet, 1.0, at, &EXPECTED_REFERENCES, rivals)
    }

    fn codes(reference: &Reference) -> Vec<&str> {
        reference.warnings.iter().map(|w| w.code).collect()
    }

    #[test]
    fn an_even_liver_serves() {
        let found = liver(&even(2.0), &ball(MIDDLE, 15.0), &[]);
        assert_eq!((found.status, found.method), (Status::Ok, Some(Method::GivenSphere)));
        assert_eq!(found.reasons, ["a note"]);
        assert_eq!(codes(&found), [""; 0]);
        assert!(found.centre_mm.unwrap().distance(MIDDLE) < 1e-9);
        let measured = found.usable().unwrap();
        assert!((measured.mean - 2.0).abs() < 1e-9 && measured.sd < 1e-9);
        // Points of a cubic lattice within 15/4 steps of one of them.
        assert_eq!(measured.voxels, 251);
        assert!((measured.volume_ml - 251.0 * 0.064).abs() < 1e-9);
    }

    /// What is wrong, and nothing else, is the reason; the numbers are shown all the same.
    #[test]
    fn refusals() {
        let masked = {
            let mut pet = even(2.0);
            pet[[10, 10, 10]] = 0.0;
            pet
        };
        let uneven = {
            let mut pet = even(0.5);
            let half = pet.values().len() / 2;
            // Voxels from the tenth slice on, so that half of the sphere is eight times hotter.
            pet.values_mut()[half..].fill(4.0);
            pet
        };
        let rows: [(&str, Volume<f32>, Placement); 6] = [
            ("beyond the PET", even(2.0), ball(DVec3::new(10.0, 40.0, 40.0), 15.0)),
            ("too few", even(2.0), ball(MIDDLE, 4.5)),
            ("exactly 0", masked, ball(MIDDLE, 15.0)),
            ("varies by", uneven, ball(MIDDLE, 15.0)),
            ("is not positive", even(-1.0), ball(MIDDLE, 15.0)),
            ("is not positive", even(f32::NAN), ball(MIDDLE, 15.0)),
        ];
        for (reason, pet, place) in rows {
            let found = liver(&pet, &place, &[]);
            assert_eq!(found.status, Status::Refused, "{reason}");
            assert_eq!(found.reasons.len(), 2, "{:?}", found.reasons);
            assert!(found.reasons[0].contains(reason), "{:?}", found.reasons);
            assert!(found.reasons[1].contains("--liver"), "{:?}", found.reasons);
            assert!(found.usable().is_none() && found.statistics.is_some());
        }
    }

    #[test]
    fn a_region_outside_the_pet_is_refused() {
        let found = liver(&even(2.0), &ball(DVec3::splat(-500.0), 15.0), &[]);
        assert_eq!(
            (found.status, found.statistics, found.centre_mm),
            (Status::Refused, None, None)
        );
        assert!(found.reasons[0].contains("no voxel"), "{:?}", found.reasons);
        let none = placement(Form::Voxels(Region::empty([20; 3])));
        assert_eq!(liver(&even(2.0), &none, &[]).status, Status::Refused);
    }

    #[test]
    fn a_lesion_in_the_region_refuses_it() {
        let pet = even(2.0);
        for (centre, status) in [
            (DVec3::new(52.0, 40.0, 40.0), Status::Refused),
            (DVec3::new(64.0, 40.0, 40.0), Status::Ok),
        ] {
            // Balls of 15 mm and 6 mm: 12 mm apart they overlap, 24 mm apart they do not.
            let lesion = sphere(pet.geometry(), centre, 6.0).region;
            let at = ball(MIDDLE, 15.0);
            let rival = Rival::new(ReferenceKind::Liver, at.method, "a lesion", &lesion);
            let found = liver(&pet, &at, &[rival]);
            assert_eq!(found.status, status);
            let told = found.reasons.iter().any(|r| r.contains("overlaps a lesion"));
            assert_eq!(told, status == Status::Refused);
        }
    }

    #[test]
    fn unusual_values_are_remarked() {
        use ReferenceKind::{BloodPool, Liver};
        let rows = [
            (Liver, 1.2, "LIVER_OUT_OF_RANGE"),
            (Liver, 1.31, ""),
            (Liver, 2.99, ""),
            (Liver, 3.1, "LIVER_OUT_OF_RANGE"),
            (BloodPool, 0.7, "BLOOD_POOL_OUT_OF_RANGE"),
            (BloodPool, 1.5, ""),
            (BloodPool, 2.4, "BLOOD_POOL_OUT_OF_RANGE"),
        ];
        for (kind, suv, code) in rows {
            // The range is of SUVbw: an image in another kind is converted.
            for bw_per_value in [1.0, 1.46] {
                let pet = even((suv / bw_per_value) as f32);
                let place = ball(MIDDLE, 15.0);
                let found = measure(kind, &pet, bw_per_value, &place, &EXPECTED_REFERENCES, &[]);
                assert_eq!(found.status, Status::Ok);
                assert_eq!(codes(&found).concat(), code, "{} {suv}", kind.name());
            }
        }
        // Every other voxel: mean 2, standard deviation 0.6, that is 30 %.
        let mut pet = even(1.4);
        pet.values_mut().iter_mut().step_by(2).for_each(|v| *v = 2.6);
        let found = liver(&pet, &ball(MIDDLE, 15.0), &[]);
        assert_eq!((found.status, codes(&found)), (Status::Ok, vec!["REFERENCE_UNEVEN"]));
    }

    #[test]
    fn a_thin_cylinder_is_widened_and_said_so() {
        let pool = |voxel_mm: f64, radius_mm: f64| {
            let pet = even_on(voxel_mm, 1.5);
            let (axis, length_mm) = (DVec3::Z, 20.0);
            let centre_mm = pet.geometry().centre_of([10; 3]);
            let at = placement(Form::Cylinder { centre_mm, axis, radius_mm, length_mm });
            measure(ReferenceKind::BloodPool, &pet, 1.0, &at, &EXPECTED_REFERENCES, &[])
        };
        let wide = pool(4.0, 5.0);
        assert_eq!((wide.status, codes(&wide)), (Status::Ok, vec![]));
        // On voxels of 6 mm one voxel a slice, three in all; widened to 7.5 mm five a slice.
        let thin = pool(6.0, 5.0);
        assert_eq!((thin.status, codes(&thin)), (Status::Ok, vec!["BLOOD_POOL_WIDENED"]));
        assert!(thin.usable().unwrap().voxels >= 15);
        // Even wider it has too few.
        assert_eq!(pool(12.0, 5.0).status, Status::Refused);
        // A child's aorta has no room to widen it.
        assert_eq!(pool(6.0, 3.5).status, Status::Refused);
    }
}
