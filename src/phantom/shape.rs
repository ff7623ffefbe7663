//! Smooth solids with an approximate signed distance, from which a body is put together.
//!
//! A solid is a function that is negative inside and grows by about one per millimetre across its surface, so that a
//! voxel's coverage follows from one evaluation at its centre. Millimetres, LPS.

use glam::{DMat3, DVec3};

use super::anatomy::Change;

/// A solid body.
#[derive(Debug, Clone)]
pub(crate) enum Shape {
    /// An ellipsoid; `squareness` 0 is round, 1 is nearly a box (the norm goes from 2 to 4).
    Ellipsoid { centre: DVec3, radii: DVec3, local_from_world: DMat3, squareness: f64 },
    /// A round tube along a polyline, each point with its radius.
    Tube(Vec<(DVec3, f64)>),
    /// A column of cross-sections.
    Loft(Loft),
    /// What is common to all.
    Common(Vec<Shape>),
    /// The first without the second.
    Without(Box<Shape>, Box<Shape>),
    /// The side of a plane on which `normal · p < offset`.
    HalfSpace { normal: DVec3, offset: f64 },
}

/// Smoothly changing cross-sections stacked along z, sampled densely.
#[derive(Debug, Clone)]
pub(crate) struct Loft {
    bottom: f64,
    samples: Vec<Section>,
    squareness: f64,
}

/// Half widths of a cross-section and the place of its middle.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Section {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) half_width: f64,
    pub(crate) front: f64,
    pub(crate) back: f64,
}

/// Distance between the samples of a loft.
const LOFT_STEP_MM: f64 = 2.0;

impl Section {
    fn combine(parts: [(f64, Self); 4]) -> Self {
        let sum = |f: fn(&Self) -> f64| parts.iter().map(|(w, s)| w * f(s)).sum::<f64>();
        Self {
            x: sum(|s| s.x),
            y: sum(|s| s.y),
            half_width: sum(|s| s.half_width),
            front: sum(|s| s.front),
            back: sum(|s| s.back),
        }
    }
}

impl Loft {
    /// A loft through `(z, section)` knots in ascending z (Catmull-Rom between them).
    pub(crate) fn through(knots: &[(f64, Section)], squareness: f64) -> Self {
        let (bottom, top) = (knots[0].0, knots[knots.len() - 1].0);
        let count = ((top - bottom) / LOFT_STEP_MM).ceil() as usize + 1;
        let samples = (0..count)
            .map(|n| interpolate(knots, (bottom + n as f64 * LOFT_STEP_MM).min(top)))
            .collect();
        Self { bottom, samples, squareness }
    }

    /// The cross-section at a height; beyond the ends that of the end.
    pub(crate) fn at(&self, z: f64) -> Section {
        let last = self.samples.len() - 1;
        let at = ((z - self.bottom) / LOFT_STEP_MM).clamp(0.0, last as f64);
        let (low, t) = ((at as usize).min(last.saturating_sub(1)), at);
        let t = t - low as f64;
        let (a, b) = (self.samples[low], self.samples[(low + 1).min(last)]);
        Section::combine([(1.0 - t, a), (t, b), (0.0, a), (0.0, a)])
    }

    /// The same column, thinner all round by a distance (thicker if negative).
    pub(crate) fn inset(&self, mm: f64) -> Self {
        let shrink = |s: &Section| Section {
            half_width: (s.half_width - mm).max(1.0),
            front: (s.front - mm).max(1.0),
            back: (s.back - mm).max(1.0),
            ..*s
        };
        Self { samples: self.samples.iter().map(shrink).collect(), ..self.clone() }
    }

    fn top(&self) -> f64 {
        self.bottom + (self.samples.len() - 1) as f64 * LOFT_STEP_MM
    }

    fn distance(&self, p: DVec3) -> f64 {
        let s = self.at(p.z);
        let (dx, dy) = (p.x - s.x, p.y - s.y);
        let depth = if dy < 0.0 { s.front } else { s.back };
        let side = norm_distance(
            DVec3::new(dx, dy, 0.0),
            DVec3::new(s.half_width, depth, 1.0),
            self.squareness,
        );
        side.max(self.bottom - p.z).max(p.z - self.top())
    }
}

fn interpolate(knots: &[(f64, Section)], z: f64) -> Section {
    let last = knots.len() - 1;
    let upper = knots.iter().position(|k| k.0 > z).unwrap_or(last).max(1);
    let lower = upper - 1;
    let t = (z - knots[lower].0) / (knots[upper].0 - knots[lower].0);
    let (t2, t3) = (t * t, t * t * t);
    let weights = [
        0.5 * (2.0 * t2 - t - t3),
        0.5 * (2.0 - 5.0 * t2 + 3.0 * t3),
        0.5 * (t + 4.0 * t2 - 3.0 * t3),
        0.5 * (t3 - t2),
    ];
    let places = [lower.saturating_sub(1), lower, upper, (upper + 1).min(last)];
    Section::combine(std::array::from_fn(|n| (weights[n], knots[places[n]].1)))
}

