//! Recall as colors.

use pg_test::any_data::State;

use super::Line;
use super::report::Report;
use crate::heat_map::{Cell, HeatMap, Row, between};

/// The share of neighbors missed that is all red, and the one that is all green.
const MISSED: [f64; 2] = [0.5, 0.005];

/// The map of `report`'s lines on column type `column`: a row a distribution, a group of columns a
/// system.
pub fn svg(report: &Report, column: &str) -> String {
    let cell = |recall: f64| {
        let [red, green] = MISSED;
        Cell { text: format!("{recall:.3}"), share: between(red, green, 1.0 - recall) }
    };
    let row = |line: &Line| {
        let of_system = |recall: &Option<_>| -> Vec<_> {
            recall.iter().flatten().map(|&recall| cell(recall)).collect()
        };
        Row { name: line.data.clone(), groups: line.recall.iter().map(of_system).collect() }
    };
    let systems = report.systems.iter();
    let map = HeatMap {
        title: format!("Recall on any data, {column}"),
        heading: format!("recall@10 on any data, {column}"),
        subheading: format!("{} rows, default settings", report.size.rows),
        left: 290.0,
        groups: systems.map(|(name, version)| format!("{name} {version}")).collect(),
        columns: State::ALL.map(State::name).map(str::to_owned).to_vec(),
        rows: report.lines.iter().filter(|line| line.column == column).map(row).collect(),
    };
    map.svg()
}
