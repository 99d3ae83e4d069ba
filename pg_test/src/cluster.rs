//! A private PostgreSQL server: own folder, own socket, no network.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use postgres::{Client, Config, NoTls};

use crate::place::{
    as_ourselves, as_server_user, bindir, clusters_dir, give_to_server_user, output, unique,
};
use crate::process::{PATIENCE, children_of, is_reaped, is_running, kill, wait_for, wait_until};
use crate::watchdog::Watchdog;
use crate::{Prefix, Result};

/// Settings of every cluster.  Tests crash servers, never the machine, so nothing needs to reach
/// the disk; autovacuum would make page counts and plans depend on the time of day.
const SETTINGS: &[(&str, &str)] = &[
    ("fsync", "off"),
    ("autovacuum", "off"),
    ("jit", "off"),
    ("shared_buffers", "256MB"),
    ("max_wal_size", "4GB"),
    ("log_line_prefix", "%m [%p] %d "),
];

/// A server in a folder of its own.  Dropping it stops the server and removes the folder; so does
/// the end of the process, in whatever way it comes.  With `PG_TEST_KEEP` set in the environment
/// the folder stays.
pub struct Cluster {
    dir: PathBuf,
    socket_dir: PathBuf,
    bindir: PathBuf,
    environment: Vec<(String, String)>,
    watchdog: Option<Watchdog>,
}

impl Cluster {
    /// Makes and starts a new cluster.  `name` is for people: it appears in the folder's name.
    /// `settings` are those of `postgresql.conf`, on top of the harness's own.
    pub fn new(name: &str, settings: &[(&str, &str)]) -> Result<Self> {
        Self::in_folder(&unique(name), settings)
    }

    /// As [`new`](Self::new), with variables in the server's environment.
    pub fn in_environment(name: &str, environment: &[(&str, &str)]) -> Result<Self> {
        let mut cluster = Self::empty(bindir()?, &unique(name))?;
        let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        cluster.environment = environment.iter().map(owned).collect();
        cluster.initialize(&[], &[])?;
        Ok(cluster)
    }

    /// As [`new`](Self::new), of the PostgreSQL whose programs lie in `bindir`. Pages have checksums.
    pub fn in_bindir(bindir: &Path, name: &str) -> Result<Self> {
        let cluster = Self::empty(bindir.to_path_buf(), &unique(name))?;
        cluster.initialize(&["-k"], &[])?;
        Ok(cluster)
    }

    /// As [`new`](Self::new), with the programs and extensions of `prefix`, which must live longer.
    pub fn in_prefix(prefix: &Prefix, name: &str, settings: &[(&str, &str)]) -> Result<Self> {
        Self::initialized(prefix.bindir().to_path_buf(), &unique(name), settings)
    }

    /// As [`new`](Self::new), but in the folder of exactly this name under
    /// [`clusters_dir`](crate::clusters_dir), replacing what is there.
    pub fn in_folder(name: &str, settings: &[(&str, &str)]) -> Result<Self> {
        Self::initialized(bindir()?, name, settings)
    }

    fn initialized(bindir: PathBuf, name: &str, settings: &[(&str, &str)]) -> Result<Self> {
        let cluster = Self::empty(bindir, name)?;
        cluster.initialize(&[], settings)?;
        Ok(cluster)
    }

