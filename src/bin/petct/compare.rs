//! `petct compare`.

use std::path::Path;
use std::process::ExitCode;

use petct::alignment::{Alignment, CtBody, align_on_ct};
use petct::assessment::{
    LinkedLesion, PairAssessment, SeriesScan, Settings, assess_aligned_series, compared_with,
    trajectories,
};
use petct::criteria::Criteria;
use petct::decisions::{LinkedScan, ProposedLink, write_links};
use petct::report::compare::CompareDocument;
use petct::report::html::{ScanPictures, Viewer, compare_page};
use petct::report::viewer::{ViewedScan, ViewerData};
use petct::report::{self, pictures};
use petct::suv::SuvImage;
use petct::volume::Volume;

use crate::args::CompareOptions;
use crate::assess::{Assessed, assess, document, input, settings};
use crate::console::{Console, check_apart};
use crate::decisions::{GivenDecisions, GivenLinks, check_replaceable, given_decisions};
use crate::failure::Failure;
use crate::folder::{Folder, REPORT};
use crate::open::{About, Ct, OpenScan, open_scan};

/// A scan on its way into the series.
pub(crate) struct Read {
    pub(crate) scan: OpenScan,
    pub(crate) settings: Settings,
    pub(crate) assessed: Assessed,
    /// What of its CT is needed to align it with others.
    pub(crate) ct_body: Option<CtBody>,
}

/// An assessed scan on its way into the series. Its volumes may have been given up while others are assessed.
pub(crate) struct Waiting {
    about: About,
    suv: Option<SuvImage>,
    ct: Option<Volume<i16>>,
    settings: Settings,
    assessed: Assessed,
    ct_body: Option<CtBody>,
}

impl Waiting {
    /// The scan with its PET, which is read again where it was given up.
    fn with_pet(self, console: &Console) -> Result<Read, Failure> {
        let Self { about, suv, ct, settings, assessed, ct_body } = self;
        let read = || console.busy("reading a PET again", || about.read_pet());
        let suv = suv.map_or_else(read, Ok)?;
        Ok(Read { scan: OpenScan { about, suv, ct }, settings, assessed, ct_body })
    }
}

/// What takes long when results are written.
pub(crate) const WRITING: &str = "drawing and writing";

/// Name of the file of links.
pub(crate) const LINKS: &str = "links.toml";

/// Name of the file of decisions of a scan.
pub(crate) fn decisions_of(n: usize) -> String {
    format!("decisions-{n}.toml")
}

pub(crate) fn run(options: &CompareOptions, console: &Console) -> Result<ExitCode, Failure> {
    let paths: Vec<&Path> = options.scans.iter().map(|(scan, _)| scan.path.as_path()).collect();
    if let Some(output) = &options.output {
        check_apart(output, &paths)?;
    }
    let given = given_decisions(&options.scans)?;
    let links = GivenLinks::read(options.links.as_deref())?;
    if let Some(output) = &options.output {
        for n in 0..options.scans.len() {
            let texts = given.iter().flatten().map(|given| given.text.as_str());
            check_replaceable(&output.join(decisions_of(n)), texts)?;
        }
        check_replaceable(&output.join(LINKS), links.iter().map(|links| links.text.as_str()))?;
    }
    let ct = Ct::for_pictures(options.output.is_some());
    let wanted = options.output.is_some() || links.is_some();
    let mut waiting = read_scans(options, &given, (ct, wanted), console)?;
    in_order_of_time(&mut waiting, &paths)?;
    let (scans, aligned) = with_pets(waiting, console)?;
    let links = links.as_ref();
    let mut compared = compared(&scans, &aligned, links, &options.criteria, console)?;
    console.check(&compared.document.warnings)?;
    if let Some(output) = &options.output {
        let folder = Folder::create(output)?;
        let viewer = compared.viewer(console);
        console.busy(WRITING, || compared.write(&folder, &scans, (links, &viewer)))?;
    }
    let document = compared.document;
    console.show(&document, u8::from(!document.is_evaluable()))
}

