//! One-dimensional arrays of SQL.
//!
//! Layout of an array without nulls: length word, number of dimensions, offset of the items (0:
//! right behind the header), element type, length, lower bound, each an `i32`; then the items.

#![allow(unsafe_code)] // calls into PostgreSQL

use std::marker::PhantomData;
use std::ptr;

use memory::Grow;
use pgrx::PgSqlErrorCode::{ERRCODE_DATA_CORRUPTED, ERRCODE_DATA_EXCEPTION};
use pgrx::pg_sys::{self, Datum, Oid};
use pgrx::prelude::FromDatum;

use super::catalog::{array_type, element_type};
use super::error::Report;
use super::function::{Args, Argument, Return};
use super::value::{OwnedValue, SqlValue};
use super::varlena::{Detoasted, Plain, VARHDRSZ, VarlenaBuf};

/// Number of dimensions, offset of the items, element type: the fixed part of the header.
const N_FIXED: usize = 3;
/// Bytes before the items of a one-dimensional array without nulls.
const HEADER_1D: usize = VARHDRSZ + (N_FIXED + 2) * size_of::<i32>();

/// A type of fixed length that arrays can hold.
pub trait Item: Plain {
    /// Its SQL type.
    const OID: Oid;
}

impl Item for i32 {
    const OID: Oid = pg_sys::INT4OID;
}

impl Item for f32 {
    const OID: Oid = pg_sys::FLOAT4OID;
}

impl Item for f64 {
    const OID: Oid = pg_sys::FLOAT8OID;
}

/// An array argument of any element type.
pub struct ArrayRef<'a> {
    value: Detoasted<'a>,
    n_dims: i32,
    items_at: usize,
    item_type: Oid,
    len: usize,
}

impl ArrayRef<'_> {
    /// 0 for an empty array.
    pub fn n_dims(&self) -> i32 {
        self.n_dims
    }

    /// Number of items of an array of at most one dimension.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Type of the items.
    pub fn item_type(&self) -> Oid {
        self.item_type
    }

    /// Whether an item is null.
    pub fn has_nulls(&self) -> bool {
        // SAFETY: a plain array value.
        unsafe { pg_sys::array_contains_nulls(self.value.as_ptr().cast()) }
    }

    /// Whether the array carries a null bitmap (which may have no null in it).
    pub fn has_null_bitmap(&self) -> bool {
        self.items_at != HEADER_1D
    }

    /// The items of an array of one dimension that has no nulls.
    pub fn items<T: Item>(&self) -> Result<&[T], Report> {
        debug_assert!(self.item_type == T::OID && self.n_dims <= 1);
        self.value.slice(self.items_at, self.len).ok_or_else(corrupted)
    }

    /// The items of a `numeric[]` of one dimension that has no nulls, each as `real`.
    pub fn numerics_as_f32(&self) -> Result<Vec<f32>, Report> {
        debug_assert!(self.item_type == pg_sys::NUMERICOID);
        let mut datums: *mut Datum = ptr::null_mut();
        let mut n = 0;
        // SAFETY: the array's items are `numeric`: any length, by reference, aligned as int.
        // The datums point into the array, which lives longer than they.
        unsafe {
            pg_sys::deconstruct_array(
                self.value.as_ptr().cast(),
                pg_sys::NUMERICOID,
                -1,
                false,
                pg_sys::TYPALIGN_INT as _,
                &raw mut datums,
                ptr::null_mut(),
                &raw mut n,
            );
            let items = (0..self.len)
                .map(|i| {
                    let arg = [Some(*datums.add(i))];
                    let real = pgrx::direct_function_call_as_datum(pg_sys::numeric_float4, &arg);
                    real.and_then(|real| f32::from_datum(real, false)).ok_or_else(corrupted)
                })
                .collect();
            pg_sys::pfree(datums.cast());
            items
        }
    }

    /// The array as `int[]` of modifiers of a type (`vector(3)` has `{3}`).
    pub fn typmods(&self) -> Vec<i32> {
        let mut n = 0;
        // SAFETY: a plain `cstring[]`; the result is an array of `n` integers.
        unsafe {
            let typmods = pg_sys::ArrayGetIntegerTypmods(self.value.as_ptr().cast(), &raw mut n);
            (0..usize::try_from(n).unwrap_or(0)).map(|i| *typmods.add(i)).collect()
        }
    }
}

