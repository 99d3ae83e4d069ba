//! Which builds use a GPU, or compute on the CPU as on one.

mod open;
mod provider;
mod settings;

pub use provider::Devices;
pub use settings::register;

/// The GPU that the settings name, and its driver, or why there is none.
pub fn status() -> String {
    open::status(settings::device())
}
