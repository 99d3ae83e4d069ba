//! One cell of the grid: the planner's choice, and every plan that can be forced.

use pg_test::Vector;
use postgres::error::SqlState;
use postgres::{Client, Statement};
use serde::Serialize;
use serde_json::Value;

use super::plan::{Plan, RESET};
use super::traits::Traits;
use super::{Relation, Size};
use crate::Result;
use crate::dataset::Dataset;
use crate::exact::hits;
use crate::machine::cpu_nanoseconds;
use crate::pages::touched;
use crate::systems::System;

/// A plan that takes so many times as long as another is asked once only.
const SLOW: f64 = 6.0;

/// One that takes so many times as long, and so many milliseconds more, is canceled, and not reported.
const HOPELESS: f64 = 15.0;
const PATIENCE_MS: f64 = 15.0;

/// Recall below which a plan does not count.
const RECALL: f64 = 0.95;

/// A plan, and what it takes for a query.
#[derive(Debug, Clone, Serialize)]
pub struct Measured {
    /// What was forced.
    pub plan: Plan,
    /// What was done at the end, mostly.
    pub shown: Plan,
    /// The planner's estimates.
    pub cost: f64,
    /// Processor time of the server, in microseconds.
    pub us: f64,
    /// Shared buffers touched.
    pub pages: f64,
    /// Share of the nearest rows found.
    pub recall: f64,
}

/// A cell.
#[derive(Debug, Serialize)]
pub struct Cell {
    /// Rows of the table.
    pub rows: usize,
    /// How the rows that pass lie around queries.
    pub relation: Relation,
    /// Share of the rows that pass.
    pub share: f64,
    /// Whether an index serves the filter.
    pub indexed: bool,
    /// LIMIT.
    pub k: usize,
    /// The planner's choice, then the others.
    pub plans: Vec<Measured>,
    /// Time of the choice by that of the best that finds enough.
    pub time_ratio: f64,
    /// The same of pages.
    pub pages_ratio: f64,
}

/// The choice by the best of the other plans that find enough: time and pages. Where one of these is what
/// was chosen, the choice takes the lesser time of both.
fn ratios(plans: &mut [Measured]) -> (f64, f64) {
    if let Some((chosen, forced)) = plans.split_first_mut() {
        // Both measure the same.
        let same = |other: &&Measured| other.plan == chosen.shown && other.pages == chosen.pages;
        let same = forced.iter().filter(same).map(|other| other.us);
        chosen.us = same.fold(chosen.us, f64::min);
    }
    let ratio = |figure: fn(&Measured) -> f64| {
        let enough = plans[1..].iter().filter(|plan| plan.recall >= RECALL);
        figure(&plans[0]) / enough.map(figure).fold(f64::INFINITY, f64::min)
    };
    (ratio(|plan| plan.us), ratio(|plan| plan.pages))
}

fn is_canceled(error: &crate::Error) -> bool {
    let error = error.downcast_ref::<postgres::Error>();
    error.and_then(postgres::Error::code) == Some(&SqlState::QUERY_CANCELED)
}

/// Asks the queries of cells.
pub struct Session<'a> {
    client: &'a mut Client,
    dataset: &'a Dataset,
    traits: &'a Traits,
    size: &'a Size,
    indexed: bool,
    backend: u32,
    queries: Vec<Vector>,
}

impl<'a> Session<'a> {
    /// Of a loaded table, whose filters are served by indexes or not.
    pub fn new(
        client: &'a mut Client,
        dataset: &'a Dataset,
        traits: &'a Traits,
        size: &'a Size,
        indexed: bool,
    ) -> Result<Self> {
        let backend: i32 = client.query_one("SELECT pg_backend_pid()", &[])?.get(0);
        let backend = u32::try_from(backend)?;
        let mut queries = dataset.query_vectors();
        queries.truncate(size.queries);
        Ok(Self { client, dataset, traits, size, indexed, backend, queries })
    }

