//! From a path to studies and series, by headers alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dicom_core::Tag;
use dicom_dictionary_std::{tags, uids};
use rayon::prelude::*;

use super::attribute::{text_or_empty, uid};
use super::data_set::Room;
use super::error::ReadError;
use super::file::{Header, announced_class, read_header, read_header_up_to};
use super::record::{Facts, Record};
use super::series::{Series, Study};
use crate::diagnostic::{Warned, Warning};

/// First tag behind the identifiers of the series: enough of a damaged file to know where it belongs.
const BEHIND_SERIES_UID: Tag = Tag(0x0020, 0x000F);

/// Finds the studies and series under a path: a folder (searched in depth, any file names, links followed once), a
/// single file, or a DICOMDIR (which stands for the folder that it lies in). Reads headers only, in parallel.
///
/// Files that are not DICOM, and damaged ones, are left out with a warning; a damaged file that still names its series
/// makes that series unusable, because its slice would be missing. Series come in the order of their numbers.
///
/// # Errors
/// The path is not there, cannot be read, or holds no DICOM image.
pub fn scan(path: &Path) -> Result<Warned<Vec<Study>>, ReadError> {
    let root = if is_directory_file(path) { path.parent().unwrap_or(path) } else { path };
    let root = if root.as_os_str().is_empty() { Path::new(".") } else { root };
    let mut warnings = Vec::new();
    let files = files_under(root, &mut warnings)?;
    if files.is_empty() {
        return Err(ReadError::EmptyFolder(path.to_owned()));
    }
    let found =
        files.par_iter().map_init(Reading::default, |at, file| read(file, at)).collect::<Vec<_>>();
    let (mut foreign, mut lost) = (Vec::new(), Vec::new());
    let mut series = BTreeMap::<String, Members>::new();
    for (file, found) in files.iter().zip(found) {
        match found {
            Found::Image(record) => {
                let uid = &record.facts.series_uid;
                match series.get_mut(uid) {
                    Some((records, _)) => records.push(*record),
                    None => {
                        series.insert(uid.clone(), (vec![*record], Vec::new()));
                    }
                }
            }
            Found::Index => {}
            Found::Damaged(uid, why) => {
                series.entry(uid).or_default().1.push((file.clone(), why));
            }
            Found::Lost(class, why) => lost.push((file.clone(), class, why)),
            Found::Foreign(why) => foreign.push((file.clone(), why)),
        }
    }
    blame_neighbours(&mut series, lost, &mut foreign);
    let suspicious: Vec<_> = foreign.iter().filter(|(file, _)| may_be_dicom(file)).collect();
    if let Some((file, why)) = suspicious.first() {
        let message = format!(
            "{} file(s) are left out, the first because {} {why}",
            suspicious.len(),
            file.display()
        );
        warnings.push(Warning::new("FILES_SKIPPED", message));
    }
    for (path, why) in series.values().flat_map(|(_, broken)| broken) {
        warnings.push(Warning::new("FILE_DAMAGED", format!("{} {why}", path.display())));
    }
    let series = series
        .into_par_iter()
        .filter(|(_, (records, _))| !records.is_empty())
        .map(|(_, (records, broken))| Series::of(&records, &broken))
        .collect::<Vec<_>>();
    if series.is_empty() {
        let damaged = warnings.iter().find(|w| w.code == "FILE_DAMAGED").map(|w| w.message.clone());
        let example = damaged
            .or_else(|| foreign.first().map(|(file, why)| format!("{} {why}", file.display())))
            .unwrap_or_else(|| "only a DICOMDIR".into());
        return Err(ReadError::NoDicom { path: path.to_owned(), files: files.len(), example });
    }
    Ok(Warned { output: studies(series), warnings })
}

/// The files of a series: those that can be read, and damaged ones with their faults.
type Members = (Vec<Record>, Vec<(PathBuf, String)>);

