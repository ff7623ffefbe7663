//! The best line through the slices of a volume of scores: dynamic programming, one place a slice.

use crate::volume::Volume;

/// Cost of a step of one voxel sideways between neighbouring slices.
const SIDE_STEP: f32 = 0.05;

/// The line from the first to the last slice with the highest sum of scores, moving at most one row and one column a slice;
/// as `[row, column]` of each slice.
pub(super) fn best_line(scores: &Volume<f32>) -> Vec<[usize; 2]> {
    let [slices, rows, columns] = scores.geometry().shape();
    let area = rows * columns;
    let values = scores.values();
    let mut total = values[..area].to_vec();
    let mut from: Vec<Vec<usize>> = Vec::with_capacity(slices);
    for slice in 1..slices {
        let origin: Vec<usize> = (0..area).map(|o| best_before(&total, o, rows, columns)).collect();
        let here = &values[slice * area..(slice + 1) * area];
        total = (0..area)
            .map(|o| total[origin[o]] - step_cost(origin[o], o, columns) + here[o])
            .collect();
        from.push(origin);
    }
    // The first of equal ends, so that the line never depends on anything but the scores.
    let mut at = (1..area).fold(0, |best, o| if total[o] > total[best] { o } else { best });
    let mut line = vec![at];
    for origin in from.iter().rev() {
        at = origin[at];
        line.push(at);
    }
    line.iter().rev().map(|o| [o / columns, o % columns]).collect()
}

fn best_before(total: &[f32], offset: usize, rows: usize, columns: usize) -> usize {
    let (r, c) = (offset / columns, offset % columns);
    let mut best = offset;
    for row in r.saturating_sub(1)..(r + 2).min(rows) {
        for column in c.saturating_sub(1)..(c + 2).min(columns) {
            let there = row * columns + column;
            let gain = |o: usize| total[o] - step_cost(o, offset, columns);
            if gain(there) > gain(best) {
                best = there;
            }
        }
    }
    best
}

fn step_cost(from: usize, to: usize, columns: usize) -> f32 {
    let rows = (from / columns).abs_diff(to / columns);
    let across = (from % columns).abs_diff(to % columns);
    SIDE_STEP * (rows + across) as f32
}

#[cfg(test)]
mod tests {
    use glam::DVec3;

    use super::*;
    use crate::geometry::VolumeGeometry;

    #[test]
    fn a_slanted_tube_is_followed() {
        let steps = [DVec3::Z, DVec3::Y, DVec3::X];
        let geometry = VolumeGeometry::new([9, 7, 15], DVec3::ZERO, steps).unwrap();
        let mut scores = Volume::filled(geometry, -1.0);
        for s in 0..9 {
            scores[[s, 3, 2 + s]] = 1.0;
        }
        // A brighter voxel off the line does not pull it away.
        scores[[4, 6, 14]] = 3.0;
        let line = best_line(&scores);
        assert_eq!(line, (0..9).map(|s| [3, 2 + s]).collect::<Vec<_>>());
    }
}
