use super::Field;
use crate::lanes::clamp;
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

/// A tapered capsule, a little too near where it tapers.
#[derive(Clone, Copy)]
pub(crate) struct Bone {
    from: Vec3,
    along: Vec3,
    inverse_square: f32,
    radius: f32,
    taper: f32,
    steepness: f32,
}

impl Bone {
    pub(crate) fn new(bone: &crate::shape::Bone) -> Self {
        let along = bone.to - bone.from;
        let square = along.dot(along);
        let taper = bone.radii[1] - bone.radii[0];
        let inverse_square = if square > 0.0 { 1.0 / square } else { 0.0 };
        let steepness = 1.0 / (1.0 + taper * taper * inverse_square).sqrt();
        Self { from: bone.from, along, inverse_square, radius: bone.radii[0], taper, steepness }
    }
}

impl Field for Bone {
    #[inline(always)]
    fn distance(&self, point: Vec3) -> f32 {
        let offset = point - self.from;
        let share = clamp(offset.dot(self.along) * self.inverse_square, 0.0, 1.0);
        let off_axis = (offset - self.along * share).length();
        (off_axis - self.radius - self.taper * share) * self.steepness
    }
}
