//! Every code that a script may meet stands in docs/, and docs/ name no code that is gone.

use std::collections::BTreeSet;

use petct::suv::Refusal;

use crate::architecture::{Source, sources};

/// Names in capitals that are no codes of this program: DICOM's terms, and names for the compiler.
const NO_CODES: [&str; 8] = [
    "CARGO_PKG_VERSION",
    "CLOSEDPLANAR_XOR",
    "CLOSED_PLANAR",
    "GEMS_PETD_01",
    "MAX_IP",
    "MIN_IP",
    "OPEN_PLANAR",
    "SCREAMING_SNAKE_CASE",
];

fn pages() -> [&'static str; 2] {
    [include_str!("../../docs/warnings.md"), include_str!("../../docs/suv-codes.md")]
}

/// Codes in the first column of a table.
fn documented() -> Vec<&'static str> {
    let row = |line: &'static str| Some(line.strip_prefix("| `")?.split_once("` |")?.0);
    pages().into_iter().flat_map(str::lines).filter_map(row).collect()
}

/// The string literals of a file with the code that stands before each.
fn literals(code: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let parts: Vec<_> = code.split('"').collect();
    for (at, part) in parts.iter().enumerate().skip(1) {
        found.push((parts[at - 1].trim_end(), *part));
    }
    found
}

fn is_name(text: &str, letter: impl Fn(char) -> bool) -> bool {
    text.starts_with(&letter) && text.chars().all(|c| letter(c) || c.is_ascii_digit() || c == '_')
}

/// Codes of warnings and reasons: names in capitals of two words and more, and whatever is given as a code.
fn capitals(sources: &[Source]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for source in sources {
        for (before, text) in literals(&source.code) {
            let given = before.ends_with("Warning::new(") || before.ends_with("Reason::new(");
            let named = is_name(text, |c| c.is_ascii_uppercase()) && (given || text.contains('_'));
            if named && !NO_CODES.contains(&text) {
                found.insert(text.to_owned());
            }
        }
    }
    found
}

/// Codes of failures: those of the binary, and the refusals of SUV.
fn failures(sources: &[Source]) -> BTreeSet<String> {
    let mut found: BTreeSet<_> = Refusal::CODES.iter().map(ToString::to_string).collect();
    for source in sources.iter().filter(|s| s.path.starts_with("bin/")) {
        for (before, text) in literals(&source.code) {
            let given = before.ends_with("Failure::new(")
                || (source.path.ends_with("failure.rs")
                    && (before.ends_with("Self::new(") || before.ends_with("=>")));
            if given && is_name(text, |c| c.is_ascii_lowercase()) {
                found.insert(text.to_owned());
            }
        }
    }
    found
}

#[test]
fn every_code_is_documented() {
    let sources = sources();
    let (capitals, failures) = (capitals(&sources), failures(&sources));
    assert!(capitals.len() > 70 && failures.len() > 60, "{capitals:?} {failures:?}");
    let documented: BTreeSet<_> = documented().into_iter().map(str::to_owned).collect();
    let missing: Vec<_> = capitals.union(&failures).filter(|c| !documented.contains(*c)).collect();
    assert!(missing.is_empty(), "not in docs/warnings.md nor docs/suv-codes.md: {missing:?}");
}

#[test]
fn every_documented_code_exists_once() {
    let sources = sources();
    let literals: BTreeSet<_> =
        sources.iter().flat_map(|s| literals(&s.code)).map(|(_, text)| text).collect();
    let mut seen = BTreeSet::new();
    for code in documented() {
        assert!(seen.insert(code), "{code} is documented twice");
        assert!(literals.contains(code), "{code} is documented and in no source");
    }
}
