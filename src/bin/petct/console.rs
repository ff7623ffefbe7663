//! What the user sees: the document on stdout, warnings and progress on stderr.

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anstream::{AutoStream, ColorChoice};
use indicatif::{ProgressBar, ProgressStyle};
use petct::diagnostic::Warning;
use petct::report::{Content, Document, ErrorDocument};

use crate::args::{Common, Format};
use crate::failure::Failure;
use crate::paint::painted;

/// A command that takes longer than this shows what it does.
const PATIENCE: Duration = Duration::from_secs(1);
/// Exit status of an input or a command that cannot be used.
const UNUSABLE: u8 = 2;

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Detail {
    /// The result alone.
    Quiet,
    Usual,
    Verbose,
}

/// How results are shown.
#[derive(Debug, Clone)]
pub(crate) struct Console {
    format: Format,
    color: ColorChoice,
    detail: Detail,
    strict: bool,
    started: Instant,
    /// Whether documents name the patient.
    pub(crate) show_identifiers: bool,
}

impl Console {
    pub(crate) fn new(common: &Common) -> Self {
        Self {
            format: common.format,
            color: common.color.into(),
            detail: match (common.quiet, common.verbose) {
                (true, _) => Detail::Quiet,
                (false, true) => Detail::Verbose,
                (false, false) => Detail::Usual,
            },
            strict: common.strict,
            started: Instant::now(),
            show_identifiers: common.show_identifiers,
        }
    }

    /// Refuses warnings under `--strict`. To be asked before anything is written.
    pub(crate) fn check(&self, warnings: &[Warning]) -> Result<(), Failure> {
        match warnings.first() {
            Some(warning) if self.strict => Err(Failure::of_warning(warning)),
            _ => Ok(()),
        }
    }

    /// Shows a document: status 0, or `status` where the result says that there is none.
    pub(crate) fn show<T: Content>(&self, content: &T, status: u8) -> Result<ExitCode, Failure> {
        self.check(content.warnings())?;
        match self.format {
            Format::Json => print(&json(&Document::new(content))?)?,
            Format::Csv => print(&content.csv().ok_or_else(no_table)?)?,
            Format::Text => {
                let text = content.text(self.detail == Detail::Verbose);
                match self.color_on(&io::stdout()) {
                    ColorChoice::Never => print(&text)?,
                    _ => print(&painted(&text))?,
                }
            }
        }
        // Text and JSON hold the warnings; where the result goes elsewhere, the person at the terminal sees them too.
        let shown = self.format != Format::Csv && io::stdout().is_terminal();
        if self.detail != Detail::Quiet && !shown {
            for warning in content.warnings() {
                self.complain(&format!("warning: {} ({})", warning.message, warning.code));
            }
        }
        Ok(ExitCode::from(status))
    }

    /// Says where a page is served: its address alone on a line of stdout, for scripts as a document.
    pub(crate) fn serves(&self, address: &str, how_it_ends: &str) -> Result<(), Failure> {
        match self.format {
            Format::Json => print(&json(&serde_json::json!({ "address": address }))?)?,
            Format::Text => print(&format!("{address}\n"))?,
            Format::Csv => return Err(no_table()),
        }
        if self.detail != Detail::Quiet {
            self.complain(how_it_ends);
        }
        Ok(())
    }

    /// Says what was done in a review, where much is to be said.
    pub(crate) fn tell(&self, line: &str) {
        if self.detail == Detail::Verbose {
            self.complain(line);
        }
    }

    /// Shows what is no document: a script, a page.
    pub(crate) fn show_plain(&self, command: &str, text: &str) -> Result<ExitCode, Failure> {
        if self.format == Format::Json {
            let message = format!("petct {command} answers with no JSON document");
            return Err(Failure::new("usage", &message, "leave --format out"));
        }
        print(text)?;
        Ok(ExitCode::SUCCESS)
    }

    /// Whether a stream takes colour: as asked, else where it is a terminal and `NO_COLOR` is not set.
    fn color_on<S: anstream::stream::RawStream>(&self, stream: &S) -> ColorChoice {
        match self.color {
            ColorChoice::Auto => AutoStream::choice(stream),
            asked => asked,
        }
    }

