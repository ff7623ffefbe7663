//! Maximum intensity projections of a volume that turns about the body's long axis.
//!
//! The camera goes round the patient in equal steps. Seen from an angle, a row of an axial slice falls on the detector
//! shifted by a constant, so a slice is projected row by row: two neighbours blended, the larger kept. Nothing is
//! gathered from scattered places, which is why it is fast: each voxel is read in memory order and costs three
//! operations. Where the camera looks along the rows rather than across them, the slice's columns take the rows' place.
//!
//! Values between the voxels of a row are linear; along the ray each row is sampled once, at most √2 voxels apart.
//! Source: Wallis et al., IEEE Trans Med Imaging 8 (1989) 297 (MIP of emission tomograms); shear of rows after Lacroute
//! and Levoy, SIGGRAPH 1994.

use std::f64::consts::TAU;

use glam::{DAffine3, DVec3};
use rayon::prelude::*;

use crate::anatomy::lattice_in_box;
use crate::resample::resample;
use crate::volume::Volume;

/// One projection of [`turning_mip`].
#[derive(Debug, Clone, PartialEq)]
pub struct Turned {
    /// Angle of the camera, degrees: 0 from the front, 90 from the patient's left, 180 from behind.
    pub degrees: f64,
    /// `[rows, columns]`; rows are the volume's slices, head first, columns go from left to right of the picture.
    pub shape: [usize; 2],
    /// Width of a column, millimetres; a row is as high as the slices are apart.
    pub pixel_mm: f64,
    /// Maxima, row by row; 0 where the ray misses the volume.
    pub values: Vec<f32>,
}

/// Projections from `angles` places of the camera, equally spaced round the patient, beginning in front. Columns are as
/// wide as the finest step within a slice; negative values and NaN are passed over.
///
/// A camera behind the patient sees the mirror image of one in front: half of the angles are projected.
///
/// A volume whose slices are not axial is carried onto axial slices first.
pub fn turning_mip(volume: &Volume<f32>, angles: usize) -> Vec<Turned> {
    let geometry = volume.geometry();
    let [slice_step, row_step, column_step] = geometry.steps_mm();
    let axial = slice_step.truncate().length() < 1e-3 * slice_step.length()
        && row_step.z.abs() < 1e-3 * row_step.length()
        && column_step.z.abs() < 1e-3 * column_step.length();
    if !axial {
        let (low, high) = geometry.bounds_mm();
        let finest = geometry.spacing_mm().into_iter().fold(f64::MAX, f64::min);
        let lattice = lattice_in_box(low, high, finest);
        return turning_mip(&resample(volume, &lattice, DAffine3::IDENTITY, 0.0), angles);
    }
    let [slices, rows, columns] = geometry.shape();
    let degrees = |n: usize| 360.0 * n as f64 / angles as f64;
    let mirrored = |n: usize| angles.is_multiple_of(2) && n >= angles / 2;
    let seen: Vec<usize> = (0..angles).filter(|&n| !mirrored(n)).collect();
    let pixel = row_step.length().min(column_step.length());
    let corner = |r: usize, c: usize| {
        ((r as f64 - 0.5 * (rows - 1) as f64) * row_step
            + (c as f64 - 0.5 * (columns - 1) as f64) * column_step)
            .length()
    };
    // A circle round the slice's middle holds it from every side.
    let radius = corner(0, 0).max(corner(0, columns - 1));
    let width = 2 * (radius / pixel).ceil() as usize + 1;
    let passes: Vec<Pass> = seen
        .iter()
        .map(|&n| {
            let (sin, cos) = (TAU * n as f64 / angles as f64).sin_cos();
            let right = DVec3::new(cos, sin, 0.0);
            Pass::new([row_step.dot(right), column_step.dot(right)], [rows, columns])
        })
        .collect();
    let detectors: Vec<Vec<f32>> = volume
        .values()
        .par_chunks(rows * columns)
        .map_init(
            || Slice::new(rows, columns),
            |slice, values| {
                slice.fill(values);
                let lines = passes.iter().flat_map(|pass| pass.line(slice, pixel, width));
                lines.collect()
            },
        )
        .collect();
    let head_first = slice_step.z < 0.0;
    let from_top = |row: usize| if head_first { row } else { slices - 1 - row };
    (0..angles)
        .into_par_iter()
        .map(|n| {
            let source = if mirrored(n) { n - angles / 2 } else { n };
            let mut values = Vec::with_capacity(slices * width);
            for row in 0..slices {
                let line = &detectors[from_top(row)][source * width..][..width];
                if mirrored(n) {
                    values.extend(line.iter().rev());
                } else {
                    values.extend(line);
                }
            }
            Turned { degrees: degrees(n), shape: [slices, width], pixel_mm: pixel, values }
        })
        .collect()
}

