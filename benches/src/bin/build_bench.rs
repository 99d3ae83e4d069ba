//! Builds of vector indexes with more or fewer workers, and with more or less memory.

use std::process::ExitCode;

use benches::build::{BuildLimits, Built};
use benches::dataset::Dataset;
use benches::machine::Machine;
use benches::options::{Options, finish, list, program};
use benches::server::Server;
use benches::{Result, database};
use pico_args::Arguments;
use serde::Serialize;
use serde_json::json;

const USAGE: &str = "\
Usage: build_bench --data DIR [OPTION]...

Builds each system's index with every number of workers and every amount of memory.

  --parallel A,B       numbers of workers beside the first process, instead of --workers [0,1]
  --memory A,B         amounts of maintenance_work_mem, instead of that option           [2GB]
  --rounds N           builds a line, of which the fastest counts                        [1]
";

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

fn main() -> ExitCode {
    program("build_bench", USAGE, run)
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

    let (machine, server) = (Machine::here(), options.server()?);
    let (postgres, date) = server.version_and_time()?;
    println!("PostgreSQL {postgres}, commit {}, {date}", machine.commit);
    println!("{}, {} cores, load average {:.1}", machine.cpu, machine.cores, machine.load_before);
    let mut datasets = Vec::new();
    for dataset in options.datasets() {
        let dataset = dataset?;
        let lines = compare(&options, &plan, &server, &dataset)?;
        datasets.push(json!({ "name": dataset.name, "rows": dataset.base.rows(), "lines": lines }));
    }
    options.write_json(&json!({
        "machine": machine, "date": date, "postgres": postgres, "datasets": datasets,
    }))
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
    for system in &options.systems {
        database::drop(server, system)?;
    }
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
