//! From the tree of a filter to SQL, typed by the table.
//!
//! Negations are pushed down to the tests, where each turns into the test of the opposite. So `AND`
//! and `OR` are all that joins tests, and a test only has to be true in the right rows: among the
//! others, those for which it is unknown need not be told from those for which it is false.

mod arithmetic;
mod compare;
mod constant;
mod contains;
mod fit;
mod function;
mod membership;
mod operand;
mod pattern;
mod resolve;

use crate::Templates;
use crate::error::{Error, ErrorKind};
use crate::limits::{MAX_DEPTH, MAX_LIST};
use crate::sql::Sql;
use crate::syntax::{Call, Expr, Logic, Node, Span};
use crate::table::Table;
use crate::value::Value;

use resolve::ResolvedField;

/// The condition that `expr` is, and whether it takes a sample.
pub(crate) fn lower(
    text: &str,
    expr: &Expr,
    table: &Table,
    templates: &Templates,
) -> Result<(Sql, bool), Error> {
    Lowering { text, table, templates }.top(expr)
}

struct Lowering<'a> {
    text: &'a str,
    table: &'a Table,
    templates: &'a Templates,
}

impl Lowering<'_> {
    /// The whole condition. Only here may a sample be taken: alone or as the last of what is joined
    /// by AND, so that it is one of the rows for which all else holds.
    fn top(&self, expr: &Expr) -> Result<(Sql, bool), Error> {
        if let Some(sample) = self.sample(expr)? {
            return Ok((sample, true));
        }
        if let Node::Logic(Logic::And, operands) = &expr.node
            && let Some((last, others)) = operands.split_last()
            && let Some(sample) = self.sample(last)?
        {
            let mut conditions = self.operands(Logic::And, others, false)?;
            conditions.push(sample);
            return Ok((Sql::and(conditions), true));
        }
        Ok((self.condition(expr, false)?, false))
    }

    /// The condition that holds where `expr` is true, or false when it is negated.
    fn condition(&self, expr: &Expr, negated: bool) -> Result<Sql, Error> {
        match &expr.node {
            Node::Constant(Value::Bool(value)) => Ok(Sql::Constant(*value != negated)),
            Node::Not(inner) if is_condition(inner) => self.condition(inner, !negated),
            Node::Not(inner) => Err(self.not_of(inner)),
            Node::Logic(logic, operands) => {
                let conditions = self.operands(*logic, operands, negated)?;
                Ok(match (logic, negated) {
                    (Logic::And, false) | (Logic::Or, true) => Sql::and(conditions),
                    (Logic::Or, false) | (Logic::And, true) => Sql::or(conditions),
                })
            }
            Node::Comparison(operator, left, right) => {
                self.comparison(expr.span, operator.negated_if(negated), left, right)
            }
            Node::Range { operands, first, second } => {
                self.range(expr.span, operands, *first, *second, negated)
            }
            Node::In { left, list, negated: not_in } => {
                self.membership(left, list, *not_in != negated)
            }
            Node::Like(left, pattern) => self.like(left, pattern, negated),
            Node::Regex { left, pattern, negated: not } => {
                self.regex(left, pattern, *not != negated)
            }
            Node::IsNull { field, negated: not } => {
                self.null_test(expr.span, self.resolve(field, expr.span)?, *not != negated)
            }
            Node::Exists(operand) => self.exists(operand, negated),
            Node::Call(call) if !is_value(call) => self.call(expr.span, call, negated),
            _ => Err(self.no_condition(expr)),
        }
    }

    fn operands(&self, logic: Logic, operands: &[Expr], negated: bool) -> Result<Vec<Sql>, Error> {
        let condition = |operand: &Expr| {
            if is_condition(operand) {
                return self.condition(operand, negated);
            }
            let name = logic.name();
            let message = format!("'{name}' can only be used between boolean expressions");
            Err(Error { message, ..self.no_condition(operand) })
        };
        operands.iter().map(condition).collect()
    }

    fn no_condition(&self, expr: &Expr) -> Error {
        let source = self.source(expr.span);
        let (kind, hint) = match self.operand(expr) {
            Ok(operand) => {
                let hint = match &expr.node {
                    Node::Field(_) if operand.type_name() == "Bool" => {
                        Some(format!("Write {source} == true."))
                    }
                    Node::Arithmetic(..) => {
                        Some("& and | bind tighter than and/or: join conditions by and/or.".into())
                    }
                    _ => None,
                };
                (operand.type_name(), hint)
            }
            Err(error) => return error,
        };
        let message = format!("predicate is not a boolean expression: {source}, data type: {kind}");
        Error { hint, ..Error::mismatch(expr.span, message) }
    }

    fn not_of(&self, operand: &Expr) -> Error {
        let message = format!(
            "'not' can only be applied to a boolean expression: {}",
            self.source(operand.span)
        );
        Error::mismatch(operand.span, message)
            .hint("not binds tighter than comparisons: write not (a == 1).")
    }

    fn null_test(&self, span: Span, field: ResolvedField<'_>, negated: bool) -> Result<Sql, Error> {
        match field {
            ResolvedField::Json(json) if !json.path.is_empty() => Ok(json.exists(!negated)),
            ResolvedField::Element { .. } => Err(Error::unsupported(
                span,
                format!(
                    "IsNull/IsNotNull operations are not supported on array element access, got: {}",
                    self.source(span)
                ),
            )),
            ResolvedField::Opaque(column) if column.kind == crate::Kind::Vector => {
                Err(Error::unsupported(
                    span,
                    "IsNull/IsNotNull operations are not supported on vector fields",
                ))
            }
            field => {
                // Without a cast: it is known to be null or not whatever its type.
                let column = Sql::Column(field.column().name.clone(), None);
                Ok(column.null_test(!negated))
            }
        }
    }

    fn exists(&self, operand: &Expr, negated: bool) -> Result<Sql, Error> {
        let message = match &operand.node {
            Node::Field(field) => match self.resolve(field, operand.span)? {
                ResolvedField::Json(json) if !json.path.is_empty() => {
                    return Ok(json.exists(negated));
                }
                ResolvedField::Json(_) => "exists operations are only supported on json key",
                _ => "exists operations are only supported on json field",
            },
            _ => "exists operations are only supported on json field",
        };
        Err(Error::mismatch(operand.span, format!("{message}, got: {}", self.source(operand.span))))
    }

    /// The value of a template variable.
    fn template(&self, name: &str, span: Span) -> Result<Value, Error> {
        let value = self.templates.get(name).ok_or_else(|| {
            let message =
                format!("the value of expression template variable name {{{name}}} is not found");
            Error::new(ErrorKind::Unknown, span, message)
        })?;
        check_template(value, span, 0)?;
        Ok(value.clone())
    }

    /// A piece of the filter, to be shown in messages.
    fn source(&self, span: Span) -> String {
        const SHOWN: usize = 80;
        let source = self.text.get(span.start..span.end).unwrap_or_default();
        match source.char_indices().nth(SHOWN) {
            Some((end, _)) => format!("{}...", &source[..end]),
            None => source.into(),
        }
    }
}

