//! Colour of text on a terminal: the score, the call, warnings. Colour says nothing that the words do not say.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

const GOOD: Style = AnsiColor::Green.on_default().bold();
const FAIR: Style = AnsiColor::Yellow.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const UNKNOWN: Style = AnsiColor::Magenta.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default();

/// Text of a result with its score, calls and warnings in colour.
pub(crate) fn painted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        match emphasis(line) {
            Some((from, to, style)) => {
                let (before, rest) = line.split_at(from);
                let (words, after) = rest.split_at(to - from);
                // Writing into a string does not fail.
                let _ = write!(out, "{before}{style}{words}{style:#}{after}");
            }
            None => out.push_str(line),
        }
    }
    out
}

/// The part of a line that matters, and how it is shown.
fn emphasis(line: &str) -> Option<(usize, usize, Style)> {
    if line.starts_with("warning: ") {
        return Some((0, "warning:".len(), WARNING));
    }
    if let Some(rest) = line.strip_prefix("score ") {
        let from = line.len() - rest.trim_start().len();
        return Some((from, line.trim_end().len(), of_score(rest.trim())));
    }
    // "scan 1 against scan 0: PMD (...)", "T1 against T0: PMD (...)"
    let (pair, call) = line.split_once(": ").filter(|(pair, _)| pair.contains(" against "))?;
    let category = call.split_whitespace().next()?;
    let style = match category {
        "CMR" => GOOD,
        "PMR" | "NMR" => FAIR,
        "PMD" => BAD,
        "NE" => UNKNOWN,
        _ => return None,
    };
    let from = pair.len() + ": ".len();
    Some((from, from + category.len(), style))
}

/// `Deauville 4 (IV)`, or that there is none.
fn of_score(words: &str) -> Style {
    match words.strip_prefix("Deauville ").and_then(|rest| rest.chars().next()) {
        Some('1'..='3') => GOOD,
        Some('4') => FAIR,
        Some('5') => BAD,
        _ => UNKNOWN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_score_the_call_and_warnings_are_painted() {
        let text = "score       Deauville 5 (V)\nscan 1 against scan 0: CMR (complete)\nT1 against T0: NE\n\
                    convention  lugano-max-3x: SUVmax\nwarning: a word: b (CODE)\n";
        let painted = painted(text);
        let shown =
            |style: Style, words: &str| painted.contains(&format!("{style}{words}{style:#}"));
        assert!(shown(BAD, "Deauville 5 (V)") && shown(GOOD, "CMR") && shown(UNKNOWN, "NE"));
        assert!(shown(WARNING, "warning:"));
        assert_eq!(painted.matches("\u{1b}[0m").count(), 4);
        assert_eq!(anstream::adapter::strip_str(&painted).to_string(), text);
    }
}
