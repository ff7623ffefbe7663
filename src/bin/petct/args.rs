//! The command line: flags with their help, and the checked options that the commands work with.
//!
//! Each value is parsed where it enters, so that no command sees raw text. A flag about a scan is given once for each
//! scan, in their order; `-` leaves that scan as it is.

mod figure;
mod values;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use petct::criteria::Criteria;
use petct::lesion::Threshold;
use petct::phantom::Size;
use petct::suv::{InjectedAt, Overrides, SuvKind};

use crate::failure::Failure;
pub(crate) use figure::{FigureArgs, FigureOptions, FigureTarget};
use values::{Given, dose_mbq, given, height_m, injected_at, region, threshold, weight_kg};
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

/// What says something about scans, and nothing about a table.
const OF_SCANS: [&str; 16] = [
    "baseline",
    "follow_ups",
    "suv",
    "series",
    "weight_kg",
    "height_m",
    "dose_mbq",
    "injected_at",
    "liver",
    "blood_pool",
    "lesions",
    "exclude",
    "organs",
    "decisions",
    "links",
    "threshold",
];

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

/// Flags about the PET and its SUV.
#[derive(Debug, Args)]
pub(crate) struct ScanArgs {
    /// Kind of SUV: bw, lbm (Janmahasatian), lbm-james (128), bsa, ibw.
    #[arg(long, default_value = "bw", value_parser = values::kind, value_name = "KIND", help_heading = "SUV")]
    suv: SuvKind,
    /// UID of the PET series to use.
    #[arg(long, value_parser = given(values::series_uid), value_name = "UID", help_heading = "SUV")]
    series: Vec<Given<String>>,
    /// Body weight in place of the header's, kilograms.
    #[arg(long, value_parser = given(weight_kg), value_name = "KG", allow_hyphen_values = true, help_heading = "SUV")]
    weight_kg: Vec<Given<f64>>,
    /// Body height in place of the header's, metres.
    #[arg(long, value_parser = given(height_m), value_name = "M", allow_hyphen_values = true, help_heading = "SUV")]
    height_m: Vec<Given<f64>>,
    /// Injected activity in place of the header's, megabecquerels at the time of injection.
    #[arg(long, value_parser = given(dose_mbq), value_name = "MBQ", allow_hyphen_values = true, help_heading = "SUV")]
    dose_mbq: Vec<Given<f64>>,
    /// Time of injection in place of the header's: 10:35:00 or 2000-09-07T10:35:00.
    #[arg(long, value_parser = given(injected_at), value_name = "TIME", help_heading = "SUV")]
    injected_at: Vec<Given<InjectedAt>>,
}

