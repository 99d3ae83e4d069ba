//! Recall on data unlike embeddings, of every system, column type and state of an index.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use benches::any_data::heat_map::svg;
use benches::any_data::report::Report;
use benches::any_data::{Line, Size};
use benches::machine::Machine;
use benches::options::{Options, finish, list, program};
use benches::{Result, database};
use pg_test::any_data::ColumnType;
use pico_args::Arguments;

const USAGE: &str = "\
Usage: any_data_bench [OPTION]...

Recall of the ten nearest at default settings, on the distributions of crates/distributions: of an
index built at once, one whose rows are replaced by half, one grown row by row, and that vacuumed.
Writes a table to standard output; with --json beside it a heat map of each column type, too.
Of the options below --metric, --k, --workers and --maintenance-work-mem have no effect.

  --only PART          distributions with PART in their names [all]
  --beside FILE        the JSON of an earlier run, whose other systems are added
  --types A,B          vector, halfvec, bf16vec, i8vec, bit, sparsevec [vector]

  --systems            [vector_ext,pgvector,vector_ext_ivf,pgvector_ivfflat]
  --rows               [5000]
  --queries            [200]
  --data               is not needed
";

fn main() -> ExitCode {
    program("any_data_bench", USAGE, run)
}

fn run(mut arguments: Arguments) -> Result<()> {
    let systems = "vector_ext,pgvector,vector_ext_ivf,pgvector_ivfflat";
    let options = Options::take_with(&mut arguments, systems)?;
    let only: Option<String> = arguments.opt_value_from_str("--only")?;
    let only = only.unwrap_or_default();
    let types: Vec<String> = list(&mut arguments, "--types", "vector")?;
    let beside: Option<PathBuf> = arguments.opt_value_from_str("--beside")?;
    finish(arguments)?;
    let column = |name: &String| {
        ColumnType::by_name(name)
            .ok_or_else(|| format!("unknown type \"{name}\": see --help").into())
    };
    let columns: Vec<_> = types.iter().map(column).collect::<Result<_>>()?;

    let (machine, server) = (Machine::here(), options.server()?);
    let (postgres, date) = server.version_and_time()?;
    let mut systems = Vec::new();
    let mut versions = Vec::new();
    for &system in &options.systems {
        let mut client = database::create(&server, system, 1)?;
        versions.push((system.name.to_owned(), system.version(&mut client)?));
        systems.push((system, client));
    }
    let size = Size {
        rows: options.selection.rows.unwrap_or(5_000),
        queries: options.selection.queries.unwrap_or(200),
    };
    let mut lines = Vec::new();
    for column in columns {
        for data in distributions::all().iter().filter(|data| data.name.contains(&only)) {
            let line = Line::measure(&mut systems, data, column, size)?;
            eprintln!("{}", line.text(&options.systems));
            lines.push(line);
        }
    }
    for (system, client) in systems {
        drop(client);
        database::drop(&server, system)?;
    }
    let mut report =
        Report { machine, date, postgres, systems: versions, beside: None, size, lines };
    if let Some(path) = beside {
        let text = fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        report.add(&serde_json::from_slice(&text)?)?;
    }
    print!("{}", report.markdown()?);
    options.write_json(&report)?;
    draw(&options, &report)
}

/// Writes a heat map of each column type beside the JSON: `results.json` has `results-TYPE.svg`.
fn draw(options: &Options, report: &Report) -> Result<()> {
    let Some(json) = &options.json else { return Ok(()) };
    for column in report.columns() {
        let stem = json.file_stem().unwrap_or_default().to_string_lossy();
        let path = json.with_file_name(format!("{stem}-{column}.svg"));
        fs::write(&path, svg(report, column)).map_err(|e| format!("{}: {e}", path.display()))?;
    }
    Ok(())
}
