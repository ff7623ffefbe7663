//! The document of `petct measure`.

use schemars::JsonSchema;
use serde::Serialize;

use super::suv::{ClockDocument, SeriesHead};
use super::table;
use super::text::{self, Align, Page};
use super::{Content, PatientDocument, finite};
use crate::diagnostic::Warning;
use crate::dicom::{Patient, Series};
use crate::mask_file::NamedRegion;
use crate::segmentation::Region;
use crate::statistics::{Peak, peak_global, peak_local, percentile, statistics};
use crate::suv::{SuvImage, SuvKind, SuvPlan};

/// SUV inside the regions of a mask.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct MeasureDocument {
    /// Who was examined; only where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patient: Option<PatientDocument>,
    /// The series.
    pub series: SeriesHead,
    /// The kind of SUV and its factor.
    pub suv: SuvKindDocument,
    /// The clock to which the dose was decayed.
    pub clock: ClockDocument,
    /// Whether a value was given by hand.
    pub edited: bool,
    /// The regions, in the order of the file.
    pub regions: Vec<RegionEntry>,
    /// What was noticed.
    pub warnings: Vec<Warning>,
}

/// The kind of SUV and its factor.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SuvKindDocument {
    /// Kind of SUV: bw, lbm, lbm-james, bsa, ibw.
    pub kind: &'static str,
    /// Unit of the values.
    pub unit: &'static str,
    /// Smallest factor of all slices: SUV per rescaled unit of the file.
    pub factor_min: f64,
    /// Largest factor of all slices.
    pub factor_max: f64,
}

impl From<&SuvPlan> for SuvKindDocument {
    fn from(plan: &SuvPlan) -> Self {
        Self {
            kind: plan.kind.as_str(),
            unit: plan.kind.unit(),
            factor_min: plan.factor_min(),
            factor_max: plan.factor_max(),
        }
    }
}

/// One region. Numbers are of the voxels whose centres lie inside; standard deviation and variance divide by their count.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct RegionEntry {
    /// `ROIName`, `SegmentLabel`, or the label of a NIfTI file.
    pub name: String,
    /// `ROINumber`, `SegmentNumber`, or the label of a NIfTI file.
    pub number: Option<u32>,
    /// Number of voxels.
    pub voxels: usize,
    /// Voxels times the volume of one.
    pub volume_ml: f64,
    /// Smallest value.
    pub suv_min: Option<f64>,
    /// Largest value.
    pub suv_max: Option<f64>,
    /// Mean.
    pub suv_mean: Option<f64>,
    /// Standard deviation.
    pub suv_sd: Option<f64>,
    /// Variance.
    pub suv_variance: Option<f64>,
    /// Median.
    pub suv_median: Option<f64>,
    /// 90th percentile, linear between ranks.
    pub suv_p90: Option<f64>,
    /// Highest mean of a sphere of 1 ml on any voxel of the region (IBSI 0F91).
    pub suv_peak_global: Option<f64>,
    /// Whether that sphere reaches over the edge of the image.
    pub suv_peak_global_truncated: Option<bool>,
    /// Mean of the sphere of 1 ml on the hottest voxel (IBSI VJGA).
    pub suv_peak_local: Option<f64>,
    /// Whether that sphere reaches over the edge of the image.
    pub suv_peak_local_truncated: Option<bool>,
    /// Why numbers of SUV are `null`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suv_reason: Option<String>,
    /// Total lesion glycolysis: volume times mean, grams.
    pub tlg_g: Option<f64>,
    /// Why it is `null`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tlg_g_reason: Option<String>,
    /// Whether the region was drawn on another grid and sampled by nearest neighbour.
    pub resampled: bool,
}

