//! Finding the references and the regions of raised uptake of one scan, each in the light of the other.

use rayon::prelude::*;

use super::proposal::Proposal;
use super::scan::{Given, ScanInput, Settings, union};
use crate::anatomy::{Anatomy, working_ct};
use crate::criteria::EXPECTED_REFERENCES;
use crate::diagnostic::Warning;
use crate::lesion::{
    Candidate, Class, Finding, Found, Landmarks, Lesion, Site, ThresholdError, classify, find,
    measure as measure_lesion,
};
use crate::reference::{
    Disease, Form, Method, Placement, Reference, ReferenceKind, Rival,
    measure as measure_reference, place_blood_pool, place_in_outline, place_liver,
};
use crate::segmentation::{Region, components_of_mask};
use crate::statistics::RegionStatistics;
use crate::volume::Volume;

/// Places references and finds, names and measures regions.
///
/// # Errors
/// The threshold needs the liver, which is not known.
pub fn propose(scan: &ScanInput<'_>, settings: &Settings) -> Result<Proposal, ThresholdError> {
    let pet = &scan.image.volume;
    let ct = scan.ct.map(working_ct);
    let scan = &ScanInput { ct: ct.as_deref(), ..*scan };
    let anatomy = Anatomy::survey(pet, scan.bw_per_value, scan.ct);
    let mut found = search(scan, settings, anatomy.as_ref(), &Default::default(), None)?;
    // Hot uptake in a reference or beside it: another place is looked for. The lesions depend on the liver, hence the whole
    // search where it moves; a place is given up only for a better one.
    if let Some(anatomy) = anatomy.as_ref().filter(|_| found.faults != (0, false)) {
        let hot = [false, true].map(|with_uncertain| {
            Disease::of(&hot(pet, &found.regions.lesions, with_uncertain), pet.geometry())
        });
        let again = search(scan, settings, Some(anatomy), &hot, Some(&found))?;
        if again.faults < found.faults {
            found = again;
        }
    }
    let Search { liver_place, pool_place, regions, .. } = found;
    let Regions { lesions, level, warnings } = regions;
    Ok(Proposal {
        liver_place,
        pool_place,
        lesions,
        level,
        warnings,
        anatomy_warning: unused_ct_warning(scan, anatomy.as_ref()),
        decided: None,
        rejected: [false; 2],
    })
}

/// References and lesions of a scan.
struct Search {
    liver_place: Result<Placement, String>,
    pool_place: Result<Placement, String>,
    /// How many references do not serve, and whether uncertain uptake may spill into an automatic blood pool.
    faults: (usize, bool),
    regions: Regions,
}

/// The regions of raised uptake, and the level at which they were found.
#[derive(Debug, Clone)]
struct Regions {
    lesions: Vec<Lesion>,
    level: Option<f64>,
    warnings: Vec<Warning>,
}

/// Places the references clear of what was found hot before (for the liver, for the blood pool), and finds the lesions;
/// those of the search before where the liver stays.
fn search(
    scan: &ScanInput<'_>,
    settings: &Settings,
    anatomy: Option<&Anatomy>,
    [before_liver, before_pool]: &[Disease; 2],
    before: Option<&Search>,
) -> Result<Search, ThresholdError> {
    let pet = &scan.image.volume;
    let liver_place = given(&settings.liver)
        .or_else(|| outlined(ReferenceKind::Liver, pet, settings, before_liver))
        .or_else(|| {
            let place = before?.liver_place.as_ref().ok()?;
            before_liver.spares(place, ReferenceKind::Liver).then(|| Ok(place.clone()))
        })
        .unwrap_or_else(|| place_liver(anatomy.ok_or(NO_BODY)?, before_liver));
    let liver = measured(ReferenceKind::Liver, scan, &liver_place, &[]);
    let place_pool = || {
        given(&settings.blood_pool)
            .or_else(|| outlined(ReferenceKind::BloodPool, pet, settings, before_pool))
            .unwrap_or_else(|| {
                place_blood_pool(anatomy.ok_or(NO_BODY)?, scan.ct, liver.centre_mm, before_pool)
            })
    };
    let find_regions = || match before {
        Some(before) if before.liver_place == liver_place => Ok(before.regions.clone()),
        _ => regions(scan, settings, anatomy, &liver),
    };
    let (pool_place, regions) = rayon::join(place_pool, find_regions);
    let regions = regions?;
    let disease = hot(pet, &regions.lesions, false);
    let references = clear_of(&disease, scan, &liver_place, &pool_place);
    let refused = references.iter().filter(|r| r.usable().is_none()).count();
    let spilled_on = spilled_on(&references[1], pet, &regions.lesions);
    let faults = (refused, spilled_on);
    Ok(Search { liver_place, pool_place, faults, regions })
}

