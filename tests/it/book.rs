//! The manual is true: its pages are there, its links lead somewhere, its commands run as shown, and nothing of the command
//! line is left out.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::cli::{petct, text};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn source() -> PathBuf {
    root().join("docs/book/src")
}

/// A page with what it includes, by its path below `src`.
struct Page {
    path: String,
    text: String,
}

/// Targets of the links of a text, code left out.
fn links(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            code = !code;
        }
        if code {
            continue;
        }
        // Every second part stands in backticks.
        for part in line.split('`').step_by(2) {
            let ends = part.match_indices("](").map(|(at, _)| &part[at + 2..]);
            found.extend(ends.filter_map(|rest| Some(rest.split_once(')')?.0.to_owned())));
        }
    }
    found
}

/// The pages in the order of SUMMARY.md.
fn pages() -> Vec<Page> {
    let summary = std::fs::read_to_string(source().join("SUMMARY.md")).unwrap();
    let page = |path: String| {
        let file = source().join(&path);
        let raw = std::fs::read_to_string(&file)
            .unwrap_or_else(|e| panic!("{} is in SUMMARY.md: {e}", file.display()));
        let mut text = String::new();
        for line in raw.lines() {
            match line.strip_prefix("{{#include ").and_then(|rest| rest.strip_suffix("}}")) {
                Some(other) => {
                    let other = file.parent().unwrap().join(other);
                    text += &std::fs::read_to_string(&other)
                        .unwrap_or_else(|e| panic!("{path} includes {}: {e}", other.display()));
                }
                None => text = text + line + "\n",
            }
        }
        Page { path, text }
    };
    links(&summary).into_iter().map(page).collect()
}

fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, into) } else { into.push(path) }
    }
}

#[test]
fn every_page_is_in_the_summary_and_every_link_leads_somewhere() {
    let pages = pages();
    assert!(pages.len() > 15, "only {} pages", pages.len());
    let mut listed: BTreeSet<PathBuf> = pages.iter().map(|p| source().join(&p.path)).collect();
    listed.insert(source().join("SUMMARY.md"));
    let mut there = Vec::new();
    files(&source(), &mut there);
    let strangers: Vec<_> = there
        .iter()
        .filter(|f| f.extension().is_some_and(|e| e == "md") && !listed.contains(*f))
        .collect();
    assert!(strangers.is_empty(), "not in SUMMARY.md: {strangers:?}");
    let mut broken = Vec::new();
    let mut check = |from: &Path, name: &str, text: &str| {
        for link in links(text).into_iter().filter(|link| !link.contains("://")) {
            let file = link.split('#').next().unwrap();
            if !file.is_empty() && !from.join(file).exists() {
                broken.push(format!("{name}: {link}"));
            }
        }
    };
    for page in &pages {
        check(source().join(&page.path).parent().unwrap(), &page.path, &page.text);
    }
    for name in
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "docs/warnings.md", "docs/visits.md"]
    {
        let text = std::fs::read_to_string(root().join(name)).unwrap();
        check(root().join(name).parent().unwrap(), name, &text);
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

/// Commands of `petct --help`.
fn commands() -> Vec<String> {
    let help = text(&petct(&["--help"]).stdout);
    let listed = help.split_once("Commands:").unwrap().1.split_once("\n\n").unwrap().0;
    let name = |line: &str| line.strip_prefix("  ")?.split(' ').next().map(str::to_owned);
    listed.lines().filter_map(name).filter(|name| !name.is_empty()).collect()
}

#[test]
fn every_command_and_flag_is_in_the_book() {
    let book: String = pages().into_iter().map(|page| page.text).collect();
    let mut missing = BTreeSet::new();
    let commands = commands();
    assert!(commands.len() >= 9, "{commands:?}");
    for command in &commands {
        if !book.contains(&format!("petct {command}")) {
            missing.insert(command.clone());
        }
        let help = text(&petct(&[command, "--help"]).stdout);
        let letters = |c: char| c.is_ascii_lowercase() || c == '-';
        for (at, _) in help.match_indices("--") {
            let flag: String = help[at..].chars().take_while(|c| letters(*c)).collect();
            // A whole flag: not a part of a longer one.
            let named = book.match_indices(&flag).any(|(at, _)| {
                !book[at + flag.len()..].starts_with(letters) && !book[..at].ends_with(letters)
            });
            if flag.len() > 3 && !named {
                missing.insert(flag);
            }
        }
    }
    assert!(missing.is_empty(), "not in the book: {missing:?}");
}

#[test]
fn every_set_of_criteria_and_every_column_is_in_the_book() {
    let book: String = pages().into_iter().map(|page| page.text).collect();
    let names = petct::criteria::Criteria::names();
    let columns = petct::report::table::LESION_COLUMNS.into_iter();
    let columns = columns.chain(petct::report::table::REGION_COLUMNS).map(str::to_owned);
    let shown = |name: &String| {
        let short = name.trim_start_matches("quality=");
        book.contains(&format!("`{name}`")) || book.contains(&format!("`{short}`"))
    };
    let missing: Vec<_> = names.into_iter().chain(columns).filter(|name| !shown(name)).collect();
    assert!(missing.is_empty(), "not in the book: {missing:?}");
}

/// A command of a page, its status and what it prints.
#[derive(Debug)]
struct Example {
    line: usize,
    command: String,
    status: i32,
    expected: Vec<String>,
}

/// The commands of the blocks of a page that are marked `console`. A line `? 1` gives the status.
fn examples(text: &str) -> Vec<Example> {
    let mut found: Vec<Example> = Vec::new();
    let mut inside = false;
    for (number, line) in (1..).zip(text.lines()) {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| inside) {
            let command = command.to_owned();
            found.push(Example { line: number, command, status: 0, expected: Vec::new() });
        } else if let Some(example) = found.last_mut().filter(|_| inside) {
            match line.strip_prefix("? ") {
                Some(status) => example.status = status.parse().unwrap(),
                None if line.starts_with("> ") => {
                    example.command = format!("{}\n{}", example.command, &line[2..]);
                }
                None => example.expected.push(line.to_owned()),
            }
        }
    }
    found
}

