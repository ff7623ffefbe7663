//! Segmentations made here, so that the right answer is known.

use dicom_core::value::DataSetSequence;
use dicom_core::{DataElement, PrimitiveValue, VR};
use dicom_object::InMemDicomObject;
use dicom_object::mem::InMemElement;
use glam::DMat3;

use super::*;
use crate::dicom::data_set::tests::written;

const ROWS: usize = 11;
const COLUMNS: usize = 13;
const SLICES: usize = 6;

/// A lattice on whose slices the segmentations are drawn, turned out of the axes of the patient.
fn scan() -> VolumeGeometry {
    let turn = DMat3::from_rotation_y(0.3) * DMat3::from_rotation_z(1.1);
    let steps = [DVec3::Z * 3.25, DVec3::Y * 4.5, DVec3::X * 4.0].map(|step| turn * step);
    let origin = DVec3::new(-31.0, 17.5, 240.0);
    VolumeGeometry::new([SLICES, ROWS, COLUMNS], origin, steps).unwrap()
}

/// The same places in another order: columns become slices, and the rows run backwards.
fn rearranged(g: &VolumeGeometry) -> VolumeGeometry {
    let [slice, row, column] = g.steps_mm();
    let shape = [COLUMNS, SLICES, ROWS];
    let origin = g.origin_mm() + row * (ROWS - 1) as f64;
    VolumeGeometry::new(shape, origin, [column, slice, -row]).unwrap()
}

/// Whether a voxel belongs to a segment: two that overlap, with no symmetry.
fn inside(segment: u32, [s, r, c]: [usize; 3]) -> bool {
    match segment {
        1 => (1..5).contains(&s) && (r + 2 * c + s) % 5 < 2,
        _ => (2..4).contains(&s) && (3 * r + c) % 7 < 3 && r > 0,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "literals, numbers and strings alike")]
fn text(tag: Tag, vr: VR, value: impl ToString) -> InMemElement {
    let text = value.to_string();
    let value = match vr {
        VR::US => PrimitiveValue::from(text.parse::<u16>().unwrap()),
        _ => PrimitiveValue::from(text),
    };
    DataElement::new(tag, vr, value)
}

fn numbers(tag: Tag, values: &[f64]) -> InMemElement {
    let joined: Vec<String> = values.iter().map(|v| format!("{v:.10}")).collect();
    text(tag, VR::DS, joined.join("\\"))
}

fn items(tag: Tag, items: Vec<InMemDicomObject>) -> InMemElement {
    DataElement::new(tag, VR::SQ, DataSetSequence::from(items))
}

fn one(tag: Tag, elements: Vec<InMemElement>) -> InMemElement {
    items(tag, vec![InMemDicomObject::from_element_iter(elements)])
}

fn plane_position(g: &VolumeGeometry, slice: usize) -> InMemElement {
    let place = g.centre_of([slice, 0, 0]).to_array();
    one(tags::PLANE_POSITION_SEQUENCE, vec![numbers(tags::IMAGE_POSITION_PATIENT, &place)])
}

fn segment_identification(number: u32) -> InMemElement {
    let number = text(tags::REFERENCED_SEGMENT_NUMBER, VR::US, number);
    one(tags::SEGMENT_IDENTIFICATION_SEQUENCE, vec![number])
}

fn orientation(g: &VolumeGeometry) -> InMemElement {
    let [_, row, column] = g.steps_mm().map(DVec3::normalize);
    let cosines = [column.to_array(), row.to_array()].concat();
    let cosines = vec![numbers(tags::IMAGE_ORIENTATION_PATIENT, &cosines)];
    one(tags::PLANE_ORIENTATION_SEQUENCE, cosines)
}

fn measures(g: &VolumeGeometry, spacing: bool) -> InMemElement {
    let [slice, row, column] = g.spacing_mm();
    let mut elements = vec![
        numbers(tags::PIXEL_SPACING, &[row, column]),
        numbers(tags::SLICE_THICKNESS, &[slice]),
    ];
    if spacing {
        elements.push(numbers(tags::SPACING_BETWEEN_SLICES, &[slice]));
    }
    one(tags::PIXEL_MEASURES_SEQUENCE, elements)
}

