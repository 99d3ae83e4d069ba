//! Operators between two constants.

use std::cmp::Ordering;

use crate::syntax::{Arithmetic, Comparison};
use crate::value::Value;

/// The result, or what is wrong.
pub(super) fn arithmetic(operator: Arithmetic, a: &Value, b: &Value) -> Result<Value, String> {
    use Arithmetic::*;
    if matches!(operator, ShiftLeft | ShiftRight) {
        return Err("shift is not supported".into());
    }
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => integers(operator, *a, *b),
        (a, b) if a.is_number() && b.is_number() => floats(operator, as_float(a), as_float(b)),
        _ => Err(format!(
            "arithmetic operations can only be used between numbers, got: {} and {}",
            a.type_name(),
            b.type_name()
        )),
    }
}

fn integers(operator: Arithmetic, a: i64, b: i64) -> Result<Value, String> {
    use Arithmetic::*;
    if b == 0 && matches!(operator, Divide | Modulo) {
        return Err(DIVISION_BY_ZERO.into());
    }
    let result = match operator {
        Add => a.checked_add(b),
        Subtract => a.checked_sub(b),
        Multiply => a.checked_mul(b),
        Divide => a.checked_div(b),
        Modulo => Some(a.checked_rem(b).unwrap_or(0)),
        Power => match u32::try_from(b).ok().and_then(|b| a.checked_pow(b)) {
            Some(power) => Some(power),
            None => return floats(operator, a as f64, b as f64),
        },
        BitAnd => Some(a & b),
        BitOr => Some(a | b),
        BitXor => Some(a ^ b),
        ShiftLeft | ShiftRight => None,
    };
    result.map(Value::Int).ok_or_else(|| "the result of constants is out of range".into())
}

fn floats(operator: Arithmetic, a: f64, b: f64) -> Result<Value, String> {
    use Arithmetic::*;
    let result = match operator {
        Divide | Modulo if b == 0.0 => return Err(DIVISION_BY_ZERO.into()),
        Add => a + b,
        Subtract => a - b,
        Multiply => a * b,
        Divide => a / b,
        Power => a.powf(b),
        Modulo => return Err("modulo can only apply on integer types".into()),
        BitAnd | BitOr | BitXor | ShiftLeft | ShiftRight => {
            return Err("bitwise operations can only apply on integer types".into());
        }
    };
    if !result.is_finite() {
        return Err("the result of constants is out of range".into());
    }
    Ok(Value::Float(result))
}

pub(super) const DIVISION_BY_ZERO: &str = "division or modulus by zero";

/// Whether the comparison holds, or `None` when the two have no order.
pub(super) fn comparison(operator: Comparison, a: &Value, b: &Value) -> Option<bool> {
    let order = order(a, b)?;
    Some(match operator {
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterOrEqual => order.is_ge(),
        Comparison::Equal => order.is_eq(),
        Comparison::NotEqual => order.is_ne(),
    })
}

fn order(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (a, b) if a.is_number() && b.is_number() => as_float(a).partial_cmp(&as_float(b)),
        _ => None,
    }
}

/// The number as a float; of what is no number, not a number.
pub(super) fn as_float(value: &Value) -> f64 {
    match value {
        Value::Int(value) => *value as f64,
        Value::Float(value) => *value,
        Value::Decimal(text) => text.parse().unwrap_or(f64::NAN),
        Value::Bool(_) | Value::Text(_) | Value::List(_) => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_stay_integers() {
        let of = |operator, a: i64, b: i64| arithmetic(operator, &a.into(), &b.into());
        assert_eq!(of(Arithmetic::Divide, -7, 2), Ok(Value::Int(-3)));
        assert_eq!(of(Arithmetic::Modulo, -7, 2), Ok(Value::Int(-1)));
        assert_eq!(of(Arithmetic::Modulo, i64::MIN, -1), Ok(Value::Int(0)));
        assert_eq!(of(Arithmetic::Power, 2, 10), Ok(Value::Int(1024)));
        assert_eq!(of(Arithmetic::Power, 2, -1), Ok(Value::Float(0.5)));
        assert_eq!(of(Arithmetic::BitXor, 6, 3), Ok(Value::Int(5)));
        for (operator, a, b) in [
            (Arithmetic::Add, i64::MAX, 1),
            (Arithmetic::Divide, i64::MIN, -1),
            (Arithmetic::Divide, 1, 0),
            (Arithmetic::Modulo, 1, 0),
            (Arithmetic::ShiftLeft, 1, 1),
            (Arithmetic::Power, 10, 400),
        ] {
            of(operator, a, b).expect_err("out of range");
        }
        assert_eq!(arithmetic(Arithmetic::Divide, &7.into(), &2.0.into()), Ok(Value::Float(3.5)));
    }
}
