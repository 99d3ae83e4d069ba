//! Settings `ivfflat.*`: names, ranges and defaults are pgvector's.

#![allow(unsafe_code)] // calls into PostgreSQL

use ivf::ScanOptions;
use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting};
use pgrx::{PostgresGucEnum, pg_sys};

use crate::pg::version;

/// Values of `ivfflat.iterative_scan`.
#[derive(Clone, Copy, PartialEq, Eq, PostgresGucEnum)]
enum IterativeScan {
    /// A scan ends after `probes` lists.
    #[name = c"off"]
    Off,
    /// It goes on; rows may come slightly out of order.
    #[name = c"relaxed_order"]
    RelaxedOrder,
}

const MAX_LISTS: i32 = 32_768;

static PROBES: GucSetting<i32> = GucSetting::<i32>::new(1);
static ITERATIVE_SCAN: GucSetting<IterativeScan> =
    GucSetting::<IterativeScan>::new(IterativeScan::Off);
static MAX_PROBES: GucSetting<i32> = GucSetting::<i32>::new(MAX_LISTS);

/// Lists that a scan searches at first: `ivfflat.probes`.
pub fn probes() -> usize {
    usize::try_from(PROBES.get()).unwrap_or(1)
}

/// The settings that a scan beginning now runs under.
pub fn scan_options() -> ScanOptions {
    let on = ITERATIVE_SCAN.get() == IterativeScan::RelaxedOrder;
    let most = usize::try_from(MAX_PROBES.get()).unwrap_or(1);
    ScanOptions {
        probes: probes(),
        max_probes: if on { most } else { 0 },
        // SAFETY: a setting, read on the backend's own thread.
        memory: usize::try_from(unsafe { pg_sys::work_mem }).unwrap_or(0).saturating_mul(1024),
    }
}

/// Makes the settings known.
pub fn register() {
    let flags = GucFlags::empty();
    GucRegistry::define_int_guc(
        c"ivfflat.probes",
        c"Sets the number of lists that a scan searches.",
        c"More lists find more of the nearest rows, and take longer.",
        &PROBES,
        1,
        MAX_LISTS,
        GucContext::Userset,
        flags,
    );
    GucRegistry::define_enum_guc(
        c"ivfflat.iterative_scan",
        c"Sets what an index scan does when the rows of its lists are used up.",
        c"It ends, or goes on with further lists, whose rows come after those returned.",
        &ITERATIVE_SCAN,
        GucContext::Userset,
        flags,
    );
    GucRegistry::define_int_guc(
        c"ivfflat.max_probes",
        c"Sets the number of lists after which an iterative scan ends.",
        c"Where it is below ivfflat.probes, that is used.",
        &MAX_PROBES,
        1,
        MAX_LISTS,
        GucContext::Userset,
        flags,
    );
    version::reserve_settings(c"ivfflat");
}