/// A series with all that is said of it.
pub(crate) struct Compared<'a> {
    pub(crate) series: Vec<SeriesScan<'a>>,
    pub(crate) pairs: Vec<PairAssessment>,
    pub(crate) document: CompareDocument,
    /// Names of the scans: `baseline`, `follow-up 1 (+57 days)`.
    pub(crate) names: Vec<String>,
    /// The figure of the trajectories, as SVG.
    pub(crate) figure: String,
    known: Vec<LinkedScan>,
}

/// Compares scans that were assessed by themselves. Alignments that are known are not looked for again.
pub(crate) fn compared<'a>(
    scans: &'a [Read],
    aligned: &[Aligned],
    links: Option<&GivenLinks>,
    criteria: &Criteria,
    console: &Console,
) -> Result<Compared<'a>, Failure> {
    let mut series = series_of(scans)?;
    let known = linked_scans(scans);
    let pairs = pairs_of(&mut series, scans, (aligned, links), criteria, console)?;
    let documents = scans
        .iter()
        .zip(&series)
        .map(|(read, s)| document(&read.scan, &read.settings, &s.assessment, console))
        .collect();
    let followed = trajectories(&series, &pairs);
    let mut document = CompareDocument::new(documents, &pairs, &followed, criteria);
    document.links_sha256 = links.map(|given| given.links.text_sha256.clone());
    let names: Vec<String> = (0..series.len()).map(|n| pictures::time_point(&series, n)).collect();
    let figure = report::trajectories::figure(&followed, &names, report::RESEARCH_USE);
    Ok(Compared { series, pairs, document, names, figure, known })
}

impl Compared<'_> {
    /// The scans as the page holds them.
    pub(crate) fn viewer(&self, console: &Console) -> ViewerData {
        let viewed: Vec<ViewedScan<'_>> = self
            .series
            .iter()
            .zip(&self.names)
            .map(|(scan, name)| ViewedScan {
                name,
                input: scan.input,
                assessment: &scan.assessment,
            })
            .collect();
        console.busy("packing the volumes", || ViewerData::new(&viewed, &self.pairs))
    }

    /// Writes the results, the viewer with them; the document learns which files there are.
    pub(crate) fn write(
        &mut self,
        folder: &Folder,
        scans: &[Read],
        (links, viewer): (Option<&GivenLinks>, &ViewerData),
    ) -> Result<Vec<String>, Failure> {
        let (series, pairs) = (&self.series, &self.pairs);
        let title = "Response assessment by FDG PET/CT".to_owned();
        let picture = pictures::of_series(series, pairs, title);
        folder.picture("compare.png", &picture)?;
        folder.text("trajectories.svg", &self.figure)?;
        let files = ["compare.json", "compare.txt", "compare.png", "trajectories.svg"];
        let document = &mut self.document;
        document.files = files.map(String::from).to_vec();
        let mut shown = page_pictures(folder, series)?;
        for (n, scan) in series.iter().enumerate() {
            let name = format!("scan-{n}.png");
            let (pet, ct) = (&scan.input.image.volume, scan.input.ct);
            let of_scan = &document.scans[n];
            let title = format!("{}: {}", self.names[n], of_scan.headline());
            let captions = vec![of_scan.caption()];
            let picture = pictures::of_scan(pet, ct, &scan.assessment, title, captions);
            shown[n].figure = Some(folder.picture(&name, &picture)?);
            document.files.push(name);
        }
        for (n, read) in scans.iter().enumerate() {
            if let Some(text) = &read.assessed.decisions {
                folder.text(&decisions_of(n), text)?;
                document.files.push(decisions_of(n));
            }
        }
        let text = links.map_or_else(
            || write_links(&self.known, &proposed(series, pairs)),
            |links| links.text.clone(),
        );
        folder.text(LINKS, &text)?;
        document.files.extend([LINKS, REPORT].map(String::from));
        let page =
            compare_page(&self.document, &self.names, &shown, &self.figure, Viewer::Look(viewer));
        folder.text(REPORT, &page)?;
        folder.document("compare", &self.document)?;
        Ok(self.document.files.clone())
    }
}