fn segment(number: u32) -> InMemDicomObject {
    let code = vec![
        text(tags::CODE_VALUE, VR::SH, 52_988_006),
        text(tags::CODING_SCHEME_DESIGNATOR, VR::SH, "SCT"),
        text(tags::CODE_MEANING, VR::LO, "Lesion"),
    ];
    InMemDicomObject::from_element_iter([
        text(tags::SEGMENT_NUMBER, VR::US, number),
        text(tags::SEGMENT_LABEL, VR::LO, format!("lesion {number}")),
        one(tags::SEGMENTED_PROPERTY_TYPE_CODE_SEQUENCE, code),
    ])
}

/// A header of the given frames; everything they share is in the shared groups.
fn header(
    g: &VolumeGeometry,
    kind: &str,
    segments: &[u32],
    frames: Vec<Vec<InMemElement>>,
) -> InMemDicomObject {
    let shared = vec![orientation(g), measures(g, true)];
    InMemDicomObject::from_element_iter([
        text(tags::SEGMENTATION_TYPE, VR::CS, kind),
        text(tags::FRAME_OF_REFERENCE_UID, VR::UI, "1.2"),
        text(tags::ROWS, VR::US, g.shape()[1]),
        text(tags::COLUMNS, VR::US, g.shape()[2]),
        text(tags::NUMBER_OF_FRAMES, VR::IS, frames.len()),
        items(tags::SEGMENT_SEQUENCE, segments.iter().map(|&n| segment(n)).collect()),
        one(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, shared),
        items(
            tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE,
            frames.into_iter().map(InMemDicomObject::from_element_iter).collect(),
        ),
    ])
}

/// Segment and slice of each frame: shuffled, the empty ones left out.
const ORDER: [(u32, usize); 6] = [(2, 3), (1, 4), (1, 1), (2, 2), (1, 3), (1, 2)];

fn binary_frames(g: &VolumeGeometry) -> Vec<Vec<InMemElement>> {
    let frame = |(n, s)| vec![plane_position(g, s), segment_identification(n)];
    ORDER.map(frame).to_vec()
}

/// Bits from the least significant on, frames without padding.
fn packed(order: &[(u32, usize)]) -> Pixels {
    let mut bytes = vec![0_u8; (order.len() * ROWS * COLUMNS).div_ceil(8)];
    let mut at = 0;
    for &(n, s) in order {
        for r in 0..ROWS {
            for c in 0..COLUMNS {
                bytes[at / 8] |= u8::from(inside(n, [s, r, c])) << (at % 8);
                at += 1;
            }
        }
    }
    Pixels::Bits(bytes)
}

fn read(
    object: &InMemDicomObject,
    pixels: Pixels,
    onto: &VolumeGeometry,
) -> Result<Warned<Vec<Placed>>, MaskFault> {
    regions(written(object).root(), || Ok(pixels), onto, Some("1.2"))
}

#[track_caller]
fn holds(placed: &Placed, number: u32, onto: &VolumeGeometry, drawn_on: &VolumeGeometry) {
    assert_eq!(placed.number, Some(number));
    let mask = placed.voxels.to_mask(onto);
    for (n, &found) in mask.values().iter().enumerate() {
        let place = onto.centre_of(mask.voxel_of(n));
        let expected = drawn_on.voxel_at(place).is_some_and(|voxel| inside(number, voxel));
        assert_eq!(found, expected, "segment {number} at {place}");
    }
}

#[test]
fn bits_of_odd_frames_in_any_order_find_their_places() {
    let g = scan();
    let object = header(&g, "BINARY", &[1, 2], binary_frames(&g));
    for (onto, resampled) in [(g.clone(), false), (rearranged(&g), false)] {
        let found = read(&object, packed(&ORDER), &onto).unwrap();
        assert_eq!(found.warnings, []);
        for (placed, number) in found.output.iter().zip([1, 2]) {
            holds(placed, number, &onto, &g);
            assert_eq!(placed.resampled, resampled);
            assert_eq!(placed.lost, 0);
            assert_eq!(placed.name, format!("lesion {number}"));
            assert_eq!(placed.code.as_ref().unwrap().value, "52988006");
        }
    }
}

