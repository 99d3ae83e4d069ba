//! Calibration: how many lists a search must read, measured on the index itself.
//!
//! The searches are for rows of the index, each moved a little and left out of its own search with its
//! copies, as those that calibrate an hnsw index are. What is found in an eighth of all entries counts
//! as the truth.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use memory::{Grow, collected, copied, with_room};
use pages::{Batch, Error, HeapTid, META_BLOCK, PageStore, Result};
use quant::SplitMix64;

use crate::block::Entry;
use crate::calibration::{Calibration, DEFAULT_TARGET, Reach};
use crate::geometry::VectorNo;
use crate::index::Ivf;
use crate::lists::{List, NearestLists};
use crate::meta::Meta;
use crate::query::{CentroidDistance, Query};
use crate::reader::Reader;
use crate::rebalance::Rebalanced;
use crate::scan::{Scan, ScanOptions};

/// Searches that are tried: the mean recall is then known to less than a point.
const SEARCHES: u64 = 200;
/// Standard errors of that mean that are taken off it.
const ERRORS: f64 = 2.0;
/// Of the nearest rows, so many are within reach of their lists, seen from the query.
const HELD: f64 = 0.95;
/// Of the searches, not more than so many search lists beyond those that all do.
const WIDENED: f64 = 0.025;
/// Numbers of queries that are searched for again.
const KEPT: usize = 1 << 20;
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
    let random = &mut SplitMix64::new(ivf.meta().seed);
    let chosen = chosen(store, ivf, random)?;
    let spread = spread(store, ivf, &chosen)?;
    let kept = KEPT / ivf.geometry().dims;
    let (mut searches, mut cosines, mut queries) = (Vec::new(), Vec::new(), Vec::new());
    for &(list, place) in &chosen {
        store.pause()?;
        let Some(row) = Row::at(store, ivf, &list, place)? else { continue };
        let vector = row.shifted(store, ivf, entries / 4, random)?;
        let query = Query::new(ivf, &vector);
        let nearest = nearest(store, ivf, &row, &query, entries)?;
        cosines.try_extend(
            nearest.iter().map(|near| query.cosine(spread, &near.centroid, near.reduced)),
        )?;
        searches.try_push(collected(nearest.iter().map(|near| near.place))?)?;
        if queries.len() < kept {
            queries.try_push((row.tid, vector))?;
        }
    }
    let Some(calibration) = calibration(&searches) else { return Ok(None) };
    let meta = Meta { calibration: Some(calibration), ..ivf.meta().clone() };
    let nexts = cosines_of_next(store, spread, meta.probes(DEFAULT_TARGET), queries)?;
    let cosine = quantile(cosines, HELD).min(quantile(nexts, WIDENED));
    Ok(Some(Calibration { reach: Reach { spread, cosine }, ..calibration }))
}

/// [`SEARCHES`] rows from all over the index: the list of each, and its place there.
fn chosen<S: PageStore>(
    store: &S,
    ivf: &Ivf,
    random: &mut SplitMix64,
) -> Result<Vec<(List, usize)>> {
    let mut ends = Vec::new();
    let mut rows = 0;
    for list in ivf.all_lists(store)? {
        store.pause()?;
        ivf.blocks_of(store, (list.first, list.id()), |_, block| {
            rows += u64::from(block.live().count_ones());
            Ok(true)
        })?;
        ends.try_push((rows, list))?;
    }
    let row = |i: u64| {
        let row = (i * rows + random.next_u64() % rows.max(1)) / SEARCHES;
        let at = ends.partition_point(|&(end, _)| end <= row);
        let start = at.checked_sub(1).map_or(0, |before| ends[before].0);
        ends.get(at).map(|&(_, list)| (list, (row - start) as usize))
    };
    Ok(collected((0..SEARCHES).filter_map(row))?)
}

/// The median of the distance between these rows and the centroids of their lists.
fn spread<S: PageStore>(store: &S, ivf: &Ivf, rows: &[(List, usize)]) -> Result<f32> {
    let mut distances = with_room(rows.len())?;
    for (list, place) in rows {
        store.pause()?;
        let Some(row) = Row::at(store, ivf, list, *place)? else { continue };
        let query = Query::new(ivf, &row.vector);
        let mut reader = Reader::new(store, ivf.geometry());
        let squared = reader.read(list.entry.vector, |stored| query.squared_distance(&stored))?;
        distances.push(squared.sqrt());
    }
    Ok(quantile(distances, 0.5).max(0.0))
}

/// [`Scan::cosine_of_next`] of each query, which a row is left out of.
fn cosines_of_next<S: PageStore>(
    store: &S,
    spread: f32,
    probes: usize,
    queries: Vec<(HeapTid, Vec<f32>)>,
) -> Result<Vec<f32>> {
    let options =
        ScanOptions { probes, max_probes: 0, strict: false, wanted: NEAREST, memory: usize::MAX };
    let mut cosines = with_room(queries.len())?;
    for (tid, vector) in queries {
        store.pause()?;
        let mut scan = Scan::new(Ivf::open(store)?, Some(&vector), options);
        scan.keep_only(Box::new(move |other| other != tid));
        cosines.extend(scan.cosine_of_next(store, spread)?);
    }
    Ok(cosines)
}

