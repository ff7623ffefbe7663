//! The text that proposes: it explains itself, and says of each region what a person needs to know it again.

use std::fmt::Write;

use super::{
    Add, Binding, Decisions, FORMAT, Merge, ReferenceEntry, RegionEntry, Said, Split, sha256,
};
use crate::lesion::{Lesion, Site};
use crate::reference::{Reference, Status};

/// No line of the explanations is longer.
const COLUMNS: usize = 100;

/// The last line of a text begins with this, and ends with the hash of all lines before it.
const SEAL: &str = "# As proposed, while the lines above have this SHA-256: ";

const TOP: &str = "\
# Decisions about the regions of one scan. Edit this text and give it back, with the flags of [settings]:
#
#   petct score SCAN --decisions THIS-FILE
#
# EACH REGION has an entry below. To decide, change the word behind class:
#
#   class = \"lesion\"        disease: scored, counted in the volumes
#   class = \"uncertain\"     either: the score is given with and without it
#   class = \"physiologic\"   normal uptake: listed, not scored
#   class = \"removed\"       no uptake at all (spilt tracer, an artefact): neither listed nor scored
#
# An entry that is left as it is leaves the region as it was proposed. No entry may be missing. Lines that may be
# changed or added in an entry, and in every part below:
#
#   site = \"spleen\"         where it lies; the names are at the end of these lines
#   reader = \"A. B.\"        who decides; named on an entry that is not changed, it confirms the class
#   note = \"biopsied\"       why; it stands in the result
#
# Besides, anywhere below the line [settings] and what belongs to it (positions: LPS, mm, as in the results):
#
#   [[split]]               divides a region among points, each at a maximum of its own, along the valleys between
#   region = 3
#   points_mm = [[10.0, 20.0, -300.0], [25.0, 20.0, -310.0]]
#   classes = [\"lesion\", \"physiologic\"]          may be left out: as the region
#   sites = [\"spleen\", \"left kidney\"]            may be left out: as the region
#
#   [[merge]]               makes one region of several
#   regions = [2, 5]
#   class = \"lesion\"        needed where theirs differ; site may be given, too
#
#   [[add]]                 adds what is connected with a point and over a threshold
#   point_mm = [10.0, 20.0, -300.0]
#   threshold = \"41%\"       may be left out: that of the scan. \"4.0\", \"41%\" of its own maximum, \"liver\", \"liver140%\"
#   within_mm = 20.0        may be left out: nothing farther from the point belongs to it
#   class = \"lesion\"        may be left out: lesion; site may be given, too
#
#   [references.liver]      is there already, as is [references.blood_pool]; one of
#   accept = true           the proposed region is seen and right
#   accept = false          it is wrong: without another the scan has no score by it
#   sphere_mm = [-70.0, 10.0, -320.0, 15.0]      another one: centre and radius
#
# THE ORDER is always: references, entries, splits, merges, additions. Regions are split and merged as they were
# proposed, once each. Regions keep their numbers; new ones are numbered after them. A reference that is set here is
# measured and scored by, and regions stay as proposed; with the flag --liver they are found anew.
#
# THE HASHES bind these decisions to this scan, these settings and these regions. Where one differs the file is
# refused, and nothing of it is used.
#
";

/// The text that proposes what was found.
pub fn write(
    binding: &Binding,
    proposals: &[Lesion],
    liver: &Reference,
    blood_pool: &Reference,
) -> String {
    sealed(lines(binding, proposals, [liver, blood_pool], None))
}

/// The text of decisions about what was found: [`write()`] with what is decided in its place. Where nothing is decided it is
/// the text that proposes. `liver` and `blood_pool` are those proposed.
pub fn write_decided(
    binding: &Binding,
    proposals: &[Lesion],
    liver: &Reference,
    blood_pool: &Reference,
    decided: &Decisions,
) -> String {
    if decided.decide_nothing(proposals) {
        return write(binding, proposals, liver, blood_pool);
    }
    lines(binding, proposals, [liver, blood_pool], Some(decided))
}

