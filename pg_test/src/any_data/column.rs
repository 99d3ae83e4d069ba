//! Distributions as values of each column type.

use distributions::{Column, Conversion, Distribution};
use quant::Metric;

/// A column type that can be indexed.
#[derive(Clone, Copy, Debug)]
pub struct ColumnType {
    /// The type's name.
    pub name: &'static str,
    /// What its values keep of vectors; everything, if none.
    column: Option<Column>,
    /// Writes a value.
    literal: fn(&[f32]) -> String,
}

/// All of them.
const TYPES: [ColumnType; 6] = [
    ColumnType { name: "vector", column: None, literal: reals },
    ColumnType { name: "halfvec", column: Some(Column::Halves), literal: reals },
    ColumnType { name: "bf16vec", column: Some(Column::Bfloats), literal: reals },
    ColumnType { name: "i8vec", column: Some(Column::Bytes), literal: integers },
    ColumnType { name: "bit", column: Some(Column::Bits), literal: bits },
    ColumnType { name: "sparsevec", column: Some(Column::Sparse), literal: sparse },
];

impl ColumnType {
    /// The column type called `name`.
    pub fn by_name(name: &str) -> Option<Self> {
        TYPES.into_iter().find(|column| column.name == name)
    }
}

/// Values of one column type, drawn from a distribution, in their text form.
pub struct Sample {
    /// The type with its modifier, such as `halfvec(32)`.
    pub sql_type: String,
    /// The operator class for the metric.
    pub class: String,
    /// Its operator.
    pub operator: &'static str,
    /// Rows in the order in which they arrive.
    pub rows: Vec<String>,
    /// Half as many, rounded up, which replace every other row.
    pub later_rows: Vec<String>,
    /// What is searched for.
    pub queries: Vec<String>,
}

impl Sample {
    /// Draws `rows` rows, at least one, and `queries` queries.
    pub fn new(data: &Distribution, column: ColumnType, rows: usize, queries: usize) -> Self {
        let vectors = data.rows(rows);
        let conversion = column.column.map(|column| Conversion::new(column, data.metric, &vectors));
        let metric = conversion.as_ref().map_or(data.metric, |to| to.metric(data.metric));
        let write = |vector: &Vec<f32>| match &conversion {
            Some(conversion) => (column.literal)(&conversion.apply(vector)),
            None => (column.literal)(vector),
        };
        let (metric, operator) = metric_in_sql(metric);
        Self {
            sql_type: format!("{}({})", column.name, vectors[0].len()),
            class: format!("{}_{metric}_ops", column.name),
            operator,
            rows: vectors.iter().map(write).collect(),
            later_rows: data.later_rows(rows.div_ceil(2)).iter().map(write).collect(),
            queries: data.queries(queries).iter().map(write).collect(),
        }
    }
}

/// The metric's name in operator classes, and its operator.
fn metric_in_sql(metric: Metric) -> (&'static str, &'static str) {
    match metric {
        Metric::L2 => ("l2", "<->"),
        Metric::InnerProduct => ("ip", "<#>"),
        Metric::Cosine => ("cosine", "<=>"),
        Metric::L1 => ("l1", "<+>"),
        Metric::Hamming => ("hamming", "<~>"),
        Metric::Jaccard => ("jaccard", "<%>"),
    }
}

fn reals(vector: &[f32]) -> String {
    format!("{vector:?}")
}

fn integers(vector: &[f32]) -> String {
    format!("{:?}", vector.iter().map(|&x| x as i8).collect::<Vec<_>>())
}

fn bits(vector: &[f32]) -> String {
    vector.iter().map(|&x| if x > 0.0 { '1' } else { '0' }).collect()
}

fn sparse(vector: &[f32]) -> String {
    let elements = vector.iter().zip(1..).filter(|&(&x, _)| x != 0.0);
    let elements: Vec<String> = elements.map(|(x, index)| format!("{index}:{x:?}")).collect();
    format!("{{{}}}/{}", elements.join(","), vector.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_as_text() {
        let literal = |name: &str| (ColumnType::by_name(name).unwrap().literal)(&[0.0, -2.0, 1.0]);
        assert_eq!(literal("vector"), "[0.0, -2.0, 1.0]");
        assert_eq!(literal("i8vec"), "[0, -2, 1]");
        assert_eq!(literal("bit"), "001");
        assert_eq!(literal("sparsevec"), "{2:-2.0,3:1.0}/3");
    }
}
