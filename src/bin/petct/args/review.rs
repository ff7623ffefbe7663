//! The command line of `petct review`.

use std::path::PathBuf;

use clap::Args;
use petct::criteria::Criteria;
use petct::lesion::Threshold;

use super::scan::{ReadingArgs, ReadingOptions, ScanArgs, ScanOptions};
use crate::failure::Failure;

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
