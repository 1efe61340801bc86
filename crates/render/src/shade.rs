//! What the surface is like where a sample meets it.

use crate::body::{Body, Kind};
use crate::color::Rgb;
use crate::lanes::{LANES, Lane, Lane3, clamp, floor, max, select};
use crate::scene::{Background, Scene, Texture};
use crate::solid::Solid;
use crate::trace::{Hits, NOTHING};
use crate::vec::Vec3;

/// Cells of a texture are told apart up to here; floats have no fractions much farther out.
const COUNTED: f32 = 1e6;

/// The surface under each sample, and the light that comes from it so far.
pub(crate) struct Surface {
    pub(crate) point: Lane3,
    pub(crate) normal: Lane3,
    pub(crate) albedo: Lane3,
    pub(crate) specular: Lane,
    pub(crate) shininess: Lane,
    pub(crate) light: Lane3,
    /// Whether any sample has highlights.
    pub(crate) glossy: bool,
}

impl Surface {
    pub(crate) const fn dark() -> Self {
        Self {
            point: Lane3::zero(),
            normal: Lane3::zero(),
            albedo: Lane3::zero(),
            specular: [0.0; LANES],
            shininess: [0.0; LANES],
            light: Lane3::zero(),
            glossy: false,
        }
    }

    /// Starts a tile: the points that `hits` found, and the background where it found none.
    #[inline(always)]
    pub(crate) fn begin(&mut self, eye: Vec3, rays: &Lane3, hits: &Hits, behind: &Background) {
        self.glossy = false;
        for i in 0..LANES {
            let missed = hits.body[i] == NOTHING;
            // A miss lies in the eye, where numbers are small; without normal and albedo it stays unlit.
            let t = select(missed, 0.0, hits.t[i]);
            self.point.set(i, eye + rays.get(i) * t);
            self.normal.set(i, Vec3::ZERO);
            self.albedo.set_color(i, Rgb::BLACK);
            self.specular[i] = 0.0;
            self.shininess[i] = 1.0;
            let height = 0.5 + 0.5 * rays.get(i).y;
            let seen = mix(behind.below, behind.above, height);
            self.light.set(i, seen.vec().map(|v| select(missed, v, 0.0)));
        }
    }

    /// Gives the samples that see a body its normals and its material.
    #[inline(always)]
    pub(crate) fn cover(&mut self, body: &Body<'_>, number: u32, hits: &Hits, scene: &Scene) {
        match &body.kind {
            Kind::Plane(s) => self.orient(s, body, number, hits),
            Kind::Sphere(s) => self.orient(s, body, number, hits),
            Kind::Ellipsoid(s) => self.orient(s, body, number, hits),
            Kind::Capsule(s) => self.orient(s, body, number, hits),
            Kind::Cuboid(s) => self.orient(s, body, number, hits),
            Kind::Cone(s) => self.orient(s, body, number, hits),
            Kind::Prism(s) => self.orient(s, body, number, hits),
            Kind::Rounded(_) | Kind::Torus(_) | Kind::Blob(_) => {
                self.orient_field(body, number, hits);
            }
        }
        self.paint(body, number, hits, scene);
    }

    #[inline(always)]
    fn orient<S: Solid>(&mut self, solid: &S, body: &Body<'_>, number: u32, hits: &Hits) {
        for i in 0..LANES {
            let local = solid.normal(body.frame.point(self.point.get(i)));
            self.turn(i, number, hits, body.frame.direction_out(local));
        }
    }

    /// The normal as the slope of the distance, from its values at the corners of a small tetrahedron.
    #[inline(always)]
    fn orient_field(&mut self, body: &Body<'_>, number: u32, hits: &Hits) {
        const CORNERS: [Vec3; 4] = [
            Vec3::new(1.0, -1.0, -1.0),
            Vec3::new(-1.0, -1.0, 1.0),
            Vec3::new(-1.0, 1.0, -1.0),
            Vec3::new(1.0, 1.0, 1.0),
        ];
        let size = body.bounds.map_or(1.0, |bounds| bounds.half.length());
        let [mut slope, mut near] = [Lane3::zero(), Lane3::zero()];
        let mut distance = [0.0; LANES];
        for corner in CORNERS {
            for i in 0..LANES {
                near.set(i, body.frame.point(self.point.get(i)) + corner * (5e-4 * size));
            }
            body.distances(&near, &mut distance);
            for i in 0..LANES {
                slope.set(i, slope.get(i) + corner * distance[i]);
            }
        }
        for i in 0..LANES {
            let length = slope.get(i).length();
            let local = slope.get(i) * (1.0 / select(length > 0.0, length, 1.0));
            self.turn(i, number, hits, body.frame.direction_out(local));
        }
    }

    #[inline(always)]
    fn turn(&mut self, i: usize, number: u32, hits: &Hits, normal: Vec3) {
        let mine = hits.body[i] == number;
        let old = self.normal.get(i);
        self.normal.set(i, normal.zip(old, |new, old| select(mine, new, old)));
    }

