//! Builds of vector indexes with more or fewer workers, and with more or less memory.

use pico_args::Arguments;
use serde::Serialize;
use serde_json::json;

use super::Command;
use crate::build::{BuildLimits, Built};
use crate::dataset::Dataset;
use crate::options::{Options, finish, list};
use crate::server::Server;
use crate::{Result, database};

pub(super) const COMMAND: Command = Command {
    usage: "build --data DIR",
    help: "\
Builds each system's index with more or fewer workers, and with more or less memory.
Every number of workers is combined with every amount of memory.

  --parallel A,B       numbers of workers beside the first process, instead of --workers [0,1]
  --memory A,B         amounts of maintenance_work_mem, instead of that option           [2GB]
  --rounds N           builds a line, of which the fastest counts                        [1]
",
    run,
};

struct Plan {
    limits: Vec<BuildLimits>,
    rounds: usize,
}

/// One line: a system within one limit.
#[derive(Serialize)]
struct Line {
    system: &'static str,
    #[serde(flatten)]
    limits: BuildLimits,
    #[serde(flatten)]
    built: Built,
}

fn run(mut arguments: Arguments) -> Result<()> {
    let options = Options::take(&mut arguments)?;
    let parallel: Vec<u32> = list(&mut arguments, "--parallel", "0,1")?;
    let memory: Vec<String> = list(&mut arguments, "--memory", "2GB")?;
    let rounds = arguments.opt_value_from_str("--rounds")?.unwrap_or(1).max(1);
    finish(arguments)?;
    let limits = memory.iter().flat_map(|memory| {
        parallel
            .iter()
            .map(|&workers| BuildLimits { workers, maintenance_work_mem: memory.clone() })
    });
    let plan = Plan { limits: limits.collect(), rounds };

    let (run, server) = options.begin()?;
    println!("{}", run.heading());
    let datasets = options.each_dataset(|dataset| compare(&options, &plan, &server, dataset))?;
    options.write_results(&run, &json!({ "datasets": datasets }))
}

/// All builds of one data set; the systems take turns.
fn compare(
    options: &Options,
    plan: &Plan,
    server: &Server,
    dataset: &Dataset,
) -> Result<Vec<Line>> {
    let rows = dataset.base.rows();
    let mut clients = Vec::new();
    for system in &options.systems {
        eprintln!("{}: {} loads", dataset.name, system.name);
        let mut client = database::create(server, system, dataset.base.cols)?;
        database::copy(&mut client, "items", &dataset.base, 0..rows)?;
        clients.push(client);
    }
    println!("\n{}: {rows} x {}", dataset.name, dataset.base.cols);
    println!("\nsystem        workers    memory  build s    cpu s  index MB  speedup");
    let mut lines: Vec<Line> = Vec::new();
    for limits in &plan.limits {
        for (&system, client) in options.systems.iter().zip(&mut clients) {
            let mut best: Option<Built> = None;
            for _ in 0..plan.rounds {
                client.batch_execute("DROP INDEX IF EXISTS items_v")?;
                let built = system.build(client, server, dataset.metric, rows, limits)?;
                best =
                    best.into_iter().chain([built]).min_by(|a, b| a.build_s.total_cmp(&b.build_s));
            }
            let built = best.ok_or("no rounds")?;
            let line = Line { system: system.name, limits: limits.clone(), built };
            let first = lines.iter().find(|first| first.system == line.system).unwrap_or(&line);
            println!("{}", line.text(first));
            lines.push(line);
        }
    }
    drop(clients);
    options.drop_databases(server)?;
    Ok(lines)
}

impl Line {
    /// The line of the table; the speedup is that over the system's `first` line.
    fn text(&self, first: &Self) -> String {
        let Self { system, limits, built } = self;
        let BuildLimits { workers, maintenance_work_mem } = limits;
        let cpu = built.build_cpu_s.map_or("-".into(), |s| format!("{s:.1}"));
        format!(
            "{system:<13} {workers:>7} {maintenance_work_mem:>9} {:>8.1} {cpu:>8} {:>9.1} {:>8.2}",
            built.build_s,
            built.index_bytes as f64 / 1e6,
            first.built.build_s / built.build_s
        )
    }
}
