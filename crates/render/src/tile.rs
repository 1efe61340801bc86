//! A picture as tiles of 8 x 8 samples, each with the bodies that it can show.

use crate::body::Body;
use crate::camera::View;
use crate::color::Rgb;
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
    /// Numbers of the bodies that do not contain the eye.
    visible: Vec<u32>,
    view: View,
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
    pub(crate) fn light(&self, i: usize) -> Rgb {
        self.surface.light.color(i)
    }
}

impl<'a> Stage<'a> {
    pub(crate) fn new(scene: &'a Scene, grid: [usize; 2]) -> Self {
        let bodies: Vec<_> = scene.objects.iter().map(Body::new).collect();
        let lamps = scene.lights.iter().map(|light| Lamp::new(light, &bodies)).collect();
        let seen = (0..).zip(&bodies).filter(|(_, body)| !body.contains(scene.camera.eye));
        let visible = seen.map(|(number, _)| number).collect();
        Self { scene, bodies, lamps, visible, view: View::new(&scene.camera, grid) }
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
        candidates.clear();
        candidates.extend(&self.visible);
        *hits = Hits::none();
        for &number in &*candidates {
            meet(&self.bodies[number as usize], number, eye, rays, hits);
        }
        surface.begin(eye, rays, hits, &self.scene.background);
        for &number in &*candidates {
            if hits.shows(number) {
                surface.cover(&self.bodies[number as usize], number, hits, self.scene);
            }
        }
        for lamp in &self.lamps {
            if !beam.aim(lamp, surface) {
                continue;
            }
            for &number in &lamp.occluders {
                let Some(radius) = lamp.radius else { break };
                beam.pass(radius, &self.bodies[number as usize], number, (surface, hits));
            }
            beam.shine(lamp, rays, surface);
        }
    }
}
