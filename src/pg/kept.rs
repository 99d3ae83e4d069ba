//! Values of queries' rows, kept beyond the query, and their order.

#![allow(unsafe_code)] // calls into PostgreSQL

use std::cmp::Ordering;
use std::thread;

use pgrx::pg_sys::{self, Datum, Oid, TypeCacheEntry};

/// A value that is not NULL, in memory that outlives the connection it came by.
pub struct Kept {
    datum: Datum,
    by_reference: bool,
}

impl Kept {
    /// Copies a value.
    ///
    /// # Safety
    /// `datum` is of type `of`; SPI is connected.
    pub unsafe fn keep(datum: Datum, of: Oid) -> Kept {
        let (mut length, mut by_value) = (0, false);
        // SAFETY: look-ups of a type that there is; the copy is made as its row of the catalog says.
        unsafe {
            pg_sys::get_typlenbyval(of, &raw mut length, &raw mut by_value);
            let datum = pg_sys::SPI_datumTransfer(datum, by_value, length.into());
            Kept { datum, by_reference: !by_value }
        }
    }

    /// The value, as long as `self` lives.
    pub fn datum(&self) -> Datum {
        self.datum
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        // The end of a failed transaction frees all.
        if self.by_reference && !thread::panicking() {
            // SAFETY: a copy that nobody else has.
            unsafe { pg_sys::pfree(self.datum.cast_mut_ptr()) };
        }
    }
}

/// The order of several values, one after the other, as `ORDER BY` has it.
pub struct Order(Vec<(*mut TypeCacheEntry, Oid)>);

impl Order {
    /// The order of values of these types, each with its collation; a type without an order does not
    /// count.
    pub fn of(types: impl IntoIterator<Item = (Oid, Oid)>) -> Order {
        let entry = |(of, collation)| {
            // SAFETY: a look-up; what it gives is kept for the session.
            let entry =
                unsafe { pg_sys::lookup_type_cache(of, pg_sys::TYPECACHE_CMP_PROC_FINFO as i32) };
            (entry, collation)
        };
        Order(types.into_iter().map(entry).collect())
    }

    /// Compares two rows of values, which are of the types; NULL comes last.
    pub fn compare(&self, a: &[Option<Kept>], b: &[Option<Kept>]) -> Ordering {
        let one = |&(entry, collation): &(*mut TypeCacheEntry, Oid), a: &Kept, b: &Kept| {
            // SAFETY: the entry lives as long as the session, and its function compares such values.
            unsafe {
                let function = &raw mut (*entry).cmp_proc_finfo;
                if (*function).fn_oid == Oid::INVALID {
                    return Ordering::Equal;
                }
                let sign = pg_sys::FunctionCall2Coll(function, collation, a.datum, b.datum);
                (sign.value() as i32).cmp(&0)
            }
        };
        let pairs = self.0.iter().zip(a.iter().zip(b));
        pairs.fold(Ordering::Equal, |order, (of, pair)| {
            order.then_with(|| match pair {
                (Some(a), Some(b)) => one(of, a, b),
                (a, b) => a.is_none().cmp(&b.is_none()),
            })
        })
    }
}
