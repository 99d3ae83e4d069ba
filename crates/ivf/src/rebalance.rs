//! Lists of about equal length, whatever rows come and go: long ones are split, short ones merged.

use std::collections::HashSet;

use kernels::BLOCK;
use kmeans::{Options, Rows, train};
use pages::{Batch, META_BLOCK, PageStore, Result};
use threads::Workers;

use crate::block::{Entry, ROOT};
use crate::bulk::failed;
use crate::chain::Chain;
use crate::index::{Ivf, lists_for};
use crate::lists::List;
use crate::meta::{MAX_RETIRED, Meta};
use crate::reclaim::reclaim;
use crate::relocate::{Goal, Relocation, reopen};
use crate::vector::{Stored, init_vectors, open_vectors, pieces, write};
use crate::vectors::Reader;

/// A list is split when it is so many halves as long as it should be; where there are fewer lists
/// than wanted, sooner.
const LONG: u64 = 4;
const RATHER_LONG: u64 = 3;
/// A list is merged when it is less than one of so many parts of what it should be; where there
/// are more lists than wanted, sooner.
const SHORT: u64 = 4;
const RATHER_SHORT: u64 = 2;
/// Lists that one is split into at most: the new ones fit one block of the list of lists.
const MAX_PARTS: u64 = 16;
/// Rows looked at for each part.
const SAMPLE_PER_PART: usize = 128;

/// What is wanted of a reorganization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rebalance {
    /// Lists that the rows should be divided into; 0 for as many as [`lists_for`] says.
    pub lists: u64,
    /// Rows that may be moved, and centroids looked at, before the rest is left for another time.
    /// A list that is begun with is moved as a whole.
    pub work: u64,
}

/// What a reorganization did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rebalanced {
    /// Lists that were split.
    pub split: u64,
    /// Lists that were merged into others.
    pub merged: u64,
    /// Rows that have changed their list.
    pub moved: u64,
    /// Rows of all lists.
    pub rows: u64,
}

/// Splits lists that are far longer than others and merges those that are far shorter, while
/// readers and inserts go on. Only one process may do so at a time, and none may vacuum meanwhile.
///
/// # Errors
/// Those of the store, and [`pages::Error::Corrupted`].
pub fn rebalance<S: PageStore>(store: &S, wanted: &Rebalance) -> Result<Rebalanced> {
    reclaim(store)?;
    let ivf = Ivf::open(store)?;
    let mut lists = lengths(store, &ivf)?;
    let rows: u64 = lists.iter().map(|list| list.rows).sum();
    let wanted_lists =
        if wanted.lists == 0 { lists_for(rows as usize) as u64 } else { wanted.lists };
    let length = rows / wanted_lists;
    let mut work = Work { store, ivf: &ivf, middle: middle(store, &ivf)?, left: wanted.work };
    let mut done = Rebalanced { rows, ..Rebalanced::default() };

    lists.sort_by_key(|list| std::cmp::Reverse(list.rows));
    let (part, mut count) = (length.max(BLOCK as u64), lists.len() as u64);
    let mut gone = HashSet::new();
    for list in &lists {
        let long = if count < wanted_lists { RATHER_LONG } else { LONG };
        if list.rows * 2 <= long * part {
            break;
        }
        if gone.contains(&list.list.id()) {
            continue;
        }
        let group = work.group(list, &lists, &gone, MAX_PARTS * part)?;
        let rows: u64 = group.iter().map(|list| list.rows).sum();
        let parts = ((rows + part / 2) / part).clamp(2, MAX_PARTS);
        if let Some(moved) = work.split(&group, parts as usize)? {
            gone.extend(group.iter().map(|list| list.list.id()));
            count = (count + parts).saturating_sub(group.len() as u64);
            done.split += 1;
            done.moved += moved;
        }
        if work.left == 0 {
            return Ok(done);
        }
    }
    for list in lists.iter().rev().filter(|list| !gone.contains(&list.list.id())) {
        let short = if count > wanted.lists { RATHER_SHORT } else { SHORT };
        if list.rows * short >= length {
            break;
        }
        if let Some(moved) = work.merge(list)? {
            count = count.saturating_sub(1);
            done.merged += 1;
            done.moved += moved;
        }
        if work.left == 0 {
            break;
        }
    }
    Ok(done)
}

