//! Structure sets made here, so that the right answer is known.

use dicom_core::value::DataSetSequence;
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_object::InMemDicomObject;
use glam::DMat3;

use super::*;
use crate::dicom::data_set::tests::written;

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
    let contours = rings.iter().map(|r| contour_item("CLOSED_PLANAR", &data_of(r, onto))).collect();
    regions(written(&structure_set(contours, "1.2")).root(), onto, Some("1.2"))
}

fn voxels_by_slice(placed: &Placed) -> Vec<(usize, usize)> {
    let mask = placed.voxels.to_mask(&oblique());
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
    assert!(placed.resampled);
    assert_eq!((placed.drawn, placed.lost), (2, 1));
    assert!(!read(&[square(4.02, 5.0, 15.0)], &onto).unwrap().output[0].resampled);
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
    let found =
        regions(written(&structure_set(contours, "1.2")).root(), &onto, Some("1.2")).unwrap();
    assert_eq!(codes(&found.warnings), ["CONTOURS_IGNORED"]);
    assert_eq!((found.output.len(), found.output[0].drawn), (1, 0));
    let xor = vec![contour_item("CLOSEDPLANAR_XOR", &data)];
    let found = regions(written(&structure_set(xor, "1.2")).root(), &onto, Some("1.2")).unwrap();
    assert_eq!(voxels_by_slice(&found.output[0]), [(4, 100)]);
}

#[test]
fn another_frame_of_reference_is_refused() {
    let onto = oblique();
    let contours = || vec![contour_item("CLOSED_PLANAR", &data_of(&square(4.0, 5.0, 15.0), &onto))];
    let found = regions(written(&structure_set(contours(), "1.3")).root(), &onto, Some("1.2"));
    assert!(matches!(found, Err(MaskFault::OtherFrame { .. })));
    let found =
        regions(written(&structure_set(contours(), "")).root(), &onto, Some("1.2")).unwrap();
    assert_eq!(codes(&found.warnings), ["MASK_FRAME_UNKNOWN"]);
}

#[test]
fn damaged_contours_are_errors() {
    let onto = oblique();
    let rows = ["1\\2", "1\\2\\3\\4", "a\\b\\c", "NaN\\0\\0", "1e300\\0\\0\\0\\1\\0\\1\\0\\0"];
    for data in rows {
        let contours = vec![contour_item("CLOSED_PLANAR", data)];
        let found = regions(written(&structure_set(contours, "1.2")).root(), &onto, Some("1.2"));
        assert!(matches!(found, Err(MaskFault::Malformed(_))), "{data}");
    }
    let mut miscounted = contour_item("CLOSED_PLANAR", &data_of(&square(4.0, 5.0, 15.0), &onto));
    miscounted.put(text(tags::NUMBER_OF_CONTOUR_POINTS, VR::IS, "5"));
    let found =
        regions(written(&structure_set(vec![miscounted], "1.2")).root(), &onto, Some("1.2"));
    assert!(matches!(found, Err(MaskFault::Malformed(_))));
}

#[test]
fn a_leaning_region_is_left_out_and_the_others_are_read() {
    let onto = oblique();
    let leaning = vec![[4.0, 5.0, 5.0], [4.0, 5.0, 15.0], [4.6, 15.0, 15.0], [4.6, 15.0, 5.0]];
    let mut object = structure_set(
        vec![contour_item("CLOSED_PLANAR", &data_of(&square(4.0, 5.0, 15.0), &onto))],
        "1.2",
    );
    let tags_of = |number: &str| {
        InMemDicomObject::from_element_iter([
            text(tags::ROI_NUMBER, VR::IS, number),
            text(tags::ROI_NAME, VR::LO, number),
        ])
    };
    object.put(items(tags::STRUCTURE_SET_ROI_SEQUENCE, vec![tags_of("8"), tags_of("7")]));
    let drawn = |number: &str, ring: &Ring| {
        let contour = contour_item("CLOSED_PLANAR", &data_of(ring, &onto));
        InMemDicomObject::from_element_iter([
            text(tags::REFERENCED_ROI_NUMBER, VR::IS, number),
            items(tags::CONTOUR_SEQUENCE, vec![contour]),
        ])
    };
    let good = drawn("7", &square(4.0, 5.0, 15.0));
    object.put(items(tags::ROI_CONTOUR_SEQUENCE, vec![good, drawn("8", &leaning)]));
    let found = regions(written(&object).root(), &onto, None).unwrap();
    assert_eq!(codes(&found.warnings), ["REGION_NOT_PLANAR"]);
    assert_eq!(found.output.len(), 1);
    assert_eq!(voxels_by_slice(&found.output[0]), [(4, 100)]);
}

/// Planes of a CT halfway between the slices: which one a slice takes depends neither on the order of contours nor on
/// the rounding of coordinates.
#[test]
fn of_two_planes_equally_far_the_lower_is_taken() {
    let onto = oblique();
    let noise = [0.0, 1e-5, -1e-5];
    for (a, b) in noise.into_iter().flat_map(|a| noise.map(|b| (a, b))) {
        let lower = square(3.75 + a, 5.0, 15.0);
        let upper = square(4.25 + b, 8.0, 12.0);
        for rings in [[lower.clone(), upper.clone()], [upper, lower]] {
            let found = read(&rings, &onto).unwrap();
            assert_eq!(voxels_by_slice(&found.output[0]), [(4, 100)]);
        }
        let found = read(&[square(3.5 + a, 5.0, 15.0)], &onto).unwrap();
        assert_eq!(voxels_by_slice(&found.output[0]), [(4, 100)]);
    }
}
