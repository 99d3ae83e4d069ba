//! `CREATE INDEX` and `REINDEX`: the documents of a table at once.
//!
//! Texts are analyzed by threads if their analyzer allows it, and documents gathered by the backend.
//! Documents are gathered in `maintenance_work_mem`; what does not fit is written to a temporary file
//! as sorted runs, which are merged into one segment at the end.

#![allow(unsafe_code)] // called by PostgreSQL

use std::ffi::CStr;

use inverted::{Bulk, Document, Options, Scoring};
use pages::HeapTid;
use pgrx::pg_sys::{self, Datum, ForkNumber, IndexInfo, Oid, Relation};
use space::Space;

use super::analysis::Batches;
use super::content::{Content, Terms};
use super::definition::Definition;
use super::method::Method;
use super::opened::OpenIndex;
use super::options::Options as Parameters;
use crate::am::build::{Create, LOADING};
use crate::am::load::scan_table;
use crate::am::resources;
use crate::fulltext::Analyzer;
use crate::pg::bulk::BulkWriter;
use crate::pg::error::Report;
use crate::pg::store::RelationStore;
use crate::pg::temp_file::TempFile;
use crate::pg::{progress, relation, reserve};

/// What a new index is made with.
struct New {
    content: Content,
    options: Options,
    analyzer: Option<Analyzer>,
}

impl New {
    /// # Safety
    /// `index` is open.
    unsafe fn of(index: Relation) -> Result<Self, Report> {
        // SAFETY: the index is open.
        let (content, parameters) = unsafe { (Content::of(index)?, Parameters::of(index)?) };
        let Parameters { analyzer, k1, b, positions } = parameters;
        if content == Content::Sparse {
            let options = Options { scoring: Scoring::InnerProduct, positions: false };
            return Ok(Self { content, options, analyzer: None });
        }
        let scoring = Scoring::Bm25 { k1: k1 as f32, b: b as f32 };
        let options = Options { scoring, positions };
        let analyzer = Analyzer::of_index(&analyzer)?;
        Ok(Self { content, options, analyzer: Some(analyzer) })
    }

    /// Batches for threads, if there are any and they may use the analyzer.
    fn batches(&self, threads: usize, memory: usize) -> Option<Batches<'_>> {
        match &self.analyzer {
            Some(Analyzer::Milvus(analyzer)) if threads > 0 => {
                Some(Batches::new(analyzer, threads, memory))
            }
            _ => None,
        }
    }

    /// An index without documents.
    ///
    /// # Safety
    /// `index` is open.
    unsafe fn begin<'a>(&self, index: Relation, space: Space<'a>) -> Result<Bulk<'a>, Report> {
        let definition = match &self.analyzer {
            Some(analyzer) => Definition::new(analyzer)?.to_bytes()?,
            None => Vec::new(),
        };
        // SAFETY: the index is open.
        Bulk::new(self.options, &definition, space, Box::new(pause))
            .map_err(|error| unsafe { Report::of_index(&relation::qualified_name(index), error) })
    }
}

/// The OID of `pg_ts_config`.
const TS_CONFIG: u32 = 3602;

/// Lets nobody drop the text-search configuration of an index, unless the index goes too.
///
/// # Safety
/// The index exists.
unsafe fn depend_on(index: Oid, analyzer: &Analyzer) {
    let Some(configuration) = analyzer.configuration() else { return };
    let object = |class: u32, object: Oid| pg_sys::ObjectAddress {
        classId: Oid::from(class),
        objectId: object,
        objectSubId: 0,
    };
    let [own, other] =
        [object(pg_sys::RelationRelationId.to_u32(), index), object(TS_CONFIG, configuration)];
    let normal = pg_sys::DependencyType::DEPENDENCY_NORMAL;
    // SAFETY: the index is being made, and the configuration exists; a dependency of an earlier build is
    // replaced.
    unsafe {
        pg_sys::deleteDependencyRecordsForClass(own.classId, index, other.classId, normal as _);
        pg_sys::recordDependencyOn(&raw const own, &raw const other, normal);
    }
}

/// What documents are added to.
struct Load<'a> {
    new: &'a New,
    bulk: Bulk<'a>,
    /// Texts that threads analyze.
    batches: Option<Batches<'a>>,
}

