//! Where the voxels of a volume lie in the patient.
//!
//! One convention throughout: positions are in the DICOM patient frame, LPS (x to the patient's left, y to the back,
//! z to the head), in millimetres (PS3.3 C.7.6.2.1.1). Array axes are `[slice, row, column]`; an index triple always has
//! that order, so the first column of [`VolumeGeometry::patient_from_index`] is the step from one slice to the next.

use glam::{DAffine3, DMat3, DVec3};
use thiserror::Error;

/// A lattice of voxels in the patient frame: shape and full affine, without the voxels.
///
/// Row, column and slice spacing may all differ and the lattice may be oblique or sheared; it is never degenerate.
#[derive(Debug, Clone, PartialEq)]
pub struct VolumeGeometry {
    shape: [usize; 3],
    patient_from_index: DAffine3,
    index_from_patient: DAffine3,
}

/// Why a lattice cannot be built.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum GeometryError {
    /// A volume has at least one voxel along each axis.
    #[error("a volume of shape {0:?} has no voxels")]
    Empty([usize; 3]),
    /// The three steps do not span space, or are not finite.
    #[error("the voxel axes are degenerate: slice step {0}, row step {1}, column step {2} (mm)")]
    Degenerate(DVec3, DVec3, DVec3),
}

impl VolumeGeometry {
    /// Builds the lattice whose voxel `[0, 0, 0]` is centred at `origin_mm` and whose neighbours along slice, row and
    /// column are displaced by `steps_mm`.
    pub fn new(
        shape: [usize; 3],
        origin_mm: DVec3,
        steps_mm: [DVec3; 3],
    ) -> Result<Self, GeometryError> {
        if shape.contains(&0) {
            return Err(GeometryError::Empty(shape));
        }
        let [slice, row, column] = steps_mm;
        let matrix = DMat3::from_cols(slice, row, column);
        let volume = matrix.determinant().abs();
        // A sheared lattice is fine; one flatter than a thousandth of its box is a reading error.
        if !(origin_mm.is_finite()
            && volume > 1e-3 * slice.length() * row.length() * column.length())
        {
            return Err(GeometryError::Degenerate(slice, row, column));
        }
        let patient_from_index = DAffine3::from_mat3_translation(matrix, origin_mm);
        Ok(Self { shape, patient_from_index, index_from_patient: patient_from_index.inverse() })
    }

    /// Number of voxels as `[slices, rows, columns]`.
    pub fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// Number of voxels in all.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// A lattice is never empty; here because `len` is.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Distance between neighbouring voxel centres along slice, row and column, in millimetres.
    ///
    /// The second value is the distance between adjacent *rows* (first value of `PixelSpacing`), the third between
    /// adjacent *columns* (PS3.3 10.7.1.3).
    pub fn spacing_mm(&self) -> [f64; 3] {
        self.steps_mm().map(DVec3::length)
    }

    /// Displacement in the patient from one slice, row and column to the next, in millimetres.
    pub fn steps_mm(&self) -> [DVec3; 3] {
        let m = self.patient_from_index.matrix3;
        [m.x_axis, m.y_axis, m.z_axis]
    }

    /// Centre of voxel `[0, 0, 0]`.
    pub fn origin_mm(&self) -> DVec3 {
        self.patient_from_index.translation
    }

    /// Volume of one voxel in millilitres.
    pub fn voxel_ml(&self) -> f64 {
        self.patient_from_index.matrix3.determinant().abs() / 1000.0
    }

    /// The affine map from `(slice, row, column)` to the patient.
    pub fn patient_from_index(&self) -> DAffine3 {
        self.patient_from_index
    }

    /// The affine map from the patient to `(slice, row, column)`.
    pub fn index_from_patient(&self) -> DAffine3 {
        self.index_from_patient
    }

    /// Centre of a voxel in the patient, in millimetres.
    pub fn centre_of(&self, voxel: [usize; 3]) -> DVec3 {
        self.patient_from_index.transform_point3(DVec3::from_array(voxel.map(|i| i as f64)))
    }

    /// Continuous index of a place in the patient; it may lie outside the volume.
    pub fn index_of(&self, place_mm: DVec3) -> DVec3 {
        self.index_from_patient.transform_point3(place_mm)
    }

    /// The voxel whose cell holds the place, or `None` outside the volume.
    pub fn voxel_at(&self, place_mm: DVec3) -> Option<[usize; 3]> {
        // A cell reaches half a voxel to both sides. Adding and cutting is an instruction, `round` a call.
        let index = (self.index_of(place_mm) + 0.5).to_array();
        let inside = |(i, n): (f64, usize)| (i > 0.0 && i < n as f64).then_some(i as usize);
        let [s, r, c] = self.shape;
        Some([inside((index[0], s))?, inside((index[1], r))?, inside((index[2], c))?])
    }