/// Distance to the surface `|p / radii| = 1` to first order: value over gradient.
fn norm_distance(p: DVec3, radii: DVec3, squareness: f64) -> f64 {
    let q = p / radii;
    let round = q.length();
    if round < 1e-9 {
        return -radii.min_element();
    }
    let level = if squareness > 0.0 {
        let square = (q * q).length().sqrt();
        (1.0 - squareness) * round + squareness * square
    } else {
        round
    };
    let gradient = (q / radii).length() / round;
    (level - 1.0) / gradient
}

fn tube_distance(points: &[(DVec3, f64)], p: DVec3) -> f64 {
    let mut best = f64::MAX;
    for pair in points.windows(2) {
        let ((a, ra), (b, rb)) = (pair[0], pair[1]);
        let along = b - a;
        let t = ((p - a).dot(along) / along.length_squared().max(1e-12)).clamp(0.0, 1.0);
        best = best.min((p - a - t * along).length() - (ra + (rb - ra) * t));
    }
    best
}

impl Shape {
    /// An upright ellipsoid.
    pub(crate) fn ellipsoid(centre: [f64; 3], radii: [f64; 3]) -> Self {
        Self::turned(centre, radii, DMat3::IDENTITY)
    }

    /// An ellipsoid turned by `world_from_local`.
    pub(crate) fn turned(centre: [f64; 3], radii: [f64; 3], world_from_local: DMat3) -> Self {
        Self::Ellipsoid {
            centre: centre.into(),
            radii: radii.into(),
            local_from_world: world_from_local.transpose(),
            squareness: 0.0,
        }
    }

    /// A rounded box.
    pub(crate) fn block(centre: [f64; 3], radii: [f64; 3], squareness: f64) -> Self {
        Self::Ellipsoid {
            centre: centre.into(),
            radii: radii.into(),
            local_from_world: DMat3::IDENTITY,
            squareness,
        }
    }

    /// About how far a point is outside; negative inside.
    pub(crate) fn distance(&self, p: DVec3) -> f64 {
        match self {
            Self::Ellipsoid { centre, radii, local_from_world, squareness } => {
                norm_distance(*local_from_world * (p - *centre), *radii, *squareness)
            }
            Self::Tube(points) => tube_distance(points, p),
            Self::Loft(loft) => loft.distance(p),
            Self::Common(shapes) => {
                shapes.iter().map(|s| s.distance(p)).fold(f64::NEG_INFINITY, f64::max)
            }
            Self::Without(shape, hole) => shape.distance(p).max(-hole.distance(p)),
            Self::HalfSpace { normal, offset } => normal.dot(p) - offset,
        }
    }

    /// The same solid changed in size and place. Lofts stay: they are the walls of the body, in which organs move.
    pub(crate) fn changed(self, change: Change) -> Self {
        if change.is_none() {
            return self;
        }
        match self {
            Self::Ellipsoid { centre, radii, local_from_world, squareness } => Self::Ellipsoid {
                centre: change.point(centre),
                radii: change.size * radii,
                local_from_world,
                squareness,
            },
            Self::Tube(points) => Self::Tube(
                points.into_iter().map(|(p, r)| (change.point(p), change.size * r)).collect(),
            ),
            Self::Loft(loft) => Self::Loft(loft),
            Self::Common(shapes) => {
                Self::Common(shapes.into_iter().map(|s| s.changed(change)).collect())
            }
            Self::Without(shape, hole) => {
                Self::Without(Box::new(shape.changed(change)), Box::new(hole.changed(change)))
            }
            Self::HalfSpace { normal, offset } => Self::HalfSpace {
                normal,
                offset: change.size * offset + normal.dot(change.offset()),
            },
        }
    }

    /// A box that holds the solid.
    pub(crate) fn bounds(&self) -> (DVec3, DVec3) {
        match self {
            Self::Ellipsoid { centre, radii, local_from_world, .. } => {
                let world = local_from_world.transpose();
                let reach = world.x_axis.abs() * radii.x
                    + world.y_axis.abs() * radii.y
                    + world.z_axis.abs() * radii.z;
                (*centre - reach, *centre + reach)
            }
            Self::Tube(points) => {
                points.iter().fold((DVec3::MAX, DVec3::MIN), |(low, high), (p, r)| {
                    (low.min(*p - *r), high.max(*p + *r))
                })
            }
            Self::Loft(loft) => loft_bounds(loft),
            Self::Common(shapes) => shapes
                .iter()
                .map(Self::bounds)
                .fold((DVec3::splat(-1e6), DVec3::splat(1e6)), |(low, high), (l, h)| {
                    (low.max(l), high.min(h))
                }),
            Self::Without(shape, _) => shape.bounds(),
            Self::HalfSpace { .. } => (DVec3::splat(-1e6), DVec3::splat(1e6)),
        }
    }
}

