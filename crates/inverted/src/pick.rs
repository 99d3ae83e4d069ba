//! Which segments an insert merges.

use crate::meta::{Listed, Meta};
use crate::segment::MAX_DOCUMENTS;

/// Segments that an insert merges at least.
const FAN_IN: usize = 3;
/// How many times as large as all smaller ones together the largest of them may be.
const GROWTH: u64 = 2;
/// The most that are merged at a time.
pub(crate) const MAX_FAN_IN: usize = 24;
/// Pages that an insert may merge, or so many of all pages if these are more: the number of segments
/// stays moderate whatever is inserted between two vacuums.
const SMALL: u64 = 600;
const SHARE: u64 = 28;
/// The most pages that an insert may merge, unless there are very many segments.
const MOST: u64 = 2_000;
/// Segments from which on two are merged, even if they are no more.
const CROWD: usize = 20;

/// Pages that the living documents of a segment fill, about.
pub(crate) fn size(listed: &Listed) -> u64 {
    let documents = u64::from(listed.info.documents).max(1);
    (u64::from(listed.info.pages) * u64::from(listed.living) / documents).max(1)
}

/// Ids of segments that an insert should merge.
pub(crate) fn pick_small(meta: &Meta) -> Vec<u64> {
    let free = unclaimed(meta);
    ids(&free[..pick(&free, share(meta).min(MOST))])
}

/// Ids of segments that are to be merged where there are very many: if no small ones, larger ones; and
/// some in any case if there are `limit` segments.
pub(crate) fn pick_of_many(meta: &Meta, limit: usize) -> Vec<u64> {
    let (free, share) = (unclaimed(meta), share(meta));
    let mut end = pick(&free, share.min(MOST));
    if end == 0 {
        end = pick(&free, share);
    }
    if end == 0 && meta.segments.len() >= limit {
        let mut sum = 0;
        let is_small = |listed: &&&Listed| {
            sum += size(listed);
            sum <= share
        };
        let small = free.iter().take(MAX_FAN_IN).take_while(is_small).count();
        end = within_limit(&free, small.max(2).min(free.len()));
    }
    ids(&free[..end])
}

fn share(meta: &Meta) -> u64 {
    SMALL.max(meta.segments.iter().map(size).sum::<u64>() / SHARE)
}

/// Segments that may be merged, the smallest first.
fn unclaimed(meta: &Meta) -> Vec<&Listed> {
    let free = meta.segments.iter().filter(|listed| listed.claim.is_none());
    let mut free: Vec<&Listed> = free.collect();
    free.sort_unstable_by_key(|listed| (size(listed), listed.info.id));
    free
}

fn ids(picked: &[&Listed]) -> Vec<u64> {
    picked.iter().map(|listed| listed.info.id).collect()
}

/// As many of the first `end` segments as one segment has room for; 0 if that is one.
fn within_limit(sorted: &[&Listed], end: usize) -> usize {
    let end = end.min(fitting(sorted));
    if end < 2 { 0 } else { end }
}

/// How many of the first segments have no more living documents together than one may have; 1 at least.
pub(crate) fn fitting(sorted: &[&Listed]) -> usize {
    let mut documents = 0;
    let fits = |listed: &&&Listed| {
        documents += u64::from(listed.living);
        documents <= u64::from(MAX_DOCUMENTS)
    };
    sorted.iter().take_while(fits).count().max(1)
}

/// How many of the smallest segments should be merged, if that takes no more than `most` pages. None of
/// them is much larger than the smaller ones together, so that a row is written a few times only.
fn pick(sorted: &[&Listed], most: u64) -> usize {
    let (mut sum, mut end) = (0, 0);
    for (i, listed) in sorted.iter().enumerate().take(MAX_FAN_IN) {
        let size = size(listed);
        if sum + size > most {
            break;
        }
        if i > 0 && size <= GROWTH * sum {
            end = i + 1;
        }
        sum += size;
    }
    let least = if sorted.len() > CROWD { 2 } else { FAN_IN };
    if end < least { 0 } else { within_limit(sorted, end) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meta::{Chain, Options};
    use crate::score::Scoring;
    use crate::segment::SegmentInfo;

    fn meta(segments: &[(u32, u32)]) -> Meta {
        let mut meta = Meta::new(Options { scoring: Scoring::InnerProduct, positions: false });
        for (id, &(pages, documents)) in (1..).zip(segments) {
            let info = SegmentInfo { id, root: 2, pages, documents, total_length: 0 };
            let (pages, living) = (Chain { first: 2, last: 2 }, documents);
            meta.segments.push(Listed {
                info,
                pages,
                living,
                length: 0,
                claim: None,
                stale: false,
            });
        }
        meta
    }

    #[test]
    fn merges_of_inserts_are_bounded() {
        let mut segments = vec![(10_000_000, 9)];
        segments.extend([(3_000, 9); 30]);
        let meta = meta(&segments);
        assert_eq!(pick_small(&meta), []);
        assert_eq!(pick_of_many(&meta, 100).len(), 24);
    }

    #[test]
    fn some_are_picked_in_the_end() {
        let meta = meta(&[(1_000, 9), (9_000, 9), (100_000, 9)]);
        assert_eq!(pick_of_many(&meta, 4), []);
        assert_eq!(pick_of_many(&meta, 3), [1, 2]);
    }

    #[test]
    fn a_segment_gets_no_more_documents_than_it_may_have() {
        let most = MAX_DOCUMENTS / 3;
        assert_eq!(pick_small(&meta(&[(10, most); 4])), [1, 2, 3]);
        assert_eq!(pick_small(&meta(&[(10, MAX_DOCUMENTS); 4])), []);
    }
}
