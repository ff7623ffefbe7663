//! The document of `petct compare`.

use schemars::JsonSchema;
use serde::Serialize;

use super::score::ScoreDocument;
use super::table;
use super::text::{self, Align, Page};
use super::trajectories::TrajectoryDocument;
use super::{Content, finite};
use crate::alignment::{Alignment, LandmarkResidual, Method, Verdict};
use crate::assessment::{LinkedLesion, Nadir, PairAssessment, Trajectory};
use crate::criteria::Criteria;
use crate::deauville::Scored;
use crate::diagnostic::Warning;
use crate::matching::{Confidence, Fate};
use crate::quality::Check;
use crate::response::{MetabolicCategory, ResponseCategory, Sensitivity};

/// Scans of one patient and a response for each pair.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct CompareDocument {
    /// The scans in the order of time; classes and scores are those in the light of earlier scans.
    pub scans: Vec<ScoreDocument>,
    /// Each follow-up against the baseline, and against the scan before it where that is another.
    pub pairs: Vec<PairDocument>,
    /// Each lesion over all scans.
    pub trajectories: Vec<TrajectoryDocument>,
    /// SHA-256 of the links that were given with `--links`; `null` where nobody was asked.
    pub links_sha256: Option<String>,
    /// Names of the sets of numbers used.
    pub criteria: CriteriaDocument,
    /// Files written, in the folder that was asked for.
    pub files: Vec<String>,
    /// What was noticed, of all scans.
    pub warnings: Vec<Warning>,
}

/// The sets of numbers of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CriteriaDocument {
    /// The convention of the score.
    pub convention: &'static str,
    /// The meaning of reduced and increased.
    pub change: &'static str,
    /// Its source.
    pub change_source: &'static str,
    /// The rules of comparability.
    pub quality: &'static str,
    /// Lowest score that is a positive scan.
    pub positive_from: u8,
}

/// A follow-up beside an earlier scan.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct PairDocument {
    /// Index of the earlier scan in `scans`.
    pub baseline: usize,
    /// Index of the follow-up in `scans`.
    pub follow_up: usize,
    /// May they be compared?
    pub comparability: ComparabilityDocument,
    /// How they were brought into one frame.
    pub alignment: AlignmentDocument,
    /// The lesions and what became of them.
    pub lesions: Vec<LinkedDocument>,
    /// Change of the hottest lesion's SUVmax, percent; the lesion need not be the same.
    pub delta_suv_max_percent: Option<f64>,
    /// Why it is `null`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delta_suv_max_percent_reason: Option<&'static str>,
    /// The earlier scan whose hottest lesion was the least hot, and the change since; in pairs with the first scan.
    pub nadir: Option<NadirDocument>,
    /// Lugano 2014.
    pub lugano: LuganoDocument,
    /// PERCIST 1.0.
    pub percist: MetabolicDocument,
    /// EORTC 1999.
    pub eortc: MetabolicDocument,
    /// The delta-SUVmax rule.
    pub delta_suv_max: DeltaDocument,
    /// What would change the Lugano call.
    pub sensitivity: Vec<Sensitivity>,
    /// What was noticed of this pair.
    pub warnings: Vec<Warning>,
}

/// The verdict on comparability.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ComparabilityDocument {
    /// The verdict.
    pub verdict: crate::quality::Verdict,
    /// The rule set.
    pub rule_set: &'static str,
    /// Its checks.
    pub checks: Vec<Check>,
}

/// The map from the earlier scan to the follow-up: follow-up = rotation * (stretch * baseline) + translation.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct AlignmentDocument {
    /// `shared_frame_of_reference`, `rigid_ct`, `rigid_pet`, or, with a stretch, `affine_ct` or `affine_pet`.
    pub method: &'static str,
    /// Stretch along x, y and z of the baseline: 1 but for the affine methods.
    pub stretch: [f64; 3],
    /// Rotation matrix, row by row.
    pub rotation: [[f64; 3]; 3],
    /// Translation, LPS millimetres.
    pub translation_mm: [f64; 3],
    /// Turn, degrees.
    pub turn_degrees: f64,
    /// How good it is.
    pub quality: AlignmentQuality,
}

/// How good an alignment is.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct AlignmentQuality {
    /// `good`, `doubtful` or `failed`.
    pub verdict: &'static str,
    /// Correlation of the images before; `null` where it is not defined.
    pub correlation_before: Option<f64>,
    /// Correlation of the images after.
    pub correlation_after: Option<f64>,
    /// Overlap of the bodies (Dice).
    pub body_overlap_dice: Option<f64>,
    /// Overlap of the skeletons (Dice); `null` without CT.
    pub skeleton_overlap_dice: Option<f64>,
    /// Share of the smaller body that both scans see.
    pub common_body_fraction: Option<f64>,
    /// Distances, in millimetres, of landmarks of the baseline from where the map carries them; `null` where too few are
    /// found again.
    pub landmark_residual_mm: Option<LandmarkResidual>,
    /// Why it is not good.
    pub reasons: Vec<String>,
}

