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
use dicom_object::InMemDicomObject;
use glam::DVec3;

use crate::acquisition::Attribute;
use crate::diagnostic::{Warned, Warning};
use crate::dicom::attribute;
use crate::dicom::seg::coded_concept;
use crate::geometry::VolumeGeometry;
use crate::mask_file::{CodedConcept, MaskFault, NamedRegion, Placed, check_frame, check_memory};
use crate::volume::{Mask, Volume};

/// Contours that lie closer than this belong to one plane.
const ONE_PLANE_MM: f64 = 0.2;

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
    object: &InMemDicomObject,
    onto: &VolumeGeometry,
    scan_frame: Option<&str>,
) -> Result<Warned<Vec<Placed>>, MaskFault> {
    let rois = attribute::items(object, tags::STRUCTURE_SET_ROI_SEQUENCE);
    check_memory(rois.len(), onto)?;
    let mut warnings = Vec::new();
    let mut placed = Vec::new();
    let mut refused = None;
    for roi in rois {
        let number = attribute::count(roi, tags::ROI_NUMBER);
        let number = *number.value().ok_or_else(|| {
            MaskFault::Malformed(format!("ROINumber (3006,0022) {}", fault(&number)))
        })?;
        let name = match attribute::text_or_empty(roi, tags::ROI_NAME) {
            name if name.is_empty() => format!("ROI {number}"),
            name => name,
        };
        let contours = contours_of(object, number, &name, onto, &mut warnings)?;
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
        // Nothing but empty regions is left beside those of another frame.
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
fn frame_of(object: &InMemDicomObject, roi: &InMemDicomObject) -> Option<String> {
    let own = attribute::uid(roi, tags::REFERENCED_FRAME_OF_REFERENCE_UID);
    if let Some(own) = own.value() {
        return Some(own.clone());
    }
    match attribute::items(object, tags::REFERENCED_FRAME_OF_REFERENCE_SEQUENCE) {
        [only] => attribute::uid(only, tags::FRAME_OF_REFERENCE_UID).value().cloned(),
        _ => attribute::uid(object, tags::FRAME_OF_REFERENCE_UID).value().cloned(),
    }
}

fn code_of(object: &InMemDicomObject, number: u32) -> Option<CodedConcept> {
    attribute::items(object, tags::RTROI_OBSERVATIONS_SEQUENCE)
        .iter()
        .filter(|o| attribute::count(o, tags::REFERENCED_ROI_NUMBER).value() == Some(&number))
        .find_map(|o| coded_concept(o, tags::RTROI_IDENTIFICATION_CODE_SEQUENCE))
}

/// The closed contours of one region, in index space.
fn contours_of(
    object: &InMemDicomObject,
    number: u32,
    name: &str,
    onto: &VolumeGeometry,
    warnings: &mut Vec<Warning>,
) -> Result<Vec<Contour>, MaskFault> {
    let mut contours = Vec::new();
    let mut open = 0_usize;
    let items = attribute::items(object, tags::ROI_CONTOUR_SEQUENCE)
        .iter()
        .filter(|item| attribute::count(item, tags::REFERENCED_ROI_NUMBER).value() == Some(&number))
        .flat_map(|item| attribute::items(item, tags::CONTOUR_SEQUENCE));
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

fn points_of(item: &InMemDicomObject, name: &str) -> Result<Vec<DVec3>, MaskFault> {
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
    let region = NamedRegion { name, number: Some(number), code, mask, resampled };
    Placed { region, drawn: contours.len(), lost: by_slice.outside }
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
        let slice = (contour.slice + 0.5).floor();
        if slice >= 0.0 && slice < slices as f64 {
            planes.entry(slice as usize).or_default().push(contour);
        } else {
            found.outside += 1;
        }
    }
    for (slice, mut all) in planes {
        let distance = |c: &Contour| (c.slice - slice as f64).abs();
        // Stable: of two planes equally far, that of the first contour is taken.
        let Some(nearest) = all.iter().copied().min_by(|a, b| distance(a).total_cmp(&distance(b)))
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
mod tests {
    use dicom_core::value::DataSetSequence;
    use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
    use glam::DMat3;

    use super::*;

    type Ring = Vec<[f64; 3]>;

    /// 21 slices 5 mm apart of 24 x 26 voxels, turned out of the axes of the patient.
    fn oblique() -> VolumeGeometry {
        let turn = DMat3::from_rotation_x(0.5) * DMat3::from_rotation_z(-0.9);
        let steps = [DVec3::X * -5.0, DVec3::Z * 3.0, DVec3::Y * 4.0].map(|step| turn * step);
        VolumeGeometry::new([21, 24, 26], DVec3::new(12.5, -80.25, 333.0), steps).unwrap()
    }

    /// A ring on a slice with corners `(row, column)`.
    fn ring(slice: f64, corners: &[[f64; 2]]) -> Ring {
        corners.iter().map(|&[row, column]| [slice, row, column]).collect()
    }

    fn square(slice: f64, from: f64, to: f64) -> Ring {
        ring(slice, &[[from, from], [from, to], [to, to], [to, from]])
    }

    fn text(tag: Tag, vr: VR, value: &str) -> dicom_object::mem::InMemElement {
        DataElement::new(tag, vr, PrimitiveValue::from(value))
    }

    fn items(tag: Tag, items: Vec<InMemDicomObject>) -> dicom_object::mem::InMemElement {
        DataElement::new(tag, VR::SQ, DataSetSequence::from(items))
    }

    /// `ContourData` in millimetres, with the sixteen characters that DS allows.
    fn data_of(ring: &Ring, onto: &VolumeGeometry) -> String {
        let places = ring.iter().map(|&index| {
            onto.patient_from_index().transform_point3(DVec3::from_array(index)).to_array()
        });
        places.flatten().map(|mm| format!("{mm:.9}")).collect::<Vec<_>>().join("\\")
    }

    fn contour_item(kind: &str, data: &str) -> InMemDicomObject {
        InMemDicomObject::from_element_iter([
            text(tags::CONTOUR_GEOMETRIC_TYPE, VR::CS, kind),
            text(tags::CONTOUR_DATA, VR::DS, data),
        ])
    }

    /// A structure set of one region, number 7.
    fn structure_set(contours: Vec<InMemDicomObject>, frame: &str) -> InMemDicomObject {
        let roi = InMemDicomObject::from_element_iter([
            text(tags::ROI_NUMBER, VR::IS, "7"),
            text(tags::ROI_NAME, VR::LO, "GTV"),
            text(tags::REFERENCED_FRAME_OF_REFERENCE_UID, VR::UI, frame),
        ]);
        let drawn = InMemDicomObject::from_element_iter([
            text(tags::REFERENCED_ROI_NUMBER, VR::IS, "7"),
            items(tags::CONTOUR_SEQUENCE, contours),
        ]);
        InMemDicomObject::from_element_iter([
            items(tags::STRUCTURE_SET_ROI_SEQUENCE, vec![roi]),
            items(tags::ROI_CONTOUR_SEQUENCE, vec![drawn]),
        ])
    }

    fn read(rings: &[Ring], onto: &VolumeGeometry) -> Result<Warned<Vec<Placed>>, MaskFault> {
        let contours =
            rings.iter().map(|r| contour_item("CLOSED_PLANAR", &data_of(r, onto))).collect();
        regions(&structure_set(contours, "1.2"), onto, Some("1.2"))
    }

    fn voxels_by_slice(placed: &Placed) -> Vec<(usize, usize)> {
        let mask = &placed.region.mask;
        let slices = mask.voxels().outer_iter().enumerate();
        slices
            .map(|(s, slice)| (s, slice.iter().filter(|&&v| v).count()))
            .filter(|&(_, n)| n > 0)
            .collect()
    }

    fn codes(warnings: &[Warning]) -> Vec<&'static str> {
        warnings.iter().map(|w| w.code).collect()
    }

    /// Rows: contours, voxels by slice, warnings.
    /// Rings, voxels in each slice, warning codes.
    type Row<'a> = (Vec<Ring>, &'a [(usize, usize)], &'a [&'a str]);

    #[test]
    fn contours_fill_by_the_even_odd_rule() {
        let onto = oblique();
        let hole = vec![square(4.0, 5.0, 15.0), square(4.0, 8.0, 12.0)];
        let keyhole = ring(
            4.0,
            &[
                [5.0, 5.0],
                [5.0, 15.0],
                [15.0, 15.0],
                [15.0, 5.0],
                [5.0, 5.0],
                [8.0, 8.0],
                [12.0, 8.0],
                [12.0, 12.0],
                [8.0, 12.0],
                [8.0, 8.0],
            ],
        );
        let overlapping = vec![square(4.0, 2.0, 12.0), square(4.0, 7.0, 17.0)];
        let alternate = [2.0, 4.0, 6.0].map(|s| square(s, 5.0, 15.0)).to_vec();
        let sliver = ring(4.0, &[[5.2, 5.1], [5.2, 5.9], [5.4, 5.9], [5.4, 5.1]]);
        let reversed = square(4.0, 5.0, 15.0).into_iter().rev().collect();
        let edges = square(4.0, -3.0, 100.0);
        // Planes 2 mm apart, as of a CT, on slices of 5 mm: slice 4 takes 4.1, slice 5 takes 4.9.
        let fine = [4.1, 4.5 - 1e-3, 4.9].map(|s| square(s, 5.0, 15.0)).to_vec();
        let rows: [Row<'_>; 11] = [
            (vec![square(4.0, 5.0, 15.0)], &[(4, 100)], &[]),
            (vec![reversed], &[(4, 100)], &[]),
            (vec![square(4.0, 4.5, 14.5)], &[(4, 100)], &[]),
            (hole, &[(4, 84)], &[]),
            (vec![keyhole], &[(4, 84)], &[]),
            (overlapping, &[(4, 150)], &[]),
            (vec![square(4.4, 5.0, 15.0)], &[(4, 100)], &[]),
            (alternate, &[(2, 100), (4, 100), (6, 100)], &["CONTOURS_SPARSE"]),
            (vec![sliver], &[], &[]),
            (vec![edges], &[(4, 24 * 26)], &[]),
            (fine, &[(4, 100), (5, 100)], &["CONTOURS_BETWEEN_SLICES"]),
        ];
        for (n, (rings, voxels, warnings)) in rows.into_iter().enumerate() {
            let found = read(&rings, &onto).unwrap();
            assert_eq!(voxels_by_slice(&found.output[0]), voxels, "row {n}");
            assert_eq!(codes(&found.warnings), warnings, "row {n}");
        }
    }

    #[test]
    fn adjacent_contours_share_no_voxel_and_leave_none_out() {
        let onto = oblique();
        let (a, b, c) = ([3.0, 3.0], [19.0, 4.0], [11.0, 21.0]);
        let inner = [11.3, 9.7];
        let whole = read(&[ring(4.0, &[a, b, c])], &onto).unwrap();
        let parts = [[a, b, inner], [b, c, inner], [c, a, inner]];
        let counts =
            parts.map(|p| voxels_by_slice(&read(&[ring(4.0, &p)], &onto).unwrap().output[0])[0].1);
        assert_eq!(counts.iter().sum::<usize>(), voxels_by_slice(&whole.output[0])[0].1);
    }

    #[test]
    fn a_contour_off_the_slice_is_said_to_be_resampled_and_one_outside_is_counted() {
        let onto = oblique();
        let found = read(&[square(4.4, 5.0, 15.0), square(-0.6, 5.0, 15.0)], &onto).unwrap();
        let placed = &found.output[0];
        assert!(placed.region.resampled);
        assert_eq!((placed.drawn, placed.lost), (2, 1));
        assert!(!read(&[square(4.02, 5.0, 15.0)], &onto).unwrap().output[0].region.resampled);
    }

    #[test]
    fn a_leaning_contour_is_refused() {
        let leaning = vec![[4.0, 5.0, 5.0], [4.0, 5.0, 15.0], [4.6, 15.0, 15.0], [4.6, 15.0, 5.0]];
        let error = read(&[leaning], &oblique()).unwrap_err();
        assert!(error.to_string().contains("not parallel"), "{error}");
    }

    #[test]
    fn open_contours_are_ignored_and_an_empty_region_is_kept() {
        let onto = oblique();
        let data = data_of(&square(4.0, 5.0, 15.0), &onto);
        let contours = vec![contour_item("OPEN_PLANAR", &data), contour_item("POINT", "1\\2\\3")];
        let found = regions(&structure_set(contours, "1.2"), &onto, Some("1.2")).unwrap();
        assert_eq!(codes(&found.warnings), ["CONTOURS_IGNORED"]);
        assert_eq!((found.output.len(), found.output[0].drawn), (1, 0));
        let xor = vec![contour_item("CLOSEDPLANAR_XOR", &data)];
        let found = regions(&structure_set(xor, "1.2"), &onto, Some("1.2")).unwrap();
        assert_eq!(voxels_by_slice(&found.output[0]), [(4, 100)]);
    }

    #[test]
    fn another_frame_of_reference_is_refused() {
        let onto = oblique();
        let contours =
            || vec![contour_item("CLOSED_PLANAR", &data_of(&square(4.0, 5.0, 15.0), &onto))];
        let found = regions(&structure_set(contours(), "1.3"), &onto, Some("1.2"));
        assert!(matches!(found, Err(MaskFault::OtherFrame { .. })));
        let found = regions(&structure_set(contours(), ""), &onto, Some("1.2")).unwrap();
        assert_eq!(codes(&found.warnings), ["MASK_FRAME_UNKNOWN"]);
    }

    #[test]
    fn damaged_contours_are_errors() {
        let onto = oblique();
        let rows = ["1\\2", "1\\2\\3\\4", "a\\b\\c", "NaN\\0\\0", "1e300\\0\\0\\0\\1\\0\\1\\0\\0"];
        for data in rows {
            let contours = vec![contour_item("CLOSED_PLANAR", data)];
            let found = regions(&structure_set(contours, "1.2"), &onto, Some("1.2"));
            assert!(matches!(found, Err(MaskFault::Malformed(_))), "{data}");
        }
        let mut miscounted =
            contour_item("CLOSED_PLANAR", &data_of(&square(4.0, 5.0, 15.0), &onto));
        miscounted.put(text(tags::NUMBER_OF_CONTOUR_POINTS, VR::IS, "5"));
        let found = regions(&structure_set(vec![miscounted], "1.2"), &onto, Some("1.2"));
        assert!(matches!(found, Err(MaskFault::Malformed(_))));
    }
}
