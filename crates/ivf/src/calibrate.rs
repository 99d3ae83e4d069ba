//! Calibration: how many lists a search must read, measured on the index itself.
//!
//! The searches are for rows of the index, each moved a little and left out of its own search with its
//! copies, as those that calibrate an hnsw index are. What is found in an eighth of all entries counts as the
//! truth.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use memory::{Grow, copied, with_room};
use pages::{Batch, Error, HeapTid, META_BLOCK, PageStore, Result};
use quant::SplitMix64;

use crate::block::Entry;
use crate::calibration::{Calibration, POINTS};
use crate::geometry::VectorNo;
use crate::index::Ivf;
use crate::lists::{List, NearestLists};
use crate::meta::Meta;
use crate::query::Query;
use crate::rebalance::Rebalanced;
use crate::vectors::Reader;

/// Searches that are tried: the mean recall is then known to less than a point.
const SEARCHES: usize = 200;
/// Neighbors of each that are looked for.
const NEAREST: usize = 10;
/// A smaller index is not calibrated: any search finds nearly all.
const FEWEST_ROWS: u64 = 500;
/// Entries that each search looks at: so many, or this share of all. Without codes all of their
/// vectors are read.
const CODED: (u64, u64) = (32_768, 8);
const PLAIN: (u64, u64) = (16_384, 16);
/// How far a row is moved, in distances to its 10th neighbor: see the same of an hnsw index.
const SHIFT: f32 = 0.75;

/// Measures the index, which has so many rows, and writes the result into the metapage.
///
/// # Errors
/// Those of the store, and [`pages::Error::Corrupted`].
pub fn calibrate<S: PageStore>(store: &S, rows: u64) -> Result<()> {
    let calibration = measure(store, &Ivf::open(store)?, rows)?;
    let mut batch = store.batch();
    let body = batch.page(META_BLOCK)?;
    let mut meta = Meta::decode(body)?;
    meta.calibration = calibration;
    meta.encode(body);
    batch.commit()
}

/// Calibrates after a reorganization: where lists changed, and where the index has rows enough for the
/// first time.
///
/// # Errors
/// Those of [`calibrate`].
pub fn recalibrate<S: PageStore>(store: &S, done: &Rebalanced) -> Result<()> {
    let changed = done.split + done.merged + done.renewed > 0;
    let first = || {
        Ok::<_, Error>(done.rows >= FEWEST_ROWS && Ivf::open(store)?.meta().calibration.is_none())
    };
    if changed || first()? { calibrate(store, done.rows) } else { Ok(()) }
}

fn measure<S: PageStore>(store: &S, ivf: &Ivf, rows: u64) -> Result<Option<Calibration>> {
    if rows < FEWEST_ROWS {
        return Ok(None);
    }
    let (least, share) = if ivf.geometry().coded() { CODED } else { PLAIN };
    let entries = least.max(rows / share) as usize;
    let lists = ivf.all_lists(store)?;
    let random = &mut SplitMix64::new(ivf.meta().seed);
    let mut searches: Vec<Search> = with_room(SEARCHES)?;
    for _ in 0..SEARCHES {
        let list = &lists[(random.next_u64() % lists.len() as u64) as usize];
        let Some((row, of_list)) = Row::at_random(store, ivf, list, random)? else { continue };
        let query = row.shifted(store, ivf, entries / 4, random)?;
        let nearest = nearest(store, ivf, &row, &query, entries)?;
        let found = std::array::from_fn(|i| {
            nearest.iter().filter(|near| near.place < 1 << i).count() as f64
        });
        // A row of a short list was more likely to be chosen.
        searches.push(Search { weight: of_list as f64, wanted: nearest.len() as f64, found });
    }
    Ok(calibration(&searches))
}

/// What a search found.
struct Search {
    weight: f64,
    /// Neighbors that there are to find.
    wanted: f64,
    /// Those in the nearest 1, 2, 4 … lists.
    found: [f64; POINTS],
}

/// What one can rely on that searches find: their mean less its standard error.
fn calibration(searches: &[Search]) -> Option<Calibration> {
    let wanted: f64 = searches.iter().map(|search| search.weight * search.wanted).sum();
    if wanted == 0.0 {
        return None;
    }
    let mut least = 0.0_f64;
    let recall = std::array::from_fn(|i| {
        let found: f64 = searches.iter().map(|search| search.weight * search.found[i]).sum();
        let mean = found / wanted;
        let variance = searches
            .iter()
            .map(|search| (search.weight * (search.found[i] - mean * search.wanted)).powi(2));
        least = least.max(mean - variance.sum::<f64>().sqrt() / wanted);
        least.min(1.0) as f32
    });
    Some(Calibration { searches: searches.len() as u32, recall })
}

