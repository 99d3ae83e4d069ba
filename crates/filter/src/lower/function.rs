//! Calls that are conditions.

use super::Lowering;
use super::contains::Quantity;
use super::resolve::ResolvedField;
use crate::error::{Error, ErrorKind};
use crate::parameter::{Parameter, ParameterType};
use crate::sql::{Sql, text};
use crate::syntax::{Call, Expr, Node, Span};
use crate::table::Scalar;
use crate::translate::text_search::{self, tokens};
use crate::value::Value;

/// Functions of Milvus's that are not translated.
const UNTRANSLATED: &[&str] = &[
    "element_filter",
    "match_all",
    "match_any",
    "match_exact",
    "match_least",
    "match_most",
    "membership_match",
    "st_contains",
    "st_crosses",
    "st_dwithin",
    "st_equals",
    "st_intersects",
    "st_isvalid",
    "st_overlaps",
    "st_touches",
    "st_within",
];

/// Functions that take an option.
const HAVE_OPTIONS: [&str; 2] = ["text_match", "text_match_fuzzy"];

/// The largest slop that the host takes.
const MAX_SLOP: u32 = i32::MAX as u32;

impl Lowering<'_> {
    pub(super) fn call(&self, span: Span, call: &Call, negated: bool) -> Result<Sql, Error> {
        match call.name.as_str() {
            "json_contains" | "array_contains" => self.contains(span, call, Quantity::One, negated),
            "json_contains_any" | "array_contains_any" => {
                self.contains(span, call, Quantity::Any, negated)
            }
            "json_contains_all" | "array_contains_all" => {
                self.contains(span, call, Quantity::All, negated)
            }
            "text_match" => self.text_match(span, call, negated),
            "phrase_match" => self.phrase_match(span, call, negated),
            "text_match_fuzzy" => self.text_match_fuzzy(span, call, negated),
            "empty" => Ok(self.empty(span, call)?.not_if(negated)),
            "starts_with" => Ok(self.starts_with(span, call)?.not_if(negated)),
            "random_sample" => Err(Error::unsupported(
                span,
                "random sample expression can only be the last expression in the logical and expression",
            )),
            name if UNTRANSLATED.contains(&name) => {
                Err(Error::unsupported(span, format!("function {name} is not supported yet")))
            }
            name => {
                let message = format!("function {name} not found");
                Err(Error::new(ErrorKind::Unknown, span, message))
            }
        }
    }

    /// The condition of `random_sample(fraction)`, if `expr` is that.
    pub(super) fn sample(&self, expr: &Expr) -> Result<Option<Sql>, Error> {
        let Node::Call(call) = &expr.node else { return Ok(None) };
        if call.name != "random_sample" {
            return Ok(None);
        }
        let arguments = self.arguments::<1>(expr.span, call)?;
        match self.constant(&arguments[0])? {
            Value::Float(fraction) if fraction > 1e-10 && fraction < 1.0 - 1e-10 => {
                let fraction = Parameter::scalar(Scalar::Float8, fraction).into();
                Ok(Some(Sql::Function("random", vec![]).operator("<", fraction)))
            }
            value => {
                let message = format!(
                    "the sample factor should be between 0 and 1 and not too close to 0 or 1\
                     (the difference should be larger than 1e-10), but got {}",
                    value.describe()
                );
                Err(Error::mismatch(arguments[0].span, message))
            }
        }
    }

    fn text_match(&self, span: Span, call: &Call, negated: bool) -> Result<Sql, Error> {
        let [field, query] = self.arguments::<2>(span, call)?;
        let column = self.text_column(field, &call.name)?;
        let query = self.query_text(query, &call.name)?;
        let minimum = self.minimum_should_match(call)?;
        if self.is_analyzed(field) {
            return Ok(self.by_index("text_match", column, query, minimum).not_if(negated));
        }
        let mut tokens: Vec<_> = tokens(&query).collect();
        tokens.sort_unstable();
        tokens.dedup();
        let Some(any) = text_search::any(&tokens) else {
            return Ok(if negated { column.null_test(false) } else { Sql::Constant(false) });
        };
        let document = self.document(column);
        let any = document.clone().operator("@@", text_query(any));
        if minimum <= 1 {
            return Ok(any.not_if(negated));
        }
        // As many tokens of the query are in the document as it loses by deleting them.
        let tokens = tokens.into_iter().map(Value::Text).collect();
        let tokens = Parameter::array(Scalar::Text, tokens).into();
        let others = Sql::Function("ts_delete", vec![document.clone(), tokens]);
        let length = |vector: Sql| Sql::Function("length", vec![vector]);
        let minimum = Parameter::scalar(Scalar::Int8, minimum).into();
        let enough = length(document).operator("-", length(others)).operator(">=", minimum);
        // Few documents have any of the words, and those an index finds.
        Ok(if negated { enough.not_if(true) } else { Sql::and([any, enough]) })
    }

    fn minimum_should_match(&self, call: &Call) -> Result<i64, Error> {
        let Some((name, value)) = &call.option else { return Ok(1) };
        let span = value.span;
        match (name.as_str(), self.constant(value)?) {
            ("minimum_should_match", Value::Int(count @ 1..=1000)) => Ok(count),
            ("minimum_should_match", Value::Int(count)) => {
                let bound = if count < 1 { ">= 1" } else { "<= 1000" };
                let message = format!("minimum_should_match should be {bound}, got {count}");
                Err(Error::mismatch(span, message))
            }
            ("minimum_should_match", _) => {
                Err(Error::mismatch(span, "minimum_should_match should be a const integer"))
            }
            _ => Err(self.bad_option(span, name, &call.name)),
        }
    }

    fn phrase_match(&self, span: Span, call: &Call, negated: bool) -> Result<Sql, Error> {
        if let Some((name, value)) = &call.option {
            return Err(self.bad_option(value.span, name, &call.name));
        }
        let (field, query, slop) = match call.arguments.as_slice() {
            [field, query] => (field, query, 0),
            [field, query, slop] => (field, query, self.slop(slop)?),
            _ => return Err(self.wrong_arguments(span, &call.name)),
        };
        let column = self.text_column(field, &call.name)?;
        let query_text = self.query_text(query, &call.name)?;
        if self.is_analyzed(field) {
            let slop = i64::from(slop.min(MAX_SLOP));
            return Ok(self.by_index("phrase_match", column, query_text, slop).not_if(negated));
        }
        let tokens: Vec<_> = tokens(&query_text).collect();
        if tokens.is_empty() {
            return Ok(if negated { column.null_test(false) } else { Sql::Constant(false) });
        }
        let phrase = text_search::phrase(&tokens, slop).ok_or_else(|| {
            Error::limit(query.span, "\"slop\" is too large for so many words")
                .hint("Give fewer words, or search for them by text_match.")
        })?;
        Ok(self.document(column).operator("@@", text_query(phrase)).not_if(negated))
    }

    fn text_match_fuzzy(&self, span: Span, call: &Call, negated: bool) -> Result<Sql, Error> {
        let [field, query] = self.arguments::<2>(span, call)?;
        let column = self.text_column(field, &call.name)?;
        let query = self.query_text(query, &call.name)?;
        let edits = self.max_edit_distance(call)?;
        if !self.is_analyzed(field) {
            let message =
                format!("{} needs an index of words: {}", call.name, self.source(field.span));
            return Err(Error::unsupported(field.span, message)
                .hint("Create one: CREATE INDEX ON table USING inverted (column)."));
        }
        Ok(self.by_index("text_match_fuzzy", column, query, edits).not_if(negated))
    }

    fn max_edit_distance(&self, call: &Call) -> Result<i64, Error> {
        let Some((name, value)) = &call.option else { return Ok(1) };
        if name != "max_edit_distance" {
            let message = format!(
                "invalid option \"{name}\" for text_match_fuzzy, expected max_edit_distance"
            );
            return Err(Error::syntax(value.span, message));
        }
        match self.constant(value)? {
            Value::Int(edits @ 0..=2) => Ok(edits),
            Value::Int(edits) => {
                let message = format!("max_edit_distance should be in [0, 2], got {edits}");
                Err(Error::mismatch(value.span, message))
            }
            _ => Err(Error::mismatch(value.span, "max_edit_distance should be a const integer")),
        }
    }

    /// A condition that the host's index on the column serves.
    fn by_index(&self, function: &'static str, column: Sql, query: String, number: i64) -> Sql {
        let number = Parameter::scalar(Scalar::Int4, number).into();
        self.table.function(function, vec![column, text(query), number])
    }

    /// Whether the host has split the texts of a field.
    fn is_analyzed(&self, field: &Expr) -> bool {
        let Node::Field(name) = &field.node else { return false };
        let resolved = self.resolve(name, field.span);
        resolved.is_ok_and(|field| field.column().is_analyzed)
    }

    fn slop(&self, slop: &Expr) -> Result<u32, Error> {
        let source = || self.source(slop.span);
        let message = match self.constant(slop)? {
            Value::Int(value) => match u32::try_from(value) {
                Ok(slop) => return Ok(slop),
                Err(_) if value < 0 => {
                    format!("\"slop\" should not be a negative integer. \"slop\" passed: {value}")
                }
                Err(_) => format!("\"slop\" exceeds the range of \"uint32\": {value}"),
            },
            _ => format!("\"slop\" should be a const integer expression, got: {}", source()),
        };
        Err(Error::mismatch(slop.span, message))
    }

    fn empty(&self, span: Span, call: &Call) -> Result<Sql, Error> {
        let [column] = self.arguments::<1>(span, call)?;
        Ok(self.text_column(column, &call.name)?.operator("=", text("")))
    }

    fn starts_with(&self, span: Span, call: &Call) -> Result<Sql, Error> {
        let [column, prefix] = self.arguments::<2>(span, call)?;
        let column = self.text_column(column, &call.name)?;
        let prefix = match &prefix.node {
            Node::Field(_) => self.text_column(prefix, &call.name)?,
            _ => text(self.query_text(prefix, &call.name)?),
        };
        Ok(Sql::Function("starts_with", vec![column, prefix]))
    }

    /// The tokens of a text, as an expression that an index can be on.
    fn document(&self, text: Sql) -> Sql {
        self.table.function("standard_tsvector", vec![text])
    }

    fn text_column(&self, expr: &Expr, function: &str) -> Result<Sql, Error> {
        if let Node::Field(field) = &expr.node
            && let field @ ResolvedField::Column(..) = self.resolve(field, expr.span)?
            && let Some(column) = field.text()
        {
            return Ok(column);
        }
        let source = self.source(expr.span);
        let message = format!("{function} operation on non-string field is unsupported: {source}");
        Err(Error::mismatch(expr.span, message))
    }

    fn query_text(&self, expr: &Expr, function: &str) -> Result<String, Error> {
        match self.constant(expr)? {
            Value::Text(text) => Ok(text),
            _ => {
                let message = format!("{function} takes a string, got: {}", self.source(expr.span));
                Err(Error::mismatch(expr.span, message))
            }
        }
    }

    fn arguments<'c, const N: usize>(
        &self,
        span: Span,
        call: &'c Call,
    ) -> Result<&'c [Expr; N], Error> {
        if let Some((name, value)) =
            call.option.as_ref().filter(|_| !HAVE_OPTIONS.contains(&&*call.name))
        {
            return Err(self.bad_option(value.span, name, &call.name));
        }
        let arguments = call.arguments.as_slice().try_into();
        arguments.map_err(|_| self.wrong_arguments(span, &call.name))
    }

    fn wrong_arguments(&self, span: Span, function: &str) -> Error {
        let message = format!("wrong number of arguments of {function}: {}", self.source(span));
        Error::syntax(span, message)
    }

    fn bad_option(&self, span: Span, option: &str, function: &str) -> Error {
        let hint = (function == "text_match").then_some("The option is minimum_should_match.");
        let message = format!("invalid option \"{option}\" for {function}");
        Error { hint: hint.map(Into::into), ..Error::syntax(span, message) }
    }
}

fn text_query(query: String) -> Sql {
    Parameter { kind: ParameterType::TsQuery, value: query.into() }.into()
}
