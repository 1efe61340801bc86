use super::{Cuboid, Field, NEAR, Occluder, Ray, Solid, in_front, nonzero};
use crate::lanes::{FAR, clamp, max, select};
use crate::vec::Vec3;

#[derive(Clone, Copy)]
pub(crate) struct Plane;

impl Solid for Plane {
    #[inline(always)]
    fn hit(&self, ray: Ray) -> f32 {
        let t = -ray.origin.y / nonzero(ray.direction.y);
        in_front(select((ray.origin.y > 0.0) & (t < FAR), t, FAR))
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
        in_front(select(room > 0.0, -along - max(room, 0.0).sqrt(), FAR))
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
    around: Cuboid,
}

impl Ellipsoid {
    pub(crate) fn new(half: Vec3) -> Self {
        Self { inverse: half.map(|h| 1.0 / h), around: Cuboid::new(half, 0.0) }
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
        select(t < FAR, t / speed, FAR)
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
    /// To first order: the excess of the scaled radius over 1, over its slope. That is far too little far
    /// away, where the distance from the box around it is not.
    #[inline(always)]
    fn distance(&self, point: Vec3) -> f32 {
        let scaled = self.scaled(point);
        let radius = scaled.length();
        let near = (radius - 1.0) * radius / max(self.scaled(scaled).length(), 1e-6);
        max(near, self.around.distance(point))
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
        let end = select(y < 0.0, -self.half_height, self.half_height);
        let ball = Ray { origin: Vec3::new(o.x, o.y - end, o.z), direction: d };
        let cap = Sphere { radius: self.radius }.hit(ball);
        select((y.abs() < self.half_height) & (room > 0.0), in_front(side), cap)
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