/// Finds, names and measures the regions of raised uptake.
fn regions(
    scan: &ScanInput<'_>,
    settings: &Settings,
    anatomy: Option<&Anatomy>,
    liver: &Reference,
) -> Result<Regions, ThresholdError> {
    let pet = &scan.image.volume;
    let (candidates, level, warnings) = candidates(pet, settings, liver)?;
    let landmarks = anatomy.and_then(|a| landmarks(a, liver, scan.bw_per_value, settings));
    let findings = match settings.lesions {
        Some(_) => vec![given_finding(); candidates.len()],
        None => classify(pet, scan.bw_per_value, &candidates, landmarks.as_ref()),
    };
    let (candidates, findings) = gathered(candidates, findings);
    Ok(Regions { lesions: measured_lesions(pet, &candidates, findings), level, warnings })
}

/// Whether uptake that may or may not be disease lies as near to an automatic blood pool as a lesion must not.
fn spilled_on(blood_pool: &Reference, pet: &Volume<f32>, lesions: &[Lesion]) -> bool {
    let automatic = matches!(blood_pool.method, Some(Method::Ct | Method::Pet | Method::Organs));
    let margin_mm = ReferenceKind::BloodPool.from_lesions_mm();
    let region = blood_pool.region.as_ref().filter(|_| automatic);
    region.is_some_and(|region| region.is_near(&hot(pet, lesions, true), pet.geometry(), margin_mm))
}

/// Liver and blood pool, measured and checked against the lesions.
pub(super) fn clear_of(
    disease: &Region,
    scan: &ScanInput<'_>,
    liver: &Result<Placement, String>,
    blood_pool: &Result<Placement, String>,
) -> [Reference; 2] {
    let clear = |kind, place: &Result<Placement, String>| {
        let rival = place.as_ref().ok().map(|place| lesions_beside(kind, place, disease));
        measured(kind, scan, place, rival.as_slice())
    };
    [clear(ReferenceKind::Liver, liver), clear(ReferenceKind::BloodPool, blood_pool)]
}

/// Lesions as what a reference at a place keeps clear of.
pub(super) fn lesions_beside<'a>(
    kind: ReferenceKind,
    place: &Placement,
    lesions: &'a Region,
) -> Rival<'a> {
    Rival::new(kind, place.method, "a lesion", lesions)
}

/// All voxels of class lesion, and of uncertain regions where asked for.
pub(super) fn hot(pet: &Volume<f32>, lesions: &[Lesion], with_uncertain: bool) -> Region {
    let is_hot = |l: &&Lesion| match l.finding.class {
        Class::Lesion => true,
        Class::Uncertain => with_uncertain,
        Class::Physiologic => false,
    };
    union(pet, lesions.iter().filter(is_hot))
}

fn outlined(
    kind: ReferenceKind,
    pet: &Volume<f32>,
    settings: &Settings,
    disease: &Disease,
) -> Option<Result<Placement, String>> {
    place_in_outline(kind, settings.organs.as_ref()?, pet.geometry(), disease)
}

const NO_BODY: &str = "the PET shows no body";

fn given(given: &Given) -> Option<Result<Placement, String>> {
    let (form, method) = match *given {
        Given::Automatic => return None,
        Given::Sphere { centre_mm, radius_mm } => {
            (Form::Sphere { centre_mm, radius_mm }, Method::GivenSphere)
        }
        Given::Voxels(ref region) => (Form::Voxels(region.clone()), Method::GivenMask),
    };
    let notes = vec!["given by the user".into()];
    Some(Ok(Placement { form, method, notes, doubts: Vec::new() }))
}

pub(super) fn measured(
    kind: ReferenceKind,
    scan: &ScanInput<'_>,
    place: &Result<Placement, String>,
    rivals: &[Rival<'_>],
) -> Reference {
    match place {
        Ok(place) => {
            let pet = &scan.image.volume;
            measure_reference(kind, pet, scan.bw_per_value, place, &EXPECTED_REFERENCES, rivals)
        }
        Err(reason) => Reference::not_found(kind, reason.clone()),
    }
}

type Candidates = (Vec<Candidate>, Option<f64>, Vec<Warning>);

fn candidates(
    pet: &Volume<f32>,
    settings: &Settings,
    liver: &Reference,
) -> Result<Candidates, ThresholdError> {
    if let Some(mask) = &settings.lesions {
        let whole = |region: Region| Candidate {
            whole: region.clone(),
            region,
            below_threshold: false,
            divided: false,
        };
        return Ok((components_of_mask(mask).into_iter().map(whole).collect(), None, Vec::new()));
    }
    let uptake = liver.usable();
    let liver_level = uptake.and_then(|l| settings.criteria.convention.liver.of(l));
    let found = find(pet, settings.threshold, uptake, liver_level, settings.exclude.as_ref())?;
    let warnings = too_small_warning(&found).into_iter().collect();
    Ok((found.candidates, Some(found.level), warnings))
}

fn too_small_warning(found: &Found) -> Option<Warning> {
    let (number, hottest) = found.too_small;
    (number > 0).then(|| {
        let smallest = crate::lesion::SMALLEST_ML;
        let (regions, are) = if number == 1 { ("region", "is") } else { ("regions", "are") };
        let message = format!(
            "{number} {regions} over SUV {:.2} {are} smaller than {smallest} mL and not listed; the hottest has SUVmax \
             {hottest:.2}",
            found.level
        );
        Warning::new("SMALL_REGIONS", message)
    })
}

fn landmarks<'a>(
    anatomy: &'a Anatomy,
    liver: &Reference,
    bw_per_value: f64,
    settings: &'a Settings,
) -> Option<Landmarks<'a>> {
    let bw = |s: &RegionStatistics| RegionStatistics {
        mean: s.mean * bw_per_value,
        max: s.max * bw_per_value,
        ..*s
    };
    let liver = liver.centre_mm.zip(liver.usable().map(bw));
    Landmarks::find(anatomy, liver, settings.organs.as_ref())
}

