//! What PostgreSQL asks for when it opens an index: capabilities and callbacks.

#![allow(unsafe_code)] // gives raw pointers to PostgreSQL

use pgrx::pg_sys::{self, Datum, IndexAmRoutine, IndexScanDesc, NodeTag, Oid, TIDBitmap, bytea};
use pgrx::{PgBox, pg_guard};

use super::build::{self, Create};
use super::cost::{self, Estimate};
use super::insert::{self, Insert};
use super::inspector::{Inspect, Inspector};
use super::method::AccessMethod;
use super::scan::{self, Scan};
use super::vacuum::{self, Vacuum};
use crate::pg::error::Report;
use crate::pg::function::{Args, Return};

/// The result type `index_am_handler`.
pub struct Routine {
    routine: *mut IndexAmRoutine,
    inspector: Inspector,
}

impl Return for Routine {
    fn into_datum(self, args: &Args) -> Result<Datum, Report> {
        self.inspector.announce(args.callee().0);
        Ok(Datum::from(self.routine))
    }
}

/// Describes an access method. All that is not named is zero: no, none or null.
pub fn routine<M: Create + Insert + Scan + Vacuum + Estimate + Inspect>() -> Routine {
    // SAFETY: a node of this type is a struct of this name; zeroed, it is valid.
    let mut routine = unsafe { PgBox::<IndexAmRoutine>::alloc_node(NodeTag::T_IndexAmRoutine) };
    routine.amsupport = M::SUPPORT_FUNCTIONS;
    routine.amcanorderbyop = true;
    routine.amoptionalkey = true;
    routine.amparallelvacuumoptions = pg_sys::VACUUM_OPTION_PARALLEL_BULKDEL as u8;
    routine.amkeytype = Oid::INVALID;
    // `amcanbuildparallel` (from 17 on) stays false: it has PostgreSQL plan worker processes,
    // and a build has threads.
    routine.amvalidate = Some(amvalidate);
    routine.amoptions = Some(amoptions::<M>);
    routine.ambuild = Some(build::ambuild::<M>);
    routine.ambuildempty = Some(build::ambuildempty::<M>);
    routine.ambuildphasename = Some(build::ambuildphasename::<M>);
    routine.aminsert = Some(insert::aminsert::<M>);
    routine.ambulkdelete = Some(vacuum::ambulkdelete::<M>);
    routine.amvacuumcleanup = Some(vacuum::amvacuumcleanup::<M>);
    routine.amcostestimate = Some(cost::amcostestimate::<M>);
    routine.ambeginscan = Some(scan::ambeginscan);
    routine.amrescan = Some(scan::amrescan);
    routine.amgettuple = Some(scan::amgettuple::<M>);
    routine.amendscan = Some(scan::amendscan);
    Routine { routine: routine.into_pg(), inspector: Inspector::new::<M>() }
}

/// Parses storage parameters.
#[pg_guard]
unsafe extern "C-unwind" fn amoptions<M: AccessMethod>(
    reloptions: Datum,
    validate: bool,
) -> *mut bytea {
    // SAFETY: PostgreSQL gives the parameters as its catalog has them.
    unsafe { M::parameters().parse(reloptions, validate) }
}

/// Also finds rows without an order, as bitmaps.
pub type GetBitmap = unsafe extern "C-unwind" fn(IndexScanDesc, *mut TIDBitmap) -> i64;

impl Routine {
    /// The same access method with bitmap scans.
    pub fn with_bitmaps(self, get: GetBitmap) -> Self {
        // SAFETY: the node was made by `routine`, and nobody else has it.
        unsafe { (*self.routine).amgetbitmap = Some(get) };
        self
    }
}

/// Accepts every operator class: the one thing it must tell, its metric, is asked for when an index
/// is built.
#[pg_guard]
unsafe extern "C-unwind" fn amvalidate(_opclass: Oid) -> bool {
    true
}