/// The number that this share of the others is below; minus infinity of none.
fn quantile(mut numbers: Vec<f32>, share: f64) -> f32 {
    numbers.retain(|x| !x.is_nan());
    numbers.sort_unstable_by(f32::total_cmp);
    let at = (numbers.len() as f64 * share) as usize;
    numbers.get(at).copied().unwrap_or(f32::NEG_INFINITY)
}

/// What one can rely on that searches find: their mean less [`ERRORS`] of its standard errors. Of the
/// neighbors of each search, `searches` has how many lists are nearer than theirs.
fn calibration(searches: &[Vec<u32>]) -> Option<Calibration> {
    let wanted = searches.iter().map(Vec::len).sum::<usize>() as f64;
    let recall = |lists| {
        let found = |search: &Vec<u32>| search.iter().filter(|&&place| place < lists).count();
        let mean = searches.iter().map(found).sum::<usize>() as f64 / wanted;
        let difference = |search| found(search) as f64 - mean * search.len() as f64;
        let variance: f64 = searches.iter().map(|search| difference(search).powi(2)).sum();
        mean - ERRORS * variance.sqrt() / wanted
    };
    (wanted > 0.0).then(|| Calibration::new(searches.len() as u32, recall))
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
    /// The row at this place of the list; none where it has no such place.
    fn at<S: PageStore>(store: &S, ivf: &Ivf, list: &List, place: usize) -> Result<Option<Self>> {
        let (mut before, mut found) = (0, None);
        ivf.blocks_of(store, (list.first, list.id()), |_, block| {
            found = block.entries().nth(place - before).map(|(_, entry)| entry);
            before += block.live().count_ones() as usize;
            Ok(found.is_none())
        })?;
        let Some(Entry { tid, vector }) = found else { return Ok(None) };
        let mut reader = Reader::new(store, ivf.geometry());
        let stored = reader.read(vector, |stored| copied(stored.bytes()))??;
        let vector = read(store, ivf, vector)?;
        Ok(Some(Self { tid, stored, vector }))
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
        let near = nearest(store, ivf, self, &Query::new(ivf, &self.vector), entries)?;
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
    reduced: f32,
    vector: VectorNo,
    /// Lists that are nearer than its own.
    place: u32,
    /// The centroid of its own.
    centroid: CentroidDistance,
}

/// The nearest among about `most` entries of the nearest lists, without the row itself and its copies:
/// these are in its list, and would hide in how many lists others are.
fn nearest<S: PageStore>(
    store: &S,
    ivf: &Ivf,
    row: &Row,
    query: &Query,
    most: usize,
) -> Result<Vec<Near>> {
    let mut lists = NearestLists::new(store, ivf, query)?;
    let (mut candidates, mut centroids) = (Vec::new(), Vec::new());
    while candidates.len() < most {
        let Some((list, centroid)) = lists.next(store, ivf, query)? else { break };
        let place = centroids.len() as u32;
        ivf.blocks_of(store, (list.first, list.id()), |_, block| {
            let bounds = query.bounds(block, &centroid);
            let others = block.entries().filter(|(_, entry)| entry.tid != row.tid);
            candidates.try_extend(others.map(|(i, entry)| {
                let bound = bounds.map_or(f32::NEG_INFINITY, |bounds| bounds[i]);
                Reverse((ordinal(bound), entry.vector.0, place))
            }))?;
            Ok(true)
        })?;
        centroids.try_push(centroid)?;
    }
    let mut candidates = BinaryHeap::from(candidates);
    let mut reader = Reader::new(store, ivf.geometry());
    let mut nearest: Vec<Near> = Vec::new();
    while let Some(Reverse((bound, vector, place))) = candidates.pop() {
        let farthest = nearest.last().filter(|_| nearest.len() == NEAREST);
        if farthest.is_some_and(|farthest| bound > ordinal(farthest.reduced)) {
            break;
        }
        let vector = VectorNo(vector);
        reader.pause()?;
        let reduced = reader.read(vector, |stored| {
            (stored.bytes() != row.stored).then(|| query.exact(&stored).reduced)
        })?;
        let Some(reduced) = reduced else { continue };
        let at = nearest.partition_point(|near| near.reduced <= reduced);
        nearest.insert(at, Near { reduced, vector, place, centroid: centroids[place as usize] });
        nearest.truncate(NEAREST);
    }
    Ok(nearest)
}

/// A number in the order of [`f32::total_cmp`].
fn ordinal(x: f32) -> i32 {
    let bits = x.to_bits() as i32;
    bits ^ ((bits >> 31) as u32 >> 1) as i32
}
