//! A PostgreSQL of one's own, to install other extensions into than those of the machine's.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::place::{clusters_dir, output, pg_config, unique};

/// What is copied of the programs.
const PROGRAMS: &[&str] = &["initdb", "pg_ctl", "pg_dump", "pg_restore", "postgres", "psql"];

/// A copy of the programs of the PostgreSQL under test, with its libraries and extensions as links.
/// A server started from it finds its files here, as PostgreSQL looks for them beside the program
/// that runs.  What is installed here is seen by no other server.  Dropping it removes the folder.
pub struct Prefix {
    dir: PathBuf,
    bindir: PathBuf,
    pkglibdir: PathBuf,
    sharedir: PathBuf,
}

impl Prefix {
    /// A prefix whose folder has `name` in it, without any extension whose name begins with `vector`
    /// but vector_ext.
    pub fn new(name: &str) -> Result<Self> {
        let dir = clusters_dir()?.join(unique(&format!("{name}-prefix")));
        if dir.exists() {
            fs::remove_dir_all(&dir)?;
        }
        let [theirs, pkglibdir, sharedir] = ["--bindir", "--pkglibdir", "--sharedir"].map(folder);
        let (theirs, pkglibdir, sharedir) = (theirs?, pkglibdir?, sharedir?);
        let at = |path: &Path| dir.join(path.strip_prefix("/").unwrap_or(path));
        let prefix = Self {
            bindir: at(&theirs),
            pkglibdir: at(&pkglibdir),
            sharedir: at(&sharedir),
            dir: dir.clone(),
        };
        fs::create_dir_all(&prefix.bindir)?;
        for program in PROGRAMS {
            fs::copy(theirs.join(program), prefix.bindir.join(program))?;
        }
        prefix.write_pg_config()?;
        link_all(&pkglibdir, &prefix.pkglibdir, |name| name != "vector.so")?;
        link_all(&sharedir, &prefix.sharedir, |name| name != "extension")?;
        let ours = |name: &str| !name.starts_with("vector") || name.starts_with("vector_ext");
        link_all(&sharedir.join("extension"), &prefix.extensions(), ours)?;
        Ok(prefix)
    }

    /// A `pg_config` that tells this prefix: that of Ubuntu's PostgreSQL 14 tells the same folders wherever
    /// it lies.
    fn write_pg_config(&self) -> Result<()> {
        let script = format!(
            "#!/bin/sh\ncase $1 in\n--bindir) echo '{}' ;;\n--pkglibdir) echo '{}' ;;\n\
             --sharedir) echo '{}' ;;\n*) exec '{}' \"$@\" ;;\nesac\n",
            self.bindir.display(),
            self.pkglibdir.display(),
            self.sharedir.display(),
            pg_config().display(),
        );
        let path = self.bindir.join("pg_config");
        fs::write(&path, script)?;
        Ok(fs::set_permissions(path, Permissions::from_mode(0o755))?)
    }

    /// The folder of the servers' programs.
    pub fn bindir(&self) -> &Path {
        &self.bindir
    }

    /// Where control files and scripts of extensions lie.
    pub fn extensions(&self) -> PathBuf {
        self.sharedir.join("extension")
    }

    /// Where libraries of extensions lie.
    pub fn libraries(&self) -> PathBuf {
        self.pkglibdir.clone()
    }

    /// Runs a target of this repository's Makefile for this prefix; its output, or what it said.
    pub fn make(&self, target: &str) -> Result<String> {
        self.make_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."), &[target])
    }

    /// Runs `make` in the checkout `sources` for this prefix; its output, or what it said.
    pub fn make_in(&self, sources: &Path, args: &[&str]) -> Result<String> {
        let pg_config = format!("PG_CONFIG={}", self.bindir.join("pg_config").display());
        let mut make = Command::new("make");
        make.current_dir(sources).args(["--no-print-directory", "SUDO=", "DESTDIR="]);
        output(make.arg(pg_config).args(args))
    }
}

impl Drop for Prefix {
    fn drop(&mut self) {
        // Only for the disk's sake.
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// A folder that `pg_config` knows, without links on the way.
fn folder(option: &str) -> Result<PathBuf> {
    Ok(fs::canonicalize(output(Command::new(pg_config()).arg(option))?.trim())?)
}

/// Fills folder `to` with links to what is in `from` under names that are wanted.
fn link_all(from: &Path, to: &Path, wanted: impl Fn(&str) -> bool) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let name = entry?.file_name();
        if name.to_str().is_some_and(&wanted) {
            symlink(from.join(&name), to.join(&name))?;
        }
    }
    Ok(())
}
