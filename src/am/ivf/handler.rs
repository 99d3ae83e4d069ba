//! What PostgreSQL asks for when it opens an index: capabilities and callbacks.

#![allow(unsafe_code)] // asks PostgreSQL what an index is of

use pgrx::pg_sys::{Relation, amoptions_function};

use super::{build, cost, insert, opclass, options, scan, vacuum};
use crate::am::handler::{self, Routine};
use crate::pg::function::pg_functions;

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

fn routine(amoptions: amoptions_function) -> Routine {
    handler::routine(|routine| {
        routine.amsupport = opclass::SUPPORT_FUNCTIONS;
        routine.ambuild = Some(build::ambuild);
        routine.ambuildempty = Some(build::ambuildempty);
        routine.ambuildphasename = Some(build::ambuildphasename);
        routine.aminsert = Some(insert::aminsert);
        routine.ambulkdelete = Some(vacuum::ambulkdelete);
        routine.amvacuumcleanup = Some(vacuum::amvacuumcleanup);
        routine.amcostestimate = Some(cost::amcostestimate);
        routine.amoptions = amoptions;
        routine.amgettuple = Some(scan::amgettuple);
    })
}

/// Whether an index is one of ours.
///
/// # Safety
/// `index` is an open relation.
pub unsafe fn is_ours(index: Relation) -> bool {
    // SAFETY: the caller's promise.
    unsafe { handler::is_built_by(index, Some(build::ambuild)) }
}
