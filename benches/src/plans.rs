//! Does the planner choose the right plan? Nearest rows under a filter, by every plan there is.

use pg_test::Vector;
use postgres::Client;
use serde::Serialize;

use crate::build::BuildLimits;
use crate::dataset::Dataset;
use crate::machine::cpu_nanoseconds;
use crate::server::Server;
use crate::systems::System;
use crate::{Result, database};

/// Values of LIMIT.
const LIMITS: [usize; 4] = [1, 10, 100, 1000];
/// Rows of a thousand that the filter lets pass.
const PASSING: [u32; 5] = [1000, 500, 100, 10, 1];
/// Queries of each cell.
const QUERIES: usize = 5;
/// Times that they are asked, of which the best counts.
const ROUNDS: usize = 3;
/// A plan that takes so many times as long as another is asked once only.
const HOPELESS: f64 = 8.0;

/// A way to answer a query, what forces it, and the index by which EXPLAIN shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Plan {
    /// All rows, sorted.
    Sequential,
    /// The rows that pass, found by a btree, sorted.
    Filter,
    /// The rows in order, by the vector index.
    Order,
}

const PLANS: [Plan; 3] = [Plan::Sequential, Plan::Filter, Plan::Order];

impl Plan {
    /// The plan methods that are forbidden to force this one.
    fn forbidden(self) -> &'static [&'static str] {
        match self {
            Self::Sequential => &["indexscan", "bitmapscan"],
            Self::Filter => &["seqscan", "indexscan"],
            Self::Order => &["seqscan", "bitmapscan", "sort"],
        }
    }

    fn of(explained: &str) -> Self {
        if explained.contains("items_v") {
            Self::Order
        } else if explained.contains("items_f") {
            Self::Filter
        } else {
            Self::Sequential
        }
    }
}

/// One query, its plans and the one chosen.
#[derive(Debug, Serialize)]
pub struct Cell {
    /// Rows of the table.
    pub rows: usize,
    /// LIMIT.
    pub k: usize,
    /// Share of the rows that pass the filter; 1 without one.
    pub selectivity: f64,
    /// The planner's choice.
    pub chosen: Plan,
    /// Processor time a query of the backend by each plan, in microseconds.
    pub plans: Vec<(Plan, f64)>,
    /// Time of the chosen plan by that of the best.
    pub ratio: f64,
}

/// Loads the first `rows` of `dataset`, builds a vector index and a btree, and measures all cells.
pub fn grid(
    server: &Server,
    system: &System,
    dataset: &Dataset,
    rows: usize,
    limits: &BuildLimits,
) -> Result<Vec<Cell>> {
    let mut client = database::create(server, system, dataset.base.cols)?;
    client.batch_execute(
        "ALTER TABLE items ADD f int4 GENERATED ALWAYS AS
             ((id::int8 * 2654435761 % 4294967296 * 1000 / 4294967296)::int4) STORED",
    )?;
    database::copy(&mut client, "items", &dataset.base, 0..rows)?;
    system.build(&mut client, server, dataset.metric, rows, limits)?;
    client.batch_execute("CREATE INDEX items_f ON items (f)")?;
    client.batch_execute("VACUUM ANALYZE items")?;
    client.batch_execute("SET max_parallel_workers_per_gather = 0")?;
    let backend: i32 = client.query_one("SELECT pg_backend_pid()", &[])?.get(0);
    let mut queries = dataset.query_vectors();
    queries.truncate(QUERIES);
    let mut grid = Grid { client, backend: u32::try_from(backend)?, queries };
    let mut cells = Vec::new();
    for k in LIMITS {
        for passing in PASSING {
            let sql = query(dataset, k, passing);
            cells.push(grid.cell(&sql, rows, k, passing)?);
        }
    }
    drop(grid);
    database::drop(server, system)?;
    Ok(cells)
}

fn query(dataset: &Dataset, k: usize, passing: u32) -> String {
    let condition = format!("WHERE f < {passing} ORDER BY");
    let sql = System::query(dataset.metric, k);
    if passing == 1000 { sql } else { sql.replace("ORDER BY", &condition) }
}

struct Grid {
    client: Client,
    backend: u32,
    queries: Vec<Vector>,
}

impl Grid {
    fn cell(&mut self, sql: &str, rows: usize, k: usize, passing: u32) -> Result<Cell> {
        let chosen = Plan::of(&self.explain(sql)?);
        let mut plans: Vec<(Plan, f64)> = Vec::new();
        for plan in PLANS {
            for method in plan.forbidden() {
                self.client.batch_execute(&format!("SET enable_{method} = off"))?;
            }
            if Plan::of(&self.explain(sql)?) == plan {
                let best = plans.iter().map(|plan| plan.1).fold(f64::INFINITY, f64::min);
                plans.push((plan, self.time(sql, best)?));
            }
            for method in plan.forbidden() {
                self.client.batch_execute(&format!("RESET enable_{method}"))?;
            }
        }
        let best = plans.iter().map(|plan| plan.1).fold(f64::INFINITY, f64::min);
        let time = plans.iter().find(|plan| plan.0 == chosen).ok_or("the plan was not forced")?.1;
        let selectivity = f64::from(passing) / 1000.0;
        Ok(Cell { rows, k, selectivity, chosen, plans, ratio: time / best })
    }

    fn explain(&mut self, sql: &str) -> Result<String> {
        let statement = self.client.prepare(&format!("EXPLAIN {sql}"))?;
        let lines = self.client.query(&statement, &[&self.queries[0]])?;
        Ok(lines.iter().map(|line| line.get::<_, String>(0)).collect())
    }

    /// Microseconds a query.
    fn time(&mut self, sql: &str, other: f64) -> Result<f64> {
        let statement = self.client.prepare(sql)?;
        let mut best = f64::INFINITY;
        for round in 0..=ROUNDS {
            let before = self.cpu()?;
            // The first round warms up, and may tell enough.
            let count = if round == 0 { 1 } else { self.queries.len() };
            for query in &self.queries[..count] {
                self.client.query(&statement, &[query])?;
            }
            let time = (self.cpu()? - before) as f64 / 1e3 / count as f64;
            if round == 0 && time > HOPELESS * other {
                return Ok(time);
            }
            best = best.min(time);
        }
        Ok(best)
    }

    fn cpu(&self) -> Result<u64> {
        cpu_nanoseconds(self.backend).ok_or_else(|| "the server is not on this machine".into())
    }
}
