//! A deterministic ray tracer of simple solids, for pictures whose causes are known.
//!
//! A [`Scene`] holds [`Object`]s of a [`Shape`] and a [`Material`], [`Light`]s with soft shadows, and a
//! [`Camera`]; [`render`] makes it a [`Picture`], the same to the last bit on every machine. The crate
//! knows nothing of causes: it draws what it is told.
//!
//! ```
//! use domino_render::{Light, Material, Object, RenderOptions, Rgb, Scene, Shape, Vec3, render};
//!
//! let ground = Object::new(Shape::Plane, Vec3::ZERO, Material::matte(Rgb::grey(0.4)));
//! let red = Material::matte(Rgb::new(0.8, 0.1, 0.1));
//! let ball = Object::new(Shape::Sphere { radius: 1.0 }, Vec3::ZERO, red).resting_at(0.0);
//! let sun = Light::new(Vec3::new(-3.0, 5.0, -4.0), Rgb::WHITE).casting(0.5);
//! let scene = Scene { objects: vec![ground, ball], lights: vec![sun], ..Scene::default() };
//!
//! let picture = render(&scene, &RenderOptions::default())?;
//! let middle = &picture.data[(32 * 64 + 32) * 3..][..3];
//! assert!(middle[0] > 2 * middle[1]); // the ball is red
//! # Ok::<(), domino_render::RenderError>(())
//! ```
#![allow(
    clippy::inline_always,
    reason = "the inner loops take the instruction set of the function that they are inlined into"
)]
#![allow(clippy::needless_range_loop, reason = "a lane is one index into many arrays")]
#![allow(clippy::needless_bitwise_bool, reason = "`&&` is a branch, which no lane can take alone")]

mod approach;
mod body;
mod camera;
mod color;
mod cull;
mod error;
mod lanes;
mod light;
mod render;
mod scene;
mod shade;
mod shape;
pub mod sheet;
mod solid;
mod tile;
mod trace;
mod validate;
mod vec;

#[cfg(test)]
#[path = "../tests/common/mod.rs"]
mod common;
#[cfg(test)]
mod oracle;
#[cfg(test)]
extern crate self as domino_render;

pub use camera::Camera;
pub use color::Rgb;
pub use error::RenderError;
pub use render::{InstructionSet, Picture, RenderOptions, render, render_into, render_linear};
pub use scene::{Background, Light, Material, Object, Scene, Shadow, Spot, Texture};
pub use shape::{Bone, Shape};
pub use vec::{Rotation, Vec3};
