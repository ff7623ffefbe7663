//! What the loader keeps of one file: its frames, what must agree within a series, and how its pixels are stored.
//!
//! An attribute of a multi-frame object may lie in the functional groups of the frame, in those shared by all frames,
//! or at the top; [`View`] looks in that order, so one reader serves classic and enhanced objects.
//!
//! Source: DICOM PS3.3 C.7.6.16 (functional groups), C.7.6.2 (image plane), C.7.6.3 (image pixel).

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dicom_core::Tag;
use dicom_dictionary_std::{tags, uids};
use glam::DVec3;

use super::attribute::{count, element_text, number, numbers, text, text_or_empty, texts, uid};
use super::data_set::{DataSet, Element, PixelPlace};
use super::file::{EXPLICIT_BIG_ENDIAN, Header};
use super::pet;
use crate::acquisition::{Attribute, PetAcquisition, PetSlice};

/// Most frames that one file may have.
const MAX_FRAMES: u32 = 1 << 16;

/// The attributes of one frame, wherever the object keeps them.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    root: DataSet<'a>,
    /// Items that may hold functional groups: of the frame first, then the shared ones.
    groups: [Option<DataSet<'a>>; 2],
}

impl<'a> View<'a> {
    /// The view of one frame of a data set; `frame` counts from 0.
    pub(super) fn of_frame(root: DataSet<'a>, frame: usize) -> Self {
        let per_frame = root.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE).get(frame);
        let shared = root.items(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE).first();
        Self { root, groups: [per_frame, shared] }
    }

    /// The data set that holds an attribute: the macro of a functional group, the attributes that legacy conversion
    /// could not place, or the top level.
    pub(super) fn holder(&self, sequence: Tag, tag: Tag) -> DataSet<'a> {
        let unplaced = [
            tags::UNASSIGNED_PER_FRAME_CONVERTED_ATTRIBUTES_SEQUENCE,
            tags::UNASSIGNED_SHARED_CONVERTED_ATTRIBUTES_SEQUENCE,
        ];
        self.groups
            .into_iter()
            .flatten()
            .flat_map(|group| [sequence, unplaced[0], unplaced[1]].map(|s| group.items(s).first()))
            .flatten()
            .find(|item| item.has(tag))
            .unwrap_or(self.root)
    }

    /// The data set that holds an attribute that classic objects have at the top and no macro of ours names.
    pub(super) fn loose(&self, tag: Tag) -> DataSet<'a> {
        if self.root.has(tag) { self.root } else { self.holder(tags::PET_FRAME_TYPE_SEQUENCE, tag) }
    }
}

/// How the samples of a file are stored.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct PixelFormat {
    pub(super) rows: u32,
    pub(super) columns: u32,
    pub(super) frames: u32,
    pub(super) samples: Attribute<u32>,
    pub(super) bits_allocated: Attribute<u32>,
    pub(super) bits_stored: Attribute<u32>,
    pub(super) high_bit: Attribute<u32>,
    pub(super) representation: Attribute<u32>,
    pub(super) photometric: Attribute<String>,
    /// One end and the other of the stored values that are padding, as the header writes them.
    pub(super) padding: Option<[f64; 2]>,
    pub(super) transfer_syntax: String,
    /// Where in the file the samples lie.
    pub(super) place: PixelPlace,
    /// Length of the file.
    pub(super) file_bytes: u64,
}

/// One frame: where it lies and what it says for itself.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) index: u32,
    pub(super) position: Attribute<Vec<f64>>,
    pub(super) orientation: Attribute<Vec<f64>>,
    pub(super) pixel_spacing: Attribute<Vec<f64>>,
    pub(super) thickness_mm: Attribute<f64>,
    pub(super) slope: Attribute<f64>,
    pub(super) intercept: Attribute<f64>,
    /// What a PET frame says of time; slope and intercept are filled in when they are known to be there.
    pub(super) slice: PetSlice,
}

