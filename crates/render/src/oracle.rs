//! Hits and normals against parry3d, which computes them in other ways, and against membership tests.

use parry3d::math::{Pose, Rotation as Quaternion, Vector};
use parry3d::query::{Ray as ParryRay, RayCast};
use parry3d::shape::{Ball, Capsule, Cone, Cuboid, Cylinder, HalfSpace, RoundShape};

use crate::body::Body;
use crate::common::Draw;
use crate::lanes::{FAR, LANES, Lane3};
use crate::scene::{Background, Material, Object, Scene};
use crate::shade::Surface;
use crate::shape::Shape;
use crate::trace::{Hits, meet};
use crate::vec::{Rotation, Vec3};

fn vector(v: Vec3) -> Vector {
    Vector::new(v.x, v.y, v.z)
}

/// Ways and normals along 64 rays.
fn cast(object: &Object, eye: Vec3, rays: &Lane3) -> Vec<Option<(f32, Vec3)>> {
    let body = Body::new(object);
    let (mut hits, mut surface) = (Hits::none(), Surface::dark());
    meet(&body, 0, eye, rays, &mut hits);
    surface.begin(eye, rays, &hits, &Background::default());
    surface.cover(&body, 0, &hits, &Scene::default());
    let lane = |i: usize| (hits.t[i] < FAR).then(|| (hits.t[i], surface.normal.get(i)));
    (0..LANES).map(lane).collect()
}

/// Rays from a point three to six away, most of them towards the body.
fn rays(draw: &mut Draw, target: Vec3) -> (Vec3, Lane3) {
    let eye = target + draw.direction() * draw.between(3.0, 6.0);
    let mut rays = Lane3::zero();
    for i in 0..LANES {
        rays.set(i, (target + draw.vec(-1.0, 1.0) - eye).normalized());
    }
    (eye, rays)
}

/// Counts of rays: all that either side says hit, those of which they differ, those with other normals.
#[derive(Debug, Default)]
struct Tally {
    hits: usize,
    ways: usize,
    normals: usize,
}

/// Compares a shape with parry's in 40 places.
fn compare(shape: &Shape, oracle: &dyn RayCast, tolerance: f32) -> Tally {
    let mut draw = Draw(17);
    let mut tally = Tally::default();
    for _ in 0..40 {
        let q = [(); 4].map(|()| draw.between(-1.0, 1.0));
        let size = q.iter().map(|v| v * v).sum::<f32>().sqrt();
        let [w, x, y, z] = q.map(|v| v / size);
        let position = draw.vec(-1.0, 1.0);
        let object = Object::new(shape.clone(), position, Material::default())
            .rotated(Rotation::from_quaternion(q));
        let pose = Pose::from_parts(vector(position), Quaternion::from_xyzw(x, y, z, w));
        let (eye, rays) = rays(&mut draw, position);
        for (i, ours) in cast(&object, eye, &rays).into_iter().enumerate() {
            let ray = ParryRay::new(vector(eye), vector(rays.get(i)));
            let theirs = oracle.cast_ray_and_get_normal(&pose, &ray, 1e6, true);
            // An eye inside of a body does not see it.
            if theirs.is_none_or(|hit| hit.time_of_impact > 0.0) {
                tally.count(ours, theirs.map(|hit| (hit.time_of_impact, hit.normal)), tolerance);
            }
        }
    }
    tally
}

impl Tally {
    fn count(&mut self, ours: Option<(f32, Vec3)>, theirs: Option<(f32, Vector)>, tolerance: f32) {
        self.hits += usize::from(ours.is_some() || theirs.is_some());
        match (ours, theirs) {
            (None, None) => {}
            (Some((t, _)), Some((oracle_t, _))) if (t - oracle_t).abs() > tolerance => {
                self.ways += 1;
            }
            (Some((_, n)), Some((_, m))) => {
                let off = Vec3::new(n.x - m.x, n.y - m.y, n.z - m.z).length();
                self.normals += usize::from(off > 50.0 * tolerance);
            }
            _ => self.ways += 1,
        }
    }

    /// A few rays in a hundred may graze an edge, where rounding decides, or be among those that parry's
    /// iteration for cones and rounded boxes reports to hit what they pass.
    fn assert_agrees(&self, what: &str) {
        assert!(self.hits > 500, "{what}: too few hits to tell: {self:?}");
        let few = self.hits / 50;
        assert!(self.ways <= few && self.normals <= few, "{what}: {self:?}");
    }
}

