//! An index that is open: what it holds, and how its documents and queries are made.

#![allow(unsafe_code)] // is promised open indexes

use std::cell::RefCell;
use std::rc::Rc;

use inverted::{Heads, Options};
use pgrx::PgSqlErrorCode::ERRCODE_WARNING;
use pgrx::pg_sys::{Oid, Relation};

use super::content::Content;
use super::definition::Definition;
use crate::fulltext::Analyzer;
use crate::pg::error::Report;
use crate::pg::relation;
use crate::pg::store::RelationStore;

/// What an index says of itself.
#[derive(Debug)]
pub struct OpenIndex {
    /// The type of its column.
    pub content: Content,
    /// What it was made with.
    pub options: Options,
    /// What splits its texts; none of sparse vectors.
    pub analyzer: Option<Analyzer>,
    /// What is known of its segments.
    pub heads: Heads,
}

/// Indexes that a backend keeps.
const KEPT: usize = 16;

/// An index and its file, which tells it from the one that REINDEX puts in its place.
type Key = (Oid, Oid);

thread_local! {
    /// Those used last; the latest is the last.
    static USED: RefCell<Vec<(Key, Rc<OpenIndex>)>> = const { RefCell::new(Vec::new()) };
}

impl OpenIndex {
    /// What an index says of itself, which never changes, and what is known of its segments.
    ///
    /// # Errors
    /// If the index cannot be read, or its analyzer is not there any more.
    ///
    /// # Safety
    /// `index` is open, and `store` holds its pages.
    pub unsafe fn of(index: Relation, store: &RelationStore<'_>) -> Result<Rc<Self>, Report> {
        // SAFETY: an open index has its row of pg_class.
        let key = unsafe { ((*index).rd_id, (*(*index).rd_rel).relfilenode) };
        let known = USED.with_borrow_mut(|used| {
            let place = used.iter().position(|(other, _)| *other == key)?;
            used[place..].rotate_left(1);
            used.last().map(|(_, index)| Rc::clone(index))
        });
        if let Some(known) = known {
            return Ok(known);
        }
        // SAFETY: the index is open.
        let read = Rc::new(unsafe { Self::read(index, store)? });
        USED.with_borrow_mut(|used| {
            used.retain(|((oid, _), _)| *oid != key.0);
            if used.len() >= KEPT {
                used.remove(0);
            }
            used.push((key, Rc::clone(&read)));
        });
        Ok(read)
    }

    /// Forgets what is known of an index, which is being made anew, maybe in the same file.
    pub fn forget(index: Oid) {
        USED.with_borrow_mut(|used| used.retain(|((oid, _), _)| *oid != index));
    }

    /// # Safety
    /// As [`OpenIndex::of`].
    unsafe fn read(index: Relation, store: &RelationStore<'_>) -> Result<Self, Report> {
        // SAFETY: the index is open.
        let (content, name) = unsafe { (Content::of(index)?, || relation::qualified_name(index)) };
        let failed = |error| Report::of_index(&name(), error);
        let options = inverted::options(store).map_err(failed)?;
        if content == Content::Sparse {
            return Ok(Self { content, options, analyzer: None, heads: Heads::default() });
        }
        let (analyzer, is_changed) = Definition::of(store).map_err(failed)?.analyzer()?;
        if is_changed {
            let name = name();
            Report::new(ERRCODE_WARNING, format!("analyzer of index {name} has changed"))
                .detail("New rows and queries have other tokens than the rows that the index has.")
                .hint(format!("Run REINDEX INDEX {name}."))
                .warn();
        }
        Ok(Self { content, options, analyzer: Some(analyzer), heads: Heads::default() })
    }
}
