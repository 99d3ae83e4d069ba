//! Values of variable length: reading one that came as a datum, building one to give back.

#![allow(unsafe_code)] // datums are raw pointers

use std::marker::PhantomData;
use std::mem;
use std::ptr::NonNull;
use std::slice;

use pgrx::PgSqlErrorCode::ERRCODE_PROGRAM_LIMIT_EXCEEDED;
use pgrx::pg_sys::{self, Datum, varlena};
use pgrx::varlena::{set_varsize_4b, varatt_is_4b_u, varsize_4b};

use super::encoding::decode;
use super::error::Report;
use super::function::{Args, Argument, Return};

/// Bytes of the length word that begins every value of variable length.
pub const VARHDRSZ: usize = pg_sys::VARHDRSZ;

/// Most bytes of a value: PostgreSQL's `MaxAllocSize`.
const MAX_SIZE: usize = (1 << 30) - 1;

/// Types of which any bytes are a value, and which hold no pointer and no padding.
///
/// # Safety
/// Only for plain numbers.
pub unsafe trait Plain: Copy {}
// SAFETY: plain numbers.
unsafe impl Plain for u8 {}
// SAFETY: as above.
unsafe impl Plain for i8 {}
// SAFETY: as above.
unsafe impl Plain for u16 {}
// SAFETY: as above.
unsafe impl Plain for i32 {}
// SAFETY: as above.
unsafe impl Plain for u32 {}
// SAFETY: as above.
unsafe impl Plain for f32 {}
// SAFETY: as above.
unsafe impl Plain for f64 {}
// SAFETY: as above; both are `u16` inside.
unsafe impl Plain for half::f16 {}
// SAFETY: as above.
unsafe impl Plain for half::bf16 {}

/// A value with a plain 4-byte header: the datum itself where it is stored so, else a copy
/// (fetched from TOAST, unpacked from a short header) that is freed on drop.
pub struct Detoasted<'a> {
    ptr: NonNull<varlena>,
    copied: bool,
    call: PhantomData<&'a ()>,
}

impl<'a> Detoasted<'a> {
    /// # Safety
    /// `datum` is a non-null value of a type of variable length that lives during `'a`.
    #[inline(always)]
    pub unsafe fn from_datum(datum: Datum) -> Detoasted<'a> {
        let stored = datum.cast_mut_ptr::<varlena>();
        // SAFETY: the first byte of the value says how the rest is stored.
        unsafe {
            if varatt_is_4b_u(stored) {
                let ptr = NonNull::new_unchecked(stored);
                Detoasted { ptr, copied: false, call: PhantomData }
            } else {
                Detoasted::fetch(stored)
            }
        }
    }

    /// # Safety
    /// As [`from_datum`](Self::from_datum).
    #[cold]
    unsafe fn fetch(stored: *mut varlena) -> Detoasted<'a> {
        // SAFETY: PostgreSQL gives either its argument or a fresh allocation, never null.
        let ptr = unsafe { NonNull::new_unchecked(pg_sys::pg_detoast_datum(stored)) };
        Detoasted { ptr, copied: ptr.as_ptr() != stored, call: PhantomData }
    }

    /// Bytes of the whole value, its length word included.
    #[inline]
    pub fn size(&self) -> usize {
        // SAFETY: the header is a plain 4-byte one.
        unsafe { varsize_4b(self.ptr.as_ptr()) }
    }

    /// `n` numbers from byte `offset` of the value on; `None` where they would end behind it or
    /// be misaligned.
    #[inline]
    pub fn slice<T: Plain>(&self, offset: usize, n: usize) -> Option<&[T]> {
        let end = n.checked_mul(size_of::<T>())?.checked_add(offset)?;
        if end > self.size() {
            return None;
        }
        // SAFETY: within the value, as just checked.
        let start = unsafe { self.ptr.cast::<u8>().add(offset) }.cast::<T>();
        // SAFETY: in bounds, aligned, any bytes are a `T`; the value lives as long as `self`.
        start.is_aligned().then(|| unsafe { slice::from_raw_parts(start.as_ptr(), n) })
    }

    /// The value as a text.
    ///
    /// # Errors
    /// If it is no text.
    pub fn text(&self) -> Result<String, Report> {
        decode(self.slice::<u8>(VARHDRSZ, self.size() - VARHDRSZ).unwrap_or_default())
    }

    /// The start of the value, its length word.
    #[inline]
    pub fn as_ptr(&self) -> *mut varlena {
        self.ptr.as_ptr()
    }

    /// Gives the value up without freeing it.
    pub fn into_raw(self) -> NonNull<varlena> {
        let ptr = self.ptr;
        mem::forget(self);
        ptr
    }
}