/// A list and its length.
#[derive(Clone, Copy)]
struct Length {
    list: List,
    rows: u64,
    /// The page of the list of lists that tells of it.
    root: u32,
}

/// Counts the rows of all lists; opens those that a crash left closed.
fn lengths<S: PageStore>(store: &S, ivf: &Ivf) -> Result<Vec<Length>> {
    let (mut lists, mut lengths) = (Vec::new(), Vec::new());
    ivf.blocks_of(store, (ivf.meta().root, ROOT), |no, block| {
        let root = no.page(ivf.geometry());
        lists.extend(block.entries().map(|(_, entry)| (root, List::of(entry))));
        true
    })?;
    for (root, list) in lists {
        let (mut rows, mut closed) = (0, false);
        ivf.blocks_of(store, (list.first, list.id()), |_, block| {
            rows += u64::from(block.live().count_ones());
            closed |= block.closed();
            true
        })?;
        if closed {
            reopen(store, ivf, &list)?;
        }
        lengths.push(Length { list, rows, root });
    }
    Ok(lengths)
}

fn middle<S: PageStore>(store: &S, ivf: &Ivf) -> Result<Vec<f32>> {
    let mut middle = vec![0.0; ivf.geometry().dims];
    Reader::new(store, ivf.geometry())
        .read(ivf.meta().middle, |stored| stored.widen(&mut middle))?;
    Ok(middle)
}

struct Work<'a, S> {
    store: &'a S,
    ivf: &'a Ivf,
    middle: Vec<f32>,
    left: u64,
}

