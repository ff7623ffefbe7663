//! The scans of a review with what is decided about them: changed step by step, told as a page, saved.

use std::path::PathBuf;

use petct::alignment::{Alignment, CtBody};
use petct::assessment::{PairAssessment, Proposal, ScanAssessment, ScanInput, Settings};
use petct::criteria::Criteria;
use petct::decisions::{Binding, Change, DecisionError, Decisions, read, write_decided};
use petct::report::html::{ScanPictures, Viewer, compare_page, score_page};
use petct::report::viewer::ViewerData;
use serde::Serialize;

use crate::assess::{Assessed, binding, document, input, proposal};
use crate::compare::{Read, WRITING, compared, decisions_of};
use crate::console::Console;
use crate::decisions::check_replaceable;
use crate::failure::Failure;
use crate::folder::Folder;
use crate::score::{self, DECISIONS};

use super::Opened;

/// What the folder holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The score of one scan.
    Score,
    /// The comparison of several.
    Compare,
}

impl Kind {
    /// Name of the decisions of a scan.
    pub(super) fn file(self, n: usize) -> String {
        match self {
            Self::Score => DECISIONS.to_owned(),
            Self::Compare => decisions_of(n),
        }
    }
}

/// What is known of a scan before anybody decides, and what is decided.
struct Review {
    proposal: Proposal,
    proposed: ScanAssessment,
    binding: Binding,
    decisions: Decisions,
    /// As they stand in the folder.
    saved: String,
}

/// A review.
pub(super) struct Session {
    kind: Kind,
    folder: PathBuf,
    criteria: Criteria,
    console: Console,
    scans: Vec<Read>,
    reviews: Vec<Review>,
    history: Vec<(usize, Decisions)>,
    aligned: Vec<([usize; 2], Alignment)>,
    viewer: ViewerData,
}

/// What the page learns after a step.
#[derive(Debug, Serialize)]
pub(super) struct News {
    /// The page without the viewer; empty where nothing has changed.
    page: String,
    /// What the viewer knows of the scans, as JSON.
    heads: String,
    /// The regions of each scan.
    runs: Vec<String>,
    /// Whether something is not saved.
    unsaved: bool,
    /// Whether a step can be undone.
    undo: bool,
    /// What was done, or why nothing was.
    message: String,
    /// Whether the step was refused.
    refused: bool,
}

impl Review {
    fn text(&self, decisions: &Decisions) -> String {
        let (liver, pool) = (&self.proposed.liver, &self.proposed.blood_pool);
        write_decided(&self.binding, self.proposal.lesions(), liver, pool, decisions)
    }

    fn assess(
        &self,
        input: &ScanInput<'_>,
        settings: &Settings,
        decisions: &Decisions,
    ) -> Result<ScanAssessment, DecisionError> {
        let decided = self.proposal.clone().decide(input, settings, &self.binding, decisions)?;
        Ok(decided.conclude(input, settings))
    }
}

impl Session {
    pub(super) fn new(
        kind: Kind,
        folder: PathBuf,
        criteria: Criteria,
        opened: Vec<Opened>,
        console: &Console,
    ) -> Result<Self, Failure> {
        let (mut scans, mut reviews) = (Vec::new(), Vec::new());
        for Opened { scan, settings, options, given } in opened {
            let (review, assessment) = console.busy("assessing the scan", || {
                let input = input(&scan)?;
                let proposal = proposal(&input, &settings)?;
                let binding = binding(&input, &options, &settings, &proposal);
                let proposed = proposal.clone().conclude(&input, &settings);
                let (decisions, saved) = (given.decisions.clone(), given.text.clone());
                let review = Review { proposal, proposed, binding, decisions, saved };
                let assessment = review.assess(&input, &settings, &review.decisions);
                Ok::<_, Failure>((review, assessment.map_err(|error| given.failure(&error))?))
            })?;
            let scan_sha256 = Some(review.binding.scan_sha256.clone());
            let decisions = Some(review.saved.clone());
            let assessed = Assessed { assessment, decisions, scan_sha256 };
            let ct_body = scan.ct.as_ref().filter(|_| kind == Kind::Compare).map(CtBody::of);
            scans.push(Read { scan, settings, assessed, ct_body });
            reviews.push(review);
        }
        let mut aligned = Vec::new();
        let viewer = match kind {
            Kind::Score => score::viewer(&scans[0].scan, &scans[0].assessed.assessment, console)?,
            Kind::Compare => {
                let compared = compared(&scans, &[], None, &criteria, console)?;
                let known = |pair: &PairAssessment| {
                    ([pair.baseline, pair.follow_up], pair.alignment.clone())
                };
                aligned.extend(compared.pairs.iter().map(known));
                compared.viewer(console)
            }
        };
        let (console, history) = (console.clone(), Vec::new());
        Ok(Self { kind, folder, criteria, console, scans, reviews, history, aligned, viewer })
    }

    /// The whole page.
    pub(super) fn page(&mut self) -> Result<String, Failure> {
        self.tell(true)
    }

