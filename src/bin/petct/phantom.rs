//! `petct phantom`.

use std::path::Path;
use std::process::ExitCode;

use petct::dicom::write::{Encoding, write_scans, write_visit};
use petct::phantom::{Case, Kind, cases, seeded, seeded_pair};
use petct::report::phantom::{BuildEntry, CaseEntry, PhantomDocument};

use crate::args::PhantomOptions;
use crate::console::Console;
use crate::failure::Failure;

/// Names of the cases that a seed draws: one scan of a body, and two.
const BODY: &str = "body";
const PAIR: &str = "pair";

pub(crate) fn run(options: &PhantomOptions, console: &Console) -> Result<ExitCode, Failure> {
    let known = cases();
    let takes_seed = [BODY, PAIR].contains(&options.case.as_str());
    if options.seed.is_some() && !takes_seed || options.build.is_some() && options.case != BODY {
        let message = "--seed belongs to the cases body and pair, --build to the case body";
        return Err(Failure::new("usage", &message, "leave them out, or name such a case"));
    }
    if options.case == "list" {
        let cases = known.iter().map(CaseEntry::new).collect();
        let builds = BuildEntry::all();
        return console.show(&PhantomDocument { cases, builds, folder: None }, 0);
    }
    let mut case = match options.case.as_str() {
        BODY => body(options)?,
        PAIR => seeded_pair(seed(options)?),
        name => known.iter().find(|case| case.name == name).cloned().ok_or_else(|| {
            let message = format!("there is no phantom named {name:?}");
            let names: Vec<_> = known.iter().map(|case| case.name.as_str()).collect();
            let remedy = format!("choose one of {}, {BODY}, {PAIR}", names.join(", "));
            Failure::new("unknown_case", &message, &remedy)
        })?,
    };
    if let Some(size) = options.size {
        case.visits.iter_mut().for_each(|visit| visit.scanner = visit.scanner.sized(size));
    }
    let encoding = if options.uncompressed { Encoding::Native } else { Encoding::JpegLs };
    let folder = empty_folder(options)?;
    console.busy("painting and writing the scans", || match options.case.as_str() {
        BODY => write_visit(&case, &case.visits[0], encoding, folder),
        _ => write_scans(&case, encoding, folder),
    })?;
    let folder = Some(folder.display().to_string());
    let cases = vec![CaseEntry::new(&case)];
    console.show(&PhantomDocument { cases, builds: Vec::new(), folder }, 0)
}

fn seed(options: &PhantomOptions) -> Result<u64, Failure> {
    let no_seed = || {
        Failure::new("usage", &"a body is drawn by a seed, which is missing", "give it with --seed")
    };
    options.seed.ok_or_else(no_seed)
}

/// The body of a seed, of the build asked for.
fn body(options: &PhantomOptions) -> Result<Case, Failure> {
    let seed = seed(options)?;
    let kind = options.build.as_deref().map(|name| {
        let unknown = || {
            let message = format!("there is no build named {name:?}");
            let names: Vec<_> = Kind::ALL.iter().map(|kind| kind.name()).collect();
            Failure::new("unknown_case", &message, &format!("choose one of {}", names.join(", ")))
        };
        Kind::ALL.iter().copied().find(|kind| kind.name() == name).ok_or_else(unknown)
    });
    Ok(seeded(seed, kind.transpose()?))
}

fn empty_folder(options: &PhantomOptions) -> Result<&Path, Failure> {
    let missing =
        || Failure::new("usage", &"the folder to write into is missing", "give it with -o DIR");
    let folder = options.output.as_deref().ok_or_else(missing)?;
    let used =
        folder.is_file() || folder.read_dir().is_ok_and(|mut entries| entries.next().is_some());
    if used {
        let message = format!("{} is not an empty folder", folder.display());
        return Err(Failure::new(
            "output_in_use",
            &message,
            "choose a new or empty folder with -o",
        ));
    }
    Ok(folder)
}
