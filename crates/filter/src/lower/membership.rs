//! `in` and `not in`.

use super::Lowering;
use super::operand::Operand;
use super::resolve::ResolvedField;
use crate::error::Error;
use crate::sql::Sql;
use crate::syntax::{Expr, Node};
use crate::translate::json_path;
use crate::value::Value;

impl Lowering<'_> {
    pub(super) fn membership(&self, left: &Expr, list: &Expr, negated: bool) -> Result<Sql, Error> {
        let values = match (&list.node, self.constant(list)?) {
            (_, Value::List(values)) => values,
            (Node::Template(name), _) => {
                let message = format!(
                    "the value of term expression template variable {{{name}}} is not array"
                );
                return Err(Error::mismatch(list.span, message));
            }
            _ => {
                let message = "the right-hand side of 'in' must be a list";
                return Err(Error::mismatch(list.span, message).hint("Write in [1, 2, 3]."));
            }
        };
        let Operand::Field(field) = self.operand(left)? else {
            let message = "'term' can only be used on single field";
            return Err(Error::mismatch(left.span, message));
        };
        if let ResolvedField::Json(json) = &field {
            return Ok(match (values.is_empty(), negated) {
                (true, false) => Sql::Constant(false),
                (true, true) => json.exists(false),
                (false, false) => json.matches(json_path::one_of(&json.path, &values)),
                (false, true) => json.matches(json_path::none_of(&json.path, &values)),
            });
        }
        let column = field.column();
        let Some((scalar, field)) = field.scalar() else {
            let message = "'in' can only be used on simple values";
            return Err(Error::mismatch(left.span, message)
                .hint("Test for an element by array_contains(field, value)."));
        };
        let list = self.fitted_list(column, scalar, &values, list.span)?;
        Ok(match (values.is_empty(), negated) {
            (true, false) => Sql::Constant(false),
            // Where there is no value, it is unknown.
            (true, true) => field.null_test(false),
            (false, false) => Sql::Any(field.into(), "=", list.into()),
            (false, true) => Sql::All(field.into(), "<>", list.into()),
        })
    }
}
