//! Asks for nearest rows that pass a filter.

use std::collections::HashMap;
use std::time::Instant;

use pg_test::Vector;
use postgres::{Client, Statement};
use serde::Serialize;
use serde_json::Value;

use super::{Filter, Traits, Truth};
use crate::Result;
use crate::build::BuildLimits;
use crate::database::{self, text};
use crate::dataset::Dataset;
use crate::exact::hits;
use crate::pages::touched;
use crate::server::Server;
use crate::systems::System;

/// Times that all queries are asked, of which the fastest counts.
const ROUNDS: usize = 3;

/// Indexes on what is filtered by.
const INDEXES: &str =
    "CREATE INDEX items_rnd ON items (rnd); CREATE INDEX items_label ON items (label);
                       CREATE INDEX items_tags ON items USING gin (tags); ANALYZE items";
const NO_INDEXES: &str = "DROP INDEX IF EXISTS items_rnd, items_label, items_tags";

/// How a system searches.
#[derive(Debug, Clone, Copy)]
pub struct Mode {
    /// What reports add to the system's name.
    pub name: &'static str,
    /// A statement that sets it.
    pub set: &'static str,
}

const OURS: [Mode; 4] = [
    Mode { name: "", set: "RESET vector_ext.filtered_scan; RESET enable_sort" },
    Mode { name: " look", set: "SET vector_ext.filtered_scan = look; SET enable_sort = off" },
    Mode { name: " inline", set: "SET vector_ext.filtered_scan = inline" },
    Mode { name: " exact", set: "SET vector_ext.filtered_scan = exact" },
];

impl Mode {
    /// The modes of a system; of ours, also each strategy if they are `forced`.
    pub fn of(system: &System, forced: bool) -> &'static [Self] {
        if system.extension != "vector" {
            return if forced { &OURS } else { &OURS[..1] };
        }
        if system.index.starts_with("hnsw") {
            return &[
                Self { name: " relaxed", set: "SET hnsw.iterative_scan = relaxed_order" },
                Self { name: " strict", set: "SET hnsw.iterative_scan = strict_order" },
            ];
        }
        &[Self { name: " relaxed", set: "SET ivfflat.iterative_scan = relaxed_order" }]
    }
}

/// What a system does with a filter.
#[derive(Debug, Serialize)]
pub struct Line {
    /// The system, with its mode.
    pub system: String,
    /// The filter.
    pub filter: String,
    /// Share of the rows that pass.
    pub share: f64,
    /// Whether an index serves the filter.
    pub indexed: bool,
    /// Whether the plan uses the vector index.
    pub uses_vector_index: bool,
    /// Share of the rows that should come that come.
    pub rows: f64,
    /// Share of the nearest rows found.
    pub recall: f64,
    /// Queries a second in the best round.
    pub qps: f64,
    /// Shared buffers touched a query.
    pub buffers: f64,
}

/// A system's loaded table.
pub struct Table {
    client: Client,
    system: &'static System,
}

impl Table {
    /// Loads vectors and traits, and builds the vector index.
    pub fn load(
        server: &Server,
        system: &'static System,
        dataset: &Dataset,
        traits: &Traits,
        limits: &BuildLimits,
    ) -> Result<Self> {
        eprintln!("{}: {} loads and builds", dataset.name, system.name);
        let rows = dataset.base.rows();
        let mut client = database::create(server, system, dataset.base.cols)?;
        let columns = "rnd int4, label text, tags int4[]";
        database::copy_with(&mut client, &dataset.base, rows, columns, |row| traits.line(row))?;
        system.build(&mut client, server, dataset.metric, rows, limits)?;
        client.batch_execute("VACUUM (FREEZE, ANALYZE) items")?;
        Ok(Self { client, system })
    }

    /// Makes or drops the indexes on what is filtered by.
    pub fn index(&mut self, indexed: bool) -> Result<()> {
        Ok(self.client.batch_execute(if indexed { INDEXES } else { NO_INDEXES })?)
    }

    /// Measures one filter in one mode.
    pub fn measure(
        &mut self,
        dataset: &Dataset,
        queries: &[Vector],
        (filter, truth): (&Filter, &Truth),
        mode: Mode,
        indexed: bool,
    ) -> Result<Line> {
        self.client.batch_execute(mode.set).map_err(|e| text(&e))?;
        let order = System::query(dataset.metric, dataset.k);
        let query = |number| {
            order.replace("ORDER BY", &format!("WHERE {} ORDER BY", filter.condition(number)))
        };
        let mut prepared = Prepared { client: &mut self.client, statements: HashMap::new() };
        let (mut uses_vector_index, mut buffers) = (true, 0);
        for (number, vector) in queries.iter().enumerate() {
            let explain = format!("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {}", query(number));
            let plans: Value = prepared.ask(&explain, vector)?[0].get(0);
            buffers += touched(&plans[0]["Plan"])?;
            uses_vector_index &= plans.to_string().contains("items_v");
        }
        let (mut answers, mut best): (Vec<Vec<i32>>, _) = (Vec::new(), f64::INFINITY);
        let texts: Vec<String> = (0..queries.len()).map(query).collect();
        for _ in 0..ROUNDS {
            answers.clear();
            let start = Instant::now();
            for (text, vector) in texts.iter().zip(queries) {
                let rows = prepared.ask(text, vector)?;
                answers.push(rows.iter().map(|row| row.get(0)).collect());
            }
            best = best.min(start.elapsed().as_secs_f64());
        }
        let (mut came, mut found, mut wanted) = (0, 0, 0);
        for (number, (ids, &(count, kth))) in answers.iter().zip(&truth.nearest).enumerate() {
            let query = dataset.queries.row(number);
            came += ids.len();
            found += hits(dataset.metric, &dataset.base, query, ids, count, kth);
            wanted += count;
        }
        let share = |part: usize| part as f64 / wanted.max(1) as f64;
        Ok(Line {
            system: format!("{}{}", self.system.name, mode.name),
            filter: filter.name(),
            share: truth.share,
            indexed,
            uses_vector_index,
            rows: share(came),
            recall: share(found),
            qps: queries.len() as f64 / best,
            buffers: buffers as f64 / queries.len() as f64,
        })
    }
}

/// Statements that were prepared before.
struct Prepared<'a> {
    client: &'a mut Client,
    statements: HashMap<String, Statement>,
}

impl Prepared<'_> {
    fn ask(&mut self, sql: &str, vector: &Vector) -> Result<Vec<postgres::Row>> {
        if !self.statements.contains_key(sql) {
            let statement = self.client.prepare(sql).map_err(|e| text(&e))?;
            self.statements.insert(sql.to_owned(), statement);
        }
        Ok(self.client.query(&self.statements[sql], &[vector]).map_err(|e| text(&e))?)
    }
}