    /// Whether both lattices have the same voxels at the same places, to a hundredth of a voxel at every corner.
    pub fn same_lattice(&self, other: &Self) -> bool {
        self.shape == other.shape
            && self.corner_indices().iter().all(|&corner| {
                let there = other.index_of(self.patient_from_index.transform_point3(corner));
                (there - corner).abs().max_element() < 0.01
            })
    }

    /// Smallest and largest x, y, z of the voxel centres.
    pub fn bounds_mm(&self) -> (DVec3, DVec3) {
        let corners = self.corner_indices().map(|c| self.patient_from_index.transform_point3(c));
        (
            corners.into_iter().fold(DVec3::MAX, DVec3::min),
            corners.into_iter().fold(DVec3::MIN, DVec3::max),
        )
    }

    /// The same lattice carried to another place: `to_from_here` maps this patient frame to the other.
    pub fn moved(&self, to_from_here: DAffine3) -> Result<Self, GeometryError> {
        let moved = to_from_here * self.patient_from_index;
        let m = moved.matrix3;
        Self::new(self.shape, moved.translation, [m.x_axis, m.y_axis, m.z_axis])
    }

    /// The part of the lattice from one voxel to another, both included.
    ///
    /// # Panics
    /// Where `last` lies before `first` on an axis, or outside the lattice.
    #[must_use]
    pub fn part(&self, first: [usize; 3], last: [usize; 3]) -> Self {
        assert!(
            (0..3).all(|a| first[a] <= last[a] && last[a] < self.shape[a]),
            "a part of {:?}",
            self.shape
        );
        let shape = std::array::from_fn(|a| last[a] - first[a] + 1);
        Self::new(shape, self.centre_of(first), self.steps_mm())
            .expect("part of a valid lattice is valid")
    }

    fn corner_indices(&self) -> [DVec3; 8] {
        std::array::from_fn(|n| {
            let end = |bit: usize, axis: usize| {
                if n >> bit & 1 == 1 { (self.shape[axis] - 1) as f64 } else { 0.0 }
            };
            DVec3::new(end(0, 0), end(1, 1), end(2, 2))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oblique() -> VolumeGeometry {
        let turn = DMat3::from_rotation_x(0.3) * DMat3::from_rotation_z(-0.7);
        let steps = [
            turn * DVec3::new(0.0, 0.0, 3.0),
            turn * DVec3::new(0.0, 2.5, 0.0),
            turn * DVec3::new(4.0, 0.0, 0.0),
        ];
        VolumeGeometry::new([5, 7, 11], DVec3::new(10.0, -20.0, 30.0), steps).unwrap()
    }

    #[test]
    fn index_and_place_are_inverse() {
        let g = oblique();
        for voxel in [[0, 0, 0], [4, 6, 10], [2, 3, 5]] {
            assert_eq!(g.voxel_at(g.centre_of(voxel)), Some(voxel));
        }
        assert_eq!(g.voxel_at(g.centre_of([0, 0, 0]) - 0.51 * g.steps_mm()[1]), None);
    }

    #[test]
    fn spacing_keeps_rows_and_columns_apart() {
        let g = oblique();
        for (found, given) in g.spacing_mm().into_iter().zip([3.0, 2.5, 4.0]) {
            assert!((found - given).abs() < 1e-12);
        }
        assert!((g.voxel_ml() - 0.03).abs() < 1e-12);
    }

    #[test]
    fn flat_and_empty_lattices_are_refused() {
        let (x, y) = (DVec3::X, DVec3::Y);
        assert!(matches!(
            VolumeGeometry::new([2, 2, 2], DVec3::ZERO, [x, y, x]),
            Err(GeometryError::Degenerate(..))
        ));
        assert!(matches!(
            VolumeGeometry::new([2, 0, 2], DVec3::ZERO, [x, y, DVec3::Z]),
            Err(GeometryError::Empty(_))
        ));
        assert!(VolumeGeometry::new([2, 2, 2], DVec3::NAN, [x, y, DVec3::Z]).is_err());
    }

    #[test]
    fn a_moved_lattice_is_another_lattice() {
        let g = oblique();
        assert!(g.same_lattice(&g.moved(DAffine3::IDENTITY).unwrap()));
        assert!(!g.same_lattice(&g.moved(DAffine3::from_translation(DVec3::X)).unwrap()));
    }
}
