//! What a scan costs, in the planner's units.
//!
//! A search reads the postings of its terms, a part of the index that its metapage does not tell; it
//! skips most of what cannot be among the best. Rows come at once then.

use pgrx::pg_sys::Oid;

use super::method::Method;
use super::selectivity;
use crate::am::cost::{Estimate, Facts, Rows, ScanCost, Walk};
use crate::pg::indexes::is_partition_of;
use crate::pg::node::Operation;
use crate::types::{bm25query, text_condition};

/// The part of an index that a search reads (English sentences, real queries: .02 to .1).
const PART: f64 = 0.05;
/// Pages of the dictionary and the write buffer.
const PAGES: f64 = 10.0;
/// The part of all rows that hold a term of the query.
const MATCHES: f64 = 0.1;
/// Rows of a page of postings that take as long as a simple operator.
const ROWS_PER_OPERATOR: f64 = 16.0;
/// Rows that a search finds beyond the first ones, for which it goes through the postings once more.
const ROUND: f64 = 1_000.0;

impl Estimate for Method {
    type Meta = ();

    fn decode(_: &[u8]) -> pages::Result<()> {
        Ok(())
    }

    fn estimate(_: Option<&()>, facts: &Facts) -> ScanCost {
        let (pages, cost) = search(facts);
        ScanCost { startup: cost, rows: facts.all * MATCHES, row: 0.0, pages }
    }

    fn orders_by(index: Oid, distance: &Operation) -> bool {
        !bm25query::is_ranking(distance)
            || bm25query::index(distance.operands[1])
                .is_none_or(|named| is_partition_of(index, named))
    }

    fn found(index: Oid, distance: &Operation) -> Option<f64> {
        if bm25query::is_ranking(distance) {
            selectivity::of_ranking(index, distance)
        } else {
            None
        }
    }

    fn serves(index: Oid, condition: &Operation) -> bool {
        let named = text_condition::index(condition.operands[1]);
        named.is_none_or(|named| is_partition_of(index, named))
    }

    fn walk(_: Option<&()>, facts: &Facts, rows: Rows) -> Walk {
        let (pages, cost) = search(facts);
        let rounds = 1.0 + rows.found / ROUND;
        Walk { cost: cost * rounds, pages: pages * rounds, page_cost: 1.0 }
    }
}

/// Pages that a search reads, and what that costs.
fn search(facts: &Facts) -> (f64, f64) {
    let pages = (facts.pages * PART + PAGES).min(facts.pages.max(1.0));
    let rows = facts.tuples * PART;
    (pages, pages * facts.page_cost + rows / ROWS_PER_OPERATOR * facts.operator_cost)
}
