//! The volumes and regions that the viewer of a page draws.
//!
//! A PET is cut to the body and stands in the page voxel by voxel, in steps of 0.005 SUV: the two decimals that the page shows
//! are those of the scan. A CT is averaged to the finest voxels that fit, of 1 mm or more, in steps of 4 HU; a PET that would be
//! too large is reduced by the highest voxel of each block. The page says so. Regions are runs of voxels of the
//! PET. Everything lies upright in the page: slices towards the head, rows to the back, columns to the left.

mod averaged;
mod packed;
mod reduced;
mod regions;
mod upright;

use glam::{DAffine3, DVec3};
use rayon::prelude::*;
use serde::Serialize;

use crate::alignment::Verdict;
use crate::anatomy::{COARSE_MM, coarse_body};
use crate::assessment::{PairAssessment, ScanAssessment, ScanInput};
use crate::segmentation::Region;
use reduced::{Head, Packed, PetLattice};
use regions::RegionHead;
use upright::Extent;

/// What is kept around the body, millimetres.
const MARGIN_MM: f64 = 12.0;

/// A scan to be looked at.
#[derive(Debug, Clone, Copy)]
pub struct ViewedScan<'a> {
    /// Its name: `baseline`, `follow-up 1 (+57 days)`.
    pub name: &'a str,
    /// The volumes.
    pub input: ScanInput<'a>,
    /// Its regions.
    pub assessment: &'a ScanAssessment,
}

/// The scans as the page holds them.
#[derive(Debug, Clone)]
pub struct ViewerData {
    scans: Vec<Scan>,
}

#[derive(Debug, Clone)]
struct Scan {
    name: String,
    pet: Packed,
    lattice: PetLattice,
    ct: Option<Packed>,
    regions: Vec<RegionHead>,
    runs: String,
    link: Link,
}

/// How a place of the first scan is found in another.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Link {
    /// Rows of the matrix that carries a place of the first scan, three numbers and a shift each; `None` where the scans are
    /// not linked.
    matrix: Option<[[f64; 4]; 3]>,
    /// Why not, or with which doubt.
    note: Option<String>,
}

#[derive(Serialize)]
struct ScanHead<'a> {
    name: &'a str,
    pet: &'a Head,
    ct: Option<&'a Head>,
    regions: &'a [RegionHead],
    link: &'a Link,
}

impl ViewerData {
    /// Packs the scans of a series in the order of time; `pairs` says how they lie on each other.
    pub fn new(scans: &[ViewedScan<'_>], pairs: &[PairAssessment]) -> Self {
        let links = links(scans.len(), pairs);
        let scans: Vec<_> = scans.iter().zip(links).collect();
        // What takes time is to compress, which a thread does for a scan.
        Self { scans: scans.into_par_iter().map(|(scan, link)| Scan::new(scan, link)).collect() }
    }

    /// Puts other regions in the place of those of a scan; the volumes stay.
    pub fn set_regions(&mut self, scan: usize, assessment: &ScanAssessment) {
        let Some(scan) = self.scans.get_mut(scan) else { return };
        (scan.regions, scan.runs) = regions::of(&scan.lattice, assessment);
    }

    /// What is in the volumes, as JSON that may stand inside an element of HTML.
    pub fn head(&self) -> String {
        let head = |scan: &'_ Scan| {
            serde_json::to_string(&ScanHead {
                name: &scan.name,
                pet: &scan.pet.head,
                ct: scan.ct.as_ref().map(|ct| &ct.head),
                regions: &scan.regions,
                link: &scan.link,
            })
        };
        // Numbers and texts of this program: they always are JSON.
        let heads: Vec<String> = self.scans.iter().filter_map(|scan| head(scan).ok()).collect();
        format!("[{}]", heads.join(",")).replace('<', "\\u003c")
    }

    /// The packed voxels, by the name under which the page looks for them: `pet-0`, `ct-0`, `runs-0`, `pet-1`.
    pub fn texts(&self) -> impl Iterator<Item = (String, &str)> {
        self.scans.iter().enumerate().flat_map(|(n, scan)| {
            let ct = scan.ct.as_ref().map(|ct| (format!("ct-{n}"), ct.text.as_str()));
            let pet = (format!("pet-{n}"), scan.pet.text.as_str());
            std::iter::once(pet).chain(ct).chain([(format!("runs-{n}"), scan.runs.as_str())])
        })
    }

