//! A field and constants, joined by operators.

use super::Lowering;
use super::compare::symbol;
use super::constant::{self, DIVISION_BY_ZERO};
use super::operand::Operand;
use super::resolve::{Json, ResolvedField};
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
        use Operand::{Computed, Constant, Field, Interval};
        match (self.operand(left)?, self.operand(right)?) {
            (Constant(a), Constant(b)) => {
                constant::arithmetic(operator, &a, &b).map(Constant).map_err(|message| {
                    Error::mismatch(span, format!("{message}: {}", self.source(span)))
                })
            }
            (Field(field), Interval(interval)) => self.shifted(span, field, operator, interval),
            (Field(field), Constant(constant)) => {
                self.checked(span, field, vec![], operator, constant)
            }
            (Computed { field, steps }, Constant(constant)) => {
                self.checked(span, field, steps, operator, constant)
            }
            (Constant(constant), Field(field)) if commutes(operator) => {
                self.checked(span, field, vec![], operator, constant)
            }
            (Constant(constant), Computed { field, steps }) if commutes(operator) => {
                self.checked(span, field, steps, operator, constant)
            }
            (Constant(_), Field(_) | Computed { .. }) => {
                let message = "module field is not yet supported";
                Err(Error::unsupported(span, format!("{message}: {}", self.source(span)))
                    .hint("Write the field left of the constant."))
            }
            (Field(_) | Computed { .. }, Field(_) | Computed { .. }) => Err(Error::unsupported(
                span,
                "not supported to do arithmetic operations between multiple fields",
            )),
            _ => {
                Err(Error::unsupported(span, "complicated arithmetic operations are not supported")
                    .hint("Write one field, operators and constants left of the comparison."))
            }
        }
    }

    fn shifted<'a>(
        &self,
        span: Span,
        field: ResolvedField<'a>,
        operator: Arithmetic,
        interval: String,
    ) -> Result<Operand<'a>, Error> {
        let time = matches!(field.scalar(), Some((Scalar::Timestamptz, _)));
        if !time || !matches!(operator, Arithmetic::Add | Arithmetic::Subtract) {
            let message = "an interval can only be added to or taken from a timestamptz field";
            return Err(Error::mismatch(span, message));
        }
        Ok(Operand::Shifted { field, operator, interval })
    }

    /// The operand with one more step, if the field and the constant are of types that the operator
    /// has.
    fn checked<'a>(
        &self,
        span: Span,
        field: ResolvedField<'a>,
        mut steps: Vec<(Arithmetic, Value)>,
        operator: Arithmetic,
        constant: Value,
    ) -> Result<Operand<'a>, Error> {
        use Arithmetic::*;
        let source = || self.source(span);
        let scalar = match &field {
            ResolvedField::Json(_) => None,
            field => match field.scalar() {
                Some((scalar, _)) if scalar.is_number() => Some(scalar),
                _ => {
                    let message = format!(
                        "arithmetic operations can only be applied to numbers, got {}: {}",
                        field.type_name(),
                        source()
                    );
                    return Err(Error::mismatch(span, message));
                }
            },
        };
        if !constant.is_number() {
            let message = format!(
                "cannot perform arithmetic between {} field and {} constant: {}",
                field.type_name(),
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
            _ => {
                steps.push((operator, constant));
                Ok(Operand::Computed { field, steps })
            }
        }
    }

    /// `field op operand … cmp result`
    pub(super) fn computed_comparison(
        &self,
        span: Span,
        field: &ResolvedField<'_>,
        steps: &[(Arithmetic, Value)],
        comparison: Comparison,
        result: &Value,
    ) -> Result<Sql, Error> {
        if let ResolvedField::Json(json) = field {
            return self.computed_in_document(span, json, steps, comparison, result);
        }
        let column = field.column();
        let Some((scalar, field)) = field.scalar() else {
            return Err(self.incompatible(span, None));
        };
        // Refuses results that the field itself could not be compared with.
        self.fitted(column, scalar, result, span)?;
        if let (true, Some(steps), Value::Int(result)) =
            (scalar.is_integer(), integer_steps(steps), result)
        {
            return Ok(integers(field, &steps, comparison, *result));
        }
        let (kind, name) = match scalar {
            Scalar::Numeric => (Scalar::Numeric, "numeric"),
            _ => (Scalar::Float8, "float8"),
        };
        let number = |value: &Value| match kind {
            Scalar::Numeric => Parameter::scalar(kind, value.clone()).into(),
            _ => Parameter::scalar(kind, constant::as_float(value)).into(),
        };
        let left = steps.iter().fold(field.cast(name), |left, (operator, operand)| {
            left.operator(arithmetic_symbol(*operator), number(operand))
        });
        Ok(left.operator(symbol(comparison), number(result)))
    }

    fn computed_in_document(
        &self,
        span: Span,
        json: &Json<'_>,
        steps: &[(Arithmetic, Value)],
        comparison: Comparison,
        result: &Value,
    ) -> Result<Sql, Error> {
        if !result.is_number() {
            return Err(self.incompatible(span, None));
        }
        if let Some(condition) = json_path::arithmetic(&json.path, steps, comparison, result) {
            return Ok(json.matches(condition));
        }
        if steps.len() > 1 {
            let message = "complicated arithmetic operations are not supported";
            return Err(Error::unsupported(span, message)
                .hint("Of several operators on a value of a document, use +, -, * and % only."));
        }
        // SQL's path language has no operators on bits.
        let (Some(steps), Value::Int(result)) = (integer_steps(steps), result) else {
            return Err(self.incompatible(span, None));
        };
        let guard = json.matches(json_path::is_integer(&json.path));
        let value = json.text().cast("numeric");
        let condition = integers(value, &steps, comparison, *result);
        Ok(Sql::Guarded(guard.into(), condition.into()))
    }
}

