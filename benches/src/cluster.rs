//! A private PostgreSQL cluster: made, started, stopped and removed by the run that needs it.

use std::env;
use std::fs::{self, File};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::Result;

/// What differs from the defaults, so that nothing but the query is measured.
const SETTINGS: &str = "
listen_addresses = ''
shared_buffers = 2GB
max_wal_size = 32GB
checkpoint_timeout = 1h
synchronous_commit = off
autovacuum = off
jit = off
max_worker_processes = 64
max_parallel_workers = 64
max_connections = 200
";

/// A running server with a data directory of its own. Dropping it stops the server and removes
/// the directory.
pub struct Cluster {
    dir: PathBuf,
    bin: PathBuf,
    owner: Option<(u32, u32)>,
    postmaster: Child,
}

impl Cluster {
    /// Makes and starts a cluster in `dir` with the programs in `bin`. Run by root, the server
    /// belongs to the user `postgres`.
    pub fn start(bin: &Path, dir: &Path) -> Result<Self> {
        let owner = server_owner()?;
        let dir = std::path::absolute(dir)?;
        if let Ok(pid) = fs::read_to_string(dir.join("data/postmaster.pid")) {
            let pid = pid.lines().next().unwrap_or_default();
            if Path::new("/proc").join(pid).exists() {
                let dir = dir.display();
                return Err(format!("{dir} is in use by process {pid}; use --cluster-dir").into());
            }
        }
        if dir.exists() {
            fs::remove_dir_all(&dir)?;
        }
        fs::create_dir_all(&dir)?;
        if let Some((uid, gid)) = owner {
            chown(&dir, Some(uid), Some(gid))?;
        }

        let data = dir.join("data");
        let log = File::create(dir.join("log"))?;
        let mut initdb = command(bin, "initdb", owner, &dir);
        initdb.args(["--no-locale", "--encoding=UTF8", "--auth=trust", "--username=postgres"]);
        let output =
            initdb.arg("-D").arg(&data).output().map_err(|e| {
                format!("{}: {e}; is --pg-config right?", bin.join("initdb").display())
            })?;
        if !output.status.success() {
            return Err(format!("initdb: {}", String::from_utf8_lossy(&output.stderr)).into());
        }
        let config = data.join("postgresql.conf");
        fs::write(&config, fs::read_to_string(&config)? + SETTINGS)?;

        let postmaster = command(bin, "postgres", owner, &dir)
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(&dir)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        let mut cluster = Self { dir, bin: bin.to_owned(), owner, postmaster };
        cluster.wait()?;
        Ok(cluster)
    }

    /// Directory of the server's socket.
    pub fn socket_dir(&self) -> &Path {
        &self.dir
    }

    /// Process id of the server.
    pub fn postmaster(&self) -> u32 {
        self.postmaster.id()
    }

    /// Waits until the server takes connections.
    fn wait(&mut self) -> Result<()> {
        let start = Instant::now();
        let log = self.dir.join("log");
        while start.elapsed() < Duration::from_secs(60) {
            if self.postmaster.try_wait()?.is_some() {
                break;
            }
            let log = fs::read_to_string(&log)?;
            if log.contains("ready to accept connections") {
                return Ok(());
            }
            sleep(Duration::from_millis(20));
        }
        Err(format!("the server does not start: {}", fs::read_to_string(log)?).into())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let mut stop = command(&self.bin, "pg_ctl", self.owner, &self.dir);
        stop.args(["stop", "--mode=fast", "--silent", "-D"]).arg(self.dir.join("data"));
        // Nothing can be done about a failure but to say it.
        if !stop.status().is_ok_and(|status| status.success()) || self.postmaster.wait().is_err() {
            eprintln!("could not stop the server in {}", self.dir.display());
        } else if let Err(e) = fs::remove_dir_all(&self.dir) {
            eprintln!("could not remove {}: {e}", self.dir.display());
        }
    }
}

/// Directory of the server's programs: as `pg_config` says, or the newest of Debian's.
pub fn bin_dir(pg_config: Option<&str>) -> Result<PathBuf> {
    let name = pg_config.unwrap_or("pg_config");
    let output = Command::new(name).arg("--bindir").output();
    match output {
        Ok(output) if output.status.success() => {
            Ok(PathBuf::from(String::from_utf8(output.stdout)?.trim()))
        }
        _ => Err(format!("{name} does not run: use --pg-config PATH or --url URL").into()),
    }
}

/// Where a cluster goes unless told: the build folder, or the folder for temporary files if the
/// server's user cannot enter the build folder.
pub fn default_dir() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"), PathBuf::from);
    let target = target.canonicalize().unwrap_or(target);
    let enterable = match server_owner() {
        Ok(Some((uid, gid))) => {
            let mut test = Command::new("test");
            test.arg("-x").arg(&target).uid(uid).gid(gid);
            test.status().is_ok_and(|status| status.success())
        }
        _ => true,
    };
    if enterable { target } else { env::temp_dir() }.join("sql_bench")
}

/// A program of the server, run as its owner, without what would change its messages.
fn command(bin: &Path, program: &str, owner: Option<(u32, u32)>, dir: &Path) -> Command {
    let mut command = Command::new(bin.join(program));
    command.env_remove("RUST_BACKTRACE").current_dir(dir);
    if let Some((uid, gid)) = owner {
        command.uid(uid).gid(gid);
    }
    command
}

/// User and group of `postgres` if this process is root's, which PostgreSQL does not run under.
fn server_owner() -> Result<Option<(u32, u32)>> {
    if id(&["-u"])? != 0 {
        return Ok(None);
    }
    Ok(Some((id(&["-u", "postgres"])?, id(&["-g", "postgres"])?)))
}

fn id(arguments: &[&str]) -> Result<u32> {
    let output = Command::new("id").args(arguments).output()?;
    let text = String::from_utf8(output.stdout)?;
    text.trim().parse().map_err(|_| format!("id {}: no such user", arguments.join(" ")).into())
}
