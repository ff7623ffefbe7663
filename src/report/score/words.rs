//! The text of a scored scan: its score with what it hangs on, references, regions, where the SUV come from.

use super::{LesionDocument, ReferenceDocument, ScoreDocument};
use crate::assessment::{ScoreShare, ScoreShares};
use crate::deauville::Scored;
use crate::lesion::Class;
use crate::report::text::{self, Align, Page};

impl ScoreDocument {
    /// Adds the lines of the scan to a page, warnings left out.
    pub(in crate::report) fn write(&self, page: &mut Page, verbose: bool) {
        page.values(&self.score_lines());
        page.gap();
        self.write_references(page);
        page.gap();
        self.write_lesions(page, verbose);
        page.gap();
        if let Some(decisions) = &self.decisions {
            decisions.write(page, "");
            page.gap();
        }
        page.values(&self.source_lines());
    }

    /// The score and what it hangs on, line by line.
    pub(in crate::report) fn score_lines(&self) -> Vec<(&'static str, String)> {
        let d = &self.deauville;
        let others: Vec<String> = d
            .alternatives
            .iter()
            .map(|a| format!("{} {}", a.convention, short(&a.score)))
            .collect();
        let rule = format!(
            "{}: {} of the lesion, {} of the liver",
            d.convention, d.lesion_statistic, d.liver_statistic
        );
        let margin = d.margin_percent.map(|m| format!("{m:.1} % from the nearest border"));
        let borderline = if d.borderline { "yes: " } else { "no" };
        let reasons: Vec<&str> = d.borderline_reasons.iter().map(|r| r.words()).collect();
        let qpet = self.qpet.map(|q| format!("{:.2} (score {})", q.value, q.score));
        let totals = &self.totals;
        vec![
            ("score", self.headline()),
            ("", d.score_reason.clone().unwrap_or_default()),
            ("convention", rule),
            ("decided by", text::number(d.deciding_uptake, 2)),
            ("margin", margin.unwrap_or_default()),
            ("borderline", format!("{borderline}{}", reasons.join("; "))),
            ("placements", d.over_placements.as_ref().map(placements).unwrap_or_default()),
            ("others", others.join(", ")),
            (
                "if uncertain",
                format!(
                    "{} if all uncertain regions were lesions",
                    short(&d.if_uncertain_are_lesions)
                ),
            ),
            ("qPET", qpet.unwrap_or_else(|| "-".into())),
            (
                "burden",
                format!(
                    "{}, {} uncertain; TMTV {:.1} mL, TLG {:.1} g, Dmax {} mm, SDmax {} /m (threshold {})",
                    text::counted(totals.lesions, "lesion"),
                    totals.uncertain,
                    totals.tmtv_ml,
                    totals.tlg_g,
                    text::number(totals.dmax_mm, 0),
                    text::number(totals.sdmax_per_m, 3),
                    self.threshold
                ),
            ),
        ]
    }

    fn write_references(&self, page: &mut Page) {
        let row = |name: &str, r: &ReferenceDocument| {
            let number = |v| text::number(v, 2);
            vec![
                name.to_owned(),
                r.status.to_owned(),
                number(r.suv_mean),
                number(r.suv_sd),
                number(r.suv_max),
                text::number(r.volume_ml, 1),
                r.method.unwrap_or("-").to_owned(),
                place(r.centre_mm),
            ]
        };
        let headings = [
            ("reference", Align::Left),
            ("status", Align::Left),
            ("SUVmean", Align::Right),
            ("SD", Align::Right),
            ("SUVmax", Align::Right),
            ("mL", Align::Right),
            ("method", Align::Left),
            ("x, y, z (mm)", Align::Left),
        ];
        let (liver, pool) = (&self.references.liver, &self.references.blood_pool);
        page.table(&headings, &[row("liver", liver), row("blood pool", pool)]);
        for (name, reference) in [("liver", liver), ("blood pool", pool)] {
            if reference.status != "ok" {
                page.line(&format!("{name}: {}", reference.reasons.join("; ")));
            }
        }
    }