/// A damaged image that does not tell its series is held against the series of its kind in its folder: left out
/// silently at the end of a stack it would shorten the volume.
fn blame_neighbours(
    series: &mut BTreeMap<String, Members>,
    lost: Vec<(PathBuf, String, String)>,
    foreign: &mut Vec<(PathBuf, String)>,
) {
    for (path, class, why) in lost {
        let neighbour = |record: &Record| {
            record.path.parent() == path.parent()
                && (class.is_empty()
                    || text_or_empty(record.facts.header.data_set(), tags::SOP_CLASS_UID) == class)
        };
        let mut blamed = false;
        for (records, broken) in series.values_mut() {
            if records.iter().any(neighbour) {
                broken.push((path.clone(), why.clone()));
                blamed = true;
            }
        }
        if !blamed {
            foreign.push((path, why));
        }
    }
}

/// Whether a file's name is one that DICOM files have: no extension, a number, or one of the usual ones. That a document or
/// a picture beside them is left out is no news.
fn may_be_dicom(file: &Path) -> bool {
    let usual = ["dcm", "dicom", "dic", "ima", "img"];
    file.extension().and_then(|e| e.to_str()).is_none_or(|e| {
        e.chars().any(|c| c.is_ascii_digit()) || usual.iter().any(|u| e.eq_ignore_ascii_case(u))
    })
}

/// What one file turned out to be.
enum Found {
    Image(Box<Record>),
    /// A DICOMDIR: nothing of its own.
    Index,
    /// Part of a series, but unreadable.
    Damaged(String, String),
    /// An image by its file meta group, too damaged to tell its series.
    Lost(String, String),
    Foreign(String),
}

/// What is kept from one file to the next.
#[derive(Default)]
struct Reading {
    room: Room,
    /// What the latest slices said of their series, the last first: the next file is likely to say the same.
    latest: Vec<Arc<Facts>>,
}

/// So many series may lie mixed in a folder, and their files still be compared with one of the same.
const LATEST: usize = 4;

impl Reading {
    /// The record of a header that says of its series what one of the latest said.
    fn sharing(&mut self, path: &Path, header: &Header) -> Option<Record> {
        let found = |(n, facts)| Some((n, Record::sharing(path, header, facts)?));
        let (n, record) = self.latest.iter().enumerate().find_map(found)?;
        self.latest[..=n].rotate_right(1);
        Some(record)
    }

    fn keep(&mut self, record: &Record) {
        if record.shares_facts(record) {
            self.latest.truncate(LATEST - 1);
            self.latest.insert(0, Arc::clone(&record.facts));
        }
    }
}

fn read(path: &Path, reading: &mut Reading) -> Found {
    let header = match contained(|| read_header(path, &mut reading.room)) {
        Ok(header) => header,
        Err(why) => {
            let start =
                contained(|| read_header_up_to(path, BEHIND_SERIES_UID, &mut reading.room)).ok();
            let series = start.and_then(|start| {
                uid(start.data_set(), tags::SERIES_INSTANCE_UID).value().cloned()
            });
            return match series {
                Some(series) => Found::Damaged(series, format!("is damaged: {why}")),
                None => without_series(path, why),
            };
        }
    };
    if let Ok(Some(record)) = contained(|| Ok(reading.sharing(path, &header))) {
        header.give_back(&mut reading.room);
        return Found::Image(Box::new(record));
    }
    let class = text_or_empty(header.data_set(), tags::MEDIA_STORAGE_SOP_CLASS_UID);
    if class == uids::MEDIA_STORAGE_DIRECTORY_STORAGE
        || header.data_set().has(tags::DIRECTORY_RECORD_SEQUENCE)
    {
        return Found::Index;
    }
    let series = uid(header.data_set(), tags::SERIES_INSTANCE_UID).value().cloned();
    match (contained(|| Record::of(path, header)), series) {
        (Ok(record), _) => {
            reading.keep(&record);
            Found::Image(Box::new(record))
        }
        (Err(why), Some(series)) => Found::Damaged(series, format!("cannot be used: {why}")),
        (Err(why), None) => without_series(path, why),
    }
}

