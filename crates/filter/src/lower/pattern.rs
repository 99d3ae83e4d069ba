//! `like` and regular expressions.

use super::Lowering;
use super::operand::Operand;
use super::resolve::ResolvedField;
use crate::error::Error;
use crate::sql::{Sql, text};
use crate::syntax::{self, Comparison, Expr, Node};
use crate::translate::like::{self, Pattern};
use crate::translate::regex::{self, Mistake};
use crate::value::Value;

impl Lowering<'_> {
    pub(super) fn like(&self, left: &Expr, pattern: &Expr, negated: bool) -> Result<Sql, Error> {
        let text = self.pattern_text(pattern, "like")?;
        let operator = if negated { "!~~" } else { "~~" };
        match like::analyse(&text) {
            None => Err(Error::syntax(
                pattern.span,
                format!("invalid pattern: {}, it ends with an escape", self.source(pattern.span)),
            )),
            Some(Pattern::Exact(text)) => {
                // Refuses operands that are no text.
                self.matched(left, "like", operator, &text)?;
                let equal = Comparison::Equal.negated_if(negated);
                self.equal_text(left, equal, text)
            }
            Some(Pattern::Wild) => self.matched(left, "like", operator, &text),
        }
    }

    pub(super) fn regex(&self, left: &Expr, pattern: &Expr, negated: bool) -> Result<Sql, Error> {
        let text = self.pattern_text(pattern, "regex")?;
        let text = regex::translate(&text).map_err(|mistake| self.no_regex(pattern, mistake))?;
        self.matched(left, "regex", if negated { "!~" } else { "~" }, &text)
    }

    fn no_regex(&self, pattern: &Expr, mistake: Mistake) -> Error {
        let Mistake { kind, at, message, hint } = mistake;
        let message = format!("invalid regex pattern: {}: {message}", self.source(pattern.span));
        let mut error = Error::new(kind, pattern.span, message);
        // The pattern of a template has no place in the filter.
        if matches!(pattern.node, Node::Constant(_))
            && let Some(word) = self.text.get(pattern.span.start..pattern.span.end)
        {
            error.position += syntax::regex_origin(word, at);
        }
        Error { hint: hint.map(Into::into), ..error }
    }

    fn pattern_text(&self, pattern: &Expr, name: &str) -> Result<String, Error> {
        match self.constant(pattern)? {
            Value::Text(text) => Ok(text),
            _ => Err(Error::mismatch(
                pattern.span,
                format!("the right operand of {name} must be a string"),
            )),
        }
    }

    fn matched(
        &self,
        left: &Expr,
        name: &str,
        operator: &'static str,
        pattern: &str,
    ) -> Result<Sql, Error> {
        let matched = |value: Sql| value.operator(operator, text(pattern));
        match self.operand(left)? {
            Operand::Field(ResolvedField::Json(json)) => Ok(json.text_test(matched)),
            Operand::Field(field) => {
                field.text().map(matched).ok_or_else(|| self.no_text(left, name))
            }
            _ => Err(self.no_text(left, name)),
        }
    }

    fn equal_text(&self, left: &Expr, operator: Comparison, value: String) -> Result<Sql, Error> {
        match self.operand(left)? {
            Operand::Field(ResolvedField::Json(json)) => {
                self.in_document(left.span, &json, operator, &value.into())
            }
            Operand::Field(field) if let Some(field) = field.text() => {
                Ok(field.operator(super::compare::symbol(operator), text(value)))
            }
            _ => Err(self.no_text(left, "like")),
        }
    }

    fn no_text(&self, operand: &Expr, name: &str) -> Error {
        let message = format!(
            "{name} operation on non-string or no-json field is unsupported: {}",
            self.source(operand.span)
        );
        Error::mismatch(operand.span, message)
    }
}
