//! The emulator for this crate's tests, and the program that opens it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

#[path = "../../emulator/compile.rs"]
mod compile;

pub use compile::library;

/// Where libraries of tests go.
pub fn place(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// The folder of the emulator's `libcuda.so.1`.
pub fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = place("emulator");
        compile::emulator(Path::new(env!("CARGO_MANIFEST_DIR")), &folder);
        folder
    })
}

/// Runs `gpu_check` with the libraries in `folder`.
pub fn gpu_check(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gpu_check"));
    command.args(arguments).env("LD_LIBRARY_PATH", folder);
    command.envs(environment.iter().copied()).output().unwrap()
}

/// What a program said of errors.
pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
