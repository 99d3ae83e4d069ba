//! The index that a query or a condition names, where no scan of it is running.

#![allow(unsafe_code)] // opens relations

use std::rc::Rc;

use inverted::{Query, Ranker};
use pgrx::PgSqlErrorCode::{
    ERRCODE_FEATURE_NOT_SUPPORTED, ERRCODE_INSUFFICIENT_PRIVILEGE, ERRCODE_UNDEFINED_OBJECT,
    ERRCODE_WRONG_OBJECT_TYPE,
};
use pgrx::pg_sys::{self, Oid};

use super::content::Content;
use super::method::Method;
use super::opened::OpenIndex;
use super::options::Options;
use crate::am::method::AccessMethod;
use crate::fulltext::Analyzer;
use crate::pg::error::Report;
use crate::pg::relation::{Opened, access_method};
use crate::pg::store::RelationStore;

/// Who asks, and in which command of a transaction: what is known of an index is known for this long.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    user: Oid,
    command: pg_sys::CommandId,
}

impl Moment {
    /// This moment.
    pub fn now() -> Self {
        // SAFETY: read what the backend knows.
        unsafe { Self { user: pg_sys::GetUserId(), command: pg_sys::GetCurrentCommandId(false) } }
    }
}

/// An index of ours, open, whose table the user may read.
pub struct NamedIndex(Opened);

impl NamedIndex {
    /// Opens it.
    ///
    /// # Errors
    /// If it is no index of ours on documents of this type, or the user may not read its table.
    pub fn open(index: Oid, content: Content) -> Result<Self, Report> {
        let (opened, table) = Self::open_with_table(index, content)?;
        if !table.may_read_a_column() {
            let message = format!("permission denied for table {}", table.unqualified_name());
            return Err(Report::new(ERRCODE_INSUFFICIENT_PRIVILEGE, message));
        }
        Ok(opened)
    }

    /// Opens it for a user who is known to be allowed to read its documents.
    ///
    /// # Errors
    /// If it is no index of ours on documents of this type, or cannot be read.
    pub fn open_unchecked(index: Oid, content: Content) -> Result<Self, Report> {
        Self::open_with_table(index, content).map(|(index, _)| index)
    }

    fn open_with_table(index: Oid, content: Content) -> Result<(Self, Opened), Report> {
        // The table first, as everywhere: locks taken in another order may wait for each other.
        // SAFETY: a look-up in the catalog; 0 of what is no index.
        let table = unsafe { pg_sys::IndexGetRelation(index, true) };
        let table = Opened::find(table);
        let Some(opened) = Opened::find(index) else {
            let message = format!("there is no index with OID {}", index.to_u32());
            return Err(Report::new(ERRCODE_UNDEFINED_OBJECT, message)
                .hint("Name an index made with USING inverted."));
        };
        // SAFETY: the relation is open; an index has a row of its access method.
        let is_ours = table.is_some() && unsafe { access_method(opened.get()) == Method::NAME };
        let Some(table) = table.filter(|_| is_ours) else {
            let message = format!("{} is not an inverted index", opened.name());
            return Err(Report::new(ERRCODE_WRONG_OBJECT_TYPE, message)
                .hint("Name an index made with USING inverted."));
        };
        // SAFETY: the index is open.
        if unsafe { Content::of(opened.get())? } != content {
            let message = format!("index {} is on documents of another type", opened.name());
            return Err(Report::new(ERRCODE_WRONG_OBJECT_TYPE, message)
                .hint("Name an index on the column that is compared."));
        }
        opened.check_readable()?;
        Ok((Self(opened), table))
    }

    /// What the index says of itself.
    ///
    /// # Errors
    /// If it cannot be read, or is partitioned.
    pub fn index(&self) -> Result<Rc<OpenIndex>, Report> {
        if self.is_partitioned() {
            let message = format!("index {} is partitioned", self.0.name());
            return Err(Report::new(ERRCODE_FEATURE_NOT_SUPPORTED, message).hint(
                "Each partition ranks its own rows: order by the score, or name the index of a \
                 partition.",
            ));
        }
        // SAFETY: the index is open as long as the store lives.
        unsafe { OpenIndex::of(self.0.get(), &RelationStore::new(self.0.get())) }
    }

    /// What splits the texts of the index, or of its partitions.
    ///
    /// # Errors
    /// If it is not there any more.
    pub fn analyzer(&self) -> Result<Option<Analyzer>, Report> {
        if self.is_partitioned() {
            // SAFETY: the index is open.
            let Options { analyzer, .. } = unsafe { Options::of(self.0.get())? };
            return Analyzer::new(&analyzer).map(Some);
        }
        Ok(self.index()?.analyzer.clone())
    }

    /// What ranks documents by a query.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn ranker(&self, query: &Query) -> Result<Ranker, Report> {
        // SAFETY: the index is open as long as the store lives.
        let store = unsafe { RelationStore::new(self.0.get()) };
        Ranker::new(&store, &self.index()?.heads, query)
            .map_err(|error| Report::of_index(&self.0.name(), error))
    }

    /// In how many documents each of these terms is, and how many there are. The terms are ascending.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn frequencies(&self, terms: &[&[u8]]) -> Result<(Vec<u64>, u64), Report> {
        // SAFETY: the index is open as long as the store lives.
        let store = unsafe { RelationStore::new(self.0.get()) };
        inverted::frequencies(&store, &self.index()?.heads, terms)
            .map_err(|error| Report::of_index(&self.0.name(), error))
    }

    /// Whether the index has partitions, and no pages.
    pub fn is_partitioned(&self) -> bool {
        self.0.kind() == pg_sys::RELKIND_PARTITIONED_INDEX
    }
}
