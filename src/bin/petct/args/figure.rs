//! The command line of `petct figure`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use glam::DVec3;
use petct::render::PrintSize;
use petct::report::pictures::Outlined;

use super::compare::CompareOptions;
use super::scan::{ReadingArgs, ScanArgs};
use super::values;
use crate::failure::Failure;

#[derive(Debug, Args)]
pub(crate) struct FigureArgs {
    /// Folders, files or DICOMDIRs with PET and CT; the baseline first.
    #[arg(required = true, value_name = "SCAN")]
    scans: Vec<PathBuf>,
    /// The figure; its name says whether it is PNG or SVG.
    #[arg(short, long, value_parser = picture_file, value_name = "FILE.png | FILE.svg")]
    output: PathBuf,
    /// Width on paper, millimetres; 71 for one scan, 127 for two, 180 for more where it is not given.
    #[arg(long, value_parser = width_mm, value_name = "MM", help_heading = "Figure")]
    width_mm: Option<f64>,
    /// Pixels an inch.
    #[arg(long, value_parser = dpi, value_name = "N", default_value_t = 300.0, help_heading = "Figure")]
    dpi: f64,
    /// Width in pixels, in place of --dpi.
    #[arg(long, value_parser = width_px, value_name = "N", conflicts_with = "dpi", help_heading = "Figure")]
    width_px: Option<f64>,
    /// SUV that is shown darkest: 7 or 10 is usual.
    #[arg(long, value_parser = suv_max, value_name = "SUV", default_value_t = 7.0, help_heading = "Figure")]
    suv_max: f32,
    /// Lesion that the sections show: its number in the baseline, or SCAN:NUMBER with scans counted from 0.
    #[arg(long, value_parser = lesion, value_name = "N", conflicts_with = "at", help_heading = "Figure")]
    lesion: Option<FigureTarget>,
    /// Place that the sections show, millimetres (LPS) in the baseline.
    #[arg(long, value_parser = place, value_name = "x,y,z", allow_hyphen_values = true, help_heading = "Figure")]
    at: Option<FigureTarget>,
    /// What is outlined.
    #[arg(long, value_enum, default_value_t, value_name = "WHAT", help_heading = "Figure")]
    outline: OutlineArg,
    /// Write dates in place of days since the baseline.
    #[arg(long, help_heading = "Figure")]
    dates: bool,
    /// Links between the regions of the scans: links.toml as compare -o wrote it, edited.
    #[arg(long, value_parser = values::path, value_name = "FILE", help_heading = "Reading")]
    links: Option<PathBuf>,
    #[command(flatten)]
    flags: ScanArgs,
    #[command(flatten)]
    reading: ReadingArgs,
}

/// Which regions are outlined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum OutlineArg {
    /// Nothing.
    None,
    /// Lesions.
    #[default]
    Lesions,
    /// Lesions, uncertain regions and references.
    All,
}

/// What the sections show.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum FigureTarget {
    /// A lesion of a scan.
    Lesion {
        /// Position of the scan.
        scan: usize,
        /// Number of the lesion in it.
        id: usize,
    },
    /// A place of the baseline, millimetres.
    Place(DVec3),
}

/// What `figure` works with.
#[derive(Debug)]
pub(crate) struct FigureOptions {
    /// Scans and how they are read; `output` is left out of it.
    pub(crate) series: CompareOptions,
    pub(crate) output: PathBuf,
    pub(crate) size: PrintSize,
    pub(crate) suv_max: f32,
    /// `None`: the hottest lesion of the scan with the highest score.
    pub(crate) target: Option<FigureTarget>,
    pub(crate) outlined: Outlined,
    pub(crate) dates: bool,
}

/// More scans have no letters left, and could not be read at any width.
const MOST_SCANS: usize = 13;
/// A sheet of more pixels is none.
const MOST_PIXELS: f64 = 20_000.0;

