//! From an opened scan to its assessment: what `score` and `compare` share.

use std::path::Path;

use petct::assessment::{
    Given, Proposal, ScanAssessment, ScanInput, Settings, propose, settings_in_words,
};
use petct::criteria::Criteria;
use petct::decisions::{Binding, digest_of_scan, write};
use petct::lesion::Threshold;
use petct::mask_file::{read_organs, read_regions};
use petct::organ::OrganMap;
use petct::report::score::{ScanSource, ScoreDocument};
use petct::segmentation::Region;
use petct::statistics::summary;
use petct::volume::Mask;

use crate::args::{OrganSource, ReadingOptions, RegionSource, ScanOptions};
use crate::console::Console;
use crate::decisions::GivenDecisions;
use crate::failure::Failure;
use crate::open::OpenScan;

/// The settings for one scan: masks are read on its lattice, and what they warn of joins its warnings.
pub(crate) fn settings(
    scan: &mut OpenScan,
    reading: &ReadingOptions,
    threshold: Option<Threshold>,
    criteria: Criteria,
) -> Result<Settings, Failure> {
    let usual = Settings::default();
    Ok(Settings {
        criteria,
        threshold: threshold.unwrap_or(usual.threshold),
        liver: region(scan, reading.liver.as_ref(), "--liver")?,
        blood_pool: region(scan, reading.blood_pool.as_ref(), "--blood-pool")?,
        lesions: reading.lesions.as_ref().map(|file| all_regions(scan, file)).transpose()?,
        exclude: reading.exclude.as_ref().map(|file| all_regions(scan, file)).transpose()?,
        organs: reading.organs.as_ref().map(|file| organs(scan, file)).transpose()?,
    })
}

fn region(
    scan: &mut OpenScan,
    source: Option<&RegionSource>,
    flag: &str,
) -> Result<Given, Failure> {
    match source {
        None => Ok(Given::Automatic),
        Some(&RegionSource::Sphere { centre_mm, radius_mm }) => {
            Ok(Given::Sphere { centre_mm, radius_mm })
        }
        Some(RegionSource::Mask(file)) => {
            let mut masks = masks(scan, file)?;
            if let (Some(mask), true) = (masks.pop(), masks.is_empty()) {
                return Ok(Given::Voxels(Region::from_mask(&mask)));
            }
            let message = format!("{} holds more than one region", file.display());
            let remedy = format!("give {flag} a file with the reference alone");
            Err(Failure::new("several_regions", &message, &remedy))
        }
    }
}

/// All regions of a file as one mask.
fn all_regions(scan: &mut OpenScan, file: &Path) -> Result<Mask, Failure> {
    let mut all = Mask::filled(scan.suv.volume.geometry().clone(), false);
    for mask in masks(scan, file)? {
        all.values_mut().iter_mut().zip(mask.values()).for_each(|(all, &inside)| *all |= inside);
    }
    Ok(all)
}

fn masks(scan: &mut OpenScan, file: &Path) -> Result<Vec<Mask>, Failure> {
    let frame = scan.about.frame_of_reference_uid();
    let regions = read_regions(file, scan.suv.volume.geometry(), frame)?;
    Ok(regions.unpack(&mut scan.about.warnings).into_iter().map(|region| region.mask).collect())
}

fn organs(scan: &mut OpenScan, source: &OrganSource) -> Result<OrganMap, Failure> {
    let frame = scan.about.frame_of_reference_uid();
    let onto = scan.suv.volume.geometry();
    let organs = read_organs(&source.path, onto, frame, source.numbering)?;
    Ok(organs.unpack(&mut scan.about.warnings))
}

/// The scan as the core sees it.
pub(crate) fn input(scan: &OpenScan) -> Result<ScanInput<'_>, Failure> {
    let bw_per_value = scan.about.bw_per_value.ok_or_else(|| {
        let kind = scan.suv.kind;
        let message = format!("SUVbw, by which anatomy is found, cannot be computed beside {kind}");
        Failure::new("no_body_weight_suv", &message, "give what is missing, or use --suv bw")
    })?;
    Ok(ScanInput { image: &scan.suv, bw_per_value, ct: scan.ct.as_ref() })
}

/// An assessed scan.
#[derive(Debug)]
pub(crate) struct Assessed {
    pub(crate) assessment: ScanAssessment,
    /// Text of decisions for the folder of results.
    pub(crate) decisions: Option<String>,
    /// Hash of PET and CT, where decisions were given or wanted.
    pub(crate) scan_sha256: Option<String>,
}

/// Assesses an opened scan by the decisions of a person, where there are any. With `wanted`, also gives the text of
/// decisions for the folder of results: as it was given, or one that proposes.
pub(crate) fn assess(
    scan: &OpenScan,
    options: &ScanOptions,
    settings: &Settings,
    given: Option<&GivenDecisions>,
    wanted: bool,
) -> Result<Assessed, Failure> {
    let input = input(scan)?;
    let proposal = proposal(&input, settings)?;
    if given.is_none() && !wanted {
        let assessment = proposal.conclude(&input, settings);
        return Ok(Assessed { assessment, decisions: None, scan_sha256: None });
    }
    let binding = binding(&input, options, settings, &proposal);
    let scan_sha256 = Some(binding.scan_sha256.clone());
    if let Some(given) = given {
        let decided = proposal.decide(&input, settings, &binding, &given.decisions);
        let decided = decided.map_err(|error| given.failure(&error))?;
        let assessment = decided.conclude(&input, settings);
        let decisions = wanted.then(|| given.text.clone());
        return Ok(Assessed { assessment, decisions, scan_sha256 });
    }
    let found = proposal.conclude(&input, settings);
    let text = write(&binding, &found.lesions, &found.liver, &found.blood_pool);
    Ok(Assessed { assessment: found, decisions: Some(text), scan_sha256 })
}

/// What is found in a scan before anybody decides.
pub(crate) fn proposal(input: &ScanInput<'_>, settings: &Settings) -> Result<Proposal, Failure> {
    propose(input, settings).map_err(|error| {
        Failure::new("threshold_needs_liver", &error, "give --liver or a fixed --threshold")
    })
}

/// What decisions about a scan are bound to.
pub(crate) fn binding(
    input: &ScanInput<'_>,
    options: &ScanOptions,
    settings: &Settings,
    proposal: &Proposal,
) -> Binding {
    let words = settings_in_words(options.kind, &options.overrides, settings);
    let hash = digest_of_scan(&input.image.volume, input.ct);
    Binding::new(hash, words, proposal.lesions())
}

/// The document of an assessed scan.
pub(crate) fn document(
    scan: &OpenScan,
    settings: &Settings,
    assessment: &ScanAssessment,
    console: &Console,
) -> ScoreDocument {
    let source = ScanSource {
        pet: &scan.about.pet,
        ct: scan.about.ct_series.as_ref(),
        set_aside: &scan.about.set_aside,
        plan: &scan.about.plan,
        summary: summary(&scan.suv.volume),
        body_mean: &scan.about.body_mean,
        body_surface_m2: scan.about.body_surface_m2.as_ref().copied().map_err(String::as_str),
        warnings: &scan.about.warnings,
        threshold: settings.lesions.is_none().then_some(settings.threshold),
        patient: console.show_identifiers.then_some(&scan.about.study.patient),
    };
    ScoreDocument::new(&source, assessment, &settings.criteria)
}
