//! Values on a lattice: an `ndarray` array with axes `[slice, row, column]` and the geometry that places it.

use ndarray::{Array3, s};

use crate::geometry::VolumeGeometry;

/// Voxel values with their places. The array is in standard (C) order, columns fastest.
#[derive(Debug, Clone, PartialEq)]
pub struct Volume<T> {
    geometry: VolumeGeometry,
    voxels: Array3<T>,
}

/// Which voxels of a lattice belong to a region.
pub type Mask = Volume<bool>;

/// A label for each voxel; 0 is background.
pub type LabelMap = Volume<u32>;

impl<T> Volume<T> {
    /// Joins voxels with their places.
    ///
    /// # Panics
    /// If the array's shape is not the lattice's or its memory is not in standard order: a programming error.
    pub fn new(geometry: VolumeGeometry, voxels: Array3<T>) -> Self {
        assert_eq!(voxels.shape(), geometry.shape(), "array and lattice must have one shape");
        assert!(voxels.is_standard_layout(), "voxels must be in standard order");
        Self { geometry, voxels }
    }

    /// Joins voxels in `[slice, row, column]` order, columns fastest, with their places.
    ///
    /// # Panics
    /// If there are not as many values as the lattice has voxels: a programming error.
    pub fn from_vec(geometry: VolumeGeometry, values: Vec<T>) -> Self {
        let voxels = Array3::from_shape_vec(geometry.shape(), values).expect("one value a voxel");
        Self { geometry, voxels }
    }

    /// Where the voxels lie.
    pub fn geometry(&self) -> &VolumeGeometry {
        &self.geometry
    }

    /// The voxels, axes `[slice, row, column]`.
    pub fn voxels(&self) -> &Array3<T> {
        &self.voxels
    }

    /// The voxels in memory order, columns fastest.
    ///
    /// # Panics
    /// Never: the order is checked at construction.
    pub fn values(&self) -> &[T] {
        self.voxels.as_slice().expect("checked at construction")
    }

    /// The voxels in memory order, columns fastest.
    ///
    /// # Panics
    /// Never: the order is checked at construction.
    pub fn values_mut(&mut self) -> &mut [T] {
        self.voxels.as_slice_mut().expect("checked at construction")
    }

    /// The values and their places, taken apart.
    pub fn into_parts(self) -> (VolumeGeometry, Array3<T>) {
        (self.geometry, self.voxels)
    }

    /// A volume on the same lattice with each value mapped.
    pub fn map<U>(&self, f: impl FnMut(&T) -> U) -> Volume<U> {
        Volume { geometry: self.geometry.clone(), voxels: self.voxels.map(f) }
    }

    /// Position of a voxel in [`values`](Self::values).
    pub fn offset_of(&self, [s, r, c]: [usize; 3]) -> usize {
        let [_, rows, columns] = self.geometry.shape();
        (s * rows + r) * columns + c
    }

    /// The voxel at a position in [`values`](Self::values).
    pub fn voxel_of(&self, offset: usize) -> [usize; 3] {
        let [_, rows, columns] = self.geometry.shape();
        [offset / (rows * columns), offset / columns % rows, offset % columns]
    }
}

impl<T: Clone> Volume<T> {
    /// The part from one voxel to another, both included.
    ///
    /// # Panics
    /// As [`VolumeGeometry::part`].
    #[must_use]
    pub fn part(&self, first: [usize; 3], last: [usize; 3]) -> Self {
        let geometry = self.geometry.part(first, last);
        let range = |axis: usize| first[axis]..=last[axis];
        let part = self.voxels.slice(s![range(0), range(1), range(2)]).to_owned();
        Self::new(geometry, part)
    }

    /// A volume with one value everywhere.
    pub fn filled(geometry: VolumeGeometry, value: T) -> Self {
        let voxels = Array3::from_elem(geometry.shape(), value);
        Self { geometry, voxels }
    }
}

impl<T> std::ops::Index<[usize; 3]> for Volume<T> {
    type Output = T;

    fn index(&self, voxel: [usize; 3]) -> &T {
        &self.voxels[voxel]
    }
}

impl<T> std::ops::IndexMut<[usize; 3]> for Volume<T> {
    fn index_mut(&mut self, voxel: [usize; 3]) -> &mut T {
        &mut self.voxels[voxel]
    }
}