/// Reads and assesses each scan by itself, with the CT that is needed. `wanted`: with the texts that decisions and links are
/// bound by.
///
/// Where the CT is for numbers alone, the volumes of one scan are held at a time: those of a scan are given up when it is
/// assessed, but for the last PET, which is needed next.
pub(crate) fn read_scans(
    options: &CompareOptions,
    given: &[Option<GivenDecisions>],
    (ct, wanted): (Ct, bool),
    console: &Console,
) -> Result<Vec<Waiting>, Failure> {
    let mut waiting = Vec::new();
    let count = options.scans.len();
    for (n, ((scan_options, reading), given)) in options.scans.iter().zip(given).enumerate() {
        // Counted from 0, as in the result.
        let doing = |what: &str| match count {
            1 => what.to_owned(),
            _ => format!("scan {n}: {what}"),
        };
        let mut scan =
            console.busy(&doing("reading PET and CT"), || open_scan(scan_options, ct))?;
        let settings = settings(&mut scan, reading, options.threshold, options.criteria)?;
        let aligned_ct = scan.ct.as_ref().filter(|_| count > 1);
        let (assessed, ct_body) = console.busy(&doing("finding references and lesions"), || {
            rayon::join(
                || assess(&scan, scan_options, &settings, given.as_ref(), wanted),
                || aligned_ct.map(CtBody::of),
            )
        });
        let assessed = assessed?;
        let OpenScan { about, suv, ct: volume } = scan;
        waiting.push(Waiting {
            about,
            suv: (ct != Ct::Reduced || n + 1 == count).then_some(suv),
            ct: volume.filter(|_| ct != Ct::Reduced),
            settings,
            assessed,
            ct_body,
        });
    }
    Ok(waiting)
}

/// A pair by the positions of its scans, and how they were brought into one frame.
pub(crate) type Aligned = ([usize; 2], Alignment);

/// The scans with their PETs, in which lesions of other scans are looked up, and the pairs that their CTs align. That is done
/// before PETs are read again, which takes the room.
pub(crate) fn with_pets(
    mut waiting: Vec<Waiting>,
    console: &Console,
) -> Result<(Vec<Read>, Vec<Aligned>), Failure> {
    let aligned = console.busy("aligning", || aligned_on_ct(&mut waiting));
    let scans = waiting.into_iter().map(|scan| scan.with_pet(console)).collect::<Result<_, _>>()?;
    Ok((scans, aligned))
}

/// The pairs that the CTs align. Where they align all, the bodies have served and are given up.
fn aligned_on_ct(scans: &mut [Waiting]) -> Vec<Aligned> {
    let earlier = |later| compared_with(later).into_iter().map(move |earlier| [earlier, later]);
    let pairs: Vec<[usize; 2]> = (1..scans.len()).flat_map(earlier).collect();
    let align = |&pair: &[usize; 2]| {
        let cts = pair.map(|n| scans[n].ct_body.as_ref());
        let uids = pair.map(|n| scans[n].about.frame_of_reference_uid());
        Some((pair, align_on_ct(cts, uids)?))
    };
    let aligned: Vec<Aligned> = pairs.iter().filter_map(align).collect();
    if aligned.len() == pairs.len() {
        for scan in scans {
            scan.ct_body = None;
        }
    }
    aligned
}

/// The scans as a series, each as it is by itself.
pub(crate) fn series_of(scans: &[Read]) -> Result<Vec<SeriesScan<'_>>, Failure> {
    fn of_scan(read: &Read) -> Result<SeriesScan<'_>, Failure> {
        Ok(SeriesScan {
            input: input(&read.scan)?,
            ct_body: read.ct_body.as_ref(),
            frame_of_reference_uid: read.scan.about.frame_of_reference_uid(),
            facts: read.scan.about.facts.clone(),
            sul_per_value: read.scan.about.sul_per_value,
            assessment: read.assessed.assessment.clone(),
        })
    }
    scans.iter().map(of_scan).collect()
}

