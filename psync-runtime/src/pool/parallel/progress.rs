//! The bar that `progress = true` shows: how many branches, items, or tasks of a pool are done.

use core::cell::Cell;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar on standard error; nothing is drawn if that is not a terminal.
#[derive(Debug)]
pub(crate) struct Bar {
    bar: Option<ProgressBar>,
    /// How many will end; `None` when that cannot be known.
    total: Cell<Option<u64>>,
}

impl Bar {
    pub(crate) fn new(shown: bool) -> Self {
        let bar = shown.then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            bar.set_style(style("{spinner} {pos}"));
            bar
        });
        Self { bar, total: Cell::new(Some(0)) }
    }

    /// More are to come; `None` if nobody knows how many.
    pub(crate) fn expect(&self, more: Option<usize>) {
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
    pub(crate) fn advance(&self) {
        self.advance_by(1);
    }

    /// So many have ended.
    pub(crate) fn advance_by(&self, count: u64) {
        if let Some(bar) = &self.bar {
            bar.inc(count);
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
