//! Which bodies a tile can show, and which can stand between it and a lamp.
//!
//! Every test here may keep a body too many and must never drop one that counts: a picture drawn without
//! culling has the same bytes.

use crate::body::Body;
use crate::camera::View;
use crate::lanes::{FAR, LANES, Lane3, TILE, max, min, select};
use crate::shape::Shape;
use crate::trace::{Hits, NOTHING};
use crate::vec::Vec3;

/// Room for rounding, as a share of the lengths in a test.
const SLACK: f32 = 1e-3;

/// A box with rounded edges around a body, in the world: all points within `radius` of the box
/// `centre ± axes[0] ± axes[1] ± axes[2]`.
#[derive(Clone, Copy)]
pub(crate) struct Hull {
    centre: Vec3,
    axes: [Vec3; 3],
    radius: f32,
}

impl Hull {
    /// `None` for a body without end.
    pub(crate) fn new(body: &Body<'_>) -> Option<Self> {
        let bounds = body.bounds?;
        let (half, radius) = match body.object.shape {
            Shape::Sphere { radius } => (Vec3::ZERO, radius),
            Shape::Capsule { radius, half_height } => (Vec3::Y * half_height, radius),
            Shape::Cuboid { half, rounding } => (half.map(|h| h - rounding), rounding),
            _ => (bounds.half, 0.0),
        };
        Some(Self {
            centre: body.frame.point_out(bounds.centre),
            axes: body.frame.axes_out(half),
            radius: radius + SLACK * bounds.half.length(),
        })
    }

    /// How far it reaches from its centre along `n` of length 1, either way.
    #[inline(always)]
    fn reach(&self, n: Vec3) -> f32 {
        let [a, b, c] = self.axes;
        a.dot(n).abs() + b.dot(n).abs() + c.dot(n).abs() + self.radius
    }
}

/// Columns and rows of the grid of samples between which a body appears.
#[derive(Clone, Copy)]
pub(crate) struct Window {
    low: [f32; 2],
    high: [f32; 2],
}

impl Window {
    const ALL: Self = Self { low: [-FAR; 2], high: [FAR; 2] };

    /// All of the grid where the body has no end or comes near the eye.
    pub(crate) fn of(body: &Body<'_>, view: &View) -> Self {
        let Some(bounds) = body.bounds else { return Self::ALL };
        let [a, b, c] = body.frame.axes_out(bounds.half * (1.0 + SLACK));
        let centre = body.frame.point_out(bounds.centre);
        let mut window = Self { low: [FAR; 2], high: [-FAR; 2] };
        for corner in 0..8_u8 {
            let sign = |bit: u8| if corner >> bit & 1 == 0 { 1.0 } else { -1.0 };
            let point = centre + a * sign(0) + b * sign(1) + c * sign(2);
            let [column, row, depth] = view.locate(point);
            if depth <= SLACK * bounds.half.length() {
                return Self::ALL;
            }
            for (axis, place) in [column, row].into_iter().enumerate() {
                window.low[axis] = min(window.low[axis], place);
                window.high[axis] = max(window.high[axis], place);
            }
        }
        window
    }

    /// Whether it overlaps the tile whose first sample is at `[column, row]`.
    #[inline(always)]
    pub(crate) fn meets(&self, [column, row]: [f32; 2]) -> bool {
        let side = TILE as f32;
        (self.low[0] <= column + side)
            & (self.high[0] >= column)
            & (self.low[1] <= row + side)
            & (self.high[1] >= row)
    }
}

/// The four planes through the eye around the rays of a tile, as their directions outwards.
pub(crate) struct Pyramid {
    eye: Vec3,
    out: [Vec3; 4],
}

impl Pyramid {
    #[inline(always)]
    pub(crate) fn new(view: &View, [column, row]: [f32; 2]) -> Self {
        let side = TILE as f32;
        let ray = |u: f32, v: f32| view.corner + view.across * (column + u) + view.down * (row + v);
        let corners = [ray(0.0, 0.0), ray(side, 0.0), ray(side, side), ray(0.0, side)];
        let middle = ray(0.5 * side, 0.5 * side);
        let out = std::array::from_fn(|k| {
            let normal = corners[k].cross(corners[(k + 1) % 4]).normalized();
            normal * select(normal.dot(middle) > 0.0, -1.0, 1.0)
        });
        Self { eye: view.eye, out }
    }

    /// Whether a part of the hull may lie inside.
    #[inline(always)]
    pub(crate) fn meets(&self, hull: &Hull) -> bool {
        let offset = hull.centre - self.eye;
        let room = SLACK * offset.length();
        self.out.iter().all(|&n| offset.dot(n) <= hull.reach(n) + room)
    }
}

/// All ways from the points that a tile sees to a lamp: the box around the points and the ball of the lamp,
/// and what lies between.
pub(crate) struct Shaft {
    centre: Vec3,
    half: Vec3,
    lamp: Vec3,
    radius: f32,
}

/// The box around the points that a tile sees: its centre and half its extent.
pub(crate) struct Seen {
    centre: Vec3,
    half: Vec3,
}

impl Seen {
    #[inline(always)]
    pub(crate) fn new(points: &Lane3, hits: &Hits) -> Self {
        // Eight columns side by side, then those: the compiler keeps the order of a minimum over all.
        let [mut low, mut high] =
            [[Vec3::new(FAR, FAR, FAR); TILE], [Vec3::new(-FAR, -FAR, -FAR); TILE]];
        for row in (0..LANES).step_by(TILE) {
            for i in 0..TILE {
                let seen = hits.body[row + i] != NOTHING;
                let point = points.get(row + i);
                low[i] = low[i].zip(point, |a, b| select(seen & (b < a), b, a));
                high[i] = high[i].zip(point, |a, b| select(seen & (b > a), b, a));
            }
        }
        let low = low.into_iter().fold(low[0], |a, b| a.zip(b, min));
        let high = high.into_iter().fold(high[0], |a, b| a.zip(b, max));
        Self { centre: (low + high) * 0.5, half: (high - low) * 0.5 }
    }
}

impl Shaft {
    #[inline(always)]
    pub(crate) fn new(seen: &Seen, lamp: Vec3, radius: f32) -> Self {
        Self { centre: seen.centre, half: seen.half, lamp, radius }
    }

    /// Whether a part of the hull may lie inside: no plane across one of a few likely directions parts them.
    #[inline(always)]
    pub(crate) fn meets(&self, hull: &Hull) -> bool {
        let way = self.lamp - self.centre;
        let along = (hull.centre - self.centre).dot(way) / max(way.dot(way), 1e-12);
        let nearest = self.centre + way * min(max(along, 0.0), 1.0);
        let [a, b, c] = hull.axes;
        let across = [hull.centre - nearest, way.cross(a), way.cross(b), way.cross(c)];
        !across.into_iter().any(|direction| self.parted(hull, direction))
    }

    #[inline(always)]
    fn parted(&self, hull: &Hull, direction: Vec3) -> bool {
        let length = direction.length();
        if length < 1e-6 {
            return false;
        }
        let n = direction * (1.0 / length);
        let spread = self.half.dot(n.map(f32::abs));
        let [points, lamp] = [(self.centre - hull.centre).dot(n), (self.lamp - hull.centre).dot(n)];
        let reach = hull.reach(n) + SLACK * (points.abs() + lamp.abs() + spread + self.radius);
        let above = min(points - spread, lamp - self.radius) > reach;
        let below = max(points + spread, lamp + self.radius) < -reach;
        above | below
    }
}
