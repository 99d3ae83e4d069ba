//! Where and when a benchmark was run.

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::machine::Machine;
use crate::server::Server;

/// A run: what every report begins with.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Run {
    /// Machine and commit.
    pub machine: Machine,
    /// When the run began, by the server's clock, UTC.
    pub date: String,
    /// The server's version.
    pub postgres: String,
}

impl Run {
    /// A run on `machine` that begins now.
    pub fn begin(machine: Machine, server: &Server) -> Result<Self> {
        let (postgres, date) = server.version_and_time()?;
        Ok(Self { machine, date, postgres })
    }

    /// Two lines that say where and when.
    pub fn heading(&self) -> String {
        let Self { machine: Machine { cpu, cores, commit, load_before }, date, postgres } = self;
        format!(
            "PostgreSQL {postgres}, commit {commit}, {date}\n\
             {cpu}, {cores} cores, load average {load_before:.1}"
        )
    }
}