#[test]
fn the_side_and_the_place_of_a_segment_are_read() {
    let g = scan();
    let code = |value: &str| {
        vec![
            text(tags::CODE_VALUE, VR::SH, value),
            text(tags::CODING_SCHEME_DESIGNATOR, VR::SH, "SCT"),
        ]
    };
    let with = |value: &str, modifier: Tag, side: &str| {
        let mut item = code(value);
        item.push(one(modifier, code(side)));
        item
    };
    let kind = with("64033007", tags::SEGMENTED_PROPERTY_TYPE_MODIFIER_CODE_SEQUENCE, "7771000");
    let region = with("39607008", tags::ANATOMIC_REGION_MODIFIER_SEQUENCE, "24028007");
    let mut first = segment(1);
    first.put(one(tags::SEGMENTED_PROPERTY_TYPE_CODE_SEQUENCE, kind));
    first.put(one(tags::ANATOMIC_REGION_SEQUENCE, region));
    let mut object = header(&g, "BINARY", &[1, 2], binary_frames(&g));
    object.put(items(tags::SEGMENT_SEQUENCE, vec![first, segment(2)]));
    let found = read(&object, packed(&ORDER), &g).unwrap().output;
    let place = &found[0].place;
    let values = [&place.modifier, &place.region, &place.region_modifier]
        .map(|code| code.as_ref().map(|code| code.value.as_str()));
    assert_eq!(values, [Some("7771000"), Some("39607008"), Some("24028007")]);
    assert_eq!(found[1].place, PlaceCodes::default());
}

#[test]
fn a_frame_without_its_group_takes_the_shared_one_and_shifts_no_other() {
    let g = scan();
    let mut frames = binary_frames(&g);
    frames[1] = vec![segment_identification(1)]; // slice 4, from the shared group
    let mut object = header(&g, "BINARY", &[1, 2], frames);
    let shared = vec![orientation(&g), measures(&g, true), plane_position(&g, 4)];
    object.put(one(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, shared));
    let found = read(&object, packed(&ORDER), &g).unwrap();
    holds(&found.output[0], 1, &g, &g);
    holds(&found.output[1], 2, &g, &g);
    object.put(one(
        tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE,
        vec![orientation(&g), measures(&g, true)],
    ));
    let error = read(&object, packed(&ORDER), &g).err().unwrap().to_string();
    assert!(error.contains("ImagePositionPatient of frame 2"), "{error}");
}

#[test]
fn a_sparse_segment_without_a_spacing_does_not_grow_thick() {
    let g = scan();
    let order = [(1, 1), (1, 4)];
    let frames = order.map(|(n, s)| vec![plane_position(&g, s), segment_identification(n)]);
    let mut object = header(&g, "BINARY", &[1], frames.to_vec());
    object.put(one(
        tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE,
        vec![orientation(&g), measures(&g, false)],
    ));
    let found = read(&object, packed(&order), &g).unwrap();
    let mask = found.output[0].voxels.to_mask(&g);
    for n in 0..g.len() {
        let voxel = mask.voxel_of(n);
        assert_eq!(mask[voxel], [1, 4].contains(&voxel[0]) && inside(1, voxel));
    }
}

#[test]
fn a_thin_frame_on_a_slice_is_not_resampled_and_a_thick_one_is() {
    let g = scan();
    let mut object = header(&g, "BINARY", &[1, 2], binary_frames(&g));
    for (part, resampled) in [(0.3, false), (1.0, false)] {
        let [slice, row, column] = g.spacing_mm();
        let measures = vec![
            numbers(tags::PIXEL_SPACING, &[row, column]),
            numbers(tags::SLICE_THICKNESS, &[part * slice]),
        ];
        let shared = vec![orientation(&g), one(tags::PIXEL_MEASURES_SEQUENCE, measures)];
        object.put(one(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, shared));
        let found = read(&object, packed(&ORDER), &g).unwrap();
        holds(&found.output[0], 1, &g, &g);
        assert_eq!(found.output[0].resampled, resampled, "{part}");
    }
    let [slice, row, column] = g.steps_mm();
    let finer = VolumeGeometry::new([12, ROWS, COLUMNS], g.origin_mm(), [slice / 2.0, row, column]);
    let found = read(&object, packed(&ORDER), &finer.unwrap()).unwrap();
    assert!(found.output[0].resampled, "one frame fills two slices");
}

#[test]
fn another_grid_is_sampled_at_voxel_centres_and_a_crop_is_counted() {
    let g = scan();
    let object = header(&g, "BINARY", &[1, 2], binary_frames(&g));
    let [slice, row, column] = g.steps_mm();
    let shift = slice * 0.31 + row * 0.23 - column * 0.37;
    let steps = [slice * 0.7, row * 0.6, column * 0.9];
    let finer = VolumeGeometry::new([9, 18, 15], g.origin_mm() + shift, steps).unwrap();
    let found = read(&object, packed(&ORDER), &finer).unwrap();
    holds(&found.output[0], 1, &finer, &g);
    assert!(found.output[0].resampled);

    let half = VolumeGeometry::new([SLICES, ROWS, 5], g.origin_mm(), g.steps_mm()).unwrap();
    let found = read(&object, packed(&ORDER), &half).unwrap();
    holds(&found.output[0], 1, &half, &g);
    let placed = &found.output[0];
    let kept = placed.voxels.voxels();
    assert_eq!(placed.drawn - kept, placed.lost);
    assert!(placed.lost > 0 && !placed.resampled);
}