    #[inline(always)]
    fn paint(&mut self, body: &Body<'_>, number: u32, hits: &Hits, scene: &Scene) {
        let material = &body.object.material;
        self.glossy |= material.specular > 0.0;
        // A matte material may leave its shininess at 0, for which the highlight has no value.
        let shininess = max(material.shininess, 1.0);
        let mut other = [0.0; LANES];
        self.weave(body, &mut other);
        for i in 0..LANES {
            let mine = hits.body[i] == number;
            let pick = |new: f32, old: f32| select(mine, new, old);
            let color = mix(material.albedo, second(material.texture), other[i]);
            let light = material.emission + color * scene.ambient;
            self.albedo.set(i, color.vec().zip(self.albedo.get(i), pick));
            self.light.set(i, light.vec().zip(self.light.get(i), pick));
            self.specular[i] = pick(material.specular, self.specular[i]);
            self.shininess[i] = pick(shininess, self.shininess[i]);
        }
    }

    /// The share of the second colour in the texture of a body.
    #[inline(always)]
    fn weave(&self, body: &Body<'_>, share: &mut Lane) {
        let size = match body.object.material.texture {
            Texture::Plain => return,
            Texture::Checker { size, .. }
            | Texture::Stripes { size, .. }
            | Texture::Noise { size, .. } => size,
        };
        let mut cells = Lane3::zero();
        for i in 0..LANES {
            // A little under the surface, which may lie just between two cells.
            let under = self.point.get(i) - self.normal.get(i) * (0.01 * size);
            let cell = body.frame.point(under) * (1.0 / size);
            cells.set(i, cell.map(|v| clamp(v, -COUNTED, COUNTED)));
        }
        match body.object.material.texture {
            Texture::Plain => {}
            Texture::Checker { .. } => {
                for i in 0..LANES {
                    let cell = cells.get(i).map(floor);
                    share[i] = odd(cell.x + cell.y + cell.z);
                }
            }
            Texture::Stripes { .. } => {
                for i in 0..LANES {
                    share[i] = odd(floor(cells.get(i).x));
                }
            }
            Texture::Noise { seed, .. } => {
                for i in 0..LANES {
                    share[i] = clouds(cells.get(i), seed);
                }
            }
        }
    }
}

fn second(texture: Texture) -> Rgb {
    match texture {
        Texture::Plain => Rgb::BLACK,
        Texture::Checker { other, .. }
        | Texture::Stripes { other, .. }
        | Texture::Noise { other, .. } => other,
    }
}

#[inline(always)]
fn mix(a: Rgb, b: Rgb, share: f32) -> Rgb {
    a * (1.0 - share) + b * share
}

/// 1 for odd whole numbers, 0 for even ones.
#[inline(always)]
fn odd(whole: f32) -> f32 {
    whole - 2.0 * floor(0.5 * whole)
}

/// Random numbers at the corners of cells, smoothly joined within; a second layer twice as fine has half
/// the weight.
#[inline(always)]
fn clouds(p: Vec3, seed: u32) -> f32 {
    let fine = p * 2.0 + Vec3::new(0.5, 0.5, 0.5);
    (2.0 * value_noise(p, seed) + value_noise(fine, !seed)) * (1.0 / 3.0)
}

#[inline(always)]
fn value_noise(p: Vec3, seed: u32) -> f32 {
    let cell = p.map(floor);
    let share = (p - cell).map(|x| x * x * (3.0 - 2.0 * x));
    let at = |dx: u32, dy: u32, dz: u32| corner_value(cell, [dx, dy, dz], seed);
    let between = |a: f32, b: f32, share: f32| a + (b - a) * share;
    let row = |dy: u32, dz: u32| between(at(0, dy, dz), at(1, dy, dz), share.x);
    let side = |dz: u32| between(row(0, dz), row(1, dz), share.y);
    between(side(0), side(1), share.z)
}

/// A number in `[0, 1)` for a corner of a cell, by the integer hash of Wellons (`lowbias32`).
#[inline(always)]
fn corner_value(cell: Vec3, step: [u32; 3], seed: u32) -> f32 {
    let whole = |v: f32, step: u32| (v as i32 as u32).wrapping_add(step);
    let mut h = seed
        ^ whole(cell.x, step[0]).wrapping_mul(0x9e37_79b1)
        ^ whole(cell.y, step[1]).wrapping_mul(0x85eb_ca77)
        ^ whole(cell.z, step[2]).wrapping_mul(0xc2b2_ae3d);
    h = (h ^ (h >> 16)).wrapping_mul(0x7feb_352d);
    h = (h ^ (h >> 15)).wrapping_mul(0x846c_a68b);
    ((h ^ (h >> 16)) >> 8) as f32 * (1.0 / 16_777_216.0)
}
