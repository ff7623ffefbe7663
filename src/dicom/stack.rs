//! From the positions of slices to one lattice, or the reason why there is none.
//!
//! Slices are ordered by their position along the normal of the image plane, n = row direction × column direction, so
//! the slice index increases along n: towards the head for the usual axial stack, and always a right-handed lattice.
//! The step is the mean step; bed joins of a PET jitter by some hundredths of a millimetre.
//!
//! Source: DICOM PS3.3 C.7.6.2.1.1 (position and orientation), 10.7.1.3 (`PixelSpacing`: rows first).

use std::ffi::OsStr;
use std::path::PathBuf;

use glam::DVec3;

use super::error::GeometryFault;
use super::record::{Frame, Record};
use crate::geometry::VolumeGeometry;

/// A step may differ from the mean step by this share of it: bed joins do (3.27 beside 3.19 mm).
const STEP_TOLERANCE: f64 = 0.1;
/// A slice may lie this share of a step beside its place on the lattice: jitter must not add up.
const DRIFT_TOLERANCE: f64 = 0.5;
/// Largest difference of a direction cosine between slices.
const COSINE_TOLERANCE: f64 = 1e-3;
/// Largest relative difference of pixel spacing between slices.
const SPACING_TOLERANCE: f64 = 1e-4;

/// Distances between neighbouring pixels that a scanner can have, in millimetres; others are in another unit.
const PIXEL_MM: std::ops::RangeInclusive<f64> = 0.01..=100.0;
/// Furthest place from the origin: a hundred metres, beyond which a NIfTI affine (f32) would be off by hundredths.
const FURTHEST_MM: f64 = 1e5;

const ORIENTATION: &str = "ImageOrientationPatient (0020,0037)";
const POSITION: &str = "ImagePositionPatient (0020,0032)";
const SPACING: &str = "PixelSpacing (0028,0030)";

/// One slice with its file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slice<'a> {
    pub(super) record: &'a Record,
    pub(super) frame: &'a Frame,
}

impl Slice<'_> {
    fn path(&self) -> PathBuf {
        self.record.path.clone()
    }
}

/// The plane that all slices share.
#[derive(Debug, Clone, Copy)]
struct Plane {
    /// Direction in which the column index increases.
    along_row: DVec3,
    /// Direction in which the row index increases.
    along_column: DVec3,
    /// Distance between rows and between columns.
    spacing: [f64; 2],
}

/// Orders the slices along the normal (as far as their attributes allow) and builds the lattice.
pub(super) fn place(slices: &mut [Slice]) -> Result<VolumeGeometry, GeometryFault> {
    let Some(first) = slices.first().copied() else {
        return Err(GeometryFault::TooFew { slices: 0 });
    };
    let plane = Plane::of(first)?;
    for slice in slices.iter().filter(|slice| !slice.record.shares_facts(first.record)) {
        plane.agrees(Plane::of(*slice)?, first.record, slice.record)?;
    }
    let normal = plane.along_row.cross(plane.along_column).normalize();
    let mut placed = Vec::with_capacity(slices.len());
    for slice in slices.iter() {
        let place =
            slice.frame.place().map_err(|fault| attribute(POSITION, fault, slice.record))?;
        if place.abs().max_element() > FURTHEST_MM {
            let fault = "lies more than 100 m from the origin".to_owned();
            return Err(attribute(POSITION, fault, slice.record));
        }
        placed.push((place.dot(normal), place, *slice));
    }
    placed.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| order(&a.2).cmp(&order(&b.2))));
    for (target, (_, _, slice)) in slices.iter_mut().zip(&placed) {
        *target = *slice;
    }
    if placed.len() < 2 {
        return Err(GeometryFault::TooFew { slices: placed.len() });
    }
    let places = placed.iter().map(|&(_, place, _)| place).collect::<Vec<_>>();
    let step = regular_step(&places, normal, slices)?;
    let format = &first.record.format;
    let [row_mm, column_mm] = plane.spacing;
    Ok(VolumeGeometry::new(
        [slices.len(), format.rows as usize, format.columns as usize],
        places[0],
        [step, row_mm * plane.along_column, column_mm * plane.along_row],
    )?)
}

fn order<'a>(slice: &Slice<'a>) -> (&'a OsStr, u32) {
    (slice.record.path.as_os_str(), slice.frame.index)
}

fn attribute(attribute: &'static str, fault: String, record: &Record) -> GeometryFault {
    GeometryFault::Attribute { attribute, fault, file: record.path.clone() }
}