/// A file that does not tell its series: a damaged image where it announces itself as one.
fn without_series(path: &Path, why: String) -> Found {
    match announced_class(path) {
        Some(class) => Found::Lost(class, format!("is damaged: {why}")),
        None => Found::Foreign(why),
    }
}

/// Runs work on one file; a panic of a parser or decoder becomes that file's fault.
pub(super) fn contained<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err("makes the decoder fail: its data are damaged".into()))
}

fn is_directory_file(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.eq_ignore_ascii_case("DICOMDIR")) && path.is_file()
}

/// All files under a path in a fixed order, each once however many links lead to it.
fn files_under(root: &Path, warnings: &mut Vec<Warning>) -> Result<Vec<PathBuf>, ReadError> {
    if !root.exists() {
        return Err(ReadError::NotFound(root.to_owned()));
    }
    if root.is_file() {
        return Ok(vec![root.to_owned()]);
    }
    let io =
        |error: std::io::Error| ReadError::Io { path: root.to_owned(), reason: error.to_string() };
    let mut seen = BTreeSet::new();
    let mut files = Vec::new();
    let mut folders = vec![root.to_owned()];
    fs::read_dir(root).map_err(io)?;
    while let Some(folder) = folders.pop() {
        if !folder.canonicalize().is_ok_and(|real| seen.insert(real)) {
            continue;
        }
        let Ok(entries) = fs::read_dir(&folder) else {
            let message = format!("{} cannot be opened and is left out", folder.display());
            warnings.push(Warning::new("FOLDER_SKIPPED", message));
            continue;
        };
        for entry in entries.filter_map(Result::ok) {
            // The folder knows what its entries are; only a link must be followed to be known.
            let kind = entry.file_type().ok().filter(|kind| !kind.is_symlink());
            let path = entry.path();
            let linked = kind.is_none();
            let is = |known: fn(&fs::FileType) -> bool, followed: fn(&Path) -> bool| {
                kind.as_ref().map_or_else(|| followed(&path), known)
            };
            if is(fs::FileType::is_dir, Path::is_dir) {
                folders.push(path);
            } else if is(fs::FileType::is_file, Path::is_file) {
                files.push((path, linked));
            }
        }
    }
    // By bytes: paths compare part by part, which takes as long as reading the headers.
    files.sort_by(|(a, _), (b, _)| a.as_os_str().cmp(b.as_os_str()));
    let mut first = |path: &Path| {
        path.canonicalize().is_ok_and(|real| seen.insert(real.clone()) && !real.starts_with(root))
    };
    // Only a link can lead to a file a second time.
    files.retain(|(path, linked)| !linked || first(path));
    Ok(files.into_iter().map(|(path, _)| path).collect())
}

/// Groups series into studies: studies by date and identifier, series by number and identifier.
fn studies(series: Vec<Series>) -> Vec<Study> {
    let mut studies: BTreeMap<String, Study> = BTreeMap::new();
    for series in series {
        studies
            .entry(series.study_instance_uid.clone())
            .or_insert_with(|| Study {
                study_instance_uid: series.study_instance_uid.clone(),
                study_date: series.study_date.clone(),
                study_description: series.study_description.clone(),
                patient: series.patient.clone(),
                series: Vec::new(),
            })
            .series
            .push(series);
    }
    let mut studies = studies.into_values().collect::<Vec<_>>();
    for study in &mut studies {
        study.series.sort_by(|a, b| {
            (a.number, &a.series_instance_uid).cmp(&(b.number, &b.series_instance_uid))
        });
    }
    studies.sort_by(|a, b| {
        (a.study_date.value(), &a.study_instance_uid)
            .cmp(&(b.study_date.value(), &b.study_instance_uid))
    });
    studies
}
