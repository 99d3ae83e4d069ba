//! Values told apart as `GROUP BY` does.

#![allow(unsafe_code)] // calls into PostgreSQL

use std::collections::HashMap;
use std::marker::PhantomData;

use pgrx::pg_sys::{self, Datum, Oid, TypeCacheEntry};

use super::catalog::{operator_name, operator_types, type_name};
use super::error::Report;
use super::spi::Connection;
use super::value::{OwnedValue, SqlValue};

/// Gives numbers to the values of a type, from 0; equal values have one number, and NULL has one.
pub struct Numbering<'a> {
    of: Type,
    numbers: HashMap<u32, Vec<(OwnedValue, usize)>>,
    null: Option<usize>,
    count: usize,
    connection: PhantomData<&'a Connection>,
}

/// A type whose values can be compared, with a collation.
#[derive(Clone, Copy)]
pub struct Type {
    oid: Oid,
    entry: *mut TypeCacheEntry,
    collation: Oid,
}

impl Type {
    /// A type by its OID; none where its values have no order.
    pub fn find(of: Oid, collation: Oid) -> Option<Type> {
        let wanted = pg_sys::TYPECACHE_EQ_OPR_FINFO
            | pg_sys::TYPECACHE_LT_OPR
            | pg_sys::TYPECACHE_HASH_PROC_FINFO;
        // SAFETY: a look-up; what it gives is kept for the session.
        let entry = unsafe { pg_sys::lookup_type_cache(of, wanted as i32) };
        // SAFETY: as above.
        let ordered = unsafe { (*entry).eq_opr != Oid::INVALID && (*entry).lt_opr != Oid::INVALID };
        ordered.then_some(Type { oid: of, entry, collation })
    }

    /// The condition that two expressions, which are of the type, are equal.
    ///
    /// # Errors
    /// Where a name is no text.
    pub fn equal(self, left: &str, right: &str) -> Result<String, Report> {
        // SAFETY: the entry lives as long as the session.
        let operator = unsafe { (*self.entry).eq_opr };
        let of = operator_types(operator);
        let operand = |value: &str, of: Oid| -> Result<String, Report> {
            // SAFETY: a look-up in the catalog. An operator of a polymorphic type takes any.
            let any = unsafe { pg_sys::get_typtype(of) } as u8 == pg_sys::TYPTYPE_PSEUDO;
            Ok(if any || of == self.oid {
                value.to_owned()
            } else {
                format!("({value})::{}", type_name(of)?)
            })
        };
        let (left, right) = (operand(left, of[0])?, operand(right, of[1])?);
        Ok(format!("{left} {} {right}", operator_name(operator)?))
    }

    /// # Safety
    /// `value` is of the type.
    unsafe fn hash(self, value: Datum) -> u32 {
        // SAFETY: `value` is of the type that the function hashes. Without a function, all values are
        // compared.
        unsafe {
            let function = &raw mut (*self.entry).hash_proc_finfo;
            if (*function).fn_oid == Oid::INVALID {
                return 0;
            }
            pg_sys::FunctionCall1Coll(function, self.collation, value).value() as u32
        }
    }

    /// # Safety
    /// Both are of the type.
    unsafe fn are_equal(self, a: Datum, b: Datum) -> bool {
        // SAFETY: `a` and `b` are of the type that the function compares; a type that is ordered has
        // one.
        unsafe {
            let function = &raw mut (*self.entry).eq_opr_finfo;
            pg_sys::FunctionCall2Coll(function, self.collation, a, b).value() & 0xff != 0
        }
    }
}

impl<'a> Numbering<'a> {
    /// None has a number yet.
    pub fn new(of: Type, _: &'a Connection) -> Numbering<'a> {
        let (numbers, connection) = (HashMap::new(), PhantomData);
        Numbering { of, numbers, null: None, count: 0, connection }
    }

    /// The number of a value, which is the next one if no equal value has come before.
    ///
    /// # Errors
    /// Where it is of another type.
    pub fn number(&mut self, value: Option<SqlValue>) -> Result<usize, Report> {
        let next = self.count;
        let Some(value) = value else {
            let null = *self.null.get_or_insert(next);
            self.count += usize::from(null == next);
            return Ok(null);
        };
        if value.of() != self.of.oid {
            return Err(Report::internal("value to be numbered is of another type"));
        }
        // SAFETY: values of the type, as just checked. SPI is connected.
        unsafe {
            let bucket = self.numbers.entry(self.of.hash(value.datum())).or_default();
            let is_equal = |(other, _): &&(OwnedValue, usize)| {
                self.of.are_equal(other.value().datum(), value.datum())
            };
            if let Some(&(_, number)) = bucket.iter().find(is_equal) {
                return Ok(number);
            }
            bucket.push((OwnedValue::copy(value), next));
        }
        self.count += 1;
        Ok(next)
    }
}
