//! A second table: sizes of lesions on CT, one row for each lesion and visit.

use super::columns::{number, yes_or_no};
use super::table::Rows;
use super::{NewLesions, Patient, TableError, Visit, plain};
use crate::response::ct_lugano::{CtNewLesion, CtSeries, CtVisit, Diameters, LesionKind, Target};

/// One row.
#[derive(Debug, Default)]
struct Row {
    patient: String,
    visit: String,
    lesion: String,
    kind: Option<LesionKind>,
    is_new: bool,
    long: Option<Length>,
    short_mm: Option<f64>,
    unequivocal: bool,
}

/// The longest diameter as written.
#[derive(Debug, Clone, Copy)]
enum Length {
    Mm(f64),
    NotVisible,
    TooSmall,
}

type Setter = fn(&mut Row, &str) -> Result<(), String>;

/// Every column.
const COLUMNS: [(&str, Setter); 8] = [
    ("patient", |row, text| {
        row.patient = plain(text);
        Ok(())
    }),
    ("visit", |row, text| {
        row.visit = plain(text);
        Ok(())
    }),
    ("lesion", |row, text| {
        text.clone_into(&mut row.lesion);
        Ok(())
    }),
    ("kind", |row, text| {
        row.kind = Some(match plain(text).as_str() {
            "node" => LesionKind::Node,
            "extranodal" => LesionKind::Extranodal,
            _ => return Err(format!("{text:?} is no kind of lesion; write node or extranodal")),
        });
        Ok(())
    }),
    ("role", |row, text| {
        row.is_new = match plain(text).as_str() {
            "target" => false,
            "new" => true,
            _ => return Err(format!("{text:?} is no role; write target or new")),
        };
        Ok(())
    }),
    ("long_mm", |row, text| {
        row.long = Some(match plain(&text.replace('_', " ")).as_str() {
            "not visible" => Length::NotVisible,
            "too small" => Length::TooSmall,
            _ => Length::Mm(number(text)?),
        });
        Ok(())
    }),
    ("short_mm", |row, text| {
        row.short_mm = Some(number(text)?);
        Ok(())
    }),
    ("unequivocal", |row, text| {
        row.unequivocal = yes_or_no(text)?;
        Ok(())
    }),
];

/// Reads a table of diameters and adds them to the patients they belong to.
///
/// # Errors
///
/// [`TableError`] as for [`super::read`], and for lesions of patients or visits that the table of visits does not have.
pub fn read_diameters(bytes: &[u8], patients: &mut [Patient]) -> Result<(), TableError> {
    let rows = Rows::new(bytes)?;
    let columns = rows.columns(&COLUMNS)?;
    for name in ["visit", "lesion", "kind", "long_mm"] {
        rows.need(name, "add it")?;
    }
    let mut targets: Vec<Vec<Target>> = vec![Vec::new(); patients.len()];
    let mut given = vec![false; patients.len()];
    for (line, record) in &rows.records {
        let mut row = Row::default();
        for ((column, set), text) in columns.iter().zip(record) {
            let value = |what| TableError::Value { line: *line, column: (*column).into(), what };
            if !text.is_empty() {
                set(&mut row, text).map_err(value)?;
            }
        }
        let refuse = |what: String| TableError::Row { line: *line, what };
        let (n, visit) = place(&row, patients).map_err(refuse)?;
        given[n] = true;
        if row.is_new {
            add_new(row, &mut patients[n].visits[visit]).map_err(refuse)?;
        } else {
            add_target(&row, &patients[n], visit, &mut targets[n]).map_err(refuse)?;
        }
    }
    for ((patient, targets), given) in patients.iter_mut().zip(targets).zip(given) {
        if given {
            let visits = patient.visits[patient.baseline..].iter().map(ct_visit).collect();
            patient.sizes = Some(CtSeries { targets, visits });
        }
    }
    Ok(())
}

