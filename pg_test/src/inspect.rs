//! What a test asks of a server, an error or a plan.

use postgres::{Client, Error, Row, SimpleQueryMessage};

/// The SQLSTATE of an error, such as `22P02`; empty where it does not come from the server.
pub fn sqlstate(error: &Error) -> &str {
    error.code().map_or("", |state| state.code())
}

/// The primary message of an error.
pub fn message(error: &Error) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), |error| error.message().to_string())
}

/// The refusal of `query`: SQLSTATE, message, detail.
///
/// # Panics
/// If the server accepts it.
#[track_caller]
pub fn refusal(client: &mut Client, query: &str) -> (String, String, String) {
    match client.simple_query(query) {
        Ok(_) => panic!("{query} was accepted"),
        Err(error) => {
            let detail = error.as_db_error().and_then(|error| error.detail()).unwrap_or_default();
            (sqlstate(&error).into(), message(&error), detail.into())
        }
    }
}

/// The only value of the only row, as text; none where it is NULL.
///
/// # Panics
/// If there is none, or the server refuses.
#[track_caller]
pub fn text(client: &mut Client, query: &str) -> Option<String> {
    for message in client.simple_query(query).unwrap() {
        if let SimpleQueryMessage::Row(row) = message {
            return row.get(0).map(str::to_owned);
        }
    }
    panic!("no row: {query}");
}

/// The hint of an error; empty when it has none.
pub fn hint(error: &Error) -> &str {
    error.as_db_error().and_then(|error| error.hint()).unwrap_or_default()
}

/// What `vector_index_check` says of an index: `block: problem`, one entry a row; none if it is
/// sound.
pub fn index_problems(client: &mut Client, index: &str) -> Result<Vec<String>, Error> {
    let query = "SELECT block, problem FROM vector_index_check($1::text::regclass)";
    let rows = client.query(query, &[&index])?;
    let problem = |row: &Row| match row.get::<_, Option<i64>>(0) {
        Some(block) => format!("block {block}: {}", row.get::<_, &str>(1)),
        None => row.get(1),
    };
    Ok(rows.iter().map(problem).collect())
}

/// The plan of a query, one node a line, without costs.
pub fn explain_plan(client: &mut Client, query: &str) -> Result<String, Error> {
    explain(client, "COSTS OFF", query)
}

/// Whether a plan, of [`explain_plan`] or [`explain_analyze`], scans an index.
pub fn scans_index(plan: &str, index: &str) -> bool {
    let (node, name) = (format!("Index Scan using {index} "), format!("Index Name: {index}"));
    plan.lines().any(|line| line.contains(&node) || line.trim() == name)
}

/// The plan of a query that was run, with rows and buffers but without times.
pub fn explain_analyze(client: &mut Client, query: &str) -> Result<String, Error> {
    explain(client, "ANALYZE, BUFFERS, COSTS OFF, TIMING OFF, SUMMARY OFF", query)
}

fn explain(client: &mut Client, options: &str, query: &str) -> Result<String, Error> {
    let mut lines = Vec::new();
    for message in client.simple_query(&format!("EXPLAIN ({options}) {query}"))? {
        if let SimpleQueryMessage::Row(row) = message {
            lines.push(row.get(0).unwrap_or_default().to_string());
        }
    }
    Ok(lines.join("\n"))
}

/// Shared buffers (8 kB pages) that the whole query touched, hit or read, from the top node of
/// [`explain_analyze`]'s plan.
pub fn buffers(plan: &str) -> u64 {
    let Some(line) = plan.lines().find(|line| line.trim_start().starts_with("Buffers: shared"))
    else {
        return 0;
    };
    let shared = line.split(',').next().unwrap_or_default();
    ["hit=", "read="]
        .iter()
        .filter_map(|field| {
            let (_, count) = shared.split_once(field)?;
            count.split_whitespace().next()?.parse::<u64>().ok()
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::buffers;

    #[test]
    fn buffers_adds_the_top_nodes_hits_and_reads() {
        let plan = "Limit (actual rows=1)\n  Buffers: shared hit=12 read=3 dirtied=7, temp read=99\n  \
                    ->  Seq Scan\n        Buffers: shared hit=11";
        assert_eq!(buffers(plan), 15);
        assert_eq!(buffers("Limit\n  Buffers: shared read=4"), 4);
        assert_eq!(buffers("Result (actual rows=1)"), 0);
    }
}