fn loft_bounds(loft: &Loft) -> (DVec3, DVec3) {
    let start = (DVec3::MAX, DVec3::MIN);
    let (low, high) = loft.samples.iter().fold(start, |(low, high), s| {
        let least = DVec3::new(s.x - s.half_width, s.y - s.front, loft.bottom);
        let most = DVec3::new(s.x + s.half_width, s.y + s.back, loft.top());
        (low.min(least), high.max(most))
    });
    (low, high)
}

/// Points of a Catmull-Rom curve through knots `[x, y, z, radius]`, about every 8 mm.
pub(crate) fn curve(knots: &[[f64; 4]]) -> Vec<(DVec3, f64)> {
    let last = knots.len() - 1;
    let mut points = Vec::new();
    for n in 0..last {
        let k = [n.saturating_sub(1), n, n + 1, (n + 2).min(last)].map(|i| knots[i]);
        let length = (0..3).map(|i| (k[2][i] - k[1][i]) * (k[2][i] - k[1][i])).sum::<f64>().sqrt();
        let steps = (length / 8.0).ceil().max(1.0) as usize;
        for step in 0..steps {
            points.push(catmull_rom(k, step as f64 / steps as f64));
        }
    }
    points.push((DVec3::new(knots[last][0], knots[last][1], knots[last][2]), knots[last][3]));
    points
}

fn catmull_rom(k: [[f64; 4]; 4], t: f64) -> (DVec3, f64) {
    let value: [f64; 4] = std::array::from_fn(|i| {
        let [a, b, c, d] = [k[0][i], k[1][i], k[2][i], k[3][i]];
        0.5 * (2.0 * b
            + (c - a) * t
            + (2.0 * a - 5.0 * b + 4.0 * c - d) * t * t
            + (3.0 * b - a - 3.0 * c + d) * t * t * t)
    });
    (DVec3::new(value[0], value[1], value[2]), value[3])
}

/// A turn by degrees about x, then y, then z, the same on every platform.
pub(crate) fn turn(x: f64, y: f64, z: f64) -> DMat3 {
    let about = |degrees: f64| {
        let radians = degrees * std::f64::consts::PI / 180.0;
        (libm::sin(radians), libm::cos(radians))
    };
    let ((sx, cx), (sy, cy), (sz, cz)) = (about(x), about(y), about(z));
    let rx = DMat3::from_cols(DVec3::X, DVec3::new(0.0, cx, sx), DVec3::new(0.0, -sx, cx));
    let ry = DMat3::from_cols(DVec3::new(cy, 0.0, -sy), DVec3::Y, DVec3::new(sy, 0.0, cy));
    let rz = DMat3::from_cols(DVec3::new(cz, sz, 0.0), DVec3::new(-sz, cz, 0.0), DVec3::Z);
    rz * ry * rx
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_grow_by_one_a_millimetre_at_the_surface() {
        let shapes = [
            (Shape::ellipsoid([1.0, 2.0, 3.0], [30.0, 20.0, 40.0]), DVec3::new(31.0, 2.0, 3.0)),
            (
                Shape::Tube(curve(&[[0.0, 0.0, 0.0, 5.0], [0.0, 0.0, 50.0, 5.0]])),
                DVec3::new(5.0, 0.0, 20.0),
            ),
            (Shape::block([0.0; 3], [10.0, 12.0, 8.0], 1.0), DVec3::new(0.0, 12.0, 0.0)),
        ];
        for (shape, surface) in shapes {
            let out =
                (surface - shape.bounds().0.midpoint(shape.bounds().1)).with_z(0.0).normalize();
            assert!(shape.distance(surface).abs() < 1e-9, "{shape:?}");
            for step in [-0.5, 0.5] {
                let found = shape.distance(surface + step * out);
                assert!((found - step).abs() < 0.02, "{shape:?}: {found} at {step}");
            }
        }
    }

    #[test]
    fn a_loft_passes_through_its_knots() {
        let section = |w: f64| Section { x: 0.0, y: 0.0, half_width: w, front: 10.0, back: 20.0 };
        let loft = Loft::through(
            &[(0.0, section(50.0)), (40.0, section(70.0)), (80.0, section(60.0))],
            0.0,
        );
        for (z, w) in [(0.0, 50.0), (40.0, 70.0), (80.0, 60.0)] {
            assert!((loft.at(z).half_width - w).abs() < 1e-9);
            assert!(Shape::Loft(loft.clone()).distance(DVec3::new(w, 0.0, z)).abs() < 1e-9);
        }
    }

    #[test]
    fn a_turn_keeps_lengths_and_handedness() {
        let m = turn(10.0, -20.0, 30.0);
        assert!((m * m.transpose() - DMat3::IDENTITY).abs_diff_eq(DMat3::ZERO, 1e-14));
        assert!((m.determinant() - 1.0).abs() < 1e-14);
    }
}