impl Plane {
    fn of(slice: Slice) -> Result<Self, GeometryFault> {
        let Slice { record, frame } = slice;
        let values = |found: &crate::acquisition::Attribute<Vec<f64>>, n: usize, name| match found
            .value()
        {
            Some(values) if values.len() == n => Ok(values.clone()),
            Some(values) => {
                Err(attribute(name, format!("has {} values instead of {n}", values.len()), record))
            }
            None => Err(attribute(name, found.fault().unwrap_or_default(), record)),
        };
        let cosines = values(&frame.orientation, 6, ORIENTATION)?;
        let spacing = values(&frame.pixel_spacing, 2, SPACING)?;
        let (along_row, along_column) =
            (DVec3::from_slice(&cosines[..3]), DVec3::from_slice(&cosines[3..]));
        let unit = |v: DVec3| (v.length() - 1.0).abs() < 0.01;
        if !(unit(along_row) && unit(along_column) && along_row.dot(along_column).abs() < 0.01) {
            let fault = "does not hold two perpendicular unit vectors".to_owned();
            return Err(attribute(ORIENTATION, fault, record));
        }
        if !spacing.iter().all(|mm| PIXEL_MM.contains(mm)) {
            let fault = format!("{} x {} is not between 0.01 and 100 mm", spacing[0], spacing[1]);
            return Err(attribute(SPACING, fault, record));
        }
        Ok(Self {
            along_row: along_row.normalize(),
            along_column: along_column.normalize(),
            spacing: [spacing[0], spacing[1]],
        })
    }

    fn agrees(&self, other: Self, here: &Record, there: &Record) -> Result<(), GeometryFault> {
        let differs = |attribute| GeometryFault::Differs {
            attribute,
            files: Box::new([here.path.clone(), there.path.clone()]),
        };
        let turned = (self.along_row - other.along_row)
            .abs()
            .max((self.along_column - other.along_column).abs())
            .max_element();
        if turned > COSINE_TOLERANCE {
            return Err(differs(ORIENTATION));
        }
        let scaled = |i: usize| (self.spacing[i] - other.spacing[i]).abs() / self.spacing[i];
        if scaled(0).max(scaled(1)) > SPACING_TOLERANCE {
            return Err(differs(SPACING));
        }
        Ok(())
    }
}

/// The mean step of positions that lie in order along the normal, if they are regular.
fn regular_step(places: &[DVec3], normal: DVec3, slices: &[Slice]) -> Result<DVec3, GeometryFault> {
    let advances =
        places.windows(2).map(|pair| (pair[1] - pair[0]).dot(normal)).collect::<Vec<_>>();
    let mut sorted = advances.clone();
    sorted.sort_by(f64::total_cmp);
    // The lower median: of two steps the smaller is the usual one, the larger may be a gap.
    let usual = sorted[(sorted.len() - 1) / 2];
    // Where most places are there more than once the usual step is none, and the largest tells what one is.
    let scale = if usual > 0.01 { usual } else { sorted[sorted.len() - 1] };
    repeated_places(places, &advances, scale, slices)?;
    for (i, &advance) in advances.iter().enumerate() {
        let missing = (advance / usual).round() as usize;
        if advance > (1.0 + STEP_TOLERANCE) * usual && missing >= 2 {
            return Err(GeometryFault::Gap {
                missing: missing - 1,
                after_mm: places[i],
                before_mm: places[i + 1],
                step_mm: usual,
            });
        }
    }
    let step = (places[places.len() - 1] - places[0]) / advances.len() as f64;
    for (i, pair) in places.windows(2).enumerate() {
        let odd = pair[1] - pair[0] - step;
        let shift = odd - odd.dot(normal) * normal;
        if shift.length() > STEP_TOLERANCE * usual {
            return Err(GeometryFault::Shifted { place_mm: pair[0], shift_mm: shift.length() });
        }
        let drift = places[i + 1] - places[0] - step * (i + 1) as f64;
        if odd.length() > STEP_TOLERANCE * usual || drift.length() > DRIFT_TOLERANCE * usual {
            return Err(GeometryFault::Uneven {
                place_mm: pair[0],
                found_mm: advances[i],
                step_mm: usual,
            });
        }
    }
    Ok(step)
}

/// Refuses places that are there more than once: all of them equally often in a dynamic or gated series, some of them
/// otherwise.
fn repeated_places(
    places: &[DVec3],
    advances: &[f64],
    scale: f64,
    slices: &[Slice],
) -> Result<(), GeometryFault> {
    let same = |advance: f64| advance <= STEP_TOLERANCE * scale.max(1e-3);
    let Some(first) = advances.iter().position(|&advance| same(advance)) else { return Ok(()) };
    let shift_mm = (places[first + 1] - places[first]).length();
    if !same(shift_mm) {
        return Err(GeometryFault::Shifted { place_mm: places[first], shift_mm });
    }
    let mut runs = vec![1_usize];
    for &advance in advances {
        match runs.last_mut() {
            Some(run) if same(advance) => *run += 1,
            _ => runs.push(1),
        }
    }
    let instance = |i: usize| (&slices[i].record.instance_uid, slices[i].frame.index);
    let copied = instance(first) == instance(first + 1);
    if !copied && runs.len() > 1 && runs.iter().all(|&run| run == runs[0]) {
        return Err(GeometryFault::Phases { places: runs.len(), times: runs[0] });
    }
    Err(GeometryFault::Duplicate {
        place_mm: places[first],
        files: Box::new([slices[first].path(), slices[first + 1].path()]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_of_many_slices_is_a_gap_and_no_repeated_place() {
        let heights = (0..20).chain(40..60).map(|n| DVec3::Z * 3.27 * f64::from(n));
        let places: Vec<DVec3> = heights.collect();
        let fault = regular_step(&places, DVec3::Z, &[]).unwrap_err();
        assert!(matches!(fault, GeometryFault::Gap { missing: 20, .. }), "{fault}");
    }
}