impl AlignmentQuality {
    /// The verdict with the residual at landmarks.
    pub(super) fn words(&self) -> String {
        let residual = |r: LandmarkResidual| {
            let LandmarkResidual { mean, worst, count, .. } = r;
            format!(", {count} landmarks off by {mean:.1} mm, at most {worst:.1} mm")
        };
        let residual = self.landmark_residual_mm.map(residual).unwrap_or_default();
        format!("{}{residual}", self.verdict)
    }
}

impl From<&Alignment> for AlignmentDocument {
    fn from(alignment: &Alignment) -> Self {
        let map = alignment.follow_up_from_baseline;
        let quality = &alignment.quality;
        Self {
            method: match alignment.method {
                Method::SharedFrameOfReference => "shared_frame_of_reference",
                Method::RigidCt => "rigid_ct",
                Method::RigidPet => "rigid_pet",
                Method::AffineCt => "affine_ct",
                Method::AffinePet => "affine_pet",
            },
            stretch: alignment.stretch().to_array(),
            rotation: alignment.rotation().transpose().to_cols_array_2d(),
            translation_mm: map.translation.to_array(),
            turn_degrees: alignment.turn_degrees(),
            quality: AlignmentQuality {
                verdict: match quality.verdict {
                    Verdict::Good => "good",
                    Verdict::Doubtful => "doubtful",
                    Verdict::Failed => "failed",
                },
                correlation_before: quality.correlation_before.and_then(finite),
                correlation_after: quality.correlation_after.and_then(finite),
                body_overlap_dice: quality.body_overlap_dice.and_then(finite),
                skeleton_overlap_dice: quality.skeleton_overlap_dice.and_then(finite),
                common_body_fraction: finite(quality.common_body_fraction),
                landmark_residual_mm: quality.landmark_residual,
                reasons: quality.reasons.clone(),
            },
        }
    }
}

/// Linked lesions.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct LinkedDocument {
    /// Numbers in the earlier scan.
    pub baseline_ids: Vec<usize>,
    /// Numbers in the follow-up.
    pub follow_up_ids: Vec<usize>,
    /// What became of them.
    pub fate: Fate,
    /// How far the link can be trusted: the map is displaced by what the alignment leaves uncertain (the residual at
    /// landmarks), in 14 directions. `high`: the same lesions are linked each time; `moderate`: at least half of the times,
    /// or the lesions do not overlap and are linked as nearest neighbours, or the alignment is doubtful; `low`: seldom;
    /// `reader`: a person decided.
    pub link_confidence: Confidence,
    /// `lesion`, or `uncertain` where neither scan is sure.
    pub class: &'static str,
    /// Change of SUVmax, percent; `null` where one scan has nothing to measure.
    pub delta_suv_max_percent: Option<f64>,
    /// Change of volume, percent; `null` also where the volumes follow different thresholds.
    pub delta_volume_percent: Option<f64>,
    /// SUVmax in the other scan at the place of a resolved or new lesion.
    pub suv_max_there: Option<f64>,
    /// What a reader should know.
    pub note: Option<String>,
}

impl From<&LinkedLesion> for LinkedDocument {
    fn from(lesion: &LinkedLesion) -> Self {
        Self {
            baseline_ids: lesion.baseline_ids.clone(),
            follow_up_ids: lesion.follow_up_ids.clone(),
            fate: lesion.fate,
            link_confidence: lesion.confidence,
            class: lesion.class.name(),
            delta_suv_max_percent: lesion.delta_suv_max_percent.and_then(finite),
            delta_volume_percent: lesion.delta_volume_percent.and_then(finite),
            suv_max_there: lesion.suv_max_there.and_then(finite),
            note: lesion.note.clone(),
        }
    }
}

/// The least uptake before the follow-up.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct NadirDocument {
    /// Index of the scan in `scans`.
    pub scan: usize,
    /// SUVmax of its hottest lesion; 0 without lesions.
    pub suv_max: f64,
    /// Change to the follow-up, percent; `null` from 0.
    pub delta_suv_max_percent: Option<f64>,
}

impl From<Nadir> for NadirDocument {
    fn from(nadir: Nadir) -> Self {
        Self {
            scan: nadir.scan,
            suv_max: nadir.suv_max,
            delta_suv_max_percent: nadir.delta_suv_max_percent.and_then(finite),
        }
    }
}

