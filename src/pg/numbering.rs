//! Values told apart as `GROUP BY` does.

#![allow(unsafe_code)] // calls into PostgreSQL

use std::collections::HashMap;
use std::marker::PhantomData;

use pgrx::pg_sys::{self, Datum, Oid, TypeCacheEntry};

use super::encoding::decode_c;
use super::error::Report;
use super::relation::quoted;
use super::spi::Connection;

/// Gives numbers to the values of a type, from 0; equal values have one number, and NULL has one.
pub struct Numbering<'a> {
    of: Type,
    numbers: HashMap<u32, Vec<(Datum, usize)>>,
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

    /// The operator of equality, as a statement names it whatever the search path is.
    ///
    /// # Errors
    /// Where the schema's name is no text.
    pub fn equality(self) -> Result<String, Report> {
        // SAFETY: an operator that there is, and that its row of the catalog says the schema of.
        unsafe {
            let operator = (*self.entry).eq_opr;
            let cache = pg_sys::SysCacheIdentifier::OPEROID as i32;
            let row = pg_sys::SearchSysCache1(cache, Datum::from(operator));
            let column = pg_sys::Anum_pg_operator_oprnamespace as i16;
            let mut null = false;
            let schema = pg_sys::SysCacheGetAttr(cache, row, column, &raw mut null);
            pg_sys::ReleaseSysCache(row);
            let schema = pg_sys::get_namespace_name(Oid::from(schema.value() as u32));
            let (schema, name) = (decode_c(schema)?, decode_c(pg_sys::get_opname(operator))?);
            Ok(format!("OPERATOR({}.{name})", quoted(&schema)))
        }
    }

    /// # Safety
    /// `value` is of the type.
    unsafe fn hash(self, value: Datum) -> u32 {
        // SAFETY: the caller's promise. Without a function, all values are compared.
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
        // SAFETY: the caller's promise; a type that is ordered has the function.
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
    /// # Safety
    /// `value` is of the type, or of a domain over it.
    pub unsafe fn number(&mut self, value: Option<Datum>) -> usize {
        let next = self.count;
        let Some(value) = value else {
            let null = *self.null.get_or_insert(next);
            self.count += usize::from(null == next);
            return null;
        };
        let Type { entry, .. } = self.of;
        // SAFETY: the caller's promise; a copy is in memory that outlives the connection.
        unsafe {
            let alike = self.numbers.entry(self.of.hash(value)).or_default();
            if let Some((_, number)) = alike.iter().find(|(v, _)| self.of.are_equal(*v, value)) {
                return *number;
            }
            let copy = pg_sys::SPI_datumTransfer(value, (*entry).typbyval, (*entry).typlen.into());
            alike.push((copy, next));
        }
        self.count += 1;
        next
    }

    /// The number of NULL, if it has come.
    pub fn null(&self) -> Option<usize> {
        self.null
    }

    /// The type of the values.
    pub fn of(&self) -> Oid {
        self.of.oid
    }
}
