use crate::vec::Vec3;

/// The form of an object in its own frame, centred on the origin; what has an axis stands along `y`.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// The endless ground `y = 0`, seen from above. It receives shadows and casts none.
    Plane,
    /// A ball.
    Sphere {
        /// Its radius.
        radius: f32,
    },
    /// A ball stretched along the axes.
    Ellipsoid {
        /// Half its extent along each axis.
        half: Vec3,
    },
    /// A cylinder with half a ball on either end.
    Capsule {
        /// Radius of cylinder and balls.
        radius: f32,
        /// Half the height of the cylinder, without the balls.
        half_height: f32,
    },
    /// A box, its edges rounded where wanted.
    Cuboid {
        /// Half its extent along each axis, rounding included.
        half: Vec3,
        /// Radius of its edges; 0 for sharp ones.
        rounding: f32,
    },
    /// A cylinder with flat ends.
    Cylinder {
        /// Its radius.
        radius: f32,
        /// Half its height.
        half_height: f32,
    },
    /// A cone, cut off where its top is not a point.
    Cone {
        /// Radius of the bottom.
        bottom: f32,
        /// Radius of the top; 0 for a pointed cone.
        top: f32,
        /// Half its height.
        half_height: f32,
    },
    /// A ring lying on the ground.
    Torus {
        /// Radius of the circle in the middle of the tube.
        ring: f32,
        /// Radius of the tube.
        tube: f32,
    },
    /// A pillar over a regular polygon, of which one side faces `x`.
    Prism {
        /// Number of sides, 3 to 8.
        sides: u8,
        /// Radius of the circle through the corners.
        radius: f32,
        /// Half its height.
        half_height: f32,
    },
    /// A smooth body around a skeleton: animals, pots, whatever is modelled in clay.
    Blob {
        /// The skeleton, at least one bone.
        bones: Vec<Bone>,
        /// Width of the seams between the flesh of two bones.
        blend: f32,
    },
}

/// A part of a [`Shape::Blob`]: a capsule that may taper.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bone {
    /// One end.
    pub from: Vec3,
    /// The other end, which may be the same: a ball.
    pub to: Vec3,
    /// Radius around the first end and around the second.
    pub radii: [f32; 2],
}

/// A box along the axes of a frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) centre: Vec3,
    pub(crate) half: Vec3,
}

impl Shape {
    /// How far the shape reaches in direction `n` of length 1: the largest `p · n` of its points `p`, up
    /// to the seams of a blob. Infinite for the plane.
    ///
    /// ```
    /// use domino_render::{Shape, Vec3};
    ///
    /// let torus = Shape::Torus { ring: 1.0, tube: 0.25 };
    /// assert_eq!(torus.reach(Vec3::X), 1.25);
    /// assert_eq!(torus.reach(Vec3::Y), 0.25);
    /// ```
    pub fn reach(&self, n: Vec3) -> f32 {
        let level = (n.x * n.x + n.z * n.z).sqrt();
        match *self {
            Self::Plane => f32::INFINITY,
            Self::Sphere { radius } => radius,
            Self::Ellipsoid { half } => n.zip(half, |n, h| n * h).length(),
            Self::Capsule { radius, half_height } => n.y.abs() * half_height + radius,
            Self::Cuboid { half, rounding } => {
                n.map(f32::abs).dot(half - Vec3::new(rounding, rounding, rounding)) + rounding
            }
            Self::Cylinder { radius, half_height } => n.y.abs() * half_height + level * radius,
            Self::Cone { bottom, top, half_height } => {
                (n.y * half_height + level * top).max(level * bottom - n.y * half_height)
            }
            Self::Torus { ring, tube } => level * ring + tube,
            Self::Prism { sides, radius, half_height } => {
                let corners = corners(sides).take(usize::from(sides));
                let side = corners.map(|c| c.dot(n)).fold(f32::NEG_INFINITY, f32::max);
                n.y.abs() * half_height + radius * side
            }
            Self::Blob { ref bones, .. } => {
                let ends = bones.iter().flat_map(|b| [(b.from, b.radii[0]), (b.to, b.radii[1])]);
                ends.map(|(p, r)| p.dot(n) + r).fold(f32::NEG_INFINITY, f32::max)
            }
        }
    }

    /// The box around the shape; `None` where it has no end.
    pub(crate) fn bounds(&self) -> Option<Bounds> {
        let axes = [Vec3::X, Vec3::Y, Vec3::Z];
        let seam = if let Self::Blob { blend, .. } = self { 0.5 * blend } else { 0.0 };
        let [high, low] = [1.0, -1.0].map(|side| axes.map(|axis| self.reach(axis * side) + seam));
        let vec = |f: &dyn Fn(usize) -> f32| Vec3::new(f(0), f(1), f(2));
        let bounds = Bounds {
            centre: vec(&|i| 0.5 * (high[i] - low[i])),
            half: vec(&|i| 0.5 * (high[i] + low[i])),
        };
        bounds.half.is_finite().then_some(bounds)
    }

