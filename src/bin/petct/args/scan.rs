//! What is said of the scans on a command line: which PET, how its values become SUV, where references and lesions come from.

use std::path::PathBuf;

use clap::Args;
use petct::criteria::Criteria;
use petct::lesion::Threshold;
use petct::suv::{InjectedAt, Overrides, SuvKind};

use super::values::{
    self, Given, OrganSource, RegionSource, dose_mbq, given, height_m, injected_at, region,
    threshold, weight_kg,
};
use crate::failure::Failure;

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
    pub(super) decisions: Vec<Given<PathBuf>>,
    /// Edge of a lesion: 41% of its SUVmax, 4.0 SUV, liver, or liver140% of the liver's mean.
    #[arg(long, value_parser = threshold, value_name = "41% | 4.0 | liver | liver140%", help_heading = "Reading")]
    pub(super) threshold: Option<Threshold>,
    /// Sets of numbers, separated by commas, such as lugano-max-2x,percist30.
    #[arg(long, value_parser = values::criteria, value_name = "NAME", help_heading = "Reading")]
    pub(super) criteria: Option<Criteria>,
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

impl ScanArgs {
    /// One set of options for each scan.
    pub(super) fn for_scans(&self, paths: &[PathBuf]) -> Result<Vec<ScanOptions>, Failure> {
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

    pub(super) fn for_scan(&self, path: &PathBuf) -> Result<ScanOptions, Failure> {
        Ok(self.for_scans(std::slice::from_ref(path))?.remove(0))
    }
}

impl ReadingArgs {
    /// One set of options for each scan.
    pub(super) fn for_scans(&self, scans: usize) -> Result<Vec<ReadingOptions>, Failure> {
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
