//! The solids as arithmetic on one ray or one point, without branches.
#![allow(clippy::trivially_copy_pass_by_ref, reason = "one trait for solids small and large")]

mod cone;
mod cuboid;
mod field;
mod prism;
mod round;

pub(crate) use cone::Cone;
pub(crate) use cuboid::Cuboid;
pub(crate) use field::{Bone, Torus};
pub(crate) use prism::Prism;
pub(crate) use round::{Capsule, Ellipsoid, Plane, Sphere};

use crate::lanes::{FAR, max, select};
use crate::vec::Vec3;

/// Shorter than any distance that matters: keeps divisors from zero and shadows off their own surface.
pub(crate) const NEAR: f32 = 1e-3;

/// A ray from `origin` along `direction` of length 1, in the frame of a solid.
#[derive(Clone, Copy)]
pub(crate) struct Ray {
    pub(crate) origin: Vec3,
    pub(crate) direction: Vec3,
}

impl Ray {
    #[inline(always)]
    pub(crate) fn at(self, t: f32) -> Vec3 {
        self.origin + self.direction * t
    }

    /// Where the ray enters and leaves the ball of a radius around the origin; [`FAR`] and 0 if it passes.
    #[inline(always)]
    pub(crate) fn through(self, radius: f32) -> [f32; 2] {
        let along = self.origin.dot(self.direction);
        let foot = self.origin - self.direction * along;
        let room = radius * radius - foot.dot(foot);
        let half = max(room, 0.0).sqrt();
        [select(room > 0.0, -along - half, FAR), select(room > 0.0, half - along, 0.0)]
    }
}

/// A solid whose first intersection with a ray has a closed form.
pub(crate) trait Solid {
    /// Way to the first point of the solid, which the ray enters from outside; [`FAR`] if there is none.
    fn hit(&self, ray: Ray) -> f32;
    /// Direction of length 1 out of the solid at a point of its surface.
    fn normal(&self, point: Vec3) -> Vec3;
}

/// A body that a ray passes at a least signed distance, negative inside, which has a closed form.
pub(crate) trait Occluder {
    /// The distance, over the way there: how far off the ray's direction the body is, as a tangent. Only
    /// the first `length` of the ray counts.
    fn miss(&self, ray: Ray, length: f32) -> f32;
}

/// Distance from points, negative inside. It may be too small outside, never too large.
pub(crate) trait Field {
    fn distance(&self, point: Vec3) -> f32;
}

#[inline(always)]
fn in_front(t: f32) -> f32 {
    select(t > 0.0, t, FAR)
}

/// `v`, or a tiny number in place of zero, so that dividing by it gives no NaN.
#[inline(always)]
fn nonzero(v: f32) -> f32 {
    const TINY: f32 = 1e-12;
    select(v.abs() < TINY, TINY, v)
}
