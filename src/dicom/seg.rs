//! DICOM Segmentation: BINARY, FRACTIONAL and LABELMAP frames to voxels.
//!
//! Each frame is a slab of the patient, as thick as the distance between frames, placed by its own
//! `ImagePositionPatient`: the order of frames, frames left out and cropped grids do not matter. A voxel of the scan takes
//! the pixel in whose cell its centre lies. Fractions of `MaximumFractionalValue` (0062,000E) of 0.5 and more belong to
//! the segment, for occupancy and probability alike; that is a choice of this reader and a warning names it.
//!
//! Bits of BINARY frames are packed from the least significant on, and frames run on without padding.
//!
//! Source: DICOM PS3.3 A.51, A.51.5 (functional groups), C.8.20; PS3.5 8.1.1 and annex D (bit packing).

use std::collections::BTreeMap;

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use glam::DVec3;

use crate::acquisition::Attribute;
use crate::diagnostic::{Warned, Warning};
use crate::dicom::attribute;
use crate::dicom::data_set::{DataSet, Items};
use crate::geometry::VolumeGeometry;
use crate::mask_file::{
    CodedConcept, MaskFault, PlaceCodes, Placed, check_frame, coincides, covering, nearest,
};
use crate::segmentation::Region;

/// Pixels of all frames together; beyond it a header is not believed.
const MAX_PIXELS: u64 = 1 << 32;

/// Planes closer than this are one plane.
const ONE_PLANE_MM: f64 = 0.01;

/// What a pixel says.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    /// Not zero: inside.
    Binary,
    /// At least half of this: inside.
    Fractional { maximum: u32 },
    /// The number of the segment.
    LabelMap,
}

/// Rows, columns and number of frames.
#[derive(Debug, Clone, Copy)]
struct Extent {
    rows: usize,
    columns: usize,
    frames: usize,
}

/// The pixels of all frames, one after the other.
#[derive(Debug)]
pub(super) enum Pixels {
    /// Packed bits, least significant first.
    Bits(Vec<u8>),
    /// One value a pixel.
    Values(Vec<u16>),
}

impl Pixels {
    fn len(&self) -> usize {
        match self {
            Self::Bits(bytes) => 8 * bytes.len(),
            Self::Values(values) => values.len(),
        }
    }

    fn get(&self, at: usize) -> u32 {
        match self {
            Self::Bits(bytes) => u32::from(bytes[at / 8] >> (at % 8) & 1),
            Self::Values(values) => values[at].into(),
        }
    }
}

/// A frame: its pixels as a lattice of one slice, and its segment where it has one.
#[derive(Debug)]
struct Frame {
    slab: VolumeGeometry,
    segment: Option<u32>,
}

/// The regions of a segmentation, in the order of `SegmentSequence` (0062,0002).
///
/// `load` gives the pixels of all frames; it is asked when the header is known to make sense.
pub(super) fn regions(
    object: DataSet,
    load: impl FnOnce() -> Result<Pixels, MaskFault>,
    onto: &VolumeGeometry,
    scan_frame: Option<&str>,
) -> Result<Warned<Vec<Placed>>, MaskFault> {
    let mut warnings = Vec::new();
    let frame_of_reference = attribute::uid(object, tags::FRAME_OF_REFERENCE_UID);
    check_frame(frame_of_reference.value().map(String::as_str), scan_frame, &mut warnings)?;
    let kind = kind_of(object, &mut warnings)?;
    let extent = extent_of(object)?;
    let frames = frames_of(object, extent, kind, onto)?;
    let mut segments = Segments::declared(object)?;
    let pixels = load()?;
    let promised = extent.rows * extent.columns * extent.frames;
    if pixels.len() < promised {
        let why = format!("PixelData (7FE0,0010) has {} pixels of {promised}", pixels.len());
        return Err(MaskFault::Malformed(why));
    }
    for (n, frame) in frames.iter().enumerate() {
        segments.add(frame, &FramePixels { pixels: &pixels, extent, frame: n, kind }, onto)?;
    }
    let output = segments.filled.into_iter().map(|segment| segment.placed(onto)).collect();
    Ok(Warned { output, warnings })
}

fn missing<T>(attribute: &Attribute<T>, name: &str) -> MaskFault {
    MaskFault::Malformed(format!("{name} {}", attribute.fault().unwrap_or_default()))
}

