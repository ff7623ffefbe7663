//! RTSTRUCT: contours to voxels.
//!
//! A voxel belongs to a region when its centre lies inside by the even-odd rule: the crossings of all closed contours
//! of the nearest contour plane within half a slice are counted together, so a second contour inside the first is a
//! hole. Edges are half-open (a centre on the lower edge is inside, on the upper edge outside). Nothing is filled in
//! between contour planes; where planes lie closer than slices, each slice takes the plane nearest to it.
//!
//! Source: DICOM PS3.3 C.8.8.5 and C.8.8.6 (`ContourGeometricType` `CLOSED_PLANAR`, `CLOSEDPLANAR_XOR`); even-odd on voxel
//! centres is the rule of the IBSI reference manual (chapter 2, "ROI mask generation").

use std::collections::BTreeMap;

use dicom_dictionary_std::tags;
use glam::DVec3;

use crate::acquisition::Attribute;
use crate::diagnostic::{Warned, Warning};
use crate::dicom::attribute;
use crate::dicom::data_set::DataSet;
use crate::dicom::seg::coded_concept;
use crate::geometry::VolumeGeometry;
use crate::mask_file::{CodedConcept, MaskFault, PlaceCodes, Placed, check_frame};
use crate::segmentation::Region;
use crate::volume::{Mask, Volume};

/// Contours that lie closer than this belong to one plane.
const ONE_PLANE_MM: f64 = 0.2;

/// Differences below this part of a slice are rounding of the coordinates in the file, often given to 0.001 mm.
const TIE: f64 = 1e-3;

/// A contour may lean by this part of the slice spacing, and lie this far off a slice before it is worth a remark.
const SLACK: f64 = 0.1;

/// A closed contour in index space: its continuous slice and its `(row, column)` vertices.
#[derive(Debug)]
struct Contour {
    slice: f64,
    vertices: Vec<[f64; 2]>,
}

/// The regions of a structure set, in the order of `StructureSetROISequence` (3006,0020).
pub(super) fn regions(
    object: DataSet,
    onto: &VolumeGeometry,
    scan_frame: Option<&str>,
) -> Result<Warned<Vec<Placed>>, MaskFault> {
    let rois = object.items(tags::STRUCTURE_SET_ROI_SEQUENCE);
    let mut warnings = Vec::new();
    let mut placed: Vec<Placed> = Vec::new();
    let mut refused = None;
    for roi in rois.iter() {
        let number = attribute::count(roi, tags::ROI_NUMBER);
        let number = *number.value().ok_or_else(|| {
            MaskFault::Malformed(format!("ROINumber (3006,0022) {}", fault(&number)))
        })?;
        let name = match attribute::text_or_empty(roi, tags::ROI_NAME) {
            name if name.is_empty() => format!("ROI {number}"),
            name => name,
        };
        let contours = match contours_of(object, number, &name, onto, &mut warnings) {
            // Drawn on other planes: the other regions can be measured all the same.
            Err(leaning @ MaskFault::Unsupported(_)) => {
                let message = format!("region {name:?} is left out: {leaning}");
                warnings.push(Warning::new("REGION_NOT_PLANAR", message));
                refused = Some(leaning);
                continue;
            }
            contours => contours?,
        };
        if !contours.is_empty()
            && let Err(other) =
                check_frame(frame_of(object, roi).as_deref(), scan_frame, &mut warnings)
        {
            let message = format!("region {name:?} is left out: {other}");
            warnings.push(Warning::new("REGION_OTHER_FRAME", message));
            refused = Some(other);
            continue;
        }
        let code = code_of(object, number);
        placed.push(place(NamedParts { name, number, code }, &contours, onto, &mut warnings));
    }
    match refused {
        // Nothing but empty regions is left beside those that are left out.
        Some(other) if placed.iter().all(|p| p.drawn == 0) => Err(other),
        _ => Ok(Warned { output: placed, warnings }),
    }
}

/// What a region is called.
struct NamedParts {
    name: String,
    number: u32,
    code: Option<CodedConcept>,
}

fn fault<T>(attribute: &Attribute<T>) -> String {
    attribute.fault().unwrap_or_default()
}

/// `ReferencedFrameOfReferenceUID` of the region, else the only one of the structure set.
fn frame_of(object: DataSet, roi: DataSet) -> Option<String> {
    let own = attribute::uid(roi, tags::REFERENCED_FRAME_OF_REFERENCE_UID);
    if let Some(own) = own.value() {
        return Some(own.clone());
    }
    let frames = object.items(tags::REFERENCED_FRAME_OF_REFERENCE_SEQUENCE);
    let only = frames.first().filter(|_| frames.len() == 1);
    attribute::uid(only.unwrap_or(object), tags::FRAME_OF_REFERENCE_UID).value().cloned()
}

