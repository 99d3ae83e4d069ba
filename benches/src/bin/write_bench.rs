//! Inserts, vacuum and churn of vector indexes of several extensions.

use std::process::ExitCode;

use benches::machine::Machine;
use benches::options::{Options, finish, list, program};
use benches::writes::insert::Insert;
use benches::writes::ratios::ratios;
use benches::writes::{churn, deleted, vacuum};
use benches::{Result, database};
use pico_args::Arguments;
use serde_json::{Value, json};

const USAGE: &str = "\
Usage: write_bench insert|vacuum|churn|deleted --data DIR [OPTION]...

What writes cost an index and do to it, on one PostgreSQL server:

  insert   rows/s, processor time, WAL and index pages of inserts into a built index
  vacuum   the same of a vacuum after a fifth of the rows is deleted
  churn    recall and size after each of ten rounds that replace a tenth of the rows
  deleted  rows that LIMIT returns when the nearest 100 are deleted and not vacuumed

  --loaded N,N         insert: rows in the index before [5/6 of the rows]
  --inserts N          insert: rows a line of the table [800]
  --batches A,B        insert: rows a statement         [1,100]
  --clients A,B        insert: clients at once          [1,8]
  --ef N               churn: ef_search                 [40]
";

fn main() -> ExitCode {
    program("write_bench", USAGE, run)
}

fn run(mut arguments: Arguments) -> Result<()> {
    let mode = arguments.subcommand()?.ok_or("what is to be measured? see --help")?;
    let options = Options::take(&mut arguments)?;
    let loaded: Vec<usize> = list(&mut arguments, "--loaded", "")?;
    let mut insert = Insert {
        loaded,
        inserts: arguments.opt_value_from_str("--inserts")?.unwrap_or(800),
        batches: list(&mut arguments, "--batches", "1,100")?,
        clients: list(&mut arguments, "--clients", "1,8")?,
    };
    let effort = arguments.opt_value_from_str("--ef")?.unwrap_or(40);
    finish(arguments)?;
    let default_loaded = insert.loaded.is_empty();

    let (machine, server) = (Machine::here(), options.server()?);
    let (postgres, date) = server.version_and_time()?;
    println!("PostgreSQL {postgres}, commit {}, {date}", machine.commit);
    println!("{}, {} cores, load average {:.1}", machine.cpu, machine.cores, machine.load_before);
    let mut datasets = Vec::new();
    for dataset in options.datasets() {
        let dataset = dataset?;
        let (systems, limits) = (&options.systems[..], &options.limits);
        if default_loaded {
            insert.loaded = vec![dataset.base.rows() / 6 * 5];
        }
        let lines: Value = match mode.as_str() {
            "insert" => {
                let lines = insert.run(&server, systems, &dataset, limits)?;
                println!("{}", ratios(&lines));
                json!(lines)
            }
            "vacuum" => json!(vacuum::run(&server, systems, &dataset, limits)?),
            "churn" => json!(churn::run(&server, systems, &dataset, limits, effort)?),
            "deleted" => json!(deleted::run(&server, systems, &dataset, limits)?),
            other => return Err(format!("unknown measurement \"{other}\": see --help").into()),
        };
        datasets.push(json!({ "name": dataset.name, "rows": dataset.base.rows(), "lines": lines }));
        for system in systems {
            database::drop(&server, system)?;
        }
    }
    options.write_json(&json!({
        "mode": mode, "machine": machine, "date": date, "postgres": postgres, "datasets": datasets,
    }))
}
