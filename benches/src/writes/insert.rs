//! Inserts into an index that holds rows already.

use std::ops::Range;
use std::sync::Barrier;
use std::thread;

use pg_test::Vector;
use postgres::types::{ToSql, Type};
use postgres::{Client, Statement};
use serde::Serialize;

use super::{Subject, Task, full_page_writes};
use crate::Result;
use crate::cost::{Cost, Meter};
use crate::database::{self, text};
use crate::matrix::Matrix;
use crate::server::Server;

/// What to measure.
pub struct Insert {
    /// Rows in the index before, one run each.
    pub loaded: Vec<usize>,
    /// Rows to insert for each line of the table, about.
    pub inserts: usize,
    /// Rows a statement.
    pub batches: Vec<usize>,
    /// Clients that insert at once.
    pub clients: Vec<usize>,
}

/// How rows are inserted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct InsertMode {
    /// Rows a statement, each a transaction.
    pub batch: usize,
    /// Clients at once.
    pub clients: usize,
    /// Whether first changes since the checkpoint just before write whole pages to the WAL.
    pub full_page_writes: bool,
}

/// One line: a subject in one mode.
#[derive(Debug, Serialize)]
pub struct Inserted {
    /// The system, or `table alone`.
    pub subject: &'static str,
    /// Rows in the index before the first insert of this run.
    pub loaded: usize,
    /// How they were inserted.
    #[serde(flatten)]
    pub mode: InsertMode,
    /// Rows inserted.
    pub rows: usize,
    /// All of them together.
    pub cost: Cost,
}

impl Insert {
    /// Inserts into all systems in turn and prints a line each.
    pub fn run(&self, task: &Task<'_>) -> Result<Vec<Inserted>> {
        let Task { server, dataset, .. } = *task;
        let mut lines = Vec::new();
        for &loaded in &self.loaded {
            if loaded >= dataset.base.rows() {
                return Err(format!("{} has no row {loaded} to insert", dataset.name).into());
            }
            let mut subjects = Subject::load(task, 0..loaded)?;
            println!("\n{}: inserts into an index of {loaded} rows\n{HEAD}", dataset.name);
            let mut next = loaded;
            for mode in self.modes() {
                let share = (self.inserts / mode.clients / mode.batch).max(1) * mode.batch;
                let rows = next..next + share * mode.clients;
                if rows.end > dataset.base.rows() {
                    eprintln!("{} has no rows left to insert", dataset.name);
                    break;
                }
                next = rows.end;
                for subject in &mut subjects {
                    let cost = mode.measure(server, subject, &dataset.base, rows.clone())?;
                    let subject = subject.name;
                    let line = Inserted { subject, loaded, mode, rows: rows.len(), cost };
                    println!("{}", line.text());
                    lines.push(line);
                }
            }
        }
        Ok(lines)
    }

    fn modes(&self) -> Vec<InsertMode> {
        let mut modes = Vec::new();
        for &batch in &self.batches {
            for &clients in &self.clients {
                let mode = |full_page_writes| InsertMode { batch, clients, full_page_writes };
                modes.extend([true, false].map(mode));
            }
        }
        modes
    }
}

impl InsertMode {
    /// Inserts `rows` of `base` into the table of `subject`.
    fn measure(
        self,
        server: &Server,
        subject: &mut Subject,
        base: &Matrix<f32>,
        rows: Range<usize>,
    ) -> Result<Cost> {
        let mut writers = Writer::open(server, subject, self.batch, self.clients)?;
        full_page_writes(&mut subject.client, self.full_page_writes)?;
        let meter = Meter::start(server, writers.iter_mut().map(|w| &mut w.client))?;
        insert(&mut writers, base, rows, self.batch)?;
        meter.stop(writers.iter_mut().map(|w| &mut w.client))
    }
}

const HEAD: &str = "
subject       rows/stmt clients full pages    rows/s  cpu us/row  WAL B/row  images/row  index pages/row";

