//! Values of SQL with their types: borrowed ones, and owned copies.

#![allow(unsafe_code)] // calls into PostgreSQL

use std::cmp::Ordering;
use std::marker::PhantomData;
use std::thread;

use pgrx::pg_sys::{self, Datum, Oid, TypeCacheEntry};

use super::catalog::base_type;
use super::encoding::decode_c;
use super::error::Report;
use super::varlena::{Detoasted, VARHDRSZ};

/// A value that is not NULL, and lives during `'a`.
#[derive(Clone, Copy)]
pub struct SqlValue<'a> {
    of: Oid,
    datum: Datum,
    life: PhantomData<&'a Datum>,
}

impl From<Oid> for SqlValue<'_> {
    fn from(oid: Oid) -> Self {
        SqlValue { of: pg_sys::OIDOID, datum: Datum::from(oid), life: PhantomData }
    }
}

impl From<i32> for SqlValue<'_> {
    fn from(number: i32) -> Self {
        SqlValue { of: pg_sys::INT4OID, datum: Datum::from(number), life: PhantomData }
    }
}

impl<'a> SqlValue<'a> {
    /// A value as it is in memory.
    ///
    /// # Safety
    /// `datum` is a non-null value of type `of` that lives during `'a`.
    pub unsafe fn new(of: Oid, datum: Datum) -> Self {
        SqlValue { of, datum, life: PhantomData }
    }

    /// The type.
    pub fn of(self) -> Oid {
        self.of
    }

    /// As it is in memory.
    pub fn datum(self) -> Datum {
        self.datum
    }

    /// The same as a value of the type that its type is a domain over, if that is one.
    pub fn of_base_type(self) -> Self {
        SqlValue { of: base_type(self.of), ..self }
    }

    /// A `double precision`; none of another type.
    pub fn double(self) -> Option<f64> {
        (self.of == pg_sys::FLOAT8OID).then(|| f64::from_bits(self.datum.value() as u64))
    }

    /// A `real`; none of another type.
    pub fn real(self) -> Option<f32> {
        // The lower half of the datum is the number.
        (self.of == pg_sys::FLOAT4OID).then(|| f32::from_bits(self.datum.value() as u32))
    }

    /// The value as text.
    ///
    /// # Errors
    /// Where the text cannot be converted.
    pub fn text(self) -> Result<String, Report> {
        let (mut function, mut is_varlena) = (Oid::INVALID, false);
        // SAFETY: the type's own output function, which gives a string that ends with NUL.
        unsafe {
            pg_sys::getTypeOutputInfo(self.of, &raw mut function, &raw mut is_varlena);
            decode_c(pg_sys::OidOutputFunctionCall(function, self.datum))
        }
    }

    /// The value as its type sends it.
    ///
    /// # Errors
    /// If there is no memory.
    pub fn binary(self) -> memory::Result<Vec<u8>> {
        let (mut function, mut is_varlena) = (Oid::INVALID, false);
        // SAFETY: the type's own send function, which gives a `bytea`.
        unsafe {
            pg_sys::getTypeBinaryOutputInfo(self.of, &raw mut function, &raw mut is_varlena);
            let sent = pg_sys::OidSendFunctionCall(function, self.datum);
            let sent = Detoasted::from_datum(Datum::from(sent));
            memory::copied(sent.slice(VARHDRSZ, sent.size() - VARHDRSZ).unwrap_or_default())
        }
    }
}

/// A value that is not NULL, in memory of the call.
pub struct OwnedValue {
    value: SqlValue<'static>,
    /// Whether it is a copy to be freed.
    is_copy: bool,
}

impl OwnedValue {
    /// Copies a value to memory that outlives the connection it came by.
    ///
    /// # Safety
    /// SPI is connected.
    pub unsafe fn copy(SqlValue { of, datum, .. }: SqlValue) -> OwnedValue {
        let (mut length, mut by_value) = (0, false);
        // SAFETY: the copy is made as the row of the type in the catalog says.
        unsafe {
            pg_sys::get_typlenbyval(of, &raw mut length, &raw mut by_value);
            let datum = pg_sys::SPI_datumTransfer(datum, by_value, length.into());
            OwnedValue { value: SqlValue::new(of, datum), is_copy: !by_value }
        }
    }

    /// Takes a value that lies in memory of the call, which frees it.
    ///
    /// # Safety
    /// `datum` is a non-null value of type `of` in this memory, and the result does not outlive the
    /// call.
    pub unsafe fn of_call(of: Oid, datum: Datum) -> OwnedValue {
        // SAFETY: `datum` is a value of type `of`, in memory that the call frees.
        OwnedValue { value: unsafe { SqlValue::new(of, datum) }, is_copy: false }
    }

    /// The value, as long as `self` lives.
    pub fn value(&self) -> SqlValue<'_> {
        self.value
    }
}

impl Drop for OwnedValue {
    fn drop(&mut self) {
        // The end of a failed transaction frees all.
        if self.is_copy && !thread::panicking() {
            // SAFETY: a copy that nobody else has.
            unsafe { pg_sys::pfree(self.value.datum.cast_mut_ptr()) };
        }
    }
}

/// The order of several values, one after the other, as `ORDER BY` has it.
pub struct Order(Vec<(Oid, *mut TypeCacheEntry, Oid)>);

impl Order {
    /// The order of values of these types, each with its collation; a type without an order does
    /// not count.
    pub fn of(types: impl IntoIterator<Item = (Oid, Oid)>) -> Order {
        let entry = |(of, collation)| {
            // SAFETY: a look-up; what it gives is kept for the session.
            let entry =
                unsafe { pg_sys::lookup_type_cache(of, pg_sys::TYPECACHE_CMP_PROC_FINFO as i32) };
            (of, entry, collation)
        };
        Order(types.into_iter().map(entry).collect())
    }

    /// Compares two rows of values; NULL comes last. Values of other types than these count as
    /// equal.
    pub fn compare(&self, a: &[Option<OwnedValue>], b: &[Option<OwnedValue>]) -> Ordering {
        let one = |&(of, entry, collation): &(Oid, *mut TypeCacheEntry, Oid),
                   a: SqlValue,
                   b: SqlValue| {
            // SAFETY: the entry lives as long as the session, and its function compares such
            // values.
            unsafe {
                let function = &raw mut (*entry).cmp_proc_finfo;
                if (*function).fn_oid == Oid::INVALID || a.of != of || b.of != of {
                    return Ordering::Equal;
                }
                let sign = pg_sys::FunctionCall2Coll(function, collation, a.datum, b.datum);
                (sign.value() as i32).cmp(&0)
            }
        };
        let pairs = self.0.iter().zip(a.iter().zip(b));
        pairs.fold(Ordering::Equal, |order, (of, pair)| {
            order.then_with(|| match pair {
                (Some(a), Some(b)) => one(of, a.value(), b.value()),
                (a, b) => a.is_none().cmp(&b.is_none()),
            })
        })
    }
}