    /// Measures a cell.
    pub fn cell(&mut self, relation: Relation, share: f64, k: usize) -> Result<Cell> {
        let rows = self.size.rows;
        let count = ((rows as f64 * share).round() as usize).max(1);
        let order = System::query(self.dataset.metric, k);
        let statement = |query| {
            let condition = Traits::condition(relation, query, count);
            order.replace("ORDER BY", &format!("WHERE {condition} ORDER BY"))
        };
        let statements: Vec<String> = (0..self.queries.len()).map(statement).collect();
        let nearest = |query| {
            let passing = self.traits.passing(relation, query, count);
            let count = k.min(passing.len());
            (count, passing[count - 1])
        };
        let nearest: Vec<(usize, f64)> = (0..self.queries.len()).map(nearest).collect();
        let mut plans: Vec<(Measured, Asked)> = Vec::new();
        for plan in Plan::ALL {
            let best = plans.iter().map(|(_, asked)| asked.us()).fold(f64::INFINITY, f64::min);
            if best.is_finite() {
                let timeout = HOPELESS * best / 1e3 + PATIENCE_MS;
                self.client.batch_execute(&format!("SET statement_timeout = {timeout:.0}"))?;
            }
            self.client.batch_execute(plan.settings())?;
            match self.measure(plan, &statements, &nearest) {
                Err(error) if is_canceled(&error) => {}
                measured => plans.extend(measured?),
            }
            self.client.batch_execute(RESET)?;
        }
        // In turns, so that other work on the machine strikes all alike.
        for _ in 1..self.size.rounds {
            let best = plans.iter().map(|(_, asked)| asked.us()).fold(f64::INFINITY, f64::min);
            for (measured, asked) in &mut plans {
                if asked.us() < SLOW * best {
                    self.client.batch_execute(measured.plan.settings())?;
                    self.ask(asked)?;
                    self.client.batch_execute(RESET)?;
                }
            }
        }
        let plans = plans.into_iter().map(|(plan, asked)| Measured { us: asked.us(), ..plan });
        let mut plans: Vec<_> = plans.collect();
        let (time_ratio, pages_ratio) = ratios(&mut plans);
        let indexed = self.indexed;
        Ok(Cell { rows, relation, share, indexed, k, plans, time_ratio, pages_ratio })
    }

    /// Asks all queries once more.
    fn ask(&mut self, asked: &mut Asked) -> Result<Vec<Vec<i32>>> {
        let mut answers = Vec::new();
        for ((statement, least), query) in asked.queries.iter_mut().zip(&self.queries) {
            let before = cpu(self.backend)?;
            let rows = self.client.query(&*statement, &[query])?;
            *least = least.min((cpu(self.backend)? - before) as f64 / 1e3);
            answers.push(rows.iter().map(|row| row.get(0)).collect());
        }
        Ok(answers)
    }

    /// What a plan takes, once it was forced; none if the planner does not have it.
    fn measure(
        &mut self,
        plan: Plan,
        statements: &[String],
        nearest: &[(usize, f64)],
    ) -> Result<Option<(Measured, Asked)>> {
        let count = self.queries.len() as f64;
        let (mut pages, mut cost, mut shown) = (0, 0.0, Vec::new());
        for (statement, query) in statements.iter().zip(&self.queries) {
            let explain =
                format!("EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {statement}");
            let explain = self.client.prepare(&explain)?;
            let explained: Value = self.client.query_one(&explain, &[query])?.get(0);
            let top = &explained[0]["Plan"];
            shown.push(Plan::shown(&explained.to_string()));
            if plan != Plan::Chosen && plan != shown[0] {
                return Ok(None);
            }
            pages += touched(top)?;
            cost += top["Total Cost"].as_f64().unwrap_or_default();
        }
        let mostly = |plan: &Plan| shown.iter().filter(|&other| other == plan).count();
        let shown = Plan::ALL.into_iter().max_by_key(|plan| mostly(plan)).unwrap_or(plan);
        let prepare = |sql: &String| Ok((self.client.prepare(sql)?, f64::INFINITY));
        let mut asked = Asked { queries: statements.iter().map(prepare).collect::<Result<_>>()? };
        let (mut found, mut wanted) = (0, 0);
        for (number, ids) in self.ask(&mut asked)?.iter().enumerate() {
            let (count, kth) = nearest[number];
            let Dataset { metric, base, queries, .. } = self.dataset;
            found += hits(*metric, base, queries.row(number), ids, count, kth);
            wanted += count;
        }
        let (cost, pages) = (cost / count, pages as f64 / count);
        let recall = found as f64 / wanted as f64;
        Ok(Some((Measured { plan, shown, cost, us: asked.us(), pages, recall }, asked)))
    }
}

/// The queries by one plan: statements, and the least microseconds of the server that each took.
struct Asked {
    queries: Vec<(Statement, f64)>,
}

impl Asked {
    /// Microseconds a query.
    fn us(&self) -> f64 {
        self.queries.iter().map(|query| query.1).sum::<f64>() / self.queries.len() as f64
    }
}

/// Nanoseconds of processor time that a backend has used.
fn cpu(backend: u32) -> Result<u64> {
    cpu_nanoseconds(backend).ok_or_else(|| "the server is not on this machine".into())
}
