//! Rules of ARCHITECTURE.md that the compiler does not keep, read from the source.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The modules from the ground up: each uses only modules above it in this list, which are below it in the building.
const ORDER: [&str; 29] = [
    "geometry",
    "memory",
    "volume",
    "diagnostic",
    "acquisition",
    "segmentation",
    "organ",
    "statistics",
    "resample",
    "suv",
    "anatomy",
    "alignment",
    "matching",
    "criteria",
    "quality",
    "deauville",
    "response",
    "visits",
    "reference",
    "lesion",
    "decisions",
    "assessment",
    "render",
    "phantom",
    "nifti_file",
    "dicom",
    "mask_file",
    "report",
    "lib",
];

/// Uses against the order, each with its reason. A row that is no longer used fails the test.
const AGAINST_THE_ORDER: [(&str, &str, &str); 3] = [
    ("criteria", "deauville", "the type of a score, in which `positive_from` is given"),
    ("criteria", "quality", "the name of a rule set, which a choice of criteria holds"),
    ("dicom", "mask_file", "the type of a region and of its faults, which RTSTRUCT and SEG fill"),
];

/// Modules that may open files. The binary may too.
const DOORS: [&str; 3] = ["dicom", "nifti_file", "mask_file"];

/// A file of the library with its tests and comments taken out.
pub(crate) struct Source {
    /// Path below src.
    pub(crate) path: String,
    /// Top-level module.
    pub(crate) module: String,
    /// Code alone: line for line, comments and the content of test modules blank.
    pub(crate) code: String,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
}

/// Every source file, sorted; test files left out.
pub(crate) fn sources() -> Vec<Source> {
    let src = root().join("src");
    let mut paths = Vec::new();
    files(&src, &mut paths);
    paths.sort();
    let mut sources = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        let parts: Vec<_> =
            path.strip_prefix(&src).unwrap().iter().map(|p| p.to_str().unwrap()).collect();
        if parts.contains(&"tests.rs") || parts.contains(&"tests") {
            continue;
        }
        let module = parts[0].trim_end_matches(".rs").to_owned();
        sources.push(Source { path: parts.join("/"), module, code: code(&text) });
    }
    sources
}

/// The library without the binary.
fn library() -> Vec<Source> {
    sources().into_iter().filter(|s| s.module != "bin").collect()
}

/// Blanks comments and whatever stands under `#[cfg(test)]`, up to the brace or semicolon that ends it.
fn code(text: &str) -> String {
    let mut lines = text.lines();
    let mut out = String::new();
    while let Some(line) = lines.next() {
        if line.trim() == "#[cfg(test)]" {
            let indent = line.len() - line.trim_start().len();
            let end = format!("{}}}", " ".repeat(indent));
            for skipped in lines.by_ref() {
                out.push('\n');
                if skipped == end
                    || (skipped.ends_with(';') && skipped.trim_start().starts_with("mod "))
                {
                    break;
                }
            }
            out.push('\n');
            continue;
        }
        // No string of this code base holds "// " after a space.
        let kept = if line.trim_start().starts_with("//") {
            ""
        } else {
            line.split(" // ").next().unwrap_or("")
        };
        out.push_str(kept);
        out.push('\n');
    }
    out
}

/// The first names behind each `crate::`, groups in braces included.
fn used(code: &str) -> BTreeSet<String> {
    let name = |text: &str| -> String {
        text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let Some(group) = rest.strip_prefix('{') else {
            found.insert(name(rest));
            continue;
        };
        let (mut depth, mut start) = (0, true);
        for (i, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => start = true,
                _ if start && !c.is_whitespace() => {
                    found.insert(name(&group[i..]));
                    start = false;
                }
                _ => {}
            }
        }
    }
    found
}

/// Lines of the given files that hold one of the words, as `path:line: word`.
fn places(sources: &[Source], words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources {
        for (number, line) in (1..).zip(source.code.lines()) {
            let hits = words.iter().filter(|word| line.contains(**word));
            found.extend(hits.map(|word| format!("src/{}:{number}: {word}", source.path)));
        }
    }
    found
}

fn none(rule: &str, found: &[String]) {
    assert!(found.is_empty(), "{rule}:\n{}", found.join("\n"));
}

#[test]
fn the_reader_of_sources_reads() {
    let text = "use crate::{volume::{A, B}, suv};\n/// crate::no\nlet x = crate::a::f(); // crate::no\n\
                #[cfg(test)]\nmod tests {\n    use crate::no;\n}\nuse crate::b;\n";
    assert_eq!(used(&code(text)), ["a", "b", "suv", "volume"].map(String::from).into());
    assert_eq!(code(text).lines().count(), text.lines().count());
    let sources = library();
    assert!(sources.len() > 80, "only {} files were found", sources.len());
    let all: BTreeSet<_> = sources.iter().flat_map(|s| used(&s.code)).collect();
    assert!(all.len() > 15, "{all:?}");
}

