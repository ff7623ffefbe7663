//! Regions of NIfTI label and probability maps.

use std::collections::BTreeMap;
use std::path::Path;

use glam::DVec3;

use super::{MaskFault, PlaceCodes, Placed, coincides, covering, nearest};
use crate::diagnostic::{Warned, Warning};
use crate::geometry::VolumeGeometry;
use crate::nifti_file::Image;
use crate::segmentation::Region;

/// Labels stored with a slope come back a little off.
const WHOLE: f64 = 1e-3;

/// No file has more labels; an image of counts does.
const MAX_LABELS: usize = 1 << 16;

/// Forms that put a corner farther apart than this part of a voxel do not mean the same place.
const FORMS_APART: f64 = 0.1;

/// The regions of a file.
pub(super) fn regions(
    path: &Path,
    onto: &VolumeGeometry,
) -> Result<Warned<Vec<Placed>>, MaskFault> {
    let image = Image::read(path).map_err(MaskFault::Nifti)?;
    let mut warnings = Vec::new();
    forms_warning(&image, &mut warnings);
    let several = image.channels() > 1;
    let mut placed = Vec::new();
    for channel in 0..image.channels() {
        let labels = Labels::of(&image, channel, &mut warnings)?;
        let found = labels.placed(onto)?;
        if several {
            placed.extend(of_channel(found, channel, onto));
        } else {
            placed.extend(found);
        }
    }
    Ok(Warned { output: placed, warnings })
}

fn forms_warning(image: &Image, warnings: &mut Vec<Warning>) {
    let apart = image.disagreement_mm();
    let voxel = image.geometry().spacing_mm().into_iter().fold(f64::INFINITY, f64::min);
    if apart > FORMS_APART * voxel {
        let message = format!(
            "sform and qform of the mask put a corner {apart:.1} mm apart; the sform is believed"
        );
        warnings.push(Warning::new("MASK_FORMS_DISAGREE", message));
    }
}

/// The regions of one volume of several: numbered from 1 on, and by their label where the volume has more than one.
fn of_channel(found: Vec<Placed>, channel: usize, onto: &VolumeGeometry) -> Vec<Placed> {
    let number = u32::try_from(channel + 1).ok();
    if found.is_empty() {
        let (name, voxels) = ((channel + 1).to_string(), Region::empty(onto.shape()));
        return vec![Placed {
            name,
            number,
            code: None,
            resampled: false,
            place: PlaceCodes::default(),
            voxels,
            drawn: 0,
            lost: 0,
        }];
    }
    let single = found.len() == 1;
    let renamed = found.into_iter().map(|placed| {
        let own = format!("{}", channel + 1);
        let name = if single { own } else { format!("{own}/{}", placed.name) };
        Placed { name, number, ..placed }
    });
    renamed.collect()
}

/// The labels of one volume.
struct Labels<'a> {
    image: &'a Image,
    channel: usize,
    fractions: bool,
}

impl<'a> Labels<'a> {
    /// Whole numbers are labels; fractions from 0 to 1 are cut at 0.5; anything else is an image. NaN, which marks "no
    /// value" in some files, is background.
    fn of(
        image: &'a Image,
        channel: usize,
        warnings: &mut Vec<Warning>,
    ) -> Result<Self, MaskFault> {
        let (mut whole, mut largest) = (true, 0.0_f64);
        for value in image.values(channel).filter(|v| !v.is_nan()) {
            if !(-WHOLE..f64::from(u32::MAX)).contains(&value) {
                let why = format!("it holds the value {value}, which is no label");
                return Err(MaskFault::NotRegions(why));
            }
            whole &= (value - value.round()).abs() < WHOLE;
            largest = largest.max(value);
        }
        if !whole && largest > 1.0 + WHOLE {
            let why =
                format!("its values are neither labels nor fractions: the largest is {largest}");
            return Err(MaskFault::NotRegions(why));
        }
        let warning = Warning::new(
            "MASK_CUT_AT_HALF",
            "the mask holds fractions; voxels of 0.5 and more belong to the region",
        );
        if !whole && !warnings.contains(&warning) {
            warnings.push(warning);
        }
        Ok(Self { image, channel, fractions: !whole })
    }

