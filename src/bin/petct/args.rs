//! The command line: flags with their help, and the checked options that the commands work with.
//!
//! Each value is parsed where it enters, so that no command sees raw text. A flag about a scan is given once for each
//! scan, in their order; `-` leaves that scan as it is.

mod compare;
mod figure;
mod phantom;
mod review;
mod scan;
mod values;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use petct::criteria::Criteria;
use petct::lesion::Threshold;

use crate::failure::Failure;
pub(crate) use compare::{CompareArgs, CompareOptions, Comparison, TableOptions};
pub(crate) use figure::{FigureArgs, FigureOptions, FigureTarget};
pub(crate) use phantom::{PhantomArgs, PhantomOptions};
pub(crate) use review::{ReviewArgs, ReviewOptions};
use scan::{ReadingArgs, ScanArgs};
pub(crate) use scan::{ReadingOptions, ScanOptions};
pub(crate) use values::{OrganSource, RegionSource};

const RESEARCH_USE: &str = "Decision support for research, not a medical device.";

/// Behind the help of the program.
const STATUS: &str = "Exit status: 0 a result; 1 a result that says not scorable or not comparable; 2 an input or a \
    command that cannot be used.\n\nDecision support for research, not a medical device.";

/// Behind the help of `completions`.
const COMPLETIONS: &str = "bash: petct completions bash > ~/.local/share/bash-completion/completions/petct\n\
    zsh: petct completions zsh > a folder of $fpath, as _petct\n\
    fish: petct completions fish > ~/.config/fish/completions/petct.fish";

/// Behind the help of commands that take several scans.
const SEVERAL_SCANS: &str = "A flag about one scan (series, weight, height, dose, injection, liver, blood pool, masks, \
    decisions) \
    is given once for each scan, in their order; - leaves that scan as it is.\n\n\
    Decision support for research, not a medical device.";

/// Behind the help of the review.
const REVIEW: &str = "Give the scans and the flags with which DIR was written, the scans in their order. Ctrl-C ends the review.\n\n\
    Decision support for research, not a medical device.";

/// PET-CT response assessment from DICOM: SUV, reference regions, lesions, Deauville score, Lugano response.
///
/// Decision support for research, not a medical device.
#[derive(Debug, Parser)]
#[command(version, after_help = STATUS, max_term_width = 100, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show studies and series, which PET would be used, and whether SUV can be computed; reads headers only.
    #[command(after_help = SEVERAL_SCANS)]
    Inspect(InspectArgs),
    /// Compute SUV of a PET series and say how; -o writes it as NIfTI.
    #[command(after_help = RESEARCH_USE)]
    Suv(SuvArgs),
    /// Measure SUV inside the regions of a mask.
    #[command(after_help = RESEARCH_USE)]
    Measure(MeasureArgs),
    /// Score one scan: references, lesions, Deauville score.
    #[command(after_help = RESEARCH_USE)]
    Score(ScoreArgs),
    /// Compare a follow-up (or several) with its baseline: Lugano response. With --table, visits read elsewhere.
    #[command(after_help = SEVERAL_SCANS)]
    Compare(CompareArgs),
    /// Draw the figure of a case report: projections and axial sections of one scan or several, as PNG or SVG.
    #[command(after_help = SEVERAL_SCANS)]
    Figure(FigureArgs),
    /// Look at results and decide about them in a browser: the page of -o, served to this computer alone.
    #[command(after_help = REVIEW)]
    Review(ReviewArgs),
    /// Write a synthetic PET-CT patient with known truth; CASE `list` names the cases.
    #[command(after_help = RESEARCH_USE)]
    Phantom(PhantomArgs),
    /// Print a script that completes commands and flags in a shell.
    #[command(after_help = COMPLETIONS)]
    Completions(CompletionsArgs),
    /// Print the manual page; -o writes those of all commands.
    Man(ManArgs),
}

impl Command {
    /// Whether a result of the command has a table.
    pub(crate) fn has_table(&self) -> bool {
        match self {
            Self::Measure(_) | Self::Score(_) => true,
            Self::Compare(args) => args.table.is_none(),
            _ => false,
        }
    }
}

/// How results are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON document.
    Json,
    /// The table of lesions (of regions: measure) alone, as CSV.
    Csv,
}

/// When text is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl From<Color> for anstream::ColorChoice {
    fn from(color: Color) -> Self {
        match color {
            Color::Auto => Self::Auto,
            Color::Always => Self::Always,
            Color::Never => Self::Never,
        }
    }
}

/// Flags of every command.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Common {
    /// How the result is shown on stdout.
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "FORMAT",
        help_heading = "Output"
    )]
    pub(crate) format: Format,
    /// When text is coloured: auto (on a terminal, unless `NO_COLOR` is set), always, never.
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "WHEN",
        help_heading = "Output"
    )]
    pub(crate) color: Color,
    /// Treat a warning as an error.
    #[arg(long, global = true, help_heading = "Output")]
    pub(crate) strict: bool,
    /// Show patient name, identifier and birth date.
    #[arg(long, global = true, help_heading = "Output")]
    pub(crate) show_identifiers: bool,
    /// Number of threads; the result is the same for any.
    #[arg(long, global = true, value_parser = values::threads, value_name = "N", help_heading = "Output")]
    pub(crate) threads: Option<usize>,
    /// No progress bar and no warnings on stderr.
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Output")]
    pub(crate) quiet: bool,
    /// More detail in text.
    #[arg(short, long, global = true, help_heading = "Output")]
    pub(crate) verbose: bool,
}

