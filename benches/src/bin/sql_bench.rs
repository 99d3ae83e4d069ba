//! Loads data sets into a server once a system, builds an index, asks, and prints one table.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

use benches::Result;
use benches::dataset::{Dataset, Selection};
use benches::load::{BuildLimits, drop_database, load};
use benches::machine::{Machine, load as load_average};
use benches::measure::Session;
use benches::report::{DatasetReport, Report};
use benches::server::Server;
use benches::sweep::{Contestant, Sweep};
use benches::systems::System;
use pico_args::Arguments;

const HELP: &str = "\
Usage: sql_bench --data DIR [--data DIR]... [OPTION]...

Compares vector indexes on one PostgreSQL server: build time, size, recall, speed, pages.

  --data DIR           base.*, query.* (.fbin .f16bin .u8bin, plain or .gz), gt.dist.fbin
  --systems A,B        systems to compare               [vector_ext,pgvector]
  --rows N             only the first N rows
  --queries N          only the first N queries
  --metric M           l2 or cosine                     [by the directory's name]
  --k N                neighbors asked for              [10]
  --ef A,B,...         values of ef_search              [10,20,40,80,160,320,640]
  --targets A,B        recalls to find the least ef for [0.95,0.99]
  --rounds N           passes of all queries a point    [5]
  --clients N          clients that ask at once         [1]
  --workers N          max_parallel_maintenance_workers [2]
  --maintenance-work-mem SIZE                           [2GB]
  --force-index        forbid sequential scans and sorts
  --json FILE          write the results as JSON too
  --url URL            a running server (or PGHOST, PGPORT, ...): databases sql_bench_* are
                       made and dropped there           [a private server is started,
                       of the PostgreSQL that PG_CONFIG names]
";

struct Options {
    data: Vec<PathBuf>,
    systems: Vec<&'static System>,
    selection: Selection,
    sweep: Sweep,
    clients: usize,
    force_index: bool,
    limits: BuildLimits,
    url: Option<String>,
    json: Option<PathBuf>,
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_env();
    if arguments.contains(["-h", "--help"]) {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    match options(arguments).and_then(|options| run(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprint!("sql_bench: {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                eprint!(": {error}");
                cause = error.source();
            }
            eprintln!();
            ExitCode::FAILURE
        }
    }
}

fn options(mut arguments: Arguments) -> Result<Options> {
    let systems: Option<String> = arguments.opt_value_from_str("--systems")?;
    let systems = systems.as_deref().unwrap_or("vector_ext,pgvector");
    let options = Options {
        data: arguments.values_from_str("--data")?,
        systems: systems.split(',').map(System::by_name).collect::<Result<_>>()?,
        selection: Selection {
            rows: arguments.opt_value_from_str("--rows")?,
            queries: arguments.opt_value_from_str("--queries")?,
            metric: arguments.opt_value_from_str("--metric")?,
            k: arguments.opt_value_from_str("--k")?.unwrap_or(10),
        },
        sweep: Sweep {
            efforts: list(&mut arguments, "--ef", "10,20,40,80,160,320,640")?,
            targets: list(&mut arguments, "--targets", "0.95,0.99")?,
            rounds: arguments.opt_value_from_str("--rounds")?.unwrap_or(5).max(1),
        },
        clients: arguments.opt_value_from_str("--clients")?.unwrap_or(1).max(1),
        force_index: arguments.contains("--force-index"),
        limits: BuildLimits {
            workers: arguments.opt_value_from_str("--workers")?.unwrap_or(2),
            maintenance_work_mem: arguments
                .opt_value_from_str("--maintenance-work-mem")?
                .unwrap_or_else(|| "2GB".to_owned()),
        },
        url: arguments.opt_value_from_str("--url")?,
        json: arguments.opt_value_from_str("--json")?,
    };
    if let Some(unknown) = arguments.finish().first() {
        return Err(format!("unknown argument {}: see --help", unknown.to_string_lossy()).into());
    }
    if options.data.is_empty() {
        return Err("--data DIR is missing: see --help".into());
    }
    Ok(options)
}

/// The comma-separated values of option `name`.
fn list<T>(arguments: &mut Arguments, name: &'static str, default: &str) -> Result<Vec<T>>
where
    T: FromStr<Err: std::fmt::Display>,
{
    let text: Option<String> = arguments.opt_value_from_str(name)?;
    let text = text.unwrap_or_else(|| default.to_owned());
    let value = |word: &str| word.trim().parse().map_err(|e| format!("{name} {word}: {e}").into());
    text.split(',').filter(|word| !word.is_empty()).map(value).collect()
}

fn run(options: &Options) -> Result<()> {
    let machine = Machine::here();
    let server = Server::open(options.url.as_deref())?;
    let facts = server.maintenance()?.query_one(
        "SELECT current_setting('server_version'),
                to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')",
        &[],
    )?;
    let mut report = Report {
        machine,
        date: facts.get(1),
        postgres: facts.get(0),
        build: options.limits.clone(),
        clients: options.clients,
        sweep: options.sweep.clone(),
        datasets: Vec::new(),
        load_after: 0.0,
    };
    println!("{}", report.heading());
    for dir in &options.data {
        let dataset = Dataset::open(dir, &options.selection)?;
        let outcome = compare(options, &server, &dataset)?;
        println!("{}", outcome.table());
        report.datasets.push(outcome);
    }
    report.load_after = load_average();
    println!(
        "load average {:.1} before, {:.1} after",
        report.machine.load_before, report.load_after
    );
    if let Some(path) = &options.json {
        let text = serde_json::to_string_pretty(&report)? + "\n";
        fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()))?;
    }
    Ok(())
}

/// All systems on one data set.
fn compare(options: &Options, server: &Server, dataset: &Dataset) -> Result<DatasetReport> {
    let mut contestants = Vec::new();
    for &system in &options.systems {
        eprintln!("{}: {} loads and builds", dataset.name, system.name);
        let built = load(server, system, dataset, &options.limits)?;
        let session = Session::open(server, system, dataset, options.clients, options.force_index)?;
        contestants.push(Contestant { system, built, session });
    }
    eprintln!("{}: asking", dataset.name);
    let outcomes = options.sweep.run(dataset, contestants)?;
    for system in &options.systems {
        drop_database(server, system)?;
    }
    Ok(DatasetReport::new(dataset, outcomes))
}
