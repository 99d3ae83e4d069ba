//! The matches of a segment.

use pages::{HeapTid, PageStore, Result};

use super::Match;
use super::node::Node;
use crate::segment::{GROUP, Reader};

/// Calls `each` for every living row of a segment that matches, in the order of the segment. A phrase of
/// several terms matches nothing if the segment has no positions.
///
/// # Errors
/// Those of the store, of damaged pages, and of `each`.
pub fn matches<S: PageStore>(
    reader: &Reader<'_, S>,
    condition: &Match,
    each: &mut dyn FnMut(HeapTid) -> Result<()>,
) -> Result<()> {
    let mut node = Node::new(reader, condition)?;
    let (mut lengths, mut dead) = (Box::new([0; GROUP]), [0u64; GROUP / 64]);
    let (mut tids, mut loaded) = (Vec::new(), None);
    while let Some(ordinal) = node.current {
        let (group, place) = (ordinal as usize / GROUP, ordinal as usize % GROUP);
        if loaded != Some(group) {
            reader.lengths(group, &mut lengths[..], &mut dead)?;
            reader.tids(group, &mut tids)?;
            loaded = Some(group);
        }
        if dead[place / 64] >> (place % 64) & 1 == 0
            && let Some(&tid) = tids.get(place)
        {
            each(tid)?;
        }
        node.seek(ordinal + 1)?;
    }
    Ok(())
}
