//! `INSERT` and `UPDATE`: one new document.

#![allow(unsafe_code)] // is promised open indexes

use pages::HeapTid;
use pgrx::pg_sys::{Datum, Relation};

use super::method::Method;
use super::opened::OpenIndex;
use crate::am::insert::Insert;
use crate::pg::error::Report;
use crate::pg::relation;
use crate::pg::store::RelationStore;

impl Insert for Method {
    unsafe fn insert_row(index: Relation, value: Datum, tid: HeapTid) -> Result<(), Report> {
        // SAFETY: the index is open, and the value of the type that its class is for.
        unsafe {
            let store = RelationStore::new(index);
            let open = OpenIndex::of(index, &store)?;
            let OpenIndex { content, options, analyzer, .. } = &*open;
            let document = content.document(value, tid, analyzer.as_ref(), options.positions)?;
            inverted::insert(&store, &document)
                .map_err(|error| Report::of_index(&relation::qualified_name(index), error))
        }
    }
}
