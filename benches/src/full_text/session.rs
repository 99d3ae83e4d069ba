//! A database with texts, and the cost of searches in it.

use postgres::Client;
use postgres::types::ToSql;
use serde::Serialize;

use super::corpus::{Corpus, Question};
use crate::build::{BuildLimits, Timed, create_index};
use crate::database::{self, text};
use crate::machine::cpu_nanoseconds;
use crate::pages::touched_of_index;
use crate::server::Server;
use crate::systems::System;
use crate::{Result, options::Options};

/// A connection to a database that has an empty table `items`.
pub struct Session<'a> {
    /// The connection.
    pub client: Client,
    /// The server.
    pub server: &'a Server,
    /// Whose database it is.
    pub system: &'static System,
    /// Texts and queries.
    pub corpus: &'a Corpus,
    /// What builds may use.
    pub limits: &'a BuildLimits,
    /// Process of the server that serves the connection.
    pub backend: u32,
}

/// What a search takes, on average over the queries.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Speed {
    /// Queries a second of one client, in the fastest round.
    pub qps: f64,
    /// Microseconds of processor time of the server, in the least round.
    pub cpu_us: f64,
    /// Microseconds in the index scan, in the least round; none where nothing tells.
    pub scan_us: Option<f64>,
}

impl<'a> Session<'a> {
    /// Creates the database with the table `items (id, v text)`, and fills it with the texts.
    pub fn with_texts(
        server: &'a Server,
        corpus: &'a Corpus,
        options: &'a Options,
    ) -> Result<Self> {
        let mut session = Self::empty(server, corpus, options, "text")?;
        let ids: Vec<i32> = (0i32..).take(corpus.texts.len()).collect();
        let load = "INSERT INTO items SELECT * FROM unnest($1::int4[], $2::text[])";
        session.client.execute(load, &[&ids, &corpus.texts])?;
        session.client.batch_execute("VACUUM (FREEZE, ANALYZE) items")?;
        Ok(session)
    }

    /// Creates the database with the empty table `items (id, v sql_type)`.
    pub fn empty(
        server: &'a Server,
        corpus: &'a Corpus,
        options: &'a Options,
        sql_type: &str,
    ) -> Result<Self> {
        let &system = options.systems.first().ok_or("no system")?;
        if server.postmaster().is_none() {
            return Err("processor times are those of a private server: leave --url out".into());
        }
        let mut client = database::create_with(server, system, sql_type)?;
        let backend: i32 = client.query_one("SELECT pg_backend_pid()", &[])?.get(0);
        let (limits, backend) = (&options.limits, u32::try_from(backend)?);
        Ok(Self { client, server, system, corpus, limits, backend })
    }

    /// Builds an index of `items`.
    pub fn build(&mut self, statement: &str) -> Result<Timed> {
        create_index(&mut self.client, self.server, self.limits, statement)
    }

    /// Bytes of a relation.
    pub fn bytes(&mut self, relation: &str) -> Result<i64> {
        let size = format!("SELECT pg_relation_size('{relation}')");
        Ok(self.client.query_one(&size, &[])?.get(0))
    }

    /// Processor time that the server has used for this connection, in microseconds.
    pub fn cpu_us(&self) -> Result<f64> {
        let time = cpu_nanoseconds(self.backend).ok_or("the server's process is gone")?;
        Ok(time as f64 / 1e3)
    }

    /// Ids found for each question, whose text is `$1`.
    pub fn ids(&mut self, search: &str, questions: &[Question]) -> Result<Vec<Vec<i32>>> {
        let texts: Vec<&str> = questions.iter().map(|question| &*question.text).collect();
        self.ids_with(search, &texts)
    }

    /// The same for any values of `$1`.
    pub fn ids_with<T: ToSql + Sync>(
        &mut self,
        search: &str,
        asked: &[T],
    ) -> Result<Vec<Vec<i32>>> {
        let statement = self.client.prepare(search).map_err(|e| text(&e))?;
        let mut answers = Vec::with_capacity(asked.len());
        for value in asked {
            let rows = self.client.query(&statement, &[value]).map_err(|e| text(&e))?;
            answers.push(rows.iter().map(|row| row.get(0)).collect());
        }
        Ok(answers)
    }

    /// What `search` takes with each value of `$1`. All are asked once before.
    pub fn speed<T: ToSql + Sync>(
        &mut self,
        search: &str,
        asked: &[T],
        rounds: usize,
    ) -> Result<Speed> {
        let count = asked.len() as f64;
        let mut speed = Speed { qps: 0.0, cpu_us: f64::INFINITY, scan_us: None };
        let statement = self.client.prepare(search).map_err(|e| text(&e))?;
        for round in 0..=rounds {
            let (start, before) = (std::time::Instant::now(), self.cpu_us()?);
            for value in asked {
                self.client.query(&statement, &[value]).map_err(|e| text(&e))?;
            }
            if round > 0 {
                speed.qps = speed.qps.max(count / start.elapsed().as_secs_f64());
                speed.cpu_us = speed.cpu_us.min((self.cpu_us()? - before) / count);
            }
        }
        let Some(scan_time) = self.system.scan_time else { return Ok(speed) };
        let scan_time = self.client.prepare(scan_time)?;
        for _ in 0..rounds {
            let mut sum = 0.0;
            for value in asked {
                self.client.query(&statement, &[value])?;
                // No row: no index scan.
                let Some(row) = self.client.query_opt(&scan_time, &[])? else { return Ok(speed) };
                sum += row.get::<_, f64>(0);
            }
            speed.scan_us = Some(speed.scan_us.unwrap_or(f64::INFINITY).min(sum / count));
        }
        Ok(speed)
    }

    /// Pages of the index `items_v` that `search` touches, on average.
    pub fn pages<T: ToSql + Sync>(&mut self, search: &str, asked: &[T]) -> Result<Option<f64>> {
        let before = touched_of_index(&mut self.client)?;
        self.ids_with(search, asked)?;
        let after = touched_of_index(&mut self.client)?;
        Ok(before.zip(after).map(|(before, after)| (after - before) as f64 / asked.len() as f64))
    }
}

impl Speed {
    /// As tables have it.
    pub fn columns(&self) -> String {
        let scan = self.scan_us.map_or("-".to_owned(), |us| format!("{us:.0}"));
        format!("{:>7.0} {:>7.0} {scan:>7}", self.qps, self.cpu_us)
    }
}

/// Head of [`Speed::columns`].
pub const HEAD: &str = "    qps  cpu us scan us";
