//! The ranker that lets scores fade with the distance of a column's value from an origin: of an age,
//! a price, a place on a line.

use pgrx::PgSqlErrorCode::{ERRCODE_DATATYPE_MISMATCH, ERRCODE_INVALID_PARAMETER_VALUE};
use pgrx::pg_sys::{self, Oid};
use serde_json::Value;

use super::leg::Search;
use super::ranker::{number, sum};
use super::statement::{FOUND, Parameters};
use crate::pg::error::Report;

/// How scores fade; [Milvus's decay ranker](https://milvus.io/docs/decay-ranker-overview.md).
pub struct Decay {
    function: Function,
    field: String,
    origin: Value,
    scale: Value,
    offset: Value,
    decay: f64,
    mode: Mode,
    /// Whether scores of legs are first brought to a scale from 0 to 1.
    pub norm_score: bool,
}

/// The curve.
#[derive(Clone, Copy)]
enum Function {
    Gauss,
    Exp,
    Linear,
}

/// How scores of several legs make one.
#[derive(Clone, Copy)]
enum Mode {
    Max,
    Sum,
    Avg,
}

impl Decay {
    /// Reads what `decay_ranker` writes; none where it is something else.
    pub fn read(ranker: &Value) -> Option<Result<Decay, Report>> {
        let text = |key| ranker.get(key).and_then(Value::as_str);
        let value = |key| ranker.get(key).filter(|value| !value.is_null()).cloned();
        let function = match text("function")? {
            "gauss" => Function::Gauss,
            "exp" => Function::Exp,
            "linear" => Function::Linear,
            other => return Some(Err(wrong(format!("invalid decay function: {other}")))),
        };
        let mode = match text("score_mode")? {
            "max" => Mode::Max,
            "sum" => Mode::Sum,
            "avg" => Mode::Avg,
            other => return Some(Err(wrong(format!("unsupported score mode: {other}")))),
        };
        Some(Ok(Decay {
            function,
            field: text("field")?.to_owned(),
            origin: value("origin")?,
            scale: value("scale")?,
            offset: value("offset")?,
            decay: ranker.get("decay")?.as_f64()?,
            mode,
            norm_score: ranker.get("norm_score")?.as_bool()?,
        }))
    }

    /// The score of a row, of its scores in legs, NULL where a leg did not find it, and the value
    /// of the column. Nothing is left of the score of a row that has none.
    ///
    /// # Errors
    /// Where the table has no such column, or it is of a type that has no distances.
    pub fn score(
        &self,
        scores: &[String],
        search: &Search<'_>,
        parameters: &mut Parameters,
    ) -> Result<String, Report> {
        let schema = &search.schema.1;
        let merged = match self.mode {
            Mode::Max => format!("GREATEST({})", scores.join(", ")),
            Mode::Sum => sum(scores, schema),
            Mode::Avg => format!(
                "{schema}.as_score({} OPERATOR(pg_catalog./) \
                 pg_catalog.num_nonnulls({})::pg_catalog.float8)",
                sum(scores, schema),
                scores.join(", ")
            ),
        };
        let factor = self.factor(search, parameters)?;
        Ok(format!(
            "COALESCE({schema}.faded({merged}::pg_catalog.float8, \
             {schema}.as_score({factor})::pg_catalog.float8), 0::pg_catalog.float4)"
        ))
    }

    fn factor(&self, search: &Search<'_>, parameters: &mut Parameters) -> Result<String, Report> {
        let column = search.table.column(&self.field)?;
        let [value, distance] = axis(column.of).ok_or_else(|| {
            let message = format!("unsupported field {} for rerank: no number or time", self.field);
            Report::new(ERRCODE_DATATYPE_MISMATCH, message)
                .hint("Scores fade with the value of a column of numbers, dates or timestamps.")
        })?;
        let mut add = |given: &Value, (of, name): (Oid, &str)| -> Result<String, Report> {
            let is_number = of == pg_sys::FLOAT8OID;
            let number = given.as_number().map(ToString::to_string);
            let text = if is_number { number } else { given.as_str().map(str::to_owned) };
            let text = text.ok_or_else(|| {
                let wanted = if is_number { "numbers" } else { "a time and intervals" };
                wrong(format!("decay of {} takes {wanted}", self.field))
            })?;
            Ok(parameters.add(of, format!("pg_catalog.{name}"), text))
        };
        let origin = add(&self.origin, value)?;
        let (scale, offset) = (add(&self.scale, distance)?, add(&self.offset, distance)?);
        let (schema, decay) = (&search.schema.1, number(self.decay, parameters));
        let function = match self.function {
            Function::Gauss => "decay_gauss",
            Function::Exp => "decay_exp",
            Function::Linear => "decay_linear",
        };
        Ok(format!(
            "{schema}.{function}({}, {origin}, {scale}, {offset}, {decay})",
            within_axis(column.of, &column.found_value(FOUND))
        ))
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
            let is = |relation: &str, bound: &str| {
                format!(
                    "pg_catalog.abs({v}) OPERATOR(pg_catalog.{relation}) '{bound}'::pg_catalog.numeric"
                )
            };
            // What is no number is larger than all others.
            format!(
                "CASE WHEN {far} THEN pg_catalog.sign({v})::pg_catalog.float8 \
                 OPERATOR(pg_catalog.*) '1e300'::pg_catalog.float8 \
                 WHEN {near} THEN 0 ELSE {v}::pg_catalog.float8 END",
                far = is(">", "1e300"),
                near = is("<", "1e-300"),
            )
        }
        pg_sys::DATEOID | pg_sys::TIMESTAMPOID => {
            let of = if of == pg_sys::DATEOID { "date" } else { "timestamp" };
            format!(
                "CASE WHEN pg_catalog.isfinite({v}) \
                 THEN LEAST(GREATEST({v}, '4700-01-01 BC'::pg_catalog.{of}), \
                 '290000-01-01'::pg_catalog.{of}) ELSE {v} END::pg_catalog.timestamptz"
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
