//! The bar that `progress = true` shows: how many of the processes have ended.

use core::cell::Cell;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar on standard error; nothing is drawn if that is not a terminal.
#[derive(Debug)]
pub(super) struct Bar {
    bar: Option<ProgressBar>,
    /// How many will end; `None` when that cannot be known.
    total: Cell<Option<u64>>,
}

impl Bar {
    pub(super) fn new(shown: bool) -> Self {
        let bar = shown.then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            bar.set_style(style("{spinner} {pos}"));
            bar
        });
        Self { bar, total: Cell::new(Some(0)) }
    }

    /// More are to come; `None` if nobody knows how many.
    pub(super) fn expect(&self, more: Option<usize>) {
        let Some(bar) = &self.bar else { return };
        let sum = |total: u64| total.checked_add(u64::try_from(more?).ok()?);
        self.total.set(self.total.get().and_then(sum));
        if let Some(total) = self.total.get() {
            bar.set_length(total);
            bar.set_style(style("{wide_bar} {pos}/{len}"));
        } else {
            bar.unset_length();
            bar.set_style(style("{spinner} {pos}"));
        }
        bar.tick();
    }

    /// One has ended.
    pub(super) fn advance(&self) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }
}

/// The last state stays on the screen.
impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.abandon();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
