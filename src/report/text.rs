//! Text for people: tables, named values, and paragraphs of at most 100 columns.

use std::fmt::Write;

use super::PatientDocument;
use crate::diagnostic::Warning;

/// No line is longer unless one word is.
const COLUMNS: usize = 100;

/// `1 lesion`, `2 lesions`.
pub(super) fn counted(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// How a column is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

/// A text under construction.
#[derive(Debug, Default)]
pub(super) struct Page {
    text: String,
}

impl Page {
    /// A line that stands for itself; longer ones are continued under themselves.
    pub(super) fn line(&mut self, line: &str) {
        let indent = line.len() - line.trim_start().len();
        self.hang(&line[..indent], line, indent);
    }

    /// An empty line between parts.
    pub(super) fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// Names with their values, aligned; entries without a value are left out.
    pub(super) fn values(&mut self, entries: &[(&str, String)]) {
        let entries = || entries.iter().filter(|(_, value)| !value.is_empty());
        let width = entries().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        for (name, value) in entries() {
            self.hang(&format!("{name:<width$}  "), value, width + 2);
        }
    }

    /// A table; a heading names the unit of its column. Where it is too wide, its widest columns of words are broken.
    pub(super) fn table(&mut self, headings: &[(&str, Align)], rows: &[Vec<String>]) {
        let width = |column: usize| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            let cells = cells.map(|cell| cell.chars().count());
            cells.chain([headings[column].0.chars().count()]).max().unwrap_or(0)
        };
        let mut widths: Vec<usize> = (0..headings.len()).map(width).collect();
        fit(&mut widths, headings);
        let mut row = |cells: &mut dyn Iterator<Item = &str>| {
            let broken: Vec<Vec<String>> =
                cells.zip(&widths).map(|(cell, width)| pieces(&printable(cell), *width)).collect();
            let height = broken.iter().map(Vec::len).max().unwrap_or(0);
            for n in 0..height {
                let mut line = String::new();
                for ((cell, (_, align)), width) in broken.iter().zip(headings).zip(&widths) {
                    let cell = cell.get(n).map_or("", String::as_str);
                    let gap = if line.is_empty() { "" } else { "  " };
                    // Writing into a string does not fail.
                    let _ = match align {
                        Align::Left => write!(line, "{gap}{cell:<width$}"),
                        Align::Right => write!(line, "{gap}{cell:>width$}"),
                    };
                }
                self.text.push_str(line.trim_end());
                self.text.push('\n');
            }
        };
        row(&mut headings.iter().map(|(heading, _)| *heading));
        for cells in rows {
            row(&mut cells.iter().map(String::as_str));
        }
    }

    /// Who was examined, where that was asked for.
    pub(super) fn patient(&mut self, patient: Option<&PatientDocument>) {
        if let Some(patient) = patient {
            let birth_date = patient.birth_date.as_deref().unwrap_or("unknown");
            self.line(&format!("patient {} ({}), born {birth_date}", patient.name, patient.id));
        }
    }

    /// The warnings, at the end.
    pub(super) fn warnings(&mut self, warnings: &[Warning]) {
        self.gap();
        for warning in warnings {
            self.hang("warning: ", &format!("{} ({})", warning.message, warning.code), 9);
        }
        while self.text.ends_with("\n\n") {
            self.text.pop();
        }
    }

    /// The text, ended by the sentence on research use.
    pub(super) fn finish(mut self) -> String {
        self.gap();
        let _ = writeln!(self.text, "petct {}: {}", env!("CARGO_PKG_VERSION"), super::RESEARCH_USE);
        self.text
    }

    /// Words behind a lead, further lines indented.
    fn hang(&mut self, lead: &str, words: &str, indent: usize) {
        let mut line = printable(lead);
        let mut empty = true;
        for word in words.split_whitespace() {
            let length = line.chars().count() + word.chars().count() + usize::from(!empty);
            if !empty && length > COLUMNS {
                self.text.push_str(line.trim_end());
                self.text.push('\n');
                line = " ".repeat(indent);
                empty = true;
            }
            if !empty {
                line.push(' ');
            }
            line.push_str(&printable(word));
            empty = false;
        }
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }
}

/// No column is made narrower.
const NARROWEST: usize = 12;

