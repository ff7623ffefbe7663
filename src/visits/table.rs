//! From the text of a table to the visits of each patient; every fault has its line.

use std::collections::BTreeMap;

use csv::StringRecord;

use super::columns::COLUMNS;
use super::{NewLesions, Patient, TableError, Visit, plain};
use crate::deauville::DeauvilleScore;
use crate::response::Hottest;
use crate::response::lugano::{Attribution, Histology};

/// Rows of a CSV with their lines; the first holds the headings.
pub(super) struct Rows {
    headings: StringRecord,
    headings_line: u64,
    pub(super) records: Vec<(u64, StringRecord)>,
}

impl Rows {
    /// Splits a text into rows. Lines that begin with `#` are remarks.
    pub(super) fn new(bytes: &[u8]) -> Result<Self, TableError> {
        let text = without_carriage_returns(bytes);
        let mut reader = csv::ReaderBuilder::new()
            .comment(Some(b'#'))
            .trim(csv::Trim::All)
            .has_headers(false)
            .from_reader(text.as_slice());
        let mut records = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|e| TableError::NotATable(fault(&text, &e)))?;
            if records.is_empty() && record.iter().any(|heading| heading.contains([';', '\t'])) {
                let what = "the headings are not separated by commas".to_owned();
                return Err(TableError::NotATable(what));
            }
            records.push((line_of(&text, record.position()), record));
        }
        if records.len() < 2 {
            return Err(TableError::Empty);
        }
        let (headings_line, headings) = records.remove(0);
        Ok(Self { headings, headings_line, records })
    }

    /// Finds the reader of each column among those that are known.
    pub(super) fn columns<T: Copy>(
        &self,
        known: &[(&'static str, T)],
    ) -> Result<Vec<(&'static str, T)>, TableError> {
        let mut found: Vec<(&'static str, T)> = Vec::new();
        let line = self.headings_line;
        for heading in &self.headings {
            let name = heading.trim_start_matches('\u{feff}').trim();
            let unknown = || {
                let names: Vec<_> = known.iter().map(|(name, _)| *name).collect();
                let known = names.join(", ");
                TableError::UnknownColumn { line, column: name.to_owned(), known }
            };
            let column = known.iter().find(|(known, _)| *known == name).ok_or_else(unknown)?;
            if found.iter().any(|(other, _)| *other == column.0) {
                let what = format!("the column {name:?} stands twice; keep one");
                return Err(TableError::Headings { line, what });
            }
            found.push(*column);
        }
        Ok(found)
    }

    /// Refuses a table without a column.
    pub(super) fn need(&self, name: &str, remedy: &str) -> Result<(), TableError> {
        let there =
            self.headings.iter().any(|heading| heading.trim_start_matches('\u{feff}') == name);
        let what = || format!("there is no column {name:?}; {remedy}");
        let line = self.headings_line;
        there.then_some(()).ok_or_else(|| TableError::Headings { line, what: what() })
    }
}

/// The text with line feeds alone between lines, so that lines can be counted.
fn without_carriage_returns(bytes: &[u8]) -> Vec<u8> {
    let kept = |(n, byte): (usize, &u8)| {
        (*byte != b'\r' || bytes.get(n + 1) != Some(&b'\n')).then_some(*byte)
    };
    bytes.iter().enumerate().filter_map(kept).collect()
}

/// The line of a record. The reader's position is where the record before ended: empty lines and remarks come first.
fn line_of(text: &[u8], position: Option<&csv::Position>) -> u64 {
    let Some(position) = position else { return 0 };
    let mut line = position.line();
    let mut rest = text.get(position.byte() as usize..).unwrap_or_default();
    while let Some(first) = rest.first().filter(|first| [b'#', b'\n'].contains(first)) {
        let end = if *first == b'\n' { Some(0) } else { rest.iter().position(|b| *b == b'\n') };
        rest = end.and_then(|end| rest.get(end + 1..)).unwrap_or_default();
        line += 1;
    }
    line
}

fn fault(text: &[u8], error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::Utf8 { pos, .. } => {
            format!("line {} is not UTF-8", line_of(text, pos.as_ref()))
        }
        csv::ErrorKind::UnequalLengths { pos, expected_len, len } => {
            let line = line_of(text, pos.as_ref());
            format!("line {line} has {len} fields for {expected_len} headings")
        }
        _ => error.to_string(),
    }
}

/// Reads a table of visits: CSV with the columns of `docs/visits.md`, one row for each visit, patients in any order.
///
/// Visits of a patient are put in the order of their dates, where every one has a date, and stay in the order of their rows
/// otherwise. Nothing is filled in: an empty field is not known.
///
/// # Errors
///
/// [`TableError`] for text that is no table, columns that are not known, values that cannot be read, and rows that contradict
/// themselves or each other.
pub fn read(bytes: &[u8]) -> Result<Vec<Patient>, TableError> {
    let rows = Rows::new(bytes)?;
    let columns = rows.columns(&COLUMNS)?;
    if !["visit", "date"].iter().any(|name| columns.iter().any(|(column, _)| column == name)) {
        rows.need("visit", "name the visits in it, or give their dates in a column \"date\"")?;
    }
    let mut patients: Vec<(String, Vec<Visit>)> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for (line, record) in &rows.records {
        let mut visit = Visit::nothing_known(*line);
        for ((column, set), text) in columns.iter().zip(record) {
            let value = |what| TableError::Value { line: *line, column: (*column).into(), what };
            if !text.is_empty() {
                set(&mut visit, text).map_err(value)?;
            }
        }
        complete(&mut visit).map_err(|what| TableError::Row { line: *line, what })?;
        let key = visit.patient.as_deref().map(plain).unwrap_or_default();
        let place = *places.entry(key.clone()).or_insert(patients.len());
        if place == patients.len() {
            patients.push((key, Vec::new()));
        }
        patients[place].1.push(visit);
    }
    patients.into_iter().map(|(_, visits)| patient(visits)).collect()
}

/// What follows from the fields of a row alone, and what contradicts itself.
fn complete(visit: &mut Visit) -> Result<(), String> {
    visit.facts.acquired = visit.date;
    visit.facts.patient_id.clone_from(&visit.patient);
    visit.facts.liver_suv_mean = visit.references.liver_suv_mean;
    visit.facts.liver_sul_mean = visit.references.liver_sul.0;
    if visit.name.is_empty() {
        let date = visit.date.ok_or("the row has neither a visit nor a date; give one of them")?;
        visit.name = date.format("%Y-%m-%d").to_string();
    }
    // Source: score 1 is "no uptake above background": nothing is left that could be measured.
    let one = visit.deauville.is_some_and(|written| written.score == Some(DeauvilleScore::One));
    if one && visit.suv_max == Hottest::Unknown {
        visit.suv_max = Hottest::NoLesion;
    }
    if visit.suv_max == Hottest::NoLesion && visit.sul_peak == Hottest::Unknown {
        visit.sul_peak = Hottest::NoLesion;
    }
    let positive = visit.deauville.and_then(|w| w.score).filter(|s| *s >= DeauvilleScore::Four);
    if let (Some(score), Hottest::NoLesion) = (positive, visit.suv_max) {
        return Err(format!("deauville is {score}, but no lesion is left; correct one of both"));
    }
    check_sites(visit)?;
    check_new_lesions(visit)
}

fn check_sites(visit: &Visit) -> Result<(), String> {
    for site in &visit.sites {
        let name = site.name.as_deref().unwrap_or("*");
        if let (Some(own), Hottest::Uptake(hottest)) = (site.suv_max, visit.suv_max)
            && own > hottest
        {
            return Err(format!("suv_max is {hottest}, but {name} has {own}; correct one of both"));
        }
        if visit.suv_max == Hottest::NoLesion && site.suv_max.is_some() {
            return Err(format!("no lesion is left, but {name} has uptake; correct one of both"));
        }
        let overall = visit.deauville.and_then(|written| written.score);
        if let (Some(own), Some(overall)) = (site.score, overall)
            && own > overall
        {
            return Err(format!(
                "deauville is {overall}, but {name} scores {own}; the score of a scan is the highest of its sites"
            ));
        }
    }
    Ok(())
}

fn check_new_lesions(visit: &Visit) -> Result<(), String> {
    let default = visit.attribution;
    let causes = visit.new_sites.iter().map(|site| site.attribution.or(default));
    let contradicts = match visit.new_lesions {
        NewLesions::No => {
            default.is_some_and(|cause| cause != Attribution::NotListedAtBaseline)
                || causes.into_iter().any(|cause| cause != Some(Attribution::NotListedAtBaseline))
        }
        NewLesions::NotStated => !visit.new_sites.is_empty() || default.is_some(),
        NewLesions::Yes | NewLesions::Uncertain => false,
    };
    let what = "new lesions are described, but new_lesions does not say yes or uncertain; say so, or leave them out";
    if contradicts { Err(what.into()) } else { Ok(()) }
}

/// Puts the visits of a patient in order and finds the baseline.
fn patient(mut visits: Vec<Visit>) -> Result<Patient, TableError> {
    let refuse = |line, what: String| Err(TableError::Row { line, what });
    for (n, visit) in visits.iter().enumerate() {
        if let Some(other) = visits[..n].iter().find(|v| plain(&v.name) == plain(&visit.name)) {
            let what = format!(
                "the visit {:?} stands in line {} already; give each visit of a patient its own name",
                visit.name, other.line
            );
            return refuse(visit.line, what);
        }
    }
    if visits.iter().all(|visit| visit.date.is_some()) {
        visits.sort_by_key(|visit| visit.date);
    } else {
        let mut latest: Option<&Visit> = None;
        for visit in visits.iter().filter(|visit| visit.date.is_some()) {
            if let Some(before) = latest.filter(|before| before.date > visit.date) {
                let what = format!(
                    "the visit is dated before that of line {}; put the rows in the order of time, or date each \
                     visit",
                    before.line
                );
                return refuse(visit.line, what);
            }
            latest = Some(visit);
        }
    }
    let mut marked = visits.iter().enumerate().filter(|(_, visit)| visit.baseline);
    let baseline = marked.next().map_or(0, |(n, _)| n);
    if let Some((_, second)) = marked.next() {
        let what = "the patient has two baselines; mark one";
        return refuse(second.line, what.to_owned());
    }
    let mut diseases = visits.iter().filter_map(|v| Some((v.line, v.disease.as_deref()?)));
    let first = diseases.next();
    if let Some((line, disease)) =
        diseases.find(|(_, disease)| first.is_some_and(|(_, first)| plain(first) != plain(disease)))
    {
        let what = format!("the disease {disease:?} is another than in an earlier row; keep one");
        return refuse(line, what);
    }
    Ok(Patient {
        name: visits.first().and_then(|visit| visit.patient.clone()),
        histology: first.map_or(Histology::NotStated, |(_, name)| Histology::by_name(name)),
        baseline,
        sizes: None,
        visits,
    })
}
