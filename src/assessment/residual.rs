//! What is left at a site where no region stands out any more.

use glam::{DAffine3, DVec3};

use crate::deauville::LesionUptake;
use crate::geometry::VolumeGeometry;
use crate::lesion::background;
use crate::segmentation::Region;
use crate::statistics::peak_global;
use crate::volume::Volume;

/// The voxels of a scan that lie in a region of another one.
pub(super) fn carried(
    onto: &VolumeGeometry,
    from: &VolumeGeometry,
    region: &Region,
    onto_from_there: DAffine3,
) -> Region {
    let Some(bounds) = region.bounding_box() else { return Region::empty(onto.shape()) };
    let corners = (0..8).map(|n: usize| {
        let end = |axis: usize| {
            // Half a voxel beyond the centres: the cells' own corners.
            if n >> axis & 1 == 1 {
                bounds.max[axis] as f64 + 0.5
            } else {
                bounds.min[axis] as f64 - 0.5
            }
        };
        let there = from.patient_from_index().transform_point3(DVec3::new(end(0), end(1), end(2)));
        onto.index_of(onto_from_there.transform_point3(there))
    });
    let (low, high) = corners.fold((DVec3::MAX, DVec3::MIN), |(l, h), c| (l.min(c), h.max(c)));
    let shape = onto.shape();
    let range = |axis: usize| {
        let first = low.to_array()[axis].floor().max(0.0) as usize;
        let last = high.to_array()[axis].ceil().min(shape[axis] as f64 - 1.0);
        first..if last < 0.0 { first } else { last as usize + 1 }
    };
    let there_from_onto = onto_from_there.inverse();
    let inside = |voxel: [usize; 3]| {
        let place = there_from_onto.transform_point3(onto.centre_of(voxel));
        region.holds(from, place)
    };
    let voxels =
        range(0).flat_map(|s| range(1).flat_map(move |r| range(2).map(move |c| [s, r, c])));
    let offsets = voxels.filter(|&v| inside(v)).map(|[s, r, c]| (s * shape[1] + r) * shape[2] + c);
    Region::from_offsets(shape, offsets)
}

/// The uptake left at the site of an earlier lesion; `None` where the site is outside the scan or covered by regions of
/// their own (`hot`).
///
/// The site's SUVpeak stands for its uptake. Its SUVmax would be the highest noise of many voxels, not a focus.
pub(super) fn residual_uptake(
    pet: &Volume<f32>,
    hot: &Region,
    from: &VolumeGeometry,
    region: &Region,
    onto_from_there: DAffine3,
) -> Option<LesionUptake> {
    let site = carried(pet.geometry(), from, region, onto_from_there);
    let peak = peak_global(pet, &site.difference(hot))?.mean;
    Some(LesionUptake {
        max: peak,
        peak: Some(peak),
        peak_of_four: Some(peak),
        background: background(pet, &site, hot),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segmentation::sphere;

    #[test]
    fn a_carried_region_keeps_place_and_volume() {
        let steps = |s: f64| [DVec3::Z, DVec3::Y, DVec3::X].map(|a| a * s);
        let from = VolumeGeometry::new([40, 40, 40], DVec3::ZERO, steps(3.0)).unwrap();
        let onto = VolumeGeometry::new([60, 60, 60], DVec3::splat(200.0), steps(2.0)).unwrap();
        let region = sphere(&from, DVec3::splat(60.0), 20.0).region;
        let map = DAffine3::from_translation(DVec3::new(195.0, 203.0, 207.0))
            * DAffine3::from_rotation_z(0.1);
        let there = carried(&onto, &from, &region, map);
        let centre = map.transform_point3(region.centroid_mm(&from).unwrap());
        assert!(there.centroid_mm(&onto).unwrap().distance(centre) < 0.3);
        let ratio = there.volume_ml(&onto) / region.volume_ml(&from);
        assert!((ratio - 1.0).abs() < 0.02, "{ratio}");
        assert!(carried(&onto, &from, &region, DAffine3::IDENTITY).is_empty());
    }

    #[test]
    fn what_is_left_is_the_peak_outside_other_regions() {
        let steps = [DVec3::Z, DVec3::Y, DVec3::X].map(|a| a * 3.0);
        let geometry = VolumeGeometry::new([40; 3], DVec3::ZERO, steps).unwrap();
        let site = sphere(&geometry, DVec3::splat(60.0), 15.0).region;
        let mut pet = Volume::filled(geometry.clone(), 1.0);
        site.paint(&mut pet, 2.0);
        // One hot voxel is noise: the peak of a sphere of 1 mL (37 voxels) hardly sees it.
        pet[[20, 20, 20]] = 20.0;
        let left = |pet: &Volume<f32>, hot: &Region| {
            residual_uptake(pet, hot, &geometry, &site, DAffine3::IDENTITY)
        };
        let free = Region::empty(geometry.shape());
        let found = left(&pet, &free).unwrap();
        assert!(found.max > 2.0 && found.max < 3.0, "{}", found.max);
        assert_eq!((found.peak, found.peak_of_four), (Some(found.max), Some(found.max)));
        assert!((found.background.unwrap().mean - 1.0).abs() < 1e-9);
        // Covered by a region of its own: nothing is left to measure.
        assert_eq!(left(&pet, &site), None);
        // Outside the scan.
        let far = DAffine3::from_translation(DVec3::splat(900.0));
        assert_eq!(residual_uptake(&pet, &free, &geometry, &site, far), None);
    }
}
