//! Values that travel beside the SQL text.

use crate::table::Scalar;
use crate::value::Value;

/// A value for one `$n` of the SQL text.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// The type that the text casts the parameter to, if it has a name.
    pub kind: ParameterType,
    /// The value: a [`Value::List`] for arrays, a [`Value::Text`] for all types that have no value of
    /// their own.
    pub value: Value,
}

/// The type of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterType {
    /// A simple value.
    Scalar(Scalar),
    /// An array of simple values.
    Array(Scalar),
    /// `interval`
    Interval,
    /// `jsonpath`
    JsonPath,
    /// `tsquery`
    TsQuery,
}

impl ParameterType {
    /// The type's name in SQL, with its schema. None for types that the host has by a number only: it
    /// declares the parameter's type.
    pub fn sql_name(self) -> Option<String> {
        Some(match self {
            Self::Scalar(Scalar::Other(_)) | Self::Array(Scalar::Other(_)) => return None,
            Self::Scalar(scalar) => format!("pg_catalog.{}", scalar.sql_name()),
            Self::Array(scalar) => format!("pg_catalog.{}[]", scalar.sql_name()),
            Self::Interval => "pg_catalog.interval".into(),
            Self::JsonPath => "pg_catalog.jsonpath".into(),
            Self::TsQuery => "pg_catalog.tsquery".into(),
        })
    }
}

impl Parameter {
    pub(crate) fn scalar(scalar: Scalar, value: impl Into<Value>) -> Self {
        Self { kind: ParameterType::Scalar(scalar), value: value.into() }
    }

    pub(crate) fn array(element: Scalar, values: Vec<Value>) -> Self {
        Self { kind: ParameterType::Array(element), value: Value::List(values) }
    }

    /// The value as the type's input function reads it.
    pub fn text(&self) -> String {
        match (&self.value, self.kind) {
            (Value::List(values), kind) => {
                let values: Vec<_> = values.iter().map(|value| element_text(value, kind)).collect();
                format!("{{{}}}", values.join(","))
            }
            (value, kind) => scalar_text(value, kind),
        }
    }
}

fn element_text(value: &Value, kind: ParameterType) -> String {
    let text = scalar_text(value, kind);
    match value {
        Value::Text(_) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
        _ => text,
    }
}

fn scalar_text(value: &Value, kind: ParameterType) -> String {
    let float4 = [ParameterType::Scalar(Scalar::Float4), ParameterType::Array(Scalar::Float4)];
    match value {
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        // The narrow type has its own shortest notation.
        Value::Float(value) if float4.contains(&kind) => {
            number(f64::from(*value as f32), |_| format!("{:e}", *value as f32))
        }
        Value::Float(value) => number(*value, |value| format!("{value:e}")),
        Value::Text(text) | Value::Decimal(text) => text.clone(),
        Value::List(_) => String::new(), // Arrays of the host's types hold no lists.
    }
}

fn number(value: f64, finite: impl Fn(f64) -> String) -> String {
    if value.is_finite() {
        finite(value)
    } else if value > 0.0 {
        "Infinity".into()
    } else {
        "-Infinity".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_what_the_host_reads() {
        let array = |element, values| Parameter::array(element, values).text();
        assert_eq!(array(Scalar::Int4, vec![1.into(), Value::Int(-2)]), "{1,-2}");
        assert_eq!(
            array(Scalar::Text, vec![r#"a"b\,{}"#.into(), "".into()]),
            r#"{"a\"b\\,{}",""}"#
        );
        assert_eq!(array(Scalar::Bool, vec![]), "{}");
        let scalar = |scalar, value: f64| Parameter::scalar(scalar, value).text();
        assert_eq!(scalar(Scalar::Float8, 0.1), "1e-1");
        assert_eq!(scalar(Scalar::Float4, 0.1), "1e-1");
        assert_eq!(scalar(Scalar::Float4, 1e300), "Infinity");
        assert_eq!(scalar(Scalar::Float4, -1e300), "-Infinity");
        assert_eq!(scalar(Scalar::Numeric, 1.5e20), "1.5e20");
    }
}
