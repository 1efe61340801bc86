//! What each sample sees first.

use crate::body::{Body, Kind};
use crate::lanes::{FAR, LANES, Lane, Lane3, max, min, select};
use crate::solid::{NEAR, Ray, Solid};
use crate::vec::Vec3;

/// The mark of a sample that sees no body.
pub(crate) const NOTHING: u32 = u32::MAX;
/// A march to a surface ends at this distance from it, as a share of the radius around the body.
const TOUCH: f32 = 5e-5;
/// Steps after which a march along a surface gives up and misses it.
const STEPS: usize = 96;

/// The first body on each ray so far, and the way there.
pub(crate) struct Hits {
    pub(crate) t: Lane,
    pub(crate) body: [u32; LANES],
}

impl Hits {
    pub(crate) const fn none() -> Self {
        Self { t: [FAR; LANES], body: [NOTHING; LANES] }
    }

    /// Whether any sample sees the body.
    #[inline(always)]
    pub(crate) fn shows(&self, body: u32) -> bool {
        self.body.iter().fold(false, |any, &b| any | (b == body))
    }

    #[inline(always)]
    fn offer(&mut self, i: usize, body: u32, t: f32) {
        let closer = t < self.t[i];
        self.t[i] = select(closer, t, self.t[i]);
        self.body[i] = select(closer, body, self.body[i]);
    }
}

/// Lets a body stand in the way of rays from `eye` along `rays`.
#[inline(always)]
pub(crate) fn meet(body: &Body<'_>, number: u32, eye: Vec3, rays: &Lane3, hits: &mut Hits) {
    match &body.kind {
        Kind::Plane(s) => meet_solid(s, body, number, (eye, rays), hits),
        Kind::Sphere(s) => meet_solid(s, body, number, (eye, rays), hits),
        Kind::Ellipsoid(s) => meet_solid(s, body, number, (eye, rays), hits),
        Kind::Capsule(s) => meet_solid(s, body, number, (eye, rays), hits),
        Kind::Cuboid(s) => meet_solid(s, body, number, (eye, rays), hits),
        Kind::Cone(s) => meet_solid(s, body, number, (eye, rays), hits),
        Kind::Prism(s) => meet_solid(s, body, number, (eye, rays), hits),
        Kind::Rounded(_) | Kind::Torus(_) | Kind::Blob(_) => {
            meet_field(body, number, eye, rays, hits);
        }
    }
}

#[inline(always)]
fn meet_solid<S: Solid>(
    solid: &S,
    body: &Body<'_>,
    number: u32,
    (eye, rays): (Vec3, &Lane3),
    hits: &mut Hits,
) {
    let origin = body.frame.point(eye);
    for i in 0..LANES {
        let direction = body.frame.direction(rays.get(i));
        hits.offer(i, number, solid.hit(Ray { origin, direction }));
    }
}

/// Walks along each ray by the distance from the body, which cannot pass through it (Hart 1996).
#[inline(always)]
fn meet_field(body: &Body<'_>, number: u32, eye: Vec3, rays: &Lane3, hits: &mut Hits) {
    let Some(bounds) = body.bounds else { return };
    let origin = body.frame.point(eye);
    let radius = bounds.half.length();
    let touch = TOUCH * radius;
    let mut walk = Walk { t: [0.0; LANES], end: [0.0; LANES] };
    let (mut points, mut distance) = (Lane3::zero(), [0.0; LANES]);
    for i in 0..LANES {
        let direction = body.frame.direction(rays.get(i));
        let [enter, leave] = Ray { origin: origin - bounds.centre, direction }.through(radius);
        walk.t[i] = max(enter, NEAR);
        walk.end[i] = min(leave, hits.t[i]);
    }
    for _ in 0..STEPS {
        for i in 0..LANES {
            let direction = body.frame.direction(rays.get(i));
            points.set(i, origin + direction * walk.t[i]);
        }
        body.distances(&points, &mut distance);
        if !walk.step(&distance, touch) {
            break;
        }
    }
    for i in 0..LANES {
        let arrived = (distance[i] < touch) & (walk.t[i] < walk.end[i]);
        hits.offer(i, number, select(arrived, walk.t[i], FAR));
    }
}

/// How far each sample has walked, and where its walk ends in vain.
struct Walk {
    t: Lane,
    end: Lane,
}

impl Walk {
    /// Moves the samples that have neither arrived nor passed the end; false if there are none.
    #[inline(always)]
    fn step(&mut self, distance: &Lane, touch: f32) -> bool {
        let mut any = 0;
        for i in 0..LANES {
            let walks = (distance[i] >= touch) & (self.t[i] < self.end[i]);
            self.t[i] += select(walks, distance[i], 0.0);
            any |= u32::from(walks);
        }
        any != 0
    }
}
