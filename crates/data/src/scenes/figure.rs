//! Bodies put together from simple solids.

use domino_render::{Material, Object, Rgb, Rotation, Shape, Vec3};

/// A body in its own frame: `y` up, its front towards `x`, no two of its turns alike.
#[derive(Clone, Debug)]
pub(super) struct Figure {
    parts: Vec<Part>,
}

/// A solid of a figure.
#[derive(Clone, Debug)]
struct Part {
    shape: Shape,
    at: Vec3,
    turn: Rotation,
    shade: Shade,
}

/// What a part makes of the colour of its figure.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shade {
    /// The colour as it is.
    Plain,
    /// Mixed with much white.
    Light,
    /// Mixed with much black.
    Dark,
}

impl Shade {
    fn of(self, color: Rgb) -> Rgb {
        match self {
            Self::Plain => color,
            Self::Light => color * 0.25 + Rgb::grey(0.6),
            Self::Dark => color * 0.25,
        }
    }
}

impl Figure {
    /// A figure without parts.
    pub(super) fn new() -> Self {
        Self { parts: Vec::new() }
    }

    /// The same with one more part.
    pub(super) fn with(self, shade: Shade, shape: Shape, at: [f32; 3]) -> Self {
        self.with_turned(shade, shape, at, Rotation::IDENTITY)
    }

    /// The same with one more part that is turned about its own middle.
    pub(super) fn with_turned(
        mut self,
        shade: Shade,
        shape: Shape,
        [x, y, z]: [f32; 3],
        turn: Rotation,
    ) -> Self {
        self.parts.push(Part { shape, at: Vec3::new(x, y, z), turn, shade });
        self
    }

    /// The objects of the figure turned by `turn` about its origin, which lies at `position`.
    pub(super) fn objects(
        &self,
        position: Vec3,
        turn: Rotation,
        material: Material,
    ) -> Vec<Object> {
        let object = |part: &Part| {
            let material = Material { albedo: part.shade.of(material.albedo), ..material };
            let position = position + turn.apply(part.at);
            Object::new(part.shape.clone(), position, material).rotated(turn.after(part.turn))
        };
        self.parts.iter().map(object).collect()
    }
}

/// The objects moved up or down together until the lowest point of all is on the ground.
pub(super) fn standing(mut objects: Vec<Object>) -> Vec<Object> {
    let lowest = objects.iter().map(lowest_point).fold(f32::INFINITY, f32::min);
    for object in &mut objects {
        object.position.y -= lowest;
    }
    objects
}

/// Height of the lowest point of an object.
pub(super) fn lowest_point(object: &Object) -> f32 {
    object.position.y - object.shape.reach(object.rotation.undo(-Vec3::Y))
}