/// An axial slice by rows and by columns, each line between two zeros, so that blending needs no care at the ends.
struct Slice {
    shape: [usize; 2],
    by_rows: Vec<f32>,
    by_columns: Vec<f32>,
}

impl Slice {
    fn new(rows: usize, columns: usize) -> Self {
        let lines = |count: usize, length: usize| vec![0.0; count * (length + 2)];
        Self {
            shape: [rows, columns],
            by_rows: lines(rows, columns),
            by_columns: lines(columns, rows),
        }
    }

    fn fill(&mut self, values: &[f32]) {
        let [rows, columns] = self.shape;
        for (r, row) in values.chunks_exact(columns).enumerate() {
            self.by_rows[r * (columns + 2) + 1..][..columns].copy_from_slice(row);
            for (c, &value) in row.iter().enumerate() {
                self.by_columns[c * (rows + 2) + r + 1] = value;
            }
        }
    }
}

/// How a slice falls on the detector from one angle.
struct Pass {
    /// Whether lines are columns of the slice.
    of_columns: bool,
    /// Detector millimetres from one voxel of a line to the next; the larger of the two in size.
    along_mm: f64,
    /// Detector voxels (of `along_mm`) from one line to the next, -1 to 1 for square voxels.
    shift: f64,
    /// Lines, and voxels in a line.
    lines: usize,
    length: usize,
}

impl Pass {
    /// From the detector millimetres a step to the next row and to the next column makes.
    fn new([row, column]: [f64; 2], [rows, columns]: [usize; 2]) -> Self {
        if column.abs() >= row.abs() {
            Self {
                of_columns: false,
                along_mm: column,
                shift: row / column,
                lines: rows,
                length: columns,
            }
        } else {
            Self {
                of_columns: true,
                along_mm: row,
                shift: column / row,
                lines: columns,
                length: rows,
            }
        }
    }

    /// The detector's line: `width` pixels about its middle, each `pixel` millimetres.
    fn line(&self, slice: &Slice, pixel: f64, width: usize) -> Vec<f32> {
        let spread = self.shift.abs() * (self.lines - 1) as f64;
        let before = if self.shift < 0.0 { spread } else { 0.0 };
        let mut sheared = vec![0.0_f32; self.length + spread.ceil() as usize + 3];
        let source = if self.of_columns { &slice.by_columns } else { &slice.by_rows };
        for (n, line) in source.chunks_exact(self.length + 2).enumerate() {
            let start = before + self.shift * n as f64;
            let (whole, fraction) = (start.floor(), (start - start.floor()) as f32);
            // Voxel `c` of the line, at `c + 1` behind its zero, lies at `start + c`.
            let reached = &mut sheared[whole as usize..][..=self.length];
            blend_in(reached, line, fraction);
        }
        let middle =
            before + 0.5 * (self.shift * (self.lines - 1) as f64 + (self.length - 1) as f64);
        let step = pixel / self.along_mm;
        let pixels = (0..width).map(|p| {
            let place = middle + (p as f64 - 0.5 * (width - 1) as f64) * step;
            let low = place.floor();
            let at = |n: f64| {
                if n >= 0.0 { sheared.get(n as usize).copied().unwrap_or(0.0) } else { 0.0 }
            };
            let fraction = (place - low) as f32;
            at(low) + fraction * (at(low + 1.0) - at(low))
        });
        pixels.collect()
    }
}

/// Keeps the larger of what is there and a line that lies `fraction` of a voxel further on.
fn blend_in(reached: &mut [f32], line: &[f32], fraction: f32) {
    let (before, here) = (&line[..reached.len()], &line[1..=reached.len()]);
    for ((kept, &before), &here) in reached.iter_mut().zip(before).zip(here) {
        let value = here + fraction * (before - here);
        *kept = if value > *kept { value } else { *kept };
    }
}

#[cfg(test)]
mod tests {
    use glam::DMat3;

    use super::*;
    use crate::geometry::VolumeGeometry;
    use crate::render::{View, mip};

