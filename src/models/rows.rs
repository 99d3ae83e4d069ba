//! Rows of a column's queue: their versions, what is embedded of them, and both as parameters of statements.

use std::fmt::{self, Write};
use std::str::FromStr;

use memory::OutOfMemory;
use models::Input;
use pgrx::pg_sys::{self, Oid};

use super::cache::Vector;
use crate::pg::error::Report;
use crate::pg::parameter::Parameter;
use crate::pg::spi::ResultRows;

/// A version of a row: no other has its table, place, and transaction.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RowVersion {
    /// The OID of the table that stores it.
    pub table: u32,
    /// The block in which it is.
    pub block: u32,
    /// Its number in the block.
    pub offset: u16,
    transaction: u32,
}

impl RowVersion {
    /// The version that the first three columns of a row tell.
    ///
    /// # Errors
    /// If they are not `tableoid`, `ctid`, and `xmin`.
    pub fn of(found: &ResultRows, row: usize) -> Result<RowVersion, Report> {
        let place = found.text(row, 2)?;
        let place = place.trim_matches(['(', ')']).split_once(',');
        let place =
            place.and_then(|(block, offset)| Some((block.parse().ok()?, offset.parse().ok()?)));
        let (block, offset) = place.ok_or_else(|| Report::internal("row has no place"))?;
        Ok(RowVersion {
            table: number(found, row, 1)?,
            block,
            offset,
            transaction: number(found, row, 3)?,
        })
    }
}

/// What is to be embedded.
pub enum Source {
    /// A text.
    Text(String),
    /// The bytes of an image.
    Image(Vec<u8>),
}

impl Source {
    /// As a model takes it.
    pub fn input(&self) -> Input<'_> {
        match self {
            Source::Text(text) => Input::Text(text),
            Source::Image(image) => Input::Image(image),
        }
    }

    /// As `Queue::text` of its row.
    ///
    /// # Errors
    /// If there is no memory.
    pub fn text(&self) -> memory::Result<String> {
        let digit = |number: u8| char::from_digit(number.into(), 16).unwrap_or_default();
        match self {
            Source::Text(text) => written(|out| out.write_str(text)),
            Source::Image(image) => {
                let bytes = image.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]);
                written(|out| bytes.into_iter().try_for_each(|digit| out.write_char(digit)))
            }
        }
    }
}

/// A text that grows only as far as there is memory.
struct Growing(String);

impl Write for Growing {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.try_reserve(text.len()).map_err(|_| fmt::Error)?;
        self.0.push_str(text);
        Ok(())
    }
}

fn written(write: impl FnOnce(&mut Growing) -> fmt::Result) -> memory::Result<String> {
    let mut out = Growing(String::new());
    write(&mut out).map_err(|_| OutOfMemory)?;
    Ok(out.0)
}

/// An array of values that need no escapes.
fn list<T>(
    of: Oid,
    items: impl Iterator<Item = T>,
    write: impl Fn(&mut Growing, T) -> fmt::Result,
) -> memory::Result<Parameter> {
    let text = written(|out| {
        for (number, item) in items.enumerate() {
            out.write_str(if number == 0 { "{\"" } else { "\",\"" })?;
            write(out, item)?;
        }
        out.write_str(if out.0.is_empty() { "{}" } else { "\"}" })
    })?;
    Ok(Parameter::of_text(of, text))
}

/// Vectors as an array of this type.
///
/// # Errors
/// If there is no memory.
pub fn vectors(of: Oid, vectors: &[Vector]) -> memory::Result<Parameter> {
    list(of, vectors.iter(), |out, vector| {
        for (number, element) in vector.iter().enumerate() {
            write!(out, "{}{element}", if number == 0 { '[' } else { ',' })?;
        }
        out.write_char(']')
    })
}

/// Tables, places, and transactions of rows, as arrays.
///
/// # Errors
/// If there is no memory.
pub fn versions<'v>(
    rows: impl Iterator<Item = &'v RowVersion> + Clone,
) -> memory::Result<[Parameter; 3]> {
    let place = |out: &mut Growing, row: &RowVersion| write!(out, "({},{})", row.block, row.offset);
    Ok([
        list(pg_sys::OIDARRAYOID, rows.clone(), |out, row| write!(out, "{}", row.table))?,
        list(pg_sys::TIDARRAYOID, rows.clone(), place)?,
        list(pg_sys::XIDARRAYOID, rows, |out, row| write!(out, "{}", row.transaction))?,
    ])
}

/// An OID.
pub fn oid(oid: Oid) -> Parameter {
    Parameter::of_text(pg_sys::OIDOID, oid.to_u32().to_string())
}

/// A `smallint`.
pub fn int2(number: i16) -> Parameter {
    Parameter::of_text(pg_sys::INT2OID, number.to_string())
}

/// A `bigint`.
pub fn int8(number: usize) -> Parameter {
    Parameter::of_text(pg_sys::INT8OID, number.to_string())
}

/// A number that a query has given.
///
/// # Errors
/// If it is none.
pub fn number<N: FromStr>(found: &ResultRows, row: usize, column: i32) -> Result<N, Report> {
    let number = found.text(row, column)?.parse();
    number.map_err(|_| Report::internal("query must return a number"))
}