/// Whether lines are as shown: `...` stands for any lines, `[..]` for anything in a line.
fn matches(shown: &[String], found: &[&str]) -> bool {
    match shown.split_first() {
        None => found.is_empty(),
        Some((first, rest)) if first == "..." => {
            (0..=found.len()).any(|skipped| matches(rest, &found[skipped..]))
        }
        Some((first, rest)) => found
            .split_first()
            .is_some_and(|(line, after)| line_matches(first, line) && matches(rest, after)),
    }
}

fn line_matches(shown: &str, found: &str) -> bool {
    let mut parts = shown.split("[..]");
    let Some(mut rest) = found.strip_prefix(parts.next().unwrap_or("")) else { return false };
    let mut open = false;
    for part in parts {
        open = part.is_empty();
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    open || rest.trim_end().is_empty()
}

#[test]
fn the_matcher_matches() {
    let lines = |text: &'static str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    for (shown, found, same) in [
        ("a\n...\nd", "a\nb\nc\nd", true),
        ("a\n...\nd", "a\nd", true),
        ("a\n...", "a", true),
        ("a\nb", "a", false),
        ("SUVmax [..] in [..]", "SUVmax 32.0 in abdomen", true),
        ("SUVmax [..] g", "SUVmax 32.0 mL", false),
        ("a[..]c", "abcd", false),
    ] {
        let found: Vec<_> = found.lines().collect();
        assert_eq!(matches(&lines(shown), &found), same, "{shown:?} {found:?}");
    }
}

/// Each page is one session in one folder, in which `sample_scans` is that of the repository.
fn run_page(page: &Page) -> Vec<String> {
    let examples = examples(&page.text);
    let folder = TempDir::new().unwrap();
    for name in ["sample_scans", "tests"] {
        #[cfg(unix)]
        std::os::unix::fs::symlink(root().join(name), folder.path().join(name)).unwrap();
    }
    let program = assert_cmd::cargo::cargo_bin!("petct").to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path =
        std::iter::once(program.parent().unwrap().to_owned()).chain(std::env::split_paths(&path));
    let path = std::env::join_paths(path).unwrap();
    let mut wrong = Vec::new();
    for example in examples {
        let output = Command::new("sh")
            .args(["-c", &example.command])
            .current_dir(folder.path())
            .env("PATH", &path)
            .output()
            .unwrap();
        let status = output.status.code().unwrap();
        // On a terminal warnings are part of the text; what a failure says is all there is.
        let shown = if status == 2 { text(&output.stderr) } else { text(&output.stdout) };
        let lines: Vec<&str> = shown.trim_end().lines().collect();
        if status != example.status || !matches(&example.expected, &lines) {
            wrong.push(format!(
                "{}, line {}: $ {}\nstatus {status}, expected {}\n{shown}\n{}",
                page.path,
                example.line,
                example.command,
                example.status,
                text(&output.stderr)
            ));
        }
    }
    wrong
}

#[cfg(unix)]
#[test]
fn commands_give_what_the_book_shows() {
    let pages = pages();
    let count: usize = pages.iter().map(|page| examples(&page.text).len()).sum();
    assert!(count >= 10, "only {count} commands are shown with their output");
    let wrong: Vec<String> = pages.iter().flat_map(run_page).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
