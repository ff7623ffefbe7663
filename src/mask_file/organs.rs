//! Organs from a segmentation of many: as TotalSegmentator writes it, or as DICOM SEG with codes.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::{MaskError, MaskFault, Placed, error, nifti, placed, starts_like_nifti};
use crate::diagnostic::{Warned, Warning};
use crate::geometry::VolumeGeometry;
use crate::organ::{Numbering, Organ, OrganMap};

/// Reads the organs of a segmentation onto the lattice of a scan.
///
/// - A NIfTI file: each label is an organ, by the label table that newer versions of TotalSegmentator write into the
///   file, else by `numbering`. Without either it is read as version 2 of the task "total" (since 2023); where no label above
///   104 shows that it is, and version 1 would mean other organs, the warning `ORGANS_NUMBERING` says so.
/// - A folder: each `liver.nii.gz` or `liver.nii` is the organ of its name; every voxel that is not 0 belongs to it.
/// - DICOM SEG: by the coded type of each segment with its side, else, where there is no code, by its label.
/// - RTSTRUCT: by the code or the name of each region.
///
/// What is no known organ is named in the warning `ORGANS_UNKNOWN` and left out. Organs outside the scan are left out
/// silently: a CT reaches farther than its PET often enough.
pub fn read_organs(
    path: &Path,
    onto: &VolumeGeometry,
    frame_of_reference_uid: Option<&str>,
    numbering: Option<Numbering>,
) -> Result<Warned<OrganMap>, MaskError> {
    let mut found = Found::new(onto);
    let read = if path.is_dir() {
        found.folder(path, onto)
    } else {
        found.file(path, onto, frame_of_reference_uid, numbering)
    };
    read.map_err(|(path, fault)| error(&path, fault))?;
    found.finish().map_err(|fault| error(path, fault))
}

type Fault = (PathBuf, MaskFault);

/// What was found so far.
struct Found {
    organs: OrganMap,
    warnings: Vec<Warning>,
    unknown: BTreeSet<String>,
    /// Organs with voxels in the file, on the scan or not.
    drawn: BTreeSet<Organ>,
    resampled: bool,
}

impl Found {
    fn new(onto: &VolumeGeometry) -> Self {
        Self {
            organs: OrganMap::new(onto.shape()),
            warnings: Vec::new(),
            unknown: BTreeSet::new(),
            drawn: BTreeSet::new(),
            resampled: false,
        }
    }

    fn add(&mut self, organ: Option<Organ>, placed: &Placed) {
        if placed.drawn == 0 {
            return;
        }
        self.resampled |= placed.resampled;
        let Some(organ) = organ else {
            self.unknown.insert(placed.name.clone());
            return;
        };
        self.drawn.insert(organ);
        self.organs.add(organ, &placed.voxels);
    }

    fn remark(&mut self, warnings: Vec<Warning>) {
        for warning in warnings {
            if !self.warnings.contains(&warning) {
                self.warnings.push(warning);
            }
        }
    }

    fn file(
        &mut self,
        path: &Path,
        onto: &VolumeGeometry,
        frame: Option<&str>,
        numbering: Option<Numbering>,
    ) -> Result<(), Fault> {
        let at = |fault| (path.to_owned(), fault);
        let numbered = starts_like_nifti(path).map_err(|e| at(MaskFault::Io(e)))?;
        let Warned { output, warnings } = placed(path, onto, frame).map_err(at)?;
        self.remark(warnings);
        if numbered {
            self.labels(&output, numbering);
        } else {
            for placed in &output {
                self.add(organ_of(placed), placed);
            }
        }
        Ok(())
    }

    /// Labels of a NIfTI file: those with a name by it, the others by the numbering.
    fn labels(&mut self, all: &[Placed], numbering: Option<Numbering>) {
        let named =
            |placed: &Placed| placed.number.map(|n| n.to_string()) != Some(placed.name.clone());
        let without: Vec<u32> = all.iter().filter(|p| !named(p)).filter_map(|p| p.number).collect();
        // A label table that names some labels names all that mean something.
        let by_name = without.len() < all.len();
        let assumed = numbering.is_none() && !Numbering::need_no_version(&without);
        let numbering = numbering.unwrap_or(Numbering::TotalV2);
        if !by_name && assumed {
            let message = "its labels have no names, and their numbers mean other organs in version 1 of TotalSegmentator: \
                           version 2 is assumed; give total-v1:FILE if it is not so, or total-v2:FILE to say that it is";
            self.remark(vec![Warning::new("ORGANS_NUMBERING", message)]);
        }
        for placed in all {
            let organ = if named(placed) {
                Organ::from_name(&placed.name)
            } else {
                placed.number.filter(|_| !by_name).and_then(|label| numbering.organ(label))
            };
            self.add(organ, placed);
        }
    }

