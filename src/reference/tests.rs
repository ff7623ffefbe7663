//! Places of the references in synthetic bodies against what is true of them.

use std::sync::OnceLock;

use super::*;
use crate::anatomy::Anatomy;
use crate::geometry::VolumeGeometry;
use crate::phantom::{Phantom, Scanner, body};
use crate::volume::Volume;

/// A body on large voxels, made once for all tests.
fn coarse() -> &'static Phantom {
    static PHANTOM: OnceLock<Phantom> = OnceLock::new();
    PHANTOM.get_or_init(|| body(&Scanner::coarse()))
}

fn survey(phantom: &Phantom, ct: bool) -> Anatomy {
    let ct = ct.then_some(&phantom.ct);
    Anatomy::survey(&phantom.pet, phantom.truth.suv_per_bqml, ct).unwrap()
}

fn centre(placement: &Placement) -> DVec3 {
    match placement.form {
        Form::Sphere { centre_mm, .. } | Form::Cylinder { centre_mm, .. } => centre_mm,
        Form::Voxels(_) => panic!("an automatic place is a sphere or a cylinder"),
    }
}

/// SUVbw at a place.
fn uptake(phantom: &Phantom, place: DVec3) -> f64 {
    let voxel = phantom.pet.geometry().voxel_at(place).unwrap();
    f64::from(phantom.pet[voxel]) * phantom.truth.suv_per_bqml
}

#[test]
fn the_liver_sphere_lies_in_the_liver() {
    let phantom = coarse();
    let truth = DVec3::from_array(phantom.truth.organs_mm["liver"]);
    for (ct, method) in [(true, Method::Ct), (false, Method::Pet)] {
        let place = place_liver(&survey(phantom, ct), &Disease::default()).unwrap();
        assert_eq!(place.method, method);
        // The right lobe is more than 10 cm across: 55 mm from its middle and 15 mm of radius stay inside.
        let off = centre(&place).distance(truth);
        assert!(off < 55.0, "{off:.0} mm, CT {ct}");
        let region = crate::segmentation::sphere(phantom.pet.geometry(), centre(&place), 15.0);
        let found = crate::statistics::statistics(&phantom.pet, &region.region).unwrap();
        let mean = found.mean * phantom.truth.suv_per_bqml;
        let expected = phantom.truth.measured["liver"].suv_mean;
        assert!((mean / expected - 1.0).abs() < 0.1, "{mean} of {expected}, CT {ct}");
    }
}

#[test]
fn the_dome_is_where_liver_ends_and_lung_begins() {
    let phantom = coarse();
    let anatomy = survey(phantom, false);
    let liver = DVec3::from_array(phantom.truth.organs_mm["liver"]);
    let lung = DVec3::from_array(phantom.truth.organs_mm["lung right"]);
    let dome = dome_above(&anatomy, liver).unwrap();
    assert!(dome > liver.z && dome < lung.z, "{} {dome} {}", liver.z, lung.z);
    // Above a kidney lies liver or spleen, above a brain nothing.
    let brain = DVec3::from_array(phantom.truth.organs_mm["brain"]);
    assert_eq!(dome_above(&anatomy, brain), None);
    assert_eq!(dome_above(&anatomy, DVec3::splat(5000.0)), None);
}

#[test]
fn the_blood_pool_cylinder_lies_in_the_descending_aorta() {
    let phantom = coarse();
    let aorta: Vec<DVec3> = phantom.truth.aorta_mm.iter().copied().map(DVec3::from_array).collect();
    let top = (0..aorta.len()).max_by(|&a, &b| aorta[a].z.total_cmp(&aorta[b].z)).unwrap();
    let liver = DVec3::from_array(phantom.truth.organs_mm["liver"]);
    for (ct, reach) in [(true, 8.0), (false, 16.0)] {
        let volume = ct.then_some(&phantom.ct);
        let place =
            place_blood_pool(&survey(phantom, ct), volume, Some(liver), &Disease::default())
                .unwrap();
        let at = centre(&place);
        let off = aorta[top..].windows(2).map(|ends| {
            let along = (at - ends[0]).dot(ends[1] - ends[0]) / ends[0].distance_squared(ends[1]);
            at.distance(ends[0].lerp(ends[1], along.clamp(0.0, 1.0)))
        });
        let off = off.fold(f64::MAX, f64::min);
        // Voxels are 8 mm: with CT a voxel of it, with PET alone two.
        assert!(off < reach, "{off:.1} mm, CT {ct}");
        let expected = phantom.truth.measured["blood pool"].suv_mean;
        let found = uptake(phantom, at);
        assert!((found / expected - 1.0).abs() < 0.35, "{found} of {expected}, CT {ct}");
    }
}

#[test]
fn without_liver_or_chest_there_is_a_reason_and_a_remedy() {
    let phantom = coarse();
    let reason =
        place_blood_pool(&survey(phantom, false), None, None, &Disease::default()).unwrap_err();
    assert!(reason.contains("no liver"), "{reason}");
    // A ball of even uptake is no patient.
    let steps = [DVec3::Z, DVec3::Y, DVec3::X].map(|axis| axis * 6.0);
    let geometry = VolumeGeometry::new([40; 3], DVec3::ZERO, steps).unwrap();
    let ball = crate::segmentation::sphere(&geometry, DVec3::splat(120.0), 90.0).region;
    let mut pet = Volume::filled(geometry, 0.0);
    ball.paint(&mut pet, 2.0);
    let anatomy = Anatomy::survey(&pet, 1.0, None).unwrap();
    let reason = place_liver(&anatomy, &Disease::default()).unwrap_err();
    let reference = Reference::not_found(ReferenceKind::Liver, reason.clone());
    assert_eq!((reference.status, reference.usable()), (Status::NotFound, None));
    assert_eq!(reference.reasons[0], reason);
    assert!(reference.reasons[1].contains("--liver"));
}

