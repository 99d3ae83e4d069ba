//! Which index of a table the planner may take, for statements that measure one.

#![allow(unsafe_code)] // called by PostgreSQL

use std::cell::Cell;
use std::sync::OnceLock;

use pgrx::pg_guard;
use pgrx::pg_sys::ffi::pg_guard_ffi_boundary;
use pgrx::pg_sys::{self, IndexOptInfo, Oid, PlannerInfo, RelOptInfo};

use crate::pg::node;

static PREVIOUS: OnceLock<pg_sys::get_relation_info_hook_type> = OnceLock::new();

thread_local! {
    static CHOICE: Cell<Option<Choice>> = const { Cell::new(None) };
}

#[derive(Clone, Copy)]
struct Choice {
    table: Oid,
    index: Option<Oid>,
}

/// While it lives, the planner sees no index of a table but one, or none at all.
pub struct IndexChoice {
    before: Option<Choice>,
}

impl IndexChoice {
    /// Hides all indexes of `table` but `index`.
    pub fn of(table: Oid, index: Option<Oid>) -> IndexChoice {
        IndexChoice { before: CHOICE.replace(Some(Choice { table, index })) }
    }
}

impl Drop for IndexChoice {
    fn drop(&mut self) {
        CHOICE.set(self.before);
    }
}

/// Sets the hook. Called when the library is loaded.
pub fn register() {
    // SAFETY: hooks are set on the backend's own thread.
    unsafe {
        PREVIOUS.get_or_init(|| pg_sys::get_relation_info_hook);
        pg_sys::get_relation_info_hook = Some(on_relation_info);
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn on_relation_info(
    root: *mut PlannerInfo,
    table: Oid,
    inhparent: bool,
    rel: *mut RelOptInfo,
) {
    // SAFETY: PostgreSQL gives what it knows of a table, a list of indexes included, to be changed;
    // the hook of another library is called as PostgreSQL would.
    unsafe {
        if let Some(Some(previous)) = PREVIOUS.get() {
            pg_guard_ffi_boundary(|| previous(root, table, inhparent, rel));
        }
        let Some(choice) = CHOICE.get().filter(|choice| choice.table == table) else { return };
        let chosen = |node: &node::Node| {
            node.get::<IndexOptInfo>().map(|index| index.indexoid) == choice.index
        };
        (*rel).indexlist = node::list(node::nodes((*rel).indexlist).filter(chosen));
    }
}