fn required<T: Clone>(attribute: &Attribute<T>, name: &str) -> Result<T, MaskFault> {
    attribute.value().cloned().ok_or_else(|| missing(attribute, name))
}

/// BINARY, FRACTIONAL or LABELMAP.
fn kind_of(object: DataSet, warnings: &mut Vec<Warning>) -> Result<Kind, MaskFault> {
    let kind = attribute::text(object, tags::SEGMENTATION_TYPE);
    match required(&kind, "SegmentationType (0062,0001)")?.as_str() {
        "BINARY" => Ok(Kind::Binary),
        "LABELMAP" => Ok(Kind::LabelMap),
        "FRACTIONAL" => {
            let maximum = attribute::count(object, tags::MAXIMUM_FRACTIONAL_VALUE);
            let maximum = required(&maximum, "MaximumFractionalValue (0062,000E)")?;
            if maximum == 0 {
                let why = "MaximumFractionalValue (0062,000E) is 0".into();
                return Err(MaskFault::Malformed(why));
            }
            let meaning = match attribute::text_or_empty(object, tags::SEGMENTATION_FRACTIONAL_TYPE)
            {
                text if text.is_empty() => "fractions of a kind it does not name".into(),
                text => format!("{} fractions", text.to_lowercase()),
            };
            warnings.push(Warning::new(
                "MASK_CUT_AT_HALF",
                format!(
                    "the segmentation holds {meaning}; pixels of 0.5 and more belong to the region"
                ),
            ));
            Ok(Kind::Fractional { maximum })
        }
        other => Err(MaskFault::Unsupported(format!(
            "SegmentationType (0062,0001) is {other:?}; export BINARY, FRACTIONAL or LABELMAP"
        ))),
    }
}

fn extent_of(object: DataSet) -> Result<Extent, MaskFault> {
    let read = |tag: Tag, name: &str| match required(&attribute::count(object, tag), name)? {
        0 => Err(MaskFault::Malformed(format!("{name} is 0"))),
        n => Ok(n as usize),
    };
    let extent = Extent {
        rows: read(tags::ROWS, "Rows (0028,0010)")?,
        columns: read(tags::COLUMNS, "Columns (0028,0011)")?,
        frames: read(tags::NUMBER_OF_FRAMES, "NumberOfFrames (0028,0008)")?,
    };
    let Extent { rows, columns, frames } = extent;
    let pixels =
        [rows, columns, frames].into_iter().try_fold(1_u64, |n, m| n.checked_mul(m as u64));
    match pixels {
        Some(n) if n <= MAX_PIXELS => Ok(extent),
        _ => {
            Err(MaskFault::Malformed(format!("{frames} frames of {rows} x {columns} are promised")))
        }
    }
}

/// The first item of a functional group: of the frame, else of all frames together (PS3.3 C.7.6.16).
fn group<'a>(own: DataSet<'a>, shared: Items<'a>, macro_tag: Tag) -> Option<DataSet<'a>> {
    [Some(own), shared.first()].into_iter().flatten().find_map(|item| item.items(macro_tag).first())
}

fn vector<const N: usize>(
    item: Option<DataSet>,
    tag: Tag,
    name: &str,
    frame: usize,
) -> Result<[f64; N], MaskFault> {
    let values = item.map_or(Attribute::Absent, |item| attribute::numbers(item, tag));
    values.value().and_then(|v| <[f64; N]>::try_from(v.as_slice()).ok()).ok_or_else(|| {
        let why = values.fault().unwrap_or_else(|| format!("has not {N} values"));
        MaskFault::Malformed(format!("{name} of frame {} {why}", frame + 1))
    })
}

/// Where a frame begins and the steps from row to row and from column to column.
struct Plane {
    origin: DVec3,
    row_step: DVec3,
    column_step: DVec3,
}

impl Plane {
    fn normal(&self) -> DVec3 {
        self.column_step.cross(self.row_step).normalize_or_zero()
    }
}

