//! A field and a constant, joined by an operator.

use super::Lowering;
use super::compare::symbol;
use super::constant::{self, DIVISION_BY_ZERO};
use super::operand::Operand;
use super::place::{Json, Place};
use crate::error::Error;
use crate::parameter::Parameter;
use crate::sql::Sql;
use crate::syntax::{Arithmetic, Comparison, Expr, Span};
use crate::table::Scalar;
use crate::translate::json_path;
use crate::value::Value;

impl Lowering<'_> {
    /// `left op right`, which has at most one field in it, as Milvus has it.
    pub(super) fn computed(
        &self,
        span: Span,
        operator: Arithmetic,
        left: &Expr,
        right: &Expr,
    ) -> Result<Operand<'_>, Error> {
        use Operand::{Constant, Field, Interval};
        match (self.operand(left)?, self.operand(right)?) {
            (Constant(a), Constant(b)) => {
                constant::arithmetic(operator, &a, &b).map(Constant).map_err(|message| {
                    Error::mismatch(span, format!("{message}: {}", self.source(span)))
                })
            }
            (Field(place), Interval(interval)) => self.shifted(span, place, operator, interval),
            (Field(place), Constant(constant)) => self.checked(span, place, operator, constant),
            (Constant(constant), Field(place)) => match operator {
                Arithmetic::Add
                | Arithmetic::Multiply
                | Arithmetic::BitAnd
                | Arithmetic::BitOr
                | Arithmetic::BitXor => self.checked(span, place, operator, constant),
                _ => {
                    let message = "module field is not yet supported";
                    Err(Error::unsupported(span, format!("{message}: {}", self.source(span)))
                        .hint("Write the field left of the constant."))
                }
            },
            (Field(_), Field(_)) => Err(Error::unsupported(
                span,
                "not supported to do arithmetic operations between multiple fields",
            )),
            _ => {
                Err(Error::unsupported(span, "complicated arithmetic operations are not supported")
                    .hint("Write one field, one operator and one constant left of the comparison."))
            }
        }
    }

    fn shifted<'a>(
        &self,
        span: Span,
        place: Place<'a>,
        operator: Arithmetic,
        interval: String,
    ) -> Result<Operand<'a>, Error> {
        let time = matches!(place.scalar(), Some((Scalar::Timestamptz, _)));
        if !time || !matches!(operator, Arithmetic::Add | Arithmetic::Subtract) {
            let message = "an interval can only be added to or taken from a timestamptz field";
            return Err(Error::mismatch(span, message));
        }
        Ok(Operand::Shifted { place, operator, interval })
    }

    /// The operand, if the field and the constant are of types that the operator has.
    fn checked<'a>(
        &self,
        span: Span,
        place: Place<'a>,
        operator: Arithmetic,
        constant: Value,
    ) -> Result<Operand<'a>, Error> {
        use Arithmetic::*;
        let source = || self.source(span);
        let scalar = match &place {
            Place::Json(_) => None,
            place => match place.scalar() {
                Some((scalar, _)) if scalar.is_number() => Some(scalar),
                _ => {
                    let message = format!(
                        "arithmetic operations can only be applied to numbers, got {}: {}",
                        place.type_name(),
                        source()
                    );
                    return Err(Error::mismatch(span, message));
                }
            },
        };
        if !matches!(constant, Value::Int(_) | Value::Float(_)) {
            let message = format!(
                "cannot perform arithmetic between {} field and {} constant: {}",
                place.type_name(),
                constant.type_name(),
                source()
            );
            return Err(Error::mismatch(span, message));
        }
        let integers = scalar.is_none_or(Scalar::is_integer) && matches!(constant, Value::Int(_));
        match operator {
            Power => {
                let message = format!("power can only apply on constants: {}", source());
                Err(Error::unsupported(span, message))
            }
            ShiftLeft | ShiftRight => {
                Err(Error::unsupported(span, format!("shift is not supported: {}", source())))
            }
            Modulo if !integers => {
                Err(Error::mismatch(span, "modulo can only apply on integer types"))
            }
            BitAnd | BitOr | BitXor if !integers => {
                Err(Error::mismatch(span, "bitwise operations can only apply on integer types"))
            }
            Divide | Modulo if constant::as_float(&constant) == 0.0 => {
                Err(Error::mismatch(span, DIVISION_BY_ZERO))
            }
            _ if !integers && scalar.is_some_and(Scalar::is_integer) => Err(Error::mismatch(
                span,
                format!(
                    "cannot perform arithmetic between integer field and float constant: {}",
                    source()
                ),
            )
            .hint("Calculate with integers on columns of integers.")),
            _ => Ok(Operand::Computed { place, operator, constant }),
        }
    }

    /// `field op operand cmp result`
    pub(super) fn computed_comparison(
        &self,
        span: Span,
        place: &Place<'_>,
        operator: Arithmetic,
        operand: &Value,
        comparison: Comparison,
        result: &Value,
    ) -> Result<Sql, Error> {
        if let Place::Json(json) = place {
            return self.computed_in_document(span, json, operator, operand, comparison, result);
        }
        let Some((scalar, place)) = place.scalar() else {
            return Err(self.incompatible(span, None));
        };
        // Refuses results that the field itself could not be compared with.
        self.fitted(scalar, result, span)?;
        if let (true, Value::Int(operand), Value::Int(result)) =
            (scalar.is_integer(), operand, result)
        {
            return Ok(integers(place, operator, *operand, comparison, *result));
        }
        let (kind, name) = match scalar {
            Scalar::Numeric => (Scalar::Numeric, "numeric"),
            _ => (Scalar::Float8, "float8"),
        };
        let number = |value: &Value| match kind {
            Scalar::Numeric => Parameter::scalar(kind, value.clone()).into(),
            _ => Parameter::scalar(kind, constant::as_float(value)).into(),
        };
        let left = place.cast(name).operator(arithmetic_symbol(operator), number(operand));
        Ok(left.operator(symbol(comparison), number(result)))
    }

    fn computed_in_document(
        &self,
        span: Span,
        json: &Json<'_>,
        operator: Arithmetic,
        operand: &Value,
        comparison: Comparison,
        result: &Value,
    ) -> Result<Sql, Error> {
        if !matches!(result, Value::Int(_) | Value::Float(_)) {
            return Err(self.incompatible(span, None));
        }
        let condition = json_path::arithmetic(&json.path, operator, operand, comparison, result);
        if let Some(condition) = condition {
            return Ok(json.matches(condition));
        }
        // SQL's path language has no operators on bits.
        let (Value::Int(operand), Value::Int(result)) = (operand, result) else {
            return Err(self.incompatible(span, None));
        };
        let guard = json.matches(json_path::is_integer(&json.path));
        let value = json.text().cast("numeric");
        let condition = integers(value, operator, *operand, comparison, *result);
        Ok(Sql::Guarded(guard.into(), condition.into()))
    }
}