/// One file of a series.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) path: PathBuf,
    pub(super) instance_uid: String,
    /// What the file says of its series: one for all neighbours that say the same.
    pub(super) facts: Arc<Facts>,
    pub(super) format: PixelFormat,
    pub(super) frames: Vec<Frame>,
    /// What makes the file unusable although its header can be read: shorter than its pixels, frames that disagree.
    pub(super) faults: Vec<String>,
}

/// What a file says of its series.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) study_uid: String,
    pub(super) series_uid: String,
    /// Of a slice without what is its own: whoever asks there for what differs between slices finds nothing.
    pub(super) header: Header,
    /// The series-wide part of a PET acquisition.
    pub(super) acquisition: Option<PetAcquisition>,
    /// The frame and the format of a file that is one slice; others that share the facts differ in what is their own.
    slice: Option<(Frame, PixelFormat)>,
}

/// Whether an element is a slice's own: headers that are equal but for these say the same of their series. Either
/// [`Frame`] and [`Record`] read it of every file, or nobody reads it.
fn is_of_slice(tag: Tag) -> bool {
    is_read_of_each_slice(tag) || is_read_by_nobody(tag)
}

fn is_read_of_each_slice(tag: Tag) -> bool {
    matches!(
        tag,
        tags::SOP_INSTANCE_UID
            | tags::ACQUISITION_DATE
            | tags::ACQUISITION_DATE_TIME
            | tags::ACQUISITION_TIME
            | tags::ACTUAL_FRAME_DURATION
            | tags::IMAGE_POSITION_PATIENT
            | tags::RESCALE_INTERCEPT
            | tags::RESCALE_SLOPE
            | tags::FRAME_REFERENCE_TIME
            | tags::DECAY_FACTOR
    )
}

/// Elements that differ between slices of one series and are not read, among them most private ones and group lengths.
fn is_read_by_nobody(tag: Tag) -> bool {
    let is_private = tag.group() % 2 == 1;
    is_private && !pet::may_be_read(tag)
        || tag.element() == 0
        || matches!(
            tag,
            tags::INSTANCE_CREATION_DATE
                | tags::INSTANCE_CREATION_TIME
                | tags::CONTENT_DATE
                | tags::CONTENT_TIME
                | tags::EXPOSURE_TIME
                | tags::X_RAY_TUBE_CURRENT
                | tags::EXPOSURE
                | tags::ACQUISITION_NUMBER
                | tags::INSTANCE_NUMBER
                | tags::SLICE_LOCATION
                | tags::SMALLEST_IMAGE_PIXEL_VALUE
                | tags::LARGEST_IMAGE_PIXEL_VALUE
                | tags::WINDOW_CENTER
                | tags::WINDOW_WIDTH
                | tags::PRIMARY_PROMPTS_COUNTS_ACCUMULATED
                | tags::SECONDARY_COUNTS_ACCUMULATED
                | tags::SLICE_SENSITIVITY_FACTOR
                | tags::DOSE_CALIBRATION_FACTOR
                | tags::SCATTER_FRACTION_FACTOR
                | tags::DEAD_TIME_FACTOR
                | tags::IMAGE_INDEX
        )
}