    /// What is wrong with the numbers of the shape, as (name, expected, got).
    pub(crate) fn fault(&self) -> Option<(&'static str, &'static str, f32)> {
        const POSITIVE: &str = "a positive number";
        let least = |v: Vec3| v.x.min(v.y).min(v.z);
        let all_positive: &[(&'static str, f32)] = &match *self {
            Self::Plane => vec![],
            Self::Sphere { radius } => vec![("radius", radius)],
            Self::Ellipsoid { half } => {
                vec![("half.x", half.x), ("half.y", half.y), ("half.z", half.z)]
            }
            Self::Capsule { radius, half_height } | Self::Cylinder { radius, half_height } => {
                vec![("radius", radius), ("half_height", half_height)]
            }
            Self::Cuboid { half, rounding } => {
                if !(0.0..=least(half)).contains(&rounding) {
                    return Some(("rounding", "0 to the least of half", rounding));
                }
                vec![("half.x", half.x), ("half.y", half.y), ("half.z", half.z)]
            }
            Self::Cone { bottom, top, half_height } => {
                if !(bottom >= 0.0 && bottom.is_finite() && top >= 0.0 && top.is_finite()) {
                    return Some(("radius", "a number of 0 or more", bottom.min(top)));
                }
                vec![("the larger radius", bottom.max(top)), ("half_height", half_height)]
            }
            Self::Torus { ring, tube } => vec![("ring", ring), ("tube", tube)],
            Self::Prism { sides, radius, half_height } => {
                if !(3..=8).contains(&sides) {
                    return Some(("sides", "3 to 8", f32::from(sides)));
                }
                vec![("radius", radius), ("half_height", half_height)]
            }
            Self::Blob { ref bones, blend } => return blob_fault(bones, blend),
        };
        let wrong = all_positive.iter().find(|(_, v)| !(*v > 0.0 && v.is_finite()));
        wrong.map(|&(name, v)| (name, POSITIVE, v))
    }
}

fn blob_fault(bones: &[Bone], blend: f32) -> Option<(&'static str, &'static str, f32)> {
    if bones.is_empty() {
        return Some(("bones", "at least one", 0.0));
    }
    if !(blend >= 0.0 && blend.is_finite()) {
        return Some(("blend", "a number of 0 or more", blend));
    }
    let radius = bones.iter().flat_map(|b| b.radii).find(|r| !(*r > 0.0 && r.is_finite()));
    let far = bones.iter().find(|b| !(b.from.is_finite() && b.to.is_finite()));
    radius
        .map(|r| ("radii", "positive numbers", r))
        .or(far.map(|_| ("bones", "finite ends", f32::NAN)))
}

/// Corners of the regular polygon with corners on the unit circle and one side facing `x`, again and again.
fn corners(sides: u8) -> impl Iterator<Item = Vec3> {
    (0_u8..).map(move |k| around(f32::from(k) + 0.5, sides))
}

/// The direction `k` sides around from `x`.
pub(crate) fn around(k: f32, sides: u8) -> Vec3 {
    let (sin, cos) = libm::sincosf(std::f32::consts::TAU * k / f32::from(sides));
    Vec3::new(cos, 0.0, sin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_hold_the_shape_and_no_more() {
        let cone = Shape::Cone { bottom: 2.0, top: 0.5, half_height: 1.5 };
        let bounds = cone.bounds().expect("a cone ends");
        assert_eq!((bounds.centre, bounds.half), (Vec3::ZERO, Vec3::new(2.0, 1.5, 2.0)));
        let bone = Bone { from: Vec3::ZERO, to: Vec3::new(4.0, 0.0, 0.0), radii: [1.0, 0.5] };
        let bounds = Shape::Blob { bones: vec![bone], blend: 0.0 }.bounds().expect("a blob ends");
        assert_eq!(bounds.centre, Vec3::new(1.75, 0.0, 0.0));
        assert_eq!(bounds.half, Vec3::new(2.75, 1.0, 1.0));
        assert!(Shape::Plane.bounds().is_none());
    }

    #[test]
    fn a_prism_reaches_its_sides_and_its_corners() {
        let prism = Shape::Prism { sides: 4, radius: 1.0, half_height: 0.5 };
        assert!((prism.reach(Vec3::X) - 0.5_f32.sqrt()).abs() < 1e-6);
        assert!((prism.reach(Vec3::new(0.5_f32.sqrt(), 0.0, 0.5_f32.sqrt())) - 1.0).abs() < 1e-6);
    }
}
