//! A sparse set of voxels of one lattice.

use std::ops::Range;

use glam::DVec3;
use ndarray::{Array3, s};
use rayon::prelude::*;

use super::distance::{depth_up_to, lower_squares};
use super::{Beyond, RADIUS_TOLERANCE_MM};
use crate::geometry::VolumeGeometry;
use crate::volume::{Mask, Volume};

/// Neighbouring voxels of one row: their positions in [`Volume::values`], from `start` up to but without `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Run {
    /// Position of the first voxel.
    pub start: usize,
    /// Position after the last voxel.
    pub end: usize,
}

impl Run {
    /// The positions.
    pub fn range(self) -> Range<usize> {
        self.start..self.end
    }
}

/// A set of voxels of a lattice, as runs in memory order; equal sets are equal values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    shape: [usize; 3],
    /// Sorted, disjoint, not empty, longest possible within a row.
    runs: Vec<Run>,
}

/// The smallest box of voxels around a region, both ends inside, as `[slice, row, column]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BoundingBox {
    /// Smallest indices.
    pub min: [usize; 3],
    /// Largest indices.
    pub max: [usize; 3],
}

impl Region {
    /// The region without voxels.
    pub fn empty(shape: [usize; 3]) -> Self {
        Self { shape, runs: Vec::new() }
    }

    /// The voxels at these positions of [`Volume::values`], in any order; those outside the lattice are left out.
    pub fn from_offsets(shape: [usize; 3], offsets: impl IntoIterator<Item = usize>) -> Self {
        let len = shape.iter().product();
        let mut offsets: Vec<usize> = offsets.into_iter().filter(|&o| o < len).collect();
        offsets.sort_unstable();
        offsets.dedup();
        Self::from_runs(shape, offsets.into_iter().map(|o| Run { start: o, end: o + 1 }))
    }

    /// The voxels where the mask is true.
    pub fn from_mask(mask: &Mask) -> Self {
        let shape = mask.geometry().shape();
        let mut runs = Vec::new();
        for (row, values) in mask.values().chunks_exact(shape[2]).enumerate() {
            runs.extend(runs_where(values, row * shape[2], |&inside| inside));
        }
        Self { shape, runs }
    }

    /// Joins sorted runs within a row that touch or overlap.
    pub(crate) fn from_runs(shape: [usize; 3], sorted: impl IntoIterator<Item = Run>) -> Self {
        let mut runs: Vec<Run> = Vec::new();
        for run in sorted {
            // Runs overlap within a row only; where they touch, the later may begin the next row.
            match runs.last_mut() {
                Some(last)
                    if run.start < last.end
                        || run.start == last.end && run.start % shape[2] != 0 =>
                {
                    last.end = last.end.max(run.end);
                }
                _ => runs.push(run),
            }
        }
        Self { shape, runs }
    }

    /// Takes runs that already are sorted, disjoint and as long as possible.
    pub(super) fn from_whole_runs(shape: [usize; 3], runs: Vec<Run>) -> Self {
        Self { shape, runs }
    }