impl RegionEntry {
    /// Measures a region that lies on the lattice of the image.
    pub fn measure(image: &SuvImage, named: &NamedRegion) -> Self {
        let volume = &image.volume;
        let region = Region::from_mask(&named.mask);
        let numbers = statistics(volume, &region);
        let of = |pick: fn(&crate::statistics::RegionStatistics) -> f64| {
            numbers.as_ref().map(pick).and_then(finite)
        };
        let mean = |peak: Option<Peak>| peak.and_then(|peak| finite(peak.mean));
        let truncated = |peak: Option<Peak>| peak.map(|peak| peak.truncated);
        let (global, local) = (peak_global(volume, &region), peak_local(volume, &region));
        let suv_mean = of(|numbers| numbers.mean);
        let suv_reason = match (region.is_empty(), suv_mean) {
            (true, _) => Some("no voxel centre of the scan lies inside the region"),
            (false, None) => Some("the region holds values that are no numbers"),
            (false, Some(_)) => None,
        };
        let grams = image.kind != SuvKind::BodySurfaceArea;
        let tlg_g = of(crate::statistics::RegionStatistics::integral).filter(|_| grams);
        let tlg_g_reason = if grams { suv_reason } else { Some("SUVbsa is in cm2/ml, not g/ml") };
        Self {
            name: named.name.clone(),
            number: named.number,
            voxels: region.voxels(),
            volume_ml: region.volume_ml(volume.geometry()),
            suv_min: of(|numbers| numbers.min),
            suv_max: of(|numbers| numbers.max),
            suv_mean,
            suv_sd: of(|numbers| numbers.sd),
            suv_variance: of(crate::statistics::RegionStatistics::variance),
            suv_median: of(|numbers| numbers.median),
            // With a NaN in the region a rank means nothing.
            suv_p90: suv_mean.and_then(|_| percentile(volume, &region, 90.0)).and_then(finite),
            suv_peak_global: mean(global),
            suv_peak_global_truncated: truncated(global),
            suv_peak_local: mean(local),
            suv_peak_local_truncated: truncated(local),
            suv_reason: suv_reason.map(str::to_owned),
            tlg_g,
            tlg_g_reason: tlg_g_reason.map(str::to_owned),
            resampled: named.resampled,
        }
    }
}

impl MeasureDocument {
    /// The document of regions measured in the SUV image of a series.
    pub fn new(
        series: &Series,
        plan: &SuvPlan,
        regions: Vec<RegionEntry>,
        warnings: Vec<Warning>,
    ) -> Self {
        Self {
            patient: None,
            series: series.into(),
            suv: plan.into(),
            clock: ClockDocument::new(&plan.clock, &warnings),
            edited: plan.edited,
            regions,
            warnings,
        }
    }

    /// Names the patient.
    #[must_use]
    pub fn with_patient(self, patient: Option<&Patient>) -> Self {
        Self { patient: patient.map(Into::into), ..self }
    }
}

impl Content for MeasureDocument {
    const NAME: &'static str = "petct-measure";
    const VERSION: u32 = 1;

    fn text(&self, verbose: bool) -> String {
        let mut page = Page::default();
        page.patient(self.patient.as_ref());
        let edited = if self.edited { ", values given by hand" } else { "" };
        page.values(&[
            ("series", self.series.series_uid.clone()),
            ("SUV", format!("{} ({}){edited}", self.suv.kind, self.suv.unit)),
            ("factor", text::factor(self.suv.factor_max)),
            ("clock", self.clock.rule.as_str().to_owned()),
            ("uptake (min)", text::number(self.clock.uptake_minutes, 1)),
        ]);
        page.gap();
        self.tables(&mut page, verbose);
        page.gap();
        for region in &self.regions {
            let truncated = [region.suv_peak_global_truncated, region.suv_peak_local_truncated];
            if truncated.contains(&Some(true)) {
                page.line(&format!(
                    "{}: the sphere of SUVpeak reaches over the edge of the image",
                    region.name
                ));
            }
            if let Some(reason) = region.suv_reason.as_ref().or(region.tlg_g_reason.as_ref()) {
                page.line(&format!("{}: {reason}", region.name));
            }
        }
        page.warnings(&self.warnings);
        page.finish()
    }

    fn csv(&self) -> Option<String> {
        Some(table::regions(self))
    }

    fn warnings(&self) -> &[Warning] {
        &self.warnings
    }
}