    fn label(&self, value: f64) -> u32 {
        if self.fractions {
            // Stored as f32, 0.5 is 0.5.
            u32::from(value >= 0.5)
        } else {
            value.round() as u32 // NaN becomes 0
        }
    }

    /// Each label with its voxels on another lattice.
    fn placed(&self, onto: &VolumeGeometry) -> Result<Vec<Placed>, MaskFault> {
        let counts = self.counts(onto)?;
        let mut offsets = self.sampled(onto);
        let resampled = !coincides(self.image.geometry(), onto);
        let regions = counts.into_iter().map(|(label, Count { drawn, lost })| {
            let name = self.image.names().get(&label).cloned();
            let inside = offsets.remove(&label).unwrap_or_default();
            Placed {
                name: name.unwrap_or_else(|| label.to_string()),
                number: Some(label),
                code: None,
                resampled,
                place: PlaceCodes::default(),
                voxels: Region::from_offsets(onto.shape(), inside),
                drawn,
                lost,
            }
        });
        Ok(regions.collect())
    }

    /// How many voxels each label has, and how many of them have their centre outside the other lattice.
    fn counts(&self, onto: &VolumeGeometry) -> Result<BTreeMap<u32, Count>, MaskFault> {
        let from = self.image.geometry();
        let map = onto.index_from_patient() * from.patient_from_index();
        let [_, rows, columns] = from.shape();
        let mut counts = BTreeMap::new();
        let mut run = (0, Count::default());
        for (n, value) in self.image.values(self.channel).enumerate() {
            let label = self.label(value);
            if label != run.0 {
                add(&mut counts, run)?;
                run = (label, Count::default());
            }
            if label == 0 {
                continue;
            }
            let voxel = [n / (rows * columns), n / columns % rows, n % columns];
            let index = map.transform_point3(DVec3::from_array(voxel.map(|i| i as f64)));
            run.1.drawn += 1;
            run.1.lost += usize::from(nearest(index, onto.shape()).is_none());
        }
        add(&mut counts, run)?;
        Ok(counts)
    }

    /// The voxels of another lattice by the label at their centre.
    fn sampled(&self, onto: &VolumeGeometry) -> BTreeMap<u32, Vec<usize>> {
        let from = self.image.geometry();
        let map = from.index_from_patient() * onto.patient_from_index();
        let last = DVec3::from_array(from.shape().map(|n| n as f64 - 1.0));
        let half = DVec3::splat(0.5);
        let ranges = covering(onto, from.patient_from_index(), -half, last + half);
        let [_, here_rows, here_columns] = onto.shape();
        let [_, from_rows, from_columns] = from.shape();
        let mut offsets: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        let [slices, rows, columns] = ranges;
        for s in slices {
            for r in rows.clone() {
                for c in columns.clone() {
                    let index = map.transform_point3(DVec3::new(s as f64, r as f64, c as f64));
                    let Some([fs, fr, fc]) = nearest(index, from.shape()) else { continue };
                    let at = (fs * from_rows + fr) * from_columns + fc;
                    let label = self.label(self.image.value(self.channel, at));
                    if label > 0 {
                        let here = (s * here_rows + r) * here_columns + c;
                        offsets.entry(label).or_default().push(here);
                    }
                }
            }
        }
        offsets
    }
}

/// Voxels of a label in the file.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    drawn: usize,
    lost: usize,
}

fn add(counts: &mut BTreeMap<u32, Count>, (label, run): (u32, Count)) -> Result<(), MaskFault> {
    if label == 0 {
        return Ok(());
    }
    let count = counts.entry(label).or_default();
    count.drawn += run.drawn;
    count.lost += run.lost;
    if counts.len() > MAX_LABELS {
        let why = format!("it holds more than {MAX_LABELS} different values, like an image");
        return Err(MaskFault::NotRegions(why));
    }
    Ok(())
}
