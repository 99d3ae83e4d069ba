//! Queries whose pages come from disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use pg_test::Vector;
use postgres::{Client, Statement};
use serde::Serialize;

use crate::Result;
use crate::database::{self, text};
use crate::dataset::Dataset;
use crate::pages::report_statistics;
use crate::server::Server;
use crate::systems::System;

/// One system with one setting of `effective_io_concurrency`.
#[derive(Debug, Serialize)]
pub struct Cold {
    /// The system.
    pub system: &'static str,
    /// `effective_io_concurrency`; how many reads may be under way at once.
    pub io_concurrency: u32,
    /// Share of the true neighbors found.
    pub recall: f64,
    /// Pages of the index that a query touches.
    pub index_touched: f64,
    /// Pages of the index that a query reads into shared buffers.
    pub index_read: f64,
    /// Pages of the table and its TOAST that a query reads.
    pub table_read: f64,
    /// Median time of a query, milliseconds.
    pub p50_ms: f64,
    /// Mean time of a query, milliseconds.
    pub mean_ms: f64,
}

/// Blocks counted by the server so far.
struct Blocks {
    index_touched: i64,
    index_read: i64,
    table_read: i64,
}

impl Cold {
    /// Asks half of the queries so that shared buffers hold what is used most, then the other half,
    /// with the operating system's cache emptied before each.
    pub fn measure(
        server: &Server,
        system: &System,
        dataset: &Dataset,
        effort: u32,
        io_concurrency: u32,
    ) -> Result<Self> {
        let mut client = server.connect(&database::name(system))?;
        client.batch_execute("SET enable_seqscan = off; SET enable_sort = off")?;
        client.batch_execute(&format!("SET effective_io_concurrency = {io_concurrency}"))?;
        let statement = client.prepare(&System::query(dataset.metric, dataset.k))?;
        let files = files(&mut client, server)?;
        let vectors = dataset.query_vectors();
        let (warm_up, asked) = vectors.split_at(vectors.len() / 2);

        ask(&mut client, &statement, &vectors[0])?; // loads the library, which knows the setting
        client.batch_execute(&format!("SET {} = {effort}", system.effort))?;
        let mut answers = Vec::new();
        for vector in warm_up {
            answers.push(ask(&mut client, &statement, vector)?);
        }
        let before = Blocks::read(&mut client)?;
        let mut times = Vec::new();
        for vector in asked {
            forget(&files)?;
            let start = Instant::now();
            answers.push(ask(&mut client, &statement, vector)?);
            times.push(start.elapsed());
        }
        let after = Blocks::read(&mut client)?;

        times.sort_unstable();
        let count = asked.len() as f64;
        let each = |before: i64, after: i64| (after - before) as f64 / count;
        Ok(Self {
            system: system.name,
            io_concurrency,
            recall: dataset.recall(&answers),
            index_touched: each(before.index_touched, after.index_touched),
            index_read: each(before.index_read, after.index_read),
            table_read: each(before.table_read, after.table_read),
            p50_ms: times[times.len() / 2].as_secs_f64() * 1e3,
            mean_ms: times.iter().sum::<Duration>().as_secs_f64() * 1e3 / count,
        })
    }
}

impl Blocks {
    fn read(client: &mut Client) -> Result<Self> {
        if !report_statistics(client)? {
            return Err("statistics can be waited for since PostgreSQL 15".into());
        }
        let row = client.query_one(
            "SELECT i.idx_blks_hit + i.idx_blks_read, i.idx_blks_read,
                    t.heap_blks_read + coalesce(t.toast_blks_read + t.tidx_blks_read, 0)
             FROM pg_statio_user_indexes i JOIN pg_statio_user_tables t USING (relid)
             WHERE i.indexrelname = 'items_v'",
            &[],
        )?;
        Ok(Self { index_touched: row.get(0), index_read: row.get(1), table_read: row.get(2) })
    }
}

fn ask(client: &mut Client, statement: &Statement, vector: &Vector) -> Result<Vec<i32>> {
    let rows = client.query(statement, &[vector]).map_err(|e| text(&e))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// The database's files of a megabyte and more.
fn files(client: &mut Client, server: &Server) -> Result<Vec<PathBuf>> {
    let folder = "SELECT 'base/' || oid FROM pg_database WHERE datname = current_database()";
    let folder: String = client.query_one(folder, &[])?.get(0);
    let mut files = Vec::new();
    for entry in fs::read_dir(server.data_dir()?.join(folder))? {
        let entry = entry?;
        if entry.metadata()?.len() >= 1 << 20 {
            files.push(entry.path());
        }
    }
    Ok(files)
}

/// Makes the operating system forget what it has read of `files`: dd passes on the advice that
/// their pages will not be needed. Nothing else on the machine is slowed.
fn forget(files: &[impl AsRef<Path>]) -> Result<()> {
    for file in files {
        let mut dd = Command::new("dd");
        dd.args(["iflag=nocache", "count=0", "status=none"]);
        let mut input = std::ffi::OsString::from("if=");
        input.push(file.as_ref());
        if !dd.arg(input).status()?.success() {
            return Err(format!("{}: dd iflag=nocache failed", file.as_ref().display()).into());
        }
    }
    Ok(())
}
