//! The settings that determine what is found in a scan, in words: what decisions of a person are bound to.

use std::collections::BTreeMap;
use std::fmt::Display;

use super::{Given, Settings};
use crate::criteria::Criteria;
use crate::decisions::sha256;
use crate::organ::OrganMap;
use crate::segmentation::Region;
use crate::suv::{InjectedAt, Overrides, SuvKind};

/// Names the settings that determine regions, classes and the score of one scan.
///
/// Sets of numbers that only compare scans (change, quality) are left out: what a region is does not depend on them.
pub fn settings_in_words(
    kind: SuvKind,
    overrides: &Overrides,
    settings: &Settings,
) -> BTreeMap<String, String> {
    // Taken apart, so that a new setting cannot be forgotten.
    let Settings { criteria, threshold, liver, blood_pool, lesions, exclude, organs } = settings;
    let Overrides { weight_kg, height_m, dose_mbq, injected_at } = overrides;
    let Criteria { convention, change: _, quality: _, positive_from: _, borderline: _ } = criteria;
    let mask = |mask: Option<Region>| mask.as_ref().map_or_else(|| "none".into(), voxels);
    let time = injected_at.map(|at| match at {
        InjectedAt::TimeOfDay(time) => time.to_string(),
        InjectedAt::DateTime(time) => time.format("%Y-%m-%dT%H:%M:%S%.f").to_string(),
    });
    let rows = [
        ("suv", kind.as_str().to_owned()),
        ("threshold", threshold.to_string()),
        ("convention", format!("{} (version {})", convention.name, convention.version)),
        ("liver", given(liver)),
        ("blood_pool", given(blood_pool)),
        ("lesions", mask(lesions.as_ref().map(Region::from_mask))),
        ("exclude", mask(exclude.as_ref().map(Region::from_mask))),
        ("organs", organs.as_ref().map_or_else(|| "none".into(), outlines)),
        ("weight_kg", header_or(*weight_kg)),
        ("height_m", header_or(*height_m)),
        ("dose_mbq", header_or(*dose_mbq)),
        ("injected_at", header_or(time)),
    ];
    rows.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn header_or<T: Display>(value: Option<T>) -> String {
    value.map_or_else(|| "as in the file".into(), |value| value.to_string())
}

fn given(given: &Given) -> String {
    match given {
        Given::Automatic => "automatic".into(),
        Given::Sphere { centre_mm: c, radius_mm } => {
            format!("sphere {},{},{},{radius_mm}", c.x, c.y, c.z)
        }
        Given::Voxels(region) => voxels(region),
    }
}

/// A mask by the hash of its voxels.
fn voxels(region: &Region) -> String {
    format!("mask of {} voxels, {}", region.voxels(), &sha256(runs(region))[..16])
}

/// Organs by the hash of their names and voxels.
fn outlines(organs: &OrganMap) -> String {
    let lines = organs.iter().map(|(organ, region)| format!("{organ:?} {}", runs(region)));
    let hash = sha256(lines.collect::<Vec<_>>().concat());
    format!("{} organs, {}", organs.iter().count(), &hash[..16])
}

fn runs(region: &Region) -> String {
    let runs = region.runs().iter().map(|run| format!("{} {}\n", run.start, run.end));
    format!("{:?}\n{}", region.shape(), runs.collect::<Vec<_>>().concat())
}
