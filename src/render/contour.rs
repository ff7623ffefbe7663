//! Outlines of regions at picture resolution.
//!
//! The region's plate (0 and 1) is resampled on the frame like the image below it and its level 0.5 is followed by
//! marching squares, so the line runs where the picture shows the border of the region's voxels.
//! Source: Lorensen and Cline 1987 (in two dimensions).

use super::{frame::Frame, plate::Plate};

/// Line segments `[x0, y0, x1, y1]` in pixels of the frame; empty where the region is not in view.
pub(crate) fn outline(plate: &Plate, frame: &Frame) -> Vec<[f64; 4]> {
    let Some(plate) = plate.cropped(0.5, 3) else { return Vec::new() };
    let Some((part, [dx, dy])) = window_on(frame, &plate) else { return Vec::new() };
    let values = plate.on_frame(&part);
    let mut segments = Vec::new();
    // One row and column of cells beyond the part close outlines at the edge of the lattice.
    for y in -1..part.size[1] as i64 {
        for x in -1..part.size[0] as i64 {
            march([x, y], |x, y| value_at(&values, part.size, x, y), &mut segments);
        }
    }
    for segment in &mut segments {
        *segment = [segment[0] + dx, segment[1] + dy, segment[2] + dx, segment[3] + dy];
    }
    segments
}

/// The part of the frame that the plate covers, and its offset in pixels.
fn window_on(frame: &Frame, plate: &Plate) -> Option<(Frame, [f64; 2])> {
    let extent = plate.extent_mm();
    let (mut size, mut first_mm, mut offset) = ([0; 2], [0.0; 2], [0.0; 2]);
    for axis in 0..2 {
        let pixel = |mm: f64| (mm - frame.first_mm[axis]) / frame.pixel_mm;
        let low = pixel(extent[axis].0).floor().max(0.0);
        let high = pixel(extent[axis].1).ceil().min(frame.size[axis] as f64 - 1.0);
        if low > high {
            return None;
        }
        size[axis] = (high - low) as usize + 1;
        first_mm[axis] = frame.first_mm[axis] + low * frame.pixel_mm;
        offset[axis] = low;
    }
    Some((Frame { size, first_mm, ..*frame }, offset))
}

fn value_at(values: &[f32], [width, height]: [usize; 2], x: i64, y: i64) -> f64 {
    if x < 0 || y < 0 || x >= width as i64 || y >= height as i64 {
        return 0.0;
    }
    let value = values[y as usize * width + x as usize];
    if value.is_nan() { 0.0 } else { f64::from(value) }
}

/// Adds the segments of one cell, whose top left corner is the pixel (x, y).
fn march([x, y]: [i64; 2], value: impl Fn(i64, i64) -> f64, segments: &mut Vec<[f64; 4]>) {
    const LEVEL: f64 = 0.5;
    let corners = [value(x, y), value(x + 1, y), value(x + 1, y + 1), value(x, y + 1)];
    let case = corners.iter().enumerate().fold(0, |c, (i, v)| c | usize::from(*v > LEVEL) << i);
    if case == 0 || case == 15 {
        return;
    }
    let (left, top) = (x as f64, y as f64);
    let part = |a: usize, b: usize| (LEVEL - corners[a]) / (corners[b] - corners[a]);
    let edge = |e: usize| match e {
        0 => [left + part(0, 1), top],
        1 => [left + 1.0, top + part(1, 2)],
        2 => [left + part(3, 2), top + 1.0],
        _ => [left, top + part(0, 3)],
    };
    let pairs: &[[usize; 2]] = match case {
        1 | 14 => &[[3, 0]],
        2 | 13 => &[[0, 1]],
        3 | 12 => &[[3, 1]],
        4 | 11 => &[[1, 2]],
        6 | 9 => &[[0, 2]],
        7 | 8 => &[[3, 2]],
        5 => &[[3, 0], [1, 2]],
        _ => &[[0, 1], [3, 2]],
    };
    for [a, b] in pairs {
        let ([x0, y0], [x1, y1]) = (edge(*a), edge(*b));
        segments.push([x0, y0, x1, y1]);
    }
}

#[cfg(test)]
mod tests {
    use glam::DVec3;

    use super::*;
    use crate::{
        geometry::VolumeGeometry,
        render::{
            Region, View,
            plate::{region_section, region_shadow},
        },
        volume::{Mask, Volume},
    };

    const CENTRE: DVec3 = DVec3::new(3.0, -5.0, 7.0);

    fn ball([slice, row, column]: [f64; 3], radius: f64) -> Mask {
        let steps = [slice * DVec3::Z, row * DVec3::Y, column * DVec3::X];
        let shape = [slice, row, column].map(|s| (100.0 / s) as usize);
        let geometry = VolumeGeometry::new(shape, DVec3::splat(-50.0), steps).unwrap();
        let mut mask = Volume::filled(geometry, false);
        for offset in 0..mask.geometry().len() {
            let place = mask.geometry().centre_of(mask.voxel_of(offset));
            mask.values_mut()[offset] = (place - CENTRE).length() <= radius;
        }
        mask
    }