/// `value op operand cmp result` of integers, without overflow.
fn integers(
    value: Sql,
    operator: Arithmetic,
    operand: i64,
    comparison: Comparison,
    result: i64,
) -> Sql {
    let compared = |left: Sql, kind, result: i64| {
        left.operator(symbol(comparison), Parameter::scalar(kind, result).into())
    };
    let numeric = |value: i64| Parameter::scalar(Scalar::Numeric, value).into();
    match operator {
        // The field alone on one side can be looked up in an index.
        Arithmetic::Add | Arithmetic::Subtract => {
            let (result, operand) = (i128::from(result), i128::from(operand));
            let moved = match operator {
                Arithmetic::Add => result - operand,
                _ => result + operand,
            };
            let moved = match i64::try_from(moved) {
                Ok(moved) => Parameter::scalar(Scalar::Int8, moved),
                Err(_) => Parameter::scalar(Scalar::Numeric, moved.to_string()),
            };
            value.operator(symbol(comparison), moved.into())
        }
        Arithmetic::Multiply => {
            let product = value.cast("numeric").operator("*", numeric(operand));
            compared(product, Scalar::Numeric, result)
        }
        Arithmetic::Divide => {
            let quotient = Sql::Function("div", vec![value.cast("numeric"), numeric(operand)]);
            compared(quotient, Scalar::Numeric, result)
        }
        _ => {
            let operand = Parameter::scalar(Scalar::Int8, operand).into();
            let left = value.cast("int8").operator(arithmetic_symbol(operator), operand);
            compared(left, Scalar::Int8, result)
        }
    }
}

fn arithmetic_symbol(operator: Arithmetic) -> &'static str {
    match operator {
        Arithmetic::Add => "+",
        Arithmetic::Subtract => "-",
        Arithmetic::Multiply => "*",
        Arithmetic::Divide => "/",
        Arithmetic::Modulo => "%",
        Arithmetic::Power => "^",
        Arithmetic::BitAnd => "&",
        Arithmetic::BitOr => "|",
        Arithmetic::BitXor => "#",
        Arithmetic::ShiftLeft => "<<",
        Arithmetic::ShiftRight => ">>",
    }
}