fn plane_of(own: DataSet, shared: Items, frame: usize) -> Result<Plane, MaskFault> {
    let position = group(own, shared, tags::PLANE_POSITION_SEQUENCE);
    let orientation = group(own, shared, tags::PLANE_ORIENTATION_SEQUENCE);
    let measures = group(own, shared, tags::PIXEL_MEASURES_SEQUENCE);
    let origin = vector(position, tags::IMAGE_POSITION_PATIENT, "ImagePositionPatient", frame)?;
    let cosines: [f64; 6] =
        vector(orientation, tags::IMAGE_ORIENTATION_PATIENT, "ImageOrientationPatient", frame)?;
    let [between_rows, between_columns] =
        vector(measures, tags::PIXEL_SPACING, "PixelSpacing", frame)?;
    if !(between_rows > 0.0 && between_columns > 0.0) {
        let why = format!("PixelSpacing of frame {} is not positive", frame + 1);
        return Err(MaskFault::Malformed(why));
    }
    let along_row = DVec3::new(cosines[0], cosines[1], cosines[2]);
    let along_column = DVec3::new(cosines[3], cosines[4], cosines[5]);
    if (along_row.length() - 1.0).abs() > 1e-3
        || (along_column.length() - 1.0).abs() > 1e-3
        || along_row.dot(along_column).abs() > 1e-3
    {
        let why =
            format!("ImageOrientationPatient of frame {} is no pair of directions", frame + 1);
        return Err(MaskFault::Malformed(why));
    }
    Ok(Plane {
        origin: DVec3::from_array(origin),
        row_step: along_column * between_rows,
        column_step: along_row * between_columns,
    })
}

/// Every frame with its place and its segment.
fn frames_of(
    object: DataSet,
    extent: Extent,
    kind: Kind,
    onto: &VolumeGeometry,
) -> Result<Vec<Frame>, MaskFault> {
    let own = object.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE);
    let shared = object.items(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE);
    if own.len() != extent.frames {
        return Err(MaskFault::Malformed(format!(
            "NumberOfFrames (0028,0008) is {} and {} frames are described",
            extent.frames,
            own.len()
        )));
    }
    let planes = own
        .iter()
        .enumerate()
        .map(|(n, item)| plane_of(item, shared, n))
        .collect::<Result<Vec<_>, _>>()?;
    let thickness = thickness_of(&planes, own, shared, onto)?;
    let frames = planes.into_iter().zip(own.iter()).enumerate().map(|(n, (plane, item))| {
        let steps = [plane.normal() * thickness, plane.row_step, plane.column_step];
        let slab = VolumeGeometry::new([1, extent.rows, extent.columns], plane.origin, steps)
            .map_err(|e| MaskFault::Malformed(format!("frame {}: {e}", n + 1)))?;
        let segment = match kind {
            Kind::LabelMap => None,
            Kind::Binary | Kind::Fractional { .. } => Some(segment_of(item, shared, n)?),
        };
        Ok(Frame { slab, segment })
    });
    frames.collect()
}

fn segment_of(own: DataSet, shared: Items, frame: usize) -> Result<u32, MaskFault> {
    let item = group(own, shared, tags::SEGMENT_IDENTIFICATION_SEQUENCE);
    let number = item
        .map_or(Attribute::Absent, |item| attribute::count(item, tags::REFERENCED_SEGMENT_NUMBER));
    required(&number, &format!("ReferencedSegmentNumber (0062,000B) of frame {}", frame + 1))
}

/// How thick a frame is: the distance of its neighbours, so that slabs neither overlap nor leave gaps.
///
/// `SpacingBetweenSlices` (0018,0088) or the smallest distance found, whichever is smaller; without the former,
/// frames may have been left out, and `SliceThickness` (0018,0050) is a limit too. A single plane is no thicker than a
/// slice of the scan.
fn thickness_of(
    planes: &[Plane],
    own: Items,
    shared: Items,
    onto: &VolumeGeometry,
) -> Result<f64, MaskFault> {
    let first = planes.first().ok_or_else(|| MaskFault::Malformed("it has no frame".into()))?;
    let normal = first.normal();
    if planes.iter().any(|p| p.normal().dot(normal) < 1.0 - 1e-4) {
        let why = "its frames are not parallel; export one stack of planes".into();
        return Err(MaskFault::Unsupported(why));
    }
    let mut depths: Vec<f64> = planes.iter().map(|p| p.origin.dot(normal)).collect();
    depths.sort_by(f64::total_cmp);
    let steps = depths.windows(2).map(|pair| pair[1] - pair[0]);
    let closest = steps.filter(|&step| step > ONE_PLANE_MM).fold(f64::INFINITY, f64::min);
    let measures = own.first().and_then(|own| group(own, shared, tags::PIXEL_MEASURES_SEQUENCE));
    let length = |tag: Tag| {
        let value = measures.and_then(|item| attribute::number(item, tag).value().copied());
        value.map(f64::abs).filter(|&mm| mm > ONE_PLANE_MM)
    };
    if let Some(spacing) = length(tags::SPACING_BETWEEN_SLICES) {
        return Ok(spacing.min(closest));
    }
    let thickness = length(tags::SLICE_THICKNESS).unwrap_or(f64::INFINITY).min(closest);
    let thickness = if closest.is_finite() {
        thickness
    } else {
        let along = |step: DVec3| step.dot(normal).abs();
        onto.steps_mm().map(along).into_iter().fold(0.0, f64::max).min(thickness)
    };
    Ok(thickness)
}

