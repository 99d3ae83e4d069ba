//! Calibration: what searches of an index find and cost, measured on the index itself.
//!
//! The searches are for rows of the index, each moved a little and left out of its own search: a
//! row's neighbors have edges to it and make its search easier than that of a stranger. How far
//! they are moved is a measured compromise ([`search::SHIFT`]).
//!
//! A wide search tells about narrower ones too: what it finds, and at which width that would have
//! been found ([`crate::beam::Beam::deepest`]). What no search finds, because no edges lead there,
//! is found by comparing the queries with elements one after another, without the graph.

mod overlooked;
mod question;
mod search;
mod sums;

use memory::Grow;
use pages::{Batch, META_BLOCK, PageStore, Result};
use quant::{Metric, SplitMix64};

use self::overlooked::find_overlooked;
use self::question::Question;
use self::search::{Row, search};
use self::sums::Sums;
use crate::Hnsw;
use crate::format::{Calibration, Meta};

/// Searches at most: the mean recall is then known to about half a point, in half a second.
const SEARCHES: u64 = 300;
/// Every so many of them measure the recall of 100 as well.
const HUNDREDS: u64 = 5;
/// Records for each search.
const RECORDS_PER_SEARCH: u64 = 50;
/// A smaller index is not calibrated: any search finds nearly all.
const FEWEST_RECORDS: u64 = 200;
/// Widths tried one after another, until the nearest are found at a quarter of the width.
const WIDTHS: [usize; 3] = [80, 320, WIDEST];
const WIDEST: usize = 1280;
/// Width of a search for the 100 nearest.
const WIDTH_OF_100: usize = 640;

/// Measures the index and writes the result into the metapage, which is returned; forgets an older
/// one where there is too little to measure.
///
/// # Errors
/// Those of the store, and [`pages::Error::Corrupted`].
pub fn calibrate<S: PageStore>(store: &S) -> Result<Option<Calibration>> {
    let calibration = measure(store, &Hnsw::open(store)?)?;
    let mut batch = store.batch();
    let body = batch.page(META_BLOCK)?;
    let mut meta = Meta::decode(body)?;
    if meta.calibration != calibration {
        meta.calibration = calibration;
        meta.encode(body);
        batch.commit()?;
    }
    Ok(calibration)
}

/// Whether so many records have come or gone since the index was measured that it should be again:
/// half of those there are now.
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
    let (mut sums, mut questions) = (Sums::default(), Vec::new());
    let searches = SEARCHES.min(records / RECORDS_PER_SEARCH);
    let others = others(store, hnsw, searches)?;
    for number in 0..searches {
        let Some(row) = Row::at_random(store, hnsw, &mut random)? else { continue };
        let query = row.shifted(store, hnsw, &others, &mut random)?;
        for ef in WIDTHS {
            let search = search(store, hnsw, row.node, &query, ef)?;
            if ef == WIDEST || search.finds(10, hnsw.beam_width(ef / 4)) {
                sums.add_search(hnsw, &search);
                questions.try_push(Question::new(hnsw, &row, &query, &search, 10)?)?;
                break;
            }
        }
        if number % HUNDREDS == 0 {
            let search = search(store, hnsw, row.node, &query, WIDTH_OF_100)?;
            questions.try_push(Question::new(hnsw, &row, &query, &search, 100)?)?;
        }
    }
    let share = find_overlooked(store, hnsw, &mut questions, &mut random)?;
    for question in &questions {
        sums.add_answer(hnsw, question, share);
    }
    Ok(sums.mean(records))
}

/// By inner product, `count` rows that tell how far rows lie apart.
fn others<S: PageStore>(store: &S, hnsw: &Hnsw, count: u64) -> Result<Vec<Row>> {
    let mut others = Vec::new();
    if hnsw.metric() == Metric::InnerProduct {
        let mut random = SplitMix64::new(!hnsw.meta().seed);
        for _ in 0..count {
            others.try_extend(Row::at_random(store, hnsw, &mut random)?)?;
        }
    }
    Ok(others)
}
