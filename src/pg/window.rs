//! Window functions of our own that look at all rows of a partition at once.

#![allow(unsafe_code)] // calls into PostgreSQL

use std::ffi::{c_int, c_void};
use std::ptr;

use pgrx::pg_sys::ffi::pg_guard_ffi_boundary;
use pgrx::pg_sys::{Datum, WindowObjectData};

use super::error::Report;
use super::function::{Args, Argument};
use super::varlena::Detoasted;

/// `WINDOW_SEEK_HEAD` of PostgreSQL's windowapi.h.
const FROM_FIRST_ROW: c_int = 1;

unsafe extern "C-unwind" {
    // Declared in windowapi.h, which pgrx has no bindings of.
    fn WinGetPartitionLocalMemory(window: *mut WindowObjectData, size: usize) -> *mut c_void;
    fn WinGetCurrentPosition(window: *mut WindowObjectData) -> i64;
    fn WinGetPartitionRowCount(window: *mut WindowObjectData) -> i64;
    fn WinGetFuncArgInPartition(
        window: *mut WindowObjectData,
        argument: c_int,
        position: c_int,
        from: c_int,
        set_mark: bool,
        is_null: *mut bool,
        is_outside: *mut bool,
    ) -> Datum;
}

/// The partition of the row for which a window function of so many arguments is called.
pub struct Partition<const ARGUMENTS: usize>(*mut WindowObjectData);

impl<const ARGUMENTS: usize> Argument<'_> for Partition<ARGUMENTS> {
    const COUNT: usize = ARGUMENTS;
    const NULLABLE: bool = true;

    fn take(args: &mut Args) -> Result<Self, Report> {
        // PostgreSQL passes none: the partition has the values of all rows.
        for _ in 0..ARGUMENTS {
            args.optional_datum();
        }
        // SAFETY: `fcinfo` is valid; its context is null or a node, which tells its kind.
        let window: *mut WindowObjectData = unsafe {
            let context = (*args.fcinfo()).context;
            let is_window =
                !context.is_null() && (*context).type_ == pgrx::pg_sys::NodeTag::T_WindowObjectData;
            if is_window { context.cast() } else { ptr::null_mut() }
        };
        if window.is_null() {
            return Err(Report::internal("window function called as another"));
        }
        Ok(Partition(window))
    }
}

impl<const ARGUMENTS: usize> Partition<ARGUMENTS> {
    /// Number of rows.
    pub fn rows(&self) -> i64 {
        // SAFETY: the window is that of the call.
        unsafe { pg_guard_ffi_boundary(|| WinGetPartitionRowCount(self.0)) }
    }

    /// The number of the current row, from 0.
    pub fn position(&self) -> i64 {
        // SAFETY: as above.
        unsafe { pg_guard_ffi_boundary(|| WinGetCurrentPosition(self.0)) }
    }

    /// The text of an argument for a row, both counted from 0; none for NULL.
    ///
    /// # Errors
    /// If it is no text.
    pub fn text(&self, argument: i32, row: i32) -> Result<Option<String>, Report> {
        // SAFETY: SQL declares the argument as a text, which is copied.
        let text = |datum| unsafe { Detoasted::from_datum(datum) }.text();
        self.argument(argument, row).map(text).transpose()
    }

    /// The value of an argument for a row; none for NULL. It lives until the next is asked for.
    fn argument(&self, argument: i32, row: i32) -> Option<Datum> {
        let (mut is_null, mut is_outside) = (true, true);
        // SAFETY: as above; both flags have places.
        let value = unsafe {
            pg_guard_ffi_boundary(|| {
                WinGetFuncArgInPartition(
                    self.0,
                    argument,
                    row,
                    FROM_FIRST_ROW,
                    false,
                    &raw mut is_null,
                    &raw mut is_outside,
                )
            })
        };
        (!is_null && !is_outside).then_some(value)
    }

    /// Numbers that are kept for the partition: `length` zeros at first, the same number in each call.
    pub fn numbers(&mut self, length: usize) -> Result<&mut [f32], Report> {
        let size = length
            .checked_mul(size_of::<f32>())
            .ok_or_else(|| Report::internal("partition is too large"))?;
        // SAFETY: the memory is zeroed at first, lives as long as the partition, and is aligned for any
        // number. Nobody else refers to it during the call.
        unsafe {
            let memory = pg_guard_ffi_boundary(|| WinGetPartitionLocalMemory(self.0, size.max(1)));
            Ok(std::slice::from_raw_parts_mut(memory.cast(), length))
        }
    }
}