/// The first coded concept of a sequence (PS3.3 8.8: the value is in one of three attributes by its form).
pub(super) fn coded_concept(item: DataSet, sequence: Tag) -> Option<CodedConcept> {
    let code = item.items(sequence).first()?;
    let text = |tag: Tag| attribute::text(code, tag).value().cloned();
    let value = [tags::CODE_VALUE, tags::LONG_CODE_VALUE, tags::URN_CODE_VALUE];
    Some(CodedConcept {
        value: value.into_iter().find_map(text)?,
        scheme: text(tags::CODING_SCHEME_DESIGNATOR).unwrap_or_default(),
        meaning: text(tags::CODE_MEANING).unwrap_or_default(),
    })
}

/// The codes beside that of the type; modifiers are inside the item that they modify.
fn place_codes(segment: DataSet) -> PlaceCodes {
    let inside = |sequence: Tag, modifier: Tag| {
        let item = segment.items(sequence).first()?;
        coded_concept(item, modifier)
    };
    PlaceCodes {
        modifier: inside(
            tags::SEGMENTED_PROPERTY_TYPE_CODE_SEQUENCE,
            tags::SEGMENTED_PROPERTY_TYPE_MODIFIER_CODE_SEQUENCE,
        ),
        region: coded_concept(segment, tags::ANATOMIC_REGION_SEQUENCE),
        region_modifier: inside(
            tags::ANATOMIC_REGION_SEQUENCE,
            tags::ANATOMIC_REGION_MODIFIER_SEQUENCE,
        ),
    }
}

/// Whether the pixels of a frame are voxels of the scan. A slab thinner than a slice of the scan is one as well where its
/// plane is that of a slice: `SliceThickness` may be less than the distance of slices.
fn lies_on(slab: &VolumeGeometry, onto: &VolumeGeometry) -> bool {
    let [thick, row, column] = slab.steps_mm();
    let normal = thick.normalize();
    let along = |step: &DVec3| step.dot(normal).abs() > (1.0 - 1e-4) * step.length();
    let slice = onto.steps_mm().into_iter().find(along).filter(|s| s.length() > thick.length());
    let steps = [slice.unwrap_or(thick), row, column];
    VolumeGeometry::new(slab.shape(), slab.origin_mm(), steps)
        .is_ok_and(|plane| coincides(&plane, onto))
}

/// The pixels of one frame.
struct FramePixels<'a> {
    pixels: &'a Pixels,
    extent: Extent,
    frame: usize,
    kind: Kind,
}

impl FramePixels<'_> {
    /// The segment a pixel belongs to; `own` is that of the frame.
    fn segment(&self, row: usize, column: usize, own: Option<u32>) -> Option<u32> {
        let Extent { rows, columns, .. } = self.extent;
        let value = self.pixels.get((self.frame * rows + row) * columns + column);
        let inside = match self.kind {
            Kind::LabelMap => return (value > 0).then_some(value),
            Kind::Binary => value > 0,
            Kind::Fractional { maximum } => 2 * value >= maximum,
        };
        inside.then_some(own).flatten()
    }

    /// First and last row and column with a pixel of a segment.
    fn bounds(&self, own: Option<u32>) -> Option<[usize; 4]> {
        let mut bounds: Option<[usize; 4]> = None;
        for row in 0..self.extent.rows {
            for column in 0..self.extent.columns {
                if self.segment(row, column, own).is_some() {
                    let [top, bottom, left, right] = bounds.unwrap_or([row, row, column, column]);
                    bounds = Some([top, bottom.max(row), left.min(column), right.max(column)]);
                }
            }
        }
        bounds
    }
}

