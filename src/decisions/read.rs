//! From the text to decisions: every key is known, every fault has its line.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use super::{
    Add, At, Binding, Choice, DecisionError, Decisions, FORMAT, Merge, ReferenceEntry, RegionEntry,
    Said, Split, sha256,
};
use crate::lesion::{Class, Site, Threshold};

#[derive(Deserialize)]
struct Head {
    format: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "format")]
    _format: u32,
    petct_version: String,
    scan_sha256: String,
    settings_sha256: String,
    regions_sha256: String,
    reader: Option<String>,
    note: Option<String>,
    settings: BTreeMap<String, String>,
    #[serde(default)]
    references: References,
    #[serde(default)]
    region: Vec<Spanned<Region>>,
    #[serde(default)]
    split: Vec<Spanned<Dividing>>,
    #[serde(default)]
    merge: Vec<Spanned<Joining>>,
    #[serde(default)]
    add: Vec<Spanned<Adding>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct References {
    liver: Option<Spanned<Reference>>,
    blood_pool: Option<Spanned<Reference>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reference {
    accept: Option<bool>,
    sphere_mm: Option<[f64; 4]>,
    reader: Option<String>,
    note: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Region {
    id: usize,
    class: Choice,
    site: String,
    hottest_mm: Option<[f64; 3]>,
    suv_max: Option<f64>,
    volume_ml: Option<f64>,
    reader: Option<String>,
    note: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Dividing {
    region: usize,
    points_mm: Vec<[f64; 3]>,
    #[serde(default)]
    classes: Vec<Choice>,
    #[serde(default)]
    sites: Vec<String>,
    reader: Option<String>,
    note: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Joining {
    regions: Vec<usize>,
    class: Option<Choice>,
    site: Option<String>,
    reader: Option<String>,
    note: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Adding {
    point_mm: [f64; 3],
    threshold: Option<Edge>,
    within_mm: Option<f64>,
    class: Option<Choice>,
    site: Option<String>,
    reader: Option<String>,
    note: Option<String>,
}

/// `"41%"`, `"4.0"`, and 4.0, because that is what a person writes.
#[derive(Deserialize)]
#[serde(untagged)]
enum Edge {
    Suv(f64),
    Rule(String),
}

/// Reads the decisions of a scan from their text.
///
/// # Errors
/// The text is no TOML, has unknown keys or values, or is of a newer format.
pub fn read(written: &str) -> Result<Decisions, DecisionError> {
    let text = head_of(written)?;
    let file: File = parsed(text)?;
    let lines = Lines { text };
    Ok(Decisions {
        petct_version: file.petct_version,
        binding: Binding {
            scan_sha256: file.scan_sha256,
            settings: file.settings,
            settings_sha256: file.settings_sha256,
            regions_sha256: file.regions_sha256,
        },
        said: said(file.reader, file.note),
        liver: file.references.liver.map(|r| lines.at(r, reference)).transpose()?,
        blood_pool: file.references.blood_pool.map(|r| lines.at(r, reference)).transpose()?,
        regions: lines.all(file.region, region)?,
        splits: lines.all(file.split, split)?,
        merges: lines.all(file.merge, merge)?,
        adds: lines.all(file.add, add)?,
        text_sha256: sha256(written),
    })
}

/// The text of a file of a known format.
pub(super) fn head_of(written: &str) -> Result<&str, DecisionError> {
    // Some editors put a byte order mark at the front.
    let text = written.strip_prefix('\u{feff}').unwrap_or(written);
    let head: Head = parsed(text)?;
    let found = head.format.ok_or_else(|| DecisionError::Unreadable {
        line: 1,
        what: "it has no line \"format\": it is no decisions file of petct".into(),
    })?;
    match found {
        FORMAT => Ok(text),
        newer if newer > FORMAT => Err(DecisionError::Newer { found }),
        _ => {
            let (line, what) = (line_of(text, "format"), format!("there is no format {found}"));
            Err(DecisionError::Unreadable { line, what })
        }
    }
}

pub(super) fn parsed<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, DecisionError> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_at(text, &span));
        let what = error.message().lines().collect::<Vec<_>>().join(", ");
        DecisionError::Unreadable { line, what }
    })
}

fn line_at(text: &str, span: &Range<usize>) -> usize {
    text.bytes().take(span.start).filter(|b| *b == b'\n').count() + 1
}

/// The line of a key at the top.
fn line_of(text: &str, key: &str) -> usize {
    text.lines().position(|line| line.trim_start().starts_with(key)).map_or(1, |n| n + 1)
}

pub(super) struct Lines<'a> {
    pub(super) text: &'a str,
}