impl Inserted {
    fn text(&self) -> String {
        let Self { subject, mode: InsertMode { batch, clients, full_page_writes }, cost, .. } =
            self;
        let rows = self.rows as f64;
        let full = if *full_page_writes { "on" } else { "off" };
        let cpu = cost.cpu_s.map_or("-".into(), |s| format!("{:.0}", s * 1e6 / rows));
        let pages = cost.index_pages.map_or("-".into(), |n| format!("{:.1}", n as f64 / rows));
        format!(
            "{subject:<13} {batch:>9} {clients:>7} {full:>10} {:>9.0} {cpu:>11} {:>10.0} {:>11.2} {pages:>16}",
            rows / cost.wall_s,
            cost.wal_bytes as f64 / rows,
            cost.page_images as f64 / rows,
        )
    }
}

/// A connection that inserts some rows a statement.
struct Writer {
    client: Client,
    statement: Statement,
}

impl Writer {
    fn open(server: &Server, subject: &Subject, batch: usize, count: usize) -> Result<Vec<Self>> {
        let values: Vec<_> =
            (0..batch).map(|i| format!("(${}, ${})", 2 * i + 1, 2 * i + 2)).collect();
        let statement = format!("INSERT INTO {} VALUES {}", subject.table, values.join(", "));
        let open = |_| -> Result<Self> {
            let mut client = server.connect(&database::name(subject.system))?;
            let columns = client.prepare("SELECT id, v FROM items")?;
            let types: Vec<Type> = columns.columns().iter().map(|c| c.type_().clone()).collect();
            let types: Vec<Type> = types.iter().cycle().take(2 * batch).cloned().collect();
            let statement = client.prepare_typed(&statement, &types)?;
            // The extension's library is loaded by its first use.
            client.query("SELECT v <-> v FROM items LIMIT 1", &[])?;
            Ok(Self { client, statement })
        };
        (0..count).map(open).collect()
    }

    fn insert(&mut self, base: &Matrix<f32>, rows: Range<usize>, batch: usize) -> Result<()> {
        for start in rows.clone().step_by(batch) {
            let mut values: Vec<Box<dyn ToSql + Sync>> = Vec::with_capacity(2 * batch);
            for row in start..(start + batch).min(rows.end) {
                values.push(Box::new(i32::try_from(row)?));
                values.push(Box::new(Vector(base.row(row).to_vec())));
            }
            let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(AsRef::as_ref).collect();
            self.client.execute(&self.statement, &values).map_err(|e| text(&e))?;
        }
        Ok(())
    }
}

/// Inserts `rows`, an equal part by each of `writers` at the same time.
fn insert(
    writers: &mut [Writer],
    base: &Matrix<f32>,
    rows: Range<usize>,
    batch: usize,
) -> Result<()> {
    let (first, part) = (rows.start, rows.len() / writers.len());
    let barrier = &Barrier::new(writers.len());
    thread::scope(|scope| {
        let start = move |(number, writer): (usize, &'_ mut Writer)| {
            let first = first + number * part;
            barrier.wait();
            writer.insert(base, first..first + part, batch)
        };
        let writers = writers.iter_mut().enumerate();
        let threads: Vec<_> = writers.map(|writer| scope.spawn(move || start(writer))).collect();
        threads.into_iter().try_for_each(|t| t.join().map_err(|_| "a client thread panicked")?)
    })
}

/// Inserts `rows` of `base` into the table of `subject`, a hundred a statement.
pub(super) fn insert_all(
    server: &Server,
    subject: &Subject,
    base: &Matrix<f32>,
    rows: Range<usize>,
) -> Result<()> {
    let batch = 100;
    let whole = rows.start..rows.end - rows.len() % batch;
    for (rows, batch) in [(whole.clone(), batch), (whole.end..rows.end, 1)] {
        insert(&mut Writer::open(server, subject, batch, 1)?, base, rows, batch)?;
    }
    Ok(())
}