/// Attributes in which all slices of a series agree (clinical rule: "slices of ONE PET series").
const CONSTANTS: [(Tag, &str); 20] = [
    (tags::STUDY_INSTANCE_UID, "StudyInstanceUID (0020,000D)"),
    (tags::FRAME_OF_REFERENCE_UID, "FrameOfReferenceUID (0020,0052)"),
    (tags::MODALITY, "Modality (0008,0060)"),
    (tags::SOP_CLASS_UID, "SOPClassUID (0008,0016)"),
    (tags::PATIENT_ID, "PatientID (0010,0020)"),
    (tags::PATIENT_SEX, "PatientSex (0010,0040)"),
    (tags::PATIENT_WEIGHT, "PatientWeight (0010,1030)"),
    (tags::PATIENT_SIZE, "PatientSize (0010,1020)"),
    (tags::MANUFACTURER, "Manufacturer (0008,0070)"),
    (tags::SERIES_DATE, "SeriesDate (0008,0021)"),
    (tags::SERIES_TIME, "SeriesTime (0008,0031)"),
    (tags::TIMEZONE_OFFSET_FROM_UTC, "TimezoneOffsetFromUTC (0008,0201)"),
    (tags::UNITS, "Units (0054,1001)"),
    (tags::SUV_TYPE, "SUVType (0054,1006)"),
    (tags::DECAY_CORRECTION, "DecayCorrection (0054,1102)"),
    (tags::CORRECTED_IMAGE, "CorrectedImage (0028,0051)"),
    (tags::SERIES_TYPE, "SeriesType (0054,1000)"),
    (tags::PIXEL_REPRESENTATION, "PixelRepresentation (0028,0103)"),
    (tags::ROWS, "Rows (0028,0010)"),
    (tags::COLUMNS, "Columns (0028,0011)"),
];

/// Attributes that only a PET must agree in: a CT may be written with several of them.
const PET_ONLY: [Tag; 3] = [tags::SERIES_DATE, tags::SERIES_TIME, tags::CORRECTED_IMAGE];

impl Record {
    /// A slice whose header says the same of its series as the one that the facts are from; `None` where it does not.
    ///
    /// Fast because what a hundred slices have in common is compared as bytes, and decoded once.
    pub(super) fn sharing(path: &Path, header: &Header, facts: &Arc<Facts>) -> Option<Self> {
        let (frame, format) = facts.slice.as_ref()?;
        let root = header.data_set();
        let is_same = format.transfer_syntax == header.transfer_syntax
            && root.equals_but(facts.header.data_set(), is_of_slice);
        is_same.then(|| {
            let (place, file_bytes) = (header.pixels, header.file_bytes);
            let format = PixelFormat { place, file_bytes, ..format.clone() };
            let frames = vec![frame.of_slice(root, facts.acquisition.is_some())];
            let faults = format.truncation().into_iter().collect();
            let instance_uid = text_or_empty(root, tags::SOP_INSTANCE_UID);
            let (path, facts) = (path.to_owned(), Arc::clone(facts));
            Self { path, instance_uid, facts, format, frames, faults }
        })
    }

    /// Takes from a header what the loader needs, or says why the file is not an image of a series.
    pub(super) fn of(path: &Path, header: Header) -> Result<Self, String> {
        let root = header.data_set();
        let series_uid = uid(root, tags::SERIES_INSTANCE_UID);
        let Attribute::Value(series_uid) = series_uid else {
            return Err(format!(
                "SeriesInstanceUID (0020,000E) {}",
                series_uid.fault().unwrap_or_default()
            ));
        };
        let modality = text_or_empty(root, tags::MODALITY);
        // Structures, reports and the like are listed, but they have no frames.
        let image = ["PT", "CT"].contains(&modality.as_str());
        let format = match PixelFormat::of(&header) {
            Ok(format) => format,
            Err(why) if image => return Err(why),
            Err(_) => PixelFormat::none(),
        };
        let is_pet = modality == "PT";
        let frame = |index| Frame::of(root, index, is_pet);
        let frames = (0..format.frames).map(frame).collect::<Vec<_>>();
        let acquisition = is_pet.then(|| pet::acquisition(View::of_frame(root, 0), &series_uid));
        let disagreement = frame_disagreement(root, format.frames, is_pet, &series_uid);
        let faults = [format.truncation(), disagreement];
        let faults = faults.into_iter().flatten().collect();
        let instance_uid = text_or_empty(root, tags::SOP_INSTANCE_UID);
        let study_uid = text_or_empty(root, tags::STUDY_INSTANCE_UID);
        let in_groups =
            [tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE];
        let slice = match frames.as_slice() {
            [frame] if !in_groups.iter().any(|&tag| root.has(tag)) => {
                Some((frame.clone(), format.clone()))
            }
            _ => None,
        };
        let header = header.without(if slice.is_some() { is_of_slice } else { |_| false });
        let facts = Facts { study_uid, series_uid, header, acquisition, slice };
        let (path, facts) = (path.to_owned(), Arc::new(facts));
        Ok(Self { path, instance_uid, facts, format, frames, faults })
    }

