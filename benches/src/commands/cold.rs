//! Searches of indexes four times as large as shared buffers, without the operating system's cache.

use pico_args::Arguments;
use serde_json::json;

use super::Command;
use crate::Result;
use crate::cold::Cold;
use crate::dataset::Dataset;
use crate::machine::Machine;
use crate::options::{Options, finish, list};
use crate::run::Run;
use crate::server::Server;

pub(super) const COMMAND: Command = Command {
    usage: "cold --data DIR",
    help: "\
Measures searches of indexes four times as large as shared buffers, without the system's cache.
Pages that queries read, and the time that takes, when shared buffers hold a quarter of the smallest
index and the operating system nothing.

  --ef N               ef_search                        [40]
  --io-concurrency A,B values of effective_io_concurrency: reads ahead at once; 0 is none, the
                       default is 1, from PostgreSQL 18 on 16 [0,1,16]
",
    run,
};

fn run(mut arguments: Arguments) -> Result<()> {
    let options = Options::take(&mut arguments)?;
    let effort = arguments.opt_value_from_str("--ef")?.unwrap_or(40);
    let io_concurrency: Vec<u32> = list(&mut arguments, "--io-concurrency", "0,1,16")?;
    finish(arguments)?;
    let machine = Machine::here();
    let mut datasets = Vec::new();
    for dataset in options.datasets() {
        // Each data set has a server of its own, with its own shared buffers.
        let (mut server, dataset) = (options.server()?, dataset?);
        let run = Run::begin(machine.clone(), &server)?;
        println!("{}", run.heading());
        let lines = compare(&options, effort, &io_concurrency, &mut server, &dataset)?;
        datasets.push(json!({
            "name": dataset.name, "rows": dataset.base.rows(), "date": run.date,
            "postgres": run.postgres,
            "effort": effort, "lines": lines,
        }));
    }
    options.write_json(&json!({ "machine": machine, "datasets": datasets }))
}

fn compare(
    options: &Options,
    effort: u32,
    io_concurrency: &[u32],
    server: &mut Server,
    dataset: &Dataset,
) -> Result<Vec<Cold>> {
    let rows = dataset.base.rows();
    let mut least = i64::MAX;
    for system in &options.systems {
        let (mut client, built) =
            system.load_and_build(server, dataset, 0..rows, &options.limits)?;
        client.batch_execute("VACUUM (FREEZE) items")?; // no query writes hint bits
        least = least.min(built.index_bytes);
    }
    let buffers = least / 4 / 1024;
    println!(
        "\n{}: {rows} rows, ef {effort}, shared buffers {:.0} MB",
        dataset.name,
        buffers as f64 / 1e3
    );
    println!(
        "\nsystem        io concurrency  recall  index touched  index read  table read   p50 ms  mean ms"
    );
    let mut lines = Vec::new();
    for &io_concurrency in io_concurrency {
        for system in &options.systems {
            server.restart_with("shared_buffers", &format!("{buffers}kB"))?;
            let cold = Cold::measure(server, system, dataset, effort, io_concurrency)?;
            println!(
                "{:<13} {:>14} {:>7.4} {:>14.1} {:>11.1} {:>11.1} {:>8.2} {:>8.2}",
                cold.system,
                cold.io_concurrency,
                cold.recall,
                cold.index_touched,
                cold.index_read,
                cold.table_read,
                cold.p50_ms,
                cold.mean_ms
            );
            lines.push(cold);
        }
    }
    Ok(lines)
}
