//! What the filters of the grid compare.

use quant::SplitMix64;

use super::Relation;
use crate::dataset::Dataset;

/// Share of the rows, the nearest of a query, that a filter against the query leaves out.
const NEAR: f64 = 0.2;

/// Columns of numbers below the number of rows, each number once: `column < n` lets n rows pass.
pub struct Traits {
    columns: Vec<(String, Vec<u32>)>,
    /// The distance of each row to each query.
    distances: Vec<Vec<f64>>,
}

impl Traits {
    /// Those of the first `rows` rows and `queries` queries of a data set.
    pub fn new(dataset: &Dataset, rows: usize, queries: usize) -> Self {
        let random = |column: usize| -> Vec<f64> {
            let mut random = SplitMix64::new(column as u64);
            (0..rows).map(|_| f64::from(random.next_f32())).collect()
        };
        let distances = |query: usize| -> Vec<f64> {
            let query = dataset.queries.row(query);
            (0..rows).map(|row| dataset.metric.distance(dataset.base.row(row), query)).collect()
        };
        let distances: Vec<_> = (0..queries).map(distances).collect();
        let mut columns = vec![(name(Relation::Uncorrelated, 0), ranks(&random(0)))];
        for (query, distances) in distances.iter().enumerate() {
            let near = ranks(distances).into_iter().map(|rank| f64::from(rank) / rows as f64);
            let both = || near.clone().zip(random(query + 1));
            let along = both().map(|(near, random)| near.max(random)).collect::<Vec<_>>();
            let against = both().map(|(near, random)| f64::from(u8::from(near < NEAR)) + random);
            columns.push((name(Relation::Correlated, query), ranks(&along)));
            columns
                .push((name(Relation::Anticorrelated, query), ranks(&against.collect::<Vec<_>>())));
        }
        Self { columns, distances }
    }

    /// The columns as CREATE TABLE has them.
    pub fn columns(&self) -> String {
        let columns = self.columns.iter().map(|(name, _)| format!("{name} int4"));
        columns.collect::<Vec<_>>().join(", ")
    }

    /// Statements that make an index on each column.
    pub fn indexes(&self) -> String {
        let index =
            |(name, _): &(String, _)| format!("CREATE INDEX items_{name} ON items ({name});");
        self.columns.iter().map(index).collect()
    }

    /// Statements that drop these.
    pub fn no_indexes(&self) -> String {
        self.columns.iter().map(|(name, _)| format!("DROP INDEX IF EXISTS items_{name};")).collect()
    }

    /// A row's columns for `COPY`.
    pub fn line(&self, row: usize) -> String {
        let values = self.columns.iter().map(|(_, ranks)| ranks[row].to_string());
        values.collect::<Vec<_>>().join("\t")
    }

    /// The condition in SQL by which `count` rows pass for a query.
    pub fn condition(relation: Relation, query: usize, count: usize) -> String {
        format!("{} < {count}", name(relation, query))
    }

    /// Distances of the rows that pass for a query, the nearest first.
    pub fn passing(&self, relation: Relation, query: usize, count: usize) -> Vec<f64> {
        let name = name(relation, query);
        let ranks = self.columns.iter().find(|(column, _)| *column == name);
        let rows = ranks.into_iter().flat_map(|(_, ranks)| ranks).zip(&self.distances[query]);
        let passing = rows.filter(|&(&rank, _)| (rank as usize) < count);
        let mut distances: Vec<f64> = passing.map(|(_, &distance)| distance).collect();
        distances.sort_unstable_by(f64::total_cmp);
        distances
    }
}

/// The column that filters of a query compare.
fn name(relation: Relation, query: usize) -> String {
    match relation {
        Relation::Uncorrelated => "random".to_owned(),
        Relation::Correlated => format!("near{query}"),
        Relation::Anticorrelated => format!("far{query}"),
    }
}

/// The rank of each value, from 0 of the least.
fn ranks(values: &[f64]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..).take(values.len()).collect();
    order.sort_by(|&a, &b| values[a as usize].total_cmp(&values[b as usize]));
    let mut ranks = vec![0; values.len()];
    for (rank, &row) in (0..).zip(&order) {
        ranks[row as usize] = rank;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_numbers_in_order() {
        assert_eq!(ranks(&[3.0, 1.0, 2.0, 1.0]), [3, 0, 2, 1]);
    }
}
