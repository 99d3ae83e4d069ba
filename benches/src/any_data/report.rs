//! Tables of recall in Markdown, each of our systems beside its rival.

use std::fmt::Write;

use pg_test::any_data::State;
use serde::{Deserialize, Serialize};

use super::{Line, Size};
use crate::Result;
use crate::machine::Machine;
use crate::run::Run;
use crate::systems::System;

/// How far below its rival's a recall may be.
const TOLERANCE: f64 = 0.01;

/// What a recall with a rival must reach, whatever the rival's is.
const FLOOR: f64 = 0.9;

/// What a recall without a rival must reach.
const FLOOR_ALONE: f64 = 0.95;

/// A run: where, what, and what came out.
#[derive(Debug, Serialize, Deserialize)]
pub struct Report {
    /// Where and when.
    #[serde(flatten)]
    pub run: Run,
    /// Names and versions of the systems.
    pub systems: Vec<(String, String)>,
    /// When the last systems were measured, if an earlier run did.
    #[serde(default)]
    pub beside: Option<String>,
    /// Rows and queries of every distribution.
    pub size: Size,
    /// One a distribution and column type.
    pub lines: Vec<Line>,
}

/// One of our systems, and the one it is compared with, by their places.
struct Pair {
    ours: usize,
    rival: Option<usize>,
}

/// Whether a recall of ours must stand out.
fn is_low(ours: f64, rival: Option<f64>) -> bool {
    ours < rival.map_or(FLOOR_ALONE, |rival| (rival - TOLERANCE).max(FLOOR))
}

impl Report {
    /// Adds the systems of `earlier` that this run has not; it must have measured as many rows and
    /// queries.
    pub fn add(&mut self, earlier: &Self) -> Result<()> {
        if earlier.size != self.size {
            return Err(
                format!("the earlier run had {:?}, not {:?}", earlier.size, self.size).into()
            );
        }
        for (place, system) in earlier.systems.iter().enumerate() {
            if self.systems.iter().any(|(name, _)| *name == system.0) {
                continue;
            }
            self.systems.push(system.clone());
            for line in &mut self.lines {
                let same = |other: &&Line| other.data == line.data && other.column == line.column;
                let measured = earlier.lines.iter().find(same);
                line.recall.push(measured.and_then(|other| other.recall[place]));
            }
        }
        self.beside = Some(earlier.beside.as_ref().unwrap_or(&earlier.run.date).clone());
        Ok(())
    }

    /// The whole report.
    pub fn markdown(&self) -> Result<String> {
        let systems = self.described_systems()?;
        let mut out = self.heading();
        self.write(&mut out, &systems)?;
        Ok(out)
    }

    fn described_systems(&self) -> Result<Vec<&'static System>> {
        self.systems.iter().map(|(name, _)| System::by_name(name)).collect()
    }

    /// Where and what.
    pub fn heading(&self) -> String {
        let Run { machine, date, postgres } = &self.run;
        let Machine { cpu, cores, commit, load_before } = machine;
        let Size { rows, queries } = self.size;
        let versions: Vec<_> =
            self.systems.iter().map(|(name, version)| format!("{name} {version}")).collect();
        let beside = self.beside.as_ref();
        let beside =
            beside.map_or(String::new(), |date| format!("- The others: measured {date}\n"));
        format!(
            "# Recall on any data\n\n\
             - PostgreSQL {postgres}, commit {commit}, {date}\n\
             - {cpu}, {cores} cores, load average {load_before:.1}\n\
             - {}\n{beside}\
             - {rows} rows, {queries} queries, the 10 nearest, default settings; ivfflat with {} lists\n",
            versions.join(", "),
            self.size.lists(),
        )
    }

    fn write(&self, out: &mut String, systems: &[&System]) -> std::fmt::Result {
        writeln!(out, "\n## Low\n")?;
        writeln!(
            out,
            "Recall more than {TOLERANCE} below pgvector's, or below {FLOOR}; \
             where pgvector has no such index, below {FLOOR_ALONE}.\n"
        )?;
        let low = self.low(systems);
        write!(out, "{}", if low.is_empty() { "None.\n" } else { &low })?;
        for column in self.columns() {
            for pair in pairs(systems) {
                self.table(out, systems, column, &pair)?;
            }
        }
        Ok(())
    }

    /// Column types in the order of the lines.
    pub fn columns(&self) -> Vec<&str> {
        let mut columns: Vec<_> = self.lines.iter().map(|line| &*line.column).collect();
        columns.dedup();
        columns
    }

    /// A list of all recalls that are low.
    fn low(&self, systems: &[&System]) -> String {
        let mut out = String::new();
        for line in &self.lines {
            for pair in pairs(systems) {
                for (i, state) in State::ALL.iter().enumerate() {
                    let Some((ours, rival)) = line.pair(&pair, i) else { continue };
                    if is_low(ours, rival) {
                        let Line { data, column, operator, .. } = line;
                        let (name, state) = (systems[pair.ours].name, state.name());
                        let rival = rival.map_or("none".to_owned(), |rival| format!("{rival:.3}"));
                        // Writing to a string does not fail.
                        let _ = writeln!(
                            out,
                            "- {name}, {column} `{operator}`, {data}, {state}: {ours:.3}, pgvector {rival}"
                        );
                    }
                }
            }
        }
        out
    }

    /// One of our systems on one column type.
    fn table(
        &self,
        out: &mut String,
        systems: &[&System],
        column: &str,
        pair: &Pair,
    ) -> std::fmt::Result {
        let lines = self.lines.iter().filter(|line| line.column == column);
        let mut lines = lines.filter(|line| line.recall[pair.ours].is_some()).peekable();
        if lines.peek().is_none() {
            return Ok(());
        }
        writeln!(out, "\n## {}, {column}\n", systems[pair.ours].name)?;
        let states = State::ALL.map(State::name).join(" | ");
        writeln!(out, "| data | operator | {states} |\n| --- | --- | --- | --- | --- | --- |")?;
        for line in lines {
            write!(out, "| {} | `{}` |", line.data, line.operator)?;
            for i in 0..State::ALL.len() {
                let Some((ours, rival)) = line.pair(pair, i) else { continue };
                let mark = if is_low(ours, rival) { "**" } else { "" };
                let rival = rival.map_or(String::new(), |rival| format!(" ({rival:.3})"));
                write!(out, " {mark}{ours:.3}{mark}{rival} |")?;
            }
            writeln!(out)?;
        }
        Ok(())
    }
}

