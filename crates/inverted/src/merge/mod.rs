//! Merging segments into one, without their dead documents.
//!
//! An insert does no more than a part of a merge, a number of pages; its state is kept in between
//! ([`crate::progress`]).

mod copy;

use copy::{Input, Memory, copy_documents, copy_terms};
use memory::Grow;
use pages::{Batch, Coordination, Error, HeapTid, META_BLOCK, Result};

use crate::allocate::{MERGE, PAUSED, Taker, VACUUM, reclaim, recover};
use crate::bytes::Bytes;
use crate::meta::Meta;
use crate::pick::pick_small;
use crate::progress;
use crate::publish::Change;
use crate::segment::{Reader, SegmentInfo, Writer};

/// Pages that an insert writes of a merge.
pub(crate) const PART: u32 = 48;
/// Parts of a merge at most: of a large one, a part has more pages.
const PARTS: u32 = 32;

/// Does a part of merging a few small segments if there are too many of about the same size, about so many
/// pages, unless another is at it.
pub(crate) fn merge_small<S: Coordination>(store: &S, seen: &Meta, part: u32) -> Result<()> {
    // Claims may be those of a holder that has failed.
    if is_claimed(seen, VACUUM)
        && let Some(_lock) = store.try_lock(VACUUM as u32)?
    {
        recover(store, VACUUM)?;
    }
    if !is_claimed(seen, MERGE) && pick_small(seen).is_empty() {
        return Ok(());
    }
    let Some(_lock) = store.try_lock(MERGE as u32)? else { return Ok(()) };
    merge_picked(store, Some(part), pick_small).map(drop)
}

/// Goes on with the merge that others have left, or else with the one that `pick` chooses: does a part of
/// so many pages, or all. False if there is none. The caller holds the lock [`MERGE`].
pub(crate) fn merge_picked<S: Coordination>(
    store: &S,
    part: Option<u32>,
    pick: impl FnOnce(&Meta) -> Vec<u64>,
) -> Result<bool> {
    match go_on(store, part) {
        Ok(true) => return Ok(true),
        Err(error) if error.ends_work() => return Err(error),
        // What is wrong with the state, a merge that begins anew does not meet.
        Ok(false) | Err(_) => {}
    }
    recover(store, MERGE)?;
    reclaim(store)?;
    let ids = claim(store, MERGE, pick)?;
    Ok(!ids.is_empty() && run(store, MERGE, &ids, None, part, &mut |_| false)?)
}

/// Whether the holder of `lock`, or one that has failed, has claimed a segment.
pub(crate) fn is_claimed(meta: &Meta, lock: usize) -> bool {
    meta.segments.iter().any(|listed| listed.claim == Some(lock))
}

/// Claims the segments that `pick` chooses, for the holder of `lock`.
pub(crate) fn claim<S: Coordination>(
    store: &S,
    lock: usize,
    pick: impl FnOnce(&Meta) -> Vec<u64>,
) -> Result<Vec<u64>> {
    let mut batch = store.batch();
    let mut meta = Meta::decode(batch.page(META_BLOCK)?)?;
    let ids = pick(&meta);
    for listed in &mut meta.segments {
        if ids.contains(&listed.info.id) {
            listed.claim = Some(lock);
        }
    }
    meta.encode(batch.page(META_BLOCK)?);
    batch.commit()?;
    Ok(ids)
}

/// Puts a new segment in the place of those with these ids, without the documents that are dead or that
/// `is_dead` tells. The caller holds `lock`, and has claimed the segments.
pub(crate) fn merge<S: Coordination>(
    store: &S,
    lock: usize,
    ids: &[u64],
    is_dead: &mut dyn FnMut(HeapTid) -> bool,
) -> Result<()> {
    run(store, lock, ids, None, None, is_dead).map(drop)
}