impl<'a> Argument<'a> for ArrayRef<'a> {
    fn take(args: &mut Args<'a>) -> Result<ArrayRef<'a>, Report> {
        let value = Detoasted::take(args)?;
        let fixed = value.slice::<i32>(VARHDRSZ, N_FIXED).ok_or_else(corrupted)?;
        let (n_dims, item_type) = (fixed[0], Oid::from(fixed[2] as u32));
        let items_at = match fixed[1] {
            0 => HEADER_1D,
            offset => usize::try_from(offset).map_err(|_| corrupted())?,
        };
        let len = match n_dims {
            0 => 0,
            _ => value.slice::<i32>(VARHDRSZ + N_FIXED * 4, 1).ok_or_else(corrupted)?[0],
        };
        let len = usize::try_from(len).map_err(|_| corrupted())?;
        Ok(ArrayRef { value, n_dims, items_at, item_type, len })
    }
}

/// A `text[]` of any dimensions without nulls, as a list.
pub struct Texts(pub Vec<String>);

impl Argument<'_> for Texts {
    fn take(args: &mut Args) -> Result<Texts, Report> {
        let array: ArrayRef = args.take()?;
        if array.item_type != pg_sys::TEXTOID {
            return Err(Report::internal("argument is not an array of texts"));
        }
        // SAFETY: the items are texts.
        unsafe { read_texts(&array.value, false) }.map(Texts)
    }
}

impl Return for Texts {
    fn into_datum(self, args: &Args) -> Result<Datum, Report> {
        let texts = self.0.into_iter().map(|text| text.into_datum(args));
        let mut datums = texts.collect::<Result<Vec<Datum>, Report>>()?;
        let n = i32::try_from(datums.len())
            .map_err(|_| Report::new(ERRCODE_DATA_EXCEPTION, "array is too large"))?;
        // SAFETY: as many values of type `text`, which are copied.
        let array = unsafe {
            let align = pg_sys::TYPALIGN_INT as _;
            pg_sys::construct_array(datums.as_mut_ptr(), n, pg_sys::TEXTOID, -1, false, align)
        };
        Ok(Datum::from(array))
    }
}

/// An array of one dimension, of the type that the function returns; none is NULL.
pub struct Nullable<T>(pub Vec<Option<T>>);

impl<T: Return> Return for Nullable<T> {
    fn into_datum(self, args: &Args) -> Result<Datum, Report> {
        let too_large = || Report::new(ERRCODE_DATA_EXCEPTION, "array is too large");
        let of = element_type(args.result_type())
            .ok_or_else(|| Report::internal("function does not return an array"))?;
        let mut length = i32::try_from(self.0.len()).map_err(|_| too_large())?;
        let (mut datums, mut nulls) =
            (memory::with_room(self.0.len())?, memory::with_room(self.0.len())?);
        for item in self.0 {
            nulls.push(item.is_none());
            datums.push(item.map_or(Ok(Datum::null()), |item| item.into_datum(args))?);
        }
        let (mut size, mut by_value, mut align, mut first) = (0, false, 0, 1);
        // An array without items has no dimension.
        let dimensions = length.min(1);
        // SAFETY: as many values and flags as are counted, of a type that the catalog describes; they
        // are copied.
        let array = unsafe {
            pg_sys::get_typlenbyvalalign(of, &raw mut size, &raw mut by_value, &raw mut align);
            pg_sys::construct_md_array(
                datums.as_mut_ptr(),
                nulls.as_mut_ptr(),
                dimensions,
                &raw mut length,
                &raw mut first,
                of,
                size.into(),
                by_value,
                align,
            )
        };
        Ok(Datum::from(array))
    }
}

