//! Which regions of two scans a person says are the same, as a text that people edit.
//!
//! `petct compare -o` proposes: [`write_links`] makes a text with an entry for each group of linked regions of each pair of scans.
//! A person edits it, [`read_links`] takes it back, and each pair is linked exactly so. Like decisions about regions it is
//! bound by hashes: to the scans in their order, and to the regions that take part.

use std::fmt::Write;

use serde::Deserialize;
use toml::Spanned;

use super::read::{Lines, head_of, parsed, said};
use super::write::sealed;
use super::{At, DecisionError, FORMAT, Said, digest_of_regions, sha256};
use crate::lesion::Lesion;

/// What a scan is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkedScan {
    /// Hash of values and lattice of the PET in SUV, and of the CT.
    pub scan_sha256: String,
    /// Hash of the regions as they stand after decisions about the scan.
    pub regions_sha256: String,
}

impl LinkedScan {
    /// A scan with its regions.
    pub fn new(scan_sha256: String, regions: &[Lesion]) -> Self {
        Self { scan_sha256, regions_sha256: digest_of_regions(regions) }
    }
}

/// What a focus without a partner in the earlier scan is due to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DueTo {
    /// Lymphoma.
    Lymphoma,
    /// Not known: biopsy or an interval scan is recommended.
    Uncertain,
    /// Infection, inflammation or another cause.
    Unrelated,
}

/// Regions that belong together.
#[derive(Debug, Clone, PartialEq)]
pub struct LinkEntry {
    /// Positions of the earlier and the later scan.
    pub scans: [usize; 2],
    /// Numbers of the regions in the earlier scan.
    pub earlier: Vec<usize>,
    /// Numbers of the regions in the later scan.
    pub later: Vec<usize>,
    /// What a new focus is due to; `None`: by its class.
    pub due_to: Option<DueTo>,
    /// Who and why.
    pub said: Said,
}

/// The links of a series, read and not yet used.
#[derive(Debug, Clone, PartialEq)]
pub struct Links {
    /// What they are bound to, in the order of time.
    pub scans: Vec<LinkedScan>,
    /// Who decided, and a word on the whole.
    pub said: Said,
    /// The groups.
    pub links: Vec<At<LinkEntry>>,
    /// SHA-256 of the text.
    pub text_sha256: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "format")]
    _format: u32,
    #[serde(rename = "petct_version")]
    _petct_version: String,
    scans_sha256: Vec<String>,
    regions_sha256: Vec<String>,
    reader: Option<String>,
    note: Option<String>,
    #[serde(default)]
    link: Vec<Spanned<Linking>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Linking {
    scans: [usize; 2],
    earlier: Vec<usize>,
    later: Vec<usize>,
    due_to: Option<DueTo>,
    reader: Option<String>,
    note: Option<String>,
}

/// Reads the links of a series from their text.
///
/// # Errors
/// The text is no TOML, has unknown keys or values, or is of a newer format.
pub fn read_links(written: &str) -> Result<Links, DecisionError> {
    let text = head_of(written)?;
    let file: File = parsed(text)?;
    let scans = file.scans_sha256.into_iter().zip(file.regions_sha256);
    Ok(Links {
        scans: scans
            .map(|(scan_sha256, regions_sha256)| LinkedScan { scan_sha256, regions_sha256 })
            .collect(),
        said: said(file.reader, file.note),
        links: Lines { text }.all(file.link, link)?,
        text_sha256: sha256(written),
    })
}

fn link(from: Linking) -> Result<LinkEntry, String> {
    if from.scans[0] >= from.scans[1] {
        return Err("scans names the earlier scan first".into());
    }
    if from.earlier.is_empty() && from.later.is_empty() {
        return Err("a link names at least one region".into());
    }
    if from.due_to.is_some() && !from.earlier.is_empty() {
        return Err("due_to is about a focus that the earlier scan does not have".into());
    }
    let Linking { scans, earlier, later, due_to, reader, note } = from;
    Ok(LinkEntry { scans, earlier, later, due_to, said: said(reader, note) })
}