impl MeasureDocument {
    fn tables(&self, page: &mut Page, verbose: bool) {
        let right = |name: &'static str| (name, Align::Right);
        let name = |region: &RegionEntry| text::shortened(&region.name, 24);
        let row = |region: &RegionEntry| {
            let values = [
                region.suv_max,
                region.suv_peak_global,
                region.suv_mean,
                region.suv_sd,
                region.suv_median,
                region.suv_min,
            ];
            let head =
                [name(region), region.voxels.to_string(), format!("{:.2}", region.volume_ml)];
            let values = values.map(|value| text::number(value, 3));
            head.into_iter().chain(values).chain([text::number(region.tlg_g, 1)]).collect()
        };
        let headings = [
            ("region", Align::Left),
            right("voxels"),
            right("ml"),
            right("SUVmax"),
            right("SUVpeak"),
            right("mean"),
            right("SD"),
            right("median"),
            right("min"),
            right("TLG (g)"),
        ];
        page.table(&headings, &self.regions.iter().map(row).collect::<Vec<_>>());
        if verbose {
            page.gap();
            let row = |region: &RegionEntry| {
                let values = [region.suv_peak_local, region.suv_variance, region.suv_p90];
                let values = values.map(|value| text::number(value, 3));
                [name(region)].into_iter().chain(values).collect()
            };
            let headings = [
                ("region", Align::Left),
                right("local SUVpeak"),
                right("variance"),
                right("90th percentile"),
            ];
            page.table(&headings, &self.regions.iter().map(row).collect::<Vec<_>>());
        }
    }
}

#[cfg(test)]
mod tests {
    use glam::DVec3;

    use super::*;
    use crate::geometry::VolumeGeometry;
    use crate::volume::Volume;

    /// The region `inside` of a row of four voxels of 1 ml with the values 1, 2, 3 and NaN.
    fn entry(inside: [bool; 4], kind: SuvKind) -> RegionEntry {
        let steps = [DVec3::Z, DVec3::Y, DVec3::X].map(|axis| axis * 10.0);
        let geometry = VolumeGeometry::new([1, 1, 4], DVec3::ZERO, steps).unwrap();
        let image = SuvImage {
            kind,
            volume: Volume::from_vec(geometry.clone(), vec![1.0, 2.0, 3.0, f32::NAN]),
        };
        let named = NamedRegion {
            name: "region".into(),
            number: None,
            code: None,
            mask: Volume::from_vec(geometry, inside.into()),
            resampled: false,
        };
        RegionEntry::measure(&image, &named)
    }

    #[test]
    fn numbers_of_a_region() {
        let found = entry([true, true, true, false], SuvKind::BodyWeight);
        assert_eq!((found.voxels, found.suv_reason), (3, None));
        assert_eq!(
            (found.suv_min, found.suv_median, found.suv_max),
            (Some(1.0), Some(2.0), Some(3.0))
        );
        assert!((found.suv_variance.unwrap() - 2.0 / 3.0).abs() < 1e-12);
        assert!((found.suv_p90.unwrap() - 2.8).abs() < 1e-12);
        assert!((found.tlg_g.unwrap() - 6.0).abs() < 1e-9);
        // Voxels of 10 mm: the sphere of 1 ml holds its centre alone, and reaches over no edge.
        assert_eq!(
            (found.suv_peak_local, found.suv_peak_global_truncated),
            (Some(3.0), Some(false))
        );
    }

    #[test]
    fn what_is_not_known_is_absent_with_a_reason() {
        let empty = entry([false; 4], SuvKind::BodyWeight);
        let spoilt = entry([true; 4], SuvKind::BodyWeight);
        for (found, reason) in [(empty, "no voxel centre"), (spoilt, "values that are no numbers")]
        {
            let numbers =
                [found.suv_min, found.suv_max, found.suv_mean, found.suv_sd, found.suv_p90];
            assert_eq!((numbers, found.tlg_g), ([None; 5], None));
            assert!(found.suv_reason.unwrap().contains(reason));
            assert!(found.tlg_g_reason.unwrap().contains(reason));
        }
        let surface = entry([true, true, false, false], SuvKind::BodySurfaceArea);
        assert_eq!((surface.suv_mean, surface.tlg_g), (Some(1.5), None));
        assert!(surface.tlg_g_reason.unwrap().contains("cm2/ml"));
    }
}
