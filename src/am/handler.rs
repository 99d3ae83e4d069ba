//! What PostgreSQL asks for when it opens an index: capabilities and callbacks.

#![allow(unsafe_code)] // gives raw pointers to PostgreSQL

use pgrx::pg_sys::{self, Datum, IndexAmRoutine, NodeTag, Oid, Relation, ambuild_function};
use pgrx::{PgBox, pg_guard};

use super::scan;
use crate::pg::error::Report;
use crate::pg::function::{Args, Return};

/// The result type `index_am_handler`.
pub struct Routine(*mut IndexAmRoutine);

impl Return for Routine {
    fn into_datum(self, _: &Args) -> Result<Datum, Report> {
        Ok(Datum::from(self.0))
    }
}

/// Describes what our access methods have in common, and what `own` adds. All that neither names is
/// zero: no, none or null.
pub fn routine(own: impl FnOnce(&mut IndexAmRoutine)) -> Routine {
    // SAFETY: a node of this type is a struct of this name; zeroed, it is valid.
    let mut routine = unsafe { PgBox::<IndexAmRoutine>::alloc_node(NodeTag::T_IndexAmRoutine) };
    routine.amcanorderbyop = true;
    routine.amoptionalkey = true;
    routine.amparallelvacuumoptions = pg_sys::VACUUM_OPTION_PARALLEL_BULKDEL as u8;
    routine.amkeytype = Oid::INVALID;
    // `amcanbuildparallel` (from 17 on) stays false: it has PostgreSQL plan worker processes,
    // and a build has threads.
    routine.amvalidate = Some(amvalidate);
    routine.ambeginscan = Some(scan::ambeginscan);
    routine.amrescan = Some(scan::amrescan);
    routine.amendscan = Some(scan::amendscan);
    own(&mut routine);
    Routine(routine.into_pg())
}

/// Whether `build` builds an index.
///
/// # Safety
/// `index` is an open relation.
pub unsafe fn is_built_by(index: Relation, build: ambuild_function) -> bool {
    let address = |build: ambuild_function| build.map(|build| build as *const ());
    // SAFETY: null for relations that are no index.
    let routine = unsafe { (*index).rd_indam.as_ref() };
    routine.is_some_and(|routine| address(routine.ambuild) == address(build))
}

/// Accepts every operator class: the one thing it must tell, its metric, is asked for when an index
/// is built.
#[pg_guard]
unsafe extern "C-unwind" fn amvalidate(_opclass: Oid) -> bool {
    true
}
