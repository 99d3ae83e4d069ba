//! Searches among rows that were just inserted, before and after a VACUUM.

use serde::Serialize;

use super::Extent;
use super::analyzers::{Analyzer, MILVUS_ENGLISH, STANDARD};
use super::session::{Session, Speed};
use crate::Result;

const SEARCH: &str = "SELECT id FROM items ORDER BY v <@> $1 LIMIT 10";

/// Searches after some inserts.
#[derive(Debug, Serialize)]
struct Fresh {
    /// The analyzer.
    analyzer: &'static str,
    /// Rows inserted.
    rows: usize,
    /// Those in the write buffer.
    buffered: u64,
    /// Segments of the index.
    segments: u64,
    /// Before the VACUUM.
    speed: Speed,
    /// After it.
    vacuumed: Speed,
    /// Time in the scan before, divided by that after.
    ratio: f64,
    /// Time in the scan, divided by that without any new row.
    growth: f64,
}

/// For each number of rows: inserts copies of so many texts, by 100 a statement, searches, vacuums,
/// and searches again. The rows are deleted and vacuumed then.
pub fn run(session: &mut Session<'_>, extent: &Extent) -> Result<Vec<impl Serialize>> {
    println!(
        "\n{:<20} {:>7} {:>8} {:>8} {:>7} {:>8} {:>7} {:>8} {:>6} {:>6}",
        "searches, new rows",
        "rows",
        "buffered",
        "segments",
        "cpu us",
        "vacuumed",
        "scan us",
        "vacuumed",
        "ratio",
        "growth"
    );
    let mut lines = Vec::new();
    for analyzer in [STANDARD, MILVUS_ENGLISH] {
        session.client.batch_execute("DROP INDEX IF EXISTS items_v")?;
        session.build(&analyzer.create_index("v", true))?;
        let mut first = None;
        for &rows in &extent.fresh {
            let mut line = measure(session, &analyzer, rows, extent.rounds)?;
            let time = |speed: &Speed| speed.scan_us.unwrap_or(speed.cpu_us);
            line.ratio = time(&line.speed) / time(&line.vacuumed);
            line.growth = time(&line.speed) / *first.get_or_insert(time(&line.speed));
            println!("{}", line.text());
            lines.push(line);
        }
    }
    session.client.batch_execute("DROP INDEX items_v")?;
    Ok(lines)
}

fn measure(
    session: &mut Session<'_>,
    analyzer: &Analyzer,
    rows: usize,
    rounds: usize,
) -> Result<Fresh> {
    let questions = session.corpus.with_vectors();
    let asked: Vec<&str> = questions.iter().map(|question| &*question.text).collect();
    let count = i32::try_from(session.corpus.texts.len())?;
    let statement =
        session.client.prepare("INSERT INTO items SELECT * FROM unnest($1::int4[], $2::text[])")?;
    let texts: Vec<&str> =
        session.corpus.texts.iter().cycle().take(rows).map(String::as_str).collect();
    for (number, texts) in (0i32..).zip(texts.chunks(BATCH)) {
        let first = count + number * BATCH as i32;
        let ids: Vec<i32> = (first..).take(texts.len()).collect();
        session.client.execute(&statement, &[&ids, &texts])?;
    }
    let (buffered, segments) = (property(session, BUFFERED)?, property(session, "segments")?);
    let speed = session.speed(SEARCH, &asked, rounds)?;
    session.client.batch_execute("VACUUM items")?;
    let vacuumed = session.speed(SEARCH, &asked, rounds)?;
    session.client.batch_execute(&format!("DELETE FROM items WHERE id >= {count}"))?;
    session.client.batch_execute("VACUUM items")?;
    let (analyzer, ratio, growth) = (analyzer.name, f64::NAN, f64::NAN);
    Ok(Fresh { analyzer, rows, buffered, segments, speed, vacuumed, ratio, growth })
}

/// Rows of a statement.
const BATCH: usize = 100;

const BUFFERED: &str = "tuples in the write buffer";

/// A number that `vector_index_info` tells.
fn property(session: &mut Session<'_>, name: &str) -> Result<u64> {
    let query = "SELECT value FROM vector_index_info('items_v') WHERE property = $1";
    let value: String = session.client.query_one(query, &[&name])?.get(0);
    Ok(value.parse()?)
}

impl Fresh {
    fn text(&self) -> String {
        let Self { analyzer, rows, buffered, segments, speed, vacuumed, ratio, growth } = self;
        let scan = |speed: &Speed| speed.scan_us.unwrap_or(f64::NAN);
        format!(
            "{analyzer:<20} {rows:>7} {buffered:>8} {segments:>8} {:>7.0} {:>8.0} {:>7.0} {:>8.0} \
             {ratio:>6.2} {growth:>6.2}",
            speed.cpu_us,
            vacuumed.cpu_us,
            scan(speed),
            scan(vacuumed)
        )
    }
}
