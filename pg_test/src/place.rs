//! Where things lie on this machine, and as whom to run a server's programs.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::Result;

/// The folder of `initdb`, `pg_ctl`, `psql` … of the PostgreSQL under test.
pub(crate) fn bindir() -> Result<PathBuf> {
    let bindir = output(Command::new(pg_config()).arg("--bindir"))?;
    Ok(PathBuf::from(bindir.trim()))
}

/// The program that knows where the PostgreSQL under test lies: `PG_CONFIG`, else the newest Debian
/// one.
pub(crate) fn pg_config() -> PathBuf {
    match std::env::var_os("PG_CONFIG").filter(|path| !path.is_empty()) {
        Some(path) => PathBuf::from(path),
        None => newest_debian_pg_config().unwrap_or_else(|| "pg_config".into()),
    }
}

fn newest_debian_pg_config() -> Option<PathBuf> {
    let majors = fs::read_dir("/usr/lib/postgresql").ok()?;
    let newest = majors
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .max()?;
    Some(format!("/usr/lib/postgresql/{newest}/bin/pg_config").into())
}

/// A folder for clusters that the servers' user can reach: under Cargo's target folder, or, where
/// the checkout lies in a private folder such as `/root`, under `/var/tmp`.
pub fn clusters_dir() -> Result<PathBuf> {
    let target = match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => PathBuf::from(dir),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"),
    };
    fs::create_dir_all(&target)?;
    let target = target.canonicalize()?;
    let reachable = as_server_user("test").arg("-x").arg(&target).status()?.success();
    let dir = if reachable { target.join("pg_test") } else { "/var/tmp/vector_ext".into() };
    fs::create_dir_all(&dir)?;
    // Anyone may make a folder in /var/tmp; another user's is not to be trusted with ours.
    if fs::metadata(&dir)?.uid() != fs::metadata("/proc/self")?.uid() {
        return Err(format!("{} belongs to another user", dir.display()).into());
    }
    Ok(dir)
}

/// A name of a folder that no other test has: `name` is for people.
pub(crate) fn unique(name: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{name}-{}-{count}", std::process::id())
}

/// A command run as the user that may run servers: `postgres` when we are root, which PostgreSQL
/// refuses to run as, else ourselves.
pub(crate) fn as_server_user(program: impl AsRef<OsStr>) -> Command {
    if is_root() {
        let mut command = as_ourselves("runuser");
        command.args(["-u", "postgres", "--"]).arg(program);
        command
    } else {
        as_ourselves(program)
    }
}

/// A command that inherits no `PG*` variable, which would reach into a server or a client of it.
pub(crate) fn as_ourselves(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("PG")) {
            command.env_remove(name);
        }
    }
    command.current_dir("/");
    command
}

/// Are we root?
pub(crate) fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// Gives a path to the servers' user.
pub(crate) fn give_to_server_user(path: &Path) -> Result<()> {
    if is_root() {
        output(Command::new("chown").arg("postgres").arg(path))?;
    }
    Ok(())
}

/// Runs a command to its end and returns its standard output, or an error with what it said.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let program = format!("{command:?}");
    let output = command.output().map_err(|error| format!("{program}: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{program}: {}: {}", output.status, said.trim()).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