    /// Whether both are slices that say the same of their series. Two frames of one file are not: each says its own.
    pub(super) fn shares_facts(&self, other: &Self) -> bool {
        self.facts.slice.is_some() && Arc::ptr_eq(&self.facts, &other.facts)
    }
}

/// An attribute in which a frame must agree with all others.
#[derive(Debug, Clone, Copy)]
pub(super) struct Constant<'a> {
    keyword: &'static str,
    element: Option<Element<'a>>,
}

fn constants(view: View<'_>, is_pet: bool) -> impl Iterator<Item = Constant<'_>> {
    CONSTANTS
        .iter()
        .filter(move |(tag, _)| is_pet || !PET_ONLY.contains(tag))
        .map(move |&(tag, keyword)| Constant { keyword, element: view.loose(tag).get(tag) })
}

/// The name of the first attribute that has another text.
pub(super) fn first_other<'a>(
    a: &[Constant<'a>],
    b: impl Iterator<Item = Constant<'a>>,
) -> Option<&'static str> {
    fn text(constant: Constant) -> Option<String> {
        constant
            .element
            .and_then(|element| element_text(element).value().cloned())
            .map(String::from)
    }
    // Most are the same bytes, and need no decoding.
    let differs = |a: Constant, b: Constant| a.element != b.element && text(a) != text(b);
    a.iter().zip(b).find(|&(&a, b)| differs(a, b)).map(|(a, _)| a.keyword)
}

impl Record {
    /// Attributes that must agree within a series.
    pub(super) fn constants(&self) -> impl Iterator<Item = Constant<'_>> {
        let view = View::of_frame(self.facts.header.data_set(), 0);
        constants(view, self.facts.acquisition.is_some())
    }

    /// The values of `ImageType` and `SeriesType`, and of the `FrameType` of each frame.
    pub(super) fn kinds(&self) -> impl Iterator<Item = Element<'_>> {
        let root = self.facts.header.data_set();
        let series_type = View::of_frame(root, 0).loose(tags::SERIES_TYPE).get(tags::SERIES_TYPE);
        let sequences = [tags::PET_FRAME_TYPE_SEQUENCE, tags::CT_IMAGE_FRAME_TYPE_SEQUENCE];
        let of_frame = move |frame: u32| {
            let view = View::of_frame(root, frame as usize);
            sequences.map(|s| view.holder(s, tags::FRAME_TYPE).get(tags::FRAME_TYPE))
        };
        let frames = (0..self.format.frames).flat_map(of_frame);
        [root.get(tags::IMAGE_TYPE), series_type].into_iter().chain(frames).flatten()
    }
}

/// The first attribute in which frames of one file differ though they must not: read from the first frame alone, it
/// would be taken for all of them.
fn frame_disagreement(
    root: DataSet,
    frames: u32,
    is_pet: bool,
    series_uid: &str,
) -> Option<String> {
    let described = root.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE).len();
    if described == 0 {
        return None;
    }
    if described != frames as usize {
        return Some(format!(
            "NumberOfFrames (0028,0008) is {frames}, but PerFrameFunctionalGroupsSequence (5200,9230) describes {described}"
        ));
    }
    let facts = |frame: usize| {
        let view = View::of_frame(root, frame);
        let acquisition = is_pet.then(|| pet::acquisition(view, series_uid));
        (constants(view, is_pet).collect::<Vec<_>>(), acquisition)
    };
    let (first, first_acquisition) = facts(0);
    (1..described).find_map(|frame| {
        let (own, acquisition) = facts(frame);
        let constant = first_other(&first, own.into_iter());
        let attribute =
            constant.or_else(|| difference(first_acquisition.as_ref()?, acquisition.as_ref()?))?;
        Some(format!("{attribute} differs between frames 1 and {}", frame + 1))
    })
}

