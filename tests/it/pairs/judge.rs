//! Whether a pair is aligned and its lesions are followed as the truth has it.

use std::fmt::Write as _;
use std::time::Instant;

use glam::{DAffine3, DVec3};
use petct::alignment::{Alignment, CtBody, Scan, Verdict, align};
use petct::assessment::{
    LinkedLesion, ScanInput, SeriesScan, Settings, assess_scan, assess_series,
};
use petct::criteria::Criteria;
use petct::lesion::Class;
use petct::matching::{Candidate, Confidence, Fate as Found, Group, Regions, TOLERANCE_MM, link};
use petct::phantom::{
    Case, Fate as True, LesionFate, LesionTruth, Phantom, ScanTruth, TissueMap, Visit, generate,
    seeded_pair,
};
use petct::quality::ScanFacts;
use petct::segmentation::{Region, components_through_faces};
use petct::suv::{SuvImage, SuvKind};
use petct::volume::{Mask, Volume};

/// What became of a lesion.
#[derive(Debug, Clone)]
pub(super) struct Fate {
    pub(super) truth: LesionFate,
    /// What is said of it; `None` where the finder has not given its regions as they are.
    pub(super) found: Option<(Found, Confidence)>,
    /// The regions of its group, in both scans.
    regions: String,
}

impl Fate {
    pub(super) fn is_right(&self) -> bool {
        let expected = match self.truth.fate {
            True::Persistent => Found::Persistent,
            True::Resolved => Found::Resolved,
            True::New => Found::New,
            True::Merged => Found::Merged,
            True::Split => Found::Split,
            True::OutOfView => Found::OutOfView,
        };
        self.found.is_some_and(|(found, _)| found == expected)
    }

    fn words(&self) -> String {
        let found = self.found.map_or_else(
            || "regions are others".to_owned(),
            |(fate, confidence)| format!("{fate}, {confidence} confidence"),
        );
        format!("{} is {:?}: {found}{}", self.truth.lesion, self.truth.fate, self.regions)
    }
}

/// The alignment by one choice of images, and the fates of the true regions by it.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    pub(super) images: &'static str,
    pub(super) alignment: Alignment,
    pub(super) seconds: f64,
    /// Distances of where lesions, and landmarks of the body, are carried to from where they are.
    pub(super) lesions_mm: Vec<f64>,
    pub(super) landmarks_mm: Vec<f64>,
    /// Error of the turn, degrees.
    pub(super) turn_degrees: f64,
    pub(super) fates: Vec<Fate>,
}

impl Reading {
    /// Mean and worst over lesions and landmarks.
    pub(super) fn error_mm(&self) -> (f64, f64) {
        let all = || self.lesions_mm.iter().chain(&self.landmarks_mm).copied();
        (all().sum::<f64>() / all().count().max(1) as f64, all().fold(0.0, f64::max))
    }
}

/// One pair, aligned with CT and without, and followed through the whole chain.
#[derive(Debug, Clone)]
pub(super) struct Pair {
    seed: u64,
    words: String,
    pub(super) half_diagonal_mm: f64,
    readings: [Reading; 2],
    /// Fates of the lesions with regions as they are found.
    pub(super) chain: Vec<Fate>,
}

impl Pair {
    /// Paints a pair and reads it, on voxels made larger by a factor (the CT's twice that across the body); through the
    /// whole chain only where asked for.
    pub(super) fn new(seed: u64, coarser: f64, with_chain: bool) -> Self {
        let mut case = seeded_pair(seed);
        for visit in &mut case.visits {
            let scanner = &mut visit.scanner;
            scanner.ct_voxel_mm.0 *= 2.0 * coarser;
            scanner.ct_voxel_mm.1 *= coarser;
            scanner.ct_matrix = (scanner.ct_matrix as f64 / (2.0 * coarser)) as usize;
            scanner.pet_voxel_mm.0 *= coarser;
            scanner.pet_voxel_mm.1 *= coarser;
            scanner.pet_matrix = (scanner.pet_matrix as f64 / coarser) as usize;
        }
        let scans: Vec<Painted> = case.visits.iter().map(|v| Painted::new(&case, v)).collect();
        let judge = Judge { case: &case, scans: &scans };
        let diagonal = |scan: &Painted| {
            scan.image.volume.geometry().spacing_mm().iter().map(|s| s * s).sum::<f64>().sqrt()
        };
        Self {
            seed,
            words: judge.words(),
            // The finer of the two.
            half_diagonal_mm: 0.5 * scans.iter().map(diagonal).fold(f64::MAX, f64::min),
            readings: [judge.reading("CT", true), judge.reading("PET", false)],
            chain: if with_chain { judge.chain() } else { Vec::new() },
        }
    }

