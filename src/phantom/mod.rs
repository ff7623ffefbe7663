//! Synthetic PET-CT patients with known truth.
//!
//! A body of smooth solids ([`Build`]) with realistic uptake ([`Uptake`]) is painted on the lattice of a scanner,
//! blurred by a Gaussian point spread, given count-dependent noise and quantised by the writer; the CT comes from the
//! same solids. Lesions are scaled until the SUVmax *measured in the finished image* is the one asked for. Positions
//! are LPS millimetres, uptake is SUVbw in g/mL, activity Bq/mL, CT numbers HU.
//!
//! Everything follows from the plan and its seed. Only correctly rounded operations and [`libm`] are used, so the
//! voxels do not depend on platform or number of threads.
//!
//! Source: the case report of clinical findings that the two committed patients re-enact (patient 1: progression,
//! then complete response; patient 2: partial response twice); point spread and noise as in a clinical OSEM
//! reconstruction.

mod anatomy;
mod bodies;
mod cases;
mod lesion;
mod map;
mod paint;
mod physics;
mod planted;
mod random;
mod scan;
mod shape;
mod tissue;
mod truth;

pub use anatomy::{Arms, Build, Habitus, Lungs, Side};
pub use bodies::{Kind, seeded, seeded_pair};
pub use cases::{case, cases};
pub use lesion::{Extent, LesionPlan};
pub use map::TissueMap;
pub use planted::Planted;
pub use scan::{Phantom, generate};
pub use tissue::{CtLook, Tissue, Uptake};
pub use truth::{
    BodyTruth, Fate, LesionFate, LesionTruth, MapTruth, PairTruth, PoseTruth, Region, ScanTruth,
    SeriesTruth,
};

use chrono::NaiveDateTime;
use glam::DVec3;

/// Half-life of fluorine-18 in seconds, as PET headers have it (109.77 minutes).
pub const FLUORINE_18_HALF_LIFE_SECS: f64 = 6586.2;

/// A synthetic patient with one or more scans.
#[derive(Debug, Clone)]
pub struct Case {
    /// Name on the command line and of the folder.
    pub name: String,
    /// `PatientID`.
    pub patient_id: String,
    /// `PatientName` in DICOM form.
    pub patient_name: String,
    /// Age in years at the first scan.
    pub age_years: u32,
    /// The scans in the order of time.
    pub visits: Vec<Visit>,
    /// What the scans should be called; the first is the baseline.
    pub pairs: Vec<PairTruth>,
}

/// One scan to simulate.
#[derive(Debug, Clone)]
pub struct Visit {
    /// Name of the folder, "t0".
    pub name: String,
    /// The person on that day.
    pub build: Build,
    /// Uptake on that day.
    pub uptake: Uptake,
    /// What is there besides normal anatomy, by the SUVmax it shall show.
    pub lesions: Vec<LesionPlan>,
    /// The same by the uptake it has, whatever blur and noise leave of it.
    pub planted: Vec<Planted>,
    /// How much higher the domes of the diaphragm stand in the PET than in the CT, millimetres.
    pub breathing_mm: f64,
    /// What the CT looks like.
    pub ct_look: CtLook,
    /// Whether there is a CT at all.
    pub with_ct: bool,
    /// The kind and the seed of a body that was drawn.
    pub drawn: Option<(Kind, u64)>,
    /// Where the person lies in the scanner.
    pub pose: Pose,
    /// Dose and clocks.
    pub protocol: Protocol,
    /// Lattices, field of view and resolution.
    pub scanner: Scanner,
    /// Expected Deauville score of the whole scan.
    pub deauville: u8,
    /// Makes the noise and the UIDs.
    pub seed: u64,
}

/// Place of the person in the scanner: turned about the origin of the body, then shifted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pose {
    /// Turn about x, then y, then z, in degrees.
    pub turn_degrees: [f64; 3],
    /// Place of the body's origin in the scanner, in millimetres.
    pub shift_mm: DVec3,
}

