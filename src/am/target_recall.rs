//! The setting `vector_ext.target_recall`, which takes the place of those of single access methods.

use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting};

/// Greatest `vector_ext.target_recall`: what a sample can tell from 1.
const MAX_TARGET: f64 = 0.999;

static TARGET_RECALL: GucSetting<f64> = GucSetting::<f64>::new(0.0);

/// The share of the nearest rows to find: `vector_ext.target_recall`; none where it is off.
pub fn target_recall() -> Option<f64> {
    Some(TARGET_RECALL.get()).filter(|&target| target > 0.0)
}

/// Makes the setting known.
pub fn register() {
    GucRegistry::define_float_guc(
        c"vector_ext.target_recall",
        c"Sets the share of the nearest rows that an index scan is to find.",
        c"It is measured when an index is built, and takes the place of hnsw.ef_search and of \
          ivf.probes where that is 0. 0 turns it off.",
        &TARGET_RECALL,
        0.0,
        MAX_TARGET,
        GucContext::Userset,
        GucFlags::empty(),
    );
}
