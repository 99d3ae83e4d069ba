//! What a scan looks for, by its keys: rows in order of distance from a query, those inside of a
//! sphere, or both.

#![allow(unsafe_code)] // reads the keys of a scan

use std::ptr;

use pgrx::PgSqlErrorCode::ERRCODE_INVALID_OBJECT_DEFINITION;
use pgrx::pg_sys::{self, Datum, IndexScanDescData, InvalidOid, Oid, Relation, ScanKeyData};

use super::opclass::ORDER_STRATEGY;
use crate::pg::error::Report;
use crate::pg::relation;
use crate::pg::varlena::Detoasted;
use crate::types::sphere::{Range, Sphere};

/// What a scan looks for.
pub struct Target {
    /// The operator of distance, and the query.
    pub order: ScanKeyData,
    /// Distances from the query, none where all rows are wanted.
    pub range: Option<Range>,
    /// Whether rows are wanted in order.
    pub ordered: bool,
    /// Whether the executor has to look whether a row is wanted.
    pub recheck: bool,
    /// What `order` points to, where that is not a key of the scan.
    _center: Option<Value>,
}

impl Target {
    /// What the keys of a scan ask for; none where there is no key.
    ///
    /// # Safety
    /// `desc` is a scan of an open index, and has its keys.
    pub unsafe fn of(desc: &IndexScanDescData) -> Result<Option<Self>, Report> {
        // SAFETY: there are as many keys as the scan says; the argument of a search operator is a
        // sphere, that of the distance a vector.
        unsafe {
            let order = desc.orderByData.as_ref().filter(|_| desc.numberOfOrderBys > 0);
            let Some(key) = desc.keyData.as_ref().filter(|_| desc.numberOfKeys > 0) else {
                return Ok(order.map(|order| Self::ordered(order, None, false)));
            };
            let recheck = desc.numberOfKeys > 1;
            let sphere =
                if is_null(key) { None } else { Sphere::from_datum(key.sk_argument)?.known() };
            let Some((center, range)) = sphere else {
                let nothing = order.unwrap_or(key);
                return Ok(Some(Self::ordered(nothing, Some(Range::EMPTY), recheck)));
            };
            let center = Value::copy(center);
            Ok(Some(match order {
                Some(order) if !is_null(order) && center == Value::copy(order.sk_argument) => {
                    Self::ordered(order, Some(range), recheck)
                }
                // Distances from another query say nothing of those from the center.
                Some(order) => Self::ordered(order, None, true),
                None => {
                    let mut order = distance_from(desc, center.datum())?;
                    order.sk_collation = key.sk_collation;
                    Self {
                        order,
                        range: Some(range),
                        ordered: false,
                        recheck,
                        _center: Some(center),
                    }
                }
            }))
        }
    }

    /// Rows in order of the distance from the argument of `order`.
    pub fn ordered(order: &ScanKeyData, range: Option<Range>, recheck: bool) -> Self {
        Self { order: *order, range, ordered: true, recheck, _center: None }
    }

    /// Rows that fulfill the condition of `key`, without an order.
    pub fn unordered(key: &ScanKeyData, recheck: bool) -> Self {
        Self { ordered: false, ..Self::ordered(key, None, recheck) }
    }

    /// The query; none where it is NULL.
    pub fn query(&self) -> Option<Datum> {
        (!is_null(&self.order)).then_some(self.order.sk_argument)
    }

    /// Whether no row can be inside.
    pub fn is_empty(&self) -> bool {
        self.range == Some(Range::EMPTY)
    }
}

fn is_null(key: &ScanKeyData) -> bool {
    key.sk_flags & pg_sys::SK_ISNULL as i32 != 0
}

/// The key of a scan that would order by the distance from `center`.
///
/// # Safety
/// `desc` is a scan of an open index.
unsafe fn distance_from(desc: &IndexScanDescData, center: Datum) -> Result<ScanKeyData, Report> {
    // SAFETY: the index has a first column; a zeroed key is one without flags.
    unsafe {
        let index = desc.indexRelation;
        let function = distance_function(index)?;
        let mut key = std::mem::zeroed::<ScanKeyData>();
        key.sk_attno = 1;
        key.sk_argument = center;
        let scan = pg_sys::GetMemoryChunkContext(ptr::from_ref(desc).cast_mut().cast());
        pg_sys::fmgr_info_cxt(function, &raw mut key.sk_func, scan);
        Ok(key)
    }
}

/// The function of the operator that rows of an index are ordered by.
///
/// # Safety
/// `index` is an open index.
unsafe fn distance_function(index: Relation) -> Result<Oid, Report> {
    // SAFETY: the index has a first column.
    unsafe {
        let (family, of) = (*(*index).rd_opfamily, *(*index).rd_opcintype);
        let operator = pg_sys::get_opfamily_member(family, of, of, ORDER_STRATEGY);
        if operator == InvalidOid {
            let method = relation::access_method(index);
            let message = format!("operator class has no distance for access method \"{method}\"");
            return Err(Report::new(ERRCODE_INVALID_OBJECT_DEFINITION, message));
        }
        Ok(pg_sys::get_opcode(operator))
    }
}

/// A copy of a value of variable length, aligned as PostgreSQL does.
#[derive(PartialEq)]
struct Value(Box<[u64]>);

impl Value {
    /// # Safety
    /// `datum` is a non-null value of a type of variable length.
    unsafe fn copy(datum: Datum) -> Self {
        // SAFETY: the header of `datum` tells its size; the copy has room for all bytes of the value.
        unsafe {
            let value = Detoasted::from_datum(datum);
            let bytes = value.size();
            let mut copy = vec![0_u64; bytes.div_ceil(size_of::<u64>())];
            ptr::copy_nonoverlapping(value.as_ptr().cast(), copy.as_mut_ptr().cast::<u8>(), bytes);
            Self(copy.into_boxed_slice())
        }
    }

    fn datum(&self) -> Datum {
        Datum::from(self.0.as_ptr())
    }
}
