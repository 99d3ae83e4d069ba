//! Settings `inverted.*`, with the names and ranges of Milvus's search parameters.

use inverted::ScanOptions;
use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting};

use crate::pg::memory::work_mem;

/// The largest number below 1 that a setting shows as such.
const BELOW_ONE: f64 = 0.999;

static DROP_RATIO: GucSetting<f64> = GucSetting::<f64>::new(0.0);
static BOUND_RATIO: GucSetting<f64> = GucSetting::<f64>::new(1.0);

/// How a search runs that begins now and is expected to return `k` rows.
pub fn scan_options(k: usize) -> ScanOptions {
    ScanOptions {
        k,
        memory: work_mem(),
        drop_ratio: DROP_RATIO.get() as f32,
        bound_ratio: BOUND_RATIO.get() as f32,
    }
}

/// Makes the settings known.
pub fn register() {
    let flags = GucFlags::empty();
    GucRegistry::define_float_guc(
        c"inverted.drop_ratio_search",
        c"Sets the share of a query's smallest weights that is ignored.",
        c"Searches take less time, and scores lack what these weights would add.",
        &DROP_RATIO,
        0.0,
        BELOW_ONE,
        GucContext::Userset,
        flags,
    );
    GucRegistry::define_float_guc(
        c"inverted.dim_max_score_ratio",
        c"Sets what upper bounds of scores are multiplied by.",
        c"Below 1, searches take less time and may miss rows.",
        &BOUND_RATIO,
        0.5,
        1.3,
        GucContext::Userset,
        flags,
    );
}
