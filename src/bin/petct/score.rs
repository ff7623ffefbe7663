//! `petct score`.

use std::process::ExitCode;

use petct::assessment::ScanAssessment;
use petct::deauville::Scored;
use petct::report::html::{ScanPictures, Viewer, score_page};
use petct::report::pictures;
use petct::report::score::ScoreDocument;
use petct::report::viewer::{ViewedScan, ViewerData};

use crate::args::ScoreOptions;
use crate::assess::{Assessed, assess, document, input, settings};
use crate::compare::WRITING;
use crate::console::{Console, check_apart};
use crate::decisions::{GivenDecisions, check_replaceable};
use crate::failure::Failure;
use crate::folder::{Folder, REPORT};
use crate::open::{Ct, OpenScan, open_scan};

/// Name of the file of decisions.
pub(crate) const DECISIONS: &str = "decisions.toml";

pub(crate) fn run(options: &ScoreOptions, console: &Console) -> Result<ExitCode, Failure> {
    if let Some(output) = &options.output {
        check_apart(output, &[&options.scan.path])?;
    }
    let given = GivenDecisions::read(options.reading.decisions.as_deref())?;
    if let Some(output) = &options.output {
        check_replaceable(&output.join(DECISIONS), given.iter().map(|given| given.text.as_str()))?;
    }
    let ct = Ct::for_pictures(options.output.is_some());
    let mut scan = console.busy("reading PET and CT", || open_scan(&options.scan, ct))?;
    let settings = settings(&mut scan, &options.reading, options.threshold, options.criteria)?;
    let Assessed { assessment, decisions, .. } = console
        .busy("finding references and lesions", || {
            assess(&scan, &options.scan, &settings, given.as_ref(), options.output.is_some())
        })?;
    let mut document = document(&scan, &settings, &assessment, console);
    console.check(&document.warnings)?;
    if let Some(output) = &options.output {
        let folder = Folder::create(output)?;
        let viewer = viewer(&scan, &assessment, console)?;
        let scan = (&scan, &assessment, &viewer);
        console.busy(WRITING, || write(&folder, scan, decisions, &mut document))?;
    }
    let status = match document.deauville.score {
        Scored::Score(_) => 0,
        Scored::NotComputable(_) => 1,
    };
    console.show(&document, status)
}

/// Writes the results, `viewer` with them; the document learns which files there are.
pub(crate) fn write(
    folder: &Folder,
    (scan, assessment, viewer): (&OpenScan, &ScanAssessment, &ViewerData),
    decisions: Option<String>,
    document: &mut ScoreDocument,
) -> Result<(), Failure> {
    let (pet, ct) = (&scan.suv.volume, scan.ct.as_ref());
    let captions = vec![document.caption()];
    let picture = pictures::of_scan(pet, ct, assessment, document.headline(), captions);
    let mut shown = ScanPictures {
        figure: Some(folder.picture("score.png", &picture)?),
        ..ScanPictures::default()
    };
    document.files = ["score.json", "score.txt", "score.png"].map(String::from).to_vec();
    let references = [
        ("liver.png", &assessment.liver, &mut shown.liver),
        ("blood_pool.png", &assessment.blood_pool, &mut shown.blood_pool),
    ];
    for (name, reference, shown) in references {
        if let Some(picture) = pictures::of_reference(pet, ct, reference) {
            *shown = Some(folder.picture(name, &picture)?);
            document.files.push(name.to_owned());
        }
    }
    if let Some(text) = decisions {
        folder.text(DECISIONS, &text)?;
        document.files.push(DECISIONS.to_owned());
    }
    document.files.push(REPORT.to_owned());
    folder.text(REPORT, &score_page(document, &shown, Viewer::Look(viewer)))?;
    folder.document("score", document)
}

/// The scan as the page holds it.
pub(crate) fn viewer(
    scan: &OpenScan,
    assessment: &ScanAssessment,
    console: &Console,
) -> Result<ViewerData, Failure> {
    let viewed = ViewedScan { name: "the scan", input: input(scan)?, assessment };
    Ok(console.busy("packing the volumes", || ViewerData::new(&[viewed], &[])))
}
