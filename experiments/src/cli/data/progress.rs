use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

const TEMPLATE: &str = "{wide_bar:.cyan/dim} {pos}/{len} pairs  {per_sec}  {eta} left";

/// How often the view is drawn again while nothing happens.
const TICK: Duration = Duration::from_millis(250);

/// How many pairs are done, on stderr where that is a terminal.
pub(super) struct Progress(ProgressBar);

impl Progress {
    pub(super) fn new(pairs: usize) -> Self {
        let style = ProgressStyle::with_template(TEMPLATE);
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        let target = ProgressDrawTarget::stderr();
        let bar = ProgressBar::with_draw_target(Some(pairs as u64), target).with_style(style);
        bar.enable_steady_tick(TICK);
        Self(bar)
    }

    pub(super) fn at(&self, done: usize) {
        self.0.set_position(done as u64);
    }

    pub(super) fn finish(&self) {
        self.0.finish_and_clear();
    }
}
