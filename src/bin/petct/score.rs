//! `petct score`.

use std::process::ExitCode;

use crate::args::ScoreOptions;
use crate::console::Console;
use crate::failure::Failure;

pub(crate) fn run(_options: &ScoreOptions, _console: &Console) -> Result<ExitCode, Failure> {
    Err(Failure::new(
        "not_built",
        &"petct score is not built yet",
        "use petct suv and petct measure",
    ))
}
