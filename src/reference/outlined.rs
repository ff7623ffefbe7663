//! Placing the references in organs that somebody has outlined (`--organs`).
//!
//! * Liver: the sphere of 3 cm at the deepest place of the liver's outline.
//! * Blood pool: the outline of the aorta at the height of the vertebrae T4 to T8, the heart and 6 mm around it cut away,
//!   the rim of 4 mm taken off (wall, blur), the largest part that is left.
//!
//! Both keep clear of lesions. Source: PERCIST 1.0 for the sphere; aorta at T4 to T8 without the heart as published for
//! automatic Deauville scoring from organ masks (field practice; the numbers are conventions).

use super::liver::RADIUS_MM;
use super::{Disease, Form, Method, Placement, ReferenceKind};
use crate::geometry::VolumeGeometry;
use crate::organ::{Organ, OrganMap, Spine};
use crate::segmentation::{Beyond, Region, distance_mm, largest_component};

/// The liver's outline loses this rim (blur, breathing between PET and CT), millimetres.
const LIVER_RIM_MM: f64 = 10.0;
/// What is cut from the aorta: around the heart, and its own rim, millimetres.
const AROUND_HEART_MM: f64 = 6.0;
const AORTA_RIM_MM: f64 = 4.0;
/// The vertebrae at whose height the aorta is mediastinal blood pool.
const THORACIC: std::ops::RangeInclusive<u8> = 4..=8;

/// The place of a reference in its outline; `None` where the organs do not hold what it needs.
pub fn place(
    kind: ReferenceKind,
    organs: &OrganMap,
    pet: &VolumeGeometry,
    disease: &Disease,
) -> Option<Result<Placement, String>> {
    match kind {
        ReferenceKind::Liver => organs.get(Organ::Liver).map(|o| liver(o, pet, disease)),
        ReferenceKind::BloodPool => {
            Some(blood_pool(&thoracic_aorta(organs, pet)?, organs, pet, disease))
        }
    }
}

fn liver(outline: &Region, pet: &VolumeGeometry, disease: &Disease) -> Result<Placement, String> {
    let healthy = disease.cut_from(outline, pet, ReferenceKind::Liver);
    let depth = distance_mm(&healthy.to_mask(pet), Beyond::Outside);
    let deepest =
        healthy.offsets().reduce(|a, b| if depth.values()[b] > depth.values()[a] { b } else { a });
    let deepest = deepest.ok_or("lesions leave nothing of the liver that was outlined")?;
    let here = f64::from(depth.values()[deepest]);
    if here < RADIUS_MM + LIVER_RIM_MM / 2.0 {
        return Err(format!(
            "the liver that was outlined is only {here:.0} mm deep where it is free of lesions: too little for the sphere"
        ));
    }
    let centre_mm = pet.centre_of(depth.voxel_of(deepest));
    let notes = vec![format!("{here:.0} mm deep in the liver that was outlined")];
    let form = Form::Sphere { centre_mm, radius_mm: RADIUS_MM };
    Ok(Placement { form, method: Method::Organs, notes, doubts: Vec::new() })
}

/// The aorta's voxels at the height of the middle of the chest; `None` without the aorta or those vertebrae.
fn thoracic_aorta(organs: &OrganMap, pet: &VolumeGeometry) -> Option<Region> {
    let aorta = organs.get(Organ::Aorta)?;
    let height = |voxel: [usize; 3]| pet.centre_of(voxel).z;
    let heights = THORACIC
        .filter_map(|n| organs.get(Organ::Vertebra(Spine::Thoracic, n)))
        .flat_map(Region::indices)
        .map(height);
    let (low, high) = heights.fold((f64::MAX, f64::MIN), |(l, h), z| (l.min(z), h.max(z)));
    let voxels = aorta.offsets().zip(aorta.indices());
    let inside = voxels.filter(|&(_, voxel)| (low..=high).contains(&height(voxel)));
    let inside = Region::from_offsets(aorta.shape(), inside.map(|(offset, _)| offset));
    (!inside.is_empty()).then_some(inside)
}

fn blood_pool(
    aorta: &Region,
    organs: &OrganMap,
    pet: &VolumeGeometry,
    disease: &Disease,
) -> Result<Placement, String> {
    let heart = organs.union(Organ::is_heart).dilated_mm(pet, AROUND_HEART_MM);
    let healthy = disease.cut_from(&aorta.difference(&heart), pet, ReferenceKind::BloodPool);
    let core = healthy.eroded_mm(pet, AORTA_RIM_MM, Beyond::Unknown);
    let largest = largest_component(&core.to_mask(pet))
        .ok_or("nothing is left of the aorta at T4 to T8 without its rim, the heart and lesions")?;
    let notes =
        vec!["the aorta that was outlined, at T4 to T8, without its rim and the heart".into()];
    let form = Form::Voxels(largest);
    Ok(Placement { form, method: Method::Organs, notes, doubts: Vec::new() })
}
