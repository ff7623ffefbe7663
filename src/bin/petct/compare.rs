//! `petct compare`.

use std::process::ExitCode;

use crate::args::CompareOptions;
use crate::console::Console;
use crate::failure::Failure;

pub(crate) fn run(_options: &CompareOptions, _console: &Console) -> Result<ExitCode, Failure> {
    Err(Failure::new(
        "not_built",
        &"petct compare is not built yet",
        "use petct suv and petct measure",
    ))
}
