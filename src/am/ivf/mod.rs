//! Access methods `ivf` and `ivfflat`: inverted lists. One file a verb; the algorithms are in the
//! crate `ivf`.
//!
//! Pages, locks, WAL, crash windows and the interplay with vacuum: `README.md` beside this file.

mod build;
mod cost;
mod handler;
mod insert;
mod inspect;
mod method;
mod opclass;
mod options;
mod scan;
mod settings;
mod vacuum;

pub use handler::is_ours;
pub use inspect::properties;

/// Registers options and settings. Called once, when the library is loaded.
pub fn init() {
    options::register();
    settings::register();
}
