use super::{Field, Ray, Solid, in_front, nonzero};
use crate::lanes::{FAR, max, min, select};
use crate::shape::around;
use crate::vec::Vec3;

/// A pillar over a regular polygon, as the space behind its sides and its two ends.
#[derive(Clone, Copy)]
pub(crate) struct Prism {
    /// Directions of the sides, the first ones again where there are fewer than eight.
    sides: [Vec3; 8],
    /// From the axis to a side.
    apothem: f32,
    half_height: f32,
}

impl Prism {
    pub(crate) fn new(sides: u8, radius: f32, half_height: f32) -> Self {
        let side = |k: usize| around((k % usize::from(sides)) as f32, sides);
        let apothem = radius * libm::cosf(std::f32::consts::PI / f32::from(sides));
        Self { sides: std::array::from_fn(side), apothem, half_height }
    }
}

impl Solid for Prism {
    #[inline(always)]
    fn hit(&self, ray: Ray) -> f32 {
        let slope = 1.0 / nonzero(ray.direction.y);
        let [middle, reach] = [-ray.origin.y * slope, slope.abs() * self.half_height];
        let [mut near, mut far] = [middle - reach, middle + reach];
        for side in self.sides {
            let speed = nonzero(side.dot(ray.direction));
            let t = (self.apothem - side.dot(ray.origin)) / speed;
            near = select(speed < 0.0, max(near, t), near);
            far = select(speed < 0.0, far, min(far, t));
        }
        in_front(select(near < far, near, FAR))
    }

    #[inline(always)]
    fn normal(&self, point: Vec3) -> Vec3 {
        let mut normal = Vec3::Y * select(point.y < 0.0, -1.0, 1.0);
        let mut out = point.y.abs() - self.half_height;
        for side in self.sides {
            let past = side.dot(point) - self.apothem;
            normal = normal.zip(side, |n, s| select(past > out, s, n));
            out = max(out, past);
        }
        normal
    }
}

impl Field for Prism {
    #[inline(always)]
    fn distance(&self, point: Vec3) -> f32 {
        let past = self.sides.iter().map(|side| side.dot(point) - self.apothem);
        past.fold(point.y.abs() - self.half_height, max)
    }
}