/// A group of a pair by positions in the lists of regions that take part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenGroup {
    /// In the earlier scan, ascending.
    pub earlier: Vec<usize>,
    /// In the later scan, ascending.
    pub later: Vec<usize>,
    /// What a new focus is due to.
    pub due_to: Option<DueTo>,
}

impl Links {
    /// Refuses links that were made for other scans, another order or other regions.
    pub fn check(&self, now: &[LinkedScan]) -> Result<(), DecisionError> {
        let then = env!("CARGO_PKG_VERSION");
        let same = self.scans.len() == now.len();
        if !same || self.scans.iter().zip(now).any(|(a, b)| a.scan_sha256 != b.scan_sha256) {
            return Err(DecisionError::OtherScans);
        }
        if self.scans != now {
            return Err(DecisionError::OtherRegions { then: then.into(), now: then.into() });
        }
        Ok(())
    }

    /// Whether a pair of scans has any entry.
    pub fn speak_of(&self, scans: [usize; 2]) -> bool {
        self.links.iter().any(|l| l.entry.scans == scans)
    }

    /// The groups of a pair of scans; `before` and `now` are the numbers of the regions that take part.
    ///
    /// # Errors
    /// A region is named that takes no part, or not named exactly once.
    pub fn groups(
        &self,
        scans: [usize; 2],
        before: &[usize],
        now: &[usize],
    ) -> Result<Vec<GivenGroup>, DecisionError> {
        let mut seen = [vec![false; before.len()], vec![false; now.len()]];
        let mut groups = Vec::new();
        for At { line, entry } in self.links.iter().filter(|l| l.entry.scans == scans) {
            let mut places = |side: usize, all: &[usize], ids: &[usize]| {
                let mut found = Vec::new();
                for id in ids {
                    let what = |words: &str| format!("region {id} of scan {} {words}", scans[side]);
                    let Some(place) = all.iter().position(|known| known == id) else {
                        let what = what("is none that takes part");
                        return Err(DecisionError::refused(
                            *line,
                            what,
                            "name lesions and uncertain regions",
                        ));
                    };
                    if std::mem::replace(&mut seen[side][place], true) {
                        let what = what("is named twice for this pair of scans");
                        return Err(DecisionError::refused(*line, what, "name it once"));
                    }
                    found.push(place);
                }
                found.sort_unstable();
                Ok(found)
            };
            let earlier = places(0, before, &entry.earlier)?;
            let later = places(1, now, &entry.later)?;
            groups.push(GivenGroup { earlier, later, due_to: entry.due_to });
        }
        for (side, all) in [before, now].into_iter().enumerate() {
            if let Some(place) = seen[side].iter().position(|&named| !named) {
                let [earlier, later] = scans;
                let what = format!(
                    "region {} of scan {} has no entry for scans {earlier} and {later}",
                    all[place], scans[side]
                );
                let remedy = "add it to a [[link]], alone where it has no partner";
                return Err(DecisionError::refused(1, what, remedy));
            }
        }
        Ok(groups)
    }
}

/// A proposed group, as it is written.
#[derive(Debug, Clone, PartialEq)]
pub struct ProposedLink {
    /// Positions of the earlier and the later scan.
    pub scans: [usize; 2],
    /// Numbers of the regions in the earlier scan.
    pub earlier: Vec<usize>,
    /// Numbers of the regions in the later scan.
    pub later: Vec<usize>,
    /// What a reader needs to know of it: fate, sites, SUVmax.
    pub words: String,
}

const TOP: &str = "\
# Which regions of two scans are the same. Edit this text and give it back with the same scans and decisions:
#
#   petct compare BASELINE FOLLOW-UP... --links THIS-FILE
#
# Each [[link]] is a group of one pair of scans: the numbers of its regions in the earlier scan and in the later one, as in the
# results. Several before and one now have merged, one before and several now have split, none now is resolved, none before is
# new. Every lesion and every uncertain region of both scans stands in exactly one group of the pair. A group may have besides
#
#   due_to = \"lymphoma\"     of a new focus: \"lymphoma\", \"uncertain\", or \"unrelated\" (infection, inflammation, ...)
#   reader = \"A. B.\"        who decides
#   note = \"biopsied\"       why
#
# The hashes bind these links to these scans in this order and to these regions; where one differs the file is refused.
#
";

