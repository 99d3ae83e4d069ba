//! SQL as a tree whose texts are all this crate's own, and the only place that writes it down.
//!
//! What a user wrote gets into a tree as a [`Parameter`] or as the name of a column that the table
//! has, which is quoted: there is no node for other text.

use std::fmt::Write;

use crate::error::Error;
use crate::limits::MAX_PARAMETERS;
use crate::parameter::{Parameter, ParameterType};
use crate::syntax::Span;
use crate::table::Scalar;

/// A condition or a value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Sql {
    Constant(bool),
    /// A column of the table, and the type it is cast to.
    Column(String, Option<String>),
    Parameter(Parameter),
    Operator(Box<Sql>, &'static str, Box<Sql>),
    /// `left op ANY (array)`
    Any(Box<Sql>, &'static str, Box<Sql>),
    /// `left op ALL (array)`
    All(Box<Sql>, &'static str, Box<Sql>),
    Function(&'static str, Vec<Sql>),
    /// A function that the host has for filters, in a schema whose name is quoted.
    Extension(String, &'static str, Vec<Sql>),
    Cast(Box<Sql>, &'static str),
    /// Element of an array, counted from 1.
    Element(Box<Sql>, Box<Sql>),
    /// Texts compared by their bytes.
    Bytewise(Box<Sql>),
    And(Vec<Sql>),
    Or(Vec<Sql>),
    Not(Box<Sql>),
    IsNull(Box<Sql>),
    IsNotNull(Box<Sql>),
    IsNotTrue(Box<Sql>),
    /// The second where the first holds.
    Guarded(Box<Sql>, Box<Sql>),
}

impl Sql {
    pub(crate) fn operator(self, operator: &'static str, right: Self) -> Self {
        Self::Operator(self.into(), operator, right.into())
    }

    pub(crate) fn cast(self, kind: &'static str) -> Self {
        Self::Cast(self.into(), kind)
    }

    pub(crate) fn bytewise(self) -> Self {
        Self::Bytewise(self.into())
    }

    /// The value is null, or it is not.
    pub(crate) fn null_test(self, null: bool) -> Self {
        if null { Self::IsNull(self.into()) } else { Self::IsNotNull(self.into()) }
    }

    pub(crate) fn not_if(self, negated: bool) -> Self {
        if negated { Self::Not(self.into()) } else { self }
    }

    /// All of them, without those that always hold.
    pub(crate) fn and(conditions: impl IntoIterator<Item = Self>) -> Self {
        Self::chain(conditions, true, Self::And)
    }

    /// One of them, without those that never hold.
    pub(crate) fn or(conditions: impl IntoIterator<Item = Self>) -> Self {
        Self::chain(conditions, false, Self::Or)
    }

    fn chain(
        conditions: impl IntoIterator<Item = Self>,
        neutral: bool,
        chain: fn(Vec<Self>) -> Self,
    ) -> Self {
        let mut kept = Vec::new();
        for condition in conditions {
            match condition {
                Self::Constant(value) if value == neutral => {}
                Self::Constant(value) => return Self::Constant(value),
                condition => kept.push(condition),
            }
        }
        match kept.len() {
            0 => Self::Constant(neutral),
            1 => kept.swap_remove(0),
            _ => chain(kept),
        }
    }
}

impl From<Parameter> for Sql {
    fn from(parameter: Parameter) -> Self {
        Self::Parameter(parameter)
    }
}

/// Text and parameters of a condition.
#[derive(Clone, Debug, PartialEq)]
pub struct Fragment {
    /// A boolean expression in SQL.
    pub text: String,
    /// The values of its `$n`, from the first on.
    pub parameters: Vec<Parameter>,
}

/// Writes `sql`, with columns of the row `alias` and parameters numbered from `first` on.
pub(crate) fn write(sql: &Sql, alias: &str, first: usize) -> Result<Fragment, Error> {
    let mut writer =
        Writer { alias: quoted(alias), first, text: String::new(), parameters: vec![] };
    writer.write(sql)?;
    Ok(Fragment { text: writer.text, parameters: writer.parameters })
}

struct Writer {
    alias: String,
    first: usize,
    text: String,
    parameters: Vec<Parameter>,
}

impl Writer {
    fn write(&mut self, sql: &Sql) -> Result<(), Error> {
        match sql {
            Sql::Constant(value) => self.text.push_str(if *value { "true" } else { "false" }),
            Sql::Column(name, cast) => {
                let (alias, name) = (&self.alias, quoted(name));
                // Writing to a string does not fail.
                let _ = match cast {
                    Some(cast) => write!(self.text, "({alias}.{name}::{cast})"),
                    None => write!(self.text, "{alias}.{name}"),
                };
            }
            Sql::Parameter(parameter) => self.parameter(parameter)?,
            Sql::Operator(left, operator, right) => {
                self.infix(left, &operator_name(operator), right)?;
            }
            Sql::Any(left, operator, right) => {
                self.infix(left, &format!("{} ANY ", operator_name(operator)), right)?;
            }
            Sql::All(left, operator, right) => {
                self.infix(left, &format!("{} ALL ", operator_name(operator)), right)?;
            }
            Sql::Function(name, arguments) => {
                let _ = write!(self.text, "pg_catalog.{name}");
                self.list(arguments, ", ")?;
            }
            Sql::Extension(schema, name, arguments) => {
                let _ = write!(self.text, "{schema}.{name}");
                self.list(arguments, ", ")?;
            }
            Sql::Cast(value, kind) => self.suffixed(value, &format!("::pg_catalog.{kind}"))?,
            Sql::Element(array, index) => {
                self.suffixed(array, "[")?;
                self.write(index)?;
                self.text.push(']');
            }
            Sql::Bytewise(value) => {
                self.text.push('(');
                self.suffixed(value, " COLLATE pg_catalog.\"C\")")?;
            }
            Sql::And(conditions) => self.list(conditions, " AND ")?,
            Sql::Or(conditions) => self.list(conditions, " OR ")?,
            Sql::Not(condition) => {
                self.text.push_str("(NOT ");
                self.suffixed(condition, ")")?;
            }
            Sql::IsNull(value) => self.test(value, " IS NULL)")?,
            Sql::IsNotNull(value) => self.test(value, " IS NOT NULL)")?,
            Sql::IsNotTrue(value) => self.test(value, " IS NOT TRUE)")?,
            Sql::Guarded(guard, condition) => {
                self.text.push_str("CASE WHEN ");
                self.write(guard)?;
                self.text.push_str(" THEN ");
                self.write(condition)?;
                self.text.push_str(" END");
            }
        }
        Ok(())
    }

    fn parameter(&mut self, parameter: &Parameter) -> Result<(), Error> {
        let number = self.first.saturating_add(self.parameters.len());
        if number > MAX_PARAMETERS {
            let message = format!("too many constants in the expression, max {MAX_PARAMETERS}");
            return Err(
                Error::limit(Span::default(), message).hint("Join comparisons of one field by IN.")
            );
        }
        let _ = match parameter.kind.sql_name() {
            Some(kind) => write!(self.text, "${number}::{kind}"),
            None => write!(self.text, "${number}"),
        };
        self.parameters.push(parameter.clone());
        Ok(())
    }

    fn infix(&mut self, left: &Sql, operator: &str, right: &Sql) -> Result<(), Error> {
        self.text.push('(');
        self.write(left)?;
        let _ = write!(self.text, " {operator} ");
        if operator.ends_with(' ') {
            self.text.push('(');
            self.suffixed(right, "))")
        } else {
            self.suffixed(right, ")")
        }
    }

    fn test(&mut self, value: &Sql, test: &str) -> Result<(), Error> {
        self.text.push('(');
        self.suffixed(value, test)
    }

    fn suffixed(&mut self, value: &Sql, suffix: &str) -> Result<(), Error> {
        self.write(value)?;
        self.text.push_str(suffix);
        Ok(())
    }

    fn list(&mut self, all: &[Sql], separator: &str) -> Result<(), Error> {
        self.text.push('(');
        for (index, one) in all.iter().enumerate() {
            if index > 0 {
                self.text.push_str(separator);
            }
            self.write(one)?;
        }
        self.text.push(')');
        Ok(())
    }
}

fn operator_name(operator: &str) -> String {
    format!("OPERATOR(pg_catalog.{operator})")
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The parameter of a jsonpath.
pub(crate) fn json_path(text: String) -> Sql {
    Parameter { kind: ParameterType::JsonPath, value: text.into() }.into()
}

/// The parameter of a text.
pub(crate) fn text(text: impl Into<String>) -> Sql {
    Parameter::scalar(Scalar::Text, text.into()).into()
}