/// The state of an aggregate, an array: the first argument of a transition function.
pub struct AggregateState<'a> {
    array: ArrayRef<'a>,
    own: bool,
}

impl<'a> AggregateState<'a> {
    /// The array.
    pub fn array(&self) -> &ArrayRef<'a> {
        &self.array
    }

    /// Whether an aggregate calls, so that the state is the function's own.
    pub fn is_own(&self) -> bool {
        self.own
    }

    /// The array itself, to be changed in place.
    ///
    /// # Errors
    /// Where it is not the function's own, or an array of another kind.
    pub fn into_buf<T: Item>(self) -> Result<ArrayBuf<T>, Report> {
        if !self.own || self.array.item_type != T::OID || self.array.n_dims != 1 {
            return Err(Report::internal("state of an aggregate cannot be changed"));
        }
        let ArrayRef { value, items_at, len, .. } = self.array;
        // SAFETY: an aggregate leaves its state to the transition function, and to nobody else; the
        // view of it has just ended.
        let value = unsafe { VarlenaBuf::from_raw(value.into_raw()) };
        Ok(ArrayBuf { value, items_at, len, item: PhantomData })
    }
}

impl<'a> Argument<'a> for AggregateState<'a> {
    fn take(args: &mut Args<'a>) -> Result<AggregateState<'a>, Report> {
        let own = args.is_aggregate_state();
        Ok(AggregateState { array: args.take()?, own })
    }
}

/// An array of one dimension under construction, or the state of an aggregate.
pub struct ArrayBuf<T> {
    value: VarlenaBuf,
    items_at: usize,
    len: usize,
    item: PhantomData<T>,
}

impl<T: Item> ArrayBuf<T> {
    /// `len` zeros, at least one.
    pub fn zeroed(len: usize) -> Result<ArrayBuf<T>, Report> {
        let too_large = || Report::new(ERRCODE_DATA_EXCEPTION, "array is too large");
        let bytes = len.checked_mul(size_of::<T>()).ok_or_else(too_large)?;
        let mut value = VarlenaBuf::zeroed(HEADER_1D.saturating_add(bytes))?;
        let header = [1, 0, T::OID.to_u32() as i32, len as i32, 1];
        value.slice_mut(VARHDRSZ, header.len()).copy_from_slice(&header);
        Ok(ArrayBuf { value, items_at: HEADER_1D, len, item: PhantomData })
    }

    /// The items.
    pub fn items_mut(&mut self) -> &mut [T] {
        self.value.slice_mut(self.items_at, self.len)
    }
}

impl<T> Return for ArrayBuf<T> {
    fn into_datum(self, args: &Args) -> Result<Datum, Report> {
        self.value.into_datum(args)
    }
}

fn corrupted() -> Report {
    Report::new(ERRCODE_DATA_CORRUPTED, "invalid array")
}

/// An array of one dimension, in the current memory context.
///
/// # Errors
/// Where an item is not of type `of`, there are too many, or there is no memory.
pub fn array<'a>(items: impl Iterator<Item = SqlValue<'a>>, of: Oid) -> Result<OwnedValue, Report> {
    let mut datums = Vec::new();
    for item in items {
        if item.of() != of {
            return Err(Report::internal("items of an array are of another type"));
        }
        datums.try_push(item.datum())?;
    }
    let count = i32::try_from(datums.len())
        .map_err(|_| Report::new(ERRCODE_DATA_EXCEPTION, "array is too large"))?;
    let (mut length, mut by_value, mut align) = (0, false, 0);
    // SAFETY: there are as many items as are counted, of a type that the catalog describes.
    unsafe {
        pg_sys::get_typlenbyvalalign(of, &raw mut length, &raw mut by_value, &raw mut align);
        let (datums, length) = (datums.as_mut_ptr(), i32::from(length));
        let array = pg_sys::construct_array(datums, count, of, length, by_value, align);
        Ok(OwnedValue::of_call(array_type(of), Datum::from(array)))
    }
}