/// A row whose like is searched for.
struct Row {
    tid: HeapTid,
    /// Its vector as pages hold it.
    stored: Vec<u8>,
    /// The same as lists are made of it.
    vector: Vec<f32>,
}

impl Row {
    /// A row of the list, and the number of all its rows; none where it has none.
    fn at_random<S: PageStore>(
        store: &S,
        ivf: &Ivf,
        list: &List,
        random: &mut SplitMix64,
    ) -> Result<Option<(Self, usize)>> {
        let mut entries: Vec<Entry> = Vec::new();
        ivf.blocks_of(store, (list.first, list.id()), |_, block| {
            entries.try_extend(block.entries().map(|(_, entry)| entry))?;
            Ok(true)
        })?;
        if entries.is_empty() {
            return Ok(None);
        }
        let Entry { tid, vector } = entries[(random.next_u64() % entries.len() as u64) as usize];
        let mut reader = Reader::new(store, ivf.geometry());
        let stored = reader.read(vector, |stored| copied(stored.bytes()))??;
        let vector = read(store, ivf, vector)?;
        Ok(Some((Self { tid, stored, vector }, entries.len())))
    }

    /// The row's vector, moved in a random direction; its tenth neighbor is looked for among so
    /// many entries.
    fn shifted<S: PageStore>(
        &self,
        store: &S,
        ivf: &Ivf,
        entries: usize,
        random: &mut SplitMix64,
    ) -> Result<Vec<f32>> {
        let mut moved = self.vector.clone();
        let near = nearest(store, ivf, self, &self.vector, entries)?;
        let Some(tenth) = near.last() else { return Ok(moved) };
        let tenth = read(store, ivf, tenth.vector)?;
        let squared = kernels::l2_squared::<f32>(&self.vector, &tenth) as f32;
        let variance = SHIFT * SHIFT * squared / moved.len() as f32;
        for x in &mut moved {
            if !ivf.metric().is_of_bits() {
                *x += variance.sqrt() * random.next_normal();
            } else if random.next_f32() < variance {
                *x = 1.0 - *x;
            }
        }
        Ok(moved)
    }
}

/// A vector as lists are made of it.
fn read<S: PageStore>(store: &S, ivf: &Ivf, vector: VectorNo) -> Result<Vec<f32>> {
    let mut numbers = vec![0.0; ivf.geometry().dims];
    let mut reader = Reader::new(store, ivf.geometry());
    reader.read(vector, |stored| ivf.holder().widen(&stored, &mut numbers))?;
    ivf.place(&mut numbers);
    Ok(numbers)
}

/// A neighbor of a query.
struct Near {
    rank: f32,
    vector: VectorNo,
    /// Lists that are nearer than its own.
    place: u32,
}

/// The nearest among about `most` entries of the nearest lists, without the row itself and its copies:
/// these are in its list, and would hide in how many lists others are.
fn nearest<S: PageStore>(
    store: &S,
    ivf: &Ivf,
    row: &Row,
    vector: &[f32],
    most: usize,
) -> Result<Vec<Near>> {
    let query = Query::new(ivf, vector);
    let mut lists = NearestLists::new(store, ivf, &query)?;
    let (mut candidates, mut place) = (Vec::new(), 0);
    while candidates.len() < most {
        let Some((list, centre)) = lists.next(store, ivf, &query)? else { break };
        ivf.blocks_of(store, (list.first, list.id()), |_, block| {
            let bounds = query.bounds(block, &centre);
            let others = block.entries().filter(|(_, entry)| entry.tid != row.tid);
            candidates.try_extend(others.map(|(i, entry)| {
                let bound = bounds.map_or(f32::NEG_INFINITY, |bounds| bounds[i]);
                Reverse((ordinal(bound), entry.vector.0, place))
            }))?;
            Ok(true)
        })?;
        place += 1;
    }
    let mut candidates = BinaryHeap::from(candidates);
    let mut reader = Reader::new(store, ivf.geometry());
    let mut nearest: Vec<Near> = Vec::new();
    while let Some(Reverse((bound, vector, place))) = candidates.pop() {
        let farthest = nearest.last().filter(|_| nearest.len() == NEAREST);
        if farthest.is_some_and(|farthest| bound > ordinal(farthest.rank)) {
            break;
        }
        let vector = VectorNo(vector);
        reader.pause()?;
        let rank = reader.read(vector, |stored| {
            (stored.bytes() != row.stored).then(|| query.exact(&stored).rank)
        })?;
        let Some(rank) = rank else { continue };
        let at = nearest.partition_point(|near| near.rank <= rank);
        nearest.insert(at, Near { rank, vector, place });
        nearest.truncate(NEAREST);
    }
    Ok(nearest)
}

/// A number in the order of [`f32::total_cmp`].
fn ordinal(x: f32) -> i32 {
    let bits = x.to_bits() as i32;
    bits ^ ((bits >> 31) as u32 >> 1) as i32
}
