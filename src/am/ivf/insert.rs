//! `INSERT` and `UPDATE`: one new row.

#![allow(unsafe_code)] // is promised an open index

use pages::HeapTid;
use pgrx::pg_sys::Relation;

use super::method::{Method, dense};
use super::variant::Variant;
use crate::am::insert::Insert;
use crate::am::vector::Vector;
use crate::pg::store::RelationStore;

impl<V: Variant> Insert for Method<V> {
    unsafe fn insert(
        _: Relation,
        store: &RelationStore<'_>,
        vector: Vector<'_>,
        tid: HeapTid,
    ) -> pages::Result<()> {
        ivf::insert(store, dense(vector), tid)
    }
}