/// Flags about references and lesions.
#[derive(Debug, Args)]
pub(crate) struct ReadingArgs {
    /// Liver: a sphere (centre and radius in mm, LPS) or a mask file.
    #[arg(long, value_parser = given(region), value_name = "x,y,z,r | MASK", allow_hyphen_values = true, help_heading = "Reading")]
    liver: Vec<Given<RegionSource>>,
    /// Mediastinal blood pool: a sphere (centre and radius in mm, LPS) or a mask file.
    #[arg(long, value_parser = given(region), value_name = "x,y,z,r | MASK", allow_hyphen_values = true, help_heading = "Reading")]
    blood_pool: Vec<Given<RegionSource>>,
    /// Mask whose regions are the lesions; none are looked for.
    #[arg(long, value_parser = given(values::path), value_name = "MASK", help_heading = "Reading")]
    lesions: Vec<Given<PathBuf>>,
    /// Mask of uptake that is no lesion.
    #[arg(long, value_parser = given(values::path), value_name = "MASK", help_heading = "Reading")]
    exclude: Vec<Given<PathBuf>>,
    /// Organs as TotalSegmentator writes them (file, or folder of one file an organ), or as DICOM SEG.
    #[arg(long, value_parser = given(values::organs), value_name = "MASK", help_heading = "Reading")]
    organs: Vec<Given<OrganSource>>,
    /// Decisions of a person: decisions.toml as -o wrote it, edited.
    #[arg(long, value_parser = given(values::path), value_name = "FILE", help_heading = "Reading")]
    decisions: Vec<Given<PathBuf>>,
    /// Edge of a lesion: 41% of its SUVmax, 4.0 SUV, liver, or liver140% of the liver's mean.
    #[arg(long, value_parser = threshold, value_name = "41% | 4.0 | liver | liver140%", help_heading = "Reading")]
    threshold: Option<Threshold>,
    /// Sets of numbers, separated by commas, such as lugano-max-2x,percist30.
    #[arg(long, value_parser = values::criteria, value_name = "NAME", help_heading = "Reading")]
    criteria: Option<Criteria>,
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
pub(crate) struct CompareArgs {
    /// Scan before treatment.
    #[arg(required_unless_present = "table", value_name = "BASELINE")]
    baseline: Option<PathBuf>,
    /// Later scans.
    #[arg(required_unless_present = "table", value_name = "FOLLOW-UP")]
    follow_ups: Vec<PathBuf>,
    /// In place of scans: a table of visits that were read elsewhere (docs/visits.md).
    #[arg(long, value_parser = values::path, value_name = "CSV", conflicts_with_all = OF_SCANS, help_heading = "Table")]
    table: Option<PathBuf>,
    /// Sizes of lesions on CT for the visits of the table.
    #[arg(long, value_parser = values::path, value_name = "CSV", requires = "table", conflicts_with = "baseline", help_heading = "Table")]
    diameters: Option<PathBuf>,
    /// Links between the regions of the scans: links.toml as -o wrote it, edited.
    #[arg(long, value_parser = values::path, value_name = "FILE")]
    links: Option<PathBuf>,
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

#[derive(Debug, Args)]
pub(crate) struct ReviewArgs {
    /// Folder that score -o or compare -o wrote.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The scans that DIR is about.
    #[arg(required = true, value_name = "SCAN")]
    scans: Vec<PathBuf>,
    /// Port on 127.0.0.1; a free one where none is given.
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    port: u16,
    #[command(flatten)]
    flags: ScanArgs,
    #[command(flatten)]
    reading: ReadingArgs,
}

#[derive(Debug, Args)]
pub(crate) struct PhantomArgs {
    /// Name of the case, `body` for a person drawn by a seed, or `list`.
    #[arg(value_name = "CASE")]
    case: String,
    /// Seed of a `body`.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Build of a `body`; drawn by the seed where it is not given.
    #[arg(long, value_name = "NAME")]
    build: Option<String>,
    /// Voxels of another size than the case's: scans to measure speed and memory on.
    #[arg(long, value_enum, value_name = "SIZE")]
    size: Option<PhantomSize>,
    /// Write the pixels uncompressed in place of JPEG-LS.
    #[arg(long)]
    uncompressed: bool,
    /// Folder to write into; new or empty.
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
}

/// Sizes of [`Size`] by their names on the command line.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum PhantomSize {
    /// PET 168 x 168, CT 512 x 512, about 263 slices
    Small,
    /// PET 400 x 400, CT 512 x 512, about 645 slices
    Large,
    /// PET 440 x 440, CT 512 x 512, about 1000 slices
    TotalBody,
}

/// Which PET to open, and how its values become SUV.
#[derive(Debug, Clone)]
pub(crate) struct ScanOptions {
    /// Folder, file or DICOMDIR.
    pub(crate) path: PathBuf,
    /// UID of the PET series, where one is named.
    pub(crate) series: Option<String>,
    /// What the image shall hold.
    pub(crate) kind: SuvKind,
    /// Values in place of the header's.
    pub(crate) overrides: Overrides,
}

/// Where references and lesions of one scan come from; `None`: they are looked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReadingOptions {
    /// The liver.
    pub(crate) liver: Option<RegionSource>,
    /// The mediastinal blood pool.
    pub(crate) blood_pool: Option<RegionSource>,
    /// File whose regions are the lesions.
    pub(crate) lesions: Option<PathBuf>,
    /// File whose regions are no lesions.
    pub(crate) exclude: Option<PathBuf>,
    /// File or folder of organs.
    pub(crate) organs: Option<OrganSource>,
    /// File with the decisions of a person.
    pub(crate) decisions: Option<PathBuf>,
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

/// What `compare` works with.
#[derive(Debug)]
pub(crate) struct CompareOptions {
    /// The baseline first, as given.
    pub(crate) scans: Vec<(ScanOptions, ReadingOptions)>,
    /// `None`: the usual edge.
    pub(crate) threshold: Option<Threshold>,
    pub(crate) criteria: Criteria,
    /// File with the links of a person.
    pub(crate) links: Option<PathBuf>,
    pub(crate) output: Option<PathBuf>,
}

/// What `review` works with.
#[derive(Debug)]
pub(crate) struct ReviewOptions {
    pub(crate) folder: PathBuf,
    pub(crate) port: u16,
    pub(crate) scans: Vec<(ScanOptions, ReadingOptions)>,
    /// `None`: the usual edge.
    pub(crate) threshold: Option<Threshold>,
    pub(crate) criteria: Criteria,
}

/// What `compare --table` works with.
#[derive(Debug)]
pub(crate) struct TableOptions {
    /// The visits.
    pub(crate) table: PathBuf,
    /// Sizes on CT.
    pub(crate) diameters: Option<PathBuf>,
    pub(crate) criteria: Criteria,
    pub(crate) output: Option<PathBuf>,
}

/// What `compare` has been given.
#[derive(Debug)]
pub(crate) enum Comparison {
    /// Scans.
    Scans(Box<CompareOptions>),
    /// A table.
    Table(Box<TableOptions>),
}

/// What `phantom` works with.
#[derive(Debug)]
pub(crate) struct PhantomOptions {
    pub(crate) case: String,
    pub(crate) seed: Option<u64>,
    pub(crate) build: Option<String>,
    pub(crate) size: Option<Size>,
    pub(crate) uncompressed: bool,
    pub(crate) output: Option<PathBuf>,
}

impl ScanArgs {
    /// One set of options for each scan.
    fn for_scans(&self, paths: &[PathBuf]) -> Result<Vec<ScanOptions>, Failure> {
        let n = paths.len();
        let series = one_each("--series", &self.series, n)?;
        let weights = one_each("--weight-kg", &self.weight_kg, n)?;
        let heights = one_each("--height-m", &self.height_m, n)?;
        let doses = one_each("--dose-mbq", &self.dose_mbq, n)?;
        let injections = one_each("--injected-at", &self.injected_at, n)?;
        let options = |(i, path): (usize, &PathBuf)| ScanOptions {
            path: path.clone(),
            series: series[i].clone(),
            kind: self.suv,
            overrides: Overrides {
                weight_kg: weights[i],
                height_m: heights[i],
                dose_mbq: doses[i],
                injected_at: injections[i],
            },
        };
        Ok(paths.iter().enumerate().map(options).collect())
    }

