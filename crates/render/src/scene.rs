use crate::camera::Camera;
use crate::color::Rgb;
use crate::shape::Shape;
use crate::vec::{Rotation, Vec3};

/// All that a picture shows.
///
/// A point of an object sends `emission + albedo · (ambient + Σ lights) + specular · Σ highlights` to the
/// camera; light is added without bound and cut to what a picture can hold at the very end.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scene {
    /// What stands in the scene, in any order. An object that contains the eye is not seen.
    pub objects: Vec<Object>,
    /// What lights it.
    pub lights: Vec<Light>,
    /// Light from everywhere.
    pub ambient: Rgb,
    /// What is seen past all objects.
    pub background: Background,
    /// Who looks.
    pub camera: Camera,
}

/// A shape in its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// The form in its own frame.
    pub shape: Shape,
    /// Where the origin of its frame lies.
    pub position: Vec3,
    /// How its frame is turned.
    pub rotation: Rotation,
    /// What it is made of.
    pub material: Material,
}

impl Object {
    /// A shape at a place, not turned.
    pub fn new(shape: Shape, position: Vec3, material: Material) -> Self {
        Self { shape, position, rotation: Rotation::IDENTITY, material }
    }

    /// A capsule whose half balls are centred on `from` and `to`, which must differ.
    pub fn capsule_between(from: Vec3, to: Vec3, radius: f32, material: Material) -> Self {
        let shape = Shape::Capsule { radius, half_height: 0.5 * (to - from).length() };
        Self::new(shape, (from + to) * 0.5, material).rotated(Rotation::y_towards(to - from))
    }

    /// The same object, turned about its own origin after all earlier turns.
    pub fn rotated(self, rotation: Rotation) -> Self {
        Self { rotation: rotation.after(self.rotation), ..self }
    }

    /// The same object, moved up or down until its lowest point is at height `y`.
    ///
    /// ```
    /// use domino_render::{Material, Object, Rgb, Shape, Vec3};
    ///
    /// let ball = Object::new(Shape::Sphere { radius: 0.5 }, Vec3::X, Material::matte(Rgb::WHITE));
    /// assert_eq!(ball.resting_at(0.0).position, Vec3::new(1.0, 0.5, 0.0));
    /// ```
    pub fn resting_at(mut self, y: f32) -> Self {
        self.position.y = y + self.shape.reach(self.rotation.undo(-Vec3::Y));
        self
    }
}

/// What an object is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Material {
    /// Share of the light that comes back in all directions.
    pub albedo: Rgb,
    /// A second albedo in a pattern with the first.
    pub texture: Texture,
    /// Strength of the highlights; 0 for a matte surface.
    pub specular: f32,
    /// Sharpness of the highlights, as an exponent of Blinn and Phong: 8 is satin, 200 is polished.
    pub shininess: f32,
    /// Light of its own.
    pub emission: Rgb,
}

impl Material {
    /// Chalk of a colour.
    pub fn matte(albedo: Rgb) -> Self {
        Self { albedo, ..Self::default() }
    }

    /// The same with highlights.
    pub fn glossy(self, specular: f32, shininess: f32) -> Self {
        Self { specular, shininess, ..self }
    }

    /// The same with light of its own. It lights no other object: put a [`Light`] there too.
    pub fn glowing(self, emission: Rgb) -> Self {
        Self { emission, ..self }
    }

    /// The same with a pattern.
    pub fn textured(self, texture: Texture) -> Self {
        Self { texture, ..self }
    }
}

/// A pattern that fills space in an object's own frame, so that it turns and moves with the object.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Texture {
    /// One colour.
    #[default]
    Plain,
    /// Cubes of the two colours by turns.
    Checker {
        /// The other colour.
        other: Rgb,
        /// Edge of a cube.
        size: f32,
    },
    /// Layers of the two colours by turns, across `x`.
    Stripes {
        /// The other colour.
        other: Rgb,
        /// Thickness of a layer.
        size: f32,
    },
    /// Smooth random clouds between the two colours.
    Noise {
        /// The other colour.
        other: Rgb,
        /// Size of a cloud.
        size: f32,
        /// Which clouds.
        seed: u32,
    },
}

/// A small lamp.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Light {
    /// Where it is. An object around it does not stand in its way.
    pub position: Vec3,
    /// Its light on a white surface that faces it from close by.
    pub color: Rgb,
    /// `k` of the attenuation `1 / (1 + k · distance²)`; 0 for light that never fades.
    pub attenuation: f32,
    /// What objects in its way do.
    pub shadow: Shadow,
    /// The cone it shines into, if not all around.
    pub spot: Option<Spot>,
}

impl Light {
    /// A lamp that shines all around, does not fade and casts no shadow.
    pub fn new(position: Vec3, color: Rgb) -> Self {
        Self { position, color, attenuation: 0.0, shadow: Shadow::None, spot: None }
    }

    /// The same, fading as `1 / (1 + k · distance²)`.
    pub fn fading(self, attenuation: f32) -> Self {
        Self { attenuation, ..self }
    }

    /// The same as a ball that casts soft shadows; radius 0 casts hard ones.
    pub fn casting(self, radius: f32) -> Self {
        Self { shadow: Shadow::Soft { radius }, ..self }
    }

    /// The same, shining only into a cone.
    pub fn aimed(self, spot: Spot) -> Self {
        Self { spot: Some(spot), ..self }
    }
}

/// What an object between a light and a surface does.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Shadow {
    /// Nothing: light goes through.
    #[default]
    None,
    /// It covers the part of the light's disc that it hides, as far as that can be told from how closely
    /// the ray to the light's centre passes it.
    Soft {
        /// Radius of the light; 0 for hard shadows.
        radius: f32,
    },
}

/// A cone of light.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spot {
    /// Where it points.
    pub towards: Vec3,
    /// Angle from its axis in radians within which the light is whole.
    pub inner: f32,
    /// Angle from its axis in radians, larger than `inner`, from which on there is none.
    pub outer: f32,
}

/// What is seen past all objects: one colour below, another above, and a smooth change between.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Background {
    /// Straight down.
    pub below: Rgb,
    /// Straight up.
    pub above: Rgb,
}

impl Background {
    /// The same colour everywhere.
    pub fn flat(color: Rgb) -> Self {
        Self { below: color, above: color }
    }
}