/// Values of templates get the checks that constants of the text have had.
fn check_template(value: &Value, span: Span, depth: usize) -> Result<(), Error> {
    match value {
        Value::List(values) => {
            if depth >= MAX_DEPTH {
                return Err(Error::limit(span, "list of a template is nested too deep"));
            }
            if values.len() > MAX_LIST {
                let message = format!("list of a template is too long, max {MAX_LIST} values");
                return Err(Error::limit(span, message));
            }
            values.iter().try_for_each(|value| check_template(value, span, depth + 1))
        }
        Value::Text(text) if text.contains('\0') => {
            Err(Error::mismatch(span, "a string cannot contain the character NUL"))
        }
        Value::Float(value) if !value.is_finite() => {
            Err(Error::mismatch(span, format!("value '{value}' is not a number or infinity")))
        }
        Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Decimal(_) | Value::Text(_) => {
            Ok(())
        }
    }
}

/// Whether the expression is true or false, rather than a value to be compared.
fn is_condition(expr: &Expr) -> bool {
    match &expr.node {
        Node::Constant(value) => matches!(value, Value::Bool(_)),
        Node::Call(call) => !is_value(call),
        Node::Huge
        | Node::List(_)
        | Node::Template(_)
        | Node::Field(_)
        | Node::Instant(_)
        | Node::Interval(_)
        | Node::Sign(..)
        | Node::Arithmetic(..) => false,
        Node::Comparison(..)
        | Node::Range { .. }
        | Node::In { .. }
        | Node::Like(..)
        | Node::Regex { .. }
        | Node::IsNull { .. }
        | Node::Exists(_)
        | Node::Not(_)
        | Node::Logic(..) => true,
    }
}

/// Whether the call has a value to be compared.
fn is_value(call: &Call) -> bool {
    call.name == "array_length"
}
