//! Finding and measuring regions of raised uptake in small volumes.

use glam::DVec3;

use super::find::{SADDLE, SMOOTHING_MM, separate_maxima};
use super::*;
use crate::geometry::VolumeGeometry;
use crate::resample::gaussian_smooth;
use crate::segmentation::{components, sphere, split_by_maxima};
use crate::statistics::statistics;
use crate::volume::{Mask, Volume};

/// 40 voxels of 3 mm along each axis, background of SUV 1: a voxel is 0.027 mL.
fn background() -> Volume<f32> {
    let steps = [DVec3::Z, DVec3::Y, DVec3::X].map(|axis| axis * 3.0);
    Volume::filled(VolumeGeometry::new([40; 3], DVec3::ZERO, steps).unwrap(), 1.0)
}

/// Places a ball with a cone of uptake: the top in its middle, the edge at `edge`.
fn add(pet: &mut Volume<f32>, centre: DVec3, radius_mm: f64, top: f32, edge: f32) {
    let geometry = pet.geometry().clone();
    for offset in sphere(&geometry, centre, radius_mm).region.offsets() {
        let off = geometry.centre_of(pet.voxel_of(offset)).distance(centre) / radius_mm;
        let value = &mut pet.values_mut()[offset];
        *value = value.max(top - (top - edge) * off as f32);
    }
}

fn at(x: f64) -> DVec3 {
    DVec3::new(x, 60.0, 60.0)
}

fn liver(mean: f64, sd: f64) -> RegionStatistics {
    let pet = background();
    let region = sphere(pet.geometry(), at(60.0), 15.0).region;
    RegionStatistics { mean, sd, max: mean + 3.0 * sd, ..statistics(&pet, &region).unwrap() }
}

fn fixed(pet: &Volume<f32>) -> Found {
    find(pet, Threshold::Fixed(4.0), None, None, None).unwrap()
}

#[test]
fn levels_of_thresholds() {
    let found = Some(liver(2.0, 0.25));
    // PERCIST: 1.5 x 2 + 2 x 0.25; GHSG: 140 % of 2.
    let rows = [
        (Threshold::Fixed(2.5), 2.5, "2.5"),
        (Threshold::PercentOfMaximum(41.0), 4.0, "41%"),
        (Threshold::Liver, 3.5, "liver"),
        (Threshold::PercentOfLiver(140.0), 2.8, "liver140%"),
    ];
    for (threshold, level, name) in rows {
        assert!((threshold.level(found.as_ref()).unwrap() - level).abs() < 1e-12);
        assert_eq!(threshold.to_string(), name);
        let alone = threshold.level(None);
        if matches!(threshold, Threshold::Liver | Threshold::PercentOfLiver(_)) {
            assert_eq!(alone, Err(ThresholdError::NeedsLiver(threshold)));
            let sentence = alone.unwrap_err().to_string();
            assert!(sentence.contains(name) && sentence.contains("--liver"), "{sentence}");
            assert!(find(&background(), threshold, None, None, None).is_err());
        } else {
            assert!((alone.unwrap() - level).abs() < 1e-12);
        }
    }
}

#[test]
fn small_regions_are_counted_not_listed() {
    let mut pet = background();
    add(&mut pet, at(30.0), 9.0, 8.0, 6.0);
    let one = pet.offset_of([5, 5, 5]);
    // 0.5 mL is more than 18 voxels: 18 in a row are too few.
    pet.values_mut()[one..one + 18].fill(9.0);
    let found = fixed(&pet);
    assert_eq!((found.candidates.len(), found.level), (1, 4.0));
    assert_eq!(found.too_small, (1, 9.0));
    pet.values_mut()[one + 18] = 9.0;
    let found = fixed(&pet);
    assert_eq!((found.candidates.len(), found.too_small), (2, (0, 0.0)));
    // In memory order of their first voxel.
    assert!(found.candidates[0].region.first() < found.candidates[1].region.first());
    assert!(
        found.candidates.iter().all(|c| !c.below_threshold && !c.divided && c.whole == c.region)
    );
}

