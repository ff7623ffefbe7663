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
use crate::open::{body_mean, plan_of};

pub(crate) fn run(options: &InspectOptions, console: &Console) -> Result<ExitCode, Failure> {
    let mut document = InspectDocument::default();
    for (number, scan) in options.scans.iter().enumerate() {
        let studies = console
            .busy("reading headers", || dicom::scan(&scan.path))?
            .unpack(&mut document.warnings);
        let entry = |study: &Study| {
            let series = study.series.iter().map(|series| entry(series, scan, options.pixels));
            let patient = console.show_identifiers.then_some(&study.patient);
            StudyEntry::new(number, study, series.collect(), patient)
        };
        let entries: Vec<_> =
            console.busy("reading pixels", || studies.iter().map(entry).collect());
        document.scans.push(choose(scan, &studies, &entries, &mut document.warnings));
        document.studies.extend(entries);
    }
    console.show(&document, 0)
}

/// Which PET and CT the other commands would take.
fn choose(
    scan: &ScanOptions,
    studies: &[Study],
    entries: &[StudyEntry],
    warnings: &mut Vec<Warning>,
) -> ScanEntry {
    let path = scan.path.display().to_string();
    match dicom::select(studies, scan.series.as_deref()) {
        Ok(selection) => {
            let ct_reason = selection.warnings.iter().find(|w| w.code == "NO_CT");
            let ct_reason = ct_reason.map(|warning| warning.message.clone());
            warnings.extend(selection.warnings);
            let chosen = entries
                .iter()
                .flat_map(|study| &study.series)
                .find(|entry| entry.series_uid == selection.pet.series_instance_uid);
            let outlook = chosen.and_then(|entry| entry.suv.as_ref());
            warnings.extend(outlook.iter().flat_map(|outlook| outlook.warnings.clone()));
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

fn entry(series: &Series, scan: &ScanOptions, pixels: bool) -> SeriesEntry {
    SeriesEntry::new(series, series.is_pet().then(|| outlook(series, scan, pixels)))
}

fn outlook(series: &Series, scan: &ScanOptions, pixels: bool) -> SuvOutlook {
    match plan_of(series, scan) {
        Ok(mut plan) => {
            let mean = if pixels {
                body_mean(series, scan, &plan.output).unpack(&mut plan.warnings)
            } else {
                Err("only headers were read; --pixels reads the image for it".to_owned())
            };
            SuvOutlook::computable(plan, &mean)
        }
        Err(failure) => SuvOutlook::refused(scan.kind, failure.error()),
    }
}
