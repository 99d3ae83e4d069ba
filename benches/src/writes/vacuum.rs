//! Vacuum after a fifth of the rows is deleted.

use postgres::Client;
use serde::Serialize;

use super::{Subject, Task, full_page_writes};
use crate::Result;
use crate::cost::{Cost, Meter};

/// One vacuum of one subject.
#[derive(Debug, Serialize)]
pub struct Vacuumed {
    /// The system, or `table alone`.
    pub subject: &'static str,
    /// Whether first changes since the checkpoint just before write whole pages to the WAL.
    pub full_page_writes: bool,
    /// Rows deleted before.
    pub deleted: u64,
    /// Size of the index before and after.
    pub index_bytes: Option<[i64; 2]>,
    /// The vacuum of the table with all its indexes.
    pub cost: Cost,
}

const HEAD: &str = "
subject       full pages   deleted    wall s   cpu s    WAL MB   images  index pages  index MB before, after";

/// Deletes a fifth of the rows and vacuums, for all systems: first with, then, after another fifth,
/// without whole pages in the WAL.
pub fn run(task: &Task<'_>) -> Result<Vec<Vacuumed>> {
    let Task { server, dataset, .. } = *task;
    let rows = dataset.base.rows();
    let mut subjects = Subject::load(task, 0..rows)?;
    println!("\n{}: vacuum of {rows} rows, a fifth of them deleted\n{HEAD}", dataset.name);
    let mut lines = Vec::new();
    for (fifth, full_pages) in [(0, true), (1, false)] {
        for Subject { name, table, client, .. } in &mut subjects {
            let delete = format!("DELETE FROM {table} WHERE id % 5 = {fifth}");
            let deleted = client.execute(&delete, &[])?;
            let before = index_bytes(client, table)?;
            full_page_writes(client, full_pages)?;
            let meter = Meter::start(server, [&mut *client])?;
            client.batch_execute(&vacuum(table))?;
            let cost = meter.stop([&mut *client])?;
            let index_bytes = before.zip(index_bytes(client, table)?).map(Into::into);
            let line = Vacuumed {
                subject: name,
                full_page_writes: full_pages,
                deleted,
                index_bytes,
                cost,
            };
            println!("{}", line.text());
            lines.push(line);
        }
    }
    Ok(lines)
}

/// The vacuum that is measured: by one process, and of the indexes in any case.
pub(super) fn vacuum(table: &str) -> String {
    format!("VACUUM (INDEX_CLEANUP ON, PARALLEL 0) {table}")
}

/// The size of the table's vector index, if it has one.
fn index_bytes(client: &mut Client, table: &str) -> Result<Option<i64>> {
    let size = "SELECT pg_relation_size(indexrelid) FROM pg_index
                WHERE indrelid = $1::text::regclass AND NOT indisunique";
    Ok(client.query_opt(size, &[&table])?.map(|row| row.get(0)))
}

impl Vacuumed {
    fn text(&self) -> String {
        let Self { subject, deleted, cost, .. } = self;
        let full = if self.full_page_writes { "on" } else { "off" };
        let cpu = cost.cpu_s.map_or("-".into(), |s| format!("{s:.2}"));
        let pages = cost.index_pages.map_or("-".into(), |n| n.to_string());
        let size = self.index_bytes.map_or("-".into(), |[before, after]| {
            format!("{:.1}, {:.1}", before as f64 / 1e6, after as f64 / 1e6)
        });
        format!(
            "{subject:<13} {full:>10} {deleted:>9} {:>9.2} {cpu:>7} {:>9.1} {:>8} {pages:>12}  {size:>22}",
            cost.wall_s,
            cost.wal_bytes as f64 / 1e6,
            cost.page_images,
        )
    }
}
