//! Light on surfaces, and what stands in its way.

use crate::approach::Approach;
use crate::body::{Body, Kind};
use crate::color::Rgb;
use crate::lanes::{FAR, LANES, Lane, Lane3, max, min, select, smoothstep};
use crate::scene::{Light, Shadow};
use crate::shade::Surface;
use crate::solid::{Occluder, Ray};
use crate::trace::Hits;
use crate::vec::Vec3;

/// Hard shadows are those of a light this small.
const POINT: f32 = 1e-5;
/// The way, as a share of the size of a body, after which its own surface begins to count.
const OWN: f32 = 0.03;

/// A light made ready.
pub(crate) struct Lamp {
    pub(crate) position: Vec3,
    /// Radius of the light if it casts shadows.
    pub(crate) radius: Option<f32>,
    /// Numbers of the bodies that may stand in its way.
    pub(crate) occluders: Vec<u32>,
    color: Rgb,
    attenuation: f32,
    towards: Vec3,
    /// Cosine at the rim of the spot, and one over the difference to that at which the light is whole.
    rim: [f32; 2],
}

impl Lamp {
    pub(crate) fn new(light: &Light, bodies: &[Body<'_>]) -> Self {
        let radius = match light.shadow {
            Shadow::None => None,
            Shadow::Soft { radius } => Some(radius.max(POINT)),
        };
        let in_the_way = |body: &Body<'_>| body.bounds.is_some() && !body.contains(light.position);
        let numbered = (0..).zip(bodies).filter(|(_, body)| radius.is_some() && in_the_way(body));
        let (towards, rim) = match light.spot {
            // Cosines are never below -1, so that this spot is whole everywhere.
            None => (Vec3::Y, [-3.0, 1.0]),
            Some(spot) => {
                let [inner, outer] = [libm::cosf(spot.inner), libm::cosf(spot.outer)];
                (spot.towards.normalized(), [outer, 1.0 / (inner - outer)])
            }
        };
        Self {
            position: light.position,
            radius,
            occluders: numbered.map(|(number, _)| number).collect(),
            color: light.color,
            attenuation: light.attenuation,
            towards,
            rim,
        }
    }
}

/// The way to a lamp from each sample.
pub(crate) struct Beam {
    direction: Lane3,
    length: Lane,
    /// Light that arrives on the surface if nothing is in the way, as a share of the lamp's.
    power: Lane,
    visible: Lane,
}

impl Beam {
    pub(crate) const fn dark() -> Self {
        Self {
            direction: Lane3::zero(),
            length: [0.0; LANES],
            power: [0.0; LANES],
            visible: [0.0; LANES],
        }
    }

    /// Turns to a lamp; false if it lights no sample, even with nothing in its way.
    #[inline(always)]
    pub(crate) fn aim(&mut self, lamp: &Lamp, surface: &Surface) -> bool {
        let mut any = 0;
        for i in 0..LANES {
            let way = lamp.position - surface.point.get(i);
            let square = max(way.dot(way), 1e-12);
            let length = square.sqrt();
            let direction = way * (1.0 / length);
            let lambert = max(surface.normal.get(i).dot(direction), 0.0);
            let cosine = -direction.dot(lamp.towards);
            let spot = smoothstep((cosine - lamp.rim[0]) * lamp.rim[1]);
            let power = lambert * spot / (1.0 + lamp.attenuation * square);
            self.direction.set(i, direction);
            self.length[i] = length;
            self.power[i] = power;
            self.visible[i] = 1.0;
            any |= u32::from(power > 0.0);
        }
        any != 0
    }

    /// Lets a body take its part of the light.
    #[inline(always)]
    pub(crate) fn pass(
        &mut self,
        radius: f32,
        body: &Body<'_>,
        number: u32,
        to: (&Surface, &Hits),
    ) {
        match &body.kind {
            Kind::Plane(_) => {}
            Kind::Sphere(s) => self.pass_solid(s, radius, body, number, to),
            Kind::Ellipsoid(s) => self.pass_solid(s, radius, body, number, to),
            Kind::Capsule(s) => self.pass_solid(s, radius, body, number, to),
            Kind::Cuboid(s) | Kind::Rounded(s) => self.pass_solid(s, radius, body, number, to),
            Kind::Cone(_) | Kind::Prism(_) | Kind::Torus(_) | Kind::Blob(_) => {
                self.pass_field(radius, body, number, to);
            }
        }
    }

    #[inline(always)]
    fn pass_solid<O: Occluder>(
        &mut self,
        occluder: &O,
        radius: f32,
        body: &Body<'_>,
        number: u32,
        (surface, hits): (&Surface, &Hits),
    ) {
        for i in 0..LANES {
            let origin = body.frame.point(surface.point.get(i));
            let direction = body.frame.direction(self.direction.get(i));
            let length = self.length[i];
            let miss = occluder.miss(Ray { origin, direction }, length);
            // A convex body does not shade itself: its far side is turned away from the light.
            let miss = select(hits.body[i] == number, FAR, miss);
            self.dim(i, miss, radius);
        }
    }

    #[inline(always)]
    fn pass_field(
        &mut self,
        radius: f32,
        body: &Body<'_>,
        number: u32,
        (surface, hits): (&Surface, &Hits),
    ) {
        let Some(bounds) = body.bounds else { return };
        let size = bounds.half.length();
        let mut approach = Approach::new(body);
        for i in 0..LANES {
            let origin = body.frame.point(surface.point.get(i));
            let direction = body.frame.direction(self.direction.get(i));
            // A convex body does not shade itself; another might, but not where it starts.
            let own = select(body.is_convex(), FAR, OWN * size);
            let start = select(hits.body[i] == number, own, 0.0);
            // The light is nowhere wider than its own radius.
            let reach = size + radius;
            approach.set(i, Ray { origin, direction }, reach, [start, self.length[i]]);
        }
        let least = approach.least(size + radius);
        for i in 0..LANES {
            self.dim(i, least[i], radius);
        }
    }

    /// Leaves of the light what a body shows that is off the way to it by the tangent `miss`. The least
    /// counts, because bodies that touch, as the links of an arm, hide the same part of the light.
    #[inline(always)]
    fn dim(&mut self, i: usize, miss: f32, radius: f32) {
        let off = miss * self.length[i] / radius;
        self.visible[i] = min(self.visible[i], smoothstep(0.5 + 0.5 * off));
    }

    /// Adds the light that arrives.
    #[inline(always)]
    pub(crate) fn shine(&self, lamp: &Lamp, rays: &Lane3, surface: &mut Surface) {
        for i in 0..LANES {
            let light = lamp.color * (self.power[i] * self.visible[i]);
            let back = surface.light.color(i) + surface.albedo.color(i) * light;
            surface.light.set_color(i, back);
        }
        if surface.glossy {
            for i in 0..LANES {
                let half = self.direction.get(i) - rays.get(i);
                let along = surface.normal.get(i).dot(half) / max(half.length(), 1e-6);
                let cosine = max(along, 0.0);
                let lobe = surface.specular[i] * highlight(cosine, surface.shininess[i]);
                let light = lamp.color * (self.power[i] * self.visible[i] * lobe);
                surface.light.set_color(i, surface.light.color(i) + light);
            }
        }
    }
}

/// `cosineⁿ`, nearly: the fourth power of Schlick's rational stand-in for `n / 4` (Schlick 1994), which has
/// the same height and slope at 1 and needs no power function.
#[inline(always)]
fn highlight(cosine: f32, n: f32) -> f32 {
    let n = 0.25 * n;
    let lobe = cosine / (n - n * cosine + cosine);
    let square = lobe * lobe;
    square * square
}
