//! What the lines of an insert run say of one system beside another, and of a greater index beside
//! a smaller one.

use super::insert::{InsertMode, Inserted};

/// The first system by each other one, for each mode; then the cost of a row in the
/// last index by that in the first one.
pub fn ratios(lines: &[Inserted]) -> String {
    let mut out = String::new();
    let first = lines.first().map_or("", |line| line.subject);
    for ours in lines.iter().filter(|line| line.subject == first) {
        let same = |line: &&Inserted| line.mode == ours.mode && line.loaded == ours.loaded;
        let Some(alone) = lines.iter().rfind(same) else { continue };
        for theirs in lines.iter().filter(same) {
            if theirs.subject == ours.subject || theirs.subject == alone.subject {
                continue;
            }
            let wal = |line: &Inserted| (line.cost.wal_bytes - alone.cost.wal_bytes) as f64;
            out += &format!(
                "\n{} / {}, {}, {} rows loaded: rows/s {:.2}, cpu {:.2}, WAL {:.2}, that of the index {:.2}",
                ours.subject,
                theirs.subject,
                ours.way_text(),
                ours.loaded,
                theirs.cost.wall_s / ours.cost.wall_s,
                ours.cpu() / theirs.cpu(),
                ours.cost.wal_bytes as f64 / theirs.cost.wal_bytes as f64,
                wal(ours) / wal(theirs)
            );
        }
    }
    for large in lines {
        let same = |line: &&Inserted| line.subject == large.subject && line.mode == large.mode;
        let Some(small) = lines.iter().find(same).filter(|s| s.loaded < large.loaded) else {
            continue;
        };
        out += &format!(
            "\n{}, {}: from {} to {} rows: cpu {:.2}",
            large.subject,
            large.way_text(),
            small.loaded,
            large.loaded,
            large.cpu() / small.cpu()
        );
        if let (Some(more), Some(fewer @ 1..)) = (large.cost.index_pages, small.cost.index_pages) {
            out += &format!(", index pages {:.2}", more as f64 / fewer as f64);
        }
    }
    out
}

impl Inserted {
    fn way_text(&self) -> String {
        let InsertMode { batch, clients, full_page_writes } = self.mode;
        let full = if full_page_writes { "full pages" } else { "no full pages" };
        format!("{batch} rows/stmt, {clients} client(s), {full}")
    }

    fn cpu(&self) -> f64 {
        self.cost.cpu_s.unwrap_or(f64::NAN)
    }
}
