//! The grid as a table and as heat maps.

use super::cell::Cell;
use super::{LIMITS, Relation, SHARES};
use crate::heat_map::{self, HeatMap, Row, between};

/// A choice is good within this factor of the best.
const GOOD: f64 = 1.5;
/// No choice should be farther from it.
const WORST: f64 = 2.5;

/// What is compared.
#[derive(Debug, Clone, Copy)]
pub enum Figure {
    /// Processor time.
    Time,
    /// Shared buffers touched.
    Pages,
}

impl Figure {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Time, Self::Pages];

    /// How reports call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Pages => "pages",
        }
    }

    /// That of the choice by that of the best.
    fn ratio(self, cell: &Cell) -> f64 {
        match self {
            Self::Time => cell.time_ratio,
            Self::Pages => cell.pages_ratio,
        }
    }
}

/// The line of a table above those of [`line`].
pub fn head() -> String {
    format!(
        "{:>8} {:<14} {:>6} {:<5} {:>5}  {:<10} {:>6} {:>6} {:>7}  plans: us, pages, recall",
        "rows", "filter", "pass", "index", "k", "chosen", "time", "pages", "recall"
    )
}

/// A cell as a line.
pub fn line(cell: &Cell) -> String {
    let Cell { rows, relation, share, indexed, k, plans, time_ratio, pages_ratio } = cell;
    let plan = |plan: &super::cell::Measured| {
        format!("{} {:.0} {:.0} {:.3}", plan.plan.name(), plan.us, plan.pages, plan.recall)
    };
    let all = plans.iter().map(plan).collect::<Vec<_>>().join(", ");
    let (indexed, relation) = (if *indexed { "yes" } else { "no" }, relation.name());
    let (chosen, recall) = (plans[0].shown.name(), plans[0].recall);
    format!(
        "{rows:>8} {relation:<14} {share:>6} {indexed:<5} {k:>5}  {chosen:<10} {time_ratio:>6.2} \
         {pages_ratio:>6.2} {recall:>7.3}  {all}"
    )
}

/// How many cells are good, and the worst.
pub fn summary(cells: &[Cell]) -> String {
    let of = |figure: Figure| {
        let within = |bound| cells.iter().filter(|cell| figure.ratio(cell) <= bound).count();
        let worst = cells.iter().map(|cell| figure.ratio(cell)).fold(0.0, f64::max);
        let (good, bad) = (within(GOOD), cells.len() - within(WORST));
        let percent = good as f64 / cells.len() as f64 * 100.0;
        format!(
            "{}: {percent:.1} % of {} cells within {GOOD} of the best, {bad} beyond {WORST}, at worst {worst:.1}",
            figure.name(),
            cells.len()
        )
    };
    let least = cells.iter().map(|cell| cell.plans[0].recall).fold(1.0, f64::min);
    format!("{}\nleast recall {least:.3}", Figure::ALL.map(of).join("\n"))
}

/// The ratios of all cells as colors: a row a table and share, a group of columns a kind of filter.
pub fn heat_map(name: &str, cells: &[Cell], figure: Figure) -> String {
    let kinds = [true, false]
        .into_iter()
        .flat_map(|indexed| Relation::ALL.map(|relation| (relation, indexed)));
    let kinds: Vec<_> = kinds.collect();
    let mut sizes: Vec<usize> = cells.iter().map(|cell| cell.rows).collect();
    sizes.dedup();
    let rows = sizes.iter().flat_map(|&rows| SHARES.map(|share| (rows, share)));
    let row = |(rows, share): (usize, f64)| {
        let group = |&(relation, indexed): &(Relation, bool)| {
            let is_of = |cell: &&Cell| {
                cell.rows == rows
                    && cell.share == share
                    && cell.relation == relation
                    && cell.indexed == indexed
            };
            let ratio = |cell: &Cell| {
                let ratio = figure.ratio(cell);
                heat_map::Cell { text: format!("{ratio:.2}"), share: between(WORST, 1.0, ratio) }
            };
            cells.iter().filter(is_of).map(ratio).collect()
        };
        let name = format!("{rows} rows, {} % pass", share * 100.0);
        Row { name, groups: kinds.iter().map(group).collect() }
    };
    let group = |&(relation, indexed): &(Relation, bool)| {
        let index = if indexed { "index on the filter" } else { "none" };
        format!("{}, {index}", relation.name())
    };
    let map = HeatMap {
        title: format!("Chosen plans by the best, {}: {name}", figure.name()),
        heading: format!("{} of the chosen plan by that of the best", figure.name()),
        subheading: format!("{name}; columns are LIMIT"),
        left: 170.0,
        groups: kinds.iter().map(group).collect(),
        columns: LIMITS.map(|k| k.to_string()).to_vec(),
        rows: rows.map(row).collect(),
    };
    map.svg()
}
