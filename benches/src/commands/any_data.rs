//! Recall on data unlike embeddings, of every system, column type and state of an index.

use std::fs;
use std::path::PathBuf;

use pg_test::any_data::ColumnType;
use pico_args::Arguments;

use super::Command;
use crate::any_data::heat_map::svg;
use crate::any_data::report::Report;
use crate::any_data::{Line, Size};
use crate::options::{Options, finish, list};
use crate::{Result, database};

pub(super) const COMMAND: Command = Command {
    usage: "any-data",
    help: "\
Measures recall on data unlike embeddings; draws heat maps.
Recall of the ten nearest at default settings, on the distributions of crates/distributions: of an
index built at once, one whose rows are replaced by half, one grown row by row, and that vacuumed.
Prints a table; with --json, writes a heat map of each column type beside that file.
Of the options below --metric, --k, --workers and --maintenance-work-mem have no effect.

  --only PART          distributions with PART in their names [all]
  --beside FILE        the JSON of an earlier run, whose other systems are added
  --types A,B          vector, halfvec, bf16vec, i8vec, bit, sparsevec [vector]

  --systems            [vector_ext,pgvector,vector_ext_ivf,pgvector_ivfflat]
  --rows               [5000]
  --queries            [200]
  --data               is not needed
",
    run,
};

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

    let (run, server) = options.begin()?;
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
    let mut report = Report { run, systems: versions, beside: None, size, lines };
    if let Some(path) = beside {
        let text = fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        report.add(&serde_json::from_slice(&text)?)?;
    }
    print!("{}", report.markdown()?);
    options.write_json(&report)?;
    for column in report.columns() {
        options.write_plot(column, || svg(&report, column))?;
    }
    Ok(())
}
