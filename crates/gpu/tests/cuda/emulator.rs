//! Libraries in the driver's place, and the program that opens them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// The folder of the emulator's `libcuda.so.1`.
pub fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("emulator");
        let options = ["-std=c++17", "-O2", "-DEMULATOR", "-fvisibility=hidden", "-fno-exceptions"];
        let others = ["-fno-rtti", "-fno-threadsafe-statics", "-Wno-unknown-pragmas", "-Werror"];
        let files = ["driver.cpp", "threads.cpp"].map(|file| sources.join(file));
        library("emulator", &clang(), &[&options[..], &others[..]].concat(), &files)
    })
}

/// A folder with a `libcuda.so.1` that `compiler` makes of C++ without its library.
pub fn library(name: &str, compiler: &Path, options: &[&str], files: &[PathBuf]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    let mut command = Command::new(compiler);
    command.args(["-x", "c++", "-shared", "-fPIC", "-o"]).arg(folder.join("libcuda.so.1"));
    let output = command.args(options).args(files).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    folder
}

/// The compiler that `make prepare` installs for the bindings of PostgreSQL.
pub fn clang() -> PathBuf {
    let of_debian = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = of_debian
        .map(|entry| entry.path().join("bin/clang"))
        .filter(|path| path.exists())
        .collect();
    paths.sort();
    paths.pop().unwrap_or_else(|| "clang".into())
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
