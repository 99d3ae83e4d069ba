//! Heap tuple identifiers as PostgreSQL has them in memory.

use pages::HeapTid;
use pgrx::pg_sys::{BlockIdData, ItemPointerData};

/// Reads an item pointer.
#[inline]
pub fn from_item_pointer(tid: &ItemPointerData) -> HeapTid {
    let block = u32::from(tid.ip_blkid.bi_hi) << 16 | u32::from(tid.ip_blkid.bi_lo);
    HeapTid { block, offset: tid.ip_posid }
}

/// Makes an item pointer.
#[inline]
pub fn to_item_pointer(tid: HeapTid) -> ItemPointerData {
    let ip_blkid = BlockIdData { bi_hi: (tid.block >> 16) as u16, bi_lo: tid.block as u16 };
    ItemPointerData { ip_blkid, ip_posid: tid.offset }
}
