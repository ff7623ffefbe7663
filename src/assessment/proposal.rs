//! What is found in a scan before anybody decides; a person's decisions in its place; the score of what stands then.

use glam::DVec3;

use super::placements::Placements;
use super::scan::{
    ScanAssessment, ScanInput, Settings, ratio_warning, score, totals, unknown_sites_warning,
};
use super::search::{clear_of, hot, measured};
use crate::decisions::{
    At, Binding, Decided, DecisionError, Decisions, Edit, EditKind, Grounds, ReferenceEntry, Said,
    apply,
};
use crate::diagnostic::Warning;
use crate::lesion::Lesion;
use crate::reference::{Form, Method, Placement, Reference, ReferenceKind, Status};

/// What is found in a scan before anybody decides, and before the score.
#[derive(Debug, Clone)]
pub struct Proposal {
    pub(super) liver_place: Result<Placement, String>,
    pub(super) pool_place: Result<Placement, String>,
    pub(super) lesions: Vec<Lesion>,
    pub(super) level: Option<f64>,
    /// What was noticed when regions were looked for, and of the anatomy.
    pub(super) warnings: Vec<Warning>,
    pub(super) anatomy_warning: Option<Warning>,
    /// What a person decided, where somebody did.
    pub(super) decided: Option<Decided>,
    /// A person has rejected the proposed liver, the proposed blood pool.
    pub(super) rejected: [bool; 2],
}

impl Proposal {
    /// Measures the references clear of disease, and scores.
    pub fn conclude(self, scan: &ScanInput<'_>, settings: &Settings) -> ScanAssessment {
        let (pet, lesions, mut warnings) = (&scan.image.volume, self.lesions, self.warnings);
        let disease = hot(pet, &lesions, false);
        let [mut liver, mut blood_pool] =
            clear_of(&disease, scan, &self.liver_place, &self.pool_place);
        for (reference, rejected) in [&mut liver, &mut blood_pool].into_iter().zip(self.rejected) {
            if rejected {
                reject(reference);
            }
        }
        let placements = Placements::around(
            scan,
            &disease,
            (&liver, &self.liver_place),
            (&blood_pool, &self.pool_place),
        );
        warnings.extend(liver.warnings.iter().chain(&blood_pool.warnings).cloned());
        warnings.extend(ratio_warning(&liver, &blood_pool));
        let deauville = score(&lesions, &[], &liver, &blood_pool, &settings.criteria);
        warnings.extend(unknown_sites_warning(&deauville));
        warnings.extend(self.anatomy_warning);
        ScanAssessment {
            totals: totals(pet, &lesions),
            liver,
            blood_pool,
            placements,
            lesions,
            residual: Vec::new(),
            level: self.level,
            deauville,
            decided: self.decided,
            warnings,
        }
    }

    /// The regions as they stand.
    pub fn lesions(&self) -> &[Lesion] {
        &self.lesions
    }

    /// Carries out decisions that were made for this scan, these settings and these regions: references first, then
    /// regions. The binding is that of the proposal as it was found.
    ///
    /// # Errors
    /// The decisions were made for something else, or one of them cannot be carried out; nothing is changed.
    pub fn decide(
        mut self,
        scan: &ScanInput<'_>,
        settings: &Settings,
        binding: &Binding,
        decisions: &Decisions,
    ) -> Result<Self, DecisionError> {
        decisions.check(binding)?;
        let mut edits = Vec::new();
        let mut set = [false; 2];
        let entries = [
            (ReferenceKind::Liver, &decisions.liver),
            (ReferenceKind::BloodPool, &decisions.blood_pool),
        ];
        for (n, (kind, entry)) in entries.into_iter().enumerate() {
            let Some(at) = entry else { continue };
            let place = if n == 0 { &mut self.liver_place } else { &mut self.pool_place };
            let found = measured(kind, scan, place, &[]);
            let Some((text, placement)) = reference(kind, at, &found, scan)? else { continue };
            if let Some(placement) = placement {
                *place = Ok(placement);
            }
            self.rejected[n] = at.entry.accept == Some(false);
            set[n] = true;
            edits.push(edit(text, &at.entry.said, &decisions.said));
        }
        let liver = measured(ReferenceKind::Liver, scan, &self.liver_place, &[]);
        let grounds = Grounds {
            pet: &scan.image.volume,
            threshold: settings.threshold,
            level: self.level,
            liver: liver.usable().filter(|_| !self.rejected[0]).copied(),
        };
        let applied = apply(decisions, &self.lesions, &grounds)?;
        edits.extend(applied.edits);
        self.lesions = applied.lesions;
        self.warnings.extend(applied.warnings);
        self.decided = Some(Decided {
            edits,
            said: decisions.said.clone(),
            text_sha256: decisions.text_sha256.clone(),
            binding: binding.clone(),
            references: set,
        });
        Ok(self)
    }
}

fn edit(text: String, said: &Said, all: &Said) -> Edit {
    Edit {
        kind: EditKind::Reference,
        regions: Vec::new(),
        made: Vec::new(),
        text,
        reader: said.reader.clone().or_else(|| all.reader.clone()),
        note: said.note.clone(),
    }
}

type Set = Option<(String, Option<Placement>)>;

/// What is decided about a reference: in words, and the place that takes the proposed one's.
fn reference(
    kind: ReferenceKind,
    at: &At<ReferenceEntry>,
    found: &Reference,
    scan: &ScanInput<'_>,
) -> Result<Set, DecisionError> {
    let name = kind.name();
    if let Some([x, y, z, radius_mm]) = at.entry.sphere_mm {
        let centre_mm = DVec3::new(x, y, z);
        let sphere = format!("sphere of {radius_mm} mm at [{x}, {y}, {z}]");
        if scan.image.volume.geometry().voxel_at(centre_mm).is_none() {
            let what = format!("the {sphere} of the {name} lies outside the scan");
            return Err(DecisionError::refused(at.line, what, "give a place inside it"));
        }
        let placement = Placement {
            form: Form::Sphere { centre_mm, radius_mm },
            method: Method::GivenSphere,
            notes: vec!["decided by a reader".into()],
            doubts: Vec::new(),
        };
        return Ok(Some((format!("{name} set to a {sphere}"), Some(placement))));
    }
    match at.entry.accept {
        Some(true) if found.status != Status::Ok => {
            let what = format!("the {name} has no region that may serve, so none can be accepted");
            let remedy = "write sphere_mm = [x, y, z, r]";
            Err(DecisionError::refused(at.line, what, remedy))
        }
        Some(true) => Ok(Some((format!("{name} accepted"), None))),
        Some(false) => Ok(Some((format!("{name} rejected"), None))),
        None if at.entry.said.reader.is_some() => {
            let what = format!("a reader is named for the {name}, and nothing is decided");
            Err(DecisionError::refused(at.line, what, "write accept = true or sphere_mm"))
        }
        None => Ok(None),
    }
}

/// A reference that a reader has rejected serves no more.
fn reject(reference: &mut Reference) {
    reference.status = Status::Refused;
    let kind = reference.kind;
    let remedy = format!("give the {} with {} x,y,z,r or a mask", kind.name(), kind.flag());
    reference.reasons = vec!["rejected by a reader".into(), remedy];
}