    /// The packed regions of each scan, as in [`ViewerData::texts`].
    pub fn runs(&self) -> impl Iterator<Item = &str> {
        self.scans.iter().map(|scan| scan.runs.as_str())
    }

    /// What was done to volumes that do not stand in the page as they are in the scan: a sentence each.
    pub fn notes(&self) -> Vec<String> {
        let of = |scan: &Scan| {
            let note = |what: &str, head: &Head| {
                head.note.as_ref().map(|note| format!("{what} of {}: {note}", scan.name))
            };
            let ct = scan.ct.as_ref().and_then(|ct| note("CT", &ct.head));
            let link = scan.link.note.as_ref().map(|note| format!("{}: {note}", scan.name));
            [note("PET", &scan.pet.head), ct, link]
        };
        self.scans.iter().flat_map(of).flatten().collect()
    }
}

impl Scan {
    fn new(scan: &ViewedScan<'_>, link: Link) -> Self {
        let within = extent(scan);
        let (pet, lattice) = reduced::pet(&scan.input.image.volume, within);
        let ct = scan.input.ct.map(|ct| reduced::ct(ct, within, &pet));
        let (regions, runs) = regions::of(&lattice, scan.assessment);
        Self { name: scan.name.to_owned(), pet, lattice, ct, regions, runs, link }
    }
}

/// The box around the body as the PET shows it, and around all regions; the whole scan where there is no body.
fn extent(scan: &ViewedScan<'_>) -> Extent {
    let pet = &scan.input.image.volume;
    let (low, high) = pet.geometry().bounds_mm();
    let whole = Extent { low, high };
    let Some((coarse, bounds)) = coarse_body(pet, scan.input.bw_per_value) else { return whole };
    let ends = [bounds.min, bounds.max];
    let corners = (0..8).map(|n| [ends[n & 1][0], ends[n >> 1 & 1][1], ends[n >> 2][2]]);
    let corners = corners.map(|corner| coarse.centre_of(corner));
    let lesions = scan.assessment.lesions.iter().map(|lesion| &lesion.region);
    let references = [&scan.assessment.liver, &scan.assessment.blood_pool];
    let regions = lesions.chain(references.iter().filter_map(|r| r.region.as_ref()));
    let places = regions
        .filter_map(Region::bounding_box)
        .flat_map(|bounds| [bounds.min, bounds.max].map(|voxel| pet.geometry().centre_of(voxel)));
    let body = Extent::around(corners).unwrap_or(whole).widened(COARSE_MM);
    let all = Extent::around(places).map_or(body, |regions| body.and(regions));
    all.widened(MARGIN_MM)
}

/// How each scan is linked with the first: by the alignment with it, else by that with the scan before.
fn links(scans: usize, pairs: &[PairAssessment]) -> Vec<Link> {
    let mut maps: Vec<Option<DAffine3>> = vec![Some(DAffine3::IDENTITY)];
    let mut links = vec![Link { matrix: Some(rows(DAffine3::IDENTITY)), note: None }];
    for later in 1..scans {
        let of = |earlier: usize| {
            pairs.iter().find(|pair| pair.baseline == earlier && pair.follow_up == later)
        };
        let mut ways = [0, later - 1].into_iter().filter_map(|earlier| {
            let alignment = &of(earlier)?.alignment;
            let usable = alignment.quality.verdict != Verdict::Failed;
            let map = usable.then(|| maps[earlier]).flatten()?;
            Some((alignment.follow_up_from_baseline * map, alignment.quality.verdict))
        });
        let way = ways.next();
        let note = match way {
            None => Some("not linked with the first scan: the alignment failed".to_owned()),
            Some((_, Verdict::Doubtful)) => {
                Some("linked with the first scan by an alignment that is doubtful".to_owned())
            }
            Some(_) => None,
        };
        maps.push(way.map(|(map, _)| map));
        links.push(Link { matrix: way.map(|(map, _)| rows(map)), note });
    }
    links.truncate(scans);
    links
}

fn rows(map: DAffine3) -> [[f64; 4]; 3] {
    let (m, t) = (map.matrix3.transpose(), map.translation);
    let row = |row: DVec3, shift: f64| [row.x, row.y, row.z, shift];
    [row(m.x_axis, t.x), row(m.y_axis, t.y), row(m.z_axis, t.z)]
}

#[cfg(test)]
mod tests;