impl Line {
    /// Our recall and the rival's in the state at place `state`.
    fn pair(&self, pair: &Pair, state: usize) -> Option<(f64, Option<f64>)> {
        let recall = |system: usize| self.recall[system].map(|recall| recall[state]);
        Some((recall(pair.ours)?, pair.rival.and_then(recall)))
    }
}

/// Each system of ours with pgvector's index of the same kind.
fn pairs(systems: &[&System]) -> Vec<Pair> {
    let is_graph = |system: &System| system.index.starts_with("hnsw");
    let rival = |ours: &System| {
        systems
            .iter()
            .position(|other| other.extension != "vector_ext" && is_graph(other) == is_graph(ours))
    };
    let ours = systems.iter().enumerate().filter(|(_, system)| system.extension == "vector_ext");
    ours.map(|(place, system)| Pair { ours: place, rival: rival(system) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(systems: &[&str], recall: &[Option<[f64; 4]>]) -> Report {
        let line = Line {
            data: "drift".into(),
            operator: "<->".into(),
            column: "vector".into(),
            recall: recall.to_vec(),
        };
        let machine = Machine { cpu: "a".into(), cores: 2, load_before: 0.0, commit: "b".into() };
        Report {
            run: Run { machine, date: "today".into(), postgres: "15".into() },
            systems: systems.iter().map(|&name| (name.into(), "1".into())).collect(),
            beside: None,
            size: Size { rows: 100, queries: 10 },
            lines: vec![line],
        }
    }

    fn low(report: &Report) -> String {
        report.low(&report.described_systems().unwrap())
    }

    #[test]
    fn what_is_low_stands_out() {
        let mut report = report(&["vector_ext"], &[Some([0.98, 0.991, 0.89, 0.9])]);
        let earlier = [Some([0.0; 4]), Some([0.995, 1.0, 0.8, 0.91])];
        report.add(&self::report(&["vector_ext", "pgvector"], &earlier)).unwrap();
        let text = report.markdown().unwrap();
        let row = "| drift | `<->` | **0.980** (0.995) | 0.991 (1.000) | **0.890** (0.800) | 0.900 (0.910) |";
        assert!(text.contains(row), "{text}");
        let listed = "- vector_ext, vector `<->`, drift, built: 0.980, pgvector 0.995\n\
                      - vector_ext, vector `<->`, drift, grown: 0.890, pgvector 0.800\n";
        assert_eq!(low(&report), listed);
    }

    #[test]
    fn without_a_rival_there_is_a_floor() {
        let report = report(&["vector_ext", "pgvector"], &[Some([0.94, 0.95, 1.0, 1.0]), None]);
        assert_eq!(
            low(&report),
            "- vector_ext, vector `<->`, drift, built: 0.940, pgvector none\n"
        );
    }
}
