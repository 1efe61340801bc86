use super::{Field, NEAR, Occluder, Ray, Solid, in_front, nonzero};
use crate::lanes::{FAR, clamp, max, min, select};
use crate::vec::Vec3;

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
            [high, above] = [select(rises, t, high), select(rises, s, above)];
            [low, below] = [select(falls, t, low), select(falls, s, below)];
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
        in_front(select(near < far, near, FAR))
    }

    #[inline(always)]
    fn normal(&self, point: Vec3) -> Vec3 {
        // The face that the point is nearest to; ties go to the first.
        let out = point.zip(self.core, |p, h| p.abs() - h);
        let most = max(max(out.x, out.y), out.z);
        let x = select(out.x >= most, 1.0, 0.0);
        let y = select(out.y >= most, 1.0 - x, 0.0);
        let faces = Vec3::new(x, y, 1.0 - x - y);
        faces.zip(point, |face, p| select(p < 0.0, -face, face))
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
            [select(through, 0.5 * (near + far), t), select(through, -inside, outside)];
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