impl FigureArgs {
    pub(crate) fn options(self) -> Result<FigureOptions, Failure> {
        let count = self.scans.len();
        if count > MOST_SCANS {
            let message = format!("a figure of {count} scans cannot be read");
            return Err(Failure::new("usage", &message, &format!("give at most {MOST_SCANS}")));
        }
        let width_mm = self.width_mm.unwrap_or_else(|| PrintSize::usual_width_mm(count));
        let dpi = self.width_px.map_or(self.dpi, |pixels| pixels * 25.4 / width_mm);
        let pixels = width_mm * dpi / 25.4;
        if pixels > MOST_PIXELS || pixels < 200.0 * count as f64 {
            let message =
                format!("a figure of {count} scan(s) is not drawn {pixels:.0} pixels wide");
            let remedy =
                "give --width-mm, --dpi or --width-px for 200 pixels a scan to 20000 in all";
            return Err(Failure::new("usage", &message, remedy));
        }
        let scans = self.flags.for_scans(&self.scans)?;
        let readings = self.reading.for_scans(count)?;
        Ok(FigureOptions {
            series: CompareOptions {
                scans: scans.into_iter().zip(readings).collect(),
                threshold: self.reading.threshold,
                criteria: self.reading.criteria.unwrap_or_default(),
                links: self.links,
                output: None,
            },
            output: self.output,
            size: PrintSize { width_mm, dpi },
            suv_max: self.suv_max,
            target: self.lesion.or(self.at),
            outlined: match self.outline {
                OutlineArg::None => Outlined::Nothing,
                OutlineArg::Lesions => Outlined::Lesions,
                OutlineArg::All => Outlined::All,
            },
            dates: self.dates,
        })
    }
}

fn picture_file(text: &str) -> Result<PathBuf, String> {
    let lower = text.to_lowercase();
    let named = [".png", ".svg"].iter().any(|end| lower.ends_with(end));
    named.then(|| text.into()).ok_or_else(|| format!("{text:?} does not end in .png or .svg"))
}

fn width_mm(text: &str) -> Result<f64, String> {
    values::number(text, 20.0, 1000.0, "a number of millimetres from 20 to 1000")
}

fn dpi(text: &str) -> Result<f64, String> {
    values::number(text, 50.0, 2400.0, "a number of pixels an inch from 50 to 2400")
}

fn width_px(text: &str) -> Result<f64, String> {
    values::number(text, 200.0, MOST_PIXELS, "a number of pixels from 200 to 20000")
}

fn suv_max(text: &str) -> Result<f32, String> {
    values::number(text, 0.5, 100.0, "an SUV from 0.5 to 100").map(|value| value as f32)
}

/// `3`, or `1:3` for lesion 3 of the first follow-up.
fn lesion(text: &str) -> Result<FigureTarget, String> {
    let (scan, id) = text.split_once(':').unwrap_or(("0", text));
    let (scan, id) = (scan.trim().parse().ok(), id.trim().parse().ok());
    let found = scan.zip(id).map(|(scan, id)| FigureTarget::Lesion { scan, id });
    found.ok_or_else(|| format!("{text:?} is no number of a lesion, such as 3, or 1:3 in scan 1"))
}

fn place(text: &str) -> Result<FigureTarget, String> {
    let parts: Vec<_> = text.split(',').map(|part| part.trim().parse::<f64>()).collect();
    let numbers: Vec<f64> = parts.iter().flatten().copied().filter(|n| n.abs() <= 1e4).collect();
    match numbers[..] {
        [x, y, z] if parts.len() == 3 => Ok(FigureTarget::Place(DVec3::new(x, y, z))),
        _ => Err(format!("{text:?} is no place: give x,y,z in millimetres")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lesions_and_places_are_read_or_refused() {
        let of = |scan, id| Ok(FigureTarget::Lesion { scan, id });
        assert_eq!(lesion("3"), of(0, 3));
        assert_eq!(lesion("1:3"), of(1, 3));
        assert!(["", "x", "1:", ":3", "1:2:3", "-1"].iter().all(|text| lesion(text).is_err()));
        assert_eq!(place("-1, 2,3.5"), Ok(FigureTarget::Place(DVec3::new(-1.0, 2.0, 3.5))));
        assert!(["1,2", "1,2,3,4", "1,2,x", "1,2,nan"].iter().all(|text| place(text).is_err()));
        assert!(picture_file("a.PNG").is_ok() && picture_file("a.svg").is_ok());
        assert!(picture_file("a.pdf").is_err());
    }
}