fn given_finding() -> Finding {
    Finding { class: Class::Lesion, site: Site::Body, reason: "given by the user".into() }
}

/// Diffuse uptake of the marrow is one finding, not one for each vertebra; and what lies within the liver's own uptake is
/// the reference itself, not a region of its own.
fn gathered(candidates: Vec<Candidate>, findings: Vec<Finding>) -> (Vec<Candidate>, Vec<Finding>) {
    let mut kept: Vec<(Candidate, Finding)> = Vec::new();
    for (candidate, finding) in candidates.into_iter().zip(findings) {
        let liver_itself = finding.class == Class::Physiologic && finding.site == Site::Liver;
        if liver_itself && candidate.below_threshold {
            continue;
        }
        let same_marrow = |(c, f): &&mut (Candidate, Finding)| {
            f.site == Site::Marrow && c.below_threshold == candidate.below_threshold
        };
        let marrow = finding.site == Site::Marrow;
        match kept.iter_mut().find(same_marrow).filter(|_| marrow) {
            Some((whole, _)) => whole.region = whole.region.union(&candidate.region),
            None => kept.push((candidate, finding)),
        }
    }
    kept.into_iter().unzip()
}

/// All regions measured, hottest first, numbered from 1.
fn measured_lesions(
    pet: &Volume<f32>,
    candidates: &[Candidate],
    findings: Vec<Finding>,
) -> Vec<Lesion> {
    let hot = Region::union_of(pet.geometry().shape(), candidates.iter().map(|c| &c.region));
    let pairs = candidates.par_iter().zip(findings);
    let mut lesions: Vec<Lesion> =
        pairs.filter_map(|(c, finding)| measure_lesion(pet, c, finding, &hot)).collect();
    // Stable: equally hot regions keep their order in memory.
    lesions.sort_by(|a, b| b.statistics.max.total_cmp(&a.statistics.max));
    lesions.iter_mut().zip(1..).for_each(|(lesion, id)| lesion.id = id);
    lesions
}

fn unused_ct_warning(scan: &ScanInput<'_>, anatomy: Option<&Anatomy>) -> Option<Warning> {
    (scan.ct.is_some() && anatomy.is_some_and(|a| a.hounsfield.is_none())).then(|| {
        let message = "the CT covers too little of the PET's body to tell organs: anatomy is found on the PET alone";
        Warning::new("CT_COVERS_LITTLE", message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(offsets: std::ops::Range<usize>, below_threshold: bool) -> Candidate {
        let region = Region::from_offsets([4, 4, 4], offsets);
        Candidate { whole: region.clone(), region, below_threshold, divided: false }
    }

    fn finding(class: Class, site: Site) -> Finding {
        Finding { class, site, reason: "a test".into() }
    }

    #[test]
    fn marrow_is_one_finding_a_level_and_the_liver_itself_none() {
        let rows = [
            (candidate(0..2, false), finding(Class::Uncertain, Site::Marrow)),
            (candidate(4..6, false), finding(Class::Lesion, Site::Spine)),
            (candidate(8..10, true), finding(Class::Uncertain, Site::Marrow)),
            (candidate(12..14, false), finding(Class::Uncertain, Site::Marrow)),
            (candidate(16..18, true), finding(Class::Physiologic, Site::Liver)),
            (candidate(20..22, false), finding(Class::Physiologic, Site::Liver)),
            (candidate(24..26, true), finding(Class::Uncertain, Site::Marrow)),
        ];
        let (candidates, findings) = rows.into_iter().unzip();
        let (candidates, findings) = gathered(candidates, findings);
        let found: Vec<_> = candidates
            .iter()
            .zip(&findings)
            .map(|(c, f)| (f.site, c.region.offsets().collect::<Vec<_>>()))
            .collect();
        let expected = [
            (Site::Marrow, vec![0, 1, 12, 13]),
            (Site::Spine, vec![4, 5]),
            (Site::Marrow, vec![8, 9, 24, 25]),
            // Over the threshold it is shown: a liver that hot is worth knowing.
            (Site::Liver, vec![20, 21]),
        ];
        assert_eq!(found, expected);
    }
}
