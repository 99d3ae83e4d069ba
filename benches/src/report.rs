//! The table on standard output, and the same as JSON.

use std::fmt::Write;

use serde::Serialize;

use crate::build::BuildLimits;
use crate::dataset::Dataset;
use crate::exact::Metric;
use crate::run::Run;
use crate::sweep::{Outcome, Point, Sweep};

/// A run: where, how, and what came out.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Where and when.
    #[serde(flatten)]
    pub run: Run,
    /// What builds could use.
    pub build: BuildLimits,
    /// Clients that ask at the same time.
    pub clients: usize,
    /// What was measured.
    pub sweep: Sweep,
    /// One a data set.
    pub datasets: Vec<DatasetReport>,
    /// One-minute load average after the run.
    pub load_after: f64,
}

/// All systems on one data set.
#[derive(Debug, Serialize)]
pub struct DatasetReport {
    /// The data set's name.
    pub name: String,
    /// Rows loaded.
    pub rows: usize,
    /// Dimensions.
    pub dims: usize,
    /// Queries asked.
    pub queries: usize,
    /// What "near" means.
    pub metric: Metric,
    /// Neighbors asked for.
    pub k: usize,
    /// One a system.
    pub systems: Vec<Outcome>,
}

impl Report {
    /// Lines that say where and how.
    pub fn heading(&self) -> String {
        let BuildLimits { workers, maintenance_work_mem } = &self.build;
        format!(
            "{}\n{workers} parallel workers, maintenance_work_mem {maintenance_work_mem}, {} client(s)",
            self.run.heading(),
            self.clients
        )
    }
}

impl DatasetReport {
    /// The outcomes on `dataset`.
    pub fn new(dataset: &Dataset, systems: Vec<Outcome>) -> Self {
        Self {
            name: dataset.name.clone(),
            rows: dataset.base.rows(),
            dims: dataset.base.cols,
            queries: dataset.queries.rows(),
            metric: dataset.metric,
            k: dataset.k,
            systems,
        }
    }

    /// The table.
    pub fn table(&self) -> String {
        let mut out = String::new();
        // Writing to a string does not fail.
        let _ = self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let Self { name, rows, dims, queries, k, .. } = self;
        let metric = format!("{:?}", self.metric).to_lowercase();
        writeln!(out, "\n{name}: {rows} x {dims}, {metric}, {queries} queries, k = {k}\n")?;
        writeln!(
            out,
            "{:<12} {:>9} {:>9} {:>9} {:>10} {:>9}",
            "system", "version", "build s", "cpu s", "index MB", "bytes/row"
        )?;
        for Outcome { system, built, .. } in &self.systems {
            let (seconds, cpu) = (built.build_s, optional(built.build_cpu_s));
            let (megabytes, bytes) = (built.index_bytes as f64 / 1e6, built.bytes_per_row);
            let version = &built.version;
            writeln!(
                out,
                "{system:<12} {version:>9} {seconds:>9.1} {cpu:>9} {megabytes:>10.1} {bytes:>9.0}"
            )?;
        }
        writeln!(out, "\n{:<12} {:>6} {HEAD}", "system", "ef")?;
        let efforts = self.systems.iter().map(|s| s.points.len()).max().unwrap_or(0);
        for i in 0..efforts {
            for outcome in &self.systems {
                line(out, outcome.system, outcome.points.get(i))?;
            }
        }
        let targets = self.systems.first().map_or(0, |s| s.targets.len());
        for i in 0..targets {
            let recall = self.systems[0].targets[i].recall;
            writeln!(out, "\nleast ef for recall {recall}")?;
            for outcome in &self.systems {
                line(out, outcome.system, outcome.targets[i].point.as_ref())?;
            }
        }
        self.ratios(out)
    }

    /// The first system in terms of each other one.
    fn ratios(&self, out: &mut String) -> std::fmt::Result {
        let Some((first, others)) = self.systems.split_first() else { return Ok(()) };
        for other in others {
            writeln!(out, "\n{} / {}", first.system, other.system)?;
            let (ours, theirs) = (&first.built, &other.built);
            let cpu = ours.build_cpu_s.zip(theirs.build_cpu_s).map(|(a, b)| a / b);
            writeln!(
                out,
                "build seconds {:.2}, build cpu {}, index bytes {:.2}",
                ours.build_s / theirs.build_s,
                ratio(cpu),
                ours.bytes_per_row / theirs.bytes_per_row
            )?;
            for (a, b) in first.targets.iter().zip(&other.targets) {
                let Some((ours, theirs)) = a.point.as_ref().zip(b.point.as_ref()) else { continue };
                let cpu = ours.cpu_us.zip(theirs.cpu_us).map(|(a, b)| a / b);
                let pages = ours.index_pages.zip(theirs.index_pages).map(|(a, b)| b / a);
                writeln!(
                    out,
                    "recall {}: qps {:.2}, cpu {}, buffers 1/{:.2}, index pages 1/{}",
                    a.recall,
                    ours.qps / theirs.qps,
                    ratio(cpu),
                    theirs.buffers / ours.buffers,
                    ratio(pages)
                )?;
            }
            let same = first.points.iter().zip(&other.points).filter(|(a, b)| a.effort == b.effort);
            let worst = same.map(|(a, b)| a.recall - b.recall).min_by(f64::total_cmp);
            if let Some(worst) = worst {
                writeln!(out, "recall at equal ef: at worst {worst:+.4}")?;
            }
        }
        Ok(())
    }
}

const HEAD: &str =
    "  recall       qps    median   p50 ms   p99 ms   cpu us  scan us   buffers  index pages";

fn line(out: &mut String, system: &str, point: Option<&Point>) -> std::fmt::Result {
    let Some(p) = point else {
        return writeln!(out, "{system:<12} {:>6}", "none");
    };
    let Point { effort, recall, qps, qps_median, p50_ms, p99_ms, buffers, .. } = p;
    let cpu = p.cpu_us.map_or("-".to_owned(), |us| format!("{us:.0}"));
    let scan = p.scan_us.map_or("-".to_owned(), |us| format!("{us:.0}"));
    let pages = optional(p.index_pages);
    let warning = if p.index_used { "" } else { "  NO INDEX" };
    writeln!(
        out,
        "{system:<12} {effort:>6} {recall:>8.4} {qps:>9.1} {qps_median:>9.1} {p50_ms:>8.3} \
         {p99_ms:>8.3} {cpu:>8} {scan:>8} {buffers:>9.1} {pages:>12}{warning}"
    )
}

fn optional(value: Option<f64>) -> String {
    value.map_or("-".to_owned(), |v| format!("{v:.1}"))
}

fn ratio(value: Option<f64>) -> String {
    value.map_or("-".to_owned(), |v| format!("{v:.2}"))
}
