//! The `petct` command: arguments in, one document out, a status that scripts can rely on.
//!
//! Status 0 is a result, 1 a result that says "not scorable" or "not comparable", 2 an input or a command that cannot
//! be used.

mod args;
mod assess;
mod compare;
mod console;
mod decisions;
mod failure;
mod figure;
mod folder;
mod inspect;
mod measure;
mod open;
mod paint;
mod phantom;
mod review;
mod score;
mod shell;
mod suv;
mod table;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use args::{Cli, Command, Comparison, Format};
use clap::{CommandFactory, FromArgMatches};
use console::Console;
use failure::Failure;

fn main() -> ExitCode {
    petct::memory::give_back_when_freed();
    let arguments: Vec<_> = std::env::args_os().collect();
    let parser = Cli::command().color(args::color_asked(&arguments));
    let parsed = parser.try_get_matches_from(&arguments);
    let cli = match parsed.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(help) if !help.use_stderr() => return console::show_help(&help),
        Err(error) => {
            let format = args::format_asked(&arguments);
            return console::report(&Failure::usage(&error), format);
        }
    };
    let format = cli.common.format;
    match contained(|| run(cli)) {
        Ok(status) => status,
        Err(failure) => console::report(&failure, format),
    }
}

/// Turns a panic, which is a bug, into a failure like any other. A decoder's panic on damaged data is caught where it
/// happens and told as the fault of the file; nothing of either appears on stderr by itself.
fn contained(work: impl FnOnce() -> Result<ExitCode, Failure>) -> Result<ExitCode, Failure> {
    static LAST: Mutex<String> = Mutex::new(String::new());
    let last = || LAST.lock().unwrap_or_else(PoisonError::into_inner);
    std::panic::set_hook(Box::new(move |panic| panic.to_string().clone_into(&mut *last())));
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        let message = format!("the program failed: {}", last());
        Err(Failure::new("internal", &message, "report this as a bug with the command line"))
    })
}

fn run(cli: Cli) -> Result<ExitCode, Failure> {
    let console = Console::new(&cli.common);
    if let Some(threads) = cli.common.threads {
        let built = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
        built.map_err(|e| Failure::new("threads", &e, "give a smaller number with --threads"))?;
    }
    if cli.common.format == Format::Csv && !cli.command.has_table() {
        return Err(console::no_table());
    }
    match cli.command {
        Command::Completions(args) => shell::completions(&args, &console),
        Command::Man(args) => shell::man(&args, &console),
        Command::Inspect(args) => inspect::run(&args.options()?, &console),
        Command::Suv(args) => suv::run(&args.options()?, &console),
        Command::Measure(args) => measure::run(&args.options()?, &console),
        Command::Score(args) => score::run(&args.options()?, &console),
        Command::Compare(args) => match args.options()? {
            Comparison::Scans(options) => compare::run(&options, &console),
            Comparison::Table(options) => table::run(&options, &console),
        },
        Command::Figure(args) => figure::run(&args.options()?, &console),
        Command::Review(args) => review::run(args.options()?, &console),
        Command::Phantom(args) => phantom::run(&args.options(), &console),
    }
}

impl Format {
    fn is_json(self) -> bool {
        self == Self::Json
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bug_is_a_failure_of_one_line() {
        let usual = std::panic::take_hook();
        let failure = contained(|| panic!("two\nlines")).unwrap_err();
        std::panic::set_hook(usual);
        assert_eq!(failure.code, "internal");
        assert!(failure.message.contains("two lines") && failure.message.contains("main.rs"));
        assert_eq!(failure.message.lines().count(), 1);
    }
}
