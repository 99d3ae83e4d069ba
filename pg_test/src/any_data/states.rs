//! The states of a table and its index, and recall in each.

use std::error::Error;
use std::io::Write;

use bytes::BytesMut;
use postgres::types::{Format, IsNull, ToSql, Type, to_sql_checked};
use postgres::{Client, Statement};

use super::Sample;
use crate::{explain_plan, scans_index};

/// Neighbors asked for.
const K: usize = 10;

/// How an index came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Built on all rows.
    Built,
    /// Built, then half of the rows deleted, the table vacuumed, and as many rows inserted.
    Churned,
    /// Made on the empty table, then every row inserted.
    Grown,
    /// Grown, then vacuumed, as autovacuum does after a while.
    Vacuumed,
}

impl State {
    /// All of them, in the order in which they are measured.
    pub const ALL: [Self; 4] = [Self::Built, Self::Churned, Self::Grown, Self::Vacuumed];

    /// The word for it in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Built => "built",
            Self::Churned => "churned",
            Self::Grown => "grown",
            Self::Vacuumed => "vacuumed",
        }
    }
}

/// Recall of the ten nearest, from 0 to 1, in each of [`State::ALL`].
pub type Recall = [f64; 4];

/// Recall of index `items_v`, which the statement `create_index` makes on column `v` of table
/// `items`, in every state. The table is made anew. Exact answers come from a sort of the same
/// column by the same operator; a row counts where it is as near as the tenth of them.
///
/// # Errors
/// Those of the server; that it has no such type or operator class, too.
pub fn recall_by_state(
    client: &mut Client,
    sample: &Sample,
    create_index: &str,
) -> Result<Recall, postgres::Error> {
    create_tables(client, sample)?;
    let rows = sample.rows.len();
    let insert_rows =
        format!("INSERT INTO items SELECT * FROM arrivals WHERE id < {rows} ORDER BY id");
    let insert_later =
        format!("INSERT INTO items SELECT * FROM arrivals WHERE id >= {rows} ORDER BY id");

    client.batch_execute(&insert_rows)?;
    client.batch_execute(create_index)?;
    let searches = Searches::prepare(client, sample)?;
    let bounds = searches.tenth_distances(client)?;
    let built = searches.recall(client, &bounds)?;

    client.batch_execute("DELETE FROM items WHERE id % 2 = 0")?;
    client.batch_execute("VACUUM items")?;
    client.batch_execute(&insert_later)?;
    let bounds_later = searches.tenth_distances(client)?;
    let churned = searches.recall(client, &bounds_later)?;

    client.batch_execute("DROP INDEX items_v; TRUNCATE items")?;
    client.batch_execute(create_index)?;
    client.batch_execute(&insert_rows)?;
    let grown = searches.recall(client, &bounds)?;
    client.batch_execute("VACUUM items")?;
    let vacuumed = searches.recall(client, &bounds)?;
    Ok([built, churned, grown, vacuumed])
}

/// An empty table `items`, and all rows in table `arrivals`.
fn create_tables(client: &mut Client, sample: &Sample) -> Result<(), postgres::Error> {
    client.batch_execute(&format!(
        "SET client_min_messages = error; SET enable_seqscan = off; SET enable_sort = off;
         DROP TABLE IF EXISTS items, arrivals;
         CREATE TABLE items (id int4, v {}) WITH (autovacuum_enabled = false);
         CREATE TABLE arrivals (LIKE items)",
        sample.sql_type
    ))?;
    let mut copy = client.copy_in("COPY arrivals FROM STDIN")?;
    for (id, value) in sample.rows.iter().chain(&sample.later_rows).enumerate() {
        // The connection keeps the error, and tells it at the end.
        if writeln!(copy, "{id}\t{value}").is_err() {
            break;
        }
    }
    copy.finish().map(drop)
}

/// The searches of one sample.
struct Searches {
    queries: Vec<Literal>,
    by_index: Statement,
    exact: Statement,
}

impl Searches {
    /// # Panics
    /// If the server does not search the index.
    fn prepare(client: &mut Client, sample: &Sample) -> Result<Self, postgres::Error> {
        let distance = format!("v {} $1", sample.operator);
        let search = format!("SELECT {distance} FROM items ORDER BY {distance} LIMIT {K}");
        if let Some(query) = sample.queries.first() {
            let literal = format!("'{query}'::{}", sample.sql_type);
            let plan = explain_plan(client, &search.replace("$1", &literal))?;
            assert!(scans_index(&plan, "items_v"), "{plan}");
        }
        // No index is on the sum.
        let exact = format!("SELECT {distance} FROM items ORDER BY ({distance}) + 0 LIMIT {K}");
        Ok(Self {
            queries: sample.queries.iter().cloned().map(Literal).collect(),
            by_index: client.prepare(&search)?,
            exact: client.prepare(&exact)?,
        })
    }

    /// The distance of each query's tenth neighbor.
    fn tenth_distances(&self, client: &mut Client) -> Result<Vec<f64>, postgres::Error> {
        let mut distances = Vec::new();
        for query in &self.queries {
            let rows = client.query(&self.exact, &[query])?;
            distances.push(rows.last().map_or(f64::NEG_INFINITY, |row| row.get(0)));
        }
        Ok(distances)
    }

    /// The share of neighbors that the index finds, as near as `bounds`.
    fn recall(&self, client: &mut Client, bounds: &[f64]) -> Result<f64, postgres::Error> {
        let mut found = 0;
        for (query, bound) in self.queries.iter().zip(bounds) {
            let rows = client.query(&self.by_index, &[query])?;
            found += rows.iter().filter(|row| row.get::<_, f64>(0) <= *bound).count();
        }
        Ok(found as f64 / (K * self.queries.len()) as f64)
    }
}

/// A value of any type in its text form.
#[derive(Debug)]
struct Literal(String);

impl ToSql for Literal {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.extend_from_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    to_sql_checked!();
}