fn lines(
    binding: &Binding,
    proposals: &[Lesion],
    [liver, blood_pool]: [&Reference; 2],
    decided: Option<&Decisions>,
) -> String {
    let mut text = TOP.to_owned();
    let sites: Vec<&str> = Site::ALL.iter().map(|site| site.name()).collect();
    comment(&mut text, "Sites: ", &sites.join(", "));
    head(&mut text, binding, decided.map(|decided| &decided.said));
    let entry = |of: fn(&Decisions) -> Option<&ReferenceEntry>| decided.and_then(of);
    reference(&mut text, "liver", liver, entry(|d| d.liver.as_ref().map(|at| &at.entry)));
    reference(
        &mut text,
        "blood_pool",
        blood_pool,
        entry(|d| d.blood_pool.as_ref().map(|at| &at.entry)),
    );
    for proposal in proposals {
        let entries = decided.iter().flat_map(|decided| &decided.regions);
        let entry = entries.map(|at| &at.entry).find(|entry| entry.id == proposal.id);
        region(&mut text, proposal, entry);
    }
    if let Some(decided) = decided {
        decided.splits.iter().for_each(|at| split(&mut text, &at.entry));
        decided.merges.iter().for_each(|at| merge(&mut text, &at.entry));
        decided.adds.iter().for_each(|at| add(&mut text, &at.entry));
    }
    text
}

/// A text with its seal.
pub(super) fn sealed(text: String) -> String {
    let seal = sha256(&text);
    text + SEAL + &seal + "\n"
}

/// Whether a text is as [`write()`] made it: it holds no decision and may be replaced.
pub fn is_untouched(text: &str) -> bool {
    text.rsplit_once(SEAL).is_some_and(|(lines, seal)| seal == sha256(lines) + "\n")
}

// Writing into a string does not fail.

fn head(text: &mut String, binding: &Binding, decided: Option<&Said>) {
    let version = env!("CARGO_PKG_VERSION");
    let _ = writeln!(text, "\nformat = {FORMAT}\npetct_version = {}", quoted(version));
    for (name, hash) in [
        ("scan_sha256", &binding.scan_sha256),
        ("settings_sha256", &binding.settings_sha256),
        ("regions_sha256", &binding.regions_sha256),
    ] {
        let _ = writeln!(text, "{name} = {}", quoted(hash));
    }
    match decided.filter(|decided| **decided != Said::default()) {
        Some(decided) => said(text, decided),
        None => text.push_str("# reader = \"A. B.\"\n# note = \"first reading\"\n"),
    }
    text.push_str("\n[settings]\n");
    for (name, value) in &binding.settings {
        let _ = writeln!(text, "{name} = {}", quoted(value));
    }
}

fn reference(
    text: &mut String,
    key: &str,
    reference: &Reference,
    decided: Option<&ReferenceEntry>,
) {
    let _ = writeln!(text, "\n[references.{key}]");
    let mut words = match reference.status {
        Status::Ok => "proposed".to_owned(),
        Status::NotFound => "not found".to_owned(),
        Status::Refused => "refused".to_owned(),
    };
    if let (Some(centre), Some(found)) = (reference.centre_mm, &reference.statistics) {
        let _ = write!(
            words,
            " at [{:.1}, {:.1}, {:.1}]: SUVmean {:.2}, SUVmax {:.2}, {:.1} mL",
            centre.x, centre.y, centre.z, found.mean, found.max, found.volume_ml
        );
    }
    if !reference.reasons.is_empty() {
        let _ = write!(words, "; {}", reference.reasons.join("; "));
    }
    comment(text, "", &words);
    let Some(decided) = decided else { return };
    if let Some(accept) = decided.accept {
        let _ = writeln!(text, "accept = {accept}");
    }
    if let Some(sphere) = decided.sphere_mm {
        let _ = writeln!(text, "sphere_mm = {sphere:?}");
    }
    said(text, &decided.said);
}

