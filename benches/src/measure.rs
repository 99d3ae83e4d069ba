//! Running the queries against one system and timing them.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use pg_test::Vector;
use postgres::{Client, Statement};

use crate::Result;
use crate::database::{self, text};
use crate::dataset::Dataset;
use crate::machine::cpu_nanoseconds;
use crate::pages::{Pages, report_statistics};
use crate::server::Server;
use crate::systems::System;

/// Connections to a loaded database, with the query prepared on each.
pub struct Session {
    clients: Vec<Connection>,
    query: String,
    system: &'static System,
    local: bool,
}

struct Connection {
    client: Client,
    statement: Statement,
    backend: u32,
}

/// One pass of all queries by each client.
pub struct Round {
    /// Queries a second, all clients together.
    pub qps: f64,
    /// Each query's time as its client saw it, sorted.
    pub latencies: Vec<Duration>,
    /// Processor time of the server a query; of a private server only.
    pub cpu_us: Option<f64>,
    /// Time inside the index scan a query, where it was measured too.
    pub scan_us: Option<f64>,
    /// The rows found, one list a query.
    pub answers: Vec<Vec<i32>>,
}

impl Session {
    /// Connects `clients` times to the database of `system`.
    pub fn open(
        server: &Server,
        system: &'static System,
        dataset: &Dataset,
        clients: usize,
        force_index: bool,
    ) -> Result<Self> {
        let query = System::query(dataset.metric, dataset.k);
        let connect = |_| -> Result<Connection> {
            let mut client = server.connect(&database::name(system))?;
            if force_index {
                client.batch_execute("SET enable_seqscan = off; SET enable_sort = off")?;
            }
            let statement = client.prepare(&query)?;
            let backend: i32 = client.query_one("SELECT pg_backend_pid()", &[])?.get(0);
            Ok(Connection { client, statement, backend: u32::try_from(backend)? })
        };
        let clients = (0..clients).map(connect).collect::<Result<_>>()?;
        let local = server.postmaster().is_some();
        let mut session = Self { clients, query, system, local };
        // The library, which knows the setting, is loaded by its first use.
        session.run(&[Vector(dataset.queries.row(0).to_vec())])?;
        Ok(session)
    }

    /// The greatest value of the system's effort setting; 32,768 for one that is text, as it tells none.
    pub fn max_effort(&mut self) -> Result<u32> {
        let max = "SELECT coalesce(max_val::int4, 32768) FROM pg_settings
                    WHERE name = $1 AND vartype IN ('integer', 'string')";
        let row = self.clients[0].client.query_opt(max, &[&self.system.effort])?;
        let max: i32 = row.ok_or_else(|| format!("no setting {}", self.system.effort))?.get(0);
        Ok(u32::try_from(max)?)
    }

    /// Sets the system's effort.
    pub fn set_effort(&mut self, effort: u32) -> Result<()> {
        let statement = format!("SET {} = {effort}", self.system.effort);
        for Connection { client, .. } in &mut self.clients {
            client.batch_execute(&statement).map_err(|e| text(&e))?;
        }
        Ok(())
    }

    /// Every client asks all `queries`, each beginning at another one.
    pub fn run(&mut self, queries: &[Vector]) -> Result<Round> {
        let (cpu_before, count) = (self.cpu(), self.clients.len());
        let barrier = Barrier::new(count + 1);
        let (passes, wall) = thread::scope(|scope| {
            let ask = |(number, connection): (usize, &'_ mut Connection)| {
                barrier.wait();
                pass(connection, queries, number * queries.len() / count)
            };
            let threads: Vec<_> = self
                .clients
                .iter_mut()
                .enumerate()
                .map(|client| scope.spawn(move || ask(client)))
                .collect();
            barrier.wait();
            let start = Instant::now();
            let passes: Vec<_> = threads.into_iter().map(|t| t.join()).collect();
            (passes, start.elapsed())
        });
        let mut latencies = Vec::with_capacity(count * queries.len());
        let mut answers = None;
        for pass in passes {
            let (times, found) = pass.map_err(|_| "a client thread panicked")??;
            latencies.extend(times);
            answers.get_or_insert(found);
        }
        latencies.sort_unstable();
        let asked = latencies.len() as f64;
        let cpu = cpu_before.zip(self.cpu());
        Ok(Round {
            qps: asked / wall.as_secs_f64(),
            latencies,
            cpu_us: cpu.map(|(before, after)| (after - before) as f64 / 1e3 / asked),
            scan_us: None,
            answers: answers.ok_or("no clients")?,
        })
    }

    /// Counts the pages that some of `queries` touch.
    pub fn pages(&mut self, queries: &[Vector]) -> Result<Pages> {
        for Connection { client, .. } in &mut self.clients {
            report_statistics(client)?;
        }
        let Connection { client, statement, .. } = &mut self.clients[0];
        Pages::count(client, statement, &self.query, queries)
    }

    /// Microseconds inside the index scan a query, on average over all `queries`; none where the
    /// system does not tell.
    pub fn scan_us(&mut self, queries: &[Vector]) -> Result<Option<f64>> {
        let Connection { client, statement, .. } = &mut self.clients[0];
        let Some(scan_time) = self.system.scan_time else { return Ok(None) };
        let scan_time = client.prepare(scan_time)?;
        let mut sum = 0.0;
        for query in queries {
            client.query(&*statement, &[query])?;
            // No row: the plan has no index scan.
            let Some(row) = client.query_opt(&scan_time, &[])? else { return Ok(None) };
            sum += row.get::<_, f64>(0);
        }
        Ok(Some(sum / queries.len() as f64))
    }

    /// Nanoseconds of processor time that the clients' backends have used so far.
    fn cpu(&self) -> Option<u64> {
        let backends = self.clients.iter().map(|connection| cpu_nanoseconds(connection.backend));
        if self.local { backends.sum() } else { None }
    }
}

type Pass = (Vec<Duration>, Vec<Vec<i32>>);

/// Asks all queries from number `first` on, round to the one before it.
fn pass(connection: &mut Connection, queries: &[Vector], first: usize) -> Result<Pass> {
    let Connection { client, statement, .. } = connection;
    let mut times = Vec::with_capacity(queries.len());
    let mut answers = Vec::with_capacity(queries.len());
    for query in queries[first..].iter().chain(&queries[..first]) {
        let start = Instant::now();
        let rows = client.query(&*statement, &[query]).map_err(|e| text(&e))?;
        times.push(start.elapsed());
        answers.push(rows.iter().map(|row| row.get(0)).collect());
    }
    answers.rotate_right(first);
    Ok((times, answers))
}
