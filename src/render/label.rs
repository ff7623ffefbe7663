//! Where numbers stand beside outlines: near, inside the panel, not on one another.

use super::canvas::Area;

/// How far a label is moved out before it may overlap, in steps of half its height.
const RINGS: i64 = 12;

/// A place for a label of a size beside the box of its outline, free of the places already taken.
///
/// Right, left, above and below are tried first, then further out. Where nothing is free it stands at the right.
pub(crate) fn place(target: Area, size: [i64; 2], panel: Area, taken: &[Area]) -> Area {
    let [width, height] = size;
    let (middle_x, middle_y) = (target.x + target.width / 2, target.y + target.height / 2);
    let candidates = (0..RINGS).flat_map(|ring| {
        let out = 3 + ring * height / 2;
        let slide = ring * height / 2;
        let right = target.x + target.width + out;
        let left = target.x - out - width;
        let above = target.y - out - height;
        let below = target.y + target.height + out;
        [
            (right, middle_y - height / 2),
            (left, middle_y - height / 2),
            (right, middle_y - height / 2 - slide),
            (right, middle_y - height / 2 + slide),
            (left, middle_y - height / 2 - slide),
            (left, middle_y - height / 2 + slide),
            (middle_x - width / 2, above),
            (middle_x - width / 2, below),
        ]
    });
    let areas = candidates.map(|(x, y)| Area { x, y, width, height });
    let mut inside = areas.filter(|area| panel.holds(area));
    let first = inside.next();
    first
        .into_iter()
        .chain(inside)
        .find(|area| !taken.iter().any(|t| t.overlaps(area)))
        .or(first)
        .unwrap_or(Area { x: middle_x, y: middle_y, width, height })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_neighbours_do_not_overlap() {
        let panel = Area { x: 0, y: 0, width: 200, height: 200 };
        let mut taken = Vec::new();
        for n in 0..6 {
            let target = Area { x: 100 + n, y: 100 + n, width: 5, height: 5 };
            let area = place(target, [20, 16], panel, &taken);
            assert!(panel.holds(&area));
            assert!(!taken.iter().any(|t: &Area| t.overlaps(&area)), "label {n}");
            taken.push(area);
        }
    }

    #[test]
    fn a_label_stays_in_the_panel() {
        let panel = Area { x: 0, y: 0, width: 60, height: 40 };
        let area = place(Area { x: 55, y: 30, width: 5, height: 5 }, [20, 16], panel, &[]);
        assert!(panel.holds(&area));
    }
}
