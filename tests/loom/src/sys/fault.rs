//! Named fault points. A model needs none to die at, since it dies at every step; they tell where that was.

use crate::points;

/// See the runtime's.
pub(crate) fn point(name: &'static str) {
    points::pass(name);
}