    /// Borders between voxels inside and outside, as segments in pixels of the frame.
    fn borders(plate: &Plate, frame: &Frame) -> Vec<[f64; 4]> {
        let [width, height] = plate.size();
        let value = |u: usize, v: usize| plate.values()[v * width + u] > 0.5;
        let pixel = |axis: usize, i: f64| {
            let mm = plate.first_mm()[axis] + i * plate.step_mm()[axis];
            (mm - frame.first_mm[axis]) / frame.pixel_mm
        };
        let mut found = Vec::new();
        for (u, v) in (0..height).flat_map(|v| (0..width).map(move |u| (u, v))) {
            let (left, right) = (pixel(0, u as f64 - 0.5), pixel(0, u as f64 + 0.5));
            let (top, bottom) = (pixel(1, v as f64 - 0.5), pixel(1, v as f64 + 0.5));
            if u + 1 < width && value(u, v) != value(u + 1, v) {
                found.push([right, top, right, bottom]);
            }
            if v + 1 < height && value(u, v) != value(u, v + 1) {
                found.push([left, bottom, right, bottom]);
            }
        }
        found
    }

    fn distance([x, y]: [f64; 2], segments: &[[f64; 4]]) -> f64 {
        segments
            .iter()
            .map(|[x0, y0, x1, y1]| {
                let (dx, dy) = (x1 - x0, y1 - y0);
                let t = ((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy).max(1e-12);
                let t = t.clamp(0.0, 1.0);
                (x - x0 - t * dx).hypot(y - y0 - t * dy)
            })
            .fold(f64::MAX, f64::min)
    }

    /// Every point of the outline lies within a pixel of the border of the region's voxels, and every border has the
    /// outline within a pixel of its middle.
    #[track_caller]
    fn check(plate: &Plate) {
        let frame = Frame::covering(plate.view(), [(-60.0, 60.0), (-60.0, 60.0)], 1.0);
        let (outline, borders) = (outline(plate, &frame), borders(plate, &frame));
        assert!(!borders.is_empty() && !outline.is_empty());
        let middle = |[x0, y0, x1, y1]: [f64; 4]| [0.5 * (x0 + x1), 0.5 * (y0 + y1)];
        for segment in &outline {
            let off = distance(middle(*segment), &borders);
            assert!(off <= 1.0, "the outline is {off} pixels off at {segment:?}");
        }
        for border in &borders {
            let off = distance(middle(*border), &outline);
            assert!(off <= 1.0, "no outline within {off} pixels of {border:?}");
        }
    }

    #[test]
    fn outlines_lie_on_the_border_of_the_voxels() {
        for spacing in [[2.0, 4.07, 4.07], [5.0, 2.0, 2.0], [4.0, 4.0, 4.0]] {
            for radius in [4.5, 12.0, 27.0] {
                let mask = ball(spacing, radius);
                for view in [View::Axial, View::Coronal, View::Sagittal] {
                    check(&region_shadow(Region::Mask(&mask), view));
                    check(&region_section(Region::Mask(&mask), view, CENTRE).unwrap());
                }
            }
        }
    }

    #[test]
    fn a_region_at_the_edge_of_the_lattice_has_a_closed_outline() {
        let steps = [4.0 * DVec3::Z, 4.0 * DVec3::Y, 4.0 * DVec3::X];
        let geometry = VolumeGeometry::new([4, 4, 4], DVec3::ZERO, steps).unwrap();
        let mask = Volume::filled(geometry, true);
        let plate = region_shadow(Region::Mask(&mask), View::Axial);
        let frame = Frame::covering(View::Axial, [(-20.0, 40.0), (-20.0, 40.0)], 1.0);
        let lines = outline(&plate, &frame);
        for corner in [[18.0, 26.0], [33.0, 26.0], [26.0, 18.0], [26.0, 33.0]] {
            assert!(distance(corner, &lines) <= 1.0, "{corner:?}");
        }
    }

    #[test]
    fn an_empty_or_hidden_region_has_no_outline() {
        let mask = ball([4.0; 3], 0.0);
        let plate = region_shadow(Region::Mask(&mask), View::Coronal);
        let frame = Frame::covering(View::Coronal, [(-50.0, 50.0), (-50.0, 50.0)], 1.0);
        assert!(outline(&plate, &frame).is_empty());
        let plate = region_shadow(Region::Mask(&ball([4.0; 3], 10.0)), View::Coronal);
        let elsewhere = Frame::covering(View::Coronal, [(500.0, 600.0), (0.0, 50.0)], 1.0);
        assert!(outline(&plate, &elsewhere).is_empty());
    }
}
