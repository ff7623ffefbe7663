//! `petct compare --table`: visits that were read elsewhere.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use petct::report::visits::VisitsDocument;
use petct::visits::{self, Patient, PatientAssessment};

use crate::args::TableOptions;
use crate::console::{Console, check_not_beside};
use crate::failure::Failure;
use crate::folder::Folder;

pub(crate) fn run(options: &TableOptions, console: &Console) -> Result<ExitCode, Failure> {
    let files: Vec<&Path> = [Some(&options.table), options.diameters.as_ref()]
        .into_iter()
        .flatten()
        .map(PathBuf::as_path)
        .collect();
    if let Some(output) = &options.output {
        check_not_beside(output, &files)?;
    }
    let refused = |file: &Path, e| Failure::of_table(&file.display(), &e);
    let mut patients =
        visits::read(&bytes(&options.table)?).map_err(|e| refused(&options.table, e))?;
    if let Some(file) = &options.diameters {
        let read = visits::read_diameters(&bytes(file)?, &mut patients);
        read.map_err(|e| refused(file, e))?;
    }
    let assessed: Vec<(Patient, PatientAssessment)> = patients
        .into_iter()
        .map(|patient| {
            let found = visits::assess(&patient, &options.criteria);
            (patient, found)
        })
        .collect();
    let mut document = VisitsDocument::new(&assessed, &options.criteria, console.show_identifiers);
    console.check(&document.warnings)?;
    if let Some(output) = &options.output {
        let folder = Folder::create(output)?;
        document.files = ["visits.json", "visits.txt"].map(String::from).to_vec();
        folder.document("visits", &document)?;
    }
    let called = assessed.iter().all(|(patient, found)| found.is_called(patient.baseline));
    console.show(&document, u8::from(!called))
}

fn bytes(file: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(file).map_err(|e| {
        let message = format!("{} cannot be read: {e}", file.display());
        Failure::new("unreadable_table", &message, "give a CSV file as docs/visits.md describes it")
    })
}