#[test]
fn hits_and_normals_agree_with_parry() {
    let half = Vec3::new(0.7, 0.4, 0.9);
    let pairs: [(Shape, Box<dyn RayCast>, f32); 7] = [
        (Shape::Plane, Box::new(HalfSpace::new(Vector::Y)), 1e-3),
        (Shape::Sphere { radius: 0.8 }, Box::new(Ball::new(0.8)), 1e-4),
        (
            Shape::Capsule { radius: 0.4, half_height: 0.6 },
            Box::new(Capsule::new_y(0.6, 0.4)),
            1e-3,
        ),
        (Shape::Cuboid { half, rounding: 0.0 }, Box::new(Cuboid::new(vector(half))), 1e-4),
        (
            Shape::Cuboid { half, rounding: 0.2 },
            Box::new(RoundShape {
                inner_shape: Cuboid::new(vector(half - Vec3::new(0.2, 0.2, 0.2))),
                border_radius: 0.2,
            }),
            2e-3,
        ),
        (
            Shape::Cylinder { radius: 0.6, half_height: 0.5 },
            Box::new(Cylinder::new(0.5, 0.6)),
            1e-3,
        ),
        (
            Shape::Cone { bottom: 0.8, top: 0.0, half_height: 0.7 },
            Box::new(Cone::new(0.7, 0.8)),
            1e-3,
        ),
    ];
    for (shape, oracle, tolerance) in pairs {
        compare(&shape, oracle.as_ref(), tolerance).assert_agrees(&format!("{shape:?}"));
    }
}

/// Steps along each ray and demands that the shape begins where the hit is, with a normal against the ray.
fn assert_first_point_inside(shape: &Shape, inside: impl Fn(Vec3) -> bool) {
    const STEP: f32 = 2e-3;
    let mut draw = Draw(23);
    let [mut hits, mut wrong] = [0, 0];
    for _ in 0..8 {
        let (rotation, position) = (draw.rotation(), draw.vec(-1.0, 1.0));
        let object = Object::new(shape.clone(), position, Material::default()).rotated(rotation);
        let (eye, rays) = rays(&mut draw, position);
        for (i, ours) in cast(&object, eye, &rays).into_iter().enumerate() {
            let local = |t: f32| rotation.undo(eye + rays.get(i) * t - position);
            let first = (0..5000_u16).map(|k| f32::from(k) * STEP).find(|&t| inside(local(t)));
            hits += i32::from(first.is_some());
            let agrees = match (ours, first) {
                (None, None) => true,
                (Some((t, normal)), Some(first)) => {
                    (t - first).abs() < 2.0 * STEP && normal.dot(rays.get(i)) < 0.02
                }
                _ => false,
            };
            wrong += i32::from(!agrees);
        }
    }
    assert!(hits > 100 && wrong * 100 <= hits, "{shape:?}: {wrong} of {hits} hits differ");
}

#[test]
fn other_shapes_begin_where_their_points_do() {
    let half = Vec3::new(0.9, 0.3, 0.6);
    assert_first_point_inside(&Shape::Ellipsoid { half }, |p| {
        p.zip(half, |p, h| p / h).length() < 1.0
    });
    assert_first_point_inside(&Shape::Torus { ring: 0.7, tube: 0.25 }, |p| {
        p.x.hypot(p.z) < 0.95 && (p.x.hypot(p.z) - 0.7).hypot(p.y) < 0.25
    });
    for [bottom, top] in [[0.3, 0.8], [0.8, 0.0]] {
        assert_first_point_inside(&Shape::Cone { bottom, top, half_height: 0.6 }, |p| {
            let height = 0.5 + 0.5 * p.y / 0.6;
            (0.0..1.0).contains(&height) && p.x.hypot(p.z) < bottom + (top - bottom) * height
        });
    }
    for sides in 3..=8_u8 {
        let shape = Shape::Prism { sides, radius: 0.9, half_height: 0.5 };
        let sector = std::f32::consts::TAU / f32::from(sides);
        assert_first_point_inside(&shape, |p| {
            // The angle from the middle of the nearest side.
            let angle = (p.z.atan2(p.x) / sector).round() * sector - p.z.atan2(p.x);
            p.y.abs() < 0.5 && p.x.hypot(p.z) * angle.cos() < 0.9 * (0.5 * sector).cos()
        });
    }
}

#[test]
fn a_blob_of_one_bone_is_a_capsule() {
    let bone = crate::Bone { from: -Vec3::Y, to: Vec3::Y, radii: [0.4, 0.4] };
    let blob = Shape::Blob { bones: vec![bone], blend: 0.1 };
    compare(&blob, &Capsule::new_y(1.0, 0.4), 2e-3).assert_agrees("blob");
}
