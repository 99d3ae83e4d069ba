//! The server under test: one that runs already, or a private one.

use std::env;
use std::path::PathBuf;

use pg_test::Cluster;
use postgres::{Client, Config, NoTls};

use crate::Result;

/// What differs from the defaults of a private server, so that nothing but the query is measured;
/// the first of them undoes what suits tests only.
const SETTINGS: &[(&str, &str)] = &[
    ("fsync", "on"),
    ("shared_buffers", "2GB"),
    ("max_wal_size", "32GB"),
    ("checkpoint_timeout", "1h"),
    ("synchronous_commit", "off"),
    ("autovacuum", "off"),
    ("jit", "off"),
    ("max_worker_processes", "64"),
    ("max_parallel_workers", "64"),
    ("max_connections", "200"),
];

const NOT_PRIVATE: &str = "only a private server can be measured in this way: leave --url out";

/// A server that takes connections.
pub struct Server {
    config: Config,
    /// A private server ends with this value.
    private: Option<(Cluster, u32)>,
}

impl Server {
    /// The server of the connection string `url`, else the one of the variables `PGHOST` …, else a
    /// private one of the PostgreSQL that `PG_CONFIG` names, which loads the libraries `preload`.
    pub fn open(url: Option<&str>, preload: &[&str]) -> Result<Self> {
        let given = match url {
            Some(url) => Some(url.parse()?),
            None => from_environment()?,
        };
        if let Some(config) = given {
            return Ok(Self { config, private: None });
        }
        let libraries = preload.join(",");
        let settings = [SETTINGS, &[("shared_preload_libraries", &libraries)]].concat();
        let cluster = Cluster::new("sql_bench", &settings)?;
        let postmaster = cluster.postmaster_pid()?;
        Ok(Self { config: cluster.config(), private: Some((cluster, postmaster)) })
    }

    /// A connection to the database of the connection string.
    pub fn maintenance(&self) -> Result<Client> {
        Ok(self.config.connect(NoTls)?)
    }

    /// The server's version, and the time by its clock, UTC.
    pub fn version_and_time(&self) -> Result<(String, String)> {
        let facts = self.maintenance()?.query_one(
            "SELECT current_setting('server_version'),
                    to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')",
            &[],
        )?;
        Ok((facts.get(0), facts.get(1)))
    }

    /// A connection to database `name`.
    pub fn connect(&self, name: &str) -> Result<Client> {
        Ok(self.config.clone().dbname(name).connect(NoTls)?)
    }

    /// Restarts a private server with `setting` at `value`; all connections to it end.
    pub fn restart_with(&mut self, setting: &str, value: &str) -> Result<()> {
        let (cluster, postmaster) = self.private.as_mut().ok_or(NOT_PRIVATE)?;
        cluster.set(setting, value)?;
        cluster.restart()?;
        *postmaster = cluster.postmaster_pid()?;
        Ok(())
    }

    /// The data folder of a private server.
    pub fn data_dir(&self) -> Result<PathBuf> {
        let (cluster, _) = self.private.as_ref().ok_or(NOT_PRIVATE)?;
        Ok(cluster.data_dir())
    }

    /// Process id of a private server; its processor time can be read.
    pub fn postmaster(&self) -> Option<u32> {
        self.private.as_ref().map(|&(_, postmaster)| postmaster)
    }
}

/// The server that libpq's variables name, if `PGHOST` is set.
fn from_environment() -> Result<Option<Config>> {
    let Ok(host) = env::var("PGHOST") else { return Ok(None) };
    let mut config = Config::new();
    config.host(&host);
    if let Ok(port) = env::var("PGPORT") {
        config.port(port.parse().map_err(|_| format!("PGPORT is \"{port}\""))?);
    }
    let user = env::var("PGUSER").or_else(|_| env::var("USER"));
    config.user(user.as_deref().unwrap_or("postgres"));
    config.dbname(env::var("PGDATABASE").as_deref().unwrap_or("postgres"));
    if let Ok(password) = env::var("PGPASSWORD") {
        config.password(password);
    }
    Ok(Some(config))
}
