//! `petct measure`.

use std::process::ExitCode;

use crate::args::MeasureOptions;
use crate::console::Console;
use crate::failure::Failure;

pub(crate) fn run(_options: &MeasureOptions, _console: &Console) -> Result<ExitCode, Failure> {
    Err(Failure::new("not_built", &"petct measure is not built yet", "use petct suv"))
}
