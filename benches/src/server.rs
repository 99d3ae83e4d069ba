//! The server under test: one that runs already, or a private one.

use std::env;
use std::path::PathBuf;

use postgres::{Client, Config, NoTls};

use crate::Result;
use crate::cluster::{Cluster, bin_dir, default_dir};

/// How to reach or make a server.
#[derive(Debug, Default, Clone)]
pub struct Target {
    /// A connection string; else the variables `PGHOST` …, else a private cluster.
    pub url: Option<String>,
    /// The `pg_config` of the server to start.
    pub pg_config: Option<String>,
    /// The directory of the cluster to make.
    pub cluster_dir: Option<PathBuf>,
}

/// A server that takes connections.
pub struct Server {
    config: Config,
    cluster: Option<Cluster>,
}

impl Server {
    /// Connects to the server of `target`, or starts it.
    pub fn open(target: &Target) -> Result<Self> {
        let given = match &target.url {
            Some(url) => Some(url.parse()?),
            None => from_environment()?,
        };
        if let Some(config) = given {
            return Ok(Self { config, cluster: None });
        }
        let bin = bin_dir(target.pg_config.as_deref())?;
        let dir = target.cluster_dir.clone().unwrap_or_else(default_dir);
        let cluster = Cluster::start(&bin, &dir)?;
        let mut config = Config::new();
        config.host_path(cluster.socket_dir()).user("postgres").dbname("postgres");
        Ok(Self { config, cluster: Some(cluster) })
    }

    /// A connection to the database of the connection string.
    pub fn maintenance(&self) -> Result<Client> {
        Ok(self.config.connect(NoTls)?)
    }

    /// A connection to database `name`.
    pub fn connect(&self, name: &str) -> Result<Client> {
        Ok(self.config.clone().dbname(name).connect(NoTls)?)
    }

    /// Process id of a private server; its processor time can be read.
    pub fn postmaster(&self) -> Option<u32> {
        self.cluster.as_ref().map(Cluster::postmaster)
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
