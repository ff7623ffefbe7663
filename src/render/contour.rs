//! Outlines of regions at picture resolution.
//!
//! The region's plate (0 and 1) is resampled on the frame like the image below it and its level 0.5 is followed by
//! marching squares, so the line runs where the picture shows the border of the region's voxels.
//! Source: Lorensen and Cline 1987 (in two dimensions).

use super::plate::{Frame, Plate};

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
