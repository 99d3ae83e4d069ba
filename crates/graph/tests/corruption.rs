//! What the check says of damaged pages. `fuzz.rs` does all else with them.

use crate::support::*;
use pages::PAGE_BODY;
use quant::Metric;

#[test]
fn the_check_names_the_block() {
    let vectors = clustered(300, 20, 1);
    let store = bulk_built(options(Metric::L2, 20), &vectors);
    store.scribble(2, |page| page[PAGE_BODY - 1] = 0);
    let found = problems(&store);
    assert!(found.iter().any(|problem| problem.block == Some(2)), "{found:?}");
    // Edges to its records are not to blame.
    assert!(!found.iter().any(|problem| problem.what.starts_with("edge")), "{found:?}");
    store.scribble(0, |page| page[0] = 0);
    assert_eq!(problems(&store).len(), 1);
}
