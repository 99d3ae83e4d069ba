//! Settings `hnsw.*`: the names, ranges and texts are pgvector's, two defaults are not (a scan goes
//! on until the query has its rows), and a width that nobody has set is raised where an index needs
//! it.

use graph::format::Calibration;
use graph::{Iterative, ScanOptions};
use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting};

use crate::am::iterative_scan::IterativeScan;
use crate::am::target_recall::target_recall;
use crate::pg::memory::work_mem;
use crate::pg::setting::Origin;

/// `hnsw.ef_search` where nobody has set it.
const DEFAULT_EF_SEARCH: u16 = 40;

static EF_SEARCH: GucSetting<i32> = GucSetting::<i32>::new(DEFAULT_EF_SEARCH as i32);
static EF_SEARCH_ORIGIN: Origin = Origin::unknown();
static ITERATIVE_SCAN: GucSetting<IterativeScan> =
    GucSetting::<IterativeScan>::new(IterativeScan::StrictOrder);
static MAX_SCAN_TUPLES: GucSetting<i32> = GucSetting::<i32>::new(i32::MAX);
static SCAN_MEM_MULTIPLIER: GucSetting<f64> = GucSetting::<f64>::new(1.0);

/// Width of a search of an index: `hnsw.ef_search` if that was set, else [`default_ef_search`].
pub fn ef_search(calibration: Option<&Calibration>) -> usize {
    if EF_SEARCH_ORIGIN.is_default() {
        return default_ef_search(calibration);
    }
    usize::try_from(EF_SEARCH.get()).unwrap_or(1)
}

/// Width of a search of an index where nobody has set one: 40, or more where the index was measured
/// to need it.
pub fn default_ef_search(calibration: Option<&Calibration>) -> usize {
    let ef = DEFAULT_EF_SEARCH.into();
    calibration.map_or(ef, |calibration| graph::default_ef(calibration, ef))
}

/// The settings that a scan of an index beginning now runs under.
pub fn scan_options(calibration: Option<&Calibration>) -> ScanOptions {
    let work_mem = work_mem() as f64;
    ScanOptions {
        ef: ef_search(calibration),
        target_recall: target_recall(),
        iterative: match ITERATIVE_SCAN.get() {
            IterativeScan::Off => Iterative::Off,
            IterativeScan::RelaxedOrder | IterativeScan::StrictOrder => Iterative::On,
        },
        wanted: 0,
        filtered: false,
        max_tuples: usize::try_from(MAX_SCAN_TUPLES.get()).unwrap_or(usize::MAX),
        // A float to integer cast saturates.
        memory: (work_mem * SCAN_MEM_MULTIPLIER.get()) as usize,
    }
}

/// Whether rows that are found late wait for all others.
pub fn keeps_order() -> bool {
    !matches!(ITERATIVE_SCAN.get(), IterativeScan::RelaxedOrder)
}

/// Makes the settings known.
pub fn register() {
    let flags = GucFlags::empty();
    GucRegistry::define_int_guc(
        c"hnsw.ef_search",
        c"Sets the size of the dynamic candidate list for search.",
        c"A larger list finds more of the nearest rows, and takes longer. Where it is not set, a \
          search is wider if its index was measured to need that for a recall of 0.95.",
        &EF_SEARCH,
        1,
        1000,
        GucContext::Userset,
        flags,
    );
    EF_SEARCH_ORIGIN.find(c"hnsw.ef_search");
    GucRegistry::define_enum_guc(
        c"hnsw.iterative_scan",
        c"Sets what an index scan does when its candidate list is used up.",
        c"It ends, or goes on in relaxed or in strict order of distance.",
        &ITERATIVE_SCAN,
        GucContext::Userset,
        flags,
    );
    GucRegistry::define_int_guc(
        c"hnsw.max_scan_tuples",
        c"Sets the number of rows after which an iterative scan ends.",
        c"It is approximate, and does not affect the first candidate list.",
        &MAX_SCAN_TUPLES,
        1,
        i32::MAX,
        GucContext::Userset,
        flags,
    );
    GucRegistry::define_float_guc(
        c"hnsw.scan_mem_multiplier",
        c"Sets the multiple of work_mem that an iterative scan may use.",
        c"A scan that reaches it returns what it has found, and ends.",
        &SCAN_MEM_MULTIPLIER,
        1.0,
        1000.0,
        GucContext::Userset,
        flags,
    );
}
