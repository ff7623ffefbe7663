//! Disease that an automatic reference keeps away from.

use glam::DVec3;

use super::{Form, Placement, ReferenceKind};
use crate::geometry::VolumeGeometry;
use crate::segmentation::Region;

/// Rows of voxels that are tested together by the box around them.
const TOGETHER: usize = 32;

/// Disease that an automatic reference keeps away from: spill-in from a hot neighbour is not the organ's own uptake.
///
/// Distances are asked for at some thousand places near a liver or an aorta, and disease is small beside the body: rows of
/// its voxels behind boxes cost less than a map of distances over the whole scan.
#[derive(Debug, Clone, Default)]
pub struct Disease {
    region: Option<Region>,
    /// Rows of voxels from the first centre to the last, millimetres, and the boxes (low, high corner) around every 32.
    rows: Vec<[DVec3; 2]>,
    boxes: Vec<[DVec3; 2]>,
}

impl Disease {
    /// Disease as a region of the PET.
    pub fn of(region: &Region, pet: &VolumeGeometry) -> Self {
        let centre = |offset: usize| pet.centre_of(region.voxel_of(offset));
        let rows: Vec<_> =
            region.runs().iter().map(|run| [centre(run.start), centre(run.end - 1)]).collect();
        let around = |rows: &[[DVec3; 2]]| {
            rows.iter()
                .flatten()
                .fold([DVec3::MAX, DVec3::MIN], |[low, high], &end| [low.min(end), high.max(end)])
        };
        let boxes = rows.chunks(TOGETHER).map(around).collect();
        Self { region: Some(region.clone()), rows, boxes }
    }

    /// What of an organ is far enough from disease for a reference.
    pub(super) fn cut_from(
        &self,
        organ: &Region,
        pet: &VolumeGeometry,
        kind: ReferenceKind,
    ) -> Region {
        match &self.region {
            Some(disease) => organ.difference(&disease.dilated_mm(pet, kind.from_lesions_mm())),
            None => organ.clone(),
        }
    }

    /// Whether a sphere that was placed without regard to this disease keeps clear of it, so that it need not be looked for
    /// anew: it is the best of all places, hence of those that are left.
    pub fn spares(&self, sphere: &Placement, kind: ReferenceKind) -> bool {
        match sphere.form {
            Form::Sphere { centre_mm, radius_mm } => {
                !self.nearer_than(centre_mm, radius_mm + kind.from_lesions_mm())
            }
            Form::Cylinder { .. } | Form::Voxels(_) => false,
        }
    }

    /// Whether disease lies nearer to a place than a distance.
    pub(super) fn nearer_than(&self, place_mm: DVec3, reach_mm: f64) -> bool {
        let limit = reach_mm * reach_mm;
        let near = |[low, high]: &[DVec3; 2]| {
            place_mm.clamp(*low, *high).distance_squared(place_mm) < limit
        };
        let to_row = |[from, to]: &[DVec3; 2]| {
            let along = *to - *from;
            let share =
                (place_mm - *from).dot(along) / along.length_squared().max(f64::MIN_POSITIVE);
            (*from + share.clamp(0.0, 1.0) * along).distance_squared(place_mm)
        };
        self.boxes
            .iter()
            .zip(self.rows.chunks(TOGETHER))
            .any(|(bounds, rows)| near(bounds) && rows.iter().any(|row| to_row(row) < limit))
    }
}

#[cfg(test)]
mod tests {
    use glam::DMat3;

    use super::*;

    #[test]
    fn a_place_is_near_where_a_voxel_is() {
        let turn = DMat3::from_rotation_z(0.4) * DMat3::from_rotation_x(0.2);
        let steps = [turn * DVec3::Z * 3.0, turn * DVec3::Y * 2.0, turn * DVec3::X * 2.0];
        let pet = VolumeGeometry::new([20, 30, 40], DVec3::new(-9.0, 4.0, 30.0), steps).unwrap();
        let offsets = (0..pet.len()).filter(|o| o * 7919 % 1013 < 3 || (4000..4050).contains(o));
        let region = Region::from_offsets(pet.shape(), offsets);
        let disease = Disease::of(&region, &pet);
        let centres: Vec<DVec3> = region.indices().map(|voxel| pet.centre_of(voxel)).collect();
        for n in 0..500_usize {
            let place = pet.centre_of([n * 31 % 20, n * 17 % 30, n * 13 % 40]) + DVec3::splat(0.7);
            let nearest = centres.iter().map(|c| c.distance(place)).fold(f64::MAX, f64::min);
            // Between two centres of a row the distance is that to the row.
            assert!(disease.nearer_than(place, nearest + 1e-6));
            assert!(!disease.nearer_than(place, nearest - 0.6), "{n}: {nearest}");
        }
        assert!(!Disease::default().nearer_than(DVec3::ZERO, 1e9));
    }
}
