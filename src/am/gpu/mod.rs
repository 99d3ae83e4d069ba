//! Which builds use a GPU, or compute on the CPU as on one.

mod open;
mod provider;
mod settings;

pub use provider::Devices;
use settings::GpuBuild;
pub use settings::register;

/// The GPU that the settings name, and its driver, or why there is none. The driver is not asked where
/// no build would use it.
pub fn status() -> String {
    match settings::gpu_build() {
        GpuBuild::Off => "none (vector_ext.gpu_build is off)".to_owned(),
        GpuBuild::Emulate => "none (vector_ext.gpu_build is emulate)".to_owned(),
        GpuBuild::Auto | GpuBuild::On => open::status(settings::device()),
    }
}