impl Create for Method {
    const PHASES: &'static [&'static CStr] = &[c"writing pages"];

    unsafe fn create(
        heap: Relation,
        index: Relation,
        info: *mut IndexInfo,
    ) -> Result<(f64, usize), Report> {
        // SAFETY: `heap` and `index` are open and locked, and `info` valid, until `ambuild` returns;
        // nobody else writes to `index` yet.
        unsafe {
            let failed = |error| Report::of_index(&relation::qualified_name(index), error);
            OpenIndex::forget((*index).rd_id);
            let new = New::of(index)?;
            // Not for the empty fork of an unlogged index, which the same command makes: it would take a
            // record away twice.
            if let Some(analyzer) = &new.analyzer {
                depend_on((*index).rd_id, analyzer);
            }
            let mut file = TempFile::default();
            let map_file = |bytes| Ok(file.map(bytes).unwrap_or_else(|error| error.raise()));
            let memory = resources::maintenance_work_mem();
            // Of a small table, no batch will be worth threads.
            let batches = new.batches(resources::workers(heap, usize::MAX), memory);
            let taken = batches.as_ref().map_or(0, Batches::memory);
            let space = Space::new(memory.saturating_sub(taken), Box::new(map_file));
            let mut load = Load { new: &new, bulk: new.begin(index, space)?, batches };
            progress::begin_phase(LOADING, relation::estimated_rows(heap));
            let relations = (heap, index, info);
            let rows = scan_table(relations, |value, tid| load.add(index, value, tid));
            load.finish(index)?;
            let documents = load.bulk.len();
            progress::begin_phase(LOADING + 1, 0);
            let mut writer = BulkWriter::new(index, ForkNumber::MAIN_FORKNUM);
            let mut append = |body: &[u8]| writer.append(body);
            let built = load.bulk.write(&mut append).map_err(failed)?;
            writer.finish();
            built.publish(&RelationStore::new(index)).map_err(failed)?;
            Ok((rows, documents))
        }
    }

    unsafe fn create_empty(index: Relation) -> Result<(), Report> {
        // SAFETY: the index is open, and nobody else sees it yet.
        unsafe {
            let new = New::of(index)?;
            let mut writer = BulkWriter::new(index, ForkNumber::INIT_FORKNUM);
            new.begin(index, Space::unlimited())?
                .write(&mut |body| writer.append(body))
                .map(drop)
                .map_err(|error| Report::of_index(&relation::qualified_name(index), error))?;
            writer.finish();
        }
        Ok(())
    }
}

/// Lets a user cancel the build, and ends it if memory is short.
fn pause() -> pages::Result<()> {
    pgrx::check_for_interrupts!();
    Ok(reserve::check()?)
}

impl Load<'_> {
    /// # Safety
    /// `index` is open, and `value` of the type that it is on.
    unsafe fn add(&mut self, index: Relation, value: Datum, tid: HeapTid) -> Result<(), Report> {
        let New { content, options, analyzer } = self.new;
        let Self { bulk, batches, .. } = self;
        // SAFETY: the index is open.
        let mut push = |document: &Document| unsafe { push(bulk, index, document) };
        let Some(batches) = batches else {
            // SAFETY: the value is of the type of the indexed column.
            let document =
                unsafe { content.document(value, tid, analyzer.as_ref(), options.positions)? };
            return push(&document);
        };
        let mut push = |tid, terms: Terms| push(&terms.document(tid, options.positions)?);
        // SAFETY: the value is of the type of the indexed column.
        let texts = unsafe { content.texts(value)? };
        if batches.takes(&texts) {
            return batches.add(tid, texts, &mut push);
        }
        batches.finish(&mut push)?;
        push(tid, Terms::of(texts, analyzer.as_ref())?)
    }

    /// Adds what waits.
    ///
    /// # Safety
    /// `index` is open.
    unsafe fn finish(&mut self, index: Relation) -> Result<(), Report> {
        let positions = self.new.options.positions;
        let Self { bulk, batches, .. } = self;
        let mut add = |tid, terms: Terms| {
            let document = terms.document(tid, positions)?;
            // SAFETY: the index is open.
            unsafe { push(bulk, index, &document) }
        };
        batches.as_mut().map_or(Ok(()), |batches| batches.finish(&mut add))
    }
}

/// # Safety
/// `index` is open.
unsafe fn push(bulk: &mut Bulk<'_>, index: Relation, document: &Document) -> Result<(), Report> {
    let pushed = bulk.push(document).and_then(|()| Ok(reserve::check()?));
    // SAFETY: the index is open.
    pushed.map_err(|error| unsafe { Report::of_index(&relation::qualified_name(index), error) })?;
    if bulk.len().is_multiple_of(1_000) {
        progress::tuples_done(bulk.len());
    }
    Ok(())
}
