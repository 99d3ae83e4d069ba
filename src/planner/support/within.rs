//! `within`: an index on the column finds the rows inside of a sphere, and how many these are.

use pgrx::pg_sys::Oid;

use crate::pg::catalog;
use crate::pg::node::{Node, call};
use crate::pg::support::{Answer, Call, IndexConditionRequest, SelectivityRequest};
use crate::ranking::within::operator;

/// A condition that an index can serve, if one of the vectors is its column.
pub fn index_condition(request: IndexConditionRequest) -> Answer {
    let inside = || {
        let (call, column) = (request.call()?, request.indexed()?);
        let mut others = (0..call.arguments.len()).filter(|&number| number != column);
        let is_constant = |number: usize| request.is_constant(call.arguments[number]);
        if others.all(is_constant) { Inside::of(&call, column) } else { None }
    };
    match inside() {
        Some(Inside { operator, operands }) => request.answer(operator, operands),
        None => Answer::NONE,
    }
}

/// As selective as the operator is.
pub fn selectivity(request: SelectivityRequest) -> Answer {
    let call = request.call();
    let column = call.arguments.iter().position(|argument| argument.is_column());
    match column.and_then(|column| Inside::of(&call, column)) {
        Some(Inside { operator, operands }) => request.answer(operator, operands),
        None => Answer::NONE,
    }
}

/// A call of `within` as an operator on a column and a sphere.
struct Inside<'p> {
    operator: Oid,
    operands: [Node<'p>; 2],
}

impl<'p> Inside<'p> {
    /// None if the metric is not known yet, or `column` is not one of the two vectors.
    fn of(within: &Call<'p>, column: usize) -> Option<Self> {
        let &[vector, query, radius, range_filter, metric] = &within.arguments[..] else {
            return None;
        };
        let (column, center) = match column {
            0 => (vector, query),
            1 => (query, vector),
            _ => return None,
        };
        let operator = operator(&metric.constant_text()?)?;
        let schema = within.schema();
        let outer = call(schema, c"within_radius", &[radius, range_filter, metric])?;
        let inner = call(schema, c"within_inner", &[range_filter, metric])?;
        let sphere = call(schema, c"sphere", &[center, outer, inner])?;
        let types = [column.type_of(), sphere.type_of()];
        let operator = catalog::operator(schema, operator, types)?;
        Some(Self { operator, operands: [column, within.simplified(sphere)] })
    }
}