/// The first fact of unit, correction, injection or reference time in which two slices of a PET differ.
pub(super) fn difference(a: &PetAcquisition, b: &PetAcquisition) -> Option<&'static str> {
    let facts = [
        (a.units == b.units, "the unit, Units (0054,1001) or the real world value mapping,"),
        (a.suv_type == b.suv_type, "SUVType (0054,1006)"),
        (a.decay_correction == b.decay_correction, "DecayCorrection (0054,1102)"),
        (a.corrected_image == b.corrected_image, "CorrectedImage (0028,0051)"),
        (
            a.enhanced_decay_datetime == b.enhanced_decay_datetime,
            "DecayCorrectionDateTime (0018,9701)",
        ),
        (
            a.radiopharmaceuticals == b.radiopharmaceuticals,
            "RadiopharmaceuticalInformationSequence (0054,0016): dose, half-life or injection time",
        ),
        (a.ge_scan_datetime == b.ge_scan_datetime, "the GE scan date-time (0009,xx0D)"),
        (
            a.siemens_decay_datetime == b.siemens_decay_datetime,
            "the Siemens decay correction date-time (0071,xx22)",
        ),
        (a.philips_suv_factor == b.philips_suv_factor, "the Philips SUV factor (7053,xx00)"),
        (
            a.philips_activity_factor == b.philips_activity_factor,
            "the Philips activity factor (7053,xx09)",
        ),
    ];
    facts.into_iter().find(|(agrees, _)| !agrees).map(|(_, name)| name)
}

impl PixelFormat {
    /// That of an object without pixels.
    fn none() -> Self {
        Self::default()
    }

    pub(super) fn of(header: &Header) -> Result<Self, String> {
        let root = header.data_set();
        let size = |tag, keyword: &str| match count(root, tag) {
            Attribute::Value(n @ 1..=0xFFFF) => Ok(n),
            Attribute::Value(n) => Err(format!("{keyword} is {n}")),
            other => Err(format!("{keyword} {}", other.fault().unwrap_or_default())),
        };
        let frames = match count(root, tags::NUMBER_OF_FRAMES) {
            Attribute::Value(n @ 1..=MAX_FRAMES) => n,
            Attribute::Absent | Attribute::Empty => 1,
            _ => return Err("NumberOfFrames (0028,0008) cannot be used".into()),
        };
        let one = |tag| number(root, tag).value().copied();
        let padding = [
            [tags::PIXEL_PADDING_VALUE, tags::PIXEL_PADDING_RANGE_LIMIT],
            [tags::FLOAT_PIXEL_PADDING_VALUE, tags::FLOAT_PIXEL_PADDING_RANGE_LIMIT],
            [tags::DOUBLE_FLOAT_PIXEL_PADDING_VALUE, tags::DOUBLE_FLOAT_PIXEL_PADDING_RANGE_LIMIT],
        ];
        let padding = padding.into_iter().find_map(|[value, limit]| {
            let first = one(value)?;
            Some([first, one(limit).unwrap_or(first)])
        });
        Ok(Self {
            rows: size(tags::ROWS, "Rows (0028,0010)")?,
            columns: size(tags::COLUMNS, "Columns (0028,0011)")?,
            frames,
            samples: count(root, tags::SAMPLES_PER_PIXEL),
            bits_allocated: count(root, tags::BITS_ALLOCATED),
            bits_stored: count(root, tags::BITS_STORED),
            high_bit: count(root, tags::HIGH_BIT),
            representation: count(root, tags::PIXEL_REPRESENTATION),
            photometric: text(root, tags::PHOTOMETRIC_INTERPRETATION),
            padding,
            transfer_syntax: header.transfer_syntax.clone(),
            place: header.pixels,
            file_bytes: header.file_bytes,
        })
    }

