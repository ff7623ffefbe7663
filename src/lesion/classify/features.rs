//! What the rules look at: place, size and tissue of a region.

use glam::DVec3;

use crate::geometry::VolumeGeometry;
use crate::lesion::{Candidate, Landmarks};
use crate::organ::Organ;
use crate::resample::{nearest_at, sample_at};
use crate::segmentation::Region;
use crate::statistics::peak_global;
use crate::volume::Volume;

/// What the rules look at.
pub(super) struct Features {
    pub(super) centroid: DVec3,
    pub(super) hottest: DVec3,
    /// Size along left, back and head, millimetres.
    pub(super) size: DVec3,
    pub(super) volume_ml: f64,
    /// SUVmax and SUVpeak as SUVbw.
    pub(super) max: f64,
    pub(super) peak: f64,
    /// Volume and size of the whole that the region was divided from.
    pub(super) whole_ml: f64,
    pub(super) whole_size: DVec3,
    /// Whether the whole reaches the upper end of the scan.
    pub(super) at_top: bool,
    /// Share of the voxels that lie in bone, and in aerated lung or at its edge, where there is a CT.
    pub(super) bone: f64,
    pub(super) lung: f64,
    /// The outlined organ in which the region lies: its hottest voxel, or most of it.
    pub(super) organ: Option<Organ>,
    /// Whether the hottest place lies in fat, where there is a CT.
    pub(super) in_fat: bool,
    /// Whether it is one of the small uptakes in rows on both sides of the column.
    pub(super) in_ladder: bool,
    /// Depth of the centroid below the skin, millimetres.
    pub(super) depth: f64,
    /// Height above the liver's dome (adult millimetres) and place from the vertebral column.
    pub(super) up: f64,
    pub(super) left: f64,
    pub(super) back: f64,
}

impl Features {
    pub(super) fn of(
        pet: &Volume<f32>,
        bw_per_value: f64,
        c: &Candidate,
        marks: &Landmarks<'_>,
    ) -> Self {
        let geometry = pet.geometry();
        let region = &c.region;
        let centroid = region.centroid_mm(geometry).unwrap_or(geometry.origin_mm());
        let hottest = region
            .offsets()
            .reduce(|a, b| if pet.values()[b] > pet.values()[a] { b } else { a })
            .unwrap_or(0);
        let (_, size) = extent(geometry, region);
        let (whole_top, whole_size) = extent(geometry, &c.whole);
        let (bone, lung) = tissue_shares(geometry, region, marks);
        let organ = organ_of(region, hottest, marks);
        let (left, back) = marks.from_spine(centroid);
        Self {
            centroid,
            hottest: geometry.centre_of(pet.voxel_of(hottest)),
            size,
            volume_ml: region.volume_ml(geometry),
            max: f64::from(pet.values()[hottest]) * bw_per_value,
            peak: peak_global(pet, region).map_or(0.0, |p| p.mean) * bw_per_value,
            whole_ml: c.whole.volume_ml(geometry),
            whole_size,
            at_top: whole_top > geometry.bounds_mm().1.z - 1.5 * geometry.spacing_mm()[0],
            bone: if organ.is_some_and(Organ::is_bone) { 1.0 } else { bone },
            lung: if organ.is_some_and(Organ::is_lung) { 1.0 } else { lung },
            organ,
            in_ladder: false,
            in_fat: in_fat(geometry.centre_of(pet.voxel_of(hottest)), marks),
            depth: nearest_at(&marks.anatomy.depth_mm, centroid).map_or(0.0, f64::from),
            up: marks.above_dome(centroid),
            left,
            back,
        }
    }
}

/// Whether a region lies on the other side of the body where another's mirror image would.
pub(super) fn answers(f: &Features, other: &Features, marks: &Landmarks<'_>) -> bool {
    let reach = 32.0 * marks.scale;
    let off = (other.hottest - marks.mirrored(f.hottest)).abs();
    other.left * f.left < 0.0 && off.x < reach && off.y < reach && off.z < 1.6 * reach
}

/// As large as a spleen.
pub(super) fn is_large(f: &Features) -> bool {
    f.volume_ml > 40.0 && f.size.max_element() > 55.0
}

/// Far longer than wide, from head to foot.
pub(super) fn is_thread(f: &Features) -> bool {
    f.size.z > 1.6 * f.size.x.max(f.size.y)
}

/// Highest z of a region and its size along x, y and z, millimetres; a single voxel has the size of a voxel.
fn extent(geometry: &VolumeGeometry, region: &Region) -> (f64, DVec3) {
    let steps = geometry.steps_mm().map(DVec3::abs);
    let voxel = steps[0].max(steps[1]).max(steps[2]);
    let places = region.indices().map(|voxel| geometry.centre_of(voxel));
    let (low, high) =
        places.fold((DVec3::MAX, DVec3::MIN), |(low, high), p| (low.min(p), high.max(p)));
    if region.is_empty() { (f64::MIN, DVec3::ZERO) } else { (high.z, high - low + voxel) }
}

/// Shares of a region's voxels in bone, and in lung or within a voxel of the lattice of it.
fn tissue_shares(geometry: &VolumeGeometry, region: &Region, marks: &Landmarks<'_>) -> (f64, f64) {
    let Some(hu) = &marks.anatomy.hounsfield else { return (0.0, 0.0) };
    let bone_hu = marks.anatomy.bone_hu(BONE_HU);
    let (mut bone, mut lung, mut count) = (0.0, 0.0, 0.0);
    for voxel in region.indices() {
        let place = geometry.centre_of(voxel);
        let here = nearest_at(hu, place).unwrap_or(-1024.0);
        bone += f64::from(u8::from(here > bone_hu));
        lung += f64::from(u8::from(here < LUNG_HU && here > -980.0));
        count += 1.0;
    }
    if count == 0.0 { (0.0, 0.0) } else { (bone / count, lung / count) }
}

/// The outlined organ that holds a region's hottest voxel, else the one that holds most of it.
fn organ_of(region: &Region, hottest: usize, marks: &Landmarks<'_>) -> Option<Organ> {
    let organs = marks.organs?;
    organs.at(hottest).next().or_else(|| {
        let half = region.voxels() / 2;
        let most = |&(_, organ): &(Organ, &Region)| region.intersection(organ).voxels() > half;
        organs.iter().find(most).map(|(organ, _)| organ)
    })
}

/// Whether a place is fat in the CT.
fn in_fat(place: DVec3, marks: &Landmarks<'_>) -> bool {
    let hu = marks.anatomy.hounsfield.as_ref().and_then(|hu| sample_at(hu, place));
    hu.is_some_and(|hu| FAT_HU.contains(&hu))
}

/// Fat; brown fat is a little denser than white.
const FAT_HU: std::ops::Range<f32> = -150.0..-40.0;

/// Cancellous bone and marrow after averaging to the lattice, where no contrast was given.
const BONE_HU: f32 = 110.0;

/// Lung and the blur of a nodule in it.
const LUNG_HU: f32 = -250.0;