/// Compares the scans of a series, linked as a person says where links are given; alignments that are known are not looked
/// for again.
pub(crate) fn pairs_of(
    series: &mut [SeriesScan<'_>],
    scans: &[Read],
    (aligned, links): (&[Aligned], Option<&GivenLinks>),
    criteria: &Criteria,
    console: &Console,
) -> Result<Vec<PairAssessment>, Failure> {
    if let Some(given) = links {
        given.links.check(&linked_scans(scans)).map_err(|error| given.failure(&error))?;
    }
    let given = links.map(|given| &given.links);
    console
        .busy("aligning and comparing", || assess_aligned_series(series, aligned, given, criteria))
        .map_err(|error| match links {
            Some(links) => links.failure(&error),
            None => Failure::of_decisions(&"links", &error),
        })
}

fn linked_scans(scans: &[Read]) -> Vec<LinkedScan> {
    scans.iter().filter_map(|read| linked_scan(&read.assessed)).collect()
}

/// The pictures that are in the page alone: projections at one scale, and the references.
fn page_pictures(folder: &Folder, series: &[SeriesScan<'_>]) -> Result<Vec<ScanPictures>, Failure> {
    let png = |picture| folder.png(REPORT, &picture);
    let scans: Vec<_> =
        series.iter().map(|scan| (&scan.input.image.volume, &scan.assessment)).collect();
    let of_scan = |(scan, projection): (&SeriesScan<'_>, _)| {
        let (pet, ct) = (&scan.input.image.volume, scan.input.ct);
        let of = |reference| pictures::of_reference(pet, ct, reference).map(png).transpose();
        Ok(ScanPictures {
            projection: Some(png(projection)?),
            figure: None,
            liver: of(&scan.assessment.liver)?,
            blood_pool: of(&scan.assessment.blood_pool)?,
        })
    };
    series.iter().zip(pictures::projections_of(&scans)).map(of_scan).collect()
}

fn linked_scan(assessed: &Assessed) -> Option<LinkedScan> {
    let hash = assessed.scan_sha256.clone()?;
    Some(LinkedScan::new(hash, &assessed.assessment.lesions))
}

/// The links that were found, in words that tell the regions.
fn proposed(series: &[SeriesScan<'_>], pairs: &[PairAssessment]) -> Vec<ProposedLink> {
    let name = |scan: usize, ids: &[usize]| -> String {
        let lesions = &series[scan].assessment.lesions;
        let found = ids.iter().filter_map(|id| lesions.iter().find(|l| l.id == *id));
        let words = found.map(|l| format!("{} SUVmax {:.1}", l.finding.site, l.statistics.max));
        let words: Vec<String> = words.collect();
        if words.is_empty() { "none".into() } else { words.join(", ") }
    };
    let of_pair = |pair: &PairAssessment| {
        let scans = [pair.baseline, pair.follow_up];
        let link = |l: &LinkedLesion| ProposedLink {
            scans,
            earlier: l.baseline_ids.clone(),
            later: l.follow_up_ids.clone(),
            words: format!(
                "{}, {} confidence: {} -> {}",
                l.fate,
                l.confidence,
                name(scans[0], &l.baseline_ids),
                name(scans[1], &l.follow_up_ids)
            ),
        };
        pair.lesions.iter().map(link).collect::<Vec<_>>()
    };
    pairs.iter().flat_map(of_pair).collect()
}

/// Sorts the follow-ups by time. A baseline that is not the first scan is a mistake of the command, not to be mended.
pub(crate) fn in_order_of_time(scans: &mut [Waiting], paths: &[&Path]) -> Result<(), Failure> {
    let when = |scan: &Waiting| scan.about.facts.acquired;
    for (n, read) in scans.iter().enumerate().skip(1) {
        if let (Some(baseline), Some(follow_up)) = (when(&scans[0]), when(read))
            && follow_up < baseline
        {
            let message = format!(
                "{} was acquired before the baseline {}",
                paths[n].display(),
                paths[0].display()
            );
            return Err(Failure::new(
                "follow_up_before_baseline",
                &message,
                "give the earliest scan first",
            ));
        }
    }
    if scans.iter().all(|read| when(read).is_some()) {
        scans[1..].sort_by_key(when);
    }
    Ok(())
}
