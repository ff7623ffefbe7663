//! The command line of `petct phantom`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use petct::phantom::Size;

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
