use crate::vec::Vec3;

/// An eye that sees straight lines as straight. Up in the picture is up (`y`) in the scene; an eye that
/// looks straight down has `z` up in its picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Camera {
    /// Where it is.
    pub eye: Vec3,
    /// What it looks at, in the middle of the picture.
    pub target: Vec3,
    /// Angle in radians between the lower and the upper edge of the picture, above 0 and below π.
    pub field_of_view: f32,
}

impl Default for Camera {
    /// From in front and above, towards the origin.
    fn default() -> Self {
        Self { eye: Vec3::new(0.0, 3.0, -5.0), target: Vec3::ZERO, field_of_view: 0.7 }
    }
}

impl Camera {
    /// Where in a picture of `[width, height]` pixels a point appears: `[column, row]` from the upper left
    /// corner, so that pixel (0, 0) spans 0 to 1 in both. Outside of the picture the numbers are too.
    /// `None` for points that are not in front of the eye.
    ///
    /// ```
    /// use domino_render::Camera;
    ///
    /// let camera = Camera::default();
    /// let [column, row] = camera.project(camera.target, [64, 48]).expect("in front");
    /// assert!((column - 32.0).abs() < 1e-4 && (row - 24.0).abs() < 1e-4); // the middle
    /// assert_eq!(camera.project(camera.eye, [64, 48]), None);
    /// ```
    pub fn project(&self, point: Vec3, [width, height]: [usize; 2]) -> Option<[f32; 2]> {
        let view = View::new(self, [width, height]);
        let [column, row, depth] = view.locate(point);
        (depth > 0.0).then_some([column, row])
    }
}

/// A camera with a grid of sample points: the direction through column `u` and row `v` of the grid is
/// `corner + u · across + v · down`, of any length.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    pub(crate) eye: Vec3,
    pub(crate) corner: Vec3,
    pub(crate) across: Vec3,
    pub(crate) down: Vec3,
    forward: Vec3,
}

impl View {
    pub(crate) fn new(camera: &Camera, [columns, rows]: [usize; 2]) -> Self {
        let forward = (camera.target - camera.eye).normalized();
        let level = Vec3::Y.cross(forward);
        let right = if level.length() > 1e-6 { level.normalized() } else { Vec3::X };
        let up = forward.cross(right);
        let step = 2.0 * libm::tanf(0.5 * camera.field_of_view) / rows as f32;
        let [across, down] = [right * step, up * -step];
        let corner = forward - across * (0.5 * columns as f32) - down * (0.5 * rows as f32);
        Self { eye: camera.eye, corner, across, down, forward }
    }

    /// Column, row and depth of a point.
    pub(crate) fn locate(&self, point: Vec3) -> [f32; 3] {
        let ray = point - self.eye;
        let depth = ray.dot(self.forward);
        let offset = ray * (1.0 / depth) - self.corner;
        let along = |axis: Vec3| offset.dot(axis) / axis.dot(axis);
        [along(self.across), along(self.down), depth]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_on_a_ray_appears_where_the_ray_passes() {
        let camera = Camera { eye: Vec3::new(1.0, 4.0, -3.0), ..Camera::default() };
        let view = View::new(&camera, [64, 32]);
        for (u, v) in [(0.0, 0.0), (10.5, 3.25), (64.0, 32.0)] {
            let ray = view.corner + view.across * u + view.down * v;
            let [column, row, depth] = view.locate(view.eye + ray * 2.5);
            assert!(
                (column - u).abs() < 1e-4 && (row - v).abs() < 1e-4 && (depth - 2.5).abs() < 1e-5
            );
        }
    }

    #[test]
    fn right_is_right_and_up_is_up() {
        let size = [100, 100];
        let camera = Camera { eye: Vec3::new(0.0, 0.0, -5.0), ..Camera::default() };
        let right = camera.project(Vec3::X, size).expect("in front");
        let up = camera.project(Vec3::Y, size).expect("in front");
        assert!(right[0] > 50.0 && (right[1] - 50.0).abs() < 1e-3);
        assert!(up[1] < 50.0 && (up[0] - 50.0).abs() < 1e-3);
    }

    #[test]
    fn an_eye_that_looks_down_has_z_up() {
        let camera = Camera { eye: Vec3::new(0.0, 5.0, 0.0), ..Camera::default() };
        let ahead = camera.project(Vec3::Z, [10, 10]).expect("in front");
        assert!(ahead[1] < 5.0 && (ahead[0] - 5.0).abs() < 1e-4);
    }
}