#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// Folders, files or DICOMDIRs.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Read the pixels, too: the mean SUV inside the body of each PET, which shows a scale that is wrong.
    #[arg(long)]
    pixels: bool,
    #[command(flatten)]
    scan: ScanArgs,
}

#[derive(Debug, Args)]
pub(crate) struct SuvArgs {
    /// Folder, file or DICOMDIR with the PET.
    #[arg(value_name = "SCAN")]
    scan: PathBuf,
    /// Write the SUV volume to this file.
    #[arg(short, long, value_parser = values::nifti_file, value_name = "FILE.nii.gz")]
    output: Option<PathBuf>,
    #[command(flatten)]
    flags: ScanArgs,
}

#[derive(Debug, Args)]
pub(crate) struct MeasureArgs {
    /// Folder, file or DICOMDIR with the PET.
    #[arg(value_name = "SCAN")]
    scan: PathBuf,
    /// Regions: NIfTI, RTSTRUCT or DICOM SEG.
    #[arg(long, value_name = "FILE")]
    mask: PathBuf,
    /// Measure only the region of this name.
    #[arg(long, value_name = "NAME")]
    roi: Option<String>,
    #[command(flatten)]
    flags: ScanArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ScoreArgs {
    /// Folder, file or DICOMDIR with PET and CT.
    #[arg(value_name = "SCAN")]
    scan: PathBuf,
    /// Write documents and figures into this folder.
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    #[command(flatten)]
    flags: ScanArgs,
    #[command(flatten)]
    reading: ReadingArgs,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum, value_name = "SHELL")]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// Write the pages of petct and of each command into this folder.
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
}

/// What `inspect` works with.
#[derive(Debug)]
pub(crate) struct InspectOptions {
    pub(crate) scans: Vec<ScanOptions>,
    /// Whether pixels are read for the mean SUV inside the body.
    pub(crate) pixels: bool,
}

/// What `suv` works with.
#[derive(Debug)]
pub(crate) struct SuvOptions {
    pub(crate) scan: ScanOptions,
    /// NIfTI file to write.
    pub(crate) output: Option<PathBuf>,
}

/// What `measure` works with.
#[derive(Debug)]
pub(crate) struct MeasureOptions {
    pub(crate) scan: ScanOptions,
    pub(crate) mask: PathBuf,
    pub(crate) roi: Option<String>,
}

/// What `score` works with.
#[derive(Debug)]
pub(crate) struct ScoreOptions {
    pub(crate) scan: ScanOptions,
    pub(crate) reading: ReadingOptions,
    /// `None`: the usual edge.
    pub(crate) threshold: Option<Threshold>,
    pub(crate) criteria: Criteria,
    pub(crate) output: Option<PathBuf>,
}

impl InspectArgs {
    pub(crate) fn options(&self) -> Result<InspectOptions, Failure> {
        Ok(InspectOptions { scans: self.scan.for_scans(&self.paths)?, pixels: self.pixels })
    }
}

impl SuvArgs {
    pub(crate) fn options(self) -> Result<SuvOptions, Failure> {
        Ok(SuvOptions { scan: self.flags.for_scan(&self.scan)?, output: self.output })
    }
}

impl MeasureArgs {
    pub(crate) fn options(self) -> Result<MeasureOptions, Failure> {
        Ok(MeasureOptions {
            scan: self.flags.for_scan(&self.scan)?,
            mask: self.mask,
            roi: self.roi,
        })
    }
}

impl ScoreArgs {
    pub(crate) fn options(self) -> Result<ScoreOptions, Failure> {
        Ok(ScoreOptions {
            scan: self.flags.for_scan(&self.scan)?,
            reading: self.reading.for_scans(1)?.remove(0),
            threshold: self.reading.threshold,
            criteria: self.reading.criteria.unwrap_or_default(),
            output: self.output,
        })
    }
}

/// When a command line asks for colour, before it is parsed: help and errors have colour, too.
pub(crate) fn color_asked(arguments: &[OsString]) -> clap::ColorChoice {
    let asked = |when: &str| {
        let together = format!("--color={when}");
        arguments.iter().any(|argument| *argument == *together)
            || arguments.windows(2).any(|pair| pair[0] == "--color" && pair[1] == *when)
    };
    match (asked("never"), asked("always")) {
        (true, _) => clap::ColorChoice::Never,
        (_, true) => clap::ColorChoice::Always,
        _ => clap::ColorChoice::Auto,
    }
}

/// The format that a command line asks for, though it cannot be parsed.
pub(crate) fn format_asked(arguments: &[OsString]) -> Format {
    let together = arguments.iter().any(|argument| argument == "--format=json");
    let apart = arguments.windows(2).any(|pair| pair[0] == "--format" && pair[1] == "json");
    if together || apart { Format::Json } else { Format::Text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }
}
