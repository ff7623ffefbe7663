//! What is true of a phantom, as written to `truth.json`.

use std::collections::BTreeMap;

use serde::Serialize;

/// Truth of one scan. Positions are LPS millimetres in the scan's own frame of reference.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScanTruth {
    /// Name of the case.
    pub case: String,
    /// Name of the scan within the case.
    pub scan: String,
    /// Expected Deauville score of the scan as a whole.
    pub deauville: u8,
    /// From the body frame to the frame of the scan.
    pub pose: PoseTruth,
    /// Seconds from injection to the start of the scan.
    pub uptake_secs: f64,
    /// SUVbw of a voxel of 1 Bq/mL.
    pub suv_per_bqml: f64,
    /// Uptake the organs were given, SUVbw (g/mL), before blur and noise.
    pub painted_suv: BTreeMap<String, f64>,
    /// Regions measured in the finished image.
    pub measured: BTreeMap<String, Region>,
    /// Middles of organs.
    pub organs_mm: BTreeMap<String, [f64; 3]>,
    /// Middle of the aorta from the valve to the bifurcation.
    pub aorta_mm: Vec<[f64; 3]>,
    /// The lesions.
    pub lesions: Vec<LesionTruth>,
    /// What was drawn for a seeded body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<BodyTruth>,
}

/// What was drawn for a seeded body.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BodyTruth {
    /// Name of the build.
    pub build: String,
    /// The seed.
    pub seed: u64,
    /// "up" or "down".
    pub arms: &'static str,
    /// Scanned part of the body along z, millimetres of the scan.
    pub range_mm: [f64; 2],
    /// How much higher the diaphragm stands in the PET than in the CT.
    pub breathing_mm: f64,
    /// Whether left and right are exchanged.
    pub situs_inversus: bool,
    /// Volumes of organs within the scanned range, lesions left out, millilitres.
    pub organs_ml: BTreeMap<String, f64>,
    /// Middles of what is scanned of the organs, lesions left out.
    pub organ_centroids_mm: BTreeMap<String, [f64; 3]>,
}

/// Position of the body: `scan = rotation · (scale * body) + translation`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PoseTruth {
    /// Rows of the rotation matrix.
    pub rotation: [[f64; 3]; 3],
    /// Millimetres.
    pub translation_mm: [f64; 3],
    /// Size of the person relative to the reference body along x, y, z.
    pub scale: [f64; 3],
}

/// A region measured in the finished image.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Region {
    /// Middle of the region.
    pub centre_mm: [f64; 3],
    /// Radius of the sphere.
    pub radius_mm: f64,
    /// Mean SUVbw.
    pub suv_mean: f64,
    /// Greatest SUVbw.
    pub suv_max: f64,
    /// Standard deviation of SUVbw.
    pub suv_sd: f64,
}

/// One lesion.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LesionTruth {
    /// Name, the same in each scan of a case.
    pub name: String,
    /// Anatomical site in words.
    pub site: String,
    /// Whether it is a diffuse involvement of an organ.
    pub diffuse: bool,
    /// Middle of its volume.
    pub centre_mm: [f64; 3],
    /// Volume of the solid, mL.
    pub volume_ml: f64,
    /// Greatest SUVbw in the finished image.
    pub suv_max: f64,
    /// Place of the greatest SUVbw.
    pub suv_max_mm: [f64; 3],
    /// Uptake the lesion was given over that of the liver, where it was planted with an uptake.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contrast: Option<f64>,
}

/// Truth of a series of scans.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SeriesTruth {
    /// Name of the case.
    pub case: String,
    /// The scans in the order of time, with their Deauville scores.
    pub scans: Vec<(String, u8)>,
    /// What each pair should be called.
    pub pairs: Vec<PairTruth>,
}

/// The expected verdict on two scans.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PairTruth {
    /// Name of the earlier scan.
    pub from: String,
    /// Name of the later scan.
    pub to: String,
    /// Expected Deauville score of the later scan.
    pub deauville: u8,
    /// Expected Lugano category: CMR, PMR, NMR or PMD; a seeded pair is drawn without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<String>,
    /// What becomes of each lesion.
    pub fates: Vec<LesionFate>,
    /// Where the anatomy of the earlier scan is in the later one, for a seeded pair.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub map: Option<MapTruth>,
}

/// From the frame of the earlier scan to that of the later one: `later = matrix · earlier + translation`.
///
/// The matrix turns and, where the weight has changed, stretches. Arms and the content of the belly may lie elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MapTruth {
    /// Rows of the matrix.
    pub matrix: [[f64; 3]; 3],
    /// Millimetres.
    pub translation_mm: [f64; 3],
}

/// What becomes of one lesion.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LesionFate {
    /// Name of the lesion.
    pub lesion: String,
    /// Its fate.
    pub fate: Fate,
    /// SUVmax in the earlier scan.
    pub suv_max_before: Option<f64>,
    /// SUVmax in the later scan.
    pub suv_max_after: Option<f64>,
}

/// Fate of a lesion between two scans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// There in both.
    Persistent,
    /// Only in the earlier.
    Resolved,
    /// Only in the later.
    New,
    /// Apart in the earlier, one with another in the later.
    Merged,
    /// One with another in the earlier, apart in the later.
    Split,
    /// Outside the field of view of one of the scans.
    OutOfView,
}