    fn volume(steps: [DVec3; 3], shape: [usize; 3]) -> Volume<f32> {
        let middle = 0.5
            * ((shape[0] - 1) as f64 * steps[0]
                + (shape[1] - 1) as f64 * steps[1]
                + (shape[2] - 1) as f64 * steps[2]);
        let geometry = VolumeGeometry::new(shape, -middle, steps).unwrap();
        let values = (0..geometry.len()).map(|i| (i * 7919 % 1009) as f32).collect();
        Volume::from_vec(geometry, values)
    }

    /// The largest value of a picture with its place: right and up from the middle, millimetres.
    fn brightest(picture: &Turned, slice_mm: f64) -> (f32, f64, f64) {
        let [rows, columns] = picture.shape;
        let (at, value) = picture
            .values
            .iter()
            .enumerate()
            .fold((0, 0.0), |best, (i, &v)| if v > best.1 { (i, v) } else { best });
        let right = ((at % columns) as f64 - 0.5 * (columns - 1) as f64) * picture.pixel_mm;
        let up = (0.5 * (rows - 1) as f64 - (at / columns) as f64) * slice_mm;
        (value, right, up)
    }

    #[test]
    fn at_right_angles_it_is_the_projection_of_the_voxels() {
        let volume = volume([DVec3::Z * 5.0, DVec3::Y * 3.0, DVec3::X * 3.0], [4, 6, 8]);
        let turned = turning_mip(&volume, 4);
        assert_eq!(turned.iter().map(|t| t.degrees).collect::<Vec<_>>(), [0.0, 90.0, 180.0, 270.0]);
        for (picture, view) in turned.iter().zip([View::Coronal, View::Sagittal]) {
            // Both have the head on top.
            let plate = mip(&volume, view);
            let [rows, columns] = picture.shape;
            let width = plate.size[0];
            // An even number of voxels falls between the pixels of an odd number: compare row by row at half steps.
            for row in 0..rows {
                let line = &picture.values[row * columns..][..columns];
                let first = (columns - width) / 2;
                for (k, pair) in plate.values[row * width..][..width].windows(2).enumerate() {
                    let here = line[first + k + 1];
                    assert!((here - 0.5 * (pair[0] + pair[1])).abs() < 0.01, "{view:?} {row} {k}");
                }
            }
        }
    }

    #[test]
    fn a_hot_voxel_is_seen_where_it_lies_from_every_side() {
        let turn = DMat3::from_rotation_z(0.3);
        let stacks = [
            [DVec3::Z * 4.0, DVec3::Y * 2.0, DVec3::X * 2.0],
            [DVec3::Z * -4.0, DVec3::Y * 3.0, DVec3::X * 2.0],
            [DVec3::Z * 4.0, turn * DVec3::Y * 2.0, turn * DVec3::X * 2.5],
            [DVec3::Y * 2.0, DVec3::Z * -2.0, DVec3::X * 2.0],
        ];
        for steps in stacks {
            let mut volume = volume(steps, [21, 31, 41]).map(|_| 0.0);
            for voxel in [[14, 22, 12], [14, 22, 13], [14, 23, 12], [14, 23, 13], [15, 22, 12]] {
                volume[voxel] = 10.0;
            }
            let place = volume.geometry().centre_of([14, 22, 12]);
            for picture in turning_mip(&volume, 12) {
                let (sin, cos) = picture.degrees.to_radians().sin_cos();
                let expected = place.x * cos + place.y * sin;
                let (value, right, up) =
                    brightest(&picture, 4.0_f64.min(steps[0].length().max(2.0)));
                assert!(value > 5.0, "{steps:?} {}: {value}", picture.degrees);
                assert!(
                    (right - expected).abs() < 4.5,
                    "{steps:?} {}: {right} {expected}",
                    picture.degrees
                );
                assert!(
                    (up - place.z).abs() < 4.5,
                    "{steps:?} {}: {up} {}",
                    picture.degrees,
                    place.z
                );
            }
        }
    }

    #[test]
    fn any_number_of_threads_and_an_odd_number_of_angles() {
        let volume = volume([DVec3::Z * 5.0, DVec3::Y * 3.0, DVec3::X * 3.0], [4, 6, 8]);
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| turning_mip(&volume, 5))
        };
        assert_eq!(run(1), run(2));
        assert_eq!(run(2).len(), 5);
    }
}