    pub(super) fn readings(&self) -> &[Reading; 2] {
        &self.readings
    }

    /// What was measured, and each fate that is not right.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("{} {}", self.seed, self.words)];
        for reading in &self.readings {
            let (mean, worst) = reading.error_mm();
            let quality = &reading.alignment.quality;
            let stretch = reading.alignment.stretch();
            lines.push(format!(
                "  {} {:?} {:?}: {mean:.2} mm mean, {worst:.2} worst ({:.2} half diagonal), turn {:.2} degrees off, \
                 stretch {:.3} {:.3} {:.3}, landmarks {}, body {:.3}, {:.2} s; {}",
                reading.images,
                reading.alignment.method,
                quality.verdict,
                self.half_diagonal_mm,
                reading.turn_degrees,
                stretch.x,
                stretch.y,
                stretch.z,
                quality.landmark_residual.map_or_else(
                    || "none".to_owned(),
                    |r| format!("{:.2}/{:.2} {}/{}", r.mean, r.worst, r.count, r.sought)
                ),
                quality.body_overlap_dice.unwrap_or(0.0),
                reading.seconds,
                quality.reasons.join("; "),
            ));
            for fate in reading.fates.iter().filter(|f| !f.is_right()) {
                lines.push(format!("  {} WRONG {}", reading.images, fate.words()));
            }
        }
        for fate in self.chain.iter().filter(|f| !f.is_right()) {
            let what = if fate.found.is_some() { "WRONG" } else { "OTHER" };
            lines.push(format!("  chain {what} {}", fate.words()));
        }
        lines
    }
}

/// A scan with its truth.
struct Painted {
    image: SuvImage,
    ct: Volume<i16>,
    truth: ScanTruth,
    /// Each connected piece of lesions, with the names of what it holds.
    solids: Vec<(Region, Vec<String>)>,
}

impl Painted {
    fn new(case: &Case, visit: &Visit) -> Self {
        let Phantom { pet, ct, truth } = generate(case, visit);
        let per_bqml = truth.suv_per_bqml as f32;
        let image = SuvImage { kind: SuvKind::BodyWeight, volume: pet.map(|&v| v * per_bqml) };
        let solids = solids(visit, &truth, &image.volume);
        Self { image, ct, truth, solids }
    }
}

/// Lesions as they were painted; those that touch are one.
fn solids(visit: &Visit, truth: &ScanTruth, pet: &Volume<f32>) -> Vec<(Region, Vec<String>)> {
    let map = TissueMap::new(visit);
    let geometry = pet.geometry();
    let mut mask = Mask::filled(geometry.clone(), false);
    let mut named: Vec<(usize, usize)> = Vec::new();
    for (n, lesion) in truth.lesions.iter().enumerate() {
        let reach = 2.0 * (lesion.volume_ml * 240.0).cbrt() + 10.0;
        let centre = DVec3::from_array(lesion.centre_mm);
        let ball = petct::segmentation::sphere(geometry, centre, reach).region;
        for offset in ball.offsets() {
            if map.lesion_at(geometry.centre_of(pet.voxel_of(offset))) == Some(n) {
                mask.values_mut()[offset] = true;
                named.push((offset, n));
            }
        }
    }
    let pieces = components_through_faces(&mask).into_iter();
    let with_names = pieces.map(|region| {
        let mut names: Vec<String> = named
            .iter()
            .filter(|(offset, _)| region.contains(*offset))
            .map(|&(_, n)| truth.lesions[n].name.clone())
            .collect();
        names.sort();
        names.dedup();
        (region, names)
    });
    with_names.collect()
}

struct Judge<'a> {
    case: &'a Case,
    scans: &'a [Painted],
}

impl<'a> Judge<'a> {
    fn truth(&self) -> DAffine3 {
        self.case.pairs[0].map.unwrap().affine()
    }

    fn words(&self) -> String {
        let [a, b] = [0, 1].map(|n: usize| &self.case.visits[n]);
        let map = self.truth();
        let centre = DVec3::from_array(self.scans[0].truth.organs_mm["heart"]);
        let shift = map.transform_point3(centre) - centre;
        format!(
            "{} arms {:?} to {:?}, weight {:+.1} %, turn {:.1} degrees, the heart moves {:.0} mm, PET {:.1}x{:.1} to {:.1}x{:.1} mm",
            a.drawn.unwrap().0.name(),
            a.build.arms,
            b.build.arms,
            100.0 * (b.build.weight_kg / a.build.weight_kg - 1.0),
            turn_degrees(unit(map)),
            shift.length(),
            a.scanner.pet_voxel_mm.0,
            a.scanner.pet_voxel_mm.1,
            b.scanner.pet_voxel_mm.0,
            b.scanner.pet_voxel_mm.1,
        )
    }