    /// Shape of the lattice, `[slices, rows, columns]`.
    pub fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// The runs in memory order; none crosses the end of a row.
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// The positions in [`Volume::values`], ascending.
    pub fn offsets(&self) -> impl Iterator<Item = usize> + '_ {
        self.runs.iter().flat_map(|run| run.range())
    }

    /// The voxels as `[slice, row, column]`, in memory order.
    pub fn indices(&self) -> impl Iterator<Item = [usize; 3]> + '_ {
        self.offsets().map(|offset| self.voxel_of(offset))
    }

    /// The values of a volume in the region, in memory order.
    ///
    /// # Panics
    /// If the volume is on another lattice: a programming error.
    pub fn values<'a, T: Copy>(&'a self, volume: &'a Volume<T>) -> impl Iterator<Item = T> + 'a {
        self.check(volume.geometry());
        let values = volume.values();
        self.runs.iter().flat_map(|run| values[run.range()].iter().copied())
    }

    /// Number of voxels.
    pub fn voxels(&self) -> usize {
        self.runs.iter().map(|run| run.end - run.start).sum()
    }

    /// Whether there are no voxels.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Position of the first voxel in memory order.
    pub fn first(&self) -> Option<usize> {
        self.runs.first().map(|run| run.start)
    }

    /// Whether the voxel at a position of [`Volume::values`] belongs to the region.
    pub fn contains(&self, offset: usize) -> bool {
        let after = self.runs.partition_point(|run| run.start <= offset);
        after > 0 && offset < self.runs[after - 1].end
    }

    /// Whether the voxel of a lattice in which a place lies belongs to the region.
    pub fn holds(&self, geometry: &VolumeGeometry, place: DVec3) -> bool {
        geometry.voxel_at(place).is_some_and(|[s, r, c]| {
            let [_, rows, columns] = geometry.shape();
            self.contains((s * rows + r) * columns + c)
        })
    }

    /// Voxel count times voxel volume, millilitres.
    pub fn volume_ml(&self, geometry: &VolumeGeometry) -> f64 {
        self.voxels() as f64 * geometry.voxel_ml()
    }

    /// Mean of the voxel indices `(slice, row, column)`; `None` for an empty region.
    pub fn centroid_index(&self) -> Option<DVec3> {
        let (mut sum, mut count) = (DVec3::ZERO, 0.0);
        for run in &self.runs {
            let [s, r, c] = self.voxel_of(run.start).map(|i| i as f64);
            let n = (run.end - run.start) as f64;
            sum += n * DVec3::new(s, r, c + (n - 1.0) / 2.0);
            count += n;
        }
        (count > 0.0).then(|| sum / count)
    }

    /// Mean of the voxel centres in the patient, millimetres; `None` for an empty region.
    pub fn centroid_mm(&self, geometry: &VolumeGeometry) -> Option<DVec3> {
        self.check(geometry);
        self.centroid_index().map(|index| geometry.patient_from_index().transform_point3(index))
    }

    /// The smallest box around the region; `None` for an empty region.
    pub fn bounding_box(&self) -> Option<BoundingBox> {
        let first = self.voxel_of(self.first()?);
        let mut bounds = BoundingBox { min: first, max: first };
        for run in &self.runs {
            let start = self.voxel_of(run.start);
            // A run stays within its row.
            let last = [start[0], start[1], start[2] + (run.end - run.start) - 1];
            for axis in 0..3 {
                bounds.min[axis] = bounds.min[axis].min(start[axis]);
                bounds.max[axis] = bounds.max[axis].max(last[axis]);
            }
        }
        Some(bounds)
    }

    /// The region as a mask on its lattice.
    ///
    /// # Panics
    /// If the lattice has another shape: a programming error.
    pub fn to_mask(&self, geometry: &VolumeGeometry) -> Mask {
        self.check(geometry);
        let mut mask = Mask::filled(geometry.clone(), false);
        self.paint(&mut mask, true);
        mask
    }

    /// Writes a value into every voxel of the region: a label into a label map, say.
    ///
    /// # Panics
    /// If the volume is on another lattice: a programming error.
    pub fn paint<T: Copy>(&self, volume: &mut Volume<T>, value: T) {
        self.check(volume.geometry());
        let values = volume.values_mut();
        for run in &self.runs {
            values[run.range()].fill(value);
        }
    }

    /// The voxels for which a test of their position in [`Volume::values`] holds.
    #[must_use]
    pub fn filtered(&self, mut keep: impl FnMut(usize) -> bool) -> Self {
        let kept = self.offsets().filter(|&o| keep(o)).map(|o| Run { start: o, end: o + 1 });
        Self::from_runs(self.shape, kept)
    }

    /// The voxels of either region.
    ///
    /// # Panics
    /// If the other region is on another lattice: a programming error.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        assert_eq!(self.shape, other.shape, "regions must be on one lattice");
        let mut runs = [self.runs.as_slice(), other.runs.as_slice()].concat();
        runs.sort_unstable();
        Self::from_runs(self.shape, runs)
    }

    /// The voxels of any of several regions of a lattice.
    ///
    /// # Panics
    /// If a region is on another lattice: a programming error.
    pub fn union_of<'a>(shape: [usize; 3], regions: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut runs = Vec::new();
        for region in regions {
            assert_eq!(shape, region.shape, "regions must be on one lattice");
            runs.extend_from_slice(&region.runs);
        }
        runs.sort_unstable();
        Self::from_runs(shape, runs)
    }

    /// The voxels of both regions.
    ///
    /// # Panics
    /// If the other region is on another lattice: a programming error.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        assert_eq!(self.shape, other.shape, "regions must be on one lattice");
        let (mut i, mut j) = (0, 0);
        let mut runs = Vec::new();
        while let (Some(a), Some(b)) = (self.runs.get(i), other.runs.get(j)) {
            let (start, end) = (a.start.max(b.start), a.end.min(b.end));
            if start < end {
                runs.push(Run { start, end });
            }
            if a.end < b.end { i += 1 } else { j += 1 }
        }
        Self { shape: self.shape, runs }
    }

    /// The voxels of this region that are not in the other.
    ///
    /// # Panics
    /// If the other region is on another lattice: a programming error.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        assert_eq!(self.shape, other.shape, "regions must be on one lattice");
        let (mut runs, mut next) = (Vec::new(), 0);
        for &Run { mut start, end } in &self.runs {
            next += other.runs[next..].partition_point(|taken| taken.end <= start);
            for taken in other.runs[next..].iter().take_while(|taken| taken.start < end) {
                if start < taken.start {
                    runs.push(Run { start, end: taken.start });
                }
                start = taken.end;
            }
            if start < end {
                runs.push(Run { start, end });
            }
        }
        Self { shape: self.shape, runs }
    }

    /// Every voxel whose centre lies within a radius of the centre of one of the region's, millimetres.
    /// Works on the region's box only.
    #[must_use]
    pub fn dilated_mm(&self, geometry: &VolumeGeometry, radius_mm: f64) -> Self {
        self.surroundings(geometry, radius_mm, |d| d <= radius_mm + RADIUS_TOLERANCE_MM)
    }

    /// The voxels at more than a radius from the nearest voxel outside the region, millimetres.
    /// Works on the region's box only; see [`erode_mm`](super::erode_mm).
    #[must_use]
    pub fn eroded_mm(&self, geometry: &VolumeGeometry, radius_mm: f64, beyond: Beyond) -> Self {
        // The box needs one layer of outside voxels: the nearest outside voxel is never behind it.
        let Some((mask, low)) = self.cropped(geometry, [1; 3]) else { return self.clone() };
        // Where the crop ends inside the volume that layer is false, so `beyond` only speaks at the volume's own edge.
        let limit = radius_mm + RADIUS_TOLERANCE_MM;
        let deep = depth_up_to(&mask, beyond, limit).map(|&d| f64::from(d) > limit);
        self.placed(low, &Self::from_mask(&deep))
    }

    /// Every voxel whose centre lies more than `inner_mm` and at most `outer_mm` from the nearest centre of one of the
    /// region's, millimetres. Works on the region's box only.
    #[must_use]
    pub fn shell_mm(&self, geometry: &VolumeGeometry, inner_mm: f64, outer_mm: f64) -> Self {
        self.surroundings(geometry, outer_mm, |d| {
            d > inner_mm + RADIUS_TOLERANCE_MM && d <= outer_mm + RADIUS_TOLERANCE_MM
        })
    }

    /// Voxels at a distance (mm) from the region's nearest voxel for which the test holds, up to `reach_mm` away.
    fn surroundings(
        &self,
        geometry: &VolumeGeometry,
        reach_mm: f64,
        keep: impl Fn(f64) -> bool + Sync,
    ) -> Self {
        let Some(bounds) = self.bounds_within(geometry, reach_mm) else { return self.clone() };
        let BoundingBox { min: low, max: high } = bounds;
        let shape: [usize; 3] = std::array::from_fn(|axis| high[axis] + 1 - low[axis]);
        let mut squared = Array3::from_elem(shape, f32::INFINITY);
        for run in &self.runs {
            let [s, r, c] = self.voxel_of(run.start);
            let row = squared.slice_mut(s![s - low[0], r - low[1], ..]);
            let row = row.into_slice().expect("a row of a new array is contiguous");
            row[c - low[2]..][..run.range().len()].fill(0.0);
        }
        let limit = reach_mm + RADIUS_TOLERANCE_MM;
        lower_squares(squared.view_mut(), geometry.spacing_mm(), Beyond::Unknown, limit);
        // Rows in parallel, each as its runs: no mask is made of the box.
        let rows = squared.as_slice().expect("a new array is contiguous").par_chunks(shape[2]);
        let runs = rows.enumerate().flat_map_iter(|(row, squared)| {
            let (slice, row) = (row / shape[1] + low[0], row % shape[1] + low[1]);
            let start = (slice * self.shape[1] + row) * self.shape[2] + low[2];
            runs_where(squared, start, |&d| keep(f64::from(d.sqrt())))
        });
        Self { shape: self.shape, runs: runs.collect() }
    }

    /// Whether a voxel centre of another region lies within a radius of one of this region's, millimetres. Fast where the other
    /// region is large, of which only what lies in the box around this one is looked at.
    ///
    /// # Panics
    /// If the other region is on another lattice: a programming error.
    pub fn is_near(&self, other: &Self, geometry: &VolumeGeometry, radius_mm: f64) -> bool {
        assert_eq!(self.shape, other.shape, "regions must be on one lattice");
        let Some(bounds) = self.bounds_within(geometry, radius_mm) else { return false };
        let in_box = |run: &Run| {
            let [s, r, c] = self.voxel_of(run.start);
            let ends = [s..=s, r..=r, c..=c + run.range().len() - 1];
            (0..3).all(|a| *ends[a].start() <= bounds.max[a] && *ends[a].end() >= bounds.min[a])
        };
        other.runs.iter().any(in_box)
            && !self.dilated_mm(geometry, radius_mm).intersection(other).is_empty()
    }

    /// The region's box, wider by a distance and a voxel, within the lattice.
    fn bounds_within(&self, geometry: &VolumeGeometry, reach_mm: f64) -> Option<BoundingBox> {
        self.check(geometry);
        let margin = geometry
            .spacing_mm()
            .map(|step| ((reach_mm / step).ceil().max(0.0) as usize).saturating_add(1));
        let bounds = self.bounding_box()?;
        let high = |a: usize| bounds.max[a].saturating_add(margin[a]).min(self.shape[a] - 1);
        Some(BoundingBox {
            min: std::array::from_fn(|a| bounds.min[a].saturating_sub(margin[a])),
            max: std::array::from_fn(high),
        })
    }

    /// The region's box, wider by a margin of voxels, as a mask, and the box's first voxel.
    pub(crate) fn cropped(
        &self,
        geometry: &VolumeGeometry,
        margin: [usize; 3],
    ) -> Option<(Mask, [usize; 3])> {
        self.check(geometry);
        let bounds = self.bounding_box()?;
        let low: [usize; 3] = std::array::from_fn(|a| bounds.min[a].saturating_sub(margin[a]));
        let high =
            std::array::from_fn(|a| bounds.max[a].saturating_add(margin[a]).min(self.shape[a] - 1));
        let mut mask = Mask::filled(geometry.part(low, high), false);
        for run in &self.runs {
            let [s, r, c] = self.voxel_of(run.start);
            let start = mask.offset_of([s - low[0], r - low[1], c - low[2]]);
            mask.values_mut()[start..start + (run.end - run.start)].fill(true);
        }
        Some((mask, low))
    }

    /// A region of a box of this region's lattice that begins at a voxel, on the lattice itself.
    pub(crate) fn placed(&self, low: [usize; 3], local: &Self) -> Self {
        let [_, rows, columns] = self.shape;
        let shift = |offset: usize| {
            let [s, r, c] = local.voxel_of(offset);
            ((s + low[0]) * rows + r + low[1]) * columns + c + low[2]
        };
        let runs = local.runs.iter().map(|run| {
            let start = shift(run.start);
            Run { start, end: start + (run.end - run.start) }
        });
        Self { shape: self.shape, runs: runs.collect() }
    }

    /// The voxel of a position.
    pub(crate) fn voxel_of(&self, offset: usize) -> [usize; 3] {
        let [_, rows, columns] = self.shape;
        [offset / (rows * columns), offset / columns % rows, offset % columns]
    }

    pub(crate) fn check(&self, geometry: &VolumeGeometry) {
        assert_eq!(self.shape, geometry.shape(), "region and volume must be on one lattice");
    }
}

