//! What a scan costs, in the planner's units.
//!
//! A scan *expands* elements: it reads the page of one (or several, where vectors are long),
//! computes one exact distance and scores all neighbors by their codes. The model:
//!
//! * The first row comes after as many expansions as the index's calibration says for the width
//!   that the settings choose; a beam has about 1.5 entries a row, and the descent takes ten.
//! * The beam gives as many rows as it is wide. Each further one takes [`EXPANSIONS_PER_ROW`]. Where
//!   the LIMIT is known, and so the rows that the index has to give until enough of them have passed
//!   the filter, the total is such that what PostgreSQL interpolates for them is right.
//! * A page costs half of what PostgreSQL charges for one of a table that is read in sequence, a
//!   random read where the index is too large to be in memory. (In memory an expansion takes 2.6 µs
//!   in all, and what PostgreSQL calls 1 takes a sequential scan 2 to 7 µs.)
//! * A distance that the index does not know to the last bit is computed again from the row.
//!
//! With a selective condition the rows themselves, whose reading PostgreSQL adds, make another index
//! the cheaper path. What distances cost other plans tells `vector_distance_support`.

use graph::format::Meta;

use super::method::Method;
use super::settings;
use crate::am::cost::{Estimate, Facts, Rows, ScanCost, Walk};
use crate::am::target_recall::target_recall;

/// Expansions that take as long as each row after the first ones. A scan that goes on doubles its
/// beam and returns the nearer half of what it has found: two to four expansions a row. What it had
/// spilled is sorted each time. Measured: 11 µs a row for 100 rows, 18 for 1,000, where an expansion
/// takes 2.6.
const EXPANSIONS_PER_ROW: f64 = 7.0;
/// Expansions for each row of the width of a search, and of its descent, where an index tells none.
const EXPANSIONS_PER_EF: f64 = 1.5;
const DESCENT: f64 = 10.0;
/// A page, with its neighbors scored, by a page of the table; by time it is 1 to 5.
const PAGE_COST: f64 = 2.5;
/// Neighbors that are scored in the time of a simple operator, and dimensions.
const NEIGHBORS_PER_OPERATOR: f64 = 8.0;
const DIMS_PER_OPERATOR: f64 = 128.0;

impl Estimate for Method {
    type Meta = Meta;

    fn decode(page: &[u8]) -> pages::Result<Meta> {
        Meta::decode(page)
    }

    fn estimate(meta: Option<&Meta>, facts: &Facts) -> ScanCost {
        let Expansions { ef, first, pages, operators } = Expansions::of(meta);
        let expansion =
            pages * facts.page_cost + facts.tuple_cost + facts.operator_cost * operators;
        ScanCost {
            startup: first.min(facts.tuples.max(1.0)) * expansion,
            rows: facts.all,
            row: (facts.wanted - ef).max(0.0) / facts.wanted * EXPANSIONS_PER_ROW * expansion,
            pages: facts.usual_pages,
        }
    }

    fn walk(meta: Option<&Meta>, facts: &Facts, rows: Rows) -> Walk {
        let Expansions { pages, operators, .. } = Expansions::of(meta);
        // A float to integer cast saturates.
        let expansions = expansions(meta, rows.found.ceil() as usize).min(facts.tuples.max(1.0));
        let expansion =
            pages * facts.page_cost + facts.tuple_cost + facts.operator_cost * operators;
        Walk { cost: expansions * expansion, pages: expansions * pages, page_cost: PAGE_COST }
    }
}

/// Expansions of a search with a filter that goes through so many rows. It finds those that pass as
/// reliably as one without a filter finds all (see `graph::ScanOptions::filtered`).
fn expansions(meta: Option<&Meta>, rows: usize) -> f64 {
    let Some(known) = meta.and_then(|meta| meta.calibration.as_ref()) else {
        return EXPANSIONS_PER_EF * settings::ef_search(None).max(rows) as f64 + DESCENT;
    };
    let ef = settings::ef_search(Some(known));
    let usual = graph::expected_recall(known, ef).min(graph::DEFAULT_RECALL);
    let (target, least) = target_recall().map_or((usual, ef), |target| (target, 1));
    graph::expansions(known, graph::ef_for_recall(known, target, rows).max(least))
}

/// What is known of the expansions of a scan.
struct Expansions {
    /// Rows that the first beam gives.
    ef: f64,
    /// Expansions before the first row.
    first: f64,
    /// Pages of an expansion.
    pages: f64,
    /// Simple operators that take as long as the computations of an expansion.
    operators: f64,
}

impl Expansions {
    /// From the metapage; without one (an index that only might exist) as experience says.
    fn of(meta: Option<&Meta>) -> Expansions {
        let calibration = meta.and_then(|meta| meta.calibration.as_ref());
        let target = calibration.zip(target_recall());
        let ef = match target {
            Some((calibration, target)) => graph::ef_for_recall(calibration, target, 1),
            None => settings::ef_search(calibration),
        };
        let experience = EXPANSIONS_PER_EF * ef as f64 + DESCENT;
        let reads = calibration.map_or(1.0, |calibration| f64::from(calibration.reads));
        let geometry = meta.map(|meta| &meta.geometry);
        Expansions {
            ef: ef as f64,
            first: calibration.map_or(experience, |known| graph::expansions(known, ef)),
            pages: reads * geometry.map_or(1.0, |sizes| 1.0 + sizes.tails() as f64),
            operators: geometry.map_or(4.0, |sizes| {
                let dims = sizes.coded_space() as f64;
                sizes.slots as f64 / NEIGHBORS_PER_OPERATOR + dims / DIMS_PER_OPERATOR
            }),
        }
    }
}