impl Drop for Detoasted<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        if self.copied {
            // SAFETY: the copy is ours, and nothing borrows from `self` any more.
            unsafe { pg_sys::pfree(self.ptr.as_ptr().cast()) };
        }
    }
}

impl<'a> Argument<'a> for Detoasted<'a> {
    #[inline(always)]
    fn take(args: &mut Args<'a>) -> Result<Detoasted<'a>, Report> {
        let datum = args.datum()?;
        // SAFETY: SQL declares the argument as a type of variable length; it outlives the call.
        Ok(unsafe { Detoasted::from_datum(datum) })
    }
}

impl Return for Detoasted<'_> {
    fn into_datum(self, _: &Args) -> Result<Datum, Report> {
        Ok(Datum::from(self.into_raw().as_ptr()))
    }
}

/// A value under construction in the current memory context, which frees it.
pub struct VarlenaBuf(NonNull<varlena>);

impl VarlenaBuf {
    /// A value of `size` bytes, its length word included; all other bytes are zero.
    pub fn zeroed(size: usize) -> Result<VarlenaBuf, Report> {
        if !(VARHDRSZ..=MAX_SIZE).contains(&size) {
            let message = format!("value of {size} bytes is too large");
            return Err(Report::new(ERRCODE_PROGRAM_LIMIT_EXCEEDED, message));
        }
        // SAFETY: `palloc0` gives `size` zeroed bytes, aligned for any number, or raises.
        unsafe {
            let ptr = NonNull::new_unchecked(pg_sys::palloc0(size).cast::<varlena>());
            set_varsize_4b(ptr.as_ptr(), size as i32);
            Ok(VarlenaBuf(ptr))
        }
    }

    /// # Safety
    /// `ptr` is a value with a plain 4-byte header that nobody else reads or writes.
    pub unsafe fn from_raw(ptr: NonNull<varlena>) -> VarlenaBuf {
        VarlenaBuf(ptr)
    }

    /// Bytes of the whole value, its length word included.
    pub fn size(&self) -> usize {
        // SAFETY: the header is a plain 4-byte one.
        unsafe { varsize_4b(self.0.as_ptr()) }
    }

    /// `n` numbers from byte `offset` of the value on.
    ///
    /// # Panics
    /// If they would touch the length word, end behind the value or be misaligned.
    pub fn slice_mut<T: Plain>(&mut self, offset: usize, n: usize) -> &mut [T] {
        let end = n.checked_mul(size_of::<T>()).and_then(|bytes| bytes.checked_add(offset));
        assert!(offset >= VARHDRSZ && end.is_some_and(|end| end <= self.size()));
        // SAFETY: within the value, as just checked.
        let start = unsafe { self.0.cast::<u8>().add(offset) }.cast::<T>();
        assert!(start.is_aligned());
        // SAFETY: in bounds, aligned, any bytes are a `T`; `self` is borrowed mutably.
        unsafe { slice::from_raw_parts_mut(start.as_ptr(), n) }
    }
}

impl Return for VarlenaBuf {
    #[inline]
    fn into_datum(self, _: &Args) -> Result<Datum, Report> {
        Ok(Datum::from(self.0.as_ptr()))
    }
}
