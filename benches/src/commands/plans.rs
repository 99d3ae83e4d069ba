//! Compares the planner's choices with the best plans, over limits, table sizes and filters.

use pico_args::Arguments;
use serde_json::json;

use super::Command;
use crate::Result;
use crate::options::{Options, finish, list};
use crate::plans::{Cell, grid};

pub(super) const COMMAND: Command = Command {
    usage: "plans --data DIR",
    help: "\
Compares the planner's choices with the best plans, over limits, table sizes and filters.
Asks for nearest rows with and without a filter, by every plan that can be forced, and tells how
far the planner's choice is from the best.

  --sizes A,B,...      rows of the table                [100,10000,100000]
",
    run,
};

/// A choice is good within this factor of the best.
const GOOD: f64 = 1.5;

fn run(mut arguments: Arguments) -> Result<()> {
    let options = Options::take(&mut arguments)?;
    let sizes: Vec<usize> = list(&mut arguments, "--sizes", "100,10000,100000")?;
    finish(arguments)?;
    let (run, server) = options.begin()?;
    println!("PostgreSQL {}, {}, processor time in microseconds a query", run.postgres, run.date);
    let mut reports = Vec::new();
    for dataset in options.datasets() {
        let dataset = dataset?;
        for system in &options.systems {
            let mut cells = Vec::new();
            let mut done = 0;
            for &size in &sizes {
                let rows = size.min(dataset.base.rows());
                if rows > done {
                    cells.extend(grid(&server, system, &dataset, rows, &options.limits)?);
                    done = rows;
                }
            }
            println!("\n{} by {}", dataset.name, system.name);
            print_table(&cells);
            let good = cells.iter().filter(|cell| cell.ratio <= GOOD).count();
            println!("{good} of {} within {GOOD} of the best", cells.len());
            reports.push(json!({
                "dataset": dataset.name, "system": system.name, "good": good, "cells": cells,
            }));
        }
    }
    options.write_results(&run, &json!({ "results": reports }))
}

fn print_table(cells: &[Cell]) {
    println!("{:>7} {:>5} {:>6}  {:<10} {:>6}  all plans", "rows", "k", "pass", "chosen", "ratio");
    for Cell { rows, k, selectivity, chosen, plans, ratio } in cells {
        let chosen = format!("{chosen:?}");
        let times: Vec<String> =
            plans.iter().map(|(plan, time)| format!("{plan:?} {time:.0}")).collect();
        let times = times.join(", ");
        println!("{rows:>7} {k:>5} {selectivity:>6}  {chosen:<10} {ratio:>6.2}  {times}");
    }
}
