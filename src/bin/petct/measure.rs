//! `petct measure`.

use std::process::ExitCode;

use petct::mask_file::{NamedRegion, read_regions};
use petct::report::measure::{MeasureDocument, RegionEntry};

use crate::args::MeasureOptions;
use crate::console::Console;
use crate::failure::Failure;
use crate::open::{Ct, open_scan};

pub(crate) fn run(options: &MeasureOptions, console: &Console) -> Result<ExitCode, Failure> {
    let mut scan = console.busy("reading the PET", || open_scan(&options.scan, Ct::Leave))?;
    let frame = scan.about.frame_of_reference_uid();
    let geometry = scan.suv.volume.geometry();
    let regions = console
        .busy("reading the mask", || {
            read_regions(&options.mask, geometry, frame).map_err(Failure::from)
        })?
        .unpack(&mut scan.about.warnings);
    let regions = named(regions, options)?;
    let entries = console.busy("measuring", || {
        regions.iter().map(|region| RegionEntry::measure(&scan.suv, region)).collect()
    });
    let patient = console.show_identifiers.then_some(&scan.about.study.patient);
    let document =
        MeasureDocument::new(&scan.about.pet, &scan.about.plan, entries, scan.about.warnings);
    console.show(&document.with_patient(patient), 0)
}

/// The regions of the name that was asked for, or all. A label that the file names may be asked for by its number too.
fn named(regions: Vec<NamedRegion>, options: &MeasureOptions) -> Result<Vec<NamedRegion>, Failure> {
    let Some(roi) = &options.roi else { return Ok(regions) };
    let names = regions.iter().map(|region| format!("{:?}", region.name)).collect::<Vec<_>>();
    let number = if names.contains(&format!("{roi:?}")) { None } else { roi.parse::<u32>().ok() };
    let wanted =
        |region: &NamedRegion| &region.name == roi || (number.is_some() && region.number == number);
    let found: Vec<_> = regions.into_iter().filter(wanted).collect();
    if found.is_empty() {
        let message = format!("{} has no region named {roi:?}", options.mask.display());
        let remedy = format!("choose one of {}", names.join(", "));
        return Err(Failure::new("no_such_region", &message, &remedy));
    }
    Ok(found)
}
