use super::Field;
use crate::lanes::{clamp, max};
use crate::shape;
use crate::vec::Vec3;

#[derive(Clone, Copy)]
pub(crate) struct Torus {
    pub(crate) ring: f32,
    pub(crate) tube: f32,
}

impl Field for Torus {
    #[inline(always)]
    fn distance(&self, point: Vec3) -> f32 {
        let around = (point.x * point.x + point.z * point.z).sqrt() - self.ring;
        (around * around + point.y * point.y).sqrt() - self.tube
    }
}

/// All balls between two: a capsule that may taper.
#[derive(Clone, Copy)]
pub(crate) struct Bone {
    from: Vec3,
    axis: Vec3,
    length: f32,
    radius: f32,
    /// By how much the radius falls for each step along the axis, less than 1.
    taper: f32,
    /// By how much the nearest ball lies back for each step away from the axis.
    lean: f32,
}

impl Bone {
    pub(crate) fn new(bone: &shape::Bone) -> Self {
        let (way, fall) = (bone.to - bone.from, bone.radii[0] - bone.radii[1]);
        let length = way.length();
        if fall.abs() >= length {
            // One ball holds all others.
            let (from, radius) =
                if fall > 0.0 { (bone.from, bone.radii[0]) } else { (bone.to, bone.radii[1]) };
            return Self { from, axis: Vec3::Y, length: 0.0, radius, taper: 0.0, lean: 0.0 };
        }
        let taper = fall / length;
        let lean = taper / (1.0 - taper * taper).sqrt();
        Self {
            from: bone.from,
            axis: way * (1.0 / length),
            length,
            radius: bone.radii[0],
            taper,
            lean,
        }
    }
}

impl Field for Bone {
    /// The least of `|point - centre| - radius` over the balls, which is convex along the axis.
    #[inline(always)]
    fn distance(&self, point: Vec3) -> f32 {
        let offset = point - self.from;
        let along = offset.dot(self.axis);
        let away = max(offset.dot(offset) - along * along, 0.0).sqrt();
        let ball = clamp(along - self.lean * away, 0.0, self.length);
        (offset - self.axis * ball).length() - (self.radius - self.taper * ball)
    }
}
