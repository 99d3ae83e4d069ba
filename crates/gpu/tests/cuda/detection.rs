//! A driver that is missing, or not as it should be, is an error that says so, and never a panic.

use std::fs;
use std::path::Path;

use crate::emulator::{folder, gpu_check, library, place, stderr};

/// What `gpu_check` says where there is no GPU that it can use.
fn reason(folder: &Path, environment: &[(&str, &str)]) -> String {
    let output = gpu_check(folder, &["smallest"], environment);
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(!text.contains("panicked"), "{text}");
    text.strip_prefix("no GPU can be used: ").expect(&text).trim_end().to_owned()
}

#[test]
fn no_driver() {
    if is_installed() {
        return; // This machine's own driver would be found.
    }
    assert_eq!(
        reason(Path::new("/nowhere"), &[]),
        "the library libcuda.so.1 of NVIDIA's driver was not found"
    );
}

/// Whether a driver is where the linker looks.
fn is_installed() -> bool {
    let cache = fs::read("/etc/ld.so.cache").unwrap_or_default();
    cache.windows(10).any(|window| window == b"libcuda.so")
}

#[test]
fn driver_without_gpu() {
    assert_eq!(reason(folder(), &[("EMULATOR_INIT", "100")]), "NVIDIA's driver found no GPU");
}

#[test]
fn driver_that_does_not_start() {
    let reason = reason(folder(), &[("EMULATOR_INIT", "719")]);
    assert_eq!(reason, "NVIDIA's driver does not start: unspecified launch failure");
}

#[test]
fn stub_of_the_driver() {
    let reason = reason(folder(), &[("EMULATOR_INIT", "34")]);
    assert_eq!(
        reason,
        "the first libcuda.so of the library path is a stub of CUDA's development files"
    );
}

#[test]
fn driver_too_old() {
    let reason = reason(folder(), &[("EMULATOR_DRIVER", "11040")]);
    assert_eq!(reason, "NVIDIA's driver supports CUDA 11.4; 12.2 (driver 535) is needed");
}

#[test]
fn gpu_too_old() {
    let reason = reason(folder(), &[("EMULATOR_CAPABILITY", "7")]);
    assert_eq!(reason, "emulator has the compute capability 7.0; 8.0 (Ampere) is needed");
}

#[test]
fn no_such_gpu() {
    let output = gpu_check(folder(), &["smallest", "--gpu", "3"], &[]);
    assert_eq!(stderr(&output), "no GPU can be used: there is no GPU 3; the last is GPU 0\n");
}

#[test]
fn function_missing() {
    let folder = place("almost_nothing");
    fs::create_dir_all(&folder).unwrap();
    let source = folder.join("source.c");
    fs::write(&source, "extern \"C\" int cuInit(unsigned) { return 0; }").unwrap();
    library(&folder, &[], &[source]);
    assert_eq!(
        reason(&folder, &[]),
        "NVIDIA's driver has no function cuCtxCreate_v3; version 535 or newer is needed"
    );
}
