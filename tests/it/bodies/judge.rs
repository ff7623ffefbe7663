//! Whether what was found on a body is true.

use glam::DVec3;
use petct::assessment::{ScanAssessment, ScanInput, Settings, assess_scan};
use petct::lesion::{Class, Lesion};
use petct::phantom::{Case, Kind, LesionTruth, Phantom, Tissue, TissueMap, generate};
use petct::reference::{Reference, Status};
use petct::suv::{SuvImage, SuvKind};
use petct::volume::Volume;

/// Share of a reference's voxels that must lie in the organ.
const IN_THE_ORGAN: f64 = 0.95;
/// Share of a lesion's voxels that a region must hold to have found it.
const FOUND: f64 = 0.3;
/// Volume and contrast from which a lesion must be found.
const MUST_BE_FOUND: (f64, f64) = (1.0, 3.0);

/// What became of a reference.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Verdict {
    /// In the organ; its mean over the organ's uptake, less one.
    Right { error: f64 },
    /// Not found or not usable, with the reasons.
    Refused(String),
    /// Usable, and not in the organ.
    Wrong(String),
}

/// What was found with one choice of images.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    pub(super) liver: Verdict,
    pub(super) pool: Verdict,
    pub(super) lesions: Vec<Fate>,
    /// Physiologic uptake called a lesion, and called uncertain: where and why.
    pub(super) called_lesion: Vec<String>,
    pub(super) called_uncertain: Vec<String>,
}

/// What became of a lesion.
#[derive(Debug, Clone)]
pub(super) struct Fate {
    pub(super) truth: LesionTruth,
    /// Class of the region that holds it, the gravest first.
    pub(super) class: Option<Class>,
    /// Where it is not found as a lesion: what the region that holds it says.
    pub(super) words: String,
}

impl Fate {
    pub(super) fn must_be_found(&self) -> bool {
        self.truth.volume_ml >= MUST_BE_FOUND.0
            && self.truth.contrast.is_some_and(|c| c >= MUST_BE_FOUND.1)
    }
}

/// One body, read with its CT and without.
#[derive(Debug, Clone)]
pub(super) struct Body {
    pub(super) kind: Kind,
    seed: u64,
    pub(super) with_ct: Reading,
    pub(super) pet_only: Reading,
}

/// Paints a body and reads it; the CT is thinned out to twice its voxels, the PET by a factor.
pub(super) fn judged(case: &Case, coarser: f64) -> Body {
    let mut visit = case.visits[0].clone();
    let scanner = &mut visit.scanner;
    scanner.ct_voxel_mm.0 *= 2.0;
    scanner.ct_matrix /= 2;
    scanner.pet_voxel_mm.0 *= coarser;
    scanner.pet_voxel_mm.1 *= coarser;
    scanner.pet_matrix = (scanner.pet_matrix as f64 / coarser) as usize;
    let Phantom { pet, ct, truth } = generate(case, &visit);
    let per_bqml = truth.suv_per_bqml as f32;
    let image = SuvImage { kind: SuvKind::BodyWeight, volume: pet.map(|&v| v * per_bqml) };
    let map = TissueMap::new(&visit);
    let judge =
        Judge { map, pet: &image.volume, truth: &truth.lesions, uptake: &truth.painted_suv };
    let read = |ct: Option<&Volume<i16>>| {
        let input = ScanInput { image: &image, bw_per_value: 1.0, ct };
        judge.reading(&assess_scan(&input, &Settings::default()).unwrap())
    };
    let (kind, seed) = visit.drawn.unwrap();
    Body { kind, seed, with_ct: read(Some(&ct)), pet_only: read(None) }
}

struct Judge<'a> {
    map: TissueMap,
    pet: &'a Volume<f32>,
    truth: &'a [LesionTruth],
    uptake: &'a std::collections::BTreeMap<String, f64>,
}

