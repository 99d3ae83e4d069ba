//! `CREATE INDEX` and `REINDEX`.

#![allow(unsafe_code)] // reads what PostgreSQL knows of an index

use std::ffi::CStr;

use gpu::Provider;
use ivf::{Bulk, Geometry, IndexOptions, Phase};
use pages::HeapTid;
use pgrx::pg_sys::Relation;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::{PgLogLevel, PgSqlErrorCode, function_name};
use space::Space;
use vectors::Form;

use super::method::{Method, dense};
use super::options::{self, Options};
use super::variant::Variant;
use crate::am::build::{Build, Tick};
use crate::am::column;
use crate::am::element_kind::ElementKind;
use crate::am::load::Sink;
use crate::am::opclass::OpClass;
use crate::am::vector::Vector;
use crate::pg::error::Report;
use crate::pg::store::RelationStore;

impl<V: Variant> Build for Method<V> {
    const PHASES: &'static [&'static CStr] =
        &[c"performing k-means", c"assigning tuples", c"writing pages", c"calibrating"];
    const MEASURED: bool = V::MEASURED;

    type Options = IndexOptions;
    type Bulk<'a> = Bulk<'a>;

    unsafe fn options(
        index: Relation,
        OpClass { kind, metric }: OpClass,
    ) -> Result<(usize, IndexOptions), Report> {
        if kind == ElementKind::Sparse {
            return Err(unsupported(format!("type not supported for {} index", V::NAME)));
        }
        // SAFETY: the index that is being built is open, and these parameters parsed its options.
        let Options { lists, quantization } = unsafe { Options::of(V::parameters(), index) };
        options::check(quantization, metric)?;
        let most = if metric.is_of_bits() { Form::Bits.max_dims() } else { Geometry::MAX_DIMS };
        // SAFETY: the index that is being built is open.
        let dims = unsafe { column::dims(index, most, V::NAME)? };
        // The seed is fixed: the same rows give the same index.
        Ok((dims, IndexOptions { metric, dims, lists, quantization, seed: 1 }))
    }

    fn begin(options: IndexOptions, space: Space<'_>) -> pages::Result<Bulk<'_>> {
        Bulk::new(options, space)
    }

    fn loaded(bulk: &Bulk<'_>, options: &IndexOptions) -> pages::Result<Option<IndexOptions>> {
        if bulk.len() < options.lists {
            little_data(V::NAME);
        }
        Ok(None)
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
                Phase::Training => 0,
                Phase::Assigning => 1,
                Phase::Pages => 2,
            };
            tick(phase, done, total)
        };
        bulk.write_with(provider, threads, &mut tick, append).map(drop)
    }

    fn measure(
        store: &RelationStore<'_>,
        _options: &IndexOptions,
        rows: usize,
        _name: &dyn Fn() -> String,
    ) -> pages::Result<()> {
        ivf::calibrate(store, rows as u64)
    }
}

impl Sink for Bulk<'_> {
    fn push(&mut self, vector: Vector<'_>, tid: HeapTid) -> pages::Result<()> {
        self.push(dense(vector), tid)
    }

    fn rows(&self) -> usize {
        self.len()
    }
}

/// Warns, in pgvector's words, of lists that are single rows.
fn little_data(method: &str) {
    let message = format!("{method} index created with little data");
    ErrorReport::new(PgSqlErrorCode::ERRCODE_SUCCESSFUL_COMPLETION, message, function_name!())
        .set_detail("This will cause low recall.")
        .set_hint("Drop the index until the table has more data.")
        .report(PgLogLevel::NOTICE);
}

fn unsupported(message: String) -> Report {
    Report::new(PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED, message)
}
