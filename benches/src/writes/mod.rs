//! What happens to an index after it is built: inserts, deletes, vacuum.

pub mod churn;
pub mod deleted;
pub mod insert;
pub mod ratios;
pub mod vacuum;

use std::ops::Range;

use postgres::Client;

use crate::Result;
use crate::build::BuildLimits;
use crate::database;
use crate::dataset::Dataset;
use crate::server::Server;
use crate::systems::System;

/// What to load, where, and what the builds may use.
pub struct Task<'a> {
    /// The server.
    pub server: &'a Server,
    /// The systems, which take turns.
    pub systems: &'a [&'static System],
    /// The rows.
    pub dataset: &'a Dataset,
    /// What builds may use.
    pub limits: &'a BuildLimits,
}

/// A table to write to: that of a system, or the same without a vector index.
pub struct Subject {
    /// The system's name, or `table alone`.
    pub name: &'static str,
    /// Whose database it is in.
    pub system: &'static System,
    /// The table.
    pub table: &'static str,
    /// A connection.
    pub client: Client,
}

impl Subject {
    /// Loads `rows` for each system and builds the indexes; the last subject is the table alone,
    /// whose cost is no system's fault.
    pub fn load(task: &Task<'_>, rows: Range<usize>) -> Result<Vec<Self>> {
        let Task { server, systems, dataset, limits } = *task;
        let mut subjects = Vec::new();
        for &system in systems {
            let (client, _) = system.load_and_build(server, dataset, rows.clone(), limits)?;
            subjects.push(Self { name: system.name, system, table: "items", client });
        }
        let &system = systems.first().ok_or("no systems")?;
        let mut client = server.connect(&database::name(system))?;
        client.batch_execute("CREATE TABLE alone (LIKE items INCLUDING ALL EXCLUDING INDEXES)")?;
        client.batch_execute("ALTER TABLE alone ADD PRIMARY KEY (id)")?;
        database::copy(&mut client, "alone", &dataset.base, rows)?;
        subjects.push(Self { name: "table alone", system, table: "alone", client });
        Ok(subjects)
    }
}

/// Sets `full_page_writes` and begins a new checkpoint cycle: with it on, each page's first change
/// from now on writes the whole page to the WAL, as in the time after every checkpoint.
pub fn full_page_writes(client: &mut Client, on: bool) -> Result<()> {
    client.batch_execute(&format!("ALTER SYSTEM SET full_page_writes = {on}"))?;
    client.batch_execute("SELECT pg_reload_conf()")?;
    // The checkpointer takes the setting up in its own time.
    loop {
        client.batch_execute("CHECKPOINT")?;
        let row = client.query_one("SELECT full_page_writes FROM pg_control_checkpoint()", &[])?;
        if row.get::<_, bool>(0) == on {
            return Ok(());
        }
    }
}