    /// Bytes that the frames take when they are not compressed, where `BitsAllocated` is known.
    pub(super) fn native_bytes(&self) -> Option<u64> {
        let bits = u64::from(*self.bits_allocated.value()?);
        let samples = u64::from(*self.samples.value()?);
        let pixels = u64::from(self.rows) * u64::from(self.columns) * u64::from(self.frames);
        Some((pixels * samples.clamp(1, 4) * bits.min(64)).div_ceil(8))
    }

    fn truncation(&self) -> Option<String> {
        let file_bytes = self.file_bytes;
        let promised = self.native_bytes()?;
        (self.is_native() && file_bytes < promised).then(|| {
            format!("the file is truncated: its pixels take {promised} bytes, it has {file_bytes}")
        })
    }

    /// Whether the transfer syntax stores samples as they are, without deflation of the data set.
    fn is_native(&self) -> bool {
        [uids::IMPLICIT_VR_LITTLE_ENDIAN, uids::EXPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_BIG_ENDIAN]
            .contains(&self.transfer_syntax.as_str())
    }

    pub(super) fn is_deflated(&self) -> bool {
        self.transfer_syntax == uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN
    }

    /// Whether samples of one byte lie in pairs, the second first.
    pub(super) fn lies_in_pairs(&self) -> bool {
        self.transfer_syntax == EXPLICIT_BIG_ENDIAN && self.bits_allocated == Attribute::Value(8)
    }

    /// Where a frame of so many bytes lies in the file, where it can be read by itself.
    pub(super) fn frame_in_file(&self, frame: u32, frame_bytes: u64) -> Option<Range<u64>> {
        let PixelPlace::Value { start, bytes, float: false, .. } = self.place else { return None };
        let first = u64::from(frame) * frame_bytes;
        let whole = first + frame_bytes <= bytes && bytes <= self.file_bytes;
        (self.is_native() && !self.lies_in_pairs() && whole)
            .then(|| start + first..start + first + frame_bytes)
    }
}

impl Frame {
    fn of(root: DataSet, index: u32, is_pet: bool) -> Self {
        let view = View::of_frame(root, index as usize);
        let of = |sequence, tag| numbers(view.holder(sequence, tag), tag);
        let one = |sequence, tag| number(view.holder(sequence, tag), tag);
        let (slope, intercept) = rescale(view);
        Self {
            index,
            position: position(view),
            orientation: of(tags::PLANE_ORIENTATION_SEQUENCE, tags::IMAGE_ORIENTATION_PATIENT),
            pixel_spacing: of(tags::PIXEL_MEASURES_SEQUENCE, tags::PIXEL_SPACING),
            thickness_mm: one(tags::PIXEL_MEASURES_SEQUENCE, tags::SLICE_THICKNESS),
            slope,
            intercept,
            slice: time_of(view, is_pet),
        }
    }

    /// The frame of another slice, of which all is known that slices have in common.
    fn of_slice(&self, root: DataSet, is_pet: bool) -> Self {
        let view = View::of_frame(root, 0);
        let (slope, intercept) = rescale(view);
        Self {
            index: 0,
            position: position(view),
            orientation: self.orientation.clone(),
            pixel_spacing: self.pixel_spacing.clone(),
            thickness_mm: self.thickness_mm.clone(),
            slope,
            intercept,
            slice: time_of(view, is_pet),
        }
    }

    /// Position of the first voxel, or what is wrong with the attribute.
    pub(super) fn place(&self) -> Result<DVec3, String> {
        match &self.position {
            Attribute::Value(p) if p.len() == 3 => Ok(DVec3::from_slice(p)),
            Attribute::Value(p) => Err(format!("has {} values instead of 3", p.len())),
            other => Err(other.fault().unwrap_or_default()),
        }
    }
}

/// What a frame of a PET says of time.
fn time_of(view: View, is_pet: bool) -> PetSlice {
    if is_pet { pet::slice(view) } else { PetSlice::default() }
}