    fn complain(&self, line: &str) {
        match self.color_on(&io::stderr()) {
            ColorChoice::Never => complain(line),
            _ => complain(&painted(line)),
        }
    }

    /// Does work that may take long; after the command's first second a terminal shows what is being done, and for how long, in
    /// one line of its width.
    pub(crate) fn busy<R>(&self, what: &str, work: impl FnOnce() -> R) -> R {
        if self.detail == Detail::Quiet || !io::stderr().is_terminal() {
            return work();
        }
        let patience = PATIENCE.saturating_sub(self.started.elapsed());
        let (done, wait) = mpsc::channel::<()>();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                // The sender is dropped when the work is done, also by a panic.
                if wait.recv_timeout(patience) != Err(mpsc::RecvTimeoutError::Timeout) {
                    return;
                }
                let bar = ProgressBar::new_spinner().with_message(what.to_owned());
                if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {wide_msg}") {
                    bar.set_style(style);
                }
                // The patience is a part of the time.
                let bar = bar.with_elapsed(patience);
                bar.enable_steady_tick(Duration::from_millis(120));
                let _ = wait.recv(); // ends by the sender's drop
                bar.finish_and_clear();
            });
            let result = work();
            drop(done);
            result
        })
    }
}

/// CSV is asked of a result without a table.
pub(crate) fn no_table() -> Failure {
    let message = "--format csv: this result has no table of lesions or regions";
    Failure::new("no_table", &message, "give --format text or json")
}

/// Shows why there is no result, and ends with status 2.
pub(crate) fn report(failure: &Failure, format: Format) -> ExitCode {
    if format.is_json() {
        // Without stdout there is nobody left to tell.
        let _ = json(&ErrorDocument { error: failure.error() }).and_then(|text| print(&text));
    } else {
        complain(&format!("petct: {}", failure.message));
    }
    ExitCode::from(UNUSABLE)
}

/// Shows help or version, asked for.
pub(crate) fn show_help(help: &clap::Error) -> ExitCode {
    match help.print() {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => ExitCode::from(UNUSABLE),
        _ => ExitCode::SUCCESS,
    }
}

/// Refuses a file or folder that would lie in the input: nothing is written beside it.
pub(crate) fn check_apart(output: &Path, inputs: &[&Path]) -> Result<(), Failure> {
    let Some(place) = real(output) else { return Ok(()) };
    for input in inputs {
        let root = if input.is_file() { input.parent().unwrap_or(input) } else { input };
        if real(root).is_some_and(|root| place.starts_with(root)) {
            let message = format!("{} lies in the input {}", output.display(), input.display());
            return Err(Failure::new("output_in_input", &message, "choose another place with -o"));
        }
    }
    Ok(())
}

/// Refuses a folder that holds one of the files of the input. A folder within that one is a place of its own: tables lie in
/// working folders, scans do not.
pub(crate) fn check_not_beside(output: &Path, files: &[&Path]) -> Result<(), Failure> {
    for file in files {
        let folder = file.parent().filter(|folder| *folder != Path::new(""));
        let folder = folder.unwrap_or(Path::new("."));
        if real(output).is_some() && real(output) == real(folder) {
            let message = format!("{} holds the input {}", output.display(), file.display());
            return Err(Failure::new("output_in_input", &message, "choose another place with -o"));
        }
    }
    Ok(())
}

/// A path without links, as far as it exists.
fn real(path: &Path) -> Option<std::path::PathBuf> {
    let path = std::path::absolute(path).ok()?;
    let existing = path.ancestors().find(|part| part.exists())?;
    let rest = path.strip_prefix(existing).ok()?;
    Some(existing.canonicalize().ok()?.join(rest))
}

fn json(document: &impl serde::Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(document);
    let text = text.map_err(|e| Failure::new("json", &e, "report this as a bug"))?;
    Ok(text + "\n")
}

/// Writes to stdout; a reader that has gone away has read what it wanted.
fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(Failure::new(
            "cannot_write",
            &format!("stdout: {e}"),
            "write the result to another place",
        )),
        _ => Ok(()),
    }
}

/// Writes a line to stderr; if that fails there is nobody to tell.
fn complain(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}
