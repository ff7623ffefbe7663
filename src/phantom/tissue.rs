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
    // The place in this list makes the patches: new tissues at the end.
    Effusion, CollapsedLung, BrownFat, VocalMuscle, InjectedVein,
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
    /// Cortex of the kidneys.
    pub renal_cortex: f64,
    /// Ureters (urine).
    pub ureter: f64,
    /// Skeletal muscle.
    pub muscle: f64,
    /// Lung.
    pub lung: f64,
    /// Thyroid.
    pub thyroid: f64,
    /// Tonsils and pharynx.
    pub pharynx: f64,
    /// Salivary glands.
    pub salivary_gland: f64,
    /// Uterus or prostate.
    pub pelvic_organ: f64,
    /// How uneven the left ventricle is, 0 to 1.
    pub myocardium_patches: f64,
    /// Brown fat beside neck and spine; 0 where there is none.
    pub brown_fat: f64,
    /// Muscles of the larynx; 0 where they are as other muscle.
    pub vocal_muscle: f64,
    /// Tracer left in the vein of the injection; 0 where there is none.
    pub injected_vein: f64,
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
            renal_cortex: 3.0,
            ureter: 4.0,
            muscle: 0.65,
            lung: 0.42,
            thyroid: 1.4,
            pharynx: 1.7,
            salivary_gland: 1.7,
            pelvic_organ: 1.3,
            myocardium_patches: 0.15,
            brown_fat: 0.0,
            vocal_muscle: 0.0,
            injected_vein: 0.0,
        }
    }
}

/// What makes a CT of the same body look different.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CtLook {
    /// Liver without contrast, HU; low in fatty livers.
    pub liver_hu: f64,
    /// Contrast in the veins.
    pub venous_phase: bool,
    /// Contrast in stomach and bowel.
    pub oral_contrast: bool,
}

impl Default for CtLook {
    fn default() -> Self {
        Self { liver_hu: 60.0, venous_phase: false, oral_contrast: false }
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
            T::Lung => uptake.lung,
            T::CorticalBone | T::Cartilage | T::Disc | T::Breast => 0.55,
            T::Muscle | T::Diaphragm => uptake.muscle,
            T::BowelContent | T::Effusion => 0.7,
            T::Mediastinum => 0.75,
            T::CollapsedLung => 1.1,
            T::SpinalCord => 1.3,
            T::Prostate | T::Uterus => uptake.pelvic_organ,
            T::Thyroid => uptake.thyroid,
            T::Oesophagus => 1.4,
            T::Pancreas => 1.7,
            T::SalivaryGland => uptake.salivary_gland,
            T::Pharynx => uptake.pharynx,
            T::BrownFat => uptake.brown_fat,
            T::VocalMuscle => uptake.vocal_muscle,
            T::InjectedVein => uptake.injected_vein,
            T::WhiteMatter => 0.4 * uptake.brain,
            T::GreyMatter => uptake.brain,
            T::Blood | T::LungVessel => uptake.blood,
            T::Myocardium => uptake.myocardium,
            T::Liver | T::Lesion => uptake.liver,
            T::Spleen => uptake.spleen,
            T::Marrow => uptake.marrow,
            T::StomachWall => uptake.stomach,
            T::BowelWall => uptake.bowel,
            T::RenalCortex => uptake.renal_cortex,
            T::Ureter => uptake.ureter,
            T::RenalPelvis => uptake.renal_pelvis,
            T::Bladder => uptake.bladder,
        }
    }

    /// Mean CT number in a scan with these circumstances, HU.
    pub fn hounsfield_in(self, look: &CtLook) -> f64 {
        use Tissue as T;
        let plain = match self {
            T::Liver => look.liver_hu,
            T::StomachContent | T::BowelContent if look.oral_contrast => 220.0,
            _ => self.hounsfield(),
        };
        // Rise in the portal venous phase.
        let rise = match self {
            T::Blood => 115.0,
            T::LungVessel | T::Myocardium | T::Thyroid | T::Spleen => 70.0,
            T::Liver | T::Pancreas | T::Uterus => 50.0,
            T::RenalCortex => 130.0,
            T::StomachWall | T::BowelWall | T::Lesion => 35.0,
            T::CollapsedLung | T::Prostate => 40.0,
            T::Muscle | T::Diaphragm => 8.0,
            _ => return plain,
        };
        if look.venous_phase { plain + rise } else { plain }
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
            T::BrownFat => -75.0,
            T::FattyMarrow | T::Breast => -50.0,
            T::Mediastinum => -30.0,
            T::Skin
            | T::BowelContent
            | T::Effusion
            | T::CerebrospinalFluid
            | T::Ureter
            | T::Bladder
            | T::Gallbladder => 10.0,
            T::StomachContent => 18.0,
            T::WhiteMatter => 30.0,
            T::RenalPelvis => 25.0,
            T::CollapsedLung => 33.0,
            T::SpinalCord | T::RenalCortex | T::GreyMatter | T::BowelWall => 37.0,
            T::StomachWall
            | T::Blood
            | T::LungVessel
            | T::Oesophagus
            | T::Pharynx
            | T::Prostate => 42.0,
            T::Pancreas | T::Lesion | T::SalivaryGland | T::Uterus => 45.0,
            T::Myocardium | T::Diaphragm | T::Spleen => 50.0,
            T::Muscle | T::VocalMuscle | T::InjectedVein => 54.0,
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