/// A Lugano call.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct LuganoDocument {
    /// CMR, PMR, NMR, PMD or NE.
    pub category: ResponseCategory,
    /// The score with new lesions counted (5); `null` where it is not computable.
    pub deauville: Scored,
    /// New uptake that is not, or not surely, lymphoma.
    pub category_x: bool,
    /// Whether the category waits for an examination that the reasons recommend.
    pub provisional: bool,
    /// The rules that fired and remarks, as `CODE: text`.
    pub reasons: Vec<String>,
}

/// A call by PERCIST or EORTC.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct MetabolicDocument {
    /// CMR, PMR, SMD, PMD or NE.
    pub category: MetabolicCategory,
    /// Change in percent.
    pub percent: Option<f64>,
    /// The rules that fired and remarks, as `CODE: text`.
    pub reasons: Vec<String>,
    /// The set of numbers.
    pub source: &'static str,
}

/// The delta-SUVmax rule.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct DeltaDocument {
    /// Reduction in percent, positive for a fall.
    pub percent: Option<f64>,
    /// Reduction that must be exceeded.
    pub cutoff_percent: f64,
    /// Whether it is; `null` where the reduction is not known.
    pub favourable: Option<bool>,
    /// Remarks, as `CODE: text`.
    pub reasons: Vec<String>,
    /// The set of numbers.
    pub source: &'static str,
}

impl From<&PairAssessment> for PairDocument {
    fn from(pair: &PairAssessment) -> Self {
        let delta = pair.delta_suv_max_percent.and_then(finite);
        Self {
            baseline: pair.baseline,
            follow_up: pair.follow_up,
            comparability: (&pair.comparability).into(),
            alignment: (&pair.alignment).into(),
            lesions: pair.lesions.iter().map(Into::into).collect(),
            delta_suv_max_percent: delta,
            delta_suv_max_percent_reason: delta
                .is_none()
                .then_some("one of the scans has no lesion to measure"),
            nadir: pair.nadir.map(Into::into),
            lugano: (&pair.lugano).into(),
            percist: (&pair.percist).into(),
            eortc: (&pair.eortc).into(),
            delta_suv_max: (&pair.delta_suv_max).into(),
            sensitivity: pair.sensitivity.clone(),
            warnings: alignment_warning(pair).into_iter().collect(),
        }
    }
}

/// A warning where two scans do not surely lie on each other.
pub fn alignment_warning(pair: &PairAssessment) -> Option<Warning> {
    let quality = &pair.alignment.quality;
    (quality.verdict == Verdict::Doubtful).then(|| {
        let message = format!(
            "the alignment of scans {} and {} is doubtful: {}",
            pair.baseline,
            pair.follow_up,
            quality.reasons.join("; ")
        );
        Warning::new("ALIGNMENT_DOUBTFUL", message)
    })
}

impl CompareDocument {
    /// The document of a series.
    pub fn new(
        scans: Vec<ScoreDocument>,
        pairs: &[PairAssessment],
        trajectories: &[Trajectory],
        criteria: &Criteria,
    ) -> Self {
        let pairs: Vec<PairDocument> = pairs.iter().map(Into::into).collect();
        let of_scan = |(n, scan): (usize, &ScoreDocument)| {
            let named = |w: &Warning| Warning::new(w.code, format!("scan {n}: {}", w.message));
            scan.warnings.iter().map(named).collect::<Vec<_>>()
        };
        let of_pairs = pairs.iter().flat_map(|p| p.warnings.iter().cloned());
        let warnings = scans.iter().enumerate().flat_map(of_scan).chain(of_pairs).collect();
        let trajectories = trajectories.iter().map(Into::into).collect();
        let criteria = criteria.into();
        let (links_sha256, files) = (None, Vec::new());
        Self { scans, pairs, trajectories, links_sha256, criteria, files, warnings }
    }

    /// Whether every pair has a call.
    pub fn is_evaluable(&self) -> bool {
        self.pairs.iter().all(|p| p.lugano.category != ResponseCategory::NotEvaluable)
    }

    fn write_scans(&self, page: &mut Page) {
        let headings = [
            ("scan", Align::Right),
            ("Deauville", Align::Right),
            ("SUVmax", Align::Right),
            ("lesions", Align::Right),
            ("TMTV (mL)", Align::Right),
            ("TLG (g)", Align::Right),
            ("liver mean/max", Align::Right),
            ("blood pool", Align::Right),
            ("uptake (min)", Align::Right),
        ];
        let row = |(n, s): (usize, &ScoreDocument)| {
            let (liver, pool) = (&s.references.liver, &s.references.blood_pool);
            let disease = s.lesions.iter().filter(|l| l.class == "lesion");
            vec![
                n.to_string(),
                s.deauville.score.score().map_or_else(|| "-".into(), |d| d.to_string()),
                text::number(disease.map(|l| l.suv_max).reduce(f64::max), 2),
                s.totals.lesions.to_string(),
                format!("{:.1}", s.totals.tmtv_ml),
                format!("{:.1}", s.totals.tlg_g),
                format!("{}/{}", text::number(liver.suv_mean, 2), text::number(liver.suv_max, 2)),
                text::number(pool.suv_mean, 2),
                text::number(s.clock.uptake_minutes, 0),
            ]
        };
        page.table(&headings, &self.scans.iter().enumerate().map(row).collect::<Vec<_>>());
    }
}

