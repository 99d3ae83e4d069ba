//! The parameters of a statement.

use pgrx::pg_sys::{self, Oid};

use super::query::function;
use crate::pg::array::array;
use crate::pg::catalog::type_name;
use crate::pg::error::Report;
use crate::pg::parameter::Parameter;
use crate::pg::value::{OwnedValue, SqlValue};

/// The parameters of a statement that is being written.
#[derive(Clone, Default)]
pub struct Parameters {
    /// Values, in the order of their numbers.
    pub values: Vec<Parameter>,
    /// The names of their types, with schema.
    types: Vec<String>,
}

impl Parameters {
    /// Adds a parameter of the type called `name`, as text, and returns how the statement writes
    /// it.
    pub fn add(&mut self, of: Oid, name: String, text: String) -> String {
        self.push(Parameter::of_text(of, text), name)
    }

    /// Adds a query for values of the type called `name`: as it is where it is of this type.
    ///
    /// # Errors
    /// Where the query cannot be read.
    pub fn query(&mut self, of: Oid, name: String, query: &Parameter) -> Result<String, Report> {
        if query.of() == of {
            return Ok(self.push(query.clone(), name));
        }
        Ok(self.add(of, name, query.text()?))
    }

    fn push(&mut self, parameter: Parameter, name: String) -> String {
        self.values.push(parameter);
        self.types.push(name);
        format!("${}", self.values.len())
    }

    /// Adds a number of rows.
    pub fn count(&mut self, rows: i64) -> String {
        let parameter = self.add(pg_sys::INT8OID, "pg_catalog.int8".into(), rows.to_string());
        format!("({parameter})")
    }

    /// Adds a number.
    pub fn number(&mut self, value: f64) -> String {
        self.add(pg_sys::FLOAT8OID, "pg_catalog.float8".into(), format!("{value:?}"))
    }

    /// Adds a value as it is in memory.
    ///
    /// # Errors
    /// Where the type's name is no text.
    pub fn value(&mut self, value: OwnedValue) -> Result<String, Report> {
        let name = type_name(value.value().of())?;
        Ok(self.push(Parameter::of_value(value), name))
    }

    /// Adds values of type `of`, and returns what makes rows of them.
    ///
    /// # Errors
    /// Where one is of another type, or there are too many.
    pub fn unnested<'a>(
        &mut self,
        of: Oid,
        items: impl Iterator<Item = SqlValue<'a>>,
    ) -> Result<String, Report> {
        Ok(function("unnest", self.value(array(items, of)?)?))
    }

    /// The value that was added last, which is kept.
    ///
    /// # Errors
    /// Where it is not of its type.
    pub fn last(&mut self) -> Result<Option<SqlValue<'_>>, Report> {
        self.values.last_mut().map(Parameter::evaluate).transpose()
    }

    /// The number of the parameter that is added next.
    pub fn next_number(&self) -> usize {
        self.values.len() + 1
    }

    /// The statement with the values in the places of parameters, for people to read and explain.
    ///
    /// # Errors
    /// Where a value cannot be read.
    pub fn inline(&self, statement: &str) -> Result<String, Report> {
        let mut text = String::with_capacity(2 * statement.len());
        let mut rest = statement;
        while let Some(at) = rest.find(['"', '\'', '$']) {
            let (before, from) = rest.split_at(at);
            text.push_str(before);
            let quote = &from[..1];
            let digits = from[1..].bytes().take_while(u8::is_ascii_digit).count();
            let end = match from[1..].find(quote) {
                _ if quote == "$" => 1 + digits,
                Some(end) => end + 2,
                None => from.len(),
            };
            let number = from[1..end].parse::<usize>().ok().filter(|_| quote == "$");
            let parameter = number.and_then(|number| {
                self.values.get(number.checked_sub(1)?).zip(self.types.get(number - 1))
            });
            match parameter {
                Some((value, name)) => {
                    text.push_str(&format!("{}::{name}", literal(&value.text()?)));
                }
                None => text.push_str(&from[..end]),
            }
            rest = &from[end..];
        }
        Ok(text + rest)
    }
}

/// A text as a constant of SQL, however backslashes are read.
fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if quoted.contains('\\') {
        format!("E'{}'", quoted.replace('\\', "\\\\"))
    } else {
        format!("'{quoted}'")
    }
}