impl<S: PageStore> Work<'_, S> {
    /// A list, and those nearest to it as far as all have at most `most` rows: rows at its border
    /// may belong to others, and theirs to its parts.
    fn group(
        &self,
        list: &Length,
        all: &[Length],
        gone: &HashSet<u32>,
        most: u64,
    ) -> Result<Vec<Length>> {
        let dims = self.ivf.geometry().dims;
        let (mut own, mut other) = (vec![0.0; dims], vec![0.0; dims]);
        let mut reader = Reader::new(self.store, self.ivf.geometry());
        reader.read(list.list.entry.vector, |stored| stored.widen(&mut own))?;
        let mut near = Vec::new();
        for candidate in all {
            let id = candidate.list.id();
            if id != list.list.id() && !gone.contains(&id) {
                reader.read(candidate.list.entry.vector, |stored| stored.widen(&mut other))?;
                near.push((kernels::l2_squared(&own, &other), *candidate));
            }
        }
        near.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (mut group, mut pages, mut rows) = (vec![*list], vec![list.root], list.rows);
        for (_, candidate) in near.into_iter().take(2 * MAX_RETIRED) {
            let new_page = !pages.contains(&candidate.root);
            let fits = rows + candidate.rows <= most && (!new_page || pages.len() < 2);
            if fits && group.len() < MAX_RETIRED {
                pages.extend(new_page.then_some(candidate.root));
                rows += candidate.rows;
                group.push(candidate);
            }
        }
        Ok(group)
    }

    /// Divides the rows of some lists anew. Returns the rows moved; none where these are all alike,
    /// or too busy.
    fn split(&mut self, group: &[Length], parts: usize) -> Result<Option<u64>> {
        let lists: Vec<List> = group.iter().map(|list| list.list).collect();
        let centroids = self.centroids(&lists, parts)?;
        if centroids.len() < 2 {
            self.left = self.left.saturating_sub((parts * SAMPLE_PER_PART) as u64);
            return Ok(None);
        }
        self.left = self.left.saturating_sub(group.iter().map(|list| list.rows).sum());
        let mut chains = Vec::with_capacity(centroids.len());
        for centroid in centroids {
            chains.push(self.new_list(&centroid)?);
        }
        self.relocate(lists, Goal::New, chains)
    }

    /// Merges a list into the one whose centroid is nearest. Returns the rows moved; none where
    /// there is no other.
    fn merge(&mut self, list: &Length) -> Result<Option<u64>> {
        let lists = self.ivf.all_lists(self.store)?;
        self.left = self.left.saturating_sub(list.rows + lists.len() as u64);
        let dims = self.ivf.geometry().dims;
        let (mut own, mut other) = (vec![0.0; dims], vec![0.0; dims]);
        let mut reader = Reader::new(self.store, self.ivf.geometry());
        reader.read(list.list.entry.vector, |stored| stored.widen(&mut own))?;
        let mut nearest = None;
        for other_list in lists.into_iter().filter(|other| other.id() != list.list.id()) {
            reader.read(other_list.entry.vector, |stored| stored.widen(&mut other))?;
            let distance = kernels::l2_squared(&own, &other);
            if nearest.as_ref().is_none_or(|&(least, _)| distance < least) {
                nearest = Some((distance, other_list));
            }
        }
        let Some((_, into)) = nearest else { return Ok(None) };
        reader.read(into.entry.vector, |stored| stored.widen(&mut other))?;
        drop(reader);
        let chain = Chain::new(self.ivf, into.entry.vector, other);
        self.relocate(vec![list.list], Goal::Into(into), vec![chain])
    }

    fn relocate(&self, lists: Vec<List>, goal: Goal, chains: Vec<Chain>) -> Result<Option<u64>> {
        let (store, ivf, middle) = (self.store, self.ivf, &self.middle[..]);
        Relocation { store, ivf, lists, goal, chains, middle }.run()
    }

    /// Centroids to divide the rows of lists, from some of them; fewer where these are alike.
    fn centroids(&self, lists: &[List], parts: usize) -> Result<Vec<Vec<f32>>> {
        let sample = self.sample(lists, parts * SAMPLE_PER_PART)?;
        let dims = self.ivf.geometry().dims;
        let options = Options { clusters: parts, spherical: false, seed: u64::from(lists[0].id()) };
        let mut on_tick = |_| true;
        let mut workers = Workers::new(0, &mut on_tick);
        let clusters = train(Rows::new(&sample, dims), &options, &mut workers).map_err(failed)?;
        let of_bits = self.ivf.metric().is_of_bits();
        let round = |x: &f32| if of_bits { f32::from(*x >= 0.5) } else { *x };
        let centre = |i| clusters.centre(i).iter().map(round).collect();
        let mut centroids: Vec<Vec<f32>> = (0..clusters.len()).map(centre).collect();
        centroids.sort_by(|a, b| a.iter().map(|x| x.to_bits()).cmp(b.iter().map(|x| x.to_bits())));
        centroids.dedup();
        Ok(centroids)
    }

    /// Vectors of about `count` rows of lists, as lists are made of them.
    fn sample(&self, lists: &[List], count: usize) -> Result<Vec<f32>> {
        let mut entries: Vec<Entry> = Vec::new();
        for list in lists {
            self.ivf.blocks_of(self.store, (list.first, list.id()), |_, block| {
                entries.extend(block.entries().map(|(_, entry)| entry));
                true
            })?;
        }
        let step = entries.len().div_ceil(count.max(1)).max(1);
        let geometry = self.ivf.geometry();
        let chosen: Vec<Entry> = entries.into_iter().step_by(step).collect();
        let mut sample = vec![0.0; chosen.len() * geometry.dims];
        let mut reader = Reader::new(self.store, geometry);
        for (entry, place) in chosen.iter().zip(sample.chunks_exact_mut(geometry.dims)) {
            reader.read(entry.vector, |stored| stored.widen(place))?;
            self.ivf.place(place);
        }
        Ok(sample)
    }

    /// A list without rows that nobody knows of yet: its centroid is written.
    fn new_list(&self, centroid: &[f32]) -> Result<Chain> {
        let geometry = self.ivf.geometry();
        let mut stored = vec![0; geometry.vector_size()];
        write(centroid, geometry, &mut stored);
        let mut batch = self.store.batch();
        let mut meta = Meta::decode(batch.page(META_BLOCK)?)?;
        let open = match meta.reorganized.centroids {
            Some(open) => open,
            None => meta.new_run()?,
        };
        for page in open.first.run(geometry)..open.first.run(geometry) + geometry.run_pages as u32 {
            if open.count == geometry.run_vectors {
                init_vectors(batch.create(page)?);
            }
        }
        for (page, range, part) in pieces(open.first, geometry) {
            open_vectors(&mut batch, page)?[range].copy_from_slice(&stored[part]);
        }
        meta.reorganized.centroids = open.after();
        meta.encode(batch.page(META_BLOCK)?);
        batch.commit()?;
        let mut widened = vec![0.0; geometry.dims];
        Stored::new(&stored, geometry).widen(&mut widened);
        Ok(Chain::new(self.ivf, open.first, widened))
    }
}
