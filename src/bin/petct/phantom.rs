//! `petct phantom`.

use std::process::ExitCode;

use petct::dicom::write::write_case;
use petct::phantom::cases;
use petct::report::phantom::{CaseEntry, PhantomDocument};

use crate::args::PhantomOptions;
use crate::console::Console;
use crate::failure::Failure;

pub(crate) fn run(options: &PhantomOptions, console: &Console) -> Result<ExitCode, Failure> {
    let known = cases();
    if options.case == "list" {
        let cases = known.iter().map(CaseEntry::new).collect();
        return console.show(&PhantomDocument { cases, folder: None }, 0);
    }
    let case = known.iter().find(|case| case.name == options.case);
    let names = || known.iter().map(|case| case.name.as_str()).collect::<Vec<_>>().join(", ");
    let case = case.ok_or_else(|| {
        let message = format!("there is no phantom named {:?}", options.case);
        Failure::new("unknown_case", &message, &format!("choose one of {}", names()))
    })?;
    let missing =
        || Failure::new("usage", &"the folder to write into is missing", "give it with -o DIR");
    let folder = options.output.as_ref().ok_or_else(missing)?;
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
    console.busy("painting and writing the scans", || write_case(&case.name, folder))?;
    let folder = Some(folder.display().to_string());
    console.show(&PhantomDocument { cases: vec![CaseEntry::new(case)], folder }, 0)
}
