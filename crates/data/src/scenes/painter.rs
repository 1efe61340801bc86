use domino_core::ImageShape;
#[cfg(test)]
use domino_render::Object;
use domino_render::{Camera, RenderOptions, Scene, render_into};

use super::config::SceneConfig;
use super::single::{Single, Stance};
use super::view::CameraConfig;
use super::{room, tabletop};
use crate::factors::{Painter, Variable};

/// A scene up to its properties.
#[derive(Clone, Debug)]
pub(super) enum Stage {
    Single(Single),
    Room,
    /// With this many objects.
    Tabletop(usize),
}

impl Stage {
    pub(super) fn new(config: &SceneConfig) -> Self {
        match config {
            SceneConfig::Floating => Self::Single(Single::new(Stance::Floating)),
            SceneConfig::Standing => Self::Single(Single::new(Stance::Standing)),
            SceneConfig::Room => Self::Room,
            SceneConfig::Tabletop(table) => Self::Tabletop(table.objects),
        }
    }

    pub(super) fn properties(&self) -> Vec<Variable> {
        match self {
            Self::Single(single) => single.properties(),
            Self::Room => room::properties(),
            Self::Tabletop(objects) => tabletop::properties(*objects),
        }
    }

    /// The usual camera.
    pub(super) fn camera(&self, values: &[f64]) -> Camera {
        match self {
            Self::Single(single) => single.camera(),
            Self::Room => room::camera(values),
            Self::Tabletop(_) => tabletop::camera(),
        }
    }

    /// What the properties speak of, without ground and walls.
    #[cfg(test)]
    pub(super) fn bodies(&self, values: &[f64]) -> Vec<Object> {
        match self {
            Self::Single(single) => single.body(values),
            Self::Room => vec![room::body(values)],
            Self::Tabletop(_) => tabletop::bodies(values),
        }
    }

    pub(super) fn scene(&self, values: &[f64]) -> Scene {
        let scene = match self {
            Self::Single(single) => single.scene(values),
            Self::Room => room::scene(values),
            Self::Tabletop(_) => tabletop::scene(values),
        };
        Scene { camera: self.camera(values), ..scene }
    }
}

/// Renders the scenes of a stage.
#[derive(Clone, Debug)]
pub(super) struct ScenePainter {
    stage: Stage,
    camera: CameraConfig,
    options: RenderOptions,
}

impl ScenePainter {
    pub(super) fn new(stage: Stage, camera: CameraConfig, size: usize, samples: usize) -> Self {
        Self { stage, camera, options: RenderOptions::new(size, size, samples) }
    }
}

impl Painter for ScenePainter {
    fn shape(&self) -> ImageShape {
        ImageShape { height: self.options.height, width: self.options.width, channels: 3 }
    }

    fn paint(&self, properties: &[f64], _: f64, into: &mut [u8]) {
        let mut scene = self.stage.scene(properties);
        scene.camera = self.camera.applied(scene.camera);
        render_into(&scene, &self.options, into)
            .expect("properties within their domains make a scene, and the size was checked");
    }
}