/// `ImagePositionPatient`.
fn position(view: View) -> Attribute<Vec<f64>> {
    let tag = tags::IMAGE_POSITION_PATIENT;
    numbers(view.holder(tags::PLANE_POSITION_SEQUENCE, tag), tag)
}

/// Slope and intercept of stored values.
fn rescale(view: View) -> (Attribute<f64>, Attribute<f64>) {
    // Where the unit comes from the real world value mapping, so do its slope and intercept.
    if let Some(mapping) = pet::mapping_with_unit(view) {
        return (
            number(mapping, tags::REAL_WORLD_VALUE_SLOPE),
            number(mapping, tags::REAL_WORLD_VALUE_INTERCEPT),
        );
    }
    let of = |tag| number(view.holder(tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE, tag), tag);
    (of(tags::RESCALE_SLOPE), of(tags::RESCALE_INTERCEPT))
}

/// The values of `ImageType` or `SeriesType` in capitals.
pub(super) fn type_values(header: DataSet, tag: Tag) -> Vec<String> {
    texts(header, tag).into_iter().map(|value| value.to_ascii_uppercase()).collect()
}

#[cfg(test)]
mod tests {
    use dicom_core::value::DataSetSequence;
    use dicom_core::{DataElement, PrimitiveValue, VR};
    use dicom_object::{FileMetaTableBuilder, InMemDicomObject};

    use super::super::data_set::Room;
    use super::super::data_set::tests::bytes_of;
    use super::super::file::read_header;
    use super::*;

    fn text_of(tag: Tag, vr: VR, value: &str) -> DataElement<InMemDicomObject> {
        DataElement::new(tag, vr, PrimitiveValue::from(value))
    }

    /// A slice of a PET: where it lies, the slope, the patient's weight and the dose.
    fn slice(z: &str, slope: &str, weight: &str, dose: &str) -> InMemDicomObject {
        let dose = text_of(tags::RADIONUCLIDE_TOTAL_DOSE, VR::DS, dose);
        let injection = DataSetSequence::from(vec![InMemDicomObject::from_element_iter([dose])]);
        let word = |tag, value: u16| DataElement::new(tag, VR::US, PrimitiveValue::from(value));
        InMemDicomObject::from_element_iter([
            text_of(tags::SOP_INSTANCE_UID, VR::UI, &format!("1.2.{z}")),
            text_of(tags::MODALITY, VR::CS, "PT"),
            text_of(tags::SERIES_INSTANCE_UID, VR::UI, "1.2.3"),
            text_of(tags::PATIENT_WEIGHT, VR::DS, weight),
            text_of(tags::IMAGE_POSITION_PATIENT, VR::DS, &format!("0\\0\\{z}")),
            text_of(tags::RESCALE_SLOPE, VR::DS, slope),
            text_of(tags::UNITS, VR::CS, "BQML"),
            word(tags::ROWS, 2),
            word(tags::COLUMNS, 2),
            DataElement::new(tags::RADIOPHARMACEUTICAL_INFORMATION_SEQUENCE, VR::SQ, injection),
        ])
    }

    fn header(object: &InMemDicomObject) -> Header {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("slice");
        std::fs::write(&path, bytes_of(object, uids::EXPLICIT_VR_LITTLE_ENDIAN)).unwrap();
        read_header(&path, &mut Room::default()).unwrap()
    }

