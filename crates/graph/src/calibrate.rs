//! Calibration: what searches of an index find and cost, measured on the index itself.
//!
//! The searches are for rows of the index, each moved a little and left out of its own search: a
//! row's neighbors have edges to it and make its search easier than that of a stranger. How far
//! they are moved is a measured compromise ([`SHIFT`]). What the widest search finds counts as the
//! truth.
//!
//! A wide search tells about narrower ones too: what it finds, and at which width that would have
//! been found ([`crate::beam::Beam::deepest`]).

use memory::Grow;
use pages::{
    Batch, CALIBRATED_EF, Calibration, META_BLOCK, Meta, NodeNo, PageStore, Result, State,
};
use quant::{Metric, SplitMix64};

use crate::query::Query;
use crate::stored::vector_of;
use crate::vector::{VectorBuf, rank};
use crate::walk::{Walk, descend};
use crate::{Hnsw, ScanStats};

/// Searches for the recall of 10, at most: the mean recall is then known to about half a point, in
/// half a second.
const SEARCHES: u64 = 300;
/// Every so many of them measure the recall of 100 as well.
const HUNDREDS: u64 = 5;
/// Records for each search.
const RECORDS_PER_SEARCH: u64 = 50;
/// A smaller index is not calibrated: any search finds nearly all.
const FEWEST_RECORDS: u64 = 200;
/// How far a row is moved, in distances to its 10th neighbor. Without any shift recall is that of
/// strangers from the same source; questions to a collection of texts are farther off. Measured
/// with real queries: `src/am/hnsw/README.md`.
const SHIFT: f32 = 0.75;
/// Widths tried one after another, until the nearest are found at a quarter of the width.
const WIDTHS: [usize; 3] = [80, 320, 1280];
/// Width of a search for the 100 nearest.
const WIDTH_OF_100: usize = 640;

/// Measures the index and writes the result into the metapage; forgets an older one where there
/// is too little to measure.
pub fn calibrate<S: PageStore>(store: &S) -> Result<()> {
    let calibration = measure(store, &Hnsw::open(store)?)?;
    let mut batch = store.batch();
    let body = batch.page(META_BLOCK)?;
    let mut meta = Meta::decode(body)?;
    if meta.calibration == calibration {
        return Ok(());
    }
    meta.calibration = calibration;
    meta.encode(body);
    batch.commit()
}

/// Whether the index has so many more records than when it was measured that it should be again.
pub fn outgrown<S: PageStore>(store: &S) -> Result<bool> {
    let meta = Meta::decode(&store.read(META_BLOCK)?)?;
    let before = meta.calibration.map_or(FEWEST_RECORDS / 2, |calibration| calibration.records);
    Ok(meta.records() / 2 >= before)
}

fn measure<S: PageStore>(store: &S, hnsw: &Hnsw) -> Result<Option<Calibration>> {
    let records = hnsw.meta().records();
    if records < FEWEST_RECORDS {
        return Ok(None);
    }
    let mut random = SplitMix64::new(hnsw.meta().seed);
    let mut sums = Sums::default();
    for number in 0..SEARCHES.min(records / RECORDS_PER_SEARCH) {
        let Some(row) = Row::at_random(store, hnsw, &mut random)? else { continue };
        let query = row.shifted(store, hnsw, &mut random)?;
        for ef in WIDTHS {
            let search = row.search(store, hnsw, &query, ef)?;
            let narrow = hnsw.beam_width(ef / 4);
            if ef == WIDTHS[WIDTHS.len() - 1] || search.found(10, narrow) == 1.0 {
                sums.add(hnsw, &search);
                break;
            }
        }
        if number % HUNDREDS == 0 {
            sums.add_hundred(hnsw, &row.search(store, hnsw, &query, WIDTH_OF_100)?);
        }
    }
    Ok(sums.mean(records))
}

/// A row whose like is searched for.
struct Row {
    node: NodeNo,
    /// As [`Hnsw::ranked`] gives it.
    vector: VectorBuf,
}

impl Row {
    /// A live element; none where one is hard to find.
    fn at_random<S: PageStore>(
        store: &S,
        hnsw: &Hnsw,
        random: &mut SplitMix64,
    ) -> Result<Option<Self>> {
        let first = NodeNo::first(hnsw.geometry()).0;
        for _ in 0..20 {
            let place = random.next_u64() % hnsw.meta().records().max(1);
            // Record numbers have 32 bits.
            let node = NodeNo(first + place as u32);
            let vector = hnsw.element(store, node, |record| {
                let here = record.state() == State::Live && record.element().level == 0;
                here.then(|| vector_of(hnsw, record))
            })?;
            if let Some(vector) = vector.flatten() {
                return Ok(Some(Self { node, vector }));
            }
        }
        Ok(None)
    }

