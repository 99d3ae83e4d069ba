//! Neighbors that searches do not find, found without the graph.

use memory::Grow;
use pages::{META_BLOCK, PageStore, Result};
use quant::SplitMix64;

use super::question::Question;
use crate::Hnsw;
use crate::format::State;

/// Comparisons for each record of the index, on average. With as many questions as there are at
/// most, one page of ten is read: an overlooked element stands for no more than a question asks for.
const COMPARISONS_PER_RECORD: u64 = 36;

/// Compares the queries with the elements of pages drawn at random, and returns which share of all pages that was.
pub(super) fn find_overlooked<S: PageStore>(
    store: &S,
    hnsw: &Hnsw,
    questions: &mut [Question],
    random: &mut SplitMix64,
) -> Result<f64> {
    let one_of = (questions.len() as u64).div_ceil(COMPARISONS_PER_RECORD).max(1);
    let mut elements = Vec::new();
    for block in META_BLOCK + 1..store.blocks()? {
        if !random.next_u64().is_multiple_of(one_of) {
            continue;
        }
        store.pause()?;
        elements.clear();
        hnsw.records_of(store, block, |node, record| {
            if record.state() == State::Live && record.element().level == 0 {
                elements.try_push(node)?;
            }
            Ok(())
        })?;
        for &node in &elements {
            hnsw.element(store, node, |record| {
                questions.iter_mut().try_for_each(|question| question.compare(node, record))
            })?
            .unwrap_or(Ok(()))?;
        }
    }
    questions.iter_mut().try_for_each(|question| question.look_again(store, hnsw))?;
    Ok(1.0 / one_of as f64)
}
