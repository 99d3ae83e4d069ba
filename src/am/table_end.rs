//! Where a table ends: no sound index leads a scan beyond.

#![allow(unsafe_code)] // asks for the size of a table

use pgrx::pg_sys::{self, ForkNumber, Relation};

/// Blocks of a table when last asked, as it may grow.
#[derive(Default)]
pub struct TableEnd(u32);

impl TableEnd {
    /// Whether the table has the block, so that a row may be there. What rows of other table access
    /// methods than `heap` are numbered by is theirs.
    ///
    /// # Safety
    /// `table` is open, and the same as before.
    pub unsafe fn is_behind(&mut self, table: Relation, block: u32) -> bool {
        if block < self.0 {
            return true;
        }
        // SAFETY: `table` is open, and so has its row of pg_class and its storage.
        unsafe {
            if (*(*table).rd_rel).relam != pg_sys::HEAP_TABLE_AM_OID {
                return true;
            }
            self.0 = pg_sys::RelationGetNumberOfBlocksInFork(table, ForkNumber::MAIN_FORKNUM);
        }
        block < self.0
    }
}
