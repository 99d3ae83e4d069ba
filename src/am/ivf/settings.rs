//! Settings `ivf.*`, and `ivfflat.*`: names, ranges and defaults of these are pgvector's.

#![allow(unsafe_code)] // calls into PostgreSQL

use ivf::{Meta, ScanOptions};
use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting};
use pgrx::{PostgresGucEnum, pg_sys};

use super::method::Method;
use crate::am::target_recall::target_recall;
use crate::pg::version;

/// Values of `ivfflat.iterative_scan`.
#[derive(Clone, Copy, PartialEq, Eq, PostgresGucEnum)]
enum FlatIterativeScan {
    /// A scan ends after `probes` lists.
    #[name = c"off"]
    Off,
    /// It goes on; rows may come slightly out of order.
    #[name = c"relaxed_order"]
    RelaxedOrder,
}

/// Values of `ivf.iterative_scan`.
#[derive(Clone, Copy, PartialEq, Eq, PostgresGucEnum)]
enum IterativeScan {
    /// A scan ends after `probes` lists.
    #[name = c"off"]
    Off,
    /// It goes on; rows may come slightly out of order.
    #[name = c"relaxed_order"]
    RelaxedOrder,
    /// It goes on, in exact order.
    #[name = c"strict_order"]
    StrictOrder,
}

const MAX_LISTS: i32 = 32_768;
/// Share of the nearest rows to find where nothing else is set.
const TARGET: f64 = 0.95;

static PROBES: GucSetting<i32> = GucSetting::<i32>::new(0);
static ITERATIVE_SCAN: GucSetting<IterativeScan> =
    GucSetting::<IterativeScan>::new(IterativeScan::StrictOrder);
static MAX_PROBES: GucSetting<i32> = GucSetting::<i32>::new(MAX_LISTS);

static FLAT_PROBES: GucSetting<i32> = GucSetting::<i32>::new(1);
static FLAT_ITERATIVE_SCAN: GucSetting<FlatIterativeScan> =
    GucSetting::<FlatIterativeScan>::new(FlatIterativeScan::Off);
static FLAT_MAX_PROBES: GucSetting<i32> = GucSetting::<i32>::new(MAX_LISTS);

/// Lists that a scan of an index with this metapage searches at first.
pub fn probes(method: Method, meta: &Meta) -> usize {
    let set = match method {
        Method::Ivf => PROBES.get(),
        Method::IvfFlat => FLAT_PROBES.get(),
    };
    match usize::try_from(set) {
        Ok(0) => meta.probes(target_recall().unwrap_or(TARGET)),
        Ok(probes) => probes,
        Err(_) => 1,
    }
}

/// The settings that a scan beginning now runs under.
pub fn scan_options(method: Method, meta: &Meta) -> ScanOptions {
    let (on, strict, most) = match method {
        Method::Ivf => {
            let order = ITERATIVE_SCAN.get();
            let strict = order == IterativeScan::StrictOrder;
            (order != IterativeScan::Off, strict, MAX_PROBES.get())
        }
        Method::IvfFlat => {
            let on = FLAT_ITERATIVE_SCAN.get() == FlatIterativeScan::RelaxedOrder;
            (on, false, FLAT_MAX_PROBES.get())
        }
    };
    ScanOptions {
        probes: probes(method, meta),
        max_probes: if on { usize::try_from(most).unwrap_or(1) } else { 0 },
        strict,
        wanted: 0,
        // SAFETY: a setting, read on the backend's own thread.
        memory: usize::try_from(unsafe { pg_sys::work_mem }).unwrap_or(0).saturating_mul(1024),
    }
}

/// Makes the settings known.
pub fn register() {
    let flags = GucFlags::empty();
    let probes = c"Sets the number of lists that a scan searches.";
    let iterative = c"Sets what an index scan does when the rows of its lists are used up.";
    let most = c"Sets the number of lists after which an iterative scan ends.";
    GucRegistry::define_int_guc(
        c"ivf.probes",
        probes,
        c"0 leaves it to the index, which was measured when it was built, and to \
          vector_ext.target_recall (0.95 where that is off).",
        &PROBES,
        0,
        MAX_LISTS,
        GucContext::Userset,
        flags,
    );
    GucRegistry::define_enum_guc(
        c"ivf.iterative_scan",
        iterative,
        c"It ends, or goes on with further lists, in relaxed or in strict order of distance.",
        &ITERATIVE_SCAN,
        GucContext::Userset,
        flags,
    );
    GucRegistry::define_int_guc(
        c"ivf.max_probes",
        most,
        c"Where it is below the number of lists searched at first, that is used.",
        &MAX_PROBES,
        1,
        MAX_LISTS,
        GucContext::Userset,
        flags,
    );
    GucRegistry::define_int_guc(
        c"ivfflat.probes",
        probes,
        c"More lists find more of the nearest rows, and take longer.",
        &FLAT_PROBES,
        1,
        MAX_LISTS,
        GucContext::Userset,
        flags,
    );
    GucRegistry::define_enum_guc(
        c"ivfflat.iterative_scan",
        iterative,
        c"It ends, or goes on with further lists, whose rows come after those returned.",
        &FLAT_ITERATIVE_SCAN,
        GucContext::Userset,
        flags,
    );
    GucRegistry::define_int_guc(
        c"ivfflat.max_probes",
        most,
        c"Where it is below ivfflat.probes, that is used.",
        &FLAT_MAX_PROBES,
        1,
        MAX_LISTS,
        GucContext::Userset,
        flags,
    );
    version::reserve_settings(Method::Ivf.c_name());
    version::reserve_settings(Method::IvfFlat.c_name());
}
