//! Inserts of single rows into a table with an index of texts.

use std::time::Instant;

use serde::Serialize;

use super::analyzers::STANDARD;
use super::session::Session;
use crate::Result;
use crate::database::text;

/// A table with an index, and what inserts into it took.
#[derive(Debug, Serialize)]
struct Inserted {
    /// The index.
    index: &'static str,
    /// Rows inserted, each in a transaction.
    rows: usize,
    /// Processor time of the server for a row, in microseconds.
    cpu_us: f64,
    /// The same without that of the table alone.
    index_us: f64,
    /// Processor time of the VACUUM after, for a row inserted, without that of the table alone.
    vacuum_us: f64,
    /// Processor time that one insert in 1,000 exceeds, in microseconds.
    p999_us: f64,
    /// The greatest processor time of an insert, in microseconds.
    most_us: f64,
    /// The greatest time of an insert as the client sees it, in milliseconds.
    most_ms: f64,
    /// Bytes of the index before the VACUUM.
    bytes: i64,
}

/// Inserts `count` texts, over again if there are fewer, into tables with all texts.
pub fn run(session: &mut Session<'_>, count: usize) -> Result<Vec<impl Serialize>> {
    println!(
        "\n{:<20} {:>9} {:>7} {:>8} {:>9} {:>7} {:>8} {:>8} {:>9}",
        "inserts",
        "rows",
        "cpu us",
        "index us",
        "vacuum us",
        "p99.9",
        "most us",
        "most ms",
        "index MB"
    );
    let inverted = STANDARD.option;
    let gin = "USING gin (to_tsvector('simple', v)) WITH (fastupdate = ";
    let subjects = [
        ("table alone", None),
        ("inverted", Some(format!("USING inverted (v) WITH (analyzer = {inverted})"))),
        ("GIN, fastupdate on", Some(format!("{gin} on)"))),
        ("GIN, fastupdate off", Some(format!("{gin} off)"))),
    ];
    let mut lines: Vec<Inserted> = Vec::new();
    for (name, index) in subjects {
        session.client.batch_execute("CREATE TABLE grown AS SELECT * FROM items")?;
        if let Some(index) = &index {
            session.client.batch_execute(&format!("CREATE INDEX grown_v ON grown {index}"))?;
        }
        session.client.batch_execute("VACUUM (FREEZE, ANALYZE) grown")?;
        session.client.batch_execute("CHECKPOINT")?;
        let mut line = insert(session, name, count)?;
        if index.is_some() {
            line.bytes = session.bytes("grown_v")?;
        }
        let before = session.cpu_us()?;
        session.client.batch_execute("VACUUM grown")?;
        line.vacuum_us = (session.cpu_us()? - before) / count as f64;
        if let Some(alone) = lines.first() {
            line.index_us = line.cpu_us - alone.cpu_us;
            line.vacuum_us -= alone.vacuum_us;
        }
        println!("{}", line.text());
        lines.push(line);
        session.client.batch_execute("DROP TABLE grown")?;
    }
    Ok(lines)
}

fn insert(session: &mut Session<'_>, index: &'static str, rows: usize) -> Result<Inserted> {
    let statement = session.client.prepare("INSERT INTO grown VALUES ($1, $2)")?;
    let texts = &session.corpus.texts;
    let (mut most_ms, mut times) = (0f64, Vec::with_capacity(rows));
    let first = session.cpu_us()?;
    let mut before = first;
    for (number, body) in texts.iter().cycle().take(rows).enumerate() {
        let id = i32::try_from(texts.len() + number)?;
        let start = Instant::now();
        session.client.execute(&statement, &[&id, body]).map_err(|e| text(&e))?;
        most_ms = most_ms.max(start.elapsed().as_secs_f64() * 1e3);
        let now = session.cpu_us()?;
        times.push(now - before);
        before = now;
    }
    times.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| times.get((rows as f64 * share) as usize).copied().unwrap_or_default();
    let (cpu_us, p999_us) = ((before - first) / rows as f64, at(0.999));
    let most_us = times.last().copied().unwrap_or_default();
    let (index_us, vacuum_us, bytes) = (0.0, 0.0, 0);
    Ok(Inserted { index, rows, cpu_us, index_us, vacuum_us, p999_us, most_us, most_ms, bytes })
}

impl Inserted {
    fn text(&self) -> String {
        let Self { index, rows, cpu_us, index_us, vacuum_us, p999_us, most_us, most_ms, bytes } =
            self;
        let megabytes = *bytes as f64 / 1e6;
        format!(
            "{index:<20} {rows:>9} {cpu_us:>7.1} {index_us:>8.1} {vacuum_us:>9.1} {p999_us:>7.0} \
             {most_us:>8.0} {most_ms:>8.1} {megabytes:>9.1}"
        )
    }
}
