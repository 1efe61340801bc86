use std::ops::{Add, Mul, Neg, Sub};

/// A point or a direction in space: `x` to the right, `y` up, `z` away from the default camera.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Vec3 {
    /// To the right.
    pub x: f32,
    /// Up.
    pub y: f32,
    /// Away.
    pub z: f32,
}

impl Vec3 {
    /// The origin.
    pub const ZERO: Self = Self::new(0.0, 0.0, 0.0);
    /// One step to the right.
    pub const X: Self = Self::new(1.0, 0.0, 0.0);
    /// One step up.
    pub const Y: Self = Self::new(0.0, 1.0, 0.0);
    /// One step away.
    pub const Z: Self = Self::new(0.0, 0.0, 1.0);

    /// The vector with these coordinates.
    #[inline(always)]
    pub const fn new(x: f32, y: f32, z: f32) -> Self {
        Self { x, y, z }
    }

    /// `v · w`.
    #[inline(always)]
    pub fn dot(self, w: Self) -> f32 {
        self.x * w.x + self.y * w.y + self.z * w.z
    }

    /// `v × w`.
    pub fn cross(self, w: Self) -> Self {
        Self::new(
            self.y * w.z - self.z * w.y,
            self.z * w.x - self.x * w.z,
            self.x * w.y - self.y * w.x,
        )
    }

    /// `|v|`.
    #[inline(always)]
    pub fn length(self) -> f32 {
        self.dot(self).sqrt()
    }

    /// `v / |v|`; the zero vector has no direction and gives NaN.
    #[inline(always)]
    pub fn normalized(self) -> Self {
        self * (1.0 / self.length())
    }

    /// `f` of each coordinate.
    #[inline(always)]
    pub(crate) fn map(self, f: impl Fn(f32) -> f32) -> Self {
        Self::new(f(self.x), f(self.y), f(self.z))
    }

    /// `f` of each coordinate of the two vectors.
    #[inline(always)]
    pub(crate) fn zip(self, w: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        Self::new(f(self.x, w.x), f(self.y, w.y), f(self.z, w.z))
    }

    pub(crate) fn is_finite(self) -> bool {
        self.x.is_finite() && self.y.is_finite() && self.z.is_finite()
    }
}

impl Add for Vec3 {
    type Output = Self;
    #[inline(always)]
    fn add(self, w: Self) -> Self {
        Self::new(self.x + w.x, self.y + w.y, self.z + w.z)
    }
}

impl Sub for Vec3 {
    type Output = Self;
    #[inline(always)]
    fn sub(self, w: Self) -> Self {
        Self::new(self.x - w.x, self.y - w.y, self.z - w.z)
    }
}

impl Mul<f32> for Vec3 {
    type Output = Self;
    #[inline(always)]
    fn mul(self, s: f32) -> Self {
        Self::new(self.x * s, self.y * s, self.z * s)
    }
}

impl Neg for Vec3 {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self::new(-self.x, -self.y, -self.z)
    }
}

/// A turn in space: the images of the three axes, which are of length 1 and at right angles.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rotation {
    x: Vec3,
    y: Vec3,
    z: Vec3,
}

impl Default for Rotation {
    fn default() -> Self {
        Self::IDENTITY
    }
}

impl Rotation {
    /// The turn that leaves everything where it is.
    pub const IDENTITY: Self = Self { x: Vec3::X, y: Vec3::Y, z: Vec3::Z };

    /// The turn by a quaternion `w + x i + y j + z k`, which need not be of length 1.
    ///
    /// The zero quaternion is no turn and gives NaN, which [`crate::render`] refuses.
    pub fn from_quaternion([w, x, y, z]: [f32; 4]) -> Self {
        let scale = 1.0 / (w * w + x * x + y * y + z * z).sqrt();
        let [w, x, y, z] = [w * scale, x * scale, y * scale, z * scale];
        Self {
            x: Vec3::new(1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y + w * z), 2.0 * (x * z - w * y)),
            y: Vec3::new(2.0 * (x * y - w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z + w * x)),
            z: Vec3::new(2.0 * (x * z + w * y), 2.0 * (y * z - w * x), 1.0 - 2.0 * (x * x + y * y)),
        }
    }

    /// The turn by `angle` radians about `axis`, counterclockwise for who sees the axis point at them.
    ///
    /// ```
    /// use domino_render::{Rotation, Vec3};
    ///
    /// let quarter = Rotation::about(Vec3::Y, std::f32::consts::FRAC_PI_2);
    /// assert!((quarter.apply(Vec3::Z) - Vec3::X).length() < 1e-6);
    /// ```
    pub fn about(axis: Vec3, angle: f32) -> Self {
        let (sin, cos) = libm::sincosf(0.5 * angle);
        let v = axis.normalized() * sin;
        Self::from_quaternion([cos, v.x, v.y, v.z])
    }

    /// The shortest turn that brings the `y` axis, along which capsules, cylinders and cones stand, to
    /// `direction`.
    pub fn y_towards(direction: Vec3) -> Self {
        let d = direction.normalized();
        // Half-way quaternion (1 + y·d, y × d); straight down it vanishes, and any half turn will do.
        if d.y < -0.999_999 {
            return Self::from_quaternion([0.0, 1.0, 0.0, 0.0]);
        }
        Self::from_quaternion([1.0 + d.y, d.z, 0.0, -d.x])
    }

    /// The turn `other`, then this one.
    pub fn after(self, other: Self) -> Self {
        Self { x: self.apply(other.x), y: self.apply(other.y), z: self.apply(other.z) }
    }

    /// `v` turned.
    #[inline(always)]
    pub fn apply(self, v: Vec3) -> Vec3 {
        self.x * v.x + self.y * v.y + self.z * v.z
    }

    /// `v` turned back.
    #[inline(always)]
    pub fn undo(self, v: Vec3) -> Vec3 {
        Vec3::new(self.x.dot(v), self.y.dot(v), self.z.dot(v))
    }

    pub(crate) fn is_finite(self) -> bool {
        self.x.is_finite() && self.y.is_finite() && self.z.is_finite()
    }
}
