//! `CREATE INDEX` and `REINDEX`.

#![allow(unsafe_code)] // reads what PostgreSQL knows of an index

use std::ffi::CStr;

use gpu::Provider;
use graph::format::Calibration;
use graph::{Bulk, IndexOptions, Phase};
use pages::HeapTid;
use pgrx::PgSqlErrorCode::ERRCODE_SUCCESSFUL_COMPLETION;
use pgrx::pg_sys::Relation;
use space::Space;
use vectors::Form;

use super::method::{Method, of_graph};
use super::options::Options;
use super::settings;
use crate::am::build::{Build, Tick};
use crate::am::column;
use crate::am::load::Sink;
use crate::am::method::AccessMethod;
use crate::am::opclass::OpClass;
use crate::am::vector::Vector;
use crate::pg::error::Report;
use crate::pg::store::RelationStore;

impl Build for Method {
    const PHASES: &'static [&'static CStr] =
        &[c"building graph", c"writing pages", c"calibrating searches"];
    const MEASURED: bool = true;

    type Options = IndexOptions;
    type Bulk<'a> = Bulk<'a>;

    unsafe fn options(index: Relation, class: OpClass) -> Result<(usize, IndexOptions), Report> {
        // SAFETY: the index that is being built is open.
        let (Options { m, ef_construction, quantization }, dims) = unsafe {
            (Options::of(index)?, column::dims(index, class.kind.max_dims(), Self::NAME)?)
        };
        let form = quantization.form(class, dims)?;
        // The seed is fixed: the same rows give the same index.
        let metric = class.metric;
        Ok((dims, IndexOptions { metric, form, dims, m, ef_construction, seed: 1 }))
    }

    fn begin(options: IndexOptions, space: Space<'_>) -> pages::Result<Bulk<'_>> {
        Bulk::new(options, space)
    }

    fn loaded(bulk: &Bulk<'_>, options: &IndexOptions) -> pages::Result<Option<IndexOptions>> {
        if !bulk.is_blurred()? {
            return Ok(None);
        }
        pgrx::debug1!("16-bit floats do not tell the rows apart");
        Ok(Some(IndexOptions { form: Form::Floats, ..*options }))
    }

    fn write(
        bulk: Bulk<'_>,
        provider: &mut dyn Provider,
        threads: usize,
        tick: &mut Tick<'_>,
        append: &mut dyn FnMut(&[u8]) -> pages::Result<()>,
    ) -> pages::Result<()> {
        let mut tick = |phase, done, total| {
            let phase = match phase {
                Phase::Graph => 0,
                Phase::Pages => 1,
            };
            tick(phase, done, total)
        };
        bulk.write_with(provider, threads, &mut tick, append)
    }

    fn measure(
        store: &RelationStore<'_>,
        options: &IndexOptions,
        _rows: usize,
        name: &dyn Fn() -> String,
    ) -> pages::Result<()> {
        if let Some(calibration) = graph::calibrate(store)? {
            expect_recall(&name(), options, &calibration);
        }
        Ok(())
    }
}

impl Sink for Bulk<'_> {
    fn push(&mut self, vector: Vector<'_>, tid: HeapTid) -> pages::Result<()> {
        self.push(of_graph(vector), tid)
    }

    fn rows(&self) -> usize {
        self.len()
    }
}

/// Tells the user where searches of a new index will find little, whatever their width.
fn expect_recall(index: &str, options: &IndexOptions, calibration: &Calibration) {
    let ef = settings::default_ef_search(Some(calibration));
    let recall = graph::expected_recall(calibration, ef);
    if recall >= graph::DEFAULT_RECALL {
        return;
    }
    let finer = match options.form {
        Form::Sq8 | Form::Rabitq => "without quantization, or ",
        Form::Floats | Form::Halves | Form::Bytes | Form::Bits | Form::Sparse => "",
    };
    let percent = (100.0 * recall).floor();
    let message =
        format!("searches of index {index} will find about {percent} % of the nearest rows");
    Report::new(ERRCODE_SUCCESSFUL_COMPLETION, message)
        .detail(format!("Recall of the 10 nearest was measured with ef_search {ef}."))
        .hint(format!("Recreate the index {finer}with larger m and ef_construction."))
        .notice();
}
