//! Access methods `ivf` and `ivfflat`: inverted lists. One file for each operation; the algorithms are
//! in the crate `ivf`.
//!
//! Pages, locks, WAL, crash windows and the interplay with vacuum: `README.md` beside this file.

mod build;
mod cost;
mod inspect;
mod method;
mod opclass;
mod options;
mod scan;
mod settings;
mod vacuum;
mod variant;

/// Registers options and settings. Called once, when the library is loaded.
pub fn init() {
    options::IVF.register();
    options::IVFFLAT.register();
    settings::register();
}