/// The runs of a row, whose first voxel has the position `first`, where a test of the value holds.
fn runs_where<T>(
    row: &[T],
    first: usize,
    inside: impl Fn(&T) -> bool,
) -> impl Iterator<Item = Run> {
    let mut end = 0;
    std::iter::from_fn(move || {
        let start = end + row[end..].iter().position(&inside)?;
        end = row[start..].iter().position(|v| !inside(v)).map_or(row.len(), |n| start + n);
        Some(Run { start: first + start, end: first + end })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: [usize; 3] = [3, 4, 5];

    fn region(offsets: &[usize]) -> Region {
        Region::from_offsets(SHAPE, offsets.iter().copied())
    }

    fn geometry() -> VolumeGeometry {
        let steps = [3.0 * DVec3::Z, 2.0 * DVec3::Y, DVec3::X];
        VolumeGeometry::new(SHAPE, DVec3::new(100.0, 200.0, 300.0), steps).unwrap()
    }

    #[test]
    fn runs_end_with_their_row() {
        let across = region(&[3, 4, 5, 6, 999]);
        assert_eq!(across.runs(), [Run { start: 3, end: 5 }, Run { start: 5, end: 7 }]);
        assert_eq!(across, Region::from_mask(&across.to_mask(&geometry())));
        assert_eq!(across.voxels(), 4);
        assert_eq!(across.first(), Some(3));
        let member: Vec<usize> = (0..60).filter(|&o| across.contains(o)).collect();
        assert_eq!(member, across.offsets().collect::<Vec<_>>());
    }

    #[test]
    fn sets_combine() {
        let (a, b) = (region(&[1, 2, 3, 20, 21, 40]), region(&[0, 3, 4, 5, 21, 22]));
        assert_eq!(a.union(&b), region(&[0, 1, 2, 3, 4, 5, 20, 21, 22, 40]));
        assert_eq!(a.intersection(&b), region(&[3, 21]));
        assert_eq!(a.difference(&b), region(&[1, 2, 20, 40]));
        assert_eq!(a.union(&Region::empty(SHAPE)), a);
        assert!(a.intersection(&Region::empty(SHAPE)).is_empty());
    }

    #[test]
    fn sets_are_those_of_their_voxels() {
        let sets = [
            region(&[0, 1, 2, 3, 4, 7, 8, 9, 10, 11, 40, 41, 42, 43, 44]),
            region(&[2, 8, 10, 39, 40, 44, 45]),
            region(&[5, 6, 41, 42, 43]),
            Region::empty(SHAPE),
        ];
        for a in &sets {
            for b in &sets {
                assert_eq!(a.difference(b), a.filtered(|offset| !b.contains(offset)));
                assert_eq!(Region::union_of(SHAPE, [a, b]), a.union(b));
            }
        }
        let all = Region::union_of(SHAPE, &sets);
        assert_eq!(all, sets.iter().fold(Region::empty(SHAPE), |all, set| all.union(set)));
    }

    /// Distances between all pairs of voxels tell what lies around a region and what is near.
    #[test]
    fn what_is_near_is_within_the_radius_of_a_voxel() {
        let g = geometry();
        let sets = [region(&[7, 8, 59]), region(&[0]), region(&[22, 23, 24, 31]), region(&[])];
        let nearest = |set: &Region, offset: usize| {
            let here = g.centre_of(set.voxel_of(offset));
            set.indices().map(|voxel| g.centre_of(voxel).distance(here)).reduce(f64::min)
        };
        for set in &sets {
            for [inner, outer] in [[0.0, 1.0], [1.0, 3.0], [2.0, 4.5], [0.0, 50.0]] {
                let inside = |o: &usize| nearest(set, *o).is_some_and(|d| d > inner && d <= outer);
                let expected = Region::from_offsets(SHAPE, (0..60).filter(inside));
                assert_eq!(set.shell_mm(&g, inner, outer), expected);
            }
            for other in &sets {
                for radius in [0.0, 1.0, 2.0, 3.5, 50.0] {
                    let near = other.offsets().filter_map(|o| nearest(set, o)).any(|d| d <= radius);
                    assert_eq!(set.is_near(other, &g, radius), near, "{radius} mm");
                }
            }
        }
    }

    #[test]
    fn place_and_size() {
        // Voxels [0, 1, 2], [0, 1, 3] and [2, 3, 4].
        let found = region(&[7, 8, 59]);
        let g = geometry();
        let bounds = found.bounding_box().unwrap();
        assert_eq!(bounds, BoundingBox { min: [0, 1, 2], max: [2, 3, 4] });
        assert_eq!(found.indices().collect::<Vec<_>>(), [[0, 1, 2], [0, 1, 3], [2, 3, 4]]);
        assert!((found.volume_ml(&g) - 0.018).abs() < 1e-12);
        assert_eq!(found.centroid_mm(&g), Some(DVec3::new(103.0, 200.0 + 10.0 / 3.0, 302.0)));
        let empty = Region::empty(SHAPE);
        assert_eq!(
            (empty.centroid_mm(&g), empty.bounding_box(), empty.first()),
            (None, None, None)
        );
    }

    #[test]
    #[should_panic(expected = "one lattice")]
    fn another_lattice_is_a_programming_error() {
        let _ = Region::empty([3, 5, 4]).to_mask(&geometry());
    }
}