fn code_of(object: DataSet, number: u32) -> Option<CodedConcept> {
    object
        .items(tags::RTROI_OBSERVATIONS_SEQUENCE)
        .iter()
        .filter(|o| attribute::count(*o, tags::REFERENCED_ROI_NUMBER).value() == Some(&number))
        .find_map(|o| coded_concept(o, tags::RTROI_IDENTIFICATION_CODE_SEQUENCE))
}

/// The closed contours of one region, in index space.
fn contours_of(
    object: DataSet,
    number: u32,
    name: &str,
    onto: &VolumeGeometry,
    warnings: &mut Vec<Warning>,
) -> Result<Vec<Contour>, MaskFault> {
    let mut contours = Vec::new();
    let mut open = 0_usize;
    let items = object
        .items(tags::ROI_CONTOUR_SEQUENCE)
        .iter()
        .filter(|item| {
            attribute::count(*item, tags::REFERENCED_ROI_NUMBER).value() == Some(&number)
        })
        .flat_map(|item| item.items(tags::CONTOUR_SEQUENCE).iter());
    for item in items {
        let kind = attribute::text_or_empty(item, tags::CONTOUR_GEOMETRIC_TYPE);
        let points = points_of(item, name)?;
        let closed = matches!(kind.as_str(), "CLOSED_PLANAR" | "CLOSEDPLANAR_XOR");
        if closed && points.len() >= 3 {
            contours.push(contour(&points, name, onto)?);
        } else {
            open += 1;
        }
    }
    if open > 0 {
        warnings.push(Warning::new(
            "CONTOURS_IGNORED",
            format!(
                "{open} contours of region {name:?} are points or open lines and enclose nothing"
            ),
        ));
    }
    Ok(contours)
}

fn points_of(item: DataSet, name: &str) -> Result<Vec<DVec3>, MaskFault> {
    let data = attribute::numbers(item, tags::CONTOUR_DATA);
    let bad = |why: String| {
        MaskFault::Malformed(format!("ContourData (3006,0050) of region {name:?} {why}"))
    };
    let values = match &data {
        Attribute::Value(values) => values,
        Attribute::Empty => return Ok(Vec::new()),
        Attribute::Absent | Attribute::Unreadable(_) => {
            let why: String = fault(&data).chars().take(80).collect();
            return Err(bad(why));
        }
    };
    let (points, rest) = values.as_chunks::<3>();
    if !rest.is_empty() {
        return Err(bad(format!("has {} values, which is no multiple of 3", values.len())));
    }
    let promised = attribute::count(item, tags::NUMBER_OF_CONTOUR_POINTS);
    match promised.value() {
        Some(&n) if n as usize != points.len() => {
            Err(bad(format!("has {} points where {n} are promised", points.len())))
        }
        _ => Ok(points.iter().map(|&p| DVec3::from_array(p)).collect()),
    }
}

/// A contour in index space; refused where it does not lie in the plane of the slices.
fn contour(points: &[DVec3], name: &str, onto: &VolumeGeometry) -> Result<Contour, MaskFault> {
    let indices: Vec<DVec3> = points.iter().map(|&p| onto.index_of(p)).collect();
    if indices.iter().any(|i| i.abs().max_element() > 1e6) {
        let why = format!("a contour of region {name:?} lies a million voxels away");
        return Err(MaskFault::Malformed(why));
    }
    let slice = indices.iter().map(|i| i.x).sum::<f64>() / indices.len() as f64;
    let lean = indices.iter().map(|i| (i.x - slice).abs()).fold(0.0, f64::max);
    if lean > SLACK {
        let mm = 2.0 * lean * onto.spacing_mm()[0];
        return Err(MaskFault::Unsupported(format!(
            "a contour of region {name:?} is not parallel to the slices of the scan (it leans by \
             {mm:.1} mm); draw the region on this scan, or give it as NIfTI or DICOM SEG"
        )));
    }
    let vertices = indices.iter().map(|i| [i.y, i.z].map(snapped)).collect();
    Ok(Contour { slice, vertices })
}

/// A multiple of 2^-20 voxel: so vertices on voxel centres stay there whatever the rounding of the affine.
fn snapped(index: f64) -> f64 {
    const STEPS: f64 = 1_048_576.0;
    (index * STEPS).round() / STEPS
}