impl Judge<'_> {
    fn place(&self, offset: usize) -> DVec3 {
        self.pet.geometry().centre_of(self.pet.voxel_of(offset))
    }

    fn reading(&self, found: &ScanAssessment) -> Reading {
        let physiologic = |class: Class| -> Vec<String> {
            let of_class = found.lesions.iter().filter(|l| l.finding.class == class);
            of_class.filter(|l| !self.holds_a_lesion(l)).map(|l| self.words(l)).collect()
        };
        Reading {
            liver: self.verdict(&found.liver, "liver", |p| self.in_liver(p)),
            pool: self.verdict(&found.blood_pool, "blood pool", |p| {
                self.map.tissue_at(p) == Some(Tissue::Blood)
            }),
            lesions: (0..self.truth.len()).map(|n| self.fate(n, found)).collect(),
            called_lesion: physiologic(Class::Lesion),
            called_uncertain: physiologic(Class::Uncertain),
        }
    }

    /// In the liver or in a vessel that runs through it.
    fn in_liver(&self, place: DVec3) -> bool {
        match self.map.tissue_at(place) {
            Some(Tissue::Liver) => true,
            Some(Tissue::Blood) => self.map.within(Tissue::Liver, place),
            _ => false,
        }
    }

    fn verdict(&self, found: &Reference, name: &str, inside: impl Fn(DVec3) -> bool) -> Verdict {
        if found.status != Status::Ok {
            return Verdict::Refused(found.reasons.join("; "));
        }
        let places: Vec<DVec3> = found
            .region
            .iter()
            .flat_map(petct::segmentation::Region::offsets)
            .map(|n| self.place(n))
            .collect();
        let (ill, well): (Vec<DVec3>, Vec<DVec3>) =
            places.into_iter().partition(|&p| self.map.lesion_at(p).is_some());
        let share = well.iter().filter(|&&p| inside(p)).count() as f64 / well.len().max(1) as f64;
        let mean = found.statistics.as_ref().unwrap().mean;
        if share >= IN_THE_ORGAN {
            return Verdict::Right { error: mean / self.uptake[name] - 1.0 };
        }
        let centre = found.centre_mm.unwrap();
        Verdict::Wrong(format!(
            "{name}: {:.0} % in the organ, centre in {:?}, mean {mean:.2} for {:.2}, {} voxels in lesions, at {centre:.0}, \
             {:?}: {}",
            100.0 * share,
            self.map.tissue_at(centre),
            self.uptake[name],
            ill.len(),
            found.method.unwrap(),
            found.reasons.join("; "),
        ))
    }

    fn lesion_of(&self, offset: usize) -> Option<usize> {
        self.map.lesion_at(self.place(offset))
    }

    fn holds_a_lesion(&self, region: &Lesion) -> bool {
        let near = self.truth.iter().any(|lesion| {
            let at = self.pet.geometry().voxel_at(DVec3::from_array(lesion.suv_max_mm));
            at.is_some_and(|voxel| region.region.contains(self.pet.offset_of(voxel)))
        });
        near || region.region.offsets().any(|n| self.lesion_of(n).is_some())
    }

    fn words(&self, region: &Lesion) -> String {
        let tissue = self.map.tissue_at(region.hottest_mm);
        format!(
            "{} at {} (in {}, SUVmax {:.1}, {:.1} mL, {:.0}): {}",
            region.finding.class.name(),
            region.finding.site,
            tissue.map_or_else(|| "nothing".into(), |t| format!("{t:?}")),
            region.statistics.max,
            region.region.volume_ml(self.pet.geometry()),
            region.hottest_mm,
            region.finding.reason
        )
    }

    /// The gravest of the regions that hold enough of a lesion or its hottest voxel.
    fn fate(&self, index: usize, found: &ScanAssessment) -> Fate {
        let lesion = &self.truth[index];
        let hottest = self.pet.geometry().voxel_at(DVec3::from_array(lesion.suv_max_mm));
        let hottest = hottest.map(|voxel| self.pet.offset_of(voxel));
        let voxels = lesion.volume_ml / self.pet.geometry().voxel_ml();
        let holds = |region: &&Lesion| {
            hottest.is_some_and(|n| region.region.contains(n))
                || region.region.offsets().filter(|&n| self.lesion_of(n) == Some(index)).count()
                    as f64
                    >= FOUND * voxels
        };
        let rank = |class: Class| match class {
            Class::Lesion => 0,
            Class::Uncertain => 1,
            Class::Physiologic => 2,
        };
        let best = found.lesions.iter().filter(holds).min_by_key(|l| rank(l.finding.class));
        Fate {
            truth: lesion.clone(),
            class: best.map(|l| l.finding.class),
            words: best.map_or_else(|| "no region".into(), |l| self.words(l)),
        }
    }
}

impl Body {
    fn readings(&self) -> [(&'static str, &Reading); 2] {
        [("CT", &self.with_ct), ("PET", &self.pet_only)]
    }

    fn label(&self, images: &str) -> String {
        format!("{} {} {images}", self.seed, self.kind.name())
    }

    /// Each reference in a wrong organ.
    pub(super) fn wrong(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (images, reading) in self.readings() {
            for verdict in [&reading.liver, &reading.pool] {
                if let Verdict::Wrong(words) = verdict {
                    lines.push(format!("{} WRONG {words}", self.label(images)));
                }
            }
        }
        lines
    }

    /// Everything that is not as it should be.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = self.wrong();
        for (images, reading) in self.readings() {
            let label = self.label(images);
            for (name, verdict) in [("liver", &reading.liver), ("blood pool", &reading.pool)] {
                match verdict {
                    Verdict::Refused(why) => lines.push(format!("{label} REFUSED {name}: {why}")),
                    Verdict::Right { error } if error.abs() > 0.15 => {
                        lines.push(format!("{label} OFF {name} by {:+.0} %", 100.0 * error));
                    }
                    _ => {}
                }
            }
            for fate in reading.lesions.iter().filter(|f| f.must_be_found()) {
                if fate.class != Some(Class::Lesion) {
                    let LesionTruth { site, volume_ml, suv_max, contrast, .. } = &fate.truth;
                    lines.push(format!(
                        "{label} MISSED {site}, {volume_ml} mL, contrast {:.1}, SUVmax {suv_max}: {}",
                        contrast.unwrap_or(0.0),
                        fate.words
                    ));
                }
            }
            lines.extend(reading.called_lesion.iter().map(|w| format!("{label} FALSE {w}")));
            lines.extend(reading.called_uncertain.iter().map(|w| format!("{label} UNSURE {w}")));
        }
        lines
    }
}