/// A voxel at the threshold belongs to the region (at or above).
#[test]
fn the_threshold_itself_belongs() {
    let mut pet = background();
    add(&mut pet, at(60.0), 9.0, 4.0, 4.0);
    let ball = sphere(pet.geometry(), at(60.0), 9.0).region;
    assert_eq!(fixed(&pet).candidates[0].region, ball);
}

#[test]
fn uptake_between_liver_and_threshold_is_listed_apart() {
    let mut pet = background();
    add(&mut pet, at(20.0), 9.0, 8.0, 5.0);
    add(&mut pet, at(60.0), 9.0, 3.5, 3.0);
    // 0.7 mL: enough above the threshold, not below it.
    add(&mut pet, at(100.0), 5.5, 3.5, 3.0);
    let search = |level| find(&pet, Threshold::Fixed(4.0), None, level, None).unwrap();
    assert_eq!(search(None).candidates.len(), 1);
    let found = search(Some(2.5)).candidates;
    let below: Vec<bool> = found.iter().map(|c| c.below_threshold).collect();
    assert_eq!(below.iter().filter(|b| **b).count(), 1, "{below:?}");
    let region = &found.iter().find(|c| c.below_threshold).unwrap().region;
    assert!(region.centroid_mm(pet.geometry()).unwrap().distance(at(60.0)) < 1.0);
    // Uptake equal to the liver's is not above it.
    assert_eq!(search(Some(3.5)).candidates.len(), 1);
    // A liver above the threshold adds nothing.
    assert_eq!(search(Some(6.0)).candidates.len(), 1);
}

#[test]
fn touching_maxima_are_divided_at_a_deep_saddle_only() {
    // Cones of 15 mm with tops at 12: at the middle between them the uptake is 12 - 8 * (distance / 2) / 15.
    for (apart, parts) in [(12.0, 1), (27.0, 2)] {
        let mut pet = background();
        add(&mut pet, at(40.0), 15.0, 12.0, 4.0);
        add(&mut pet, at(40.0 + apart), 15.0, 12.0, 4.0);
        let found = fixed(&pet).candidates;
        assert_eq!(found.len(), parts, "{apart} mm apart");
        assert!(found.iter().all(|c| c.divided == (parts == 2)));
        let whole = &found[0].whole;
        let sum: usize = found.iter().map(|c| c.region.voxels()).sum();
        assert_eq!(sum, whole.voxels(), "each voxel belongs to one part");
        assert!(found.iter().all(|c| c.whole == *whole));
    }
}

#[test]
fn a_region_is_divided_as_in_the_smoothed_volume() {
    let mut pet = background();
    for (place, radius, top) in [(40.0, 15.0, 12.0), (67.0, 15.0, 12.0), (8.0, 10.0, 20.0)] {
        add(&mut pet, at(place), radius, top, 4.0);
    }
    let smooth = gaussian_smooth(&pet, [SMOOTHING_MM; 3]);
    let wholes = components(&pet, 3.0);
    let mut divided = 0;
    for whole in &wholes {
        let parts = split_by_maxima(&smooth, whole, SADDLE);
        divided = divided.max(parts.len());
        assert_eq!(separate_maxima(&pet, whole), parts);
    }
    assert!(divided > 1 && !wholes.is_empty());
}

#[test]
fn excluded_voxels_take_no_part() {
    let mut pet = background();
    add(&mut pet, at(30.0), 9.0, 8.0, 6.0);
    add(&mut pet, at(80.0), 9.0, 8.0, 6.0);
    let mut exclude = Mask::filled(pet.geometry().clone(), false);
    sphere(pet.geometry(), at(30.0), 12.0).region.paint(&mut exclude, true);
    let found = find(&pet, Threshold::Fixed(4.0), None, Some(2.0), Some(&exclude)).unwrap();
    assert_eq!(found.candidates.len(), 1);
    let centre = found.candidates[0].region.centroid_mm(pet.geometry()).unwrap();
    assert!(centre.distance(at(80.0)) < 0.5);
}

