//! `petct inspect`.

use std::process::ExitCode;

use petct::diagnostic::Warning;
use petct::dicom::{self, Series, Study};
use petct::report::inspect::{
    InspectDocument, ScanEntry, Selected, SeriesEntry, StudyEntry, SuvOutlook,
};

use crate::args::{InspectOptions, ScanOptions};
use crate::console::Console;
use crate::failure::Failure;
use crate::open::plan_of;

pub(crate) fn run(options: &InspectOptions, console: &Console) -> Result<ExitCode, Failure> {
    let mut document = InspectDocument::default();
    for (number, scan) in options.scans.iter().enumerate() {
        let studies = console
            .busy("reading headers", || dicom::scan(&scan.path))?
            .unpack(&mut document.warnings);
        document.scans.push(choose(scan, &studies, &mut document.warnings));
        let entry = |study: &Study| study_entry(number, study, scan, console.show_identifiers);
        document.studies.extend(studies.iter().map(entry));
    }
    console.show(&document, 0)
}

/// Which PET and CT the other commands would take.
fn choose(scan: &ScanOptions, studies: &[Study], warnings: &mut Vec<Warning>) -> ScanEntry {
    let path = scan.path.display().to_string();
    match dicom::select(studies, scan.series.as_deref()) {
        Ok(selection) => {
            let ct_reason = selection.warnings.iter().find(|w| w.code == "NO_CT");
            let ct_reason = ct_reason.map(|warning| warning.message.clone());
            warnings.extend(selection.warnings);
            if let Ok(plan) = plan_of(selection.pet, scan) {
                warnings.extend(plan.warnings);
            }
            let selected = Selected {
                pet: selection.pet.series_instance_uid.clone(),
                ct: selection.ct.map(|ct| ct.series_instance_uid.clone()),
                ct_reason,
            };
            ScanEntry::new(path, selected, &selection.set_aside)
        }
        Err(error) => ScanEntry::without(path, Failure::from(error).error()),
    }
}

fn study_entry(number: usize, study: &Study, scan: &ScanOptions, identify: bool) -> StudyEntry {
    let series = study.series.iter().map(|series| {
        let outlook = series.is_pet().then(|| outlook(series, scan));
        SeriesEntry::new(series, outlook)
    });
    StudyEntry::new(number, study, series.collect(), identify.then_some(&study.patient))
}

fn outlook(series: &Series, scan: &ScanOptions) -> SuvOutlook {
    match plan_of(series, scan) {
        Ok(plan) => SuvOutlook::computable(plan),
        Err(failure) => SuvOutlook::refused(scan.kind, failure.error()),
    }
}