/// Narrows the widest columns of words until a table fits.
fn fit(widths: &mut [usize], headings: &[(&str, Align)]) {
    loop {
        let total: usize = widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1);
        let wide =
            |column: &usize| headings[*column].1 == Align::Left && widths[*column] > NARROWEST;
        let widest = (0..widths.len()).filter(wide).max_by_key(|column| widths[*column]);
        let (Some(column), true) = (widest, total > COLUMNS) else { return };
        // Down to the next one, so that the widest share what is to be saved.
        let others = (0..widths.len()).filter(|other| *other != column).filter(wide);
        let next = others.map(|other| widths[other]).max().unwrap_or(NARROWEST);
        let enough = widths[column].saturating_sub(total - COLUMNS);
        widths[column] = enough.max(next.min(widths[column] - 1)).max(NARROWEST);
    }
}

/// A cell in pieces of at most a width, broken behind spaces and marks where that can be.
fn pieces(cell: &str, width: usize) -> Vec<String> {
    let mut rest: Vec<char> = cell.chars().collect();
    let mut found = Vec::new();
    while rest.len() > width.max(1) {
        let fits = &rest[..width.max(1)];
        let mark = fits.iter().rposition(|c| matches!(c, ' ' | '\\' | ',' | ';' | '/'));
        let end = mark.filter(|at| *at > 0).map_or(fits.len(), |at| at + 1);
        let piece: String = rest.drain(..end).collect();
        found.push(piece.trim_end().to_owned());
    }
    found.push(rest.into_iter().collect());
    found
}

/// A number with as many decimals as its size deserves; a dash where it is not known.
pub(super) fn number(value: Option<f64>, decimals: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.decimals$}"))
}

/// A text of a header without what would move the cursor or change the colour of a terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// A name cut to a number of columns.
pub(super) fn shortened(name: &str, columns: usize) -> String {
    if name.chars().count() <= columns {
        return name.to_owned();
    }
    name.chars().take(columns - 3).chain("...".chars()).collect()
}

/// A factor, to seven digits.
pub(super) fn factor(value: f64) -> String {
    format!("{value:.6e}")
}

/// `267 x 128 x 128`
pub(super) fn shape(shape: Option<[usize; 3]>) -> String {
    shape.map_or_else(|| "-".to_owned(), |[s, r, c]| format!("{s} x {r} x {c}"))
}

/// `3.27 x 4.69 x 4.69`
pub(super) fn spacing(spacing: Option<[f64; 3]>) -> String {
    spacing.map_or_else(|| "-".to_owned(), |[s, r, c]| format!("{s:.2} x {r:.2} x {c:.2}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_wrapped_and_columns_aligned() {
        let mut page = Page::default();
        page.values(&[("a", "word ".repeat(40)), ("longer", "x".into()), ("none", String::new())]);
        page.table(
            &[("name", Align::Left), ("SUV", Align::Right)],
            &[vec!["r".into(), "1.00".into()]],
        );
        let text = page.finish();
        assert!(text.lines().all(|line| line.chars().count() <= COLUMNS), "{text}");
        assert!(text.starts_with("a       word word"), "{text}");
        assert!(text.contains("\n        word"), "{text}");
        assert!(text.contains("\nname   SUV\nr     1.00\n"), "{text}");
        assert!(!text.contains("none"));
    }

    #[test]
    fn tables_that_are_too_wide_are_broken_not_cut() {
        let mut page = Page::default();
        let long = "NORM\\DTIM\\ATTN\\SCAT\\DECY\\RAN\\DCAL".repeat(3);
        page.table(
            &[("attribute", Align::Left), ("value", Align::Left), ("used", Align::Right)],
            &[vec!["CorrectedImage (0028,0051) ".repeat(2), long.clone(), "1.00".into()]],
        );
        let text = page.finish();
        assert!(text.lines().all(|line| line.chars().count() <= COLUMNS), "{text}");
        let shown: String = text.split_whitespace().collect();
        assert!(shown.matches("ATTN").count() == 3 && shown.contains("1.00"), "{text}");
    }

    #[test]
    fn headers_cannot_steer_the_terminal() {
        let mut page = Page::default();
        page.line("a\u{1b}[31m \u{7}b");
        page.table(&[("x", Align::Left)], &[vec!["c\nd".into()]]);
        assert!(page.finish().starts_with("a?[31m ?b\nx\nc?d\n"));
    }

    #[test]
    fn warnings_stand_at_the_end() {
        let mut page = Page::default();
        page.line("result");
        page.warnings(&[Warning::new("CODE", "sentence")]);
        assert!(page.finish().starts_with("result\n\nwarning: sentence (CODE)\n\npetct "));
    }
}
