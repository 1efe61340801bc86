//! Objects made ready for a picture.

use crate::cull::Hull;
use crate::lanes::{LANES, Lane, Lane3, max, min};
use crate::scene::Object;
use crate::shape::{Bounds, Shape};
use crate::solid::{Bone, Capsule, Cone, Cuboid, Ellipsoid, Field, Plane, Prism, Sphere, Torus};
use crate::vec::{Rotation, Vec3};

/// A place and a turn: from the world to an object's own frame and back.
#[derive(Clone, Copy)]
pub(crate) struct Frame {
    position: Vec3,
    rotation: Rotation,
}

impl Frame {
    #[inline(always)]
    pub(crate) fn point(&self, world: Vec3) -> Vec3 {
        self.rotation.undo(world - self.position)
    }

    #[inline(always)]
    pub(crate) fn direction(&self, world: Vec3) -> Vec3 {
        self.rotation.undo(world)
    }

    #[inline(always)]
    pub(crate) fn direction_out(&self, local: Vec3) -> Vec3 {
        self.rotation.apply(local)
    }

    #[inline(always)]
    pub(crate) fn point_out(&self, local: Vec3) -> Vec3 {
        self.rotation.apply(local) + self.position
    }

    /// The axes of the frame in the world, of these lengths.
    pub(crate) fn axes_out(&self, lengths: Vec3) -> [Vec3; 3] {
        let axes = [Vec3::X * lengths.x, Vec3::Y * lengths.y, Vec3::Z * lengths.z];
        axes.map(|axis| self.rotation.apply(axis))
    }
}

/// A [`Shape`] as the arithmetic that draws it.
pub(crate) enum Kind {
    Plane(Plane),
    Sphere(Sphere),
    Ellipsoid(Ellipsoid),
    Capsule(Capsule),
    Cuboid(Cuboid),
    Rounded(Cuboid),
    Cone(Cone),
    Torus(Torus),
    Prism(Prism),
    Blob(Blob),
}

/// The smooth union of bones, within its bounds.
pub(crate) struct Blob {
    bones: Vec<Bone>,
    blend: f32,
}

/// An object ready to be drawn.
pub(crate) struct Body<'a> {
    pub(crate) object: &'a Object,
    pub(crate) kind: Kind,
    pub(crate) frame: Frame,
    /// The box around it in its own frame; `None` for the plane.
    pub(crate) bounds: Option<Bounds>,
    /// A tighter one in the world.
    pub(crate) hull: Option<Hull>,
}

impl<'a> Body<'a> {
    pub(crate) fn new(object: &'a Object) -> Self {
        let kind = match &object.shape {
            Shape::Plane => Kind::Plane(Plane),
            &Shape::Sphere { radius } => Kind::Sphere(Sphere { radius }),
            &Shape::Ellipsoid { half } => Kind::Ellipsoid(Ellipsoid::new(half)),
            &Shape::Capsule { radius, half_height } => {
                Kind::Capsule(Capsule { radius, half_height })
            }
            &Shape::Cuboid { half, rounding } if rounding > 0.0 => {
                Kind::Rounded(Cuboid::new(half, rounding))
            }
            &Shape::Cuboid { half, .. } => Kind::Cuboid(Cuboid::new(half, 0.0)),
            &Shape::Cylinder { radius, half_height } => {
                Kind::Cone(Cone::new(radius, radius, half_height))
            }
            &Shape::Cone { bottom, top, half_height } => {
                Kind::Cone(Cone::new(bottom, top, half_height))
            }
            &Shape::Torus { ring, tube } => Kind::Torus(Torus { ring, tube }),
            &Shape::Prism { sides, radius, half_height } => {
                Kind::Prism(Prism::new(sides, radius, half_height))
            }
            Shape::Blob { bones, blend } => Kind::Blob(Blob {
                bones: bones.iter().map(Bone::new).collect(),
                blend: blend.max(1e-6),
            }),
        };
        let frame = Frame { position: object.position, rotation: object.rotation };
        let mut body = Self { object, kind, frame, bounds: object.shape.bounds(), hull: None };
        body.hull = Hull::new(&body);
        body
    }

    /// Whether a straight way from a point of the surface outwards never meets the body again.
    pub(crate) fn is_convex(&self) -> bool {
        !matches!(self.kind, Kind::Torus(_) | Kind::Blob(_))
    }

    /// Whether a point of the world lies inside.
    pub(crate) fn contains(&self, world: Vec3) -> bool {
        let mut points = Lane3::zero();
        points.set(0, self.frame.point(world));
        let mut distance = [0.0; LANES];
        self.distances(&points, &mut distance);
        distance[0] < 0.0
    }

    /// Signed distances of points of the body's own frame: too small at most, but never smaller than those
    /// from the box around it, so that nothing outside of the box takes part in anything.
    #[inline(always)]
    pub(crate) fn distances(&self, points: &Lane3, out: &mut Lane) {
        match &self.kind {
            Kind::Plane(_) => *out = std::array::from_fn(|i| points.get(i).y),
            Kind::Sphere(s) => distances(s, points, out),
            Kind::Ellipsoid(s) => distances(s, points, out),
            Kind::Capsule(s) => distances(s, points, out),
            Kind::Cuboid(s) | Kind::Rounded(s) => distances(s, points, out),
            Kind::Cone(s) => distances(s, points, out),
            Kind::Torus(s) => distances(s, points, out),
            Kind::Prism(s) => distances(s, points, out),
            Kind::Blob(blob) => blob.distances(points, out),
        }
        let Some(bounds) = self.bounds else { return };
        let around = Cuboid::new(bounds.half, 0.0);
        for i in 0..LANES {
            out[i] = max(out[i], around.distance(points.get(i) - bounds.centre));
        }
    }
}

#[inline(always)]
fn distances<F: Field>(field: &F, points: &Lane3, out: &mut Lane) {
    for i in 0..LANES {
        out[i] = field.distance(points.get(i));
    }
}

impl Blob {
    /// Where the distances `a` and `b` differ by less than the width `k` of the seam, the lesser is made
    /// less by `(k - |a - b|)² / 4k`: a polynomial smooth minimum.
    #[inline(always)]
    fn distances(&self, points: &Lane3, out: &mut Lane) {
        let [k, inverse] = [self.blend, 0.25 / self.blend];
        distances(&self.bones[0], points, out);
        for bone in &self.bones[1..] {
            for i in 0..LANES {
                let [a, b] = [out[i], bone.distance(points.get(i))];
                let seam = max(k - (a - b).abs(), 0.0);
                out[i] = min(a, b) - seam * seam * inverse;
            }
        }
    }
}
