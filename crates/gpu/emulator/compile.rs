//! Compiles libraries that stand in the driver's place. Included by tests of several crates.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Makes the `libcuda.so.1` of the emulator in `folder`, from the crate in the folder `of_crate`.
pub fn emulator(of_crate: &Path, folder: &Path) {
    let options = ["-std=c++17", "-O2", "-DEMULATOR", "-fvisibility=hidden", "-fno-exceptions"];
    let others = ["-fno-rtti", "-fno-threadsafe-statics", "-Wno-unknown-pragmas", "-Werror"];
    let files = ["driver.cpp", "threads.cpp"].map(|file| of_crate.join("emulator").join(file));
    library(folder, &[&options[..], &others[..]].concat(), &files);
}

/// Makes a `libcuda.so.1` in `folder` of C++ that does without its library.
pub fn library(folder: &Path, options: &[&str], files: &[PathBuf]) {
    fs::create_dir_all(folder).unwrap();
    let mut command = Command::new(clang());
    command.args(["-x", "c++", "-shared", "-fPIC", "-o"]).arg(folder.join("libcuda.so.1"));
    let output = command.args(options).args(files).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The compiler that `make prepare` installs for the bindings of PostgreSQL.
fn clang() -> PathBuf {
    let of_debian = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = of_debian
        .map(|entry| entry.path().join("bin/clang"))
        .filter(|path| path.exists())
        .collect();
    paths.sort();
    paths.pop().unwrap_or_else(|| "clang".into())
}
