//! The command line of `petct compare`.

use std::path::PathBuf;

use clap::Args;
use petct::criteria::Criteria;
use petct::lesion::Threshold;

use super::scan::{ReadingArgs, ReadingOptions, ScanArgs, ScanOptions};
use super::values;
use crate::failure::Failure;

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
    pub(super) table: Option<PathBuf>,
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

#[cfg(test)]
mod tests {
    use clap::Parser;
    use petct::suv::SuvKind;

    use super::super::values::{RegionSource, region};
    use super::super::{Cli, Command};
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
