//! The ranker that lets scores fade with the distance of a column's value from an origin: of an
//! age, a price, a place on a line.

use pgrx::PgSqlErrorCode::{ERRCODE_DATATYPE_MISMATCH, ERRCODE_INVALID_PARAMETER_VALUE};
use pgrx::pg_sys::{self, Oid};
use serde::Deserialize;
use serde_json::Number;

use super::leg::Search;
use super::parameters::Parameters;
use super::query::{FOUND, constant, function, operator};
use super::scores::sum;
use crate::pg::error::Report;

/// How scores fade; [Milvus's decay ranker](https://milvus.io/docs/decay-ranker-overview.md).
#[derive(Deserialize)]
pub struct Decay {
    function: Function,
    field: String,
    origin: Quantity,
    scale: Quantity,
    offset: Quantity,
    decay: f64,
    score_mode: Mode,
    /// Whether scores of legs are first brought to a scale from 0 to 1.
    pub norm_score: bool,
}

/// The curve.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Function {
    Gauss,
    Exp,
    Linear,
    #[serde(untagged)]
    Unknown(String),
}

/// How scores of several legs make one.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Max,
    Sum,
    Avg,
    #[serde(untagged)]
    Unknown(String),
}

/// A number, or a time or interval as PostgreSQL reads it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Quantity {
    Number(Number),
    Text(String),
}

impl Function {
    fn name(&self) -> Result<&'static str, Report> {
        match self {
            Function::Gauss => Ok("decay_gauss"),
            Function::Exp => Ok("decay_exp"),
            Function::Linear => Ok("decay_linear"),
            Function::Unknown(name) => Err(wrong(format!("invalid decay function: {name}"))),
        }
    }
}

impl Decay {
    /// # Errors
    /// Where there is no such curve or mode.
    pub fn check(&self) -> Result<(), Report> {
        self.function.name()?;
        match &self.score_mode {
            Mode::Unknown(mode) => Err(wrong(format!("unsupported score mode: {mode}"))),
            Mode::Max | Mode::Sum | Mode::Avg => Ok(()),
        }
    }

    /// The score of a row, of its scores in legs, NULL where a leg did not find it, and the value
    /// of the column. Nothing is left of the score of a row that has none.
    ///
    /// # Errors
    /// Where the table has no such column, or it is of a type that has no distances.
    pub fn score(
        &self,
        scores: &[String],
        search: &Search,
        parameters: &mut Parameters,
    ) -> Result<String, Report> {
        let schema = &search.table.extension.1;
        let merged = match self.score_mode {
            Mode::Sum => sum(scores, schema),
            Mode::Avg => {
                let count = function("num_nonnulls", scores.join(", "));
                let count = format!("{count}::pg_catalog.float8");
                format!("{schema}.as_score({})", operator(sum(scores, schema), "/", count))
            }
            Mode::Max | Mode::Unknown(_) => format!("GREATEST({})", scores.join(", ")),
        };
        let factor = self.factor(search, parameters)?;
        Ok(format!(
            "COALESCE({schema}.faded({merged}::pg_catalog.float8, \
             {schema}.as_score({factor})::pg_catalog.float8), 0::pg_catalog.float4)"
        ))
    }

    fn factor(&self, search: &Search, parameters: &mut Parameters) -> Result<String, Report> {
        let column = search.table.column(&self.field)?;
        let [value, distance] = axis(column.of).ok_or_else(|| {
            let message = format!("unsupported field {} for rerank: no number or time", self.field);
            Report::new(ERRCODE_DATATYPE_MISMATCH, message)
                .hint("Scores fade with the value of a column of numbers, dates or timestamps.")
        })?;
        let mut add = |quantity: &Quantity, (of, name): (Oid, &str)| -> Result<String, Report> {
            let is_number = of == pg_sys::FLOAT8OID;
            let text = match quantity {
                Quantity::Number(number) if is_number => number.to_string(),
                Quantity::Text(text) if !is_number => text.clone(),
                Quantity::Number(_) | Quantity::Text(_) => {
                    let wanted = if is_number { "numbers" } else { "a time and intervals" };
                    return Err(wrong(format!("decay of {} takes {wanted}", self.field)));
                }
            };
            Ok(parameters.add(of, format!("pg_catalog.{name}"), text))
        };
        let origin = add(&self.origin, value)?;
        let (scale, offset) = (add(&self.scale, distance)?, add(&self.offset, distance)?);
        let (schema, decay) = (&search.table.extension.1, parameters.number(self.decay));
        let (function, value) = (self.function.name()?, column.found_value(FOUND));
        let value = within_axis(column.of, &value);
        Ok(format!("{schema}.{function}({value}, {origin}, {scale}, {offset}, {decay})"))
    }
}

/// The types of values and of distances along a column of type `of`.
fn axis(of: Oid) -> Option<[(Oid, &'static str); 2]> {
    let number = (pg_sys::FLOAT8OID, "float8");
    let time = (pg_sys::TIMESTAMPTZOID, "timestamptz");
    match of {
        pg_sys::INT2OID
        | pg_sys::INT4OID
        | pg_sys::INT8OID
        | pg_sys::FLOAT4OID
        | pg_sys::FLOAT8OID
        | pg_sys::NUMERICOID => Some([number, number]),
        pg_sys::DATEOID | pg_sys::TIMESTAMPOID | pg_sys::TIMESTAMPTZOID => {
            Some([time, (pg_sys::INTERVALOID, "interval")])
        }
        _ => None,
    }
}

/// The value `v` of a column of type `of` on its axis. What lies beyond the axis lies at its end:
/// a cast would end the query.
fn within_axis(of: Oid, v: &str) -> String {
    match of {
        pg_sys::NUMERICOID => {
            let size = function("abs", v);
            // What is no number is larger than all others.
            let far = operator(&size, ">", constant("1e300", "numeric"));
            let near = operator(&size, "<", constant("1e-300", "numeric"));
            let sign = format!("{}::pg_catalog.float8", function("sign", v));
            let end = operator(sign, "*", constant("1e300", "float8"));
            format!("CASE WHEN {far} THEN {end} WHEN {near} THEN 0 ELSE {v}::pg_catalog.float8 END")
        }
        pg_sys::DATEOID | pg_sys::TIMESTAMPOID => {
            let of = if of == pg_sys::DATEOID { "date" } else { "timestamp" };
            let (first, last) = (constant("4700-01-01 BC", of), constant("290000-01-01", of));
            let is_finite = function("isfinite", v);
            format!(
                "CASE WHEN {is_finite} THEN LEAST(GREATEST({v}, {first}), {last}) \
                 ELSE {v} END::pg_catalog.timestamptz"
            )
        }
        pg_sys::TIMESTAMPTZOID => v.to_owned(),
        _ => format!("{v}::pg_catalog.float8"),
    }
}

fn wrong(message: String) -> Report {
    Report::new(ERRCODE_INVALID_PARAMETER_VALUE, message).hint(
        "decay_ranker('gauss' | 'exp' | 'linear', field, origin, scale, \"offset\", decay, \
         'max' | 'sum' | 'avg').",
    )
}
