//! `INSERT` and `UPDATE`: one new row.

#![allow(unsafe_code)] // takes a lock of PostgreSQL

use pages::HeapTid;
use pgrx::pg_sys::Relation;

use super::method::{Method, of_graph};
use crate::am::insert::Insert;
use crate::am::vector::Vector;
use crate::pg::lock::InsertLock;
use crate::pg::store::RelationStore;

impl Insert for Method {
    unsafe fn insert(
        index: Relation,
        store: &RelationStore<'_>,
        vector: Vector<'_>,
        tid: HeapTid,
    ) -> pages::Result<()> {
        // SAFETY: the caller's promise.
        let _lock = unsafe { InsertLock::take(index) };
        graph::insert(store, of_graph(vector), tid)
    }
}
