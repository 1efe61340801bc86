//! A picture as tiles of 8 x 8 samples, each with the bodies that it can show.

use crate::body::Body;
use crate::camera::View;
use crate::color::Rgb;
use crate::cull::{Pyramid, Seen, Shaft, Window};
use crate::lanes::{LANES, Lane3, TILE};
use crate::light::{Beam, Lamp};
use crate::scene::Scene;
use crate::shade::Surface;
use crate::trace::{Hits, meet};

/// A scene ready to be drawn on a grid of samples.
pub(crate) struct Stage<'a> {
    scene: &'a Scene,
    bodies: Vec<Body<'a>>,
    lamps: Vec<Lamp>,
    view: View,
    /// Bodies that do not contain the eye, with where they appear.
    visible: Vec<(u32, Window)>,
    culling: Culling,
}

/// Whether tiles leave out what they cannot show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Culling {
    On,
    /// What the tests compare with.
    #[cfg(test)]
    Off,
}

/// One tile on its way from rays to light.
pub(crate) struct Tile {
    rays: Lane3,
    hits: Hits,
    surface: Surface,
    beam: Beam,
    /// Numbers of the bodies that the tile may show.
    candidates: Vec<u32>,
}

impl Tile {
    pub(crate) fn new() -> Self {
        Self {
            rays: Lane3::zero(),
            hits: Hits::none(),
            surface: Surface::dark(),
            beam: Beam::dark(),
            candidates: Vec::new(),
        }
    }

    /// The light that sample `i` gets.
    #[inline(always)]
    pub(crate) fn light(&self, i: usize) -> Rgb {
        self.surface.light.color(i)
    }
}

impl<'a> Stage<'a> {
    pub(crate) fn new(scene: &'a Scene, grid: [usize; 2], culling: Culling) -> Self {
        let bodies: Vec<_> = scene.objects.iter().map(Body::new).collect();
        let lamps = scene.lights.iter().map(|light| Lamp::new(light, &bodies)).collect();
        let view = View::new(&scene.camera, grid);
        let seen = (0..).zip(&bodies).filter(|(_, body)| !body.contains(view.eye));
        let visible = seen.map(|(number, body)| (number, Window::of(body, &view))).collect();
        Self { scene, bodies, lamps, view, visible, culling }
    }

    fn body(&self, number: u32) -> &Body<'a> {
        &self.bodies[number as usize]
    }

    /// Draws the tile whose first sample is at `column` and `row` of the grid.
    #[inline(always)]
    pub(crate) fn draw(&self, [column, row]: [usize; 2], tile: &mut Tile) {
        let Tile { rays, hits, surface, beam, candidates } = tile;
        let eye = self.view.eye;
        for i in 0..LANES {
            let [u, v] = [(column + i % TILE) as f32 + 0.5, (row + i / TILE) as f32 + 0.5];
            let ray = self.view.corner + self.view.across * u + self.view.down * v;
            rays.set(i, ray.normalized());
        }
        self.choose([column as f32, row as f32], candidates);
        *hits = Hits::none();
        for &number in &*candidates {
            meet(self.body(number), number, eye, rays, hits);
        }
        surface.begin(eye, rays, hits, &self.scene.background);
        for &number in &*candidates {
            if hits.shows(number) {
                surface.cover(self.body(number), number, hits, self.scene);
            }
        }
        let seen = Seen::new(&surface.point, hits);
        for lamp in &self.lamps {
            if beam.aim(lamp, surface) {
                self.shade(lamp, &seen, (surface, hits), beam);
                beam.shine(lamp, rays, surface);
            }
        }
    }

    /// The bodies that a tile may show.
    #[inline(always)]
    fn choose(&self, corner: [f32; 2], candidates: &mut Vec<u32>) {
        let pyramid = Pyramid::new(&self.view, corner);
        let may_show = |(number, window): &(u32, Window)| {
            let body = self.body(*number);
            self.culling != Culling::On
                || window.meets(corner) && body.hull.as_ref().is_none_or(|hull| pyramid.meets(hull))
        };
        candidates.clear();
        candidates.extend(self.visible.iter().filter(|v| may_show(v)).map(|&(number, _)| number));
    }

    /// Lets the bodies between a tile and a lamp take their part of its light.
    #[inline(always)]
    fn shade(&self, lamp: &Lamp, seen: &Seen, to: (&Surface, &Hits), beam: &mut Beam) {
        let Some(radius) = lamp.radius else { return };
        let shaft = Shaft::new(seen, lamp.position, radius);
        for &number in &lamp.occluders {
            let body = self.body(number);
            let outside = body.hull.as_ref().is_some_and(|hull| !shaft.meets(hull));
            if self.culling != Culling::On || !outside {
                beam.pass(radius, body, number, to);
            }
        }
    }
}