/// Whether a constant may stand left of the operator.
fn commutes(operator: Arithmetic) -> bool {
    use Arithmetic::*;
    matches!(operator, Add | Multiply | BitAnd | BitOr | BitXor)
}

fn integer_steps(steps: &[(Arithmetic, Value)]) -> Option<Vec<(Arithmetic, i64)>> {
    let integer = |(operator, value): &(Arithmetic, Value)| match value {
        Value::Int(value) => Some((*operator, *value)),
        _ => None,
    };
    steps.iter().map(integer).collect()
}

/// `value op operand … cmp result` of integers, without overflow.
fn integers(value: Sql, steps: &[(Arithmetic, i64)], comparison: Comparison, result: i64) -> Sql {
    // Sums go to the other side: the field alone can be looked up in an index.
    let summand = |(operator, operand): &(Arithmetic, i64)| match operator {
        Arithmetic::Add => Some(-i128::from(*operand)),
        Arithmetic::Subtract => Some(i128::from(*operand)),
        _ => None,
    };
    let moved: Vec<i128> = steps.iter().rev().map_while(summand).collect();
    let result = i128::from(result) + moved.iter().sum::<i128>();
    let result = match i64::try_from(result) {
        Ok(result) => Parameter::scalar(Scalar::Int8, result),
        Err(_) => Parameter::scalar(Scalar::Numeric, result.to_string()),
    };
    let mut chain = Chain { value, wide: false, guards: Vec::new() };
    for (operator, operand) in steps.iter().take(steps.len() - moved.len()) {
        chain.step(*operator, *operand);
    }
    let condition = chain.value.operator(symbol(comparison), result.into());
    match chain.guards.is_empty() {
        true => condition,
        false => Sql::Guarded(Sql::and(chain.guards).into(), condition.into()),
    }
}

/// Operators that are applied to integers, one after the other.
struct Chain {
    value: Sql,
    /// Whether the value is of type `numeric`, and perhaps no integer of 64 bits.
    wide: bool,
    /// What must hold for the value to be computed.
    guards: Vec<Sql>,
}

impl Chain {
    fn step(&mut self, operator: Arithmetic, operand: i64) {
        let numeric = |value: i64| Parameter::scalar(Scalar::Numeric, value).into();
        let value = std::mem::replace(&mut self.value, Sql::Constant(true));
        self.value = match operator {
            Arithmetic::Divide => {
                self.wide = true;
                Sql::Function("div", vec![value.cast("numeric"), numeric(operand)])
            }
            Arithmetic::Add | Arithmetic::Subtract | Arithmetic::Multiply => {
                self.wide = true;
                value.cast("numeric").operator(arithmetic_symbol(operator), numeric(operand))
            }
            _ => {
                if self.wide {
                    self.guards.push(value.clone().operator(">=", numeric(i64::MIN)));
                    self.guards.push(value.clone().operator("<=", numeric(i64::MAX)));
                }
                self.wide = false;
                let operand = Parameter::scalar(Scalar::Int8, operand).into();
                value.cast("int8").operator(arithmetic_symbol(operator), operand)
            }
        };
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
