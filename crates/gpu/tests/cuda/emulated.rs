//! The kernels, and all that calls them, compute what the CPU does.

use std::fs;
use std::path::Path;

use crate::emulator::{folder, gpu_check, stderr};

fn check_small(environment: &[(&str, &str)]) {
    let output = gpu_check(folder(), &["small"], environment);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(String::from_utf8_lossy(&output.stdout).contains("11 sets: as on the CPU"));
}

#[test]
fn kernels_compute_as_the_cpu() {
    check_small(&[]);
}

/// Kernels that do not wait for each other compute otherwise in this order.
#[test]
fn order_of_threads_does_not_matter() {
    check_small(&[("EMULATOR_REVERSED", "1")]);
}

/// Calls that free memory after all has been compared: their failure harms nothing.
const LAST_CALLS: usize = 4;

#[test]
fn every_failure_is_an_error() {
    let count = Path::new(env!("CARGO_TARGET_TMPDIR")).join("emulator_calls");
    let output = gpu_check(folder(), &["smallest"], &[("EMULATOR_COUNT", count.to_str().unwrap())]);
    assert!(output.status.success(), "{}", stderr(&output));
    let count: usize = fs::read_to_string(count).unwrap().trim().parse().unwrap();
    assert!(count > 50, "{count}");
    for call in 0..count {
        let output = gpu_check(folder(), &["smallest"], &[("EMULATOR_FAILS", &call.to_string())]);
        let text = stderr(&output);
        assert!(!text.contains("panicked"), "call {call}: {text}");
        if output.status.success() && call + LAST_CALLS >= count {
            continue;
        }
        assert!(matches!(output.status.code(), Some(1 | 2)), "call {call}: {text}");
        assert!(text.contains("unspecified launch failure"), "call {call}: {text}");
    }
}

#[test]
fn too_little_memory_is_an_error() {
    let output = gpu_check(folder(), &["smallest"], &[("EMULATOR_MEMORY", "1000000")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("the device has too little memory"), "{}", stderr(&output));
}
