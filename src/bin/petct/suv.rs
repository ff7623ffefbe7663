//! `petct suv`.

use std::process::ExitCode;

use petct::nifti_file;
use petct::report::suv::SuvDocument;
use petct::statistics::summary;

use crate::args::SuvOptions;
use crate::console::{Console, check_apart};
use crate::failure::Failure;
use crate::open::{Ct, open_scan};

pub(crate) fn run(options: &SuvOptions, console: &Console) -> Result<ExitCode, Failure> {
    if let Some(output) = &options.output {
        check_apart(output, &[&options.scan.path])?;
    }
    let scan = console.busy("reading the PET", || open_scan(&options.scan, Ct::Leave))?;
    console.check(&scan.about.warnings)?;
    if let Some(output) = &options.output {
        console.busy("writing", || nifti_file::write(output, &scan.suv.volume))?;
    }
    let patient = console.show_identifiers.then_some(&scan.about.study.patient);
    let numbers = summary(&scan.suv.volume);
    let document = SuvDocument::new(
        &scan.about.pet,
        &scan.about.plan,
        numbers,
        &scan.about.body_mean,
        scan.about.warnings,
    )
    .with_patient(patient)
    .with_file(options.output.as_deref());
    console.show(&document, 0)
}
