//! Which builds use a GPU, or compute on the CPU as on one.

mod open;
mod provider;
mod settings;

pub use open::status;
pub use provider::Devices;
pub use settings::register;
