use super::{Field, Ray, Solid, in_front, nonzero};
use crate::lanes::{FAR, clamp, max, min, select};
use crate::vec::Vec3;

/// A cone, whole or cut off, and the cylinder between: radius `middle + slope · y` for `|y| ≤ half_height`.
#[derive(Clone, Copy)]
pub(crate) struct Cone {
    middle: f32,
    slope: f32,
    half_height: f32,
}

impl Cone {
    pub(crate) fn new(bottom: f32, top: f32, half_height: f32) -> Self {
        let slope = (top - bottom) / (2.0 * half_height);
        Self { middle: 0.5 * (bottom + top), slope, half_height }
    }

    #[inline(always)]
    fn radius(&self, y: f32) -> f32 {
        self.middle + self.slope * y
    }

    /// Way to the flat end at height `y`.
    #[inline(always)]
    fn end(&self, ray: Ray, y: f32) -> f32 {
        let t = (y - ray.origin.y) / nonzero(ray.direction.y);
        let p = ray.at(t);
        let radius = self.radius(y);
        in_front(select(p.x * p.x + p.z * p.z < radius * radius, t, FAR))
    }

    /// A way to the mantle, where it is part of the cone.
    #[inline(always)]
    fn mantle(&self, ray: Ray, t: f32) -> f32 {
        let y = ray.origin.y + t * ray.direction.y;
        in_front(select(y.abs() < self.half_height, t, FAR))
    }
}

impl Solid for Cone {
    #[inline(always)]
    fn hit(&self, ray: Ray) -> f32 {
        let Ray { origin: o, direction: d } = ray;
        // x² + z² = (middle + slope · y)² along the ray: a t² + 2 b t + c = 0.
        let [radius, widening] = [self.radius(o.y), self.slope * d.y];
        let a = d.x * d.x + d.z * d.z - widening * widening;
        let b = o.x * d.x + o.z * d.z - widening * radius;
        let c = o.x * o.x + o.z * o.z - radius * radius;
        let room = b * b - a * c;
        let root = max(room, 0.0).sqrt();
        let q = select(b < 0.0, root - b, -b - root);
        let mantle = min(self.mantle(ray, q / nonzero(a)), self.mantle(ray, c / nonzero(q)));
        let ends = min(self.end(ray, self.half_height), self.end(ray, -self.half_height));
        min(select(room > 0.0, mantle, FAR), ends)
    }

    #[inline(always)]
    fn normal(&self, point: Vec3) -> Vec3 {
        let level = Vec3::new(point.x, 0.0, point.z);
        let around = level.length();
        let mantle = level * (1.0 / max(around, 1e-6)) - Vec3::Y * self.slope;
        let end = Vec3::Y * select(point.y < 0.0, -1.0, 1.0);
        let past_end = point.y.abs() - self.half_height;
        let past_mantle = (around - self.radius(point.y)) / mantle.length();
        let normal = mantle.normalized();
        normal.zip(end, |m, e| select(past_end > past_mantle, e, m))
    }
}

impl Field for Cone {
    #[inline(always)]
    fn distance(&self, point: Vec3) -> f32 {
        // Seen along a circle around the axis the cone is a quadrilateral: the nearest points of its flat
        // end and of its mantle, of which the nearer counts.
        let around = (point.x * point.x + point.z * point.z).sqrt();
        let side = select(point.y < 0.0, -self.half_height, self.half_height);
        let flat = [max(around - self.radius(side), 0.0), point.y.abs() - self.half_height];
        let along = self.slope * (around - self.middle) + point.y;
        let y = along / (1.0 + self.slope * self.slope);
        let y = clamp(y, -self.half_height, self.half_height);
        let slant = [around - self.radius(y), point.y - y];
        let square = |v: [f32; 2]| v[0] * v[0] + v[1] * v[1];
        let nearest = min(square(flat), square(slant)).sqrt();
        let inside = (around < self.radius(point.y)) & (point.y.abs() < self.half_height);
        select(inside, -nearest, nearest)
    }
}
