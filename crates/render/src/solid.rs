//! The solids as arithmetic on one ray or one point, without branches.
#![allow(clippy::trivially_copy_pass_by_ref, reason = "one trait for solids small and large")]

use crate::lanes::{FAR, clamp, max, min};
use crate::shape::around;
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
    if t > 0.0 { t } else { FAR }
}

/// `v`, or a tiny number in place of zero, so that dividing by it gives no NaN.
#[inline(always)]
fn nonzero(v: f32) -> f32 {
    const TINY: f32 = 1e-12;
    if v.abs() < TINY { TINY } else { v }
}

#[derive(Clone, Copy)]
pub(crate) struct Plane;

impl Solid for Plane {
    #[inline(always)]
    fn hit(&self, ray: Ray) -> f32 {
        let t = -ray.origin.y / nonzero(ray.direction.y);
        in_front(if (ray.origin.y > 0.0) & (t < FAR) { t } else { FAR })
    }

    #[inline(always)]
    fn normal(&self, _: Vec3) -> Vec3 {
        Vec3::Y
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Sphere {
    pub(crate) radius: f32,
}

impl Solid for Sphere {
    #[inline(always)]
    fn hit(&self, ray: Ray) -> f32 {
        let along = ray.origin.dot(ray.direction);
        // From the foot of the perpendicular: the textbook's b² - c loses half the digits far away.
        let foot = ray.origin - ray.direction * along;
        let room = self.radius * self.radius - foot.dot(foot);
        in_front(if room > 0.0 { -along - max(room, 0.0).sqrt() } else { FAR })
    }

    #[inline(always)]
    fn normal(&self, point: Vec3) -> Vec3 {
        point * (1.0 / self.radius)
    }
}

impl Occluder for Sphere {
    #[inline(always)]
    fn miss(&self, ray: Ray, length: f32) -> f32 {
        let t = clamp(-ray.origin.dot(ray.direction), NEAR, length);
        (ray.at(t).length() - self.radius) / t
    }
}

impl Field for Sphere {
    #[inline(always)]
    fn distance(&self, point: Vec3) -> f32 {
        point.length() - self.radius
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Ellipsoid {
    inverse: Vec3,
}

impl Ellipsoid {
    pub(crate) fn new(half: Vec3) -> Self {
        Self { inverse: half.map(|h| 1.0 / h) }
    }

    #[inline(always)]
    fn scaled(&self, v: Vec3) -> Vec3 {
        v.zip(self.inverse, |v, i| v * i)
    }
}

impl Solid for Ellipsoid {
    #[inline(always)]
    fn hit(&self, ray: Ray) -> f32 {
        let [o, d] = [self.scaled(ray.origin), self.scaled(ray.direction)];
        let speed = d.length();
        let unit = Sphere { radius: 1.0 };
        let t = unit.hit(Ray { origin: o, direction: d * (1.0 / speed) });
        if t < FAR { t / speed } else { FAR }
    }

    #[inline(always)]
    fn normal(&self, point: Vec3) -> Vec3 {
        self.scaled(self.scaled(point)).normalized()
    }
}

impl Occluder for Ellipsoid {
    #[inline(always)]
    fn miss(&self, ray: Ray, length: f32) -> f32 {
        let [o, d] = [self.scaled(ray.origin), self.scaled(ray.direction)];
        let t = clamp(-o.dot(d) / d.dot(d), NEAR, length);
        self.distance(ray.at(t)) / t
    }
}

impl Field for Ellipsoid {
    /// To first order: the excess of the scaled radius over 1, over its slope.
    #[inline(always)]
    fn distance(&self, point: Vec3) -> f32 {
        let scaled = self.scaled(point);
        let radius = scaled.length();
        (radius - 1.0) * radius / max(self.scaled(scaled).length(), 1e-6)
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Capsule {
    pub(crate) radius: f32,
    pub(crate) half_height: f32,
}

impl Capsule {
    /// From the nearest point of the axis to `point`.
    #[inline(always)]
    fn off_axis(&self, point: Vec3) -> Vec3 {
        let foot = clamp(point.y, -self.half_height, self.half_height);
        Vec3::new(point.x, point.y - foot, point.z)
    }
}

impl Solid for Capsule {
    #[inline(always)]
    fn hit(&self, ray: Ray) -> f32 {
        let Ray { origin: o, direction: d } = ray;
        // The endless cylinder around the axis, then the ball at the end past which the ray enters it.
        let a = max(d.x * d.x + d.z * d.z, 1e-12);
        let b = o.x * d.x + o.z * d.z;
        let cross = o.x * d.z - o.z * d.x;
        let room = self.radius * self.radius * a - cross * cross;
        let side = (-b - max(room, 0.0).sqrt()) / a;
        let y = o.y + side * d.y;
        let end = if y < 0.0 { -self.half_height } else { self.half_height };
        let ball = Ray { origin: Vec3::new(o.x, o.y - end, o.z), direction: d };
        let cap = Sphere { radius: self.radius }.hit(ball);
        if (y.abs() < self.half_height) & (room > 0.0) { in_front(side) } else { cap }
    }

    #[inline(always)]
    fn normal(&self, point: Vec3) -> Vec3 {
        self.off_axis(point) * (1.0 / self.radius)
    }
}

impl Occluder for Capsule {
    #[inline(always)]
    fn miss(&self, ray: Ray, length: f32) -> f32 {
        let Ray { origin: o, direction: d } = ray;
        let lean = max(1.0 - d.y * d.y, 1e-6);
        let free = (o.y * d.y - o.dot(d)) / lean;
        // The nearest pair of points on two lines; where the axis has ended, the nearest to its end.
        let foot = clamp(o.y + free * d.y, -self.half_height, self.half_height);
        let t = clamp(foot * d.y - o.dot(d), NEAR, length);
        self.distance(ray.at(t)) / t
    }
}

impl Field for Capsule {
    #[inline(always)]
    fn distance(&self, point: Vec3) -> f32 {
        self.off_axis(point).length() - self.radius
    }
}

/// A box with sharp or rounded edges: all points within `rounding` of a core.
#[derive(Clone, Copy)]
pub(crate) struct Cuboid {
    core: Vec3,
    rounding: f32,
}

impl Cuboid {
    pub(crate) fn new(half: Vec3, rounding: f32) -> Self {
        Self { core: half.map(|h| h - rounding), rounding }
    }

    /// Where the ray enters and leaves the slab of each axis.
    #[inline(always)]
    fn slabs(&self, ray: Ray) -> [Vec3; 2] {
        let inverse = ray.direction.map(|d| 1.0 / nonzero(d));
        let middle = inverse.zip(ray.origin, |i, o| -i * o);
        let reach = inverse.zip(self.core, |i, h| i.abs() * h);
        [middle - reach, middle + reach]
    }

    /// From the nearest point of the core to `point`.
    #[inline(always)]
    fn off_core(&self, point: Vec3) -> Vec3 {
        point - point.zip(self.core, |p, h| clamp(p, -h, h))
    }

    /// The `t` in `[NEAR, length]` of the point of the ray nearest to the core, outside of it.
    ///
    /// Half the slope of the squared distance, `d · off_core`, grows with `t` in straight pieces that
    /// change where the ray meets a face, so its zero is found between the two meetings around it.
    #[inline(always)]
    fn closest(&self, ray: Ray, [enter, leave]: [Vec3; 2], length: f32) -> f32 {
        let slope = |t: f32| ray.direction.dot(self.off_core(ray.at(t)));
        let [mut low, mut high] = [NEAR, length];
        let [mut below, mut above] = [slope(low), slope(high)];
        for meeting in [enter.x, enter.y, enter.z, leave.x, leave.y, leave.z] {
            let t = clamp(meeting, NEAR, length);
            let s = slope(t);
            let [rises, falls] = [(s >= 0.0) & (t < high), (s < 0.0) & (t > low)];
            [high, above] = [if rises { t } else { high }, if rises { s } else { above }];
            [low, below] = [if falls { t } else { low }, if falls { s } else { below }];
        }
        let share = clamp(-below / max(above - below, 1e-12), 0.0, 1.0);
        low + (high - low) * share
    }
}

/// How far a ray that goes through a box must be moved sideways to miss it, negative if it does miss.
#[inline(always)]
fn sideways(ray: Ray, enter: Vec3, leave: Vec3) -> f32 {
    // The edge along the third axis, seen along that axis, is a point, and the ray a line past it.
    let edge = |da: f32, db: f32, a: [f32; 2], b: [f32; 2]| {
        let overlap = min(a[1] - b[0], b[1] - a[0]);
        overlap * (da * db).abs() / max((da * da + db * db).sqrt(), 1e-6)
    };
    let d = ray.direction;
    let [x, y, z] = [[enter.x, leave.x], [enter.y, leave.y], [enter.z, leave.z]];
    min(edge(d.x, d.y, x, y), min(edge(d.y, d.z, y, z), edge(d.z, d.x, z, x)))
}

impl Solid for Cuboid {
    #[inline(always)]
    fn hit(&self, ray: Ray) -> f32 {
        let [enter, leave] = self.slabs(ray);
        let near = max(max(enter.x, enter.y), enter.z);
        let far = min(min(leave.x, leave.y), leave.z);
        in_front(if near < far { near } else { FAR })
    }

    #[inline(always)]
    fn normal(&self, point: Vec3) -> Vec3 {
        // The face that the point is nearest to; ties go to the first.
        let out = point.zip(self.core, |p, h| p.abs() - h);
        let most = max(max(out.x, out.y), out.z);
        let x = if out.x >= most { 1.0 } else { 0.0 };
        let y = if out.y >= most { 1.0 - x } else { 0.0 };
        let faces = Vec3::new(x, y, 1.0 - x - y);
        faces.zip(point, |face, p| if p < 0.0 { -face } else { face })
    }
}

impl Occluder for Cuboid {
    #[inline(always)]
    fn miss(&self, ray: Ray, length: f32) -> f32 {
        let slabs = self.slabs(ray);
        let [enter, leave] = slabs;
        let near = max(max(max(enter.x, enter.y), enter.z), NEAR);
        let far = min(min(min(leave.x, leave.y), leave.z), length);
        let through = near < far;
        let t = self.closest(ray, slabs, length);
        let outside = self.off_core(ray.at(t)).length();
        let inside = max(sideways(ray, enter, leave), 0.0);
        let [t, distance] =
            [if through { 0.5 * (near + far) } else { t }, if through { -inside } else { outside }];
        (distance - self.rounding) / t
    }
}

impl Field for Cuboid {
    #[inline(always)]
    fn distance(&self, point: Vec3) -> f32 {
        let out = point.zip(self.core, |p, h| p.abs() - h);
        let inside = min(max(max(out.x, out.y), out.z), 0.0);
        out.map(|v| max(v, 0.0)).length() + inside - self.rounding
    }
}

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
        in_front(if p.x * p.x + p.z * p.z < radius * radius { t } else { FAR })
    }

    /// A way to the mantle, where it is part of the cone.
    #[inline(always)]
    fn mantle(&self, ray: Ray, t: f32) -> f32 {
        let y = ray.origin.y + t * ray.direction.y;
        in_front(if y.abs() < self.half_height { t } else { FAR })
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
        let q = if b < 0.0 { root - b } else { -b - root };
        let mantle = min(self.mantle(ray, q / nonzero(a)), self.mantle(ray, c / nonzero(q)));
        let ends = min(self.end(ray, self.half_height), self.end(ray, -self.half_height));
        min(if room > 0.0 { mantle } else { FAR }, ends)
    }

    #[inline(always)]
    fn normal(&self, point: Vec3) -> Vec3 {
        let level = Vec3::new(point.x, 0.0, point.z);
        let around = level.length();
        let mantle = level * (1.0 / max(around, 1e-6)) - Vec3::Y * self.slope;
        let end = if point.y < 0.0 { -Vec3::Y } else { Vec3::Y };
        let past_end = point.y.abs() - self.half_height;
        let past_mantle = (around - self.radius(point.y)) / mantle.length();
        let normal = mantle.normalized();
        normal.zip(end, |m, e| if past_end > past_mantle { e } else { m })
    }
}

impl Field for Cone {
    #[inline(always)]
    fn distance(&self, point: Vec3) -> f32 {
        // Seen along a circle around the axis the cone is a quadrilateral: the nearest points of its flat
        // end and of its mantle, of which the nearer counts.
        let around = (point.x * point.x + point.z * point.z).sqrt();
        let side = if point.y < 0.0 { -self.half_height } else { self.half_height };
        let flat = [max(around - self.radius(side), 0.0), point.y.abs() - self.half_height];
        let along = self.slope * (around - self.middle) + point.y;
        let y = along / (1.0 + self.slope * self.slope);
        let y = clamp(y, -self.half_height, self.half_height);
        let slant = [around - self.radius(y), point.y - y];
        let square = |v: [f32; 2]| v[0] * v[0] + v[1] * v[1];
        let nearest = min(square(flat), square(slant)).sqrt();
        let inside = (around < self.radius(point.y)) & (point.y.abs() < self.half_height);
        if inside { -nearest } else { nearest }
    }
}

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
            near = if speed < 0.0 { max(near, t) } else { near };
            far = if speed < 0.0 { far } else { min(far, t) };
        }
        in_front(if near < far { near } else { FAR })
    }

    #[inline(always)]
    fn normal(&self, point: Vec3) -> Vec3 {
        let mut normal = if point.y < 0.0 { -Vec3::Y } else { Vec3::Y };
        let mut out = point.y.abs() - self.half_height;
        for side in self.sides {
            let past = side.dot(point) - self.apothem;
            normal = normal.zip(side, |n, s| if past > out { s } else { n });
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
