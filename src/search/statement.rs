//! A statement and the values of its parameters.

#![allow(unsafe_code)] // values as they are in memory

use filter::Templates;
use pgrx::PgSqlErrorCode::{
    ERRCODE_DATATYPE_MISMATCH, ERRCODE_FEATURE_NOT_SUPPORTED, ERRCODE_INVALID_PARAMETER_VALUE,
    ERRCODE_INVALID_REGULAR_EXPRESSION, ERRCODE_INVALID_TEXT_REPRESENTATION,
    ERRCODE_PROGRAM_LIMIT_EXCEEDED, ERRCODE_SYNTAX_ERROR, ERRCODE_UNDEFINED_COLUMN,
};
use pgrx::pg_sys::{self, Datum, Oid};
use serde_json::Value;

use super::column_type::oid;
use super::reader::Row;
use super::table::Table;
use crate::pg::array::array;
use crate::pg::catalog::{apply, type_name};
use crate::pg::error::Report;
use crate::pg::parameter::Parameter;

/// What a scan knows the rows of the table as.
pub const ALIAS: &str = "t";
/// What a statement knows rows as that a scan has found.
pub const FOUND: &str = "f";

/// The parameters of a statement that is being written.
#[derive(Clone, Default)]
pub struct Parameters {
    /// Values, in the order of their numbers.
    pub values: Vec<Parameter>,
    /// The names of their types, with schema.
    types: Vec<String>,
}

impl Parameters {
    /// Adds a parameter of the type called `name`, and returns how the statement writes it.
    pub fn add(&mut self, of: Oid, name: String, text: String) -> String {
        self.push(Parameter::of_text(of, text), name)
    }

    /// Adds a query for values of the type called `name`: as it is where it is of this type.
    ///
    /// # Errors
    /// Where the query cannot be read.
    pub fn query(&mut self, of: Oid, name: String, query: &Parameter) -> Result<String, Report> {
        if query.of() == of {
            return Ok(self.push(query.clone(), name));
        }
        Ok(self.add(of, name, query.text()?))
    }

    fn push(&mut self, parameter: Parameter, name: String) -> String {
        self.values.push(parameter);
        self.types.push(name);
        format!("${}", self.values.len())
    }

    /// Adds a number of rows.
    pub fn count(&mut self, rows: i64) -> String {
        let parameter = self.add(pg_sys::INT8OID, "pg_catalog.int8".into(), rows.to_string());
        format!("({parameter})")
    }

    /// Whether the vector that was added last has no direction: by the operator of the cosine distance
    /// it is no number away from itself.
    ///
    /// # Errors
    /// Where it is no vector.
    pub fn last_is_zero(&mut self, operator: Oid) -> Result<bool, Report> {
        let Some(last) = self.values.last_mut() else { return Ok(false) };
        let vector = last.datum()?;
        // SAFETY: a vector of the type that the operator takes, in the memory of the call. It is kept,
        // so that its text is read once.
        let distance = unsafe {
            *last = Parameter::of_datum(last.of(), vector);
            apply(operator, vector, vector)
        };
        Ok(f64::from_bits(distance.value() as u64).is_nan())
    }

    /// Adds a value of type `of`.
    ///
    /// # Safety
    /// `value` is of this type, and lives as long as the parameters.
    ///
    /// # Errors
    /// Where the type's name is no text.
    pub unsafe fn value(&mut self, of: Oid, value: Datum) -> Result<String, Report> {
        // SAFETY: the caller's promise.
        let parameter = unsafe { Parameter::of_datum(of, value) };
        Ok(self.push(parameter, type_name(of)?))
    }

    /// Adds the rows of groups, and returns them as a source of rows [`FOUND`], which have two more
    /// columns: `g`, the number of the group, and `n`, the row's number in it, both from 1.
    ///
    /// # Errors
    /// Where there are too many.
    pub fn groups(&mut self, groups: &[Vec<Row>], table: &Table) -> Result<String, Report> {
        let rows = || groups.iter().flatten();
        let place = |column: usize| rows().filter_map(|row| row.place()[column]).collect();
        let (mut of_groups, mut of_rows) = (Vec::new(), Vec::new());
        for (group, rows) in (1_i32..).zip(groups) {
            of_groups.extend(rows.iter().map(|_| Datum::from(group)));
            of_rows.extend((1_i32..).zip(rows).map(|(n, _)| Datum::from(n)));
        }
        let hits = self.array(table.row_type.0, rows().filter_map(Row::hit).collect())?;
        let tables = self.array(pg_sys::OIDOID, place(0))?;
        let tids = self.array(pg_sys::TIDOID, place(1))?;
        let numbers = self.array(pg_sys::INT4OID, of_groups)?;
        let ranks = self.array(pg_sys::INT4OID, of_rows)?;
        Ok(format!(
            "ROWS FROM ({hits}, {tables}, {tids}, {numbers}, {ranks}) AS {FOUND}({}, o, p, g, n)",
            table.found_columns()
        ))
    }

