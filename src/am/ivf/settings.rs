//! Settings `ivf.*`, and `ivfflat.*`: names, ranges and defaults of these are pgvector's.

use ivf::{DEFAULT_RECALL, DEFAULT_TARGET, Meta, ScanOptions};
use pgrx::PostgresGucEnum;
use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting};

use crate::am::iterative_scan::IterativeScan;
use crate::am::target_recall::target_recall;
use crate::pg::memory::work_mem;

/// Values of `ivfflat.iterative_scan`.
#[derive(Clone, Copy, PostgresGucEnum)]
enum FlatIterativeScan {
    /// A scan ends after `probes` lists.
    #[name = c"off"]
    Off,
    /// It goes on; rows may come slightly out of order.
    #[name = c"relaxed_order"]
    RelaxedOrder,
}

const MAX_LISTS: i32 = 32_768;

static PROBES: GucSetting<i32> = GucSetting::<i32>::new(0);
static ITERATIVE_SCAN: GucSetting<IterativeScan> =
    GucSetting::<IterativeScan>::new(IterativeScan::StrictOrder);
static MAX_PROBES: GucSetting<i32> = GucSetting::<i32>::new(MAX_LISTS);

static FLAT_PROBES: GucSetting<i32> = GucSetting::<i32>::new(1);
static FLAT_ITERATIVE_SCAN: GucSetting<FlatIterativeScan> =
    GucSetting::<FlatIterativeScan>::new(FlatIterativeScan::Off);
static FLAT_MAX_PROBES: GucSetting<i32> = GucSetting::<i32>::new(MAX_LISTS);

/// The settings of an access method.
pub struct Settings {
    /// Lists that a scan searches at first; 0 leaves it to the index.
    probes: i32,
    iterative: IterativeScan,
    max_probes: i32,
}

/// Those of `ivf` at this moment.
pub fn ivf() -> Settings {
    Settings { probes: PROBES.get(), iterative: ITERATIVE_SCAN.get(), max_probes: MAX_PROBES.get() }
}

/// Those of `ivfflat` at this moment.
pub fn ivfflat() -> Settings {
    let iterative = match FLAT_ITERATIVE_SCAN.get() {
        FlatIterativeScan::Off => IterativeScan::Off,
        FlatIterativeScan::RelaxedOrder => IterativeScan::RelaxedOrder,
    };
    Settings { probes: FLAT_PROBES.get(), iterative, max_probes: FLAT_MAX_PROBES.get() }
}

impl Settings {
    /// Lists that a scan of an index with this metapage searches at first.
    pub fn probes(&self, meta: &Meta) -> usize {
        match usize::try_from(self.probes) {
            Ok(0) => meta.probes(target_recall().unwrap_or(DEFAULT_TARGET)),
            Ok(probes) => probes,
            Err(_) => 1,
        }
    }

    /// Whether a scan searches further lists where they may hold nearer rows: where lists are left to the
    /// index, and recall was not given up for speed.
    pub fn reaching(&self) -> bool {
        self.probes == 0 && target_recall().is_none_or(|target| target >= DEFAULT_RECALL)
    }

    /// How a scan of such an index runs that begins now.
    pub fn scan_options(&self, meta: &Meta) -> ScanOptions {
        let most = usize::try_from(self.max_probes).unwrap_or(1);
        ScanOptions {
            probes: self.probes(meta),
            max_probes: if self.iterative == IterativeScan::Off { 0 } else { most },
            strict: self.iterative == IterativeScan::StrictOrder,
            wanted: 0,
            memory: work_mem(),
        }
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
          vector_ext.target_recall (0.96 where that is off).",
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
}
