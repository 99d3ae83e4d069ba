//! `WHERE text_match(column, …)`: the rows that fulfill conditions, as a bitmap or one by one.

#![allow(unsafe_code)] // called by PostgreSQL

use std::time::Instant;

use inverted::Match;
use pages::HeapTid;
use pgrx::PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE;
use pgrx::pg_guard;
use pgrx::pg_sys::{self, IndexScanDesc, IndexScanDescData, TIDBitmap};

use super::condition::Condition;
use super::opened::OpenIndex;
use crate::am::counters;
use crate::am::work::{ScanFigures, Work};
use crate::pg::error::Report;
use crate::pg::indexes::is_partition_of;
use crate::pg::store::RelationStore;
use crate::pg::{relation, tid, version};
use crate::types::text_condition::TextCondition;

/// Rows that a bitmap gets at a time.
const ROWS_AT_A_TIME: usize = 1_000;

/// Rows that the keys of a scan find.
pub struct Found {
    /// The rows, in no order.
    pub rows: Vec<HeapTid>,
    /// Whether conditions have to be tested again.
    pub recheck: bool,
}

/// Rows that fulfill all conditions of a scan.
///
/// # Errors
/// If a condition is damaged or names another index, or the index cannot be read.
///
/// # Safety
/// `desc` is a scan of an open index, and has its keys; `store` holds the pages of the index.
pub unsafe fn find(
    desc: &IndexScanDescData,
    store: &RelationStore<'_>,
    open: &OpenIndex,
) -> Result<Found, Report> {
    let mut found = Found { rows: Vec::new(), recheck: false };
    let mut all = Vec::new();
    // SAFETY: the index is open; there are as many keys as the scan says, with conditions as arguments.
    unsafe {
        let index = desc.indexRelation;
        for i in 0..usize::try_from(desc.numberOfKeys).unwrap_or(0) {
            let key = &*desc.keyData.add(i);
            if key.sk_flags & pg_sys::SK_ISNULL as i32 != 0 {
                return Ok(found);
            }
            let Some(asked) = TextCondition::from_datum(key.sk_argument)? else {
                return Ok(found);
            };
            if !is_partition_of((*index).rd_id, asked.index) {
                let name = relation::qualified_name(index);
                let message = format!("the condition names another index than {name}");
                return Err(Report::new(ERRCODE_INVALID_PARAMETER_VALUE, message)
                    .hint("Name an index on the column that is compared."));
            }
            let Condition::Terms(terms) = Condition::of(&asked, open.analyzer.as_ref())? else {
                return Err(Report::internal("a fuzzy condition reached an index"));
            };
            if terms.has_phrase() && !open.options.positions {
                found.recheck = true;
                all.push(words_of(terms));
            } else {
                all.push(terms);
            }
        }
        found.rows = inverted::find(store, &open.heads, &Match::All(all))
            .map_err(|error| Report::of_index(&relation::qualified_name(index), error))?;
    }
    Ok(found)
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
        let found = OpenIndex::of(index, &store).and_then(|open| find(&*desc, &store, &open));
        let Found { rows, recheck } = found.unwrap_or_else(|error| error.raise());
        for some in rows.chunks(ROWS_AT_A_TIME) {
            pgrx::check_for_interrupts!();
            let mut some: Vec<_> = some.iter().map(|&row| tid::to_item_pointer(row)).collect();
            pg_sys::tbm_add_tuples(bitmap, some.as_mut_ptr(), some.len() as i32, recheck);
        }
        if let Some(counters) = counters::of(index) {
            let (pages, time) = (store.reads(), begin.elapsed());
            let work = Work::of_rows(rows.len() as u64);
            let index = (*index).rd_id;
            counters.add_scan(&ScanFigures { index, work, late: 0, pages, time, filtered: None });
        }
        rows.len() as i64
    }
}