impl PairDocument {
    fn write(&self, page: &mut Page, verbose: bool) {
        let score = &self.lugano.deauville;
        let delta = self.delta_suv_max_percent.map(|d| format!(", SUVmax {d:+.1} %"));
        page.line(&format!(
            "scan {} against scan {}: {} ({}), Deauville {score}{}",
            self.follow_up,
            self.baseline,
            self.lugano.category,
            self.lugano.category.words(),
            delta.unwrap_or_default()
        ));
        for reason in &self.lugano.reasons {
            page.line(&format!("  {reason}"));
        }
        // The scan before it has a pair of its own, and the first one is this pair's.
        if let Some(nadir) = self.nadir.filter(|n| n.scan != self.baseline) {
            let change = nadir.delta_suv_max_percent.map(|d| format!(", {d:+.1} % since"));
            page.line(&format!(
                "  least uptake so far in scan {}: SUVmax {:.2}{}",
                nadir.scan,
                nadir.suv_max,
                change.unwrap_or_default()
            ));
        }
        page.line(&format!(
            "  PERCIST {}, EORTC {}, delta SUVmax {}; comparability {} ({}); alignment {} ({})",
            self.percist.category,
            self.eortc.category,
            self.delta_suv_max.words(),
            self.comparability.verdict.name(),
            self.comparability.rule_set,
            self.alignment.method,
            self.alignment.quality.words(),
        ));
        for check in &self.comparability.checks {
            if verbose || check.is_notable() {
                page.line(&format!("  {}: {}", check.id.name(), check.detail));
            }
        }
        self.write_lesions(page);
        for statement in &self.sensitivity {
            page.line(&format!("  {}", statement.text));
        }
    }

    fn write_lesions(&self, page: &mut Page) {
        let headings = [
            ("  before", Align::Left),
            ("now", Align::Left),
            ("fate", Align::Left),
            ("link", Align::Left),
            ("class", Align::Left),
            ("SUVmax %", Align::Right),
            ("volume %", Align::Right),
            ("SUVmax there", Align::Right),
        ];
        let ids = |ids: &[usize]| {
            let names: Vec<String> = ids.iter().map(ToString::to_string).collect();
            if names.is_empty() { "-".to_owned() } else { names.join(", ") }
        };
        let signed = |v: Option<f64>| v.map_or_else(|| "-".to_owned(), |v| format!("{v:+.1}"));
        let row = |l: &LinkedDocument| {
            vec![
                format!("  {}", text::shortened(&ids(&l.baseline_ids), 20)),
                text::shortened(&ids(&l.follow_up_ids), 20),
                l.fate.to_string(),
                l.link_confidence.to_string(),
                l.class.to_owned(),
                signed(l.delta_suv_max_percent),
                signed(l.delta_volume_percent),
                text::number(l.suv_max_there, 2),
            ]
        };
        if !self.lesions.is_empty() {
            page.table(&headings, &self.lesions.iter().map(row).collect::<Vec<_>>());
        }
    }
}

fn links(sha256: &String) -> String {
    format!("as a reader gave them (SHA-256 {sha256})")
}

impl Content for CompareDocument {
    const NAME: &'static str = "petct-compare";
    const VERSION: u32 = 1;

    fn text(&self, verbose: bool) -> String {
        let mut page = Page::default();
        page.patient(self.scans.first().and_then(|s| s.patient.as_ref()));
        self.write_scans(&mut page);
        for (n, scan) in self.scans.iter().enumerate() {
            if let Some(decisions) = &scan.decisions {
                decisions.write(&mut page, &format!("scan {n}: "));
            }
        }
        for pair in &self.pairs {
            page.gap();
            pair.write(&mut page, verbose);
        }
        page.gap();
        if verbose {
            for (n, scan) in self.scans.iter().enumerate() {
                page.line(&format!("scan {n}"));
                scan.write(&mut page, false);
                page.gap();
            }
        }
        page.values(&[
            ("convention", self.criteria.convention.to_owned()),
            ("change", format!("{} ({})", self.criteria.change, self.criteria.change_source)),
            ("links", self.links_sha256.as_ref().map(links).unwrap_or_default()),
            ("files", self.files.join(", ")),
        ]);
        page.warnings(&self.warnings);
        page.finish()
    }

    fn csv(&self) -> Option<String> {
        Some(table::lesions(&self.scans.iter().collect::<Vec<_>>(), &self.trajectories))
    }

    fn warnings(&self) -> &[Warning] {
        &self.warnings
    }
}
