//! Compares plans of searches with a filter.

use pico_args::Arguments;
use serde_json::json;

use super::Command;
use crate::Result;
use crate::filter_grid::report::{Figure, head, heat_map, line, summary};
use crate::filter_grid::{SHARES, Size, measure};
use crate::options::{Options, finish, list};

pub(super) const COMMAND: Command = Command {
    usage: "filter-grid --data DIR",
    help: "\
Compares the plans chosen for searches with a filter with the best ones; draws heat maps.
Over limits, table sizes, shares of rows that pass, filters that are correlated with the distance
and not, with an index on the filter and without: time and pages of the planner's choice and of
every plan that can be forced. --k has no effect.

  --sizes A,B,...      rows of the table                [1000,50000]
  --shares A,B,...     shares of the rows that pass     [all]
  --indexed A,B        whether an index is on the filter [true,false]
  --rounds N           times that a query is asked, of which the best counts [3]

",
    run,
};

/// Queries of each cell.
const QUERIES: usize = 5;

fn run(mut arguments: Arguments) -> Result<()> {
    let options = Options::take(&mut arguments)?;
    let sizes: Vec<usize> = list(&mut arguments, "--sizes", "1000,50000")?;
    let shares: Vec<f64> = list(&mut arguments, "--shares", "")?;
    let shares = if shares.is_empty() { SHARES.to_vec() } else { shares };
    let indexed: Vec<bool> = list(&mut arguments, "--indexed", "true,false")?;
    let rounds = arguments.opt_value_from_str("--rounds")?.unwrap_or(3).max(1);
    finish(arguments)?;
    let (run, server) = options.begin()?;
    println!("{}", run.heading());
    let mut reports = Vec::new();
    for dataset in options.datasets() {
        let dataset = dataset?;
        for system in &options.systems {
            let name = format!("{}, {}", dataset.name, system.name);
            println!("\n{name}\n{}", head());
            let mut cells = Vec::new();
            for &rows in &sizes {
                let queries = options.selection.queries.unwrap_or(QUERIES);
                let rows = rows.min(dataset.base.rows());
                let (shares, indexed) = (shares.clone(), indexed.clone());
                let size = Size { rows, queries, rounds, shares, indexed };
                measure(&server, system, &dataset, &size, &options.limits, |cell| {
                    println!("{}", line(&cell));
                    cells.push(cell);
                })?;
            }
            println!("{}", summary(&cells));
            for figure in Figure::ALL {
                let plot = format!("{}-{}", system.name, figure.name());
                options.write_plot(&plot, || heat_map(&name, &cells, figure))?;
            }
            reports.push(json!({
                "dataset": dataset.name, "system": system.name, "cells": cells,
            }));
        }
    }
    options.write_results(&run, &json!({ "results": reports }))
}
