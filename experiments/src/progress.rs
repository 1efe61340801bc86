//! How far a run is, on a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Redraws per second: enough to look alive, too few to cost anything.
const REDRAWS_PER_SECOND: u8 = 8;

const TEMPLATE: &str =
    "{prefix:.bold} {wide_bar:.cyan/dim} {pos}/{len}  loss {msg}  {per_sec}  {eta} left";

/// A view of a run's progress: phase, step, loss, steps per second and time left.
///
/// ```
/// use domino_experiments::progress::Progress;
///
/// let mut progress = Progress::stderr(); // silent unless stderr is a terminal
/// progress.phase("variables", 100);
/// for step in 1..=100 {
///     progress.step(step, 1.0 / step as f64);
/// }
/// progress.finish();
/// assert_eq!(progress.position(), 100);
/// ```
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A view on stderr, silent when stderr is no terminal.
    pub fn stderr() -> Self {
        Self::on(ProgressDrawTarget::stderr_with_hz(REDRAWS_PER_SECOND))
    }

    fn on(target: ProgressDrawTarget) -> Self {
        let style = ProgressStyle::with_template(TEMPLATE);
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        Self { bar: ProgressBar::with_draw_target(None, target).with_style(style) }
    }

    /// Starts a phase of `steps` steps; speed and time left count from here.
    pub fn phase(&mut self, name: &str, steps: u64) {
        self.bar.reset();
        self.bar.set_length(steps);
        self.bar.set_prefix(name.to_owned());
        self.bar.set_message("–");
    }

    /// Reports that `step` steps of the phase are done, with the loss last read.
    pub fn step(&mut self, step: u64, loss: f64) {
        self.bar.set_message(format!("{loss:.4}"));
        self.bar.set_position(step);
    }

    /// Takes the view away while something else is written to stderr.
    pub fn aside(&self, write: impl FnOnce()) {
        self.bar.suspend(write);
    }

    /// Steps of the current phase that are done.
    pub fn position(&self) -> u64 {
        self.bar.position()
    }

    /// Removes the view.
    pub fn finish(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use indicatif::TermLike;

    use super::*;

    #[derive(Clone, Debug, Default)]
    struct Recorder(Arc<Mutex<String>>);

    impl TermLike for Recorder {
        fn width(&self) -> u16 {
            100
        }
        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, text: &str) -> io::Result<()> {
            self.0.lock().unwrap().push_str(text);
            Ok(())
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            self.0.lock().unwrap().push_str(text);
            Ok(())
        }
        fn clear_line(&self) -> io::Result<()> {
            Ok(())
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_terminal_shows_phase_step_and_loss() {
        let screen = Recorder::default();
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(screen.clone()), 255);
        let mut progress = Progress::on(target);
        progress.phase("variables", 200);
        progress.step(50, 0.125);
        progress.bar.force_draw();
        let shown = screen.0.lock().unwrap().clone();
        for part in ["variables", "50/200", "loss 0.1250", "left"] {
            assert!(shown.contains(part), "{part} missing in {shown}");
        }
    }

    #[test]
    fn a_new_phase_starts_at_zero() {
        let mut progress = Progress::on(ProgressDrawTarget::hidden());
        progress.phase("variables", 200);
        progress.step(200, 0.1);
        progress.phase("mechanisms", 50);
        assert_eq!((progress.position(), progress.bar.length()), (0, Some(50)));
    }
}