    #[test]
    fn a_slice_says_the_same_only_where_nothing_but_what_is_its_own_differs() {
        let first = Record::of(Path::new("1"), header(&slice("1", "2", "70", "3e8"))).unwrap();
        let like = |object: &InMemDicomObject| {
            Record::sharing(Path::new("2"), &header(object), &first.facts)
        };
        let second = like(&slice("5", "7.5", "70", "3e8")).unwrap();
        assert!(second.shares_facts(&first));
        let alone = Record::of(Path::new("2"), header(&slice("5", "7.5", "70", "3e8"))).unwrap();
        assert!(!second.shares_facts(&alone), "each was decoded by itself");
        assert_eq!(format!("{:?}", second.frames), format!("{:?}", alone.frames));
        assert_eq!(second.frames[0].slope, Attribute::Value(7.5));
        assert_eq!((second.instance_uid, second.format), (alone.instance_uid, alone.format));
        assert_eq!(second.facts.acquisition, alone.facts.acquisition);
        assert!(like(&slice("5", "2", "70.5", "3e8")).is_none());
        assert!(like(&slice("5", "2", "70", "3.1e8")).is_none(), "in a sequence");
        let mut longer = slice("5", "2", "70", "3e8");
        longer.put(text_of(tags::SUV_TYPE, VR::CS, "BW"));
        assert!(like(&longer).is_none());
        let mut private = slice("5", "2", "70", "3e8");
        private.put(text_of(Tag(0x0019, 0x0010), VR::LO, "nobody reads it"));
        assert!(like(&private).is_some());
        private.put(text_of(Tag(0x0009, 0x10A6), VR::LO, "nor this of GE"));
        assert!(like(&private).is_some());
        private.put(text_of(Tag(0x0009, 0x100D), VR::DT, "20260101120000"));
        assert!(like(&private).is_none());
    }

    #[test]
    fn a_slice_of_another_encoding_is_decoded_by_itself() {
        let object = slice("1", "2", "70", "3e8");
        let folder = tempfile::tempdir().unwrap();
        let headers =
            [uids::EXPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_BIG_ENDIAN, uids::JPEG2000_LOSSLESS].map(
                |syntax| {
                    let path = folder.path().join(syntax);
                    let meta = FileMetaTableBuilder::new()
                        .transfer_syntax(syntax)
                        .media_storage_sop_class_uid(
                            uids::POSITRON_EMISSION_TOMOGRAPHY_IMAGE_STORAGE,
                        )
                        .media_storage_sop_instance_uid("1.2.1");
                    object.clone().with_meta(meta).unwrap().write_to_file(&path).unwrap();
                    read_header(&path, &mut Room::default()).unwrap()
                },
            );
        for (n, header) in headers.iter().enumerate() {
            let own =
                read_header(&folder.path().join(&header.transfer_syntax), &mut Room::default());
            let facts = Record::of(Path::new("1"), own.unwrap()).unwrap().facts;
            for (m, other) in headers.iter().enumerate() {
                let shared = Record::sharing(Path::new("2"), other, &facts);
                assert_eq!(shared.is_some(), n == m, "{n} {m}");
            }
        }
    }

    #[test]
    fn what_is_a_slices_own_is_not_in_the_facts() {
        let mut object = slice("1", "2", "70", "3e8");
        object.put(text_of(tags::CONTENT_TIME, VR::TM, "120000"));
        let first = Record::of(Path::new("1"), header(&object)).unwrap();
        let kept = first.facts.header.data_set();
        for tag in [tags::SOP_INSTANCE_UID, tags::RESCALE_SLOPE, tags::CONTENT_TIME] {
            assert!(!kept.has(tag), "{tag}");
        }
        assert!(kept.has(tags::PATIENT_WEIGHT) && kept.has(tags::UNITS));
    }

    /// What is left out of the facts would be compared nowhere.
    #[test]
    fn nothing_in_which_slices_must_agree_is_a_slices_own() {
        for (tag, keyword) in CONSTANTS {
            assert!(!is_of_slice(tag), "{keyword}");
        }
    }

    #[test]
    fn frames_of_functional_groups_are_decoded_each() {
        let mut enhanced = slice("1", "2", "70", "3e8");
        let groups = DataSetSequence::from(vec![InMemDicomObject::new_empty()]);
        enhanced.put(DataElement::new(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, VR::SQ, groups));
        let first = Record::of(Path::new("1"), header(&enhanced)).unwrap();
        assert!(Record::sharing(Path::new("2"), &header(&enhanced), &first.facts).is_none());
        assert!(!first.shares_facts(&first));
    }
}
