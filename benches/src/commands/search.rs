//! Loads data sets into a server once a system, builds an index, asks, and prints one table.

use pico_args::Arguments;

use super::Command;
use crate::Result;
use crate::dataset::Dataset;
use crate::machine::load as load_average;
use crate::measure::Session;
use crate::options::{Options, finish, list};
use crate::plot::svg;
use crate::report::{DatasetReport, Report};
use crate::server::Server;
use crate::sweep::{Contestant, Sweep};

pub(super) const COMMAND: Command = Command {
    usage: "search --data DIR [--data DIR]...",
    help: "\
Compares vector indexes on one PostgreSQL server: build time, size, recall, speed, pages.

  --ef A,B,...         values of ef_search              [10,20,40,80,160,320,640]
  --targets A,B        recalls to find the least ef for [0.95,0.99]
  --rounds N           passes of all queries a point    [5]
  --clients N          clients that ask at once         [1]
  --force-index        forbid sequential scans and sorts
",
    run,
};

struct Asking {
    sweep: Sweep,
    clients: usize,
    force_index: bool,
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

    let (run, server) = options.begin()?;
    let mut report = Report {
        run,
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
        report.run.machine.load_before, report.load_after
    );
    options.write_json(&report)?;
    for dataset in &report.datasets {
        options.write_plot(&dataset.name, || svg(dataset, report.clients))?;
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
        let rows = 0..dataset.base.rows();
        let (_, built) = system.load_and_build(server, dataset, rows, &options.limits)?;
        let session = Session::open(server, system, dataset, asking.clients, asking.force_index)?;
        contestants.push(Contestant { system, built, session });
    }
    eprintln!("{}: asking", dataset.name);
    let outcomes = asking.sweep.run(dataset, contestants)?;
    options.drop_databases(server)?;
    Ok(DatasetReport::new(dataset, outcomes))
}