/// Who and why.
fn said(text: &mut String, said: &Said) {
    for (name, words) in [("reader", &said.reader), ("note", &said.note)] {
        if let Some(words) = words {
            let _ = writeln!(text, "{name} = {}", quoted(words));
        }
    }
}

fn split(text: &mut String, split: &Split) {
    let _ =
        writeln!(text, "\n[[split]]\nregion = {}\npoints_mm = {:?}", split.region, split.points_mm);
    let classes: Vec<String> = split.classes.iter().map(|class| quoted(class.name())).collect();
    let sites: Vec<String> = split.sites.iter().map(|site| quoted(site.name())).collect();
    for (name, words) in [("classes", classes), ("sites", sites)] {
        if !words.is_empty() {
            let _ = writeln!(text, "{name} = [{}]", words.join(", "));
        }
    }
    said(text, &split.said);
}

fn merge(text: &mut String, merge: &Merge) {
    let _ = writeln!(text, "\n[[merge]]\nregions = {:?}", merge.regions);
    if let Some(class) = merge.choice {
        let _ = writeln!(text, "class = {}", quoted(class.name()));
    }
    if let Some(site) = merge.site {
        let _ = writeln!(text, "site = {}", quoted(site.name()));
    }
    said(text, &merge.said);
}

fn add(text: &mut String, add: &Add) {
    let _ = writeln!(text, "\n[[add]]\npoint_mm = {:?}", add.point_mm);
    if let Some(threshold) = add.threshold {
        let _ = writeln!(text, "threshold = {}", quoted(&threshold.to_string()));
    }
    if let Some(within) = add.within_mm {
        let _ = writeln!(text, "within_mm = {within:?}");
    }
    let (class, site) = (quoted(add.class.name()), quoted(add.site.name()));
    let _ = writeln!(text, "class = {class}\nsite = {site}");
    said(text, &add.said);
}

fn region(text: &mut String, proposal: &Lesion, decided: Option<&RegionEntry>) {
    let [x, y, z] = proposal.hottest_mm.to_array();
    let class = decided.map_or(proposal.finding.class.name(), |decided| decided.choice.name());
    let site = decided.map_or(proposal.finding.site, |decided| decided.site);
    let _ = writeln!(
        text,
        "\n[[region]]\nid = {}\nclass = {}\nsite = {}\nhottest_mm = [{x:.1}, {y:.1}, {z:.1}]\nsuv_max = {:.2}\n\
         volume_ml = {:.2}",
        proposal.id,
        quoted(class),
        quoted(site.name()),
        proposal.statistics.max,
        proposal.statistics.volume_ml,
    );
    if let Some(decided) = decided {
        if decided.choice.class() != Some(proposal.finding.class) {
            comment(text, "proposed: ", proposal.finding.class.name());
        }
        said(text, &decided.said);
    }
    comment(text, "why: ", &proposal.finding.reason);
    if proposal.below_threshold {
        comment(text, "", "below the threshold: scored, not counted in volumes");
    }
}

/// Words behind a hash, in as many lines as they need.
fn comment(text: &mut String, lead: &str, words: &str) {
    let mut line = format!("# {lead}");
    let mut empty = true;
    for word in words.split_whitespace() {
        if !empty && line.chars().count() + 1 + word.chars().count() > COLUMNS {
            text.push_str(&line);
            text.push('\n');
            line = format!("#{}", " ".repeat(lead.chars().count() + 1));
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(&word.replace(char::is_control, "?"));
        empty = false;
    }
    text.push_str(&line);
    text.push('\n');
}

/// A text of TOML.
fn quoted(value: &str) -> String {
    let plain = value.replace(char::is_control, "?");
    format!("\"{}\"", plain.replace('\\', "\\\\").replace('"', "\\\""))
}
