//! Inserts, vacuum and churn of vector indexes of several extensions.

use pico_args::Arguments;
use serde_json::{Value, json};

use super::Command;
use crate::Result;
use crate::options::{Options, finish, list};
use crate::writes::insert::Insert;
use crate::writes::ratios::ratios;
use crate::writes::{Task, churn, deleted, vacuum};

pub(super) const COMMAND: Command = Command {
    usage: "write insert|vacuum|churn|deleted --data DIR",
    help: "\
Measures inserts, vacuum and churn: what writes cost an index and do to it.

  insert   rows/s, processor time, WAL and index pages of inserts into a built index
  vacuum   the same of a vacuum after a fifth of the rows is deleted
  churn    recall and size after each of ten rounds that replace a tenth of the rows
  deleted  rows that LIMIT returns when the nearest 100 are deleted and not vacuumed

  --loaded N,N         insert: rows in the index before [5/6 of the rows]
  --inserts N          insert: rows a line of the table [800]
  --batches A,B        insert: rows a statement         [1,100]
  --clients A,B        insert: clients at once          [1,8]
  --ef N               churn: ef_search                 [40]
",
    run,
};

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

    let (run, server) = options.begin()?;
    println!("{}", run.heading());
    let datasets = options.each_dataset(|dataset| {
        let (systems, limits) = (&options.systems[..], &options.limits);
        let task = Task { server: &server, systems, dataset, limits };
        if default_loaded {
            insert.loaded = vec![dataset.base.rows() / 6 * 5];
        }
        let lines: Value = match mode.as_str() {
            "insert" => {
                let lines = insert.run(&task)?;
                println!("{}", ratios(&lines));
                json!(lines)
            }
            "vacuum" => json!(vacuum::run(&task)?),
            "churn" => json!(churn::run(&task, effort)?),
            "deleted" => json!(deleted::run(&task)?),
            other => return Err(format!("unknown measurement \"{other}\": see --help").into()),
        };
        options.drop_databases(&server)?;
        Ok(lines)
    })?;
    options.write_results(&run, &json!({ "mode": mode, "datasets": datasets }))
}
