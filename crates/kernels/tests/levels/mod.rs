//! The levels that the tests run at.

use kernels::{Kernels, Level};

/// The kernels of all levels that this CPU has; the others are named, not skipped in silence.
pub fn levels() -> Vec<&'static Kernels> {
    let (present, absent): (Vec<_>, Vec<_>) =
        Level::ALL.into_iter().partition(|level| level.available());
    eprintln!("tested: {present:?}; this CPU lacks: {absent:?}");
    present.into_iter().filter_map(kernels::at).collect()
}
