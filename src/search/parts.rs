//! The nearest rows of a table of which parts lie on foreign servers: each part is asked for no more
//! rows than are wanted.
//!
//! postgres_fdw pushes `ORDER BY … LIMIT` down where a statement reads one foreign table, but of a
//! partitioned table only the order: all partitions then send rows until the executor has enough, in
//! batches of `fetch_size`, one server after the other. So a statement here has one arm for each
//! partition that the filter leaves. Without an order above them, the arms run on all servers at
//! once if these have `async_capable`.

use super::leg::{Leg, Search};
use super::nearest::{Limit, NO_NUMBER, RIGHT_ANGLE};
use super::parameters::Parameters;
use super::query::{FOUND, Select, function, operator};
use crate::pg::error::Report;
use crate::pg::spi::Connection;

impl Search {
    /// The parts to search by a leg of these conditions; none for the table as a whole. `filters` says
    /// whether the conditions may leave partitions out.
    ///
    /// # Errors
    /// Where PostgreSQL cannot plan the conditions.
    pub fn parts(
        &self,
        conditions: &[String],
        filters: bool,
        parameters: &Parameters,
    ) -> Result<Option<Vec<String>>, Report> {
        let Some(mut parts) = self.table.parts()? else { return Ok(None) };
        if filters && parts.len() > 1 {
            let scan = Select::new("").of_table(&self.table.name);
            let scan = conditions.iter().fold(scan, Select::filter);
            // With the values in the text, as partitions are left out only for constants.
            let text = parameters.inline(&scan.to_string())?;
            let planned = Connection::begin()?.planned_tables(&text)?;
            parts.retain(|(oid, _)| planned.contains(oid));
        }
        let names: Vec<String> = parts.into_iter().map(|(_, name)| name).collect();
        Ok((!names.is_empty()).then_some(names))
    }

    /// A query for the `limit` nearest rows of `parts`, with the columns that
    /// [`Self::nearest`] has; ties are broken.
    pub fn nearest_of_parts(&self, leg: &Leg, parts: &[String], limit: &Limit) -> String {
        let rows = limit.count();
        if !leg.is_indexed {
            // All are at a right angle to a zero vector.
            let by = (!leg.is_angular).then(|| format!("{} {}", leg.by, leg.direction()));
            let distance = by.as_ref().map_or(RIGHT_ANGLE, |_| &leg.by);
            let arm = |part: &String| {
                let scan = by.iter().fold(self.scan(part, leg, distance), Select::order_by);
                scan.order_by(self.table.ties_of_part()).limit(rows)
            };
            // The planner would merge what the arms have ordered, and wait for one after the other.
            let found = Select::new("*").of_query(of_all(parts, arm)).offset(0);
            return self.first(leg, &found.to_string(), limit).to_string();
        }
        let found = self.until_tie(leg, parts, limit);
        if !leg.is_angular {
            return found;
        }
        // Zero vectors are in no index.
        let zeros = of_all(parts, |part| {
            let zeros = self.scan(part, leg, RIGHT_ANGLE).filter(operator(&leg.by, "=", NO_NUMBER));
            zeros.order_by(self.table.ties_of_part()).limit(rows)
        });
        let found = Select::new("*").of_query(found);
        self.with_zeros(&found, Select::new("*").of_query(zeros), self.table.ties(FOUND), limit)
    }

    /// A query that asks each part for one row more than are wanted. If a part has more rows that may
    /// be as near as the last one wanted, only the order of them all decides which are, so all of the
    /// table is read in order as far as the tie reaches.
    fn until_tie(&self, leg: &Leg, parts: &[String], limit: &Limit) -> String {
        let (rows, by) = (limit.count(), format!("{} {}", leg.by, leg.direction()));
        let arms = of_all(parts, |part| {
            self.scan(part, leg, &leg.by).order_by(&by).limit(rows.saturating_add(1))
        });
        let last = Select::new("n.d").from("n").order_by(format!("n.d {}", leg.direction()));
        let last = last.limit(1).offset(rows.saturating_sub(1));
        let tied = operator(function("max", "n.d"), "<=", format_args!("({last})"));
        let full = operator(function("count", "*"), ">", rows);
        let tied = format!("EXISTS (SELECT FROM n GROUP BY n.o HAVING {full} AND {tied})");
        let bounded = Select::new("*").from("n").filter("NOT (SELECT tied FROM m)");
        let whole = Select::new("*")
            .of_query(self.nearest_of_index(leg, limit))
            .filter("(SELECT tied FROM m)");
        let all = format!("({bounded}) UNION ALL ({whole})");
        format!(
            "WITH n AS MATERIALIZED ({arms}), m AS MATERIALIZED (SELECT {tied} AS tied) {}",
            self.first(leg, &all, limit)
        )
    }

    /// The first rows of those that were found, in a total order.
    fn first(&self, leg: &Leg, found: &str, limit: &Limit) -> Select {
        Select::new("*").of_query(found).order_by(self.order(leg)).limit(limit.rows())
    }
}

/// The rows of one query for each part.
fn of_all(parts: &[String], query: impl Fn(&String) -> Select) -> String {
    parts.iter().map(|part| format!("({})", query(part))).collect::<Vec<_>>().join(" UNION ALL ")
}
