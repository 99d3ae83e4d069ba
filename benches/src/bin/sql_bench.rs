//! Loads data sets into a server once a system, builds an index, asks, and prints one table.

use std::fs;
use std::process::ExitCode;

use benches::Result;
use benches::database;
use benches::dataset::Dataset;
use benches::machine::{Machine, load as load_average};
use benches::measure::Session;
use benches::options::{Options, finish, list, program};
use benches::plot::svg;
use benches::report::{DatasetReport, Report};
use benches::server::Server;
use benches::sweep::{Contestant, Sweep};
use pico_args::Arguments;

const USAGE: &str = "\
Usage: sql_bench --data DIR [--data DIR]... [OPTION]...

Compares vector indexes on one PostgreSQL server: build time, size, recall, speed, pages.

  --ef A,B,...         values of ef_search              [10,20,40,80,160,320,640]
  --targets A,B        recalls to find the least ef for [0.95,0.99]
  --rounds N           passes of all queries a point    [5]
  --clients N          clients that ask at once         [1]
  --force-index        forbid sequential scans and sorts
";

struct Asking {
    sweep: Sweep,
    clients: usize,
    force_index: bool,
}

fn main() -> ExitCode {
    program("sql_bench", USAGE, run)
}

fn run(mut arguments: Arguments) -> Result<()> {
    let options = Options::take(&mut arguments)?;
    let asking = Asking {
        sweep: Sweep {
            efforts: list(&mut arguments, "--ef", "10,20,40,80,160,320,640")?,
            targets: list(&mut arguments, "--targets", "0.95,0.99")?,
            rounds: arguments.opt_value_from_str("--rounds")?.unwrap_or(5).max(1),
        },
        clients: arguments.opt_value_from_str("--clients")?.unwrap_or(1).max(1),
        force_index: arguments.contains("--force-index"),
    };
    finish(arguments)?;

    let machine = Machine::here();
    let server = options.server()?;
    let (postgres, date) = server.version_and_time()?;
    let mut report = Report {
        machine,
        date,
        postgres,
        build: options.limits.clone(),
        clients: asking.clients,
        sweep: asking.sweep.clone(),
        datasets: Vec::new(),
        load_after: 0.0,
    };
    println!("{}", report.heading());
    for dataset in options.datasets() {
        let outcome = compare(&options, &asking, &server, &dataset?)?;
        println!("{}", outcome.table());
        report.datasets.push(outcome);
    }
    report.load_after = load_average();
    println!(
        "load average {:.1} before, {:.1} after",
        report.machine.load_before, report.load_after
    );
    options.write_json(&report)?;
    draw(&options, &report)
}

/// Writes one plot a data set beside the JSON: `results.json` has `results-NAME.svg`.
fn draw(options: &Options, report: &Report) -> Result<()> {
    let Some(json) = &options.json else { return Ok(()) };
    for dataset in &report.datasets {
        let stem = json.file_stem().unwrap_or_default().to_string_lossy();
        let path = json.with_file_name(format!("{stem}-{}.svg", dataset.name));
        fs::write(&path, svg(dataset, report.clients))
            .map_err(|e| format!("{}: {e}", path.display()))?;
    }
    Ok(())
}

/// All systems on one data set.
fn compare(
    options: &Options,
    asking: &Asking,
    server: &Server,
    dataset: &Dataset,
) -> Result<DatasetReport> {
    let mut contestants = Vec::new();
    for &system in &options.systems {
        eprintln!("{}: {} loads and builds", dataset.name, system.name);
        let rows = dataset.base.rows();
        let mut client = database::create(server, system, dataset.base.cols)?;
        database::copy(&mut client, "items", &dataset.base, 0..rows)?;
        let built = system.build(&mut client, server, dataset.metric, rows, &options.limits)?;
        drop(client);
        let session = Session::open(server, system, dataset, asking.clients, asking.force_index)?;
        contestants.push(Contestant { system, built, session });
    }
    eprintln!("{}: asking", dataset.name);
    let outcomes = asking.sweep.run(dataset, contestants)?;
    for system in &options.systems {
        database::drop(server, system)?;
    }
    Ok(DatasetReport::new(dataset, outcomes))
}
