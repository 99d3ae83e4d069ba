//! What can be compared.

use super::resolve::ResolvedField;
use super::{Lowering, constant};
use crate::error::Error;
use crate::syntax::{Arithmetic, Call, Expr, Node, Sign, Span};
use crate::table::{Column, Kind};
use crate::value::Value;

/// A value to be compared.
pub(super) enum Operand<'a> {
    Constant(Value),
    Field(ResolvedField<'a>),
    /// `field op constant op constant …`, from left to right.
    Computed {
        field: ResolvedField<'a>,
        steps: Vec<(Arithmetic, Value)>,
    },
    /// Number of elements.
    Length(ResolvedField<'a>),
    /// A point in time.
    Instant(String),
    /// A span of time.
    Interval(String),
    /// A field and a span of time added to it, or taken from it.
    Shifted {
        field: ResolvedField<'a>,
        operator: Arithmetic,
        interval: String,
    },
}

impl Operand<'_> {
    /// What Milvus calls the type.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Constant(value) => value.type_name(),
            Self::Field(field) => field.type_name(),
            Self::Computed { field, .. } => field.type_name(),
            Self::Length(_) => "Int64",
            Self::Instant(_) | Self::Shifted { .. } => "Timestamptz",
            Self::Interval(_) => "Interval",
        }
    }
}

impl Lowering<'_> {
    pub(super) fn operand(&self, expr: &Expr) -> Result<Operand<'_>, Error> {
        match &expr.node {
            Node::Constant(value) => Ok(Operand::Constant(value.clone())),
            Node::Huge => Err(Error::syntax(
                expr.span,
                format!("'{}' is out of range", self.source(expr.span)),
            )),
            Node::List(elements) => {
                let elements = elements.iter().map(|element| self.constant(element));
                Ok(Operand::Constant(Value::List(elements.collect::<Result<_, _>>()?)))
            }
            Node::Template(name) => Ok(Operand::Constant(self.template(name, expr.span)?)),
            Node::Field(field) => match self.resolve(field, expr.span)? {
                ResolvedField::Opaque(column) if column.kind == Kind::Other => {
                    Err(no_value(column, expr.span))
                }
                field => Ok(Operand::Field(field)),
            },
            Node::Instant(text) => self.instant(text, expr.span),
            Node::Interval(text) => self.interval(text, expr.span),
            Node::Sign(sign, inner) => self.signed(*sign, inner, expr.span),
            Node::Arithmetic(operator, left, right) => {
                self.computed(expr.span, *operator, left, right)
            }
            Node::Call(call) if super::is_value(call) => self.length(call, expr.span),
            Node::Not(inner) if !super::is_condition(inner) => Err(self.not_of(inner)),
            _ => self.folded(expr),
        }
    }

    /// A condition as an operand: only if it is constant.
    fn folded(&self, expr: &Expr) -> Result<Operand<'_>, Error> {
        match self.condition(expr, false)? {
            crate::sql::Sql::Constant(value) => Ok(Operand::Constant(Value::Bool(value))),
            _ => Err(Error::mismatch(
                expr.span,
                format!("a boolean expression cannot be an operand: {}", self.source(expr.span)),
            )
            .hint("Join conditions by and/or.")),
        }
    }

    /// An operand that must be a constant.
    pub(super) fn constant(&self, expr: &Expr) -> Result<Value, Error> {
        match self.operand(expr)? {
            Operand::Constant(value) => Ok(value),
            _ => Err(Error::mismatch(
                expr.span,
                format!("a constant is expected, got: {}", self.source(expr.span)),
            )),
        }
    }

    fn instant(&self, text: &str, span: Span) -> Result<Operand<'_>, Error> {
        if !crate::translate::time::is_instant(text) {
            let message = format!("invalid timestamp string: {}", self.source(span));
            return Err(Error::mismatch(span, message)
                .hint("Write it in ISO 8601, such as ISO '2025-01-31T08:00:00+08:00'."));
        }
        Ok(Operand::Instant(text.into()))
    }

    fn interval(&self, text: &str, span: Span) -> Result<Operand<'_>, Error> {
        if !crate::translate::time::is_interval(text) {
            let message = format!("invalid interval string: {}", self.source(span));
            return Err(Error::mismatch(span, message)
                .hint("Write it in ISO 8601 with whole numbers, such as INTERVAL 'P1DT2H'."));
        }
        Ok(Operand::Interval(text.into()))
    }

    fn signed(&self, sign: Sign, inner: &Expr, span: Span) -> Result<Operand<'_>, Error> {
        if sign == Sign::BitNot {
            let message = format!("unexpected op: ~ in {}", self.source(span));
            return Err(Error::unsupported(span, message));
        }
        if sign == Sign::Minus && inner.node == Node::Huge {
            return Ok(Operand::Constant(Value::Int(i64::MIN)));
        }
        match (sign, self.operand(inner)?) {
            (Sign::Plus, Operand::Constant(value)) if value.is_number() => {
                Ok(Operand::Constant(value))
            }
            (_, Operand::Constant(Value::Decimal(text))) => {
                let digits = text.strip_prefix('-');
                let negated = digits.map_or_else(|| format!("-{text}"), Into::into);
                Ok(Operand::Constant(Value::Decimal(negated)))
            }
            (_, Operand::Constant(value)) if value.is_number() => {
                constant::arithmetic(Arithmetic::Subtract, &Value::Int(0), &value)
                    .map(Operand::Constant)
                    .map_err(|message| Error::mismatch(span, message))
            }
            _ => Err(Error::unsupported(
                span,
                format!("a sign can only be applied to a constant number: {}", self.source(span)),
            )),
        }
    }

    fn length(&self, call: &Call, span: Span) -> Result<Operand<'_>, Error> {
        if let ([argument], None) = (call.arguments.as_slice(), &call.option)
            && let Node::Field(field) = &argument.node
        {
            let field = self.resolve(field, argument.span)?;
            if matches!(field, ResolvedField::Array(..) | ResolvedField::Json(_)) {
                return Ok(Operand::Length(field));
            }
        }
        let message = format!(
            "array_length operation are only supported on array or json field now, got: {}",
            self.source(span)
        );
        Err(Error::mismatch(span, message))
    }
}

/// A column whose type filters do not know.
fn no_value(column: &Column, span: Span) -> Error {
    let (name, kind) = (&column.name, &column.shown_type);
    let message = format!("column {name} is of type {kind}, which filters cannot compare");
    Error::unsupported(span, message).hint(
        "Test it by is null or is not null, or add a column of text or numbers that is generated from it.",
    )
}