/// Lattices, field of view and resolution of the scanner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scanner {
    /// PET voxels: between rows and columns, and between slices, in millimetres.
    pub pet_voxel_mm: (f64, f64),
    /// Rows and columns of the PET.
    pub pet_matrix: usize,
    /// CT voxels: between rows and columns, and between slices, in millimetres.
    pub ct_voxel_mm: (f64, f64),
    /// Rows and columns of the CT.
    pub ct_matrix: usize,
    /// Scanned range along z, in millimetres of the reference body.
    pub range_mm: (f64, f64),
    /// Point spread of the PET, full width at half maximum, millimetres.
    pub point_spread_mm: f64,
    /// Noise of the CT, standard deviation in HU.
    pub ct_noise_hu: f64,
}

impl Default for Scanner {
    /// A whole-body scan from mid-thigh to vertex.
    fn default() -> Self {
        Self {
            pet_voxel_mm: (4.07283, 5.0),
            pet_matrix: 144,
            ct_voxel_mm: (2.85, 4.0),
            ct_matrix: 192,
            range_mm: (-330.0, 690.0),
            point_spread_mm: 6.0,
            ct_noise_hu: 8.0,
        }
    }
}

/// Sizes of the scans that speed is measured on; each covers the body as the usual scanner does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// PET 168 x 168, CT 512 x 512, about 263 slices.
    Small,
    /// PET 400 x 400, CT 512 x 512, about 645 slices.
    Large,
    /// PET 440 x 440, CT 512 x 512, about 1000 slices: a total-body scanner.
    TotalBody,
}

impl Scanner {
    /// The same scanner with voxels of another size.
    #[must_use]
    pub fn sized(self, size: Size) -> Self {
        let (pet_matrix, pet_pixel, slices) = match size {
            Size::Small => (168, 4.07283, 263),
            Size::Large => (400, 1.65, 645),
            Size::TotalBody => (440, 1.5, 1000),
        };
        let slice = (self.range_mm.1 - self.range_mm.0) / f64::from(slices - 1);
        Self {
            pet_voxel_mm: (pet_pixel, slice),
            pet_matrix,
            ct_voxel_mm: (1.25, slice),
            ct_matrix: 512,
            ..self
        }
    }

    /// Large voxels over the same field of view.
    pub fn coarse() -> Self {
        Self {
            pet_voxel_mm: (8.0, 8.0),
            pet_matrix: 72,
            ct_voxel_mm: (6.0, 8.0),
            ct_matrix: 90,
            ..Self::default()
        }
    }
}

/// Dose and clocks of a PET scan.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Protocol {
    /// Injected activity at the time of injection, Bq.
    pub dose_bq: f64,
    /// Time of injection.
    pub injected_at: NaiveDateTime,
    /// Start of the first bed, to which the voxels are decay-corrected.
    pub started_at: NaiveDateTime,
    /// Duration of a bed position, seconds.
    pub bed_secs: f64,
    /// Noise: standard deviation at SUV 1 behind 300 mm of water.
    pub noise_at_one: f64,
    /// Size of the grains of the noise, full width at half maximum in millimetres; `None`: neighbouring voxels only.
    pub noise_grain_mm: Option<f64>,
}

impl Protocol {
    /// Activity left at the start of the scan, Bq.
    pub fn dose_at_start_bq(&self) -> f64 {
        let elapsed = (self.started_at - self.injected_at).as_seconds_f64();
        self.dose_bq * libm::exp2(-elapsed / FLUORINE_18_HALF_LIFE_SECS)
    }
}

/// A scan of the second patient's baseline in another scanner, for benches and tests that need a body but no files.
///
/// The lattices follow the scanner; with [`Scanner::coarse`] it takes a fraction of a second.
pub fn body(scanner: &Scanner) -> Phantom {
    let case = cases::patient_2();
    let visit = Visit { scanner: *scanner, ..case.visits[0].clone() };
    generate(&case, &visit)
}