#[test]
fn a_percentage_is_of_each_regions_own_maximum() {
    let mut pet = background();
    add(&mut pet, at(30.0), 15.0, 20.0, 4.5);
    add(&mut pet, at(80.0), 15.0, 10.0, 4.5);
    let found = find(&pet, Threshold::PercentOfMaximum(50.0), None, None, None).unwrap();
    assert_eq!(found.candidates.len(), 2);
    for candidate in &found.candidates {
        let values: Vec<f32> = candidate.region.values(&pet).collect();
        let max = values.iter().copied().fold(0.0, f32::max);
        assert!(values.iter().all(|v| *v >= 0.5 * max));
        // Every voxel of the ball at or above half of the maximum is in.
        let level = 0.5 * max;
        let expected = candidate.whole.filtered(|o| pet.values()[o] >= level);
        assert_eq!(candidate.region, expected);
        assert!(candidate.region.voxels() < candidate.whole.voxels());
    }
}

#[test]
fn a_background_lies_between_two_distances() {
    let steps = [DVec3::Z, DVec3::Y, DVec3::X];
    let g = VolumeGeometry::new([1, 1, 60], DVec3::ZERO, steps).unwrap();
    let pet = Volume::from_vec(g.clone(), (0..60_u8).map(f32::from).collect());
    let of = |offsets: std::ops::Range<usize>| Region::from_offsets(g.shape(), offsets);
    // More than 5 mm and at most 15 mm away: 5 to 14 and 27 to 36.
    let found = super::background(&pet, &of(20..22), &of(0..0)).unwrap();
    assert_eq!((found.voxels, found.mean), (20, 20.5));
    let found = super::background(&pet, &of(20..22), &of(5..15)).unwrap();
    assert_eq!((found.voxels, found.mean), (10, 31.5));
    assert_eq!(super::background(&pet, &of(20..22), &of(0..60)), None);
    assert_eq!(super::background(&pet, &of(0..0), &of(0..0)), None);
}

#[test]
fn a_lesion_is_measured() {
    let mut pet = background();
    add(&mut pet, at(60.0), 12.0, 10.0, 4.0);
    let candidate = fixed(&pet).candidates.remove(0);
    let hot = candidate.region.clone();
    let finding = Finding { class: Class::Lesion, site: Site::Lung, reason: "a test".into() };
    let lesion = measure(&pet, &candidate, finding.clone(), &hot).unwrap();
    assert_eq!((lesion.statistics.max, lesion.hottest_mm), (10.0, at(60.0)));
    assert!(lesion.centroid_mm.distance(at(60.0)) < 1e-6);
    assert!(lesion.peak.mean < 10.0 && lesion.peak.mean > lesion.statistics.mean);
    assert!(lesion.peak_of_four.mean > lesion.peak.mean);
    let product = lesion.statistics.volume_ml * lesion.statistics.mean;
    assert!((lesion.tlg_g() - product).abs() < 1e-9);
    // Around it there is nothing but background.
    assert!((lesion.background.unwrap().mean - 1.0).abs() < 1e-9);
    let none = Candidate { region: Region::empty([40; 3]), ..candidate };
    assert!(measure(&pet, &none, finding, &hot).is_none());
}

#[test]
fn without_landmarks_every_region_is_uncertain() {
    let mut pet = background();
    add(&mut pet, at(30.0), 9.0, 8.0, 6.0);
    add(&mut pet, at(80.0), 9.0, 80.0, 60.0);
    let candidates = fixed(&pet).candidates;
    let found = classify(&pet, 1.0, &candidates, None);
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|f| f.class == Class::Uncertain && !f.reason.is_empty()));
    assert_eq!(classify(&pet, 1.0, &[], None), []);
}

#[test]
fn sites_have_names_and_codes_of_their_own() {
    let sites = [Site::Brain, Site::Liver, Site::LeftKidney, Site::RightKidney, Site::Body];
    for (n, a) in sites.iter().enumerate() {
        assert!(a.snomed().bytes().all(|b| b.is_ascii_digit()));
        assert_eq!(a.to_string(), a.name());
        for b in &sites[n + 1..] {
            assert!(a.name() != b.name() && a.snomed() != b.snomed());
        }
    }
}