    fn initialize(&self, options: &[&str], settings: &[(&str, &str)]) -> Result<()> {
        output(
            as_server_user(self.bindir.join("initdb"))
                .args(["-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "-N", "-D"])
                .arg(self.data_dir())
                .args(options),
        )?;
        if let Ok(level) = env::var("PG_TEST_INSTRUCTION_SET") {
            self.set("vector_ext.instruction_set", &level)?;
        }
        for (setting, value) in SETTINGS.iter().chain(settings) {
            self.set(setting, value)?;
        }
        self.start()
    }

    /// Folders and watchdog, without a server yet.
    fn empty(bindir: PathBuf, name: &str) -> Result<Self> {
        let dir = clusters_dir()?.join(name);
        if dir.exists() {
            fs::remove_dir_all(&dir)?;
        }
        fs::create_dir(&dir)?;
        // A socket's path must be short (107 bytes), which that of a build folder may not be.
        let socket_dir = output(Command::new("mktemp").args(["-d", "/tmp/pg.XXXXXXXX"]))?;
        let socket_dir = PathBuf::from(socket_dir.trim());
        give_to_server_user(&dir)?;
        give_to_server_user(&socket_dir)?;
        let watchdog = Some(Watchdog::new(&bindir, &dir, &socket_dir)?);
        Ok(Self { dir, socket_dir, bindir, environment: Vec::new(), watchdog })
    }

    /// The server's data folder.
    pub fn data_dir(&self) -> PathBuf {
        self.dir.join("data")
    }

    /// The folder of the server's socket: psql's `-h`.
    pub fn socket_dir(&self) -> &Path {
        &self.socket_dir
    }

    /// Appends a setting to `postgresql.conf`; it holds from the next (re)start.
    pub fn set(&self, setting: &str, value: &str) -> Result<()> {
        let path = self.data_dir().join("postgresql.conf");
        let mut conf = fs::read_to_string(&path)?;
        conf += &format!("{setting} = '{}'\n", value.replace('\'', "''"));
        Ok(fs::write(path, conf)?)
    }

    /// Starts the server and waits until it takes connections, crash recovery included.
    pub fn start(&self) -> Result<()> {
        let place = format!("-c listen_addresses='' -k {}", self.socket_dir.display());
        let log = self.dir.join("log");
        self.pg_ctl(&["-o", &place, "-l", &log.display().to_string(), "start"])
            .map_err(|error| format!("{error}\n{}", self.log()).into())
    }

    /// Stops the server cleanly (a fast shutdown).
    pub fn stop(&self) -> Result<()> {
        self.pg_ctl(&["-m", "fast", "stop"])
    }

    /// Stops and starts the server cleanly.
    pub fn restart(&self) -> Result<()> {
        self.stop()?;
        self.start()
    }

    /// Kills the server with SIGKILL, the postmaster first, then all its children, as a power cut
    /// would.  The next [`start`](Self::start) recovers from the WAL.
    pub fn crash(&self) -> Result<()> {
        let postmaster = self.postmaster_pid()?;
        // Stopped, it forks no more children while we list them.
        kill("STOP", postmaster)?;
        let children = children_of(postmaster)?;
        kill("KILL", postmaster)?;
        for &child in &children {
            // A child that has noticed and left by itself is no error.
            let _ = kill("KILL", child);
        }
        wait_until("the killed server's processes to end", || {
            Ok(children.iter().chain([&postmaster]).all(|&pid| !is_running(pid)))
        })?;
        // Where nobody reaps the orphans, as in some containers, a new server would take the zombie
        // for the old one alive.
        let reaped = || Ok(is_reaped(postmaster));
        if wait_for(Duration::from_secs(2), "init to reap the postmaster", reaped).is_err() {
            fs::remove_file(self.data_dir().join("postmaster.pid"))?;
        }
        Ok(())
    }

    /// The postmaster's process id.
    pub fn postmaster_pid(&self) -> Result<u32> {
        let file = fs::read_to_string(self.data_dir().join("postmaster.pid"))?;
        Ok(file.lines().next().unwrap_or_default().trim().parse()?)
    }

    /// Makes a physical standby of this server, streaming and open for reads. This one may be a standby.
    pub fn standby(&self) -> Result<Self> {
        let standby = self.backup()?;
        standby.start()?;
        Ok(standby)
    }

    /// Copies this server by `pg_basebackup`. The copy is not started; when it is, it is a standby.
    pub fn backup(&self) -> Result<Self> {
        let copy = Self::empty(self.bindir.clone(), &unique("standby"))?;
        output(
            as_server_user(self.bindir.join("pg_basebackup"))
                .args(["-U", "postgres", "-c", "fast", "-X", "stream", "-R", "--no-sync", "-h"])
                .arg(&self.socket_dir)
                .arg("-D")
                .arg(copy.data_dir()),
        )?;
        Ok(copy)
    }

    /// Makes this server, which is stopped and was a primary, a standby of `source`, which was promoted
    /// meanwhile, by `pg_rewind`. It needs `wal_log_hints`.
    pub fn rewind(&self, source: &Self) -> Result<()> {
        let host = source.socket_dir.display();
        output(
            as_server_user(self.bindir.join("pg_rewind"))
                .args(["-R", "--no-sync", "--source-server"])
                .arg(format!("host={host} user=postgres dbname=postgres"))
                .arg("--target-pgdata")
                .arg(self.data_dir()),
        )?;
        Ok(())
    }

    /// Takes over what `old`, of an older major version, contains, by `pg_upgrade`. Neither runs, before
    /// and after; `old` is not to be started again.
    pub fn upgrade(&self, old: &Self) -> Result<()> {
        let mut upgrade = as_server_user(self.bindir.join("pg_upgrade"));
        // It writes its log and its scripts where it runs, before version 15.
        upgrade
            .current_dir(&self.dir)
            .args(["-U", "postgres", "--link", "-s"])
            .arg(&self.socket_dir);
        for (option, path) in [("-b", &old.bindir), ("-B", &self.bindir)] {
            upgrade.arg(option).arg(path);
        }
        output(upgrade.arg("-d").arg(old.data_dir()).arg("-D").arg(self.data_dir()))?;
        Ok(())
    }

    /// On a standby: waits until all that `primary` has written so far is replayed here.
    pub fn catch_up(&self, primary: &Self) -> Result<()> {
        let mut client = primary.connect()?;
        // What a vacuum has logged may not be flushed yet.  A commit flushes all before it.
        client.batch_execute("SELECT pg_logical_emit_message(true, 'catch_up', '')")?;
        let row = client.query_one("SELECT pg_current_wal_flush_lsn()::text", &[])?;
        let lsn: String = row.get(0);
        let mut client = self.connect()?;
        wait_until("the standby to catch up", || {
            let reached = "SELECT pg_last_wal_replay_lsn() >= $1::text::pg_lsn";
            Ok(client.query_one(reached, &[&lsn])?.get(0))
        })
    }

    /// A connection to database `postgres` as the superuser.
    pub fn connect(&self) -> Result<Client> {
        self.connect_db("postgres")
    }

    /// A connection to a database as the superuser.
    pub fn connect_db(&self, database: &str) -> Result<Client> {
        Ok(self.config().dbname(database).connect(NoTls)?)
    }

    /// How to connect, for tests that want another user or options.
    pub fn config(&self) -> Config {
        let mut config = Config::new();
        config.host_path(&self.socket_dir).user("postgres").dbname("postgres");
        config
    }

    /// One of PostgreSQL's client programs (`psql`, `pg_dump` …), set up to reach this server.
    pub fn program(&self, name: &str) -> Command {
        let mut command = as_ourselves(self.bindir.join(name));
        command.env("PGHOST", &self.socket_dir).env("PGUSER", "postgres");
        command.env("PGDATABASE", "postgres");
        command
    }

    /// The server's log so far. Messages of databases in other encodings are not all UTF-8.
    pub fn log(&self) -> String {
        let log = fs::read(self.dir.join("log")).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }

    /// Did one of the server's processes die by a signal, other than by [`crash`](Self::crash)?
    pub fn has_crashed(&self) -> bool {
        self.log().contains("was terminated by signal")
    }

    /// Leaves the server running when this process ends.  [`find`](Self::find) finds it again.
    pub fn leave_running(mut self) -> Result<()> {
        self.watchdog.take().map_or(Ok(()), Watchdog::keep)
    }

    /// The running server in the folder of this name, if there is one.  It is ours again: it ends
    /// with this value unless it is left running.
    pub fn find(name: &str) -> Result<Option<Self>> {
        let dir = clusters_dir()?.join(name);
        let Ok(pid_file) = fs::read_to_string(dir.join("data/postmaster.pid")) else {
            return Ok(None);
        };
        // The fifth line is the socket's folder.
        let socket_dir = PathBuf::from(pid_file.lines().nth(4).unwrap_or_default());
        let bindir = bindir()?;
        let environment = Vec::new();
        let mut cluster = Self { dir, socket_dir, bindir, environment, watchdog: None };
        if cluster.connect().is_err() {
            return Ok(None);
        }
        let watchdog = Watchdog::new(&cluster.bindir, &cluster.dir, &cluster.socket_dir)?;
        cluster.watchdog = Some(watchdog);
        Ok(Some(cluster))
    }

    fn pg_ctl(&self, args: &[&str]) -> Result<()> {
        let patience = PATIENCE.as_secs().to_string();
        let mut command = as_server_user(self.bindir.join("pg_ctl"));
        command.args(["-s", "-w", "-t", &patience, "-D"]).arg(self.data_dir()).args(args);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        // Not `output`: the server would inherit the pipes and keep them open.
        if command.status()?.success() {
            return Ok(());
        }
        Err(format!("pg_ctl {} failed in {}", args.join(" "), self.dir.display()).into())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if env::var_os("PG_TEST_KEEP").is_some()
            && let Some(watchdog) = self.watchdog.take()
        {
            eprintln!("the cluster stays in {}", self.dir.display());
            // Should the watchdog be gone, the server stays too: nothing better to do here.
            let _ = watchdog.stop();
        }
    }
}
