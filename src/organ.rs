//! Organs that a segmentation from outside names, as regions on the lattice of a scan.
//!
//! [`Organ::from_name`] knows the names that TotalSegmentator writes, [`Numbering`] its numbers, [`Organ::from_code`] the
//! codes of DICOM segmentations. The files are read by [`mask_file::read_organs`](crate::mask_file::read_organs).

use std::collections::BTreeMap;
use std::fmt;

use crate::segmentation::Region;

mod names;
mod numbers;

/// Left or right, where the organ comes in two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// Of the patient.
    Left,
    /// Of the patient.
    Right,
    /// The file does not tell the two apart.
    Unsaid,
}

/// Part of the spine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spine {
    /// C1 to C7.
    Cervical,
    /// T1 to T12.
    Thoracic,
    /// L1 to L5.
    Lumbar,
    /// S1 on.
    Sacral,
}

/// An organ or structure of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names say what they are")]
pub enum Organ {
    Brain,
    SpinalCord,
    Thyroid,
    Trachea,
    Oesophagus,
    LungUpperLobe(Side),
    LungMiddleLobe,
    LungLowerLobe(Side),
    Lung(Side),
    Heart,
    Myocardium,
    LeftAtrium,
    LeftVentricle,
    RightAtrium,
    RightVentricle,
    LeftAtrialAppendage,
    Aorta,
    PulmonaryArtery,
    PulmonaryVein,
    SuperiorVenaCava,
    InferiorVenaCava,
    PortalVein,
    /// Any other artery or vein.
    Vessel,
    Liver,
    Gallbladder,
    Spleen,
    Pancreas,
    AdrenalGland(Side),
    Kidney(Side),
    KidneyCyst(Side),
    Stomach,
    Duodenum,
    SmallBowel,
    Colon,
    UrinaryBladder,
    Prostate,
    /// A vertebra with its number from the top of its part.
    Vertebra(Spine, u8),
    /// Vertebrae that are not told apart.
    Vertebrae,
    IntervertebralDiscs,
    Sacrum,
    Skull,
    Sternum,
    CostalCartilage,
    /// A rib with its number from the top.
    Rib(Side, u8),
    Clavicle(Side),
    Scapula(Side),
    Humerus(Side),
    Hip(Side),
    Femur(Side),
    Muscle,
    Face,
}

/// Which label means what in a TotalSegmentator file that holds no names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbering {
    /// Version 1: 104 classes; 7 is the aorta, 104 the bladder.
    TotalV1,
    /// Version 2, task "total": 117 classes; 7 is the pancreas, 52 the aorta.
    TotalV2,
}

impl Numbering {
    /// The organ of a label.
    pub fn organ(self, label: u32) -> Option<Organ> {
        let names: &[&str] = match self {
            Self::TotalV1 => &names::TOTAL_V1,
            Self::TotalV2 => &names::TOTAL_V2,
        };
        let at = usize::try_from(label).ok()?.checked_sub(1)?;
        names.get(at).and_then(|name| Organ::from_name(name))
    }

    /// Whether labels need no version: one above 104 shows version 2, and some mean the same organ in both.
    pub fn need_no_version(labels: &[u32]) -> bool {
        let only_second = |&label: &u32| Self::TotalV1.organ(label).is_none();
        let same = |&label: &u32| Self::TotalV1.organ(label) == Self::TotalV2.organ(label);
        labels.iter().any(only_second) || labels.iter().all(same)
    }
}

/// The organs of a file on the lattice of a scan.
#[derive(Debug, Clone, PartialEq)]
pub struct OrganMap {
    shape: [usize; 3],
    regions: BTreeMap<Organ, Region>,
}

impl OrganMap {
    /// No organ yet, on a lattice of this shape.
    pub fn new(shape: [usize; 3]) -> Self {
        Self { shape, regions: BTreeMap::new() }
    }

    /// Shape of the lattice, `[slices, rows, columns]`.
    pub fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// Adds voxels to an organ; an organ without voxels is not kept.
    ///
    /// # Panics
    /// If the region is on another lattice: a programming error.
    pub fn add(&mut self, organ: Organ, region: &Region) {
        assert_eq!(region.shape(), self.shape, "the region is on another lattice");
        if region.is_empty() {
            return;
        }
        let empty = || Region::empty(self.shape);
        let there = self.regions.entry(organ).or_insert_with(empty);
        *there = there.union(region);
    }

    /// The voxels of an organ, where it is there.
    pub fn get(&self, organ: Organ) -> Option<&Region> {
        self.regions.get(&organ)
    }

    /// The organs with their voxels.
    pub fn iter(&self) -> impl Iterator<Item = (Organ, &Region)> {
        self.regions.iter().map(|(&organ, region)| (organ, region))
    }

    /// The organs that hold the voxel at a position in memory order; several where the file lets them overlap.
    pub fn at(&self, offset: usize) -> impl Iterator<Item = Organ> {
        self.iter().filter(move |(_, region)| region.contains(offset)).map(|(organ, _)| organ)
    }

    /// The voxels of all organs for which a test holds, as one region.
    pub fn union(&self, mut wanted: impl FnMut(Organ) -> bool) -> Region {
        let chosen = self.iter().filter(|&(organ, _)| wanted(organ));
        chosen.fold(Region::empty(self.shape), |all, (_, region)| all.union(region))
    }

    /// Whether there is no organ.
    pub fn is_empty(&self) -> bool {
        self.regions.is_empty()
    }
}

impl Organ {
    /// Whether it is the heart or a part of it.
    pub fn is_heart(self) -> bool {
        use Organ::{
            Heart, LeftAtrialAppendage, LeftAtrium, LeftVentricle, Myocardium, RightAtrium,
            RightVentricle,
        };
        matches!(
            self,
            Heart
                | Myocardium
                | LeftAtrium
                | LeftVentricle
                | RightAtrium
                | RightVentricle
                | LeftAtrialAppendage
        )
    }

    /// Whether it is a lung or a lobe.
    pub fn is_lung(self) -> bool {
        matches!(
            self,
            Self::Lung(_) | Self::LungUpperLobe(_) | Self::LungMiddleLobe | Self::LungLowerLobe(_)
        )
    }

    /// Whether it is bone.
    pub fn is_bone(self) -> bool {
        use Organ::{
            Clavicle, Femur, Hip, Humerus, Rib, Sacrum, Scapula, Skull, Sternum, Vertebra,
            Vertebrae,
        };
        matches!(
            self,
            Vertebra(..)
                | Vertebrae
                | Sacrum
                | Skull
                | Sternum
                | Rib(..)
                | Clavicle(_)
                | Scapula(_)
                | Humerus(_)
                | Hip(_)
                | Femur(_)
        )
    }

    /// The organ of a name such as `kidney_left`, `Left kidney`, `vertebrae_T8` or `rib_right_4`.
    pub fn from_name(name: &str) -> Option<Self> {
        names::from_name(name)
    }

    /// The organ of a code of SNOMED CT (`SCT`) or of its forerunner (`SRT`, `99SDM`), with the code of the side where
    /// there is one.
    pub fn from_code((value, scheme): (&str, &str), side: Option<(&str, &str)>) -> Option<Self> {
        let name = names::name_of_code(value, scheme)?;
        let side = side.map_or(Side::Unsaid, |(value, scheme)| names::side_of_code(value, scheme));
        names::of_base(name, side)
    }
}

impl fmt::Display for Organ {
    /// The name in words: `left kidney`, `T8 vertebra`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        names::write(*self, f)
    }
}

#[cfg(test)]
mod tests;