mod outlined {
    use super::*;
    use crate::organ::{Organ, OrganMap, Spine};
    use crate::segmentation::{sphere, tube};

    fn centre_of(name: &str) -> DVec3 {
        DVec3::from_array(coarse().truth.organs_mm[name])
    }

    /// A ball in the liver, a tube along the whole aorta, a ball around the heart, and balls for vertebrae.
    fn organs(liver_radius_mm: f64, vertebrae: &[(u8, f64)]) -> OrganMap {
        let phantom = coarse();
        let lattice = phantom.pet.geometry();
        let line: Vec<DVec3> =
            phantom.truth.aorta_mm.iter().copied().map(DVec3::from_array).collect();
        let mut organs = OrganMap::new(lattice.shape());
        organs.add(Organ::Liver, &sphere(lattice, centre_of("liver"), liver_radius_mm).region);
        organs.add(Organ::Heart, &sphere(lattice, centre_of("heart"), 30.0).region);
        organs.add(Organ::Aorta, &tube(lattice, &line, 14.0).region);
        for &(number, up_mm) in vertebrae {
            let place = centre_of("heart") + DVec3::new(0.0, 60.0, up_mm);
            let vertebra = Organ::Vertebra(Spine::Thoracic, number);
            organs.add(vertebra, &sphere(lattice, place, 12.0).region);
        }
        organs
    }

    fn placed(kind: ReferenceKind, organs: &OrganMap) -> Option<Result<Placement, String>> {
        place_in_outline(kind, organs, coarse().pet.geometry(), &Disease::default())
    }

    #[test]
    fn the_sphere_lies_deep_in_the_outline() {
        let place = placed(ReferenceKind::Liver, &organs(40.0, &[])).unwrap().unwrap();
        assert_eq!(place.method, Method::Organs);
        // Voxels are 8 mm: the deepest of a ball lies within one of its middle.
        assert!(centre(&place).distance(centre_of("liver")) < 14.0, "{}", centre(&place));
        let thin = placed(ReferenceKind::Liver, &organs(17.0, &[])).unwrap();
        assert!(thin.unwrap_err().contains("mm deep"));
        let none = OrganMap::new(coarse().pet.geometry().shape());
        assert_eq!(placed(ReferenceKind::Liver, &none), None);
    }

    #[test]
    fn the_sphere_keeps_clear_of_lesions() {
        let (phantom, organs) = (coarse(), organs(60.0, &[]));
        let lattice = phantom.pet.geometry();
        let lesion = sphere(lattice, centre_of("liver"), 8.0).region;
        let disease = Disease::of(&lesion, lattice);
        let place = place_in_outline(ReferenceKind::Liver, &organs, lattice, &disease);
        let apart = centre(&place.unwrap().unwrap()).distance(centre_of("liver"));
        assert!(apart > 8.0 + 15.0, "{apart:.0} mm");
    }

    #[test]
    fn the_blood_pool_is_the_aorta_at_t4_to_t8_without_the_heart() {
        let (organs, low) = (organs(40.0, &[(4, 60.0), (8, -40.0)]), organs(40.0, &[(11, 0.0)]));
        let place = placed(ReferenceKind::BloodPool, &organs).unwrap().unwrap();
        let Form::Voxels(region) = place.form else { panic!("{:?}", place.form) };
        let lattice = coarse().pet.geometry();
        let heart = centre_of("heart");
        assert!(!region.is_empty());
        for voxel in region.indices() {
            let at = lattice.centre_of(voxel);
            assert!((-40.0 - 12.0..=60.0 + 12.0).contains(&(at.z - heart.z)), "{at}");
            assert!(at.distance(heart) > 30.0, "{at}");
        }
        let aorta = organs.get(Organ::Aorta).unwrap();
        assert_eq!(region.intersection(aorta), region);
        // Without those vertebrae nobody knows the height, and the aorta is looked for in the scan.
        assert_eq!(placed(ReferenceKind::BloodPool, &low), None);
    }
}

/// The same body mirrored: its liver lies on the left, and no place on the right is one.
#[test]
fn a_mirrored_body_is_refused() {
    let phantom = coarse();
    let flip = |at: DVec3| DVec3::new(-at.x, at.y, at.z);
    let mirrored = |geometry: &VolumeGeometry| {
        let [slice, row, column] = geometry.steps_mm();
        VolumeGeometry::new(
            geometry.shape(),
            flip(geometry.origin_mm()),
            [flip(slice), flip(row), flip(column)],
        )
        .unwrap()
    };
    let pet = Volume::from_vec(mirrored(phantom.pet.geometry()), phantom.pet.values().to_vec());
    let ct = Volume::from_vec(mirrored(phantom.ct.geometry()), phantom.ct.values().to_vec());
    for ct in [Some(&ct), None] {
        let anatomy = Anatomy::survey(&pet, phantom.truth.suv_per_bqml, ct).unwrap();
        let found = place_liver(&anatomy, &Disease::default());
        let reason = found.map(|place| centre(&place)).unwrap_err();
        assert!(!reason.is_empty());
    }
}
