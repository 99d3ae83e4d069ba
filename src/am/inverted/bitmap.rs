//! `WHERE text_match(column, …)`: the rows that fulfill conditions, as a bitmap or one by one.

#![allow(unsafe_code)] // called by PostgreSQL

use std::time::Instant;

use inverted::Match;
use pgrx::pg_guard;
use pgrx::pg_sys::{self, IndexScanDesc, IndexScanDescData, Oid, Relation, TIDBitmap};

use super::condition::Condition;
use super::named::NamedIndex;
use super::opened::OpenIndex;
use crate::am::counters;
use crate::am::work::{ScanFigures, Work};
use crate::fulltext::Analyzer;
use crate::pg::bitmap::RowBitmap;
use crate::pg::error::Report;
use crate::pg::indexes::is_partition_of;
use crate::pg::relation::Opened;
use crate::pg::store::RelationStore;
use crate::pg::{relation, version};
use crate::types::text_condition::TextCondition;

/// Adds the rows that fulfill all conditions of a scan to a bitmap. Returns whether they have to be tested
/// again.
///
/// # Errors
/// If a condition is damaged, or the index cannot be read.
///
/// # Safety
/// `desc` is a scan of an open index, and has its keys; `store` holds the pages of the index.
pub unsafe fn find(
    desc: &IndexScanDescData,
    store: &RelationStore<'_>,
    open: &OpenIndex,
    found: &mut RowBitmap,
) -> Result<bool, Report> {
    let (mut all, mut recheck) = (Vec::new(), false);
    let index = desc.indexRelation;
    for i in 0..usize::try_from(desc.numberOfKeys).unwrap_or(0) {
        // SAFETY: there are as many keys as the scan says, with conditions as arguments.
        let asked = unsafe {
            let key = &*desc.keyData.add(i);
            if key.sk_flags & pg_sys::SK_ISNULL as i32 != 0 {
                return Ok(false);
            }
            TextCondition::from_datum(key.sk_argument)?
        };
        let Some(asked) = asked else { return Ok(false) };
        // SAFETY: the index is open.
        if !unsafe { has_tokens_of(index, open, asked.index)? } {
            recheck = true;
            continue;
        }
        let Condition::Terms(terms) = Condition::of(&asked, open.analyzer.as_ref())? else {
            return Err(Report::internal("a fuzzy condition reached an index"));
        };
        if terms.has_phrase() && !open.options.positions {
            recheck = true;
            all.push(words_of(terms));
        } else {
            all.push(terms);
        }
    }
    if recheck {
        found.recheck();
    }
    if all.is_empty() {
        // SAFETY: a look-up in the catalog; the table of an index that is open is open too.
        let blocks = unsafe {
            let table = Opened::find(pg_sys::IndexGetRelation((*index).rd_id, true));
            table.map_or(0, |table| relation::blocks(table.get()))
        };
        found.add_pages(blocks);
        return Ok(recheck);
    }
    let each = &mut |row| Ok(found.add(row)?);
    inverted::find(store, &open.heads, &Match::All(all), each)
        // SAFETY: the index is open.
        .map_err(|error| Report::of_index(&unsafe { relation::qualified_name(index) }, error))?;
    Ok(recheck)
}

/// Whether an index has the tokens that a condition is about which names an index: that or another one.
///
/// # Errors
/// If there is no such index, or the user may not read its table.
///
/// # Safety
/// `index` is open.
unsafe fn has_tokens_of(index: Relation, open: &OpenIndex, named: Oid) -> Result<bool, Report> {
    // SAFETY: the index is open.
    if is_partition_of(unsafe { (*index).rd_id }, named) {
        return Ok(true);
    }
    let others = NamedIndex::open(named, open.content)?.analyzer()?;
    let definition = |analyzer: &Option<Analyzer>| analyzer.as_ref().map(Analyzer::definition);
    let [own, others] = [&open.analyzer, &others].map(|one| definition(one).transpose());
    Ok(own? == others?)
}

/// What documents hold that hold a phrase.
fn words_of(phrase: Match) -> Match {
    match phrase {
        Match::Phrase { terms, .. } => {
            Match::All(terms.into_iter().map(|(_, term)| Match::Term(term)).collect())
        }
        other @ (Match::Term(_) | Match::All(_) | Match::AtLeast(..)) => other,
    }
}

/// Adds the rows that the keys of a scan find to a bitmap.
#[pg_guard]
pub unsafe extern "C-unwind" fn amgetbitmap(desc: IndexScanDesc, bitmap: *mut TIDBitmap) -> i64 {
    // SAFETY: PostgreSQL gives a scan of ours with its keys, and a bitmap to be filled.
    unsafe {
        let (index, begin) = ((*desc).indexRelation, Instant::now());
        relation::count_scan(index);
        version::count_search(&mut *desc);
        let store = RelationStore::new(index);
        let mut found = RowBitmap::of(bitmap);
        let open = OpenIndex::of(index, &store);
        if let Err(error) = open.and_then(|open| find(&*desc, &store, &open, &mut found)) {
            error.raise();
        }
        let rows = found.finish();
        if let Some(counters) = counters::of(index) {
            let (pages, time) = (store.reads(), begin.elapsed());
            let work = Work::of_rows(rows);
            let index = (*index).rd_id;
            counters.add_scan(&ScanFigures { index, work, late: 0, pages, time, filtered: None });
        }
        i64::try_from(rows).unwrap_or(i64::MAX)
    }
}