#[test]
fn fractions_are_cut_at_half_and_labels_need_not_follow_each_other() {
    let g = scan();
    let slices = [4, 2, 3, 1];
    let voxels = || {
        slices
            .into_iter()
            .flat_map(|s| (0..ROWS * COLUMNS).map(move |n| [s, n / COLUMNS, n % COLUMNS]))
    };
    let frames = |segment: Option<u32>| -> Vec<Vec<InMemElement>> {
        let groups = |s| {
            let own = segment.map(segment_identification);
            std::iter::once(plane_position(&g, s)).chain(own).collect()
        };
        slices.into_iter().map(groups).collect()
    };
    // 0.5 is stored as 128 of 255.
    let fractions = voxels().map(|v| if inside(1, v) { 128 } else { 127 }).collect();
    let mut object = header(&g, "FRACTIONAL", &[1], frames(Some(1)));
    assert!(read(&object, Pixels::Values(Vec::new()), &g).is_err(), "no maximum");
    object.put(text(tags::MAXIMUM_FRACTIONAL_VALUE, VR::US, 255));
    object.put(text(tags::SEGMENTATION_FRACTIONAL_TYPE, VR::CS, "OCCUPANCY"));
    let found = read(&object, Pixels::Values(fractions), &g).unwrap();
    holds(&found.output[0], 1, &g, &g);
    assert!(found.warnings[0].message.contains("occupancy"), "{:?}", found.warnings);

    let labels = voxels().map(|v| if inside(1, v) { 700 } else { u16::from(v[1] == 0) * 9 });
    let labels: Vec<u16> = labels.collect();
    let object = header(&g, "LABELMAP", &[0, 9, 700], frames(None));
    let found = read(&object, Pixels::Values(labels.clone()), &g).unwrap();
    let numbers: Vec<_> = found.output.iter().map(|p| p.number).collect();
    assert_eq!(numbers, [Some(9), Some(700)]);
    for n in 0..g.len() {
        let mask = found.output[1].voxels.to_mask(&g);
        let voxel = mask.voxel_of(n);
        assert_eq!(mask[voxel], inside(1, voxel));
    }
    let object = header(&g, "LABELMAP", &[9], frames(None));
    assert!(read(&object, Pixels::Values(labels), &g).is_err(), "700 is not declared");
}

/// Rows: what is changed in a good header; each must be an error.
#[test]
fn a_header_that_lies_is_an_error() {
    let g = scan();
    let good = || header(&g, "BINARY", &[1, 2], binary_frames(&g));
    assert!(read(&good(), packed(&ORDER), &g).is_ok());
    assert!(read(&good(), packed(&ORDER[1..]), &g).is_err(), "a frame too few");
    let flat = vec![numbers(tags::IMAGE_ORIENTATION_PATIENT, &[1.0, 0.0, 0.0, 1.0, 0.0, 0.0])];
    let rows = [
        text(tags::NUMBER_OF_FRAMES, VR::IS, 5),
        text(tags::NUMBER_OF_FRAMES, VR::IS, u32::MAX),
        text(tags::NUMBER_OF_FRAMES, VR::IS, 0),
        text(tags::ROWS, VR::US, 0),
        text(tags::ROWS, VR::US, 65535),
        text(tags::COLUMNS, VR::IS, "x"),
        text(tags::SEGMENTATION_TYPE, VR::CS, "BIANRY"),
        text(tags::FRAME_OF_REFERENCE_UID, VR::UI, "1.3"),
        items(tags::SEGMENT_SEQUENCE, vec![segment(1)]),
        items(tags::SEGMENT_SEQUENCE, vec![segment(1), segment(2), segment(2)]),
        items(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, Vec::new()),
        one(
            tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE,
            vec![measures(&g, true), one(tags::PLANE_ORIENTATION_SEQUENCE, flat)],
        ),
    ];
    for row in rows {
        let mut object = good();
        let shown = format!("{row:?}");
        object.put(row);
        assert!(read(&object, packed(&ORDER), &g).is_err(), "{shown}");
    }
}
