//! What the access method is.

#![allow(unsafe_code)] // takes a lock of PostgreSQL

use graph::Hnsw;
use pages::HeapTid;
use pgrx::pg_sys::Relation;
use quant::Metric;

use super::options::PARAMETERS;
use super::quantization::Quantization;
use crate::am::handler::{self, Routine};
use crate::am::method::{AccessMethod, VectorMethod};
use crate::am::opclass::OpClass;
use crate::am::parameters::Parameters;
use crate::am::vector::Vector;
use crate::pg::error::Report;
use crate::pg::function::pg_functions;
use crate::pg::lock::InsertLock;
use crate::pg::store::RelationStore;

/// The access method `hnsw`.
pub struct Method;

impl AccessMethod for Method {
    const NAME: &'static str = "hnsw";
    const SUPPORT_FUNCTIONS: u16 = 3;

    fn parameters() -> &'static Parameters {
        &PARAMETERS
    }

    fn accept(parameters: &[i32], class: OpClass) -> Result<(), Report> {
        let quantization = parameters.get(2).map(|&number| Quantization::from_number(number));
        // Only the class can be unfit, not the number of dimensions.
        quantization.map_or(Ok(()), |quantization| quantization.form(class, 1).map(drop))
    }
}

impl VectorMethod for Method {
    type Index = Hnsw;

    fn open(store: &RelationStore<'_>) -> pages::Result<Hnsw> {
        Hnsw::open(store)
    }

    fn indexable(metric: Metric, vector: Vector<'_>) -> bool {
        graph::indexable(metric, of_graph(vector))
    }

    unsafe fn insert(
        index: Relation,
        store: &RelationStore<'_>,
        vector: Vector<'_>,
        tid: HeapTid,
    ) -> pages::Result<()> {
        // SAFETY: `index` is open while a row is inserted into it.
        let _lock = unsafe { InsertLock::take(index) };
        graph::insert(store, of_graph(vector), tid)
    }
}

/// A vector as the crate `graph` takes it.
pub fn of_graph(vector: Vector<'_>) -> graph::Vector<'_> {
    match vector {
        Vector::Dense(numbers) => graph::Vector::Dense(numbers),
        Vector::Sparse(elements) => graph::Vector::Sparse(elements),
    }
}

pg_functions! {
    /// Describes the access method.
    fn hnswhandler() -> Routine {
        handler::routine::<Method>()
    }
}
