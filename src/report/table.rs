//! Tables for spreadsheets: CSV with commas, a heading in the first row, units in the headings.
//!
//! A field that is not known is empty. Numbers have a point and as many digits as the JSON document. A text that a spreadsheet
//! would run as a formula stands behind an apostrophe: names of regions come from files of others
//! (OWASP, CSV injection).

use super::measure::MeasureDocument;
use super::score::{LesionDocument, ScoreDocument};
use super::trajectories::TrajectoryDocument;

/// Headings of a table of lesions.
pub const LESION_COLUMNS: [&str; 22] = [
    "scan",
    "lesion",
    "followed_as",
    "class",
    "site",
    "decided_by",
    "deauville",
    "suv_kind",
    "suv_max",
    "suv_mean",
    "suv_peak",
    "volume_ml",
    "tlg_g",
    "below_threshold",
    "threshold",
    "centroid_x_mm",
    "centroid_y_mm",
    "centroid_z_mm",
    "hottest_x_mm",
    "hottest_y_mm",
    "hottest_z_mm",
    "voxels",
];

/// Headings of a table of measured regions.
pub const REGION_COLUMNS: [&str; 14] = [
    "region",
    "number",
    "suv_kind",
    "voxels",
    "volume_ml",
    "suv_min",
    "suv_max",
    "suv_mean",
    "suv_sd",
    "suv_median",
    "suv_p90",
    "suv_peak_global",
    "suv_peak_local",
    "tlg_g",
];

/// A row for each region of each scan; `followed` says which trajectory each belongs to.
pub(super) fn lesions(scans: &[&ScoreDocument], followed: &[TrajectoryDocument]) -> String {
    let rows = scans.iter().enumerate().flat_map(|(n, scan)| {
        scan.lesions.iter().map(move |lesion| lesion_row(n, scan, lesion, followed))
    });
    written(&LESION_COLUMNS, rows)
}

fn lesion_row(
    n: usize,
    scan: &ScoreDocument,
    lesion: &LesionDocument,
    followed: &[TrajectoryDocument],
) -> Vec<String> {
    let same = |t: &&TrajectoryDocument| t.visits[n].lesion_ids.contains(&lesion.id);
    let [centroid, hottest] =
        [lesion.centroid_mm, lesion.hottest_mm].map(|place| place.map(|mm| mm.to_string()));
    let mut row = vec![
        n.to_string(),
        lesion.id.to_string(),
        followed.iter().find(same).map_or_else(String::new, |t| t.id.to_string()),
        lesion.class.to_owned(),
        lesion.site.to_owned(),
        lesion.decided_by.to_owned(),
        lesion.deauville.score().map_or_else(String::new, |score| score.to_string()),
        scan.suv.kind.to_owned(),
        lesion.suv_max.to_string(),
        lesion.suv_mean.to_string(),
        lesion.suv_peak.to_string(),
        lesion.volume_ml.to_string(),
        lesion.tlg_g.to_string(),
        lesion.below_threshold.to_string(),
        scan.threshold.clone(),
    ];
    row.extend(centroid);
    row.extend(hottest);
    row.push(lesion.voxels.to_string());
    row
}

/// A row for each measured region.
pub(super) fn regions(document: &MeasureDocument) -> String {
    let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    let rows = document.regions.iter().map(|region| {
        vec![
            region.name.clone(),
            region.number.map_or_else(String::new, |number| number.to_string()),
            document.suv.kind.to_owned(),
            region.voxels.to_string(),
            region.volume_ml.to_string(),
            number(region.suv_min),
            number(region.suv_max),
            number(region.suv_mean),
            number(region.suv_sd),
            number(region.suv_median),
            number(region.suv_p90),
            number(region.suv_peak_global),
            number(region.suv_peak_local),
            number(region.tlg_g),
        ]
    });
    written(&REGION_COLUMNS, rows)
}

fn written(headings: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let headings = headings.iter().map(ToString::to_string).collect();
    for row in std::iter::once(headings).chain(rows) {
        // Into memory, rows of one length: nothing is left that could fail.
        let _ = writer.write_record(row.into_iter().map(harmless));
    }
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}

/// A field that is no formula; a number may begin with a sign.
fn harmless(field: String) -> String {
    let formula = field.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if formula && field.parse::<f64>().is_err() { format!("'{field}") } else { field }
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn formulas_are_texts_and_numbers_stay_numbers() {
        for formula in
            ["=1+1", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "-", "=HYPERLINK(\"http://x\")"]
        {
            assert_eq!(harmless(formula.into()), format!("'{formula}"));
        }
        for text in ["-12.5", "+3", "-1e-7", "", "liver140%", "a=b", "4.0"] {
            assert_eq!(harmless(text.into()), text);
        }
    }
}