    /// The page as things stand; the viewer learns its regions.
    fn tell(&mut self, with_viewer: bool) -> Result<String, Failure> {
        let Self { kind, scans, viewer, console, .. } = self;
        match kind {
            Kind::Score => {
                let read = &scans[0];
                let assessment = &read.assessed.assessment;
                let document = document(&read.scan, &read.settings, assessment, console);
                viewer.set_regions(0, assessment);
                let viewer = if with_viewer { Viewer::Review(viewer) } else { Viewer::None };
                Ok(score_page(&document, &ScanPictures::default(), viewer))
            }
            Kind::Compare => {
                let found = compared(scans, &self.aligned, None, &self.criteria, console)?;
                for (n, scan) in found.series.iter().enumerate() {
                    viewer.set_regions(n, &scan.assessment);
                }
                let viewer = if with_viewer { Viewer::Review(viewer) } else { Viewer::None };
                Ok(compare_page(&found.document, &found.names, &[], &found.figure, viewer))
            }
        }
    }

    /// What the page has to know, after a step.
    fn news(&mut self, message: String) -> Result<News, Failure> {
        let page = self.tell(false)?;
        let unsaved = self
            .reviews
            .iter()
            .zip(&self.scans)
            .any(|(review, read)| read.assessed.decisions.as_ref() != Some(&review.saved));
        Ok(News {
            page,
            heads: self.viewer.head(),
            runs: self.viewer.runs().map(str::to_owned).collect(),
            unsaved,
            undo: !self.history.is_empty(),
            message,
            refused: false,
        })
    }

    /// Why a step was not done; nothing has changed.
    pub(super) fn refused(sentence: &str) -> News {
        News {
            page: String::new(),
            heads: String::new(),
            runs: Vec::new(),
            unsaved: false,
            undo: false,
            message: sentence.to_owned(),
            refused: true,
        }
    }

    /// Carries out a step about a scan.
    pub(super) fn change(&mut self, scan: usize, change: &Change) -> Result<News, Failure> {
        let Some(review) = self.reviews.get(scan) else {
            return Ok(Self::refused(&format!("there is no scan {scan}")));
        };
        let after = match review.decisions.changed(change, review.proposal.lesions()) {
            Ok(after) => after,
            Err(sentence) => return Ok(Self::refused(&sentence)),
        };
        // The text says what will be saved: what is carried out is read from it.
        let text = review.text(&after);
        let after = match read(&text) {
            Ok(after) => after,
            Err(error) => return Ok(Self::refused(&words(&error))),
        };
        let read = &self.scans[scan];
        let assessment = match review.assess(&input(&read.scan)?, &read.settings, &after) {
            Ok(assessment) => assessment,
            Err(error) => return Ok(Self::refused(&words(&error))),
        };
        let before = std::mem::replace(&mut self.reviews[scan].decisions, after);
        self.history.push((scan, before));
        self.settle(scan, assessment);
        self.news("Done.".to_owned())
    }

    /// Takes the last step back.
    pub(super) fn undo(&mut self) -> Result<News, Failure> {
        let Some((scan, before)) = self.history.pop() else {
            return Ok(Self::refused("there is no step to undo"));
        };
        let read = &self.scans[scan];
        let assessment = self.reviews[scan].assess(&input(&read.scan)?, &read.settings, &before);
        let assessment = assessment.map_err(|error| Failure::of_decisions(&"decisions", &error))?;
        self.reviews[scan].decisions = before;
        self.settle(scan, assessment);
        self.news("The last step is undone.".to_owned())
    }

    /// Takes the assessment by the decisions of now.
    fn settle(&mut self, scan: usize, assessment: ScanAssessment) {
        let review = &self.reviews[scan];
        // Decisions that nobody has changed keep the words that a person wrote around them.
        let text = if self.history.iter().any(|(of, _)| *of == scan) {
            review.text(&review.decisions)
        } else {
            review.saved.clone()
        };
        let assessed = &mut self.scans[scan].assessed;
        assessed.assessment = assessment;
        assessed.decisions = Some(text);
    }

    /// Writes the decisions, and everything that follows from them, into the folder.
    pub(super) fn save(&mut self) -> Result<News, Failure> {
        let folder = Folder::create(&self.folder)?;
        for (n, review) in self.reviews.iter().enumerate() {
            let file = self.folder.join(self.kind.file(n));
            check_replaceable(&file, [review.saved.as_str()])?;
        }
        for (n, (review, read)) in self.reviews.iter_mut().zip(&self.scans).enumerate() {
            let text = read.assessed.decisions.clone().unwrap_or_default();
            folder.text(&self.kind.file(n), &text)?;
            review.saved = text;
        }
        let files = match self.kind {
            Kind::Score => {
                let read = &self.scans[0];
                let (assessment, text) = (&read.assessed.assessment, &read.assessed.decisions);
                let mut document = document(&read.scan, &read.settings, assessment, &self.console);
                let scan = (&read.scan, assessment, &self.viewer);
                let text = text.clone();
                let write = || score::write(&folder, scan, text, &mut document);
                self.console.busy(WRITING, write)?;
                document.files
            }
            Kind::Compare => {
                let Self { scans, aligned, criteria, console, viewer, .. } = self;
                let mut compared = compared(scans, aligned, None, criteria, console)?;
                console.busy(WRITING, || compared.write(&folder, scans, (None, viewer)))?
            }
        };
        self.history.clear();
        self.news(format!("Saved: {}.", files.join(", ")))
    }
}

/// Why a step cannot be carried out, without the line of a text that nobody sees.
fn words(error: &DecisionError) -> String {
    match error {
        DecisionError::Refused { what, remedy, .. } => format!("{what}; {remedy}"),
        DecisionError::Unreadable { what, .. } => what.clone(),
        other => other.to_string(),
    }
}
