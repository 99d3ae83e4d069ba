//! Trigger functions.

#![allow(unsafe_code)] // calls into PostgreSQL

use std::slice;

use pgrx::PgSqlErrorCode::ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED;
use pgrx::pg_sys::ffi::pg_guard_ffi_boundary;
use pgrx::pg_sys::{self, Datum, HeapTuple, TriggerData};

use super::error::Report;
use super::function::{Args, Argument, Return};

unsafe extern "C-unwind" {
    // Declared in utils/datum.h, which pgrx has no bindings of.
    fn datum_image_eq(a: Datum, b: Datum, by_value: bool, length: i32) -> bool;
}

/// The row for which a `BEFORE UPDATE` trigger is called, as it was and as it is to be.
pub struct UpdatedRow(*mut TriggerData);

impl Argument<'_> for UpdatedRow {
    const COUNT: usize = 0;

    fn take(args: &mut Args) -> Result<UpdatedRow, Report> {
        const EVENT: u32 =
            pg_sys::TRIGGER_EVENT_UPDATE | pg_sys::TRIGGER_EVENT_ROW | pg_sys::TRIGGER_EVENT_BEFORE;
        const MASK: u32 = pg_sys::TRIGGER_EVENT_OPMASK
            | pg_sys::TRIGGER_EVENT_ROW
            | pg_sys::TRIGGER_EVENT_TIMINGMASK;
        // SAFETY: `fcinfo` is valid; its context is null or a node, which tells its kind.
        unsafe {
            let context = (*args.fcinfo()).context;
            let is_trigger =
                !context.is_null() && (*context).type_ == pg_sys::NodeTag::T_TriggerData;
            let data = context.cast::<TriggerData>();
            if is_trigger && (*data).tg_event & MASK == EVENT {
                return Ok(UpdatedRow(data));
            }
        }
        Err(Report::new(
            ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED,
            "function must be called by a BEFORE UPDATE trigger for each row",
        ))
    }
}

impl UpdatedRow {
    /// The columns that the trigger names after `UPDATE OF`, in its order.
    pub fn columns(&self) -> &[i16] {
        // SAFETY: the trigger has as many numbers as it says, also none.
        unsafe {
            let trigger = (*self.0).tg_trigger;
            match usize::try_from((*trigger).tgnattr) {
                Ok(count) if count > 0 => slice::from_raw_parts((*trigger).tgattr, count),
                Ok(_) | Err(_) => &[],
            }
        }
    }

    /// Whether the update sets a column to another value, byte for byte.
    pub fn changes(&self, column: i16) -> bool {
        // SAFETY: both rows are of the table, which has the column.
        unsafe {
            match (self.value((*self.0).tg_trigtuple, column), self.new_value(column)) {
                (None, None) => false,
                (Some(old), Some(new)) => {
                    let columns = (*(*self.0).tg_relation).rd_att;
                    let of = pg_sys::SPI_gettypeid(columns, column.into());
                    let (mut length, mut by_value) = (0, false);
                    pg_sys::get_typlenbyval(of, &raw mut length, &raw mut by_value);
                    pg_guard_ffi_boundary(|| !datum_image_eq(old, new, by_value, length.into()))
                }
                (Some(_), None) | (None, Some(_)) => true,
            }
        }
    }

    /// Whether a column is to be NULL.
    pub fn is_null(&self, column: i16) -> bool {
        self.new_value(column).is_none()
    }

    /// The row that is to be.
    pub fn row(&self) -> Row {
        // SAFETY: an update has a new row.
        Row(unsafe { (*self.0).tg_newtuple })
    }

    /// The row that is to be, but for a column that is NULL.
    pub fn row_without(&self, column: i16) -> Row {
        let (number, value, is_null) = (i32::from(column), Datum::null(), true);
        // SAFETY: the row is of the table, which has the column; one value and one flag for it.
        Row(unsafe {
            pg_sys::heap_modify_tuple_by_cols(
                (*self.0).tg_newtuple,
                (*(*self.0).tg_relation).rd_att,
                1,
                (&raw const number).cast_mut(),
                (&raw const value).cast_mut(),
                (&raw const is_null).cast_mut(),
            )
        })
    }

    fn new_value(&self, column: i16) -> Option<Datum> {
        // SAFETY: an update has a new row.
        unsafe { self.value((*self.0).tg_newtuple, column) }
    }

    /// # Safety
    /// `row` is of the table.
    unsafe fn value(&self, row: HeapTuple, column: i16) -> Option<Datum> {
        let mut null = true;
        // SAFETY: `row` is of the table; of no column the value is NULL.
        let value = unsafe {
            let columns = (*(*self.0).tg_relation).rd_att;
            pg_sys::SPI_getbinval(row, columns, column.into(), &raw mut null)
        };
        (!null).then_some(value)
    }
}

/// What a trigger function returns.
pub struct Row(HeapTuple);

impl Return for Row {
    fn into_datum(self, _: &Args) -> Result<Datum, Report> {
        Ok(Datum::from(self.0))
    }
}