    /// Lesions and uncertain regions; normal uptake where it was asked for, else in one line.
    fn write_lesions(&self, page: &mut Page, verbose: bool) {
        let shown = |l: &&LesionDocument| verbose || l.class != Class::Physiologic.name();
        let row = |l: &LesionDocument| {
            vec![
                l.id.to_string(),
                format!("{}{}", l.class, if l.decided_by == "reader" { "+" } else { "" }),
                text::shortened(l.site, 22),
                format!("{:.2}", l.suv_max),
                format!("{:.2}", l.suv_peak),
                format!("{:.2}", l.suv_mean),
                format!("{:.1}{}", l.volume_ml, if l.below_threshold { "*" } else { " " }),
                l.deauville.score().map_or_else(|| "-".into(), |s| s.to_string()),
                place(Some(l.hottest_mm)),
            ]
        };
        let headings = [
            ("no", Align::Right),
            ("class", Align::Left),
            ("site", Align::Left),
            ("SUVmax", Align::Right),
            ("SUVpeak", Align::Right),
            ("SUVmean", Align::Right),
            ("mL ", Align::Right),
            ("DS", Align::Right),
            ("hottest x, y, z (mm)", Align::Left),
        ];
        let rows: Vec<_> = self.lesions.iter().filter(shown).map(row).collect();
        if rows.is_empty() {
            page.line("no lesion and no uncertain region");
        } else {
            page.table(&headings, &rows);
        }
        if self.lesions.iter().any(|l| shown(&l) && l.below_threshold) {
            page.line("* hotter than the liver but below the threshold: scored, not counted in the burden");
        }
        if self.lesions.iter().any(|l| shown(&l) && l.decided_by == "reader") {
            page.line("+ decided by a reader");
        }
        if verbose {
            for lesion in &self.lesions {
                page.line(&format!("{}: {}", lesion.id, lesion.reason));
            }
        }
        let normal = self.lesions.iter().filter(|l| l.class == Class::Physiologic.name());
        let mut sites: Vec<&str> = normal.map(|l| l.site).collect();
        sites.dedup();
        sites.sort_unstable();
        sites.dedup();
        if !sites.is_empty() {
            page.line(&format!("normal uptake: {}", sites.join(", ")));
        }
    }

    fn source_lines(&self) -> Vec<(&'static str, String)> {
        let clock = &self.clock;
        let uptake = text::number(clock.uptake_minutes, 0);
        let (low, high) = (text::factor(self.suv.factor_min), text::factor(self.suv.factor_max));
        let factor = if low == high { low } else { format!("{low} to {high}") };
        let edited = if self.edited { "; values given by hand" } else { "" };
        vec![
            ("PET", format!("{} ({})", self.series.series_uid, self.series.description)),
            ("CT", self.ct_series_uid.clone().unwrap_or_else(|| "none".into())),
            (
                "SUV",
                format!(
                    "{} ({}), factor {factor}, clock {}, uptake {uptake} min{edited}",
                    self.suv.kind, self.suv.unit, clock.rule
                ),
            ),
            ("files", self.files.join(", ")),
        ]
    }
}

/// `4 in 92 %, 5 in 8 % of 441 places and sizes of the references (liver 2.10 to 2.31, blood pool 1.40 to 1.52)`
fn placements(shares: &ScoreShares) -> String {
    let score = |s: &ScoreShare| {
        let score = s.score.map_or_else(|| "no score".into(), |score| score.to_string());
        format!("{score} in {:.0} %", 100.0 * s.share)
    };
    let range = |name: &str, range: Option<[f64; 2]>| {
        range.map(|[low, high]| format!("{name} {low:.2} to {high:.2}"))
    };
    let ranges = [range("liver", shares.liver_range), range("blood pool", shares.blood_pool_range)];
    let scores: Vec<String> = shares.scores.iter().map(score).collect();
    let ranges: Vec<String> = ranges.into_iter().flatten().collect();
    format!(
        "{} of {} places and sizes of the references ({})",
        scores.join(", "),
        shares.placements,
        ranges.join(", ")
    )
}

/// A score without the reason why there is none.
fn short(score: &Scored) -> String {
    score.score().map_or_else(|| "not computable".into(), |s| s.to_string())
}

/// `-60, 12, -300`
fn place(place: Option<[f64; 3]>) -> String {
    place.map_or_else(|| "-".into(), |[x, y, z]| format!("{x:.0}, {y:.0}, {z:.0}"))
}