fn place(
    NamedParts { name, number, code }: NamedParts,
    contours: &[Contour],
    onto: &VolumeGeometry,
    warnings: &mut Vec<Warning>,
) -> Placed {
    let spacing = onto.spacing_mm()[0];
    let by_slice = nearest_planes(contours, onto.shape()[0], ONE_PLANE_MM / spacing);
    let mut mask = Volume::filled(onto.clone(), false);
    let [_, rows, columns] = onto.shape();
    let mut crossings = vec![false; rows * columns];
    for (&slice, plane) in &by_slice.planes {
        for contour in plane {
            cross(&contour.vertices, rows, columns, &mut crossings);
        }
        fill(&mut mask, slice, &mut crossings);
    }
    if by_slice.between > 0 {
        warnings.push(Warning::new(
            "CONTOURS_BETWEEN_SLICES",
            format!(
                "{} contours of region {name:?} lie on planes closer than the slices of the scan; each \
                 slice takes the nearest plane only",
                by_slice.between
            ),
        ));
    }
    sparse_warning(&name, contours, warnings);
    let resampled = by_slice.between > 0 || by_slice.off > SLACK;
    let voxels = Region::from_mask(&mask);
    let (drawn, lost) = (contours.len(), by_slice.outside);
    let place = PlaceCodes::default();
    Placed { name, number: Some(number), code, resampled, place, voxels, drawn, lost }
}

/// Contours by the slice they fill.
struct BySlice<'a> {
    planes: BTreeMap<usize, Vec<&'a Contour>>,
    /// Contours of planes that are not the nearest of their slice.
    between: usize,
    /// Contours more than half a slice outside the scan.
    outside: usize,
    /// Largest distance of a used plane from its slice, in slices.
    off: f64,
}

fn nearest_planes(contours: &[Contour], slices: usize, one_plane: f64) -> BySlice<'_> {
    let mut planes: BTreeMap<usize, Vec<&Contour>> = BTreeMap::new();
    let mut found = BySlice { planes: BTreeMap::new(), between: 0, outside: 0, off: 0.0 };
    for contour in contours {
        let slice = (contour.slice + 0.5 + TIE).floor();
        if slice >= 0.0 && slice < slices as f64 {
            planes.entry(slice as usize).or_default().push(contour);
        } else {
            found.outside += 1;
        }
    }
    for (slice, mut all) in planes {
        let distance = |c: &Contour| (c.slice - slice as f64).abs();
        let closest = all.iter().map(|c| distance(c)).fold(f64::INFINITY, f64::min);
        // Of two planes equally far the lower one is taken on every slice, whatever the order of contours.
        let Some(nearest) = all
            .iter()
            .copied()
            .filter(|c| distance(c) <= closest + TIE)
            .min_by(|a, b| a.slice.total_cmp(&b.slice))
        else {
            continue;
        };
        let before = all.len();
        all.retain(|c| (c.slice - nearest.slice).abs() <= one_plane);
        found.between += before - all.len();
        found.off = found.off.max(distance(nearest));
        found.planes.insert(slice, all);
    }
    found
}

/// Says so where contour planes are farther apart than slices, for nothing is filled in between.
fn sparse_warning(name: &str, contours: &[Contour], warnings: &mut Vec<Warning>) {
    let mut slices: Vec<f64> = contours.iter().map(|c| c.slice).collect();
    slices.sort_by(f64::total_cmp);
    let steps = slices.windows(2).map(|pair| pair[1] - pair[0]);
    let closest = steps.filter(|&step| step > SLACK).fold(f64::INFINITY, f64::min);
    if closest.is_finite() && closest > 1.5 {
        warnings.push(Warning::new(
            "CONTOURS_SPARSE",
            format!(
                "the contours of region {name:?} lie {closest:.1} slices apart; the slices between them \
                 stay empty"
            ),
        ));
    }
}

/// Marks, in each row that an edge crosses, the first column at or beyond the crossing.
///
/// An edge from row `a` up to row `b` crosses the rows of `a..b`: the half-open rule.
fn cross(vertices: &[[f64; 2]], rows: usize, columns: usize, crossings: &mut [bool]) {
    let next = vertices.iter().cycle().skip(1);
    for (&from, &to) in vertices.iter().zip(next) {
        // Always computed upwards, so that an edge run both ways cancels exactly.
        let (low, high) = if from[0] <= to[0] { (from, to) } else { (to, from) };
        let first = low[0].ceil().max(0.0) as usize;
        let end = high[0].ceil().clamp(0.0, rows as f64) as usize;
        for row in first..end {
            let part = (row as f64 - low[0]) / (high[0] - low[0]);
            let column = (low[1] + part * (high[1] - low[1])).ceil().max(0.0) as usize;
            if column < columns {
                crossings[row * columns + column] ^= true;
            }
        }
    }
}

/// Runs along the rows of a slice, in and out at each crossing; leaves the crossings cleared.
fn fill(mask: &mut Mask, slice: usize, crossings: &mut [bool]) {
    let [_, _, columns] = mask.geometry().shape();
    let start = slice * crossings.len();
    let voxels = &mut mask.values_mut()[start..start + crossings.len()];
    for (marks, row) in crossings.chunks_mut(columns).zip(voxels.chunks_mut(columns)) {
        let mut inside = false;
        for (mark, voxel) in marks.iter_mut().zip(row) {
            inside ^= std::mem::take(mark);
            *voxel = inside;
        }
    }
}

#[cfg(test)]
mod tests;
