//! `petct completions` and `petct man`: what a shell and a manual reader need, made from the command line itself.

use std::process::ExitCode;

use clap::CommandFactory;
use clap_mangen::Man;

use crate::args::{Cli, CompletionsArgs, ManArgs};
use crate::console::{Console, check_apart};
use crate::failure::Failure;
use crate::folder::Folder;

pub(crate) fn completions(args: &CompletionsArgs, console: &Console) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "petct", &mut script);
    console.show_plain("completions", &String::from_utf8_lossy(&script))
}

pub(crate) fn man(args: &ManArgs, console: &Console) -> Result<ExitCode, Failure> {
    let mut whole = Cli::command();
    whole.build();
    let Some(output) = &args.output else {
        return console.show_plain("man", &page(whole)?);
    };
    check_apart(output, &[])?;
    let folder = Folder::create(output)?;
    let mut names = Vec::new();
    let commands: Vec<clap::Command> = whole.get_subcommands().cloned().collect();
    for command in std::iter::once(whole).chain(commands) {
        let name = command.get_display_name().unwrap_or(command.get_name()).to_owned();
        let name = format!("{name}.1");
        folder.text(&name, &page(command)?)?;
        names.push(name);
    }
    console.show_plain("man", &format!("{}: {}\n", output.display(), names.join(", ")))
}

/// One page of the manual.
fn page(command: clap::Command) -> Result<String, Failure> {
    let mut page = Vec::new();
    let written = Man::new(command).render(&mut page);
    written.map_err(|e| Failure::new("internal", &e, "report this as a bug"))?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}
