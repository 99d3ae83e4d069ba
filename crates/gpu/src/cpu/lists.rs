//! Lists of candidates.

use prune::select;

use super::set::Set;
use super::{check, wrong};
use crate::device::{NONE, NOT_CHOSEN, Result};

/// The places chosen of each of some lists, `limit` for each.
pub(super) fn choose(
    set: &Set,
    (ids, distances): (&[u32], &[f32]),
    width: usize,
    limit: usize,
    leniency: f32,
) -> Result<Vec<u16>> {
    let mut places = memory::filled(ids.len() / width * limit, NOT_CHOSEN)?;
    let lists = ids.chunks_exact(width).zip(distances.chunks_exact(width));
    for ((ids, distances), places) in lists.zip(places.chunks_exact_mut(limit)) {
        let used = ids.iter().position(|&id| id == NONE).unwrap_or(width);
        let (ids, distances) = (&ids[..used], &distances[..used]);
        check(ids.iter().all(|&id| (id as usize) < set.selected()))?;
        if !distances.is_sorted() {
            return Err(wrong("candidates are not sorted"));
        }
        let between = |a: usize, b: usize| set.distance(ids[a] as usize, ids[b] as usize);
        for (place, (chosen, _)) in
            places.iter_mut().zip(select(distances, limit, leniency, between))
        {
            // Less than the width, which 16 bits hold.
            *place = chosen as u16;
        }
    }
    Ok(places)
}
