//! Spark lines: how one number of one lesion went over the scans, in the height of a line.

use maud::{Markup, html};

/// Width and height of the drawing, in its own units.
const SIZE: (f64, f64) = (104.0, 28.0);
/// Room for the dots.
const MARGIN: f64 = 4.0;

/// A line through the known values from 0 to the highest of them, broken where one is not known. `words` says the same.
pub(super) fn line(values: &[Option<f64>], words: &str) -> Markup {
    let points = points(values);
    html! {
        svg.spark viewBox=(format!("0 0 {} {}", SIZE.0, SIZE.1)) role="img" aria-label=(words) {
            @for run in points.split(Option::is_none).filter(|run| run.len() > 1) {
                polyline points=(coordinates(run)) fill="none" stroke="currentColor" stroke-width="1.5" {}
            }
            @for (x, y) in points.iter().flatten() {
                circle cx=(format!("{x:.1}")) cy=(format!("{y:.1}")) r="2.5" fill="currentColor" {}
            }
        }
    }
}

/// Where the values stand in the drawing.
fn points(values: &[Option<f64>]) -> Vec<Option<(f64, f64)>> {
    let highest = values.iter().flatten().copied().fold(0.0, f64::max);
    let step = (SIZE.0 - 2.0 * MARGIN) / (values.len().max(2) - 1) as f64;
    let place = |(n, value): (usize, &Option<f64>)| {
        let share = value.map(|value| if highest > 0.0 { value / highest } else { 0.0 });
        share.map(|share| {
            (MARGIN + step * n as f64, MARGIN + (1.0 - share) * (SIZE.1 - 2.0 * MARGIN))
        })
    };
    values.iter().enumerate().map(place).collect()
}

fn coordinates(run: &[Option<(f64, f64)>]) -> String {
    let pair = |(x, y): &(f64, f64)| format!("{x:.1},{y:.1}");
    run.iter().flatten().map(pair).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_broken_where_nothing_is_known() {
        let drawn =
            line(&[Some(4.0), Some(2.0), None, Some(0.0)], "4, 2, not known, 0").into_string();
        assert_eq!(drawn.matches("<polyline").count(), 1, "{drawn}");
        assert_eq!(drawn.matches("<circle").count(), 3, "{drawn}");
        // The highest at the top, half of it in the middle, zero at the foot.
        assert!(drawn.contains("points=\"4.0,4.0 36.0,14.0\""), "{drawn}");
        assert!(drawn.contains("cx=\"100.0\" cy=\"24.0\""), "{drawn}");
        assert!(drawn.contains("aria-label=\"4, 2, not known, 0\""), "{drawn}");
    }

    #[test]
    fn nothing_but_zero_lies_at_the_foot() {
        let drawn = line(&[Some(0.0)], "0").into_string();
        assert!(drawn.contains("cx=\"4.0\" cy=\"24.0\""), "{drawn}");
    }
}
