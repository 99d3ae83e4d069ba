//! Filters of Milvus's language as conditions.

use filter::Templates;
use pgrx::PgSqlErrorCode::{
    ERRCODE_DATATYPE_MISMATCH, ERRCODE_FEATURE_NOT_SUPPORTED, ERRCODE_INVALID_PARAMETER_VALUE,
    ERRCODE_INVALID_REGULAR_EXPRESSION, ERRCODE_INVALID_TEXT_REPRESENTATION,
    ERRCODE_PROGRAM_LIMIT_EXCEEDED, ERRCODE_SYNTAX_ERROR, ERRCODE_UNDEFINED_COLUMN,
};
use serde_json::Value;

use super::column_type::oid;
use super::parameters::Parameters;
use super::query::ALIAS;
use crate::pg::catalog::type_name;
use crate::pg::error::Report;

/// The condition of a filter on the rows of a scan.
///
/// # Errors
/// Where the filter is not of the language, or does not fit the table.
pub fn condition(
    text: &str,
    table: &filter::Table,
    templates: &Templates,
    parameters: &mut Parameters,
) -> Result<String, Report> {
    let fragment = filter::parse(text)
        .and_then(|filter| filter.bind(table, templates))
        .and_then(|condition| condition.to_sql(ALIAS, parameters.next_number()))
        .map_err(|error| refused(text, error))?;
    for parameter in fragment.parameters {
        let of = oid(parameter.kind);
        let name = parameter.kind.sql_name().map_or_else(|| type_name(of), Ok)?;
        parameters.add(of, name, parameter.text());
    }
    Ok(fragment.text)
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
