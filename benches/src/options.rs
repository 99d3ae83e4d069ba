//! What the command lines of the benchmarks have in common.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use pico_args::Arguments;
use serde::Serialize;
use serde_json::{Value, json};

use crate::build::BuildLimits;
use crate::dataset::{Dataset, Selection};
use crate::machine::Machine;
use crate::run::Run;
use crate::server::Server;
use crate::systems::System;
use crate::{Result, database};

/// The options that every benchmark takes.
pub struct Options {
    /// Data sets, by their names.
    pub data: Vec<String>,
    /// Systems to compare.
    pub systems: Vec<&'static System>,
    /// What to take of each data set.
    pub selection: Selection,
    /// What builds may use.
    pub limits: BuildLimits,
    /// A running server.
    pub url: Option<String>,
    /// Where to write the results as JSON.
    pub json: Option<PathBuf>,
}

/// Their part of the help.
pub const HELP: &str =
    "  --data DIR           base.*, query.* (.fbin .f16bin .u8bin, plain or .gz), gt.dist.fbin;
                       or clustered:ROWSxDIMS, which is generated; may be given several times
  --systems A,B        systems to compare               [vector_ext,pgvector]
  --rows N             only the first N rows
  --queries N          only the first N queries
  --metric M           l2 or cosine                     [by the directory's name]
  --k N                neighbors asked for              [10]
  --workers N          max_parallel_maintenance_workers [2]
  --maintenance-work-mem SIZE                           [2GB]
  --json FILE          write the results as JSON too, and plots, if there are any, beside it
  --url URL            a running server (or PGHOST, PGPORT, ...): databases sql_bench_* are
                       made and dropped there           [a private server is started,
                       of the PostgreSQL that PG_CONFIG names]
";

impl Options {
    /// Takes the common options out of `arguments`; there must be data.
    pub fn take(arguments: &mut Arguments) -> Result<Self> {
        let options = Self::take_with(arguments, "vector_ext,pgvector")?;
        if options.data.is_empty() {
            return Err("--data DIR is missing: see --help".into());
        }
        Ok(options)
    }

    /// The same with other default systems, and no need of data.
    pub fn take_with(arguments: &mut Arguments, systems: &str) -> Result<Self> {
        let given: Option<String> = arguments.opt_value_from_str("--systems")?;
        let systems = given.as_deref().unwrap_or(systems);
        Ok(Self {
            data: arguments.values_from_str("--data")?,
            systems: systems.split(',').map(System::by_name).collect::<Result<_>>()?,
            selection: Selection {
                rows: arguments.opt_value_from_str("--rows")?,
                queries: arguments.opt_value_from_str("--queries")?,
                metric: arguments.opt_value_from_str("--metric")?,
                k: arguments.opt_value_from_str("--k")?.unwrap_or(10),
            },
            limits: BuildLimits {
                workers: arguments.opt_value_from_str("--workers")?.unwrap_or(2),
                maintenance_work_mem: arguments
                    .opt_value_from_str("--maintenance-work-mem")?
                    .unwrap_or_else(|| "2GB".to_owned()),
            },
            url: arguments.opt_value_from_str("--url")?,
            json: arguments.opt_value_from_str("--json")?,
        })
    }

    /// Begins a run on the server to measure.
    pub fn begin(&self) -> Result<(Run, Server)> {
        let (machine, server) = (Machine::here(), self.server()?);
        Ok((Run::begin(machine, &server)?, server))
    }

    /// The server to measure.
    pub fn server(&self) -> Result<Server> {
        let preload: Vec<_> = self.systems.iter().filter_map(|system| system.preload).collect();
        Server::open(self.url.as_deref(), &preload)
    }

    /// The data sets, each opened when its turn comes.
    pub fn datasets(&self) -> impl Iterator<Item = Result<Dataset>> {
        self.data.iter().map(|name| Dataset::open(name, &self.selection))
    }

    /// The lines that `measure` returns for each data set, as JSON.
    pub fn each_dataset<T: Serialize>(
        &self,
        mut measure: impl FnMut(&Dataset) -> Result<T>,
    ) -> Result<Vec<Value>> {
        let measured = self.datasets().map(|dataset| {
            let dataset = dataset?;
            let lines = measure(&dataset)?;
            Ok(json!({ "name": dataset.name, "rows": dataset.base.rows(), "lines": lines }))
        });
        measured.collect()
    }

    /// Removes the databases of all systems.
    pub fn drop_databases(&self, server: &Server) -> Result<()> {
        self.systems.iter().try_for_each(|system| database::drop(server, system))
    }

    /// Writes `results` where `--json` says, with where and when they were measured.
    pub fn write_results(&self, run: &Run, results: &impl Serialize) -> Result<()> {
        #[derive(Serialize)]
        struct Report<'a, T> {
            #[serde(flatten)]
            run: &'a Run,
            #[serde(flatten)]
            results: &'a T,
        }
        self.write_json(&Report { run, results })
    }

    /// Writes `report` where `--json` says.
    pub fn write_json(&self, report: &impl Serialize) -> Result<()> {
        let Some(path) = &self.json else { return Ok(()) };
        write(path, &(serde_json::to_string_pretty(report)? + "\n"))
    }

    /// Writes a plot beside the JSON: for `results.json`, `results-NAME.svg`.
    pub fn write_plot(&self, name: &str, svg: impl FnOnce() -> String) -> Result<()> {
        let Some(json) = &self.json else { return Ok(()) };
        let stem = json.file_stem().unwrap_or_default().to_string_lossy();
        write(&json.with_file_name(format!("{stem}-{name}.svg")), &svg())
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()).into())
}

/// The comma-separated values of option `name`.
pub fn list<T>(arguments: &mut Arguments, name: &'static str, default: &str) -> Result<Vec<T>>
where
    T: FromStr<Err: std::fmt::Display>,
{
    let text: Option<String> = arguments.opt_value_from_str(name)?;
    let text = text.unwrap_or_else(|| default.to_owned());
    let value = |word: &str| word.trim().parse().map_err(|e| format!("{name} {word}: {e}").into());
    text.split(',').filter(|word| !word.is_empty()).map(value).collect()
}

/// Refuses what nobody took.
pub fn finish(arguments: Arguments) -> Result<()> {
    match arguments.finish().first() {
        Some(unknown) => {
            Err(format!("unknown argument {}: see --help", unknown.to_string_lossy()).into())
        }
        None => Ok(()),
    }
}
