//! Constants as values of columns.

use super::{Lowering, constant};
use crate::error::{Error, ErrorKind};
use crate::parameter::Parameter;
use crate::sql::Sql;
use crate::syntax::Span;
use crate::table::{Column, Scalar};
use crate::value::Value;

/// Why a constant does not fit a column.
enum Misfit {
    /// A fraction for a column of integers.
    Fraction,
    /// A value of another family.
    Family,
    /// A string that is no value of the type, and why.
    Unreadable(String),
}

impl Lowering<'_> {
    /// The constant to compare values of `column`, of type `scalar`, with.
    pub(super) fn fitted(
        &self,
        column: &Column,
        scalar: Scalar,
        value: &Value,
        span: Span,
    ) -> Result<Sql, Error> {
        match self.fit(column, scalar, value) {
            Ok(value) => Ok(Parameter::scalar(wide(scalar), value).into()),
            Err(misfit) => Err(self.misfit(column, scalar, value, span, misfit)),
        }
    }

    /// The constants to compare values of `column`, of type `scalar`, with, as an array.
    pub(super) fn fitted_list(
        &self,
        column: &Column,
        scalar: Scalar,
        values: &[Value],
        span: Span,
    ) -> Result<Sql, Error> {
        let values = self.fitted_values(column, scalar, values, span)?;
        Ok(Parameter::array(wide(scalar), values).into())
    }

    /// The constants as values of type `scalar`; integers may be beyond its range.
    pub(super) fn fitted_values(
        &self,
        column: &Column,
        scalar: Scalar,
        values: &[Value],
        span: Span,
    ) -> Result<Vec<Value>, Error> {
        let one = |value: &Value| {
            self.fit(column, scalar, value).map_err(|misfit| match misfit {
                Misfit::Unreadable(_) => self.misfit(column, scalar, value, span, misfit),
                Misfit::Fraction | Misfit::Family => {
                    let name = match scalar {
                        Scalar::Other(_) => column.shown_type.as_str(),
                        scalar => scalar.milvus_name(),
                    };
                    let value = value.describe();
                    let message = format!("value '{value}' in list cannot be casted to {name}");
                    Error::mismatch(span, message)
                }
            })
        };
        values.iter().map(one).collect()
    }

    fn misfit(
        &self,
        column: &Column,
        scalar: Scalar,
        value: &Value,
        span: Span,
        misfit: Misfit,
    ) -> Error {
        match misfit {
            Misfit::Fraction => Error::mismatch(
                span,
                format!("cannot cast value to Int64, value: {}", value.describe()),
            )
            .hint("Compare integers with integers."),
            Misfit::Family => self.incompatible(
                span,
                match scalar {
                    Scalar::Timestamptz => {
                        Some("Write a point in time as ISO '2025-01-31T08:00:00Z'.")
                    }
                    Scalar::Other(_) => Some("Write its values in quotes, as in SQL."),
                    _ => None,
                },
            ),
            Misfit::Unreadable(reason) => {
                let value = value.describe();
                let message =
                    format!("value '{value}' does not fit column {}: {reason}", column.name);
                Error::new(ErrorKind::Value, span, message)
            }
        }
    }

    fn fit(&self, column: &Column, scalar: Scalar, value: &Value) -> Result<Value, Misfit> {
        match (scalar, value) {
            (Scalar::Timestamptz | Scalar::Other(_), Value::Text(text)) => {
                self.table.read(scalar, column, text).map_err(Misfit::Unreadable)?;
                Ok(value.clone())
            }
            _ => fit(scalar, value),
        }
    }

    pub(super) fn incompatible(&self, span: Span, hint: Option<&str>) -> Error {
        let source = self.source(span);
        let error = Error::mismatch(
            span,
            format!(
                "comparison operations cannot be applied to two incompatible operands: {source}"
            ),
        );
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

/// The type that constants are compared in: all integers fit into the widest, and the host compares
/// integers of all widths by index. Fractions are rounded to what the column has, as in Milvus.
fn wide(scalar: Scalar) -> Scalar {
    match scalar {
        Scalar::Int2 | Scalar::Int4 => Scalar::Int8,
        Scalar::Varchar | Scalar::Name => Scalar::Text,
        scalar => scalar,
    }
}

fn fit(scalar: Scalar, value: &Value) -> Result<Value, Misfit> {
    match (scalar, value) {
        (Scalar::Bool, Value::Bool(_)) => Ok(value.clone()),
        (scalar, Value::Text(_)) if scalar.is_text() => Ok(value.clone()),
        (Scalar::Int2 | Scalar::Int4 | Scalar::Int8 | Scalar::Numeric, Value::Int(_))
        | (Scalar::Numeric, Value::Float(_) | Value::Decimal(_)) => Ok(value.clone()),
        (Scalar::Int2 | Scalar::Int4 | Scalar::Int8, Value::Float(_) | Value::Decimal(_)) => {
            Err(Misfit::Fraction)
        }
        (Scalar::Float8, value) if value.is_number() => Ok(Value::Float(constant::as_float(value))),
        (Scalar::Float4, value) if value.is_number() => {
            Ok(Value::Float(f64::from(constant::as_float(value) as f32)))
        }
        _ => Err(Misfit::Family),
    }
}