/// A segment that frames are added to.
struct Segment {
    name: String,
    number: u32,
    code: Option<CodedConcept>,
    place: PlaceCodes,
    /// Positions of its voxels in the scan, in any order; a voxel between two frames may be there twice.
    voxels: Vec<usize>,
    resampled: bool,
    drawn: usize,
    lost: usize,
}

impl Segment {
    fn placed(self, onto: &VolumeGeometry) -> Placed {
        let Self { name, number, code, place, voxels, resampled, drawn, lost } = self;
        let voxels = Region::from_offsets(onto.shape(), voxels);
        Placed { name, number: Some(number), code, resampled, place, voxels, drawn, lost }
    }
}

/// The segments by number, filled frame by frame.
struct Segments {
    filled: Vec<Segment>,
    by_number: BTreeMap<u32, usize>,
}

impl Segments {
    /// The empty segments of `SegmentSequence` (0062,0002); number 0 is background.
    fn declared(object: DataSet) -> Result<Self, MaskFault> {
        let items = object.items(tags::SEGMENT_SEQUENCE);
        let mut segments = Self { filled: Vec::new(), by_number: BTreeMap::new() };
        for item in items.iter() {
            let number = attribute::count(item, tags::SEGMENT_NUMBER);
            let number = required(&number, "SegmentNumber (0062,0004)")?;
            if number == 0 {
                continue;
            }
            let name = match attribute::text_or_empty(item, tags::SEGMENT_LABEL) {
                label if label.is_empty() => format!("segment {number}"),
                label => label,
            };
            if segments.by_number.insert(number, segments.filled.len()).is_some() {
                let why = format!("SegmentNumber (0062,0004) {number} is there twice");
                return Err(MaskFault::Malformed(why));
            }
            let code = coded_concept(item, tags::SEGMENTED_PROPERTY_TYPE_CODE_SEQUENCE);
            segments.filled.push(Segment {
                name,
                number,
                code,
                place: place_codes(item),
                voxels: Vec::new(),
                resampled: false,
                drawn: 0,
                lost: 0,
            });
        }
        Ok(segments)
    }

    fn of(&mut self, number: u32) -> Result<&mut Segment, MaskFault> {
        let undeclared = || {
            MaskFault::Malformed(format!(
                "segment {number} has pixels and is not in SegmentSequence (0062,0002)"
            ))
        };
        let at = *self.by_number.get(&number).ok_or_else(undeclared)?;
        self.filled.get_mut(at).ok_or_else(undeclared)
    }

    /// Adds the pixels of a frame to their segments.
    fn add(
        &mut self,
        frame: &Frame,
        pixels: &FramePixels<'_>,
        onto: &VolumeGeometry,
    ) -> Result<(), MaskFault> {
        if let Some(number) = frame.segment {
            self.of(number)?; // an empty frame too must name a segment that is there
        }
        let Some([top, bottom, left, right]) = pixels.bounds(frame.segment) else {
            return Ok(());
        };
        let elsewhere = !lies_on(&frame.slab, onto);
        let out = onto.index_from_patient() * frame.slab.patient_from_index();
        for row in top..=bottom {
            for column in left..=right {
                let Some(number) = pixels.segment(row, column, frame.segment) else { continue };
                let index = out.transform_point3(DVec3::new(0.0, row as f64, column as f64));
                let segment = self.of(number)?;
                segment.drawn += 1;
                segment.lost += usize::from(nearest(index, onto.shape()).is_none());
                segment.resampled |= elsewhere;
            }
        }
        let low = DVec3::new(-0.5, top as f64 - 0.5, left as f64 - 0.5);
        let high = DVec3::new(0.5, bottom as f64 + 0.5, right as f64 + 0.5);
        let into = frame.slab.index_from_patient() * onto.patient_from_index();
        let [slices, rows, columns] = covering(onto, frame.slab.patient_from_index(), low, high);
        let [_, all_rows, all_columns] = onto.shape();
        for s in slices {
            for r in rows.clone() {
                for c in columns.clone() {
                    let index = into.transform_point3(DVec3::new(s as f64, r as f64, c as f64));
                    let Some([_, row, column]) = nearest(index, frame.slab.shape()) else {
                        continue;
                    };
                    if let Some(number) = pixels.segment(row, column, frame.segment) {
                        self.of(number)?.voxels.push((s * all_rows + r) * all_columns + c);
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
