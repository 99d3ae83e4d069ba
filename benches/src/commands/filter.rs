//! Nearest rows that pass a filter.

use pico_args::Arguments;
use serde_json::json;

use super::Command;
use crate::Result;
use crate::filters::{Filter, Line, Mode, QUERIES, Table, Traits};
use crate::options::{Options, finish};

pub(super) const COMMAND: Command = Command {
    usage: "filter --data DIR",
    help: "\
Measures searches with a filter: recall, speed, pages.
Filters are unrelated to the vectors (random), follow them (label: from docs.tsv.gz or
base_labels.npy in DIR, else the nearest of 32 rows), or leave out the nearest fifth of the rows
(far). Each is asked with an index on what it compares, and, where at least 1 % of the rows
pass, without.

  --strategies         force each strategy of ours, too

",
    run,
};

/// Share of the rows below which a filter is measured with an index on it only.
const LEAST_UNINDEXED: f64 = 0.008;

fn run(mut arguments: Arguments) -> Result<()> {
    let mut options = Options::take(&mut arguments)?;
    let forced = arguments.contains("--strategies");
    finish(arguments)?;
    let queries = options.selection.queries.unwrap_or(QUERIES).min(QUERIES);
    options.selection.queries = Some(queries);
    let (run, server) = options.begin()?;
    println!("{}", run.heading());
    let mut results = Vec::new();
    for (name, dataset) in options.data.iter().zip(options.datasets()) {
        let dataset = dataset?;
        println!("\n{}: {} rows, {} nearest", dataset.name, dataset.base.rows(), dataset.k);
        println!(
            "{:<24} {:<20} {:>7} {:<5} {:<6} {:>6} {:>7} {:>8} {:>8}",
            "system", "filter", "passing", "index", "vector", "rows", "recall", "qps", "buffers"
        );
        let vectors = dataset.query_vectors();
        let traits = Traits::new(name, &dataset, vectors.len())?;
        let filters = Filter::all(&traits);
        let truths: Vec<_> =
            filters.iter().map(|filter| filter.truth(&dataset, &traits, vectors.len())).collect();
        let mut lines = Vec::new();
        for system in &options.systems {
            let mut table = Table::load(&server, system, &dataset, &traits, &options.limits)?;
            for indexed in [true, false] {
                table.index(indexed)?;
                for asked in filters.iter().zip(&truths) {
                    if !indexed && asked.1.share < LEAST_UNINDEXED {
                        continue;
                    }
                    for &mode in Mode::of(system, forced) {
                        let line = table.measure(&dataset, &vectors, asked, mode, indexed)?;
                        print(&line);
                        lines.push(line);
                    }
                }
            }
        }
        results.push(json!({ "name": dataset.name, "rows": dataset.base.rows(), "lines": lines }));
    }
    options.drop_databases(&server)?;
    options.write_results(&run, &json!({ "datasets": results }))
}

fn print(line: &Line) {
    let Line { system, filter, share, indexed, uses_vector_index, rows, recall, qps, buffers } =
        line;
    let [indexed, vector] = [indexed, uses_vector_index].map(|&is| if is { "yes" } else { "no" });
    println!(
        "{system:<24} {filter:<20} {:>6.2}% {indexed:<5} {vector:<6} {rows:>6.3} {recall:>7.4} \
         {qps:>8.0} {buffers:>8.0}",
        share * 100.0
    );
}
