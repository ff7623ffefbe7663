//! The `petct` command: arguments in, one document out, a status that scripts can rely on.
//!
//! Status 0 is a result, 1 a result that says "not scorable" or "not comparable", 2 an input or a command that cannot
//! be used.

mod args;
mod assess;
mod compare;
mod console;
mod failure;
mod folder;
mod inspect;
mod measure;
mod open;
mod phantom;
mod score;
mod suv;

use std::process::ExitCode;

use args::{Cli, Command, Format};
use clap::Parser;
use console::Console;
use failure::Failure;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(help) if !help.use_stderr() => return console::show_help(&help),
        Err(error) => {
            let format = args::format_asked(&arguments);
            return console::report(&Failure::usage(&error), format);
        }
    };
    let format = cli.common.format;
    match run(cli) {
        Ok(status) => status,
        Err(failure) => console::report(&failure, format),
    }
}

fn run(cli: Cli) -> Result<ExitCode, Failure> {
    let console = Console::new(&cli.common);
    if let Some(threads) = cli.common.threads {
        let built = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
        built.map_err(|e| Failure::new("threads", &e, "give a smaller number with --threads"))?;
    }
    match cli.command {
        Command::Inspect(args) => inspect::run(&args.options()?, &console),
        Command::Suv(args) => suv::run(&args.options()?, &console),
        Command::Measure(args) => measure::run(&args.options()?, &console),
        Command::Score(args) => score::run(&args.options()?, &console),
        Command::Compare(args) => compare::run(&args.options()?, &console),
        Command::Phantom(args) => phantom::run(&args.options(), &console),
    }
}

impl Format {
    fn is_json(self) -> bool {
        self == Self::Json
    }
}