    fn reading(&self, images: &'static str, with_ct: bool) -> Reading {
        let uids = ["1.2.3", "1.2.4"];
        let [a, b] = [0, 1].map(|n: usize| Scan {
            pet: &self.scans[n].image.volume,
            ct: with_ct.then_some(&self.scans[n].ct),
            frame_of_reference_uid: Some(uids[n]),
        });
        let started = Instant::now();
        let alignment = align(&a, &b);
        let seconds = started.elapsed().as_secs_f64();
        let found = alignment.follow_up_from_baseline;
        let truth = self.truth();
        let off = |p: DVec3| found.transform_point3(p).distance(truth.transform_point3(p));
        let [before, after] = [0, 1].map(|n: usize| &self.scans[n].truth);
        let back = truth.inverse();
        let new = after.lesions.iter().filter(|l| before.lesions.iter().all(|o| o.name != l.name));
        let new = new.map(|l| back.transform_point3(DVec3::from_array(l.centre_mm)));
        let lesions = before.lesions.iter().map(|l| DVec3::from_array(l.centre_mm)).chain(new);
        let seen = |p: &DVec3| {
            a.pet.geometry().voxel_at(*p).is_some()
                && b.pet.geometry().voxel_at(truth.transform_point3(*p)).is_some()
        };
        let landmarks = before.organs_mm.values().map(|&p| DVec3::from_array(p)).filter(seen);
        Reading {
            images,
            seconds,
            lesions_mm: lesions.map(off).collect(),
            landmarks_mm: landmarks.map(off).collect(),
            turn_degrees: turn_degrees(unit(found) * unit(truth).transpose()),
            fates: self.tracked(&alignment),
            alignment,
        }
    }

