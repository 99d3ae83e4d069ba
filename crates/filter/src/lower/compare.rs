//! Comparisons.

use super::operand::Operand;
use super::resolve::{Json, ResolvedField};
use super::{Lowering, constant, is_condition};
use crate::error::Error;
use crate::parameter::{Parameter, ParameterType};
use crate::sql::Sql;
use crate::syntax::{Arithmetic, Comparison, Expr, Node, Span};
use crate::table::Scalar;
use crate::translate::json_path;
use crate::value::Value;

impl Lowering<'_> {
    pub(super) fn comparison(
        &self,
        span: Span,
        operator: Comparison,
        left: &Expr,
        right: &Expr,
    ) -> Result<Sql, Error> {
        use Operand::{Constant, Field, Instant};
        match (self.operand(left)?, self.operand(right)?) {
            (Constant(a), Constant(b)) => {
                if [left, right].iter().any(|side| matches!(side.node, Node::Template(_))) {
                    let message = "placeholder is not supported between two constants";
                    return Err(Error::unsupported(span, message));
                }
                let holds = constant::comparison(operator, &a, &b);
                holds.map(Sql::Constant).ok_or_else(|| self.incompatible(span, None))
            }
            (Field(a), Field(b)) => self.fields(span, operator, &a, &b),
            (Constant(value), operand) => {
                self.with_constant(span, operand, operator.swapped(), &value)
            }
            (operand, Constant(value)) => self.with_constant(span, operand, operator, &value),
            (Instant(time), operand) => {
                self.with_instant(span, &operand, operator.swapped(), &time)
            }
            (operand, Instant(time)) => self.with_instant(span, &operand, operator, &time),
            _ => Err(self.incompatible(span, Some("Compare a field with a constant."))),
        }
    }

    /// `low < field <= high` and the like.
    pub(super) fn range(
        &self,
        span: Span,
        operands: &[Expr; 3],
        first: Comparison,
        second: Comparison,
        negated: bool,
    ) -> Result<Sql, Error> {
        let [low, field, high] = operands;
        if let (Operand::Constant(a), Operand::Constant(b)) =
            (self.operand(low)?, self.operand(high)?)
        {
            let (a_name, b_name) = (a.type_name(), b.type_name());
            if [&a_name, &b_name].contains(&&"Bool") {
                return Err(Error::mismatch(span, "range operations are not supported on bool"));
            }
            let of_texts = matches!(
                self.operand(field)?,
                Operand::Field(field) if field.scalar().is_none_or(|(scalar, _)| scalar.is_text())
            );
            // A range that goes down has its bounds the other way round. The order of strings that
            // stand for values of other types is the host's.
            let ordered = of_texts || !matches!(a, Value::Text(_));
            if ordered && constant::comparison(first.swapped_strictly(), &a, &b) == Some(true) {
                let message = "invalid range: lowerbound is greater than upperbound";
                return Err(Error::mismatch(span, message));
            }
        } else if [low, high].iter().any(|bound| is_condition(bound) || has_field(bound)) {
            let message = format!("bounds of a range must be constants: {}", self.source(span));
            return Err(Error::mismatch(span, message).hint("Join two comparisons by and."));
        }
        let bounds = [
            self.comparison(span, first.negated_if(negated), low, field)?,
            self.comparison(span, second.negated_if(negated), field, high)?,
        ];
        Ok(if negated { Sql::or(bounds) } else { Sql::and(bounds) })
    }

    fn with_constant(
        &self,
        span: Span,
        operand: Operand<'_>,
        operator: Comparison,
        value: &Value,
    ) -> Result<Sql, Error> {
        match operand {
            Operand::Field(ResolvedField::Json(json)) => {
                self.in_document(span, &json, operator, value)
            }
            Operand::Field(ResolvedField::Array(column, element)) => {
                let (Value::List(values), Comparison::Equal | Comparison::NotEqual) =
                    (value, operator)
                else {
                    return Err(self.incompatible(span, None));
                };
                let array = column.sql();
                let values = self.fitted_values(column, element, values, span)?;
                if values.iter().any(|value| !in_range(element, value)) {
                    let differs = operator == Comparison::NotEqual;
                    return Ok(if differs { array.null_test(false) } else { Sql::Constant(false) });
                }
                Ok(array.operator(symbol(operator), Parameter::array(element, values).into()))
            }
            Operand::Field(field) => {
                let Some((scalar, value_of_row)) = field.scalar() else {
                    return Err(self.incompatible(span, None));
                };
                let value = self.fitted(field.column(), scalar, value, span)?;
                Ok(ordered(value_of_row, scalar, operator).operator(symbol(operator), value))
            }
            Operand::Computed { field, steps } => {
                self.computed_comparison(span, &field, &steps, operator, value)
            }
            Operand::Length(field) => self.length_comparison(span, &field, operator, value),
            Operand::Shifted { field, .. } => {
                self.fitted(field.column(), Scalar::Timestamptz, value, span)
            }
            Operand::Constant(_) | Operand::Instant(_) | Operand::Interval(_) => {
                Err(self.incompatible(span, None))
            }
        }
    }

    pub(super) fn in_document(
        &self,
        span: Span,
        json: &Json<'_>,
        operator: Comparison,
        value: &Value,
    ) -> Result<Sql, Error> {
        let condition = json_path::comparison(&json.path, operator, value);
        condition
            .map(|condition| json.matches(condition))
            .ok_or_else(|| self.incompatible(span, None))
    }

    fn length_comparison(
        &self,
        span: Span,
        field: &ResolvedField<'_>,
        operator: Comparison,
        value: &Value,
    ) -> Result<Sql, Error> {
        let Value::Int(length) = value else {
            return Err(self.incompatible(span, Some("The length of an array is an integer.")));
        };
        Ok(match field {
            ResolvedField::Json(json) => {
                json.matches(json_path::length(&json.path, operator, *length))
            }
            field => {
                let array = field.column().sql();
                let length = Parameter::scalar(Scalar::Int8, *length).into();
                Sql::Function("cardinality", vec![array]).operator(symbol(operator), length)
            }
        })
    }

    fn with_instant(
        &self,
        span: Span,
        operand: &Operand<'_>,
        operator: Comparison,
        time: &str,
    ) -> Result<Sql, Error> {
        let (field, shift) = match operand {
            Operand::Field(field) => (field, None),
            Operand::Shifted { field, operator, interval } => (field, Some((*operator, interval))),
            _ => return Err(self.incompatible(span, None)),
        };
        let (scalar, mut value) = match field.scalar() {
            Some((Scalar::Timestamptz, value)) => (Scalar::Timestamptz, value),
            // Of date and timestamp: the host says whether it reads the text.
            Some((scalar @ Scalar::Other(_), value)) => (scalar, value),
            _ => {
                let hint = "ISO is for columns of dates and times.";
                return Err(self.incompatible(span, Some(hint)));
            }
        };
        if let Some((shift, interval)) = shift {
            let sign = if shift == Arithmetic::Add { "+" } else { "-" };
            let kind = ParameterType::Interval;
            let interval = Parameter { kind, value: interval.as_str().into() };
            value = value.operator(sign, interval.into());
        }
        let time = self.fitted(field.column(), scalar, &time.into(), span)?;
        Ok(value.operator(symbol(operator), time))
    }

    /// Two columns of one family.
    fn fields(
        &self,
        span: Span,
        operator: Comparison,
        a: &ResolvedField<'_>,
        b: &ResolvedField<'_>,
    ) -> Result<Sql, Error> {
        if matches!(a, ResolvedField::Json(_)) || matches!(b, ResolvedField::Json(_)) {
            let message = "two column comparison with JSON type is not supported";
            return Err(Error::unsupported(span, message));
        }
        if let (Some(a), Some(b)) = (a.text(), b.text()) {
            // Their collations may differ.
            return Ok(a.bytewise().operator(symbol(operator), b.bytewise()));
        }
        let (Some((a_type, a)), Some((b_type, b))) = (a.scalar(), b.scalar()) else {
            return Err(self.incompatible(span, None));
        };
        if a_type != b_type && !(a_type.is_number() && b_type.is_number()) {
            return Err(self.incompatible(span, None));
        }
        Ok(a.operator(symbol(operator), b))
    }
}

impl Comparison {
    /// Of a range that begins with this operator: how its bounds must not be related.
    fn swapped_strictly(self) -> Self {
        match self {
            Self::Less | Self::LessOrEqual => Self::Greater,
            _ => Self::Less,
        }
    }
}

/// Whether an array of the type can have the value.
pub(super) fn in_range(element: Scalar, value: &Value) -> bool {
    !matches!(value, Value::Int(value) if element.is_integer() && !element.holds(*value))
}

/// The value, made fit for the comparison: texts have the order of their bytes.
fn ordered(value: Sql, scalar: Scalar, operator: Comparison) -> Sql {
    let equality = matches!(operator, Comparison::Equal | Comparison::NotEqual);
    if scalar.is_text() && !equality { value.bytewise() } else { value }
}

fn has_field(expr: &Expr) -> bool {
    matches!(expr.node, Node::Field(_) | Node::Arithmetic(..) | Node::Call(_))
}

/// The operator in SQL.
pub(super) fn symbol(operator: Comparison) -> &'static str {
    match operator {
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
        Comparison::Equal => "=",
        Comparison::NotEqual => "<>",
    }
}
