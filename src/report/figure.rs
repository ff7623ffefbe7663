//! What `petct figure` answers: the file, its size, and what it shows.

use glam::DVec3;
use schemars::JsonSchema;
use serde::Serialize;

use super::Content;
use super::pictures::{PrintedFigure, Target};
use super::text::Page;
use crate::diagnostic::Warning;

/// A figure that was written.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct FigureDocument {
    /// The file.
    pub file: String,
    /// Width and height, pixels.
    pub size_px: [usize; 2],
    /// Width and height, millimetres.
    pub size_mm: [f64; 2],
    /// Pixels an inch.
    pub dpi: f64,
    /// SUV that is shown darkest.
    pub suv_max: f32,
    /// Position, in `scans`, of the scan whose place the sections show; `null` where there is none.
    pub target_scan: Option<usize>,
    /// Number of the lesion that the sections show; `null` for a place.
    pub target_lesion: Option<usize>,
    /// One a scan, in the order of time.
    pub scans: Vec<FigureScan>,
    /// What was noticed.
    pub warnings: Vec<Warning>,
}

/// A scan in a figure.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct FigureScan {
    /// Letters of its projection and its section.
    pub panels: [String; 2],
    /// Where its section cuts, LPS millimetres; `null` where the place could not be carried into the scan.
    pub place_mm: Option<[f64; 3]>,
    /// The words below its pictures.
    pub captions: Vec<String>,
}

impl FigureDocument {
    /// The document of a figure in a file.
    pub fn new(
        file: String,
        figure: &PrintedFigure,
        target: Option<Target>,
        suv_max: f32,
        warnings: Vec<Warning>,
    ) -> Self {
        let count = figure.places_mm.len();
        let letter = |n: usize| ('a'..='z').nth(n).unwrap_or('?').to_string();
        let scan = |(n, (place, captions)): (usize, (&Option<DVec3>, &Vec<String>))| FigureScan {
            panels: [letter(n), letter(count + n)],
            place_mm: place.map(|place| place.to_array()),
            captions: captions.clone(),
        };
        Self {
            file,
            size_px: figure.sheet.size(),
            size_mm: figure.sheet.size_mm(),
            dpi: figure.sheet.dpi(),
            suv_max,
            target_scan: target.map(|target| target.scan),
            target_lesion: target.and_then(|target| target.lesion),
            scans: figure.places_mm.iter().zip(&figure.captions).enumerate().map(scan).collect(),
            warnings,
        }
    }
}

impl Content for FigureDocument {
    const NAME: &'static str = "petct-figure";
    const VERSION: u32 = 1;

    fn text(&self, _verbose: bool) -> String {
        let mut page = Page::default();
        let [width, height] = self.size_px;
        let [width_mm, height_mm] = self.size_mm;
        page.line(&format!(
            "{}: {width_mm:.0} x {height_mm:.0} mm, {width} x {height} pixels at {:.0} dpi, SUV 0 to {}",
            self.file, self.dpi, self.suv_max
        ));
        for scan in &self.scans {
            let place = match scan.place_mm {
                Some([x, y, z]) => format!("at {x:.0}, {y:.0}, {z:.0} mm"),
                None => "place not carried over".into(),
            };
            let [projection, section] = &scan.panels;
            page.line(&format!("{projection}, {section}: {}; {place}", scan.captions.join("; ")));
        }
        page.warnings(&self.warnings);
        page.finish()
    }

    fn warnings(&self) -> &[Warning] {
        &self.warnings
    }
}
