//! Elements of arrays.

use super::Lowering;
use super::compare::in_range;
use super::resolve::ResolvedField;
use crate::error::Error;
use crate::parameter::Parameter;
use crate::sql::Sql;
use crate::syntax::{Call, Node, Span};
use crate::table::{Column, Scalar};
use crate::translate::json_path;
use crate::value::Value;

/// How many of the values must be among the elements.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantity {
    /// There is one value, which may be a list.
    One,
    Any,
    All,
}

impl Lowering<'_> {
    pub(super) fn contains(
        &self,
        span: Span,
        call: &Call,
        quantity: Quantity,
        negated: bool,
    ) -> Result<Sql, Error> {
        let ([array, value], None) = (call.arguments.as_slice(), &call.option) else {
            let message = format!("{} takes a field and a value", call.name);
            return Err(Error::syntax(span, message));
        };
        let field = match &array.node {
            Node::Field(field) => Some(self.resolve(field, array.span)?),
            _ => None,
        };
        let values = match (quantity, self.constant(value)?) {
            (Quantity::One, value) => vec![value],
            (_, Value::List(values)) => values,
            _ => {
                let name = if quantity == Quantity::All { "ContainsAll" } else { "ContainsAny" };
                let message = format!("{name} operation element must be an array");
                return Err(Error::mismatch(value.span, message));
            }
        };
        match field {
            Some(ResolvedField::Json(json)) => {
                let condition = match quantity {
                    Quantity::All => json_path::contains_all(&json.path, &values, negated),
                    _ => json_path::contains_any(&json.path, &values, negated),
                };
                Ok(condition.map_or(Sql::Constant(false), |condition| json.matches(condition)))
            }
            Some(ResolvedField::Array(column, element)) => {
                let values = self.fitted_values(column, element, &values, value.span)?;
                Ok(in_array(column, element, values, quantity, negated))
            }
            _ => Err(Error::mismatch(
                array.span,
                format!(
                    "contains operations are only supported on json or array fields now, got: {}",
                    self.source(array.span)
                ),
            )),
        }
    }
}

fn in_array(
    column: &Column,
    element: Scalar,
    mut values: Vec<Value>,
    quantity: Quantity,
    negated: bool,
) -> Sql {
    let array = column.sql();
    let all = values.len();
    // No element has a value that the type has not.
    values.retain(|value| in_range(element, value));
    let never = values.len() < all && (quantity != Quantity::Any || values.is_empty());
    match (never, negated) {
        (true, false) => Sql::Constant(false),
        (true, true) => array.null_test(false),
        (false, _) => {
            let operator = if quantity == Quantity::Any { "&&" } else { "@>" };
            let values = Parameter::array(element, values);
            array.operator(operator, values.into()).not_if(negated)
        }
    }
}
