//! Searches with a filter by every plan there is: does the planner choose the right one?

pub mod cell;
mod plan;
pub mod report;
mod traits;

use postgres::Client;

use crate::build::BuildLimits;
use crate::dataset::Dataset;
use crate::server::Server;
use crate::systems::System;
use crate::{Result, database};
use cell::{Cell, Session};
use traits::Traits;

/// Values of LIMIT.
pub const LIMITS: [usize; 4] = [1, 10, 100, 1_000];
/// Shares of the rows that a filter lets pass.
pub const SHARES: [f64; 8] = [1.0, 0.5, 0.2, 0.1, 0.05, 0.01, 0.001, 0.0001];

/// How the rows that pass lie around a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Relation {
    /// Anywhere.
    Uncorrelated,
    /// Near: of a share s of the rows, those among the nearest sqrt(s), of which sqrt(s) pass.
    Correlated,
    /// Far: none among the nearest fifth of the rows, unless more than four fifths pass.
    Anticorrelated,
}

impl Relation {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Uncorrelated, Self::Correlated, Self::Anticorrelated];

    /// How reports call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Uncorrelated => "uncorrelated",
            Self::Correlated => "correlated",
            Self::Anticorrelated => "anticorrelated",
        }
    }
}

/// Which cells are measured, and how well.
pub struct Size {
    /// Rows of the table.
    pub rows: usize,
    /// Queries of each cell.
    pub queries: usize,
    /// Times that they are asked, of which the best counts.
    pub rounds: usize,
    /// Shares of the rows that pass.
    pub shares: Vec<f64>,
    /// With an index on the filter, and without.
    pub indexed: Vec<bool>,
}

/// Loads the first rows of `dataset`, builds a vector index, and measures all cells, each of which
/// is handed to `done`.
pub fn measure(
    server: &Server,
    system: &System,
    dataset: &Dataset,
    size: &Size,
    limits: &BuildLimits,
    mut done: impl FnMut(Cell),
) -> Result<()> {
    let traits = Traits::new(dataset, size.rows, size.queries);
    let mut client = load(server, system, dataset, &traits, size.rows, limits)?;
    for &indexed in &size.indexed {
        if indexed {
            client.batch_execute(&traits.indexes())?;
        } else {
            client.batch_execute(&traits.no_indexes())?;
        }
        client.batch_execute("ANALYZE items")?;
        let mut session = Session::new(&mut client, dataset, &traits, size, indexed)?;
        for relation in Relation::ALL {
            for &share in &size.shares {
                for k in LIMITS {
                    done(session.cell(relation, share, k)?);
                }
            }
        }
    }
    drop(client);
    database::drop(server, system)
}

fn load(
    server: &Server,
    system: &System,
    dataset: &Dataset,
    traits: &Traits,
    rows: usize,
    limits: &BuildLimits,
) -> Result<Client> {
    eprintln!("{}: {} loads and builds {rows} rows", dataset.name, system.name);
    let mut client = database::create(server, system, dataset.base.cols)?;
    let line = |row| traits.line(row);
    database::copy_with(&mut client, &dataset.base, rows, &traits.columns(), line)?;
    system.build(&mut client, server, dataset.metric, rows, limits)?;
    client.batch_execute("VACUUM (FREEZE, ANALYZE) items")?;
    client.batch_execute(
        "SET max_parallel_workers_per_gather = 0; SET plan_cache_mode = force_generic_plan",
    )?;
    Ok(client)
}
