//! The tests run on a Debian that has nothing but its essential packages and what `make prepare`
//! installs. Needs no server.

use std::fs;
use std::path::Path;

/// Programs of Debian's essential packages (coreutils, dash, mount, util-linux), PostgreSQL's clients, and
/// `make` and binutils (the linker is of it), without which no test would have begun.
const PROGRAMS: &[&str] = &[
    "chown",
    "make",
    "mount",
    "mktemp",
    "objcopy",
    "pg_dump",
    "pg_restore",
    "prlimit",
    "psql",
    "runuser",
    "sh",
    "test",
    "umount",
];
/// What runs the program that is named in the parenthesis.
const RUNS: &[&str] = &["Command::new(\"", "as_server_user(\"", "as_ourselves(\"", ".program(\""];

#[test]
fn programs_are_in_every_debian() {
    for folder in ["src", "src/bin", "tests"] {
        for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() || path.ends_with(file!().rsplit('/').next().unwrap()) {
                continue;
            }
            let source = fs::read_to_string(&path).unwrap();
            for run in RUNS.iter().flat_map(|runs| source.split(runs).skip(1)) {
                let program = run.split('"').next().unwrap();
                assert!(PROGRAMS.contains(&program), "{}: {program}", path.display());
            }
        }
    }
}