    /// The row's vector, moved in a random direction.
    fn shifted<S: PageStore>(
        &self,
        store: &S,
        hnsw: &Hnsw,
        random: &mut SplitMix64,
    ) -> Result<VectorBuf> {
        let near = self.search(store, hnsw, &self.vector, 10)?;
        let tenth = near.met.get(9).or(near.met.last()).map(|met| met.node);
        let bits = hnsw.metric().is_of_bits();
        let metric = if bits { Metric::Hamming } else { Metric::L2 };
        let squared = match tenth {
            Some(node) => hnsw.element(store, node, |record| {
                rank(metric, &self.vector, &vector_of(hnsw, record))
            })?,
            None => None,
        };
        let mut moved = self.vector.clone();
        let count = moved.values().len().max(1);
        let variance = SHIFT * SHIFT * squared.unwrap_or(0.0) / count as f32;
        for x in moved.values_mut() {
            if !bits {
                *x += variance.sqrt() * random.next_normal();
            } else if random.next_f32() < variance {
                *x = 1.0 - *x;
            }
        }
        Ok(moved)
    }

    /// Searches for `query` as if the row were not there.
    fn search<S: PageStore>(
        &self,
        store: &S,
        hnsw: &Hnsw,
        query: &VectorBuf,
        ef: usize,
    ) -> Result<Search> {
        let mut query = Query::new(hnsw, query);
        let mut stats = ScanStats::default();
        let width = hnsw.beam_width(ef);
        let mut walk = Walk::new(0, width, false)?;
        walk.skip(self.node)?;
        for (rank, node) in descend(store, hnsw, &mut query, &mut stats, 0, ef)? {
            walk.seed(rank, node)?;
        }
        let above = stats.expanded;
        let mut met = Vec::new();
        walk.run(store, hnsw, &mut query, &mut stats, |one| {
            if one.record.state() == State::Live {
                met.try_push(Met { rank: one.exact.rank, node: one.node, width: one.width })?;
            }
            Ok(())
        })?;
        met.sort_unstable_by(|a, b| a.rank.total_cmp(&b.rank));
        Ok(Search { width, above, met, stats })
    }
}

/// An element that a search met.
struct Met {
    rank: f32,
    node: NodeNo,
    /// Width of the narrowest beam that meets it.
    width: usize,
}

/// A search that was made.
struct Search {
    width: usize,
    /// Elements expanded on upper levels.
    above: u64,
    /// What was met on level 0, nearest first.
    met: Vec<Met>,
    stats: ScanStats,
}

impl Search {
    /// Share of the `k` nearest that a beam of `width` meets.
    fn found(&self, k: usize, width: usize) -> f64 {
        let nearest = self.met.get(..k).unwrap_or(&self.met);
        let found = nearest.iter().filter(|met| met.width <= width).count();
        found as f64 / nearest.len().max(1) as f64
    }

    /// Elements that a beam of `width` expands. A wider one than was tried expands as many more
    /// elements as it has more entries, if there are so many.
    fn expanded(&self, width: usize, all: u64) -> f64 {
        let met = self.met.iter().filter(|met| met.width <= width).count() as u64;
        let more = width.saturating_sub(self.width) as u64;
        (self.above + met + more).min(all) as f64
    }
}

/// Sums over searches, by [`CALIBRATED_EF`].
#[derive(Default)]
struct Sums {
    searches: u32,
    hundreds: u32,
    stats: ScanStats,
    recall_10: [f64; CALIBRATED_EF.len()],
    recall_100: [f64; CALIBRATED_EF.len()],
    expanded: [f64; CALIBRATED_EF.len()],
}

impl Sums {
    fn add(&mut self, hnsw: &Hnsw, search: &Search) {
        self.searches += 1;
        self.stats.expanded += search.stats.expanded;
        self.stats.exact += search.stats.exact;
        for (i, ef) in CALIBRATED_EF.into_iter().enumerate() {
            let width = hnsw.beam_width(usize::from(ef));
            self.recall_10[i] += search.found(10, width);
            self.expanded[i] += search.expanded(width, hnsw.meta().records());
        }
    }

    fn add_hundred(&mut self, hnsw: &Hnsw, search: &Search) {
        self.hundreds += 1;
        for (sum, ef) in self.recall_100.iter_mut().zip(CALIBRATED_EF) {
            *sum += search.found(100, hnsw.beam_width(usize::from(ef)));
        }
    }

    fn mean(&self, records: u64) -> Option<Calibration> {
        if self.hundreds == 0 {
            return None;
        }
        let reads = self.stats.exact as f32 / self.stats.expanded.max(1) as f32;
        let mut mean =
            Calibration { records, samples: self.searches, reads, ..Calibration::default() };
        for (i, point) in mean.points.iter_mut().enumerate() {
            point.recall_10 = (self.recall_10[i] / f64::from(self.searches)) as f32;
            point.recall_100 = (self.recall_100[i] / f64::from(self.hundreds)) as f32;
            point.expanded = (self.expanded[i] / f64::from(self.searches)) as f32;
        }
        Some(mean)
    }
}
