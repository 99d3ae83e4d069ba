//! Pages that queries touch: what plans and the server's statistics say.

use pg_test::Vector;
use postgres::{Client, Statement};
use serde_json::Value;

use crate::Result;

/// Queries that are looked at, at most.
const SAMPLED: usize = 200;

/// Pages that a query touches, on average over some.
#[derive(Debug, Clone, Copy)]
pub struct Pages {
    /// Shared buffers touched (hit or read) in the execution of a query: index, heap and TOAST.
    pub buffers: f64,
    /// Those of the index alone; none before PostgreSQL 15, whose statistics cannot be waited for.
    pub index_pages: Option<f64>,
    /// Whether every plan looked at uses the index.
    pub index_used: bool,
}

impl Pages {
    /// Asks some of `queries` through `statement`, which is prepared from `text`. Statistics of
    /// other connections to the database must have been [reported](report_statistics).
    pub fn count(
        client: &mut Client,
        statement: &Statement,
        text: &str,
        queries: &[Vector],
    ) -> Result<Self> {
        let step = queries.len().div_ceil(SAMPLED).max(1);
        let sample: Vec<_> = queries.iter().step_by(step).collect();
        let count = sample.len() as f64;

        // Asked without EXPLAIN, which plans anew: some planners read the index.
        let before = touched_of_index(client)?;
        for vector in &sample {
            client.query(statement, &[vector])?;
        }
        let index = before.zip(touched_of_index(client)?).map(|(before, after)| after - before);

        let explain = format!("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {text}");
        let explain = client.prepare_typed(&explain, statement.params())?;
        let (mut buffers, mut index_used) = (0, true);
        for vector in &sample {
            let plans: Value = client.query_one(&explain, &[vector])?.get(0);
            let plan = &plans[0]["Plan"];
            buffers += touched(plan)?;
            index_used &= uses_index(plan);
        }
        Ok(Self {
            buffers: buffers as f64 / count,
            index_pages: index.map(|pages| pages as f64 / count),
            index_used,
        })
    }
}

/// Makes the backend of `client` report its statistics before this returns; false where the server
/// does not know how.
pub fn report_statistics(client: &mut Client) -> Result<bool> {
    let version = "SELECT current_setting('server_version_num')::int4";
    let known = client.query_one(version, &[])?.get::<_, i32>(0) >= 150_000;
    if known {
        client.batch_execute("SELECT pg_stat_force_next_flush()")?;
    }
    Ok(known)
}

/// Blocks of the index `items_v` touched so far, if the server can say.
pub fn touched_of_index(client: &mut Client) -> Result<Option<i64>> {
    if !report_statistics(client)? {
        return Ok(None);
    }
    let blocks = "SELECT idx_blks_hit + idx_blks_read FROM pg_statio_user_indexes
                  WHERE indexrelname = 'items_v'";
    Ok(Some(client.query_one(blocks, &[])?.get(0)))
}

/// Shared buffers of a plan's execution; planning is reported beside the plan.
pub fn touched(plan: &Value) -> Result<u64> {
    let number = |key: &str| plan[key].as_u64().ok_or_else(|| format!("no \"{key}\" in a plan"));
    Ok(number("Shared Hit Blocks")? + number("Shared Read Blocks")?)
}

fn uses_index(plan: &Value) -> bool {
    let children = plan["Plans"].as_array();
    plan["Index Name"] == "items_v" || children.is_some_and(|c| c.iter().any(uses_index))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn plans_are_read() {
        let scan = json!({"Node Type": "Index Scan", "Index Name": "items_v"});
        let plan = json!({"Shared Hit Blocks": 5, "Shared Read Blocks": 2, "Plans": [scan]});
        assert_eq!(touched(&plan).unwrap(), 7);
        assert!(uses_index(&plan));
        let plan = json!({"Plans": [{"Node Type": "Sort", "Plans": [{"Node Type": "Seq Scan"}]}]});
        assert!(!uses_index(&plan));
        assert!(touched(&plan).is_err());
    }
}