#[test]
fn every_module_has_its_place() {
    let modules: BTreeSet<_> = library().into_iter().map(|s| s.module).collect();
    let placed: BTreeSet<_> = ORDER.map(String::from).into();
    assert_eq!(modules, placed, "src/ and ORDER differ: give a new module its place");
}

#[test]
fn modules_use_only_what_lies_below() {
    let rank = |module: &str| ORDER.iter().position(|m| *m == module);
    let mut exceptions = BTreeSet::new();
    let mut wrong = Vec::new();
    for source in library() {
        for other in used(&source.code).into_iter().filter(|other| *other != source.module) {
            let Some(below) = rank(&other) else { continue };
            if rank(&source.module).is_some_and(|own| below < own) {
                continue;
            }
            let excused = |row: &&(&str, &str, &str)| row.0 == source.module && row.1 == other;
            match AGAINST_THE_ORDER.iter().find(excused) {
                Some(row) => drop(exceptions.insert(*row)),
                None => wrong.push(format!("src/{} uses {other}", source.path)),
            }
        }
    }
    none("modules above in ORDER are used", &wrong);
    assert_eq!(exceptions, AGAINST_THE_ORDER.into(), "an exception has become needless");
}

/// The table of ARCHITECTURE.md is this list.
#[test]
fn the_page_shows_the_order() {
    let page = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let rows: Vec<_> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` |"))
        .map(|(module, _)| module)
        .filter(|module| ORDER.contains(module))
        .collect();
    assert_eq!(rows, ORDER[..ORDER.len() - 1], "the table of modules in ARCHITECTURE.md");
    for (from, to, _) in AGAINST_THE_ORDER {
        let row = format!("`{from}` uses `{to}`");
        assert!(page.contains(&row), "ARCHITECTURE.md does not tell that {row}");
    }
}

#[test]
fn dicom_types_stay_in_dicom() {
    let crates = [
        "dicom_core",
        "dicom_dictionary_std",
        "dicom_encoding",
        "dicom_object",
        "dicom_pixeldata",
        "dicom_transfer_syntax_registry",
    ];
    let outside: Vec<_> = sources().into_iter().filter(|s| s.module != "dicom").collect();
    none("only src/dicom knows the DICOM crates", &places(&outside, &crates));
    assert!(!places(&sources(), &crates).is_empty());
}

#[test]
fn unsafe_code_is_alone_in_its_module() {
    let words = ["unsafe_code", "unsafe {"];
    let outside: Vec<_> = sources().into_iter().filter(|s| s.module != "memory").collect();
    none("unsafe code is in memory alone", &places(&outside, &words));
    assert!(!places(&sources(), &words).is_empty());
}

#[test]
fn files_are_opened_at_the_doors() {
    let words = ["std::fs", "File::", "std::io::stdin", "std::net", "std::process"];
    let inside: Vec<_> =
        library().into_iter().filter(|s| !DOORS.contains(&s.module.as_str())).collect();
    none("the core touches no files", &places(&inside, &words));
    assert!(!places(&library(), &words).is_empty());
}

#[test]
fn the_library_is_silent_and_repeatable() {
    let library = library();
    let printed = ["println!", "print!", "eprint!", "dbg!", "io::stdout", "io::stderr", "log::"];
    none("the library prints nothing", &places(&library, &printed));
    let clocks = ["SystemTime", "Instant", "Utc::now", "Local::now", "std::env", "env::var"];
    none("no result depends on clock or environment", &places(&library, &clocks));
    none("no order of a hash", &places(&library, &["HashMap", "HashSet"]));
    none("no chance but the phantom's own", &places(&library, &["rand::", "thread_rng"]));
}

/// A set of clinical numbers without its source is an opinion.
#[test]
fn each_set_of_numbers_has_a_source() {
    let criteria = library().into_iter().find(|s| s.path == "criteria.rs").unwrap();
    let (mut sets, mut without) = (0, Vec::new());
    for (at, _) in criteria.code.match_indices("pub const ") {
        let item = &criteria.code[at..];
        let head = item.lines().next().unwrap();
        // Not a set: a scalar, which is no clinical number here, or a list of sets.
        if !head.ends_with('{') {
            continue;
        }
        sets += 1;
        let body = item.split("\n};").next().unwrap();
        let source = body.split("\n    source: ").nth(1).map(str::trim_start);
        if !source.is_some_and(|text| text.starts_with('"') && text.len() > 10) {
            without.push(head.to_owned());
        }
    }
    none("sets of numbers without `source`", &without);
    assert!(sets >= 13, "only {sets} sets were found");
}
