//! What each tissue of the phantom looks like: FDG uptake (SUVbw, g/mL) and CT number (HU).
//!
//! Source of the levels: Boktor et al. 2013 and Liu et al. 2019 for liver and blood pool (liver 2.2, blood 1.6), and
//! the usual ranges of clinical FDG atlases for the others. They are inputs of a simulation, not reference values.

/// A tissue or content with one uptake and one CT number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names are anatomy")]
#[rustfmt::skip]
pub enum Tissue {
    Skin, Fat, Muscle, CorticalBone, Marrow, FattyMarrow, Cartilage, Disc, SpinalCord,
    GreyMatter, WhiteMatter, CerebrospinalFluid, SalivaryGland, Thyroid, Pharynx, Air,
    Lung, LungVessel, Mediastinum, Blood, Myocardium, Oesophagus, Diaphragm, Breast,
    Liver, Gallbladder, Spleen, Pancreas, StomachWall, StomachContent, BowelWall, BowelContent, BowelGas,
    RenalCortex, RenalPelvis, Ureter, Bladder, Prostate, Uterus, Table, TableCore, Lesion,
}

/// Uptake of the tissues that differ from patient to patient and from day to day, SUVbw in g/mL.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Uptake {
    /// Liver.
    pub liver: f64,
    /// Blood.
    pub blood: f64,
    /// Spleen.
    pub spleen: f64,
    /// Red marrow.
    pub marrow: f64,
    /// Wall of the left ventricle.
    pub myocardium: f64,
    /// Cortical grey matter.
    pub brain: f64,
    /// Renal pelvis (urine).
    pub renal_pelvis: f64,
    /// Bladder (urine).
    pub bladder: f64,
    /// Wall of the bowel.
    pub bowel: f64,
    /// Wall of the stomach.
    pub stomach: f64,
}

impl Default for Uptake {
    fn default() -> Self {
        Self {
            liver: 2.2,
            blood: 1.6,
            spleen: 1.8,
            marrow: 1.3,
            myocardium: 2.4,
            brain: 9.5,
            renal_pelvis: 14.0,
            bladder: 22.0,
            bowel: 1.4,
            stomach: 1.8,
        }
    }
}

/// Unevenness of uptake: relative amplitude and size of its features.
pub(crate) struct Patches {
    pub(crate) amplitude: f64,
    pub(crate) size_mm: f64,
}

impl Tissue {
    /// Mean uptake, SUVbw in g/mL.
    pub fn suv(self, uptake: &Uptake) -> f64 {
        use Tissue as T;
        match self {
            T::Air | T::BowelGas | T::Table | T::TableCore => 0.0,
            T::Fat => 0.25,
            T::Skin
            | T::FattyMarrow
            | T::Gallbladder
            | T::CerebrospinalFluid
            | T::StomachContent => 0.4,
            T::Lung => 0.42,
            T::CorticalBone | T::Cartilage | T::Disc | T::Breast => 0.55,
            T::Muscle | T::Diaphragm => 0.65,
            T::BowelContent => 0.7,
            T::Mediastinum => 0.75,
            T::SpinalCord | T::Prostate | T::Uterus => 1.3,
            T::Thyroid | T::Oesophagus => 1.4,
            T::Pancreas | T::SalivaryGland | T::Pharynx => 1.7,
            T::WhiteMatter => 0.4 * uptake.brain,
            T::GreyMatter => uptake.brain,
            T::Blood | T::LungVessel => uptake.blood,
            T::Myocardium => uptake.myocardium,
            T::Liver | T::Lesion => uptake.liver,
            T::Spleen => uptake.spleen,
            T::Marrow => uptake.marrow,
            T::StomachWall => uptake.stomach,
            T::BowelWall => uptake.bowel,
            T::RenalCortex => 3.0,
            T::Ureter => 4.0,
            T::RenalPelvis => uptake.renal_pelvis,
            T::Bladder => uptake.bladder,
        }
    }

    /// Mean CT number, HU (venous phase without much contrast).
    pub fn hounsfield(self) -> f64 {
        use Tissue as T;
        match self {
            T::Air => -1000.0,
            T::BowelGas | T::TableCore => -940.0,
            T::Lung => -850.0,
            T::Table => -350.0,
            T::Fat => -100.0,
            T::FattyMarrow | T::Breast => -50.0,
            T::Mediastinum => -30.0,
            T::Skin
            | T::BowelContent
            | T::CerebrospinalFluid
            | T::Ureter
            | T::Bladder
            | T::Gallbladder => 10.0,
            T::StomachContent => 18.0,
            T::WhiteMatter => 30.0,
            T::RenalPelvis => 25.0,
            T::SpinalCord | T::RenalCortex | T::GreyMatter | T::BowelWall => 37.0,
            T::StomachWall
            | T::Blood
            | T::LungVessel
            | T::Oesophagus
            | T::Pharynx
            | T::Prostate => 42.0,
            T::Pancreas | T::Lesion | T::SalivaryGland | T::Uterus => 45.0,
            T::Myocardium | T::Diaphragm | T::Spleen => 50.0,
            T::Muscle => 54.0,
            T::Liver => 60.0,
            T::Disc => 85.0,
            T::Thyroid | T::Cartilage => 110.0,
            T::Marrow => 190.0,
            T::CorticalBone => 620.0,
        }
    }

    pub(crate) fn patches(self) -> Option<Patches> {
        use Tissue as T;
        let (amplitude, size_mm) = match self {
            T::BowelWall => (0.55, 17.0),
            T::StomachWall => (0.2, 22.0),
            T::Myocardium => (0.15, 28.0),
            T::GreyMatter => (0.14, 13.0),
            T::Lung => (0.18, 30.0),
            T::Muscle => (0.15, 35.0),
            T::Ureter => (0.7, 25.0),
            T::Marrow => (0.06, 25.0),
            T::Liver | T::Spleen => (0.03, 25.0),
            _ => return None,
        };
        Some(Patches { amplitude, size_mm })
    }
}