    /// A folder of one file an organ.
    fn folder(&mut self, folder: &Path, onto: &VolumeGeometry) -> Result<(), Fault> {
        let io = |e| (folder.to_owned(), MaskFault::Io(e));
        let mut files = fs::read_dir(folder)
            .map_err(io)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(io)?;
        files.sort();
        for path in files {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let Some(stem) = name.strip_suffix(".nii.gz").or_else(|| name.strip_suffix(".nii"))
            else {
                continue;
            };
            let Some(organ) = Organ::from_name(stem) else {
                self.unknown.insert(stem.to_owned());
                continue;
            };
            let read = nifti::regions(&path, onto).map_err(|fault| (path, fault))?;
            self.remark(read.warnings);
            // An organ that is not in view has a file of zeros.
            for placed in &read.output {
                self.add(Some(organ), placed);
            }
        }
        if self.drawn.is_empty() && self.unknown.is_empty() {
            let why = "the folder holds no file such as liver.nii.gz".into();
            return Err((folder.to_owned(), MaskFault::NotRegions(why)));
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Warned<OrganMap>, MaskFault> {
        if !self.unknown.is_empty() {
            let names: Vec<_> = self.unknown.iter().map(|name| format!("{name:?}")).collect();
            let message = format!("left out, for they are no known organs: {}", names.join(", "));
            self.warnings.push(Warning::new("ORGANS_UNKNOWN", message));
        }
        if self.drawn.is_empty() {
            return Err(if self.unknown.is_empty() {
                MaskFault::Empty
            } else {
                MaskFault::NoOrgan
            });
        }
        if self.organs.is_empty() {
            return Err(MaskFault::Outside);
        }
        if self.resampled {
            let message = "the organs were drawn on another grid and sampled by nearest neighbour at the \
                           voxel centres of the scan";
            self.warnings.push(Warning::new("MASK_RESAMPLED", message));
        }
        Ok(Warned { output: self.organs, warnings: self.warnings })
    }
}

/// Types that say no more than "a structure of the body": the region beside them says which.
const ANY_STRUCTURE: [(&str, &str); 6] = [
    ("123037004", "SCT"),
    ("113343008", "SCT"),
    ("91723000", "SCT"),
    ("T-D000A", "SRT"),
    ("T-D0060", "SRT"),
    ("T-D0005", "SRT"),
];

/// The types of a cyst: with a kidney beside them, one of TotalSegmentator's classes.
const CYST: [(&str, &str); 2] = [("367643001", "SCT"), ("M-3340A", "SRT")];

/// The organ of a segment: a code decides where there is one. A lesion in the liver is no liver, so the region beside a
/// type counts only where the type is any structure at all.
pub(super) fn organ_of(placed: &Placed) -> Option<Organ> {
    let Some(code) = &placed.code else { return Organ::from_name(&placed.name) };
    let pair = |code: &'_ super::CodedConcept| (code.value.clone(), code.scheme.clone());
    let read = |code: &(String, String), side: Option<&(String, String)>| {
        let side = side.map(|(value, scheme)| (value.as_str(), scheme.as_str()));
        Organ::from_code((&code.0, &code.1), side)
    };
    let code = pair(code);
    let is = |list: &[(&str, &str)]| list.contains(&(code.0.as_str(), code.1.as_str()));
    let place = || {
        let region = placed.place.region.as_ref().map(pair)?;
        read(&region, placed.place.region_modifier.as_ref().map(pair).as_ref())
    };
    if is(&ANY_STRUCTURE) {
        return place();
    }
    if is(&CYST) {
        return match place()? {
            Organ::Kidney(side) => Some(Organ::KidneyCyst(side)),
            _ => None,
        };
    }
    let side = placed.place.modifier.as_ref().or(placed.place.region_modifier.as_ref());
    read(&code, side.map(pair).as_ref())
}
