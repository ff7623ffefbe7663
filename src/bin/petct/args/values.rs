//! Values of flags: each parser answers with the value or with one clear sentence.

use std::path::PathBuf;

use glam::DVec3;
use petct::criteria::Criteria;
use petct::lesion::Threshold;
use petct::organ::Numbering;
use petct::suv::{InjectedAt, SuvKind};

/// A value for one scan of several.
#[derive(Debug, Clone)]
pub(crate) enum Given<T> {
    /// `-`: nothing for this scan.
    Nothing,
    /// The value.
    Value(T),
}

impl<T> Given<T> {
    pub(super) fn value(&self) -> Option<&T> {
        match self {
            Self::Nothing => None,
            Self::Value(value) => Some(value),
        }
    }
}

/// A region given by hand.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RegionSource {
    /// A sphere, LPS millimetres.
    Sphere {
        /// Centre.
        centre_mm: DVec3,
        /// Radius.
        radius_mm: f64,
    },
    /// A file of regions.
    Mask(PathBuf),
}

/// Organs given by hand.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OrganSource {
    /// File, or folder of one file an organ.
    pub(crate) path: PathBuf,
    /// What the numbers of its labels mean, where it is said.
    pub(crate) numbering: Option<Numbering>,
}

/// A parser that takes `-` for "nothing for this scan".
pub(super) fn given<T: Clone + Send + Sync + 'static>(
    parse: fn(&str) -> Result<T, String>,
) -> impl Fn(&str) -> Result<Given<T>, String> + Clone + Send + Sync + 'static {
    move |text| if text == "-" { Ok(Given::Nothing) } else { parse(text).map(Given::Value) }
}

/// A number between two bounds, or what was meant to be given.
pub(super) fn number(text: &str, low: f64, high: f64, meant: &str) -> Result<f64, String> {
    let value = text.trim().parse::<f64>().ok().filter(|value| (low..=high).contains(value));
    value.ok_or_else(|| format!("{text:?} is not {meant}"))
}

pub(super) fn weight_kg(text: &str) -> Result<f64, String> {
    number(text, 0.5, 700.0, "a number of kilograms from 0.5 to 700")
}

pub(super) fn height_m(text: &str) -> Result<f64, String> {
    number(text, 0.3, 2.8, "a number of metres from 0.3 to 2.8")
}

pub(super) fn dose_mbq(text: &str) -> Result<f64, String> {
    let meant = "a number of megabecquerels above 0, up to 100000";
    number(text, f64::MIN_POSITIVE, 1e5, meant)
}

pub(super) fn injected_at(text: &str) -> Result<InjectedAt, String> {
    text.parse()
}

pub(super) fn kind(text: &str) -> Result<SuvKind, String> {
    text.parse()
}

pub(super) fn criteria(text: &str) -> Result<Criteria, String> {
    Criteria::by_name(text).map_err(|unknown| unknown.to_string())
}

pub(super) fn threads(text: &str) -> Result<usize, String> {
    let count = text.parse::<usize>().ok().filter(|count| (1..=1024).contains(count));
    count.ok_or_else(|| format!("{text:?} is not a number of threads from 1 to 1024"))
}

pub(super) fn series_uid(text: &str) -> Result<String, String> {
    let uid = text.trim();
    let valid = !uid.is_empty()
        && uid.len() <= 64
        && uid.chars().all(|character| character.is_ascii_digit() || character == '.');
    let sentence = || format!("{text:?} is no UID; petct inspect lists those of the series");
    valid.then(|| uid.to_owned()).ok_or_else(sentence)
}

pub(super) fn path(text: &str) -> Result<PathBuf, String> {
    (!text.is_empty()).then(|| text.into()).ok_or_else(|| "an empty text is no path".into())
}

pub(super) fn nifti_file(text: &str) -> Result<PathBuf, String> {
    let lower = text.to_lowercase();
    let named = [".nii.gz", ".nii"].iter().any(|end| lower.ends_with(end));
    named.then(|| text.into()).ok_or_else(|| format!("{text:?} does not end in .nii.gz or .nii"))
}

/// Four numbers are a sphere, anything else is a file.
pub(super) fn region(text: &str) -> Result<RegionSource, String> {
    let parts: Vec<_> = text.split(',').map(|part| part.trim().parse::<f64>()).collect();
    if parts.len() < 2 || parts.iter().any(Result::is_err) {
        return path(text).map(RegionSource::Mask);
    }
    let numbers: Vec<f64> = parts.into_iter().filter_map(Result::ok).collect();
    let sentence = "is no sphere: give x,y,z,r in millimetres with a radius above 0, up to 500";
    match numbers[..] {
        [x, y, z, radius_mm]
            if numbers.iter().all(|n| n.abs() <= 1e4) && radius_mm > 0.0 && radius_mm <= 500.0 =>
        {
            Ok(RegionSource::Sphere { centre_mm: DVec3::new(x, y, z), radius_mm })
        }
        _ => Err(format!("{text:?} {sentence}")),
    }
}

/// A file, with the version of TotalSegmentator before it where it has to be said: `total-v1:organs.nii.gz`.
pub(super) fn organs(text: &str) -> Result<OrganSource, String> {
    let versions = [("total-v1:", Numbering::TotalV1), ("total-v2:", Numbering::TotalV2)];
    let said = versions.iter().find_map(|&(name, n)| Some((text.strip_prefix(name)?, n)));
    let (file, numbering) = said.map_or((text, None), |(file, n)| (file, Some(n)));
    Ok(OrganSource { path: path(file)?, numbering })
}

pub(super) fn threshold(text: &str) -> Result<Threshold, String> {
    text.parse()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn organs_with_their_version() {
        let rows = [
            ("organs.nii.gz", "organs.nii.gz", None),
            ("total-v1:a/b.nii", "a/b.nii", Some(Numbering::TotalV1)),
            ("total-v2:b", "b", Some(Numbering::TotalV2)),
        ];
        for (text, path, numbering) in rows {
            assert_eq!(organs(text), Ok(OrganSource { path: path.into(), numbering }), "{text}");
        }
    }

    #[test]
    fn regions() {
        let sphere =
            |x, y, z, radius_mm| RegionSource::Sphere { centre_mm: DVec3::new(x, y, z), radius_mm };
        let rows = [
            ("-60.5, 10,-300,15", Some(sphere(-60.5, 10.0, -300.0, 15.0))),
            ("liver.nii.gz", Some(RegionSource::Mask("liver.nii.gz".into()))),
            ("a,b.nii", Some(RegionSource::Mask("a,b.nii".into()))),
            ("1,2,3", None),
            ("1,2,3,0", None),
            ("1,2,3,NaN", None),
            ("1,2,3,4,5", None),
        ];
        for (text, expected) in rows {
            assert_eq!(region(text).ok(), expected, "{text:?}");
        }
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        for (parse, bad) in [
            (weight_kg as fn(&str) -> Result<f64, String>, ["0", "701", "-70", "70kg"]),
            (height_m, ["170", "0", "NaN", ""]),
            (dose_mbq, ["0", "-1", "3.7e8", "inf"]),
        ] {
            for text in bad {
                let sentence = parse(text).unwrap_err();
                assert!(sentence.contains(&format!("{text:?}")), "{sentence}");
            }
        }
        assert_eq!(weight_kg("70.5"), Ok(70.5));
        assert!(threads("0").is_err() && threads("2").is_ok());
        assert!(series_uid("1.2.x").is_err() && series_uid("1.2.3").is_ok());
    }
}