type Converted<T> = Result<T, String>;

impl Lines<'_> {
    fn at<F, T>(
        &self,
        from: Spanned<F>,
        convert: impl Fn(F) -> Converted<T>,
    ) -> Result<At<T>, DecisionError> {
        let line = line_at(self.text, &from.span());
        let entry = convert(from.into_inner());
        let entry = entry.map_err(|what| DecisionError::Unreadable { line, what })?;
        Ok(At { line, entry })
    }

    pub(super) fn all<F, T>(
        &self,
        from: Vec<Spanned<F>>,
        convert: impl Fn(F) -> Converted<T>,
    ) -> Result<Vec<At<T>>, DecisionError> {
        from.into_iter().map(|entry| self.at(entry, &convert)).collect()
    }
}

pub(super) fn said(reader: Option<String>, note: Option<String>) -> Said {
    let filled = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    Said { reader: filled(reader), note: filled(note) }
}

fn finite(what: &str, numbers: &[f64]) -> Converted<()> {
    let wrong = numbers.iter().find(|n| !n.is_finite());
    wrong.map_or(Ok(()), |n| Err(format!("{what} holds {n}, which is no place")))
}

fn reference(from: Reference) -> Converted<ReferenceEntry> {
    if let Some(sphere) = from.sphere_mm {
        finite("sphere_mm", &sphere)?;
        if !(sphere[3] > 0.0 && sphere[3] <= 500.0) {
            return Err("sphere_mm is [x, y, z, r] with a radius above 0, up to 500 mm".into());
        }
        if from.accept.is_some() {
            return Err("accept is about the proposed region and sphere_mm about another".into());
        }
    }
    let said = said(from.reader, from.note);
    Ok(ReferenceEntry { accept: from.accept, sphere_mm: from.sphere_mm, said })
}

fn region(from: Region) -> Converted<RegionEntry> {
    Ok(RegionEntry {
        id: from.id,
        choice: from.class,
        site: from.site.parse()?,
        hottest_mm: from.hottest_mm,
        suv_max: from.suv_max,
        volume_ml: from.volume_ml,
        said: said(from.reader, from.note),
    })
}

fn split(from: Dividing) -> Converted<Split> {
    let points = from.points_mm.len();
    if points < 2 {
        return Err(format!("points_mm holds {points} point(s), and a split needs two and more"));
    }
    for (name, number) in [("classes", from.classes.len()), ("sites", from.sites.len())] {
        if number != 0 && number != points {
            return Err(format!("{name} holds {number} for {points} points"));
        }
    }
    finite("points_mm", from.points_mm.as_flattened())?;
    Ok(Split {
        region: from.region,
        points_mm: from.points_mm,
        classes: from.classes,
        sites: from.sites.iter().map(|site| site.parse()).collect::<Converted<_>>()?,
        said: said(from.reader, from.note),
    })
}

fn merge(from: Joining) -> Converted<Merge> {
    if from.regions.len() < 2 {
        return Err("regions names fewer than two regions".into());
    }
    Ok(Merge {
        regions: from.regions,
        choice: from.class,
        site: from.site.map(|site| site.parse()).transpose()?,
        said: said(from.reader, from.note),
    })
}

fn add(from: Adding) -> Converted<Add> {
    finite("point_mm", &from.point_mm)?;
    if let Some(within) = from.within_mm
        && !(within > 0.0 && within <= 500.0)
    {
        return Err("within_mm is a distance above 0, up to 500 mm".into());
    }
    let threshold: Option<Threshold> = match from.threshold {
        None => None,
        Some(Edge::Suv(suv)) => Some(suv.to_string().parse()?),
        Some(Edge::Rule(rule)) => Some(rule.parse()?),
    };
    let class = match from.class {
        None => Class::Lesion,
        Some(choice) => choice.class().ok_or("what is added cannot be removed at once")?,
    };
    let site = from.site.map_or(Ok(Site::Body), |site| site.parse())?;
    let said = said(from.reader, from.note);
    let (point_mm, within_mm) = (from.point_mm, from.within_mm);
    Ok(Add { point_mm, threshold, within_mm, class, site, said })
}