/// Goes on with a merge of which others have done parts. False if there is none, or it has to begin anew.
fn go_on<S: Coordination>(store: &S, part: Option<u32>) -> Result<bool> {
    let meta = Meta::read(store)?;
    let Some(state) = progress::load(store, &meta.progress)? else { return Ok(false) };
    let mut bytes = Bytes::new(&state, META_BLOCK);
    let mut ids = Vec::new();
    let read: Result<()> = (0..bytes.u8()?).try_for_each(|_| Ok(ids.try_push(bytes.u64()?)?));
    let claimed = meta.segments.iter().filter(|listed| listed.claim == Some(MERGE));
    let are_claimed = claimed.clone().all(|listed| ids.contains(&listed.info.id));
    if read.is_err() || !are_claimed || claimed.count() != ids.len() {
        return Ok(false);
    }
    run(store, MERGE, &ids, Some(bytes), part, &mut |_| false)
}

/// Merges segments: all that is left from `state` on, or a part of about so many pages. False if the state
/// is of no use.
fn run<S: Coordination>(
    store: &S,
    lock: usize,
    ids: &[u64],
    mut state: Option<Bytes<'_>>,
    part: Option<u32>,
    is_dead: &mut dyn FnMut(HeapTid) -> bool,
) -> Result<bool> {
    let mut meta = Meta::read(store)?;
    let options = meta.options;
    let mut infos: Vec<SegmentInfo> = Vec::with_capacity(ids.len());
    for &id in ids {
        infos.push(meta.segment_mut(id)?.info);
    }
    let taker = match &mut state {
        None => Some(Taker::new(store, lock)?),
        Some(state) => Taker::resume(store, lock, state.array()?)?,
    };
    let Some(mut taker) = taker else { return Ok(false) };
    let (id, handed_out) = (taker.segment(), taker.handed_out()?);
    let mut writer = Writer::new(&mut taker, options.scoring, options.positions, id);
    let restored = state.map(|mut state| writer.restore(&mut state, &handed_out)).transpose();
    let restored = match restored {
        Err(Error::Corrupted { .. }) => return Ok(false),
        other => other?,
    };
    let all: u32 = infos.iter().map(|info| info.pages).fold(0, u32::saturating_add);
    let mut end =
        part.map_or(u32::MAX, |part| writer.pages().saturating_add(part.max(all / PARTS)));
    let readers: Vec<Reader<'_, S>> = infos
        .iter()
        .map(|info| Reader::open(store, info, options.scoring))
        .collect::<Result<_>>()?;
    let (mut inputs, mut documents) = (Vec::with_capacity(readers.len()), 0u32);
    for reader in &readers {
        let ordinals = copy_documents(reader, &mut writer, &mut documents, is_dead)?;
        let after = restored.as_ref().and_then(Option::as_deref);
        inputs.extend(Input::new(reader, ordinals, after)?);
    }
    let mut change = Change { lock, remove: ids, ..Change::default() };
    if documents > 0 {
        if let Some(last) = restored {
            writer.go_on(last)?;
        }
        let mut memory = Memory::new();
        while !copy_terms(&mut inputs, &mut writer, options, end, &mut memory)? {
            let mut state = Vec::new();
            state.push(ids.len() as u8);
            state.extend(ids.iter().flat_map(|id| id.to_le_bytes()));
            let place = state.len()..state.len() + PAUSED;
            state.extend([0; PAUSED]);
            if writer.save(&mut state)? {
                drop(writer);
                let (numbers, paused) = taker.pause()?;
                state[place].copy_from_slice(&paused);
                progress::save(store, id, numbers, &state)?;
                return Ok(true);
            }
            end = u32::MAX;
        }
        let info = writer.finish()?;
        change.add = Some((info, taker.finish()?));
    }
    change.publish(store)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use pages::PageStore;
    use pages::mem::MemStore;
    use rand::Rng;

    use super::*;
    use crate::gather::Gathered;
    use crate::meta::Options;
    use crate::write::write_segment;
    use crate::{Document, Posting, Scoring, check, create, insert, statistics, vacuum};

    const DOCUMENTS: u32 = 1_500;

    /// A store with some segments of documents with frequent and rare words, and positions.
    fn filled() -> MemStore {
        let (store, scoring) = (MemStore::new(), Scoring::Bm25 { k1: 1.2, b: 0.75 });
        create(&store, Options { scoring, positions: true }, b"").expect("creates");
        for segment in 0..3 {
            let mut gathered = Gathered::default();
            for row in (0..DOCUMENTS).map(|row| row + segment * DOCUMENTS) {
                gathered.document(&document(row)).expect("gathers");
            }
            let taker = Taker::new(&store, MERGE).expect("takes");
            let options = Meta::read(&store).expect("reads").options;
            let add = Some(write_segment(taker, options, &gathered).expect("writes"));
            Change { lock: MERGE, add, ..Change::default() }.publish(&store).expect("publishes");
        }
        store
    }

    fn document(row: u32) -> Document {
        let mut terms = vec![format!("rare{row}"), format!("some{}", row % 50), "all".to_owned()];
        terms.extend((0..row % 9).map(|i| format!("word{}", row * 7 % 900 + i)));
        terms.sort();
        terms.dedup();
        let posting = |(place, term): (usize, String)| {
            let value = 1 + row % 3;
            let positions = (0..value).map(|i| i * 20 + place as u32).collect();
            Posting { term: term.into_bytes(), value, positions }
        };
        let postings: Vec<Posting> = terms.into_iter().enumerate().map(posting).collect();
        let length = postings.iter().map(|posting| posting.value).sum();
        Document { tid: HeapTid { block: row, offset: 1 }, length, postings }
    }

    fn all(meta: &Meta) -> Vec<u64> {
        let count = meta.segments.len();
        if count > 1 {
            meta.segments.iter().map(|listed| listed.info.id).collect()
        } else {
            Vec::new()
        }
    }

    /// Merges everything in parts of so many pages. Returns how many it took.
    fn merge_in_parts(store: &MemStore, part: Option<u32>) -> Result<usize> {
        let mut parts = 0;
        loop {
            let lock = store.try_lock(MERGE as u32)?.expect("is free");
            let result = merge_picked(store, part, all);
            drop(lock);
            if !result? {
                return Ok(parts);
            }
            parts += 1;
        }
    }

    /// A term with its postings: row, value, positions.
    type Content = (Vec<u8>, Vec<(HeapTid, u32, Vec<u32>)>);

    /// All terms.
    fn content(store: &MemStore) -> Vec<Content> {
        let meta = Meta::read(store).expect("reads");
        let [listed] = &meta.segments[..] else { panic!("{} segments", meta.segments.len()) };
        let reader = Reader::open(store, &listed.info, meta.options.scoring).expect("opens");
        let groups = (0..reader.groups()).map(|group| reader.documents(group).expect("reads").tids);
        let tids: Vec<HeapTid> = groups.flatten().collect();
        let (mut terms, mut content) = (reader.terms(), Vec::new());
        while let Some((term, entry)) = terms.next().expect("reads") {
            let (mut postings, mut of) = (reader.postings(&entry).expect("opens"), Vec::new());
            while let Some(ordinal) = postings.ordinal() {
                let mut positions = Vec::new();
                postings.positions(&mut positions).expect("reads");
                of.push((tids[ordinal as usize], postings.value(), positions));
                postings.advance().expect("reads");
            }
            content.push((term.to_vec(), of));
        }
        content
    }

    fn expect_sound(store: &MemStore) {
        let mut problems = Vec::new();
        check(store, &|| u32::MAX, &mut |problem| problems.push(problem)).expect("checks");
        assert_eq!(problems, []);
    }

    #[test]
    fn parts_come_to_the_same_as_the_whole() {
        let (whole, parts) = (filled(), filled());
        assert_eq!(merge_in_parts(&whole, None), Ok(1));
        let count = merge_in_parts(&parts, Some(3)).expect("merges");
        assert!(count > 5, "{count} parts");
        for store in [&whole, &parts] {
            expect_sound(store);
        }
        assert!(content(&whole) == content(&parts));
        let pages = |store| Meta::read(store).expect("reads").segments[0].info.pages;
        assert_eq!(pages(&whole), pages(&parts));
        assert_eq!(statistics(&parts).expect("reads").taken_pages, 0);
    }

    #[test]
    fn a_merge_in_parts_survives_a_crash_at_any_batch() {
        let sound = filled();
        let whole = sound.clone();
        merge_in_parts(&whole, None).expect("merges");
        let expected = content(&whole);
        for at in 0.. {
            let store = sound.clone();
            store.crash_after(at);
            let crashed = merge_in_parts(&store, Some(3)).is_err();
            store.recover();
            expect_sound(&store);
            // What comes meanwhile does not matter.
            insert(&store, &document(3 * DOCUMENTS)).expect("inserts");
            merge_in_parts(&store, Some(20)).expect("merges");
            expect_sound(&store);
            assert!(content(&store) == expected, "after {at} batches");
            assert_eq!(statistics(&store).expect("reads").taken_pages, 0);
            if !crashed {
                assert!(at > 30, "{at} batches");
                break;
            }
        }
    }

    #[test]
    fn vacuum_takes_segments_from_a_merge_that_has_begun() {
        let store = filled();
        let lock = store.try_lock(MERGE as u32).expect("locks");
        assert_eq!(merge_picked(&store, Some(5), all), Ok(true));
        drop(lock);
        expect_sound(&store);
        assert!(statistics(&store).expect("reads").taken_pages > 0);
        let stats = vacuum(&store, &mut |tid| tid.block % 3 == 0).expect("vacuums");
        assert_eq!(stats.removed, u64::from(DOCUMENTS));
        expect_sound(&store);
        let left = statistics(&store).expect("reads");
        assert_eq!((left.segments.len(), left.taken_pages), (1, 0));
    }

    /// Even a state that looks intact may hold anything.
    #[test]
    fn no_state_makes_a_merge_panic() {
        let begun = filled();
        assert_eq!(merge_picked(&begun, Some(5), all), Ok(true));
        let meta = Meta::read(&begun).expect("reads");
        fuzz::run("inverted-merge-state", |case| {
            let store = begun.clone();
            let number = case.rng.random_range(0..meta.progress.used);
            store.rewrite(meta.progress.pages[usize::from(number)], |body| {
                let place = &mut body[20..pages::PAGE_USABLE];
                let mut bytes = place.to_vec();
                fuzz::mutate(&mut case.rng, &mut bytes);
                place.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
            });
            // Any answer will do, but it must be an answer.
            for _ in 0..100 {
                if merge_picked(&store, Some(20), all) != Ok(true) {
                    break;
                }
            }
        });
    }

    /// A state that looks intact does not make a merge write pages that are not its own.
    #[test]
    fn a_state_does_not_name_pages_of_others() {
        let begun = filled();
        let other = Meta::read(&begun).expect("reads").segments[0].info.root;
        assert_eq!(merge_picked(&begun, Some(5), all), Ok(true));
        let meta = Meta::read(&begun).expect("reads");
        let whole = filled();
        merge_in_parts(&whole, None).expect("merges");
        let expected = content(&whole);
        // Behind the number of the part: segments, the place of the list, and two groups of documents, then
        // the page of postings.
        let groups = 20 + 1 + 3 * 8 + PAUSED + 4;
        let postings = groups + 2 * 16 + 1;
        let page = begun.read(meta.progress.pages[0]).expect("reads").to_vec();
        let begun_page = crate::fields::u32_at(&page, postings);
        assert_eq!(page[postings + 4], crate::page::Part::Postings as u8);
        for at in [groups, groups + 4, groups + 16, postings] {
            for block in [META_BLOCK, other, u32::MAX, begun_page] {
                if (at, block) == (postings, begun_page) {
                    continue;
                }
                let store = begun.clone();
                store.rewrite(meta.progress.pages[0], |body| {
                    body[at..at + 4].copy_from_slice(&block.to_le_bytes());
                });
                merge_in_parts(&store, Some(20)).expect("merges");
                expect_sound(&store);
                assert!(content(&store) == expected, "block {block} at {at}");
            }
        }
    }

    /// What was kept and is damaged, is of no use, but does no harm.
    #[test]
    fn a_damaged_state_is_not_used() {
        let store = filled();
        assert_eq!(merge_picked(&store, Some(5), all), Ok(true));
        let meta = Meta::read(&store).expect("reads");
        store.scribble(meta.progress.pages[0], |body| body[500] ^= 1);
        merge_in_parts(&store, Some(5)).expect("merges");
        expect_sound(&store);
        let whole = filled();
        merge_in_parts(&whole, None).expect("merges");
        assert!(content(&store) == content(&whole));
    }
}
