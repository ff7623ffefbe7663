//! A volume averaged to any size of voxels: each of its own counts by the share of it that lies in a new one.
//!
//! Whole blocks would jump from 1.46 to 2.9 mm; cells may be of any size in between.

use rayon::prelude::*;

use crate::geometry::VolumeGeometry;
use crate::resample::{Sample, lattice_of_cells};
use crate::volume::Volume;

/// Voxels that are nearly as large as a cell are left as they are: averaging would blur and gain nothing.
const AS_LARGE: f64 = 1.03;

/// Averages to cells of `cell_mm` along each axis that is finer; what does not fill a last cell is left out.
pub(super) fn averaged<T: Sample>(volume: &Volume<T>, cell_mm: f64) -> Volume<f32> {
    let shape = volume.geometry().shape();
    let axes = axes(volume.geometry(), cell_mm);
    let lattice = lattice(volume.geometry(), &axes);
    let [_, rows, columns] = lattice.shape();
    let mut values = vec![0.0_f32; lattice.len()];
    values.par_chunks_mut(rows * columns).enumerate().for_each(|(s, plane)| {
        let mut sums = vec![0.0_f32; shape[2]];
        for (r, out) in plane.chunks_exact_mut(columns).enumerate() {
            sums.fill(0.0);
            for &(slice, in_slice) in &axes[0].cells[s] {
                for &(row, in_row) in &axes[1].cells[r] {
                    let line = &volume.values()[volume.offset_of([slice, row, 0])..][..shape[2]];
                    let share = in_slice * in_row;
                    sums.iter_mut()
                        .zip(line)
                        .for_each(|(sum, &value)| *sum += share * value.into());
                }
            }
            for (mean, cell) in out.iter_mut().zip(&axes[2].cells) {
                *mean = cell.iter().map(|&(column, share)| share * sums[column]).sum();
            }
        }
    });
    Volume::from_vec(lattice, values)
}

/// The lattice to which [`averaged`] would bring a volume.
pub(super) fn averaged_lattice(geometry: &VolumeGeometry, cell_mm: f64) -> VolumeGeometry {
    lattice(geometry, &axes(geometry, cell_mm))
}

fn axes(geometry: &VolumeGeometry, cell_mm: f64) -> [Axis; 3] {
    let (shape, spacing) = (geometry.shape(), geometry.spacing_mm());
    std::array::from_fn(|n| Axis::new(shape[n], cell_mm / spacing[n]))
}

/// The cells along an axis.
struct Axis {
    /// Size of a cell, voxels; at least one.
    size: f64,
    /// The voxels of each cell with the share of the cell that each fills.
    cells: Vec<Vec<(usize, f32)>>,
}

impl Axis {
    fn new(voxels: usize, size: f64) -> Self {
        let size = if size < AS_LARGE { 1.0 } else { size.min(voxels as f64) };
        // The last cell may end with the last voxel, whatever the last digit of a quotient says.
        let count = (voxels as f64 / size + 1e-6) as usize;
        let cell = |n: usize| {
            let (start, end) = (n as f64 * size, (n + 1) as f64 * size);
            let last = (end.ceil() as usize).min(voxels);
            let share = |v: usize| (end.min((v + 1) as f64) - start.max(v as f64)) / size;
            let filled = (start as usize..last).map(|v| (v, share(v) as f32));
            filled.filter(|(_, share)| *share > 1e-6).collect()
        };
        Self { size, cells: (0..count).map(cell).collect() }
    }
}

fn lattice(geometry: &VolumeGeometry, axes: &[Axis; 3]) -> VolumeGeometry {
    let axes = axes.each_ref();
    lattice_of_cells(geometry, axes.map(|axis| axis.size), axes.map(|axis| axis.cells.len()))
}

#[cfg(test)]
mod tests {
    use glam::DVec3;

    use super::*;
    use crate::resample::reduce;

    fn volume(shape: [usize; 3], value: impl Fn(DVec3) -> f32) -> Volume<f32> {
        let steps = [3.0 * DVec3::Z, -1.5 * DVec3::Y, 1.5 * DVec3::X];
        let lattice = VolumeGeometry::new(shape, DVec3::new(-9.0, 4.0, 70.0), steps).unwrap();
        let values = (0..lattice.len()).map(|offset| {
            let [_, rows, columns] = shape;
            let voxel = [offset / (rows * columns), offset / columns % rows, offset % columns];
            value(lattice.centre_of(voxel))
        });
        let values = values.collect();
        Volume::from_vec(lattice, values)
    }

    #[test]
    fn whole_cells_are_blocks() {
        let given = volume([5, 9, 10], |place| {
            (place * DVec3::new(3.1, 17.0, 0.7)).element_sum().sin() as f32
        });
        let (cells, blocks) = (averaged(&given, 3.0), reduce(&given, 3.0));
        assert_eq!(cells.geometry(), blocks.geometry());
        for (cell, block) in cells.values().iter().zip(blocks.values()) {
            assert!((cell - block).abs() < 1e-5, "{cell} {block}");
        }
    }

    /// A mean over a cell of what rises evenly is what lies at its centre, as nearly as voxels of one value each can say: a
    /// cell that ends within a voxel takes the voxel's centre for that of its part, a quarter of a voxel off at most.
    #[test]
    fn cells_of_any_size_hold_the_mean_at_their_place() {
        let slope = DVec3::new(2.0, -5.0, 0.5);
        let given = volume([7, 20, 31], |place| place.dot(slope) as f32);
        let quarter = 0.25 * slope.abs().dot(DVec3::new(1.5, 1.5, 3.0)) + 1e-3;
        for size in [1.6, 1.9, 2.25, 4.0, 7.3] {
            let cells = averaged(&given, size);
            let [ds, dr, dc] = cells.geometry().spacing_mm();
            assert!((dr - size).abs() < 1e-9 && (dc - size).abs() < 1e-9 && ds >= 3.0, "{size}");
            let [_, rows, columns] = cells.geometry().shape();
            assert_eq!([rows, columns], [(30.0 / size) as usize, (46.5 / size) as usize]);
            for offset in 0..cells.values().len() {
                let place = cells.geometry().centre_of(cells.voxel_of(offset));
                let off = f64::from(cells.values()[offset]) - place.dot(slope);
                assert!(off.abs() < quarter, "{size} {place}: {off}");
            }
        }
    }

    #[test]
    fn what_is_as_large_is_left_as_it_is() {
        let given = volume([2, 3, 4], |place| place.x as f32);
        assert_eq!(averaged(&given, 1.5), given);
        assert_eq!(averaged(&given, 1.0), given);
    }
}
