//! What PostgreSQL asks for when it opens an index: capabilities and callbacks.

#![allow(unsafe_code)] // gives raw pointers to PostgreSQL

use pgrx::pg_sys::{self, Datum, IndexAmRoutine, NodeTag, Oid, Relation, amoptions_function};
use pgrx::{PgBox, pg_guard};

use super::{build, cost, insert, opclass, options, scan, vacuum};
use crate::pg::error::Report;
use crate::pg::function::{Args, Return, pg_functions};

/// The result type `index_am_handler`.
struct Routine(*mut IndexAmRoutine);

impl Return for Routine {
    fn into_datum(self, _: &Args) -> Result<Datum, Report> {
        Ok(Datum::from(self.0))
    }
}

pg_functions! {
    /// Describes the access method `ivf`.
    fn ivfhandler() -> Routine {
        routine(Some(options::ivf_amoptions))
    }

    /// Describes the access method `ivfflat`.
    fn ivfflathandler() -> Routine {
        routine(Some(options::ivfflat_amoptions))
    }
}

/// A description. All that is not named here is zero: no, none or null.
fn routine(amoptions: amoptions_function) -> Routine {
    // SAFETY: a node of this type is a struct of this name; zeroed, it is valid.
    let mut routine = unsafe { PgBox::<IndexAmRoutine>::alloc_node(NodeTag::T_IndexAmRoutine) };

    routine.amsupport = opclass::SUPPORT_FUNCTIONS;
    routine.amcanorderbyop = true;
    routine.amoptionalkey = true;
    routine.amparallelvacuumoptions = pg_sys::VACUUM_OPTION_PARALLEL_BULKDEL as u8;
    routine.amkeytype = Oid::INVALID;
    // `amcanbuildparallel` (from 17 on) stays false: it has PostgreSQL plan worker processes,
    // and a build has threads.

    routine.ambuild = Some(build::ambuild);
    routine.ambuildempty = Some(build::ambuildempty);
    routine.ambuildphasename = Some(build::ambuildphasename);
    routine.aminsert = Some(insert::aminsert);
    routine.ambulkdelete = Some(vacuum::ambulkdelete);
    routine.amvacuumcleanup = Some(vacuum::amvacuumcleanup);
    routine.amcostestimate = Some(cost::amcostestimate);
    routine.amoptions = amoptions;
    routine.amvalidate = Some(amvalidate);
    routine.ambeginscan = Some(scan::ambeginscan);
    routine.amrescan = Some(scan::amrescan);
    routine.amgettuple = Some(scan::amgettuple);
    routine.amendscan = Some(scan::amendscan);

    Routine(routine.into_pg())
}

/// Whether an index is one of ours.
///
/// # Safety
/// `index` is an open relation.
pub unsafe fn is_ours(index: Relation) -> bool {
    let ours = build::ambuild as *const ();
    // SAFETY: null for relations that are no index.
    unsafe { (*index).rd_indam.as_ref() }
        .is_some_and(|routine| routine.ambuild.is_some_and(|theirs| theirs as *const () == ours))
}

/// Accepts every operator class: the one thing it must tell, its metric, is asked for when an index
/// is built.
#[pg_guard]
unsafe extern "C-unwind" fn amvalidate(_opclass: Oid) -> bool {
    true
}
