//! How closely rays pass a body whose distance is known but no closed form of its least.

use crate::body::Body;
use crate::lanes::{FAR, LANES, Lane, Lane3, max, min, select};
use crate::solid::{NEAR, Ray};

/// Inside a flat body the distance to its surface is far less than the way to its rim, so it counts more.
const DEPTH: f32 = 8.0;
/// The first look at a body that is not convex takes at least this share of the way through the ball around
/// it at a time.
const STRIDE: f32 = 1.0 / 24.0;
/// Each look narrows an interval by the golden section, 0.618; together to a five-hundredth.
const LOOKS: usize = 13;
const GOLDEN: f32 = 0.618_034;

/// Rays in the frame of a body, and the part of each within which the least is sought.
pub(crate) struct Approach<'a> {
    body: &'a Body<'a>,
    origin: Lane3,
    direction: Lane3,
    low: Lane,
    high: Lane,
    /// Whether there is such a part.
    near: [bool; LANES],
    points: Lane3,
    distance: Lane,
}

impl<'a> Approach<'a> {
    pub(crate) fn new(body: &'a Body<'a>) -> Self {
        Self {
            body,
            origin: Lane3::zero(),
            direction: Lane3::zero(),
            low: [0.0; LANES],
            high: [0.0; LANES],
            near: [false; LANES],
            points: Lane3::zero(),
            distance: [0.0; LANES],
        }
    }

    /// Takes a ray of the body's own frame, from `start` on and up to `length`.
    #[inline(always)]
    pub(crate) fn set(&mut self, i: usize, ray: Ray, reach: f32, [start, length]: [f32; 2]) {
        let centre = self.body.bounds.map_or(ray.origin, |bounds| bounds.centre);
        let from_centre = Ray { origin: ray.origin - centre, ..ray };
        let [enter, leave] = from_centre.through(reach);
        self.origin.set(i, ray.origin);
        self.direction.set(i, ray.direction);
        self.low[i] = max(max(enter, start), NEAR);
        self.high[i] = min(leave, length);
        self.near[i] = self.low[i] < self.high[i];
    }
    /// The least distance over way of each ray, [`FAR`] where it does not come near.
    #[inline(always)]
    pub(crate) fn least(&mut self, reach: f32) -> Lane {
        if !self.near.iter().fold(false, |any, &near| any | near) {
            return [FAR; LANES];
        }
        if !self.body.is_convex() {
            self.look_around(2.0 * reach * STRIDE);
        }
        let least = self.narrow();
        std::array::from_fn(|i| select(self.near[i], least[i], FAR))
    }

    /// Distance over way after the ways `t`.
    #[inline(always)]
    fn tangent(&mut self, t: &Lane, out: &mut Lane) {
        for i in 0..LANES {
            self.points.set(i, self.origin.get(i) + self.direction.get(i) * t[i]);
        }
        self.body.distances(&self.points, &mut self.distance);
        for i in 0..LANES {
            let d = self.distance[i];
            out[i] = d * select(d < 0.0, DEPTH, 1.0) / t[i];
        }
    }

    /// Marches along the rays and keeps of each the surroundings of the least that it meets.
    #[inline(always)]
    fn look_around(&mut self, stride: f32) {
        let [mut t, mut now, mut least] = [self.low, [0.0; LANES], [FAR; LANES]];
        let [mut low, mut high] = [self.low, self.high];
        loop {
            self.tangent(&t, &mut now);
            let mut any = false;
            for i in 0..LANES {
                let step = max(self.distance[i], stride);
                let marches = t[i] < self.high[i];
                let better = marches & (now[i] < least[i]);
                least[i] = select(better, now[i], least[i]);
                low[i] = select(better, max(t[i] - step, self.low[i]), low[i]);
                high[i] = select(better, min(t[i] + step, self.high[i]), high[i]);
                t[i] += select(marches, step, 0.0);
                any |= marches;
            }
            if !any {
                break;
            }
        }
        [self.low, self.high] = [low, high];
    }

    /// Searches by golden sections, which find the least where the body is convex: then `d ≤ c · t` holds
    /// in one piece of the ray for every `c`.
    #[inline(always)]
    fn narrow(&mut self) -> Lane {
        let [mut a, mut b] = [self.low, self.high];
        let mut left: Lane = std::array::from_fn(|i| b[i] - GOLDEN * (b[i] - a[i]));
        let mut right: Lane = std::array::from_fn(|i| a[i] + GOLDEN * (b[i] - a[i]));
        let [mut at_left, mut at_right, mut at_new] = [[0.0; LANES]; 3];
        let mut new = [0.0; LANES];
        self.tangent(&left, &mut at_left);
        self.tangent(&right, &mut at_right);
        for _ in 2..LOOKS {
            for i in 0..LANES {
                let lower = at_left[i] < at_right[i];
                a[i] = select(lower, a[i], left[i]);
                b[i] = select(lower, right[i], b[i]);
                let width = GOLDEN * (b[i] - a[i]);
                new[i] = select(lower, b[i] - width, a[i] + width);
            }
            self.tangent(&new, &mut at_new);
            for i in 0..LANES {
                let lower = at_left[i] < at_right[i];
                let [kept, at_kept] =
                    [select(lower, left[i], right[i]), select(lower, at_left[i], at_right[i])];
                left[i] = select(lower, new[i], kept);
                at_left[i] = select(lower, at_new[i], at_kept);
                right[i] = select(lower, kept, new[i]);
                at_right[i] = select(lower, at_kept, at_new[i]);
            }
        }
        std::array::from_fn(|i| min(at_left[i], at_right[i]))
    }
}