/// The text that proposes links.
pub fn write_links(scans: &[LinkedScan], proposed: &[ProposedLink]) -> String {
    let mut text = TOP.to_owned();
    let list = |of: fn(&LinkedScan) -> &str| {
        let hashes: Vec<String> = scans.iter().map(|s| format!("\n    \"{}\",", of(s))).collect();
        hashes.concat()
    };
    // Writing into a string does not fail.
    let _ = write!(
        text,
        "format = {FORMAT}\npetct_version = \"{}\"\nscans_sha256 = [{}\n]\nregions_sha256 = [{}\n]\n",
        env!("CARGO_PKG_VERSION"),
        list(|s| &s.scan_sha256),
        list(|s| &s.regions_sha256),
    );
    for link in proposed {
        let _ = write!(
            text,
            "\n# {}\n[[link]]\nscans = {:?}\nearlier = {:?}\nlater = {:?}\n",
            link.words, link.scans, link.earlier, link.later
        );
    }
    sealed(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scans(last: &str) -> Vec<LinkedScan> {
        let scan = |name: &str| LinkedScan {
            scan_sha256: format!("scan {name}"),
            regions_sha256: format!("regions {name}"),
        };
        vec![scan("a"), scan(last)]
    }

    fn proposed(earlier: &[usize], later: &[usize]) -> ProposedLink {
        let (earlier, later) = (earlier.to_vec(), later.to_vec());
        ProposedLink { scans: [0, 1], earlier, later, words: "persistent".into() }
    }

    fn text(links: &[ProposedLink]) -> String {
        write_links(&scans("b"), links)
    }

    #[test]
    fn what_is_written_is_read() {
        let written = text(&[proposed(&[1, 3], &[2]), proposed(&[], &[5])]);
        let written = written
            .replace("later = [5]\n", "later = [5]\ndue_to = \"unrelated\"\nreader = \"A\"\n");
        let links = read_links(&written).unwrap();
        links.check(&scans("b")).unwrap();
        let groups = links.groups([0, 1], &[3, 1], &[5, 2]).unwrap();
        let expected = [
            GivenGroup { earlier: vec![0, 1], later: vec![1], due_to: None },
            GivenGroup { earlier: vec![], later: vec![0], due_to: Some(DueTo::Unrelated) },
        ];
        assert_eq!(groups, expected);
        assert_eq!(links.links[1].entry.said.reader.as_deref(), Some("A"));
    }

    #[test]
    fn other_scans_and_other_regions_are_refused() {
        let links = read_links(&text(&[])).unwrap();
        assert_eq!(links.check(&scans("c")), Err(DecisionError::OtherScans));
        assert_eq!(links.check(&scans("b")[..1]), Err(DecisionError::OtherScans));
        let mut regions = scans("b");
        regions[0].regions_sha256.clear();
        assert!(matches!(links.check(&regions), Err(DecisionError::OtherRegions { .. })));
    }

    #[test]
    fn each_region_is_named_once() {
        let rows: [(&[ProposedLink], &str); 3] = [
            (&[proposed(&[1], &[7])], "is none that takes part"),
            (&[proposed(&[1], &[2]), proposed(&[1], &[])], "is named twice"),
            (&[proposed(&[1], &[])], "has no entry"),
        ];
        for (links, words) in rows {
            let links = read_links(&text(links)).unwrap();
            let error = links.groups([0, 1], &[1], &[2]).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn impossible_links_are_told_by_their_line() {
        for (from, to, words) in [
            ("scans = [0, 1]", "scans = [1, 0]", "earlier scan first"),
            ("earlier = [1]\nlater = [2]", "earlier = []\nlater = []", "at least one region"),
            ("later = [2]", "later = [2]\ndue_to = \"lymphoma\"", "does not have"),
            ("later = [2]", "later = [2]\nfate = \"new\"", "fate"),
        ] {
            let written = text(&[proposed(&[1], &[2])]).replace(from, to);
            let error = read_links(&written).unwrap_err();
            assert!(
                matches!(error, DecisionError::Unreadable { line, .. } if line > 20),
                "{error}"
            );
            assert!(error.to_string().contains(words), "{error}");
        }
    }
}