    fn array(&mut self, of: Oid, mut items: Vec<Datum>) -> Result<String, Report> {
        // SAFETY: the items are of the type, and live as long as the rows; the array, a copy of them,
        // lives as long as the call.
        unsafe {
            let array = array(&mut items, of)?;
            Ok(format!("pg_catalog.unnest({})", self.value(pg_sys::get_array_type(of), array)?))
        }
    }

    /// Adds what a filter of Milvus's language needs, and returns it as a condition.
    ///
    /// # Errors
    /// Where the filter is not of the language, or does not fit the table.
    pub fn filter(
        &mut self,
        text: &str,
        table: &filter::Table,
        templates: &Templates,
    ) -> Result<String, Report> {
        let fragment = filter::parse(text)
            .and_then(|filter| filter.bind(table, templates))
            .and_then(|condition| condition.to_sql(ALIAS, self.values.len() + 1))
            .map_err(|error| refused(text, error))?;
        for parameter in fragment.parameters {
            let of = oid(parameter.kind);
            let name = parameter.kind.sql_name().map_or_else(|| type_name(of), Ok)?;
            self.add(of, name, parameter.text());
        }
        Ok(fragment.text)
    }

    /// The statement with the values in the places of parameters, for people to read and explain.
    ///
    /// # Errors
    /// Where a value cannot be read.
    pub fn inline(&self, statement: &str) -> Result<String, Report> {
        let mut text = String::with_capacity(2 * statement.len());
        let mut rest = statement;
        while let Some(at) = rest.find(['"', '\'', '$']) {
            let (before, from) = rest.split_at(at);
            text.push_str(before);
            let quote = &from[..1];
            let digits = from[1..].bytes().take_while(u8::is_ascii_digit).count();
            let end = match from[1..].find(quote) {
                _ if quote == "$" => 1 + digits,
                Some(end) => end + 2,
                None => from.len(),
            };
            let number = from[1..end].parse::<usize>().ok().filter(|_| quote == "$");
            let parameter = number.and_then(|number| {
                self.values.get(number.checked_sub(1)?).zip(self.types.get(number - 1))
            });
            match parameter {
                Some((value, name)) => {
                    text.push_str(&format!("{}::{name}", literal(&value.text()?)));
                }
                None => text.push_str(&from[..end]),
            }
            rest = &from[end..];
        }
        Ok(text + rest)
    }
}

/// A text as a constant of SQL, however backslashes are read.
fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if quoted.contains('\\') {
        format!("E'{}'", quoted.replace('\\', "\\\\"))
    } else {
        format!("'{quoted}'")
    }
}

/// Values of the templates of filters.
///
/// # Errors
/// Where it is no object of values that filters know.
pub fn templates(params: &Value) -> Result<Templates, Report> {
    let wrong = |message| {
        Report::new(ERRCODE_INVALID_PARAMETER_VALUE, message)
            .hint("filter_params has the values of {name} in a filter: '{\"name\": [1, 2]}'.")
    };
    match params {
        Value::Null => Ok(Templates::new()),
        Value::Object(params) => params
            .iter()
            .map(|(name, value)| {
                let value = template(value).ok_or_else(|| {
                    wrong(format!("value of variable {name} is not supported: {value}"))
                })?;
                Ok((name.clone(), value))
            })
            .collect(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(wrong("filter_params must be an object".into()))
        }
    }
}

fn template(value: &Value) -> Option<filter::Value> {
    Some(match value {
        Value::Bool(value) => filter::Value::Bool(*value),
        Value::Number(number) => match number.as_i64() {
            Some(number) => filter::Value::Int(number),
            None => filter::Value::Float(number.as_f64()?),
        },
        Value::String(text) => filter::Value::Text(text.clone()),
        Value::Array(values) => {
            filter::Value::List(values.iter().map(template).collect::<Option<_>>()?)
        }
        Value::Null | Value::Object(_) => return None,
    })
}

fn refused(text: &str, error: filter::Error) -> Report {
    use filter::ErrorKind;
    let code = match error.kind {
        ErrorKind::Syntax => ERRCODE_SYNTAX_ERROR,
        ErrorKind::Value => ERRCODE_INVALID_TEXT_REPRESENTATION,
        ErrorKind::Pattern => ERRCODE_INVALID_REGULAR_EXPRESSION,
        ErrorKind::Unknown => ERRCODE_UNDEFINED_COLUMN,
        ErrorKind::Type => ERRCODE_DATATYPE_MISMATCH,
        ErrorKind::Unsupported => ERRCODE_FEATURE_NOT_SUPPORTED,
        ErrorKind::Limit => ERRCODE_PROGRAM_LIMIT_EXCEEDED,
    };
    let before = text.get(..error.position).unwrap_or(text);
    let message = format!("cannot parse expression: {}", error.message);
    let report = Report::new(code, message)
        .detail(format!("At character {} of the filter.", before.chars().count() + 1));
    match error.hint {
        Some(hint) => report.hint(hint),
        None => report,
    }
}