/// The items of an array, of any shape, of a type of variable length, in their order; none for
/// NULL.
pub struct Items<'a>(pub Vec<Option<Detoasted<'a>>>);

impl<'a> Argument<'a> for Items<'a> {
    fn take(args: &mut Args<'a>) -> Result<Items<'a>, Report> {
        let array: Detoasted = args.take()?;
        let array = array.into_raw().as_ptr().cast::<pg_sys::ArrayType>();
        let (mut length, mut by_value, mut align) = (0, false, 0);
        let (mut items, mut nulls, mut count) = (ptr::null_mut(), ptr::null_mut(), 0);
        // SAFETY: SQL declares the argument as an array; as many items and flags come back as are
        // counted. They point into the array, which lives as long as the call.
        unsafe {
            let of = (*array).elemtype;
            pg_sys::get_typlenbyvalalign(of, &raw mut length, &raw mut by_value, &raw mut align);
            if length != -1 {
                return Err(Report::internal("items of an array are not of variable length"));
            }
            pg_sys::deconstruct_array(
                array,
                of,
                length.into(),
                by_value,
                align,
                &raw mut items,
                &raw mut nulls,
                &raw mut count,
            );
            let count = usize::try_from(count).unwrap_or(0);
            let item = |n| (!*nulls.add(n)).then(|| Detoasted::from_datum(*items.add(n)));
            Ok(Items(memory::collected((0..count).map(item))?))
        }
    }
}

impl Items<'_> {
    /// The items of a `text[]`, in their order; none for NULL.
    ///
    /// # Errors
    /// If one is no text, or there is no memory for them.
    pub fn texts(&self) -> Result<Vec<Option<String>>, Report> {
        let mut texts = memory::with_room(self.0.len())?;
        for item in &self.0 {
            texts.push(item.as_ref().map(Detoasted::text).transpose()?);
        }
        Ok(texts)
    }
}

/// The texts of a `text[]`, without NULLs.
///
/// # Errors
/// If one is no text.
///
/// # Safety
/// `datum` is a non-null value of type `text[]`.
pub unsafe fn texts(datum: Datum) -> Result<Vec<String>, Report> {
    // SAFETY: a `text[]`.
    unsafe { read_texts(&Detoasted::from_datum(datum), true) }
}

/// The texts of a `text[]`. NULLs are left out, or PostgreSQL raises an error for one.
///
/// # Safety
/// `array` is a `text[]`.
unsafe fn read_texts(array: &Detoasted, leaves_out_nulls: bool) -> Result<Vec<String>, Report> {
    let (mut items, mut nulls, mut n): (*mut Datum, *mut bool, i32) =
        (ptr::null_mut(), ptr::null_mut(), 0);
    // SAFETY: the items are of any length, by reference, aligned as int. They point into the array,
    // which outlives them; the nulls, if they are asked for, are as many.
    unsafe {
        pg_sys::deconstruct_array(
            array.as_ptr().cast(),
            pg_sys::TEXTOID,
            -1,
            false,
            pg_sys::TYPALIGN_INT as _,
            &raw mut items,
            if leaves_out_nulls { &raw mut nulls } else { ptr::null_mut() },
            &raw mut n,
        );
        let is_known = |&i: &usize| nulls.is_null() || !*nulls.add(i);
        let known = (0..usize::try_from(n).unwrap_or(0)).filter(is_known);
        let texts = known.map(|i| Detoasted::from_datum(*items.add(i)).text()).collect();
        pg_sys::pfree(items.cast());
        if !nulls.is_null() {
            pg_sys::pfree(nulls.cast());
        }
        texts
    }
}