/// The patient and the visit of a row.
fn place(row: &Row, patients: &[Patient]) -> Result<(usize, usize), String> {
    if row.lesion.is_empty() || row.visit.is_empty() {
        return Err("the row names no lesion or no visit; name both".into());
    }
    let own = |patient: &&Patient| plain(patient.name.as_deref().unwrap_or("")) == row.patient;
    let n = patients.iter().position(|patient| own(&patient));
    let n = n.ok_or(
        "the patient of the row is not in the table of visits; give the same names in both",
    )?;
    let visits = &patients[n].visits;
    let visit = visits.iter().position(|visit| plain(&visit.name) == row.visit);
    let visit = visit.ok_or_else(|| {
        format!("the patient has no visit {:?}; give the same names in both tables", row.visit)
    })?;
    if visit < patients[n].baseline {
        return Err(format!("the visit {:?} is before the baseline; leave it out", row.visit));
    }
    Ok((n, visit))
}

/// The diameters of a row; `None` where the lesion was not measured.
fn diameters(row: &Row) -> Result<Option<Diameters>, String> {
    let Some(long) = row.long else { return Ok(None) };
    let long_mm = match long {
        Length::NotVisible => return Ok(Some(Diameters::NOT_VISIBLE)),
        Length::TooSmall => return Ok(Some(Diameters::TOO_SMALL)),
        Length::Mm(long_mm) => long_mm,
    };
    let short_mm =
        row.short_mm.ok_or("short_mm is missing; give the diameter across the longest")?;
    let size = Diameters::new(long_mm, short_mm);
    size.map(Some).ok_or_else(|| {
        format!(
            "short_mm {short_mm} is above long_mm {long_mm}; give the longest diameter as long_mm"
        )
    })
}

fn add_target(
    row: &Row,
    patient: &Patient,
    visit: usize,
    targets: &mut Vec<Target>,
) -> Result<(), String> {
    let size = diameters(row)?;
    let kind = row.kind.ok_or("kind is missing; write node or extranodal")?;
    let visits = patient.visits.len() - patient.baseline;
    let n = targets.iter().position(|target| plain(&target.name) == plain(&row.lesion));
    let n = n.unwrap_or_else(|| {
        targets.push(Target { name: row.lesion.clone(), kind, sizes: vec![None; visits] });
        targets.len() - 1
    });
    let target = &mut targets[n];
    if target.kind != kind {
        let name = &row.lesion;
        return Err(format!("{name:?} is of another kind than in an earlier row; keep one"));
    }
    let place = &mut target.sizes[visit - patient.baseline];
    if place.is_some() {
        return Err(format!("{:?} has two sizes at this visit; keep one", row.lesion));
    }
    *place = size;
    Ok(())
}

fn add_new(row: Row, visit: &mut Visit) -> Result<(), String> {
    if visit.ct_new_lesions == Some(false) {
        return Err(
            "a new lesion at a visit whose ct_new_lesions says no; correct one of both".into()
        );
    }
    let long_mm = match row.long {
        Some(Length::Mm(long_mm)) => Some(long_mm),
        Some(Length::TooSmall) => Some(Diameters::TOO_SMALL.long_mm()),
        Some(Length::NotVisible) => {
            return Err("a new lesion is visible; give its size, or leave the row out".into());
        }
        None => None,
    };
    let kind = row.kind.ok_or("kind is missing; write node or extranodal")?;
    let unequivocal = row.unequivocal;
    visit.ct_new_sites.push(CtNewLesion { name: row.lesion, kind, long_mm, unequivocal });
    Ok(())
}

/// What a row of visits says of the CT. A reader who saw no new lesion at all saw none on CT.
fn ct_visit(visit: &Visit) -> CtVisit {
    let listed = &visit.ct_new_sites;
    let none = visit.ct_new_lesions == Some(false)
        || (visit.ct_new_lesions.is_none() && visit.new_lesions == NewLesions::No);
    let unmeasured = CtNewLesion {
        name: "not described".into(),
        kind: LesionKind::Node,
        long_mm: None,
        unequivocal: false,
    };
    let new_lesions = match (listed.is_empty(), none, visit.ct_new_lesions) {
        (false, _, _) => Some(listed.clone()),
        (true, true, _) => Some(Vec::new()),
        (true, false, Some(_)) => Some(vec![unmeasured]),
        (true, false, None) => None,
    };
    CtVisit {
        non_target: visit.non_target,
        spleen: visit.spleen,
        new_lesions,
        marrow: visit.marrow_biopsy,
    }
}