    /// The fates of the lesions as they were painted: alignment and linking alone.
    fn tracked(&self, alignment: &Alignment) -> Vec<Fate> {
        let candidate = |(region, _): &'a (Region, Vec<String>)| Candidate {
            region,
            suv_max: f64::NAN,
            may_be_normal: false,
        };
        let of = |n: usize| self.scans[n].solids.iter().map(candidate).collect::<Vec<_>>();
        let (before, now) = (of(0), of(1));
        let regions = |n: usize| self.scans[n].image.volume.geometry();
        let uncertain = alignment.quality.landmark_residual.map_or(TOLERANCE_MM, |r| r.mean);
        let groups = link(
            Regions { geometry: regions(0), candidates: &before },
            Regions { geometry: regions(1), candidates: &now },
            alignment.follow_up_from_baseline,
            uncertain,
        );
        let good = alignment.quality.verdict == Verdict::Good;
        let usable = alignment.quality.verdict > Verdict::Failed;
        let fate = |truth: &LesionFate| {
            let holds =
                |scan: usize, n: &usize| self.scans[scan].solids[*n].1.contains(&truth.lesion);
            let group = groups.iter().find(|g: &&Group| {
                g.earlier.iter().any(|n| holds(0, n)) || g.later.iter().any(|n| holds(1, n))
            });
            let found = group.filter(|_| usable).map(|g| (g.fate, g.confidence(good)));
            Fate { truth: truth.clone(), found, regions: String::new() }
        };
        self.case.pairs[0].fates.iter().map(fate).collect()
    }

    /// The fates of the lesions as they are found, by the whole chain.
    fn chain(&self) -> Vec<Fate> {
        let bodies: Vec<CtBody> = self.scans.iter().map(|scan| CtBody::of(&scan.ct)).collect();
        let mut series: Vec<SeriesScan<'_>> = (self.scans.iter().zip(["1.2.3", "1.2.4"]))
            .zip(&bodies)
            .map(|((scan, uid), body)| {
                let input = ScanInput { image: &scan.image, bw_per_value: 1.0, ct: Some(&scan.ct) };
                SeriesScan {
                    input,
                    ct_body: Some(body),
                    frame_of_reference_uid: Some(uid),
                    facts: ScanFacts::default(),
                    sul_per_value: None,
                    assessment: assess_scan(&input, &Settings::default()).unwrap(),
                }
            })
            .collect();
        let pairs = assess_series(&mut series, None, &Criteria::default()).unwrap();
        let fate = |truth: &LesionFate| {
            let own = self.as_painted(&series, truth);
            let found = own.and_then(|ids| {
                let holds = |l: &&LinkedLesion| {
                    let has =
                        |all: &[usize], id: Option<usize>| id.is_some_and(|id| all.contains(&id));
                    has(&l.baseline_ids, ids[0]) || has(&l.follow_up_ids, ids[1])
                };
                pairs[0].lesions.iter().find(holds)
            });
            let regions = found.map(|l| self.describe(&series, l, own.unwrap_or_default()));
            let regions = regions.unwrap_or_default();
            Fate { truth: truth.clone(), found: found.map(|l| (l.fate, l.confidence)), regions }
        };
        self.case.pairs[0].fates.iter().map(fate).collect()
    }

    /// The regions of a group and of a lesion itself, with the lesions that were painted in them.
    fn describe(
        &self,
        series: &[SeriesScan<'_>],
        linked: &LinkedLesion,
        own: [Option<usize>; 2],
    ) -> String {
        let mut words = String::new();
        for (n, ids) in [&linked.baseline_ids, &linked.follow_up_ids].into_iter().enumerate() {
            let (scan, assessment) = (&self.scans[n], &series[n].assessment);
            for lesion in
                assessment.lesions.iter().filter(|l| ids.contains(&l.id) || own[n] == Some(l.id))
            {
                let volume = &scan.image.volume;
                let holds = |l: &&LesionTruth| {
                    volume
                        .geometry()
                        .voxel_at(DVec3::from_array(l.suv_max_mm))
                        .is_some_and(|voxel| lesion.region.contains(volume.offset_of(voxel)))
                };
                let painted: Vec<&str> =
                    scan.truth.lesions.iter().filter(holds).map(|l| l.name.as_str()).collect();
                write!(
                    words,
                    "\n    t{n} #{} {:?} {} {:.1} ml SUVmax {:.1} at {:.0}: {}; holds {painted:?}",
                    lesion.id,
                    lesion.finding.class,
                    lesion.finding.site,
                    lesion.statistics.volume_ml,
                    lesion.statistics.max,
                    lesion.hottest_mm,
                    lesion.finding.reason,
                )
                .unwrap();
            }
        }
        words
    }

    /// The lesions that a lesion merges with or splits from, itself among them: its fate is theirs together.
    fn group_of<'b>(&'b self, truth: &'b LesionFate) -> impl Iterator<Item = &'b LesionFate> {
        let together = matches!(truth.fate, True::Merged | True::Split);
        let fates = self.case.pairs[0].fates.iter();
        fates.filter(move |f| f.lesion == truth.lesion || (together && f.fate == truth.fate))
    }

    /// Numbers of the regions found for a lesion in each scan where it is; `None` where it or one of its group is missed, or
    /// is not apart from or together with the others as it was painted.
    fn as_painted(
        &self,
        series: &[SeriesScan<'_>],
        truth: &LesionFate,
    ) -> Option<[Option<usize>; 2]> {
        let whole = self.group_of(truth).all(|f| self.regions_of(series, f).is_some());
        self.regions_of(series, truth).filter(|_| whole)
    }

    fn regions_of(
        &self,
        series: &[SeriesScan<'_>],
        truth: &LesionFate,
    ) -> Option<[Option<usize>; 2]> {
        let mut ids = [None; 2];
        for (scan, (painted, found)) in self.scans.iter().zip(series).enumerate() {
            let region_of = |name: &str| {
                let lesion = painted.truth.lesions.iter().find(|l| l.name == name)?;
                let geometry = painted.image.volume.geometry();
                let voxel = geometry.voxel_at(DVec3::from_array(lesion.suv_max_mm))?;
                let offset = painted.image.volume.offset_of(voxel);
                let suspects = found
                    .assessment
                    .lesions
                    .iter()
                    .filter(|l| l.finding.class != Class::Physiologic);
                suspects.into_iter().find(|l| l.region.contains(offset)).map(|l| l.id)
            };
            let Some((_, partners)) = painted.solids.iter().find(|s| s.1.contains(&truth.lesion))
            else {
                continue;
            };
            let id = region_of(&truth.lesion)?;
            let others = painted.truth.lesions.iter().map(|l| l.name.as_str());
            let as_painted = others
                .filter(|name| *name != truth.lesion)
                .all(|name| (region_of(name) == Some(id)) == partners.iter().any(|p| p == name));
            if !as_painted {
                return None;
            }
            ids[scan] = Some(id);
        }
        Some(ids)
    }
}

/// The turn of a map.
fn unit(map: DAffine3) -> glam::DMat3 {
    let m = map.matrix3;
    // Mirrored bodies are mirrored in both scans.
    glam::DMat3::from_cols(m.x_axis.normalize(), m.y_axis.normalize(), m.z_axis.normalize())
}

fn turn_degrees(m: glam::DMat3) -> f64 {
    let trace = m.x_axis.x + m.y_axis.y + m.z_axis.z;
    ((trace - 1.0) / 2.0).clamp(-1.0, 1.0).acos().to_degrees()
}