    fn for_scan(&self, path: &PathBuf) -> Result<ScanOptions, Failure> {
        Ok(self.for_scans(std::slice::from_ref(path))?.remove(0))
    }
}

impl ReadingArgs {
    /// One set of options for each scan.
    fn for_scans(&self, scans: usize) -> Result<Vec<ReadingOptions>, Failure> {
        let liver = one_each("--liver", &self.liver, scans)?;
        let blood_pool = one_each("--blood-pool", &self.blood_pool, scans)?;
        let lesions = one_each("--lesions", &self.lesions, scans)?;
        let exclude = one_each("--exclude", &self.exclude, scans)?;
        let organs = one_each("--organs", &self.organs, scans)?;
        let decisions = one_each("--decisions", &self.decisions, scans)?;
        let options = |i: usize| ReadingOptions {
            liver: liver[i].clone(),
            blood_pool: blood_pool[i].clone(),
            lesions: lesions[i].clone(),
            exclude: exclude[i].clone(),
            organs: organs[i].clone(),
            decisions: decisions[i].clone(),
        };
        Ok((0..scans).map(options).collect())
    }
}

/// The values of a flag for each scan: none, or as many as there are scans.
fn one_each<T: Clone>(
    flag: &str,
    values: &[Given<T>],
    scans: usize,
) -> Result<Vec<Option<T>>, Failure> {
    if values.is_empty() {
        return Ok(vec![None; scans]);
    }
    if values.len() == scans {
        return Ok(values.iter().map(|given| given.value().cloned()).collect());
    }
    let message = format!("{flag} is given {} time(s) for {scans} scan(s)", values.len());
    Err(Failure::new(
        "usage",
        &message,
        "give it once for each scan in their order, - where none is meant",
    ))
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

impl CompareArgs {
    pub(crate) fn options(self) -> Result<Comparison, Failure> {
        let criteria = self.reading.criteria.unwrap_or_default();
        if let Some(table) = self.table {
            let (diameters, output) = (self.diameters, self.output);
            let options = TableOptions { table, diameters, criteria, output };
            return Ok(Comparison::Table(Box::new(options)));
        }
        let paths: Vec<PathBuf> = self.baseline.into_iter().chain(self.follow_ups).collect();
        let scans = self.flags.for_scans(&paths)?;
        let readings = self.reading.for_scans(scans.len())?;
        Ok(Comparison::Scans(Box::new(CompareOptions {
            scans: scans.into_iter().zip(readings).collect(),
            threshold: self.reading.threshold,
            criteria,
            links: self.links,
            output: self.output,
        })))
    }
}

impl ReviewArgs {
    pub(crate) fn options(self) -> Result<ReviewOptions, Failure> {
        if !self.reading.decisions.is_empty() {
            let message = "--decisions is not for a review, which goes on with those of its folder";
            return Err(Failure::new("usage", &message, "leave it out"));
        }
        let scans = self.flags.for_scans(&self.scans)?;
        let readings = self.reading.for_scans(scans.len())?;
        Ok(ReviewOptions {
            folder: self.folder,
            port: self.port,
            scans: scans.into_iter().zip(readings).collect(),
            threshold: self.reading.threshold,
            criteria: self.reading.criteria.unwrap_or_default(),
        })
    }
}

impl PhantomArgs {
    pub(crate) fn options(self) -> PhantomOptions {
        PhantomOptions {
            case: self.case,
            seed: self.seed,
            build: self.build,
            size: self.size.map(|size| match size {
                PhantomSize::Small => Size::Small,
                PhantomSize::Large => Size::Large,
                PhantomSize::TotalBody => Size::TotalBody,
            }),
            uncompressed: self.uncompressed,
            output: self.output,
        }
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

    fn compare(line: &str) -> Result<CompareOptions, String> {
        let cli = Cli::try_parse_from(line.split(' ')).map_err(|e| e.to_string())?;
        let Command::Compare(args) = cli.command else { return Err("another command".into()) };
        match args.options().map_err(|failure| failure.message)? {
            Comparison::Scans(options) => Ok(*options),
            Comparison::Table(_) => Err("a table".into()),
        }
    }

    #[test]
    fn a_table_stands_alone() {
        assert_eq!(
            compare("petct compare --table t.csv --criteria visual").unwrap_err(),
            "a table"
        );
        for line in [
            "petct compare a b --table t.csv",
            "petct compare --table t.csv --weight-kg 70",
            "petct compare --table t.csv --suv lbm",
            "petct compare --table t.csv --threshold 4.0",
            "petct compare a b --diameters d.csv",
            "petct compare a",
        ] {
            assert_ne!(compare(line).unwrap_err(), "a table", "{line}");
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn flags_of_several_scans_go_to_their_scans() {
        let line = "petct compare a b c --weight-kg - --weight-kg 70 --weight-kg 68.5 --liver l.nii \
                    --liver -60,10,-300,15 --liver - --suv lbm --criteria percist30";
        let options = compare(line).unwrap();
        let weights = options.scans.iter().map(|(scan, _)| scan.overrides.weight_kg);
        assert_eq!(weights.collect::<Vec<_>>(), [None, Some(70.0), Some(68.5)]);
        let livers = options.scans.iter().map(|(_, reading)| reading.liver.clone());
        let sphere = region("-60,10,-300,15").unwrap();
        let mask = RegionSource::Mask("l.nii".into());
        assert_eq!(livers.collect::<Vec<_>>(), [Some(mask), Some(sphere), None]);
        assert!(options.scans.iter().all(|(scan, _)| scan.kind == SuvKind::LeanBodyMass));
        assert_eq!(options.criteria.change.name, "percist30");
        let paths = options.scans.iter().map(|(scan, _)| scan.path.to_str().unwrap());
        assert_eq!(paths.collect::<Vec<_>>(), ["a", "b", "c"]);
    }

    #[test]
    fn flags_for_some_scans_only_are_refused() {
        let message = compare("petct compare a b c --weight-kg 70 --weight-kg 71").unwrap_err();
        assert!(message.starts_with("--weight-kg is given 2 time(s) for 3 scan(s)"), "{message}");
    }
}
