//! What the two access methods over inverted lists have in common: all but defaults.

#![allow(unsafe_code)] // is promised open indexes

use std::marker::PhantomData;

use pages::HeapTid;
use pgrx::pg_sys::Relation;
use quant::Metric;

use super::options;
use super::scan::Lists;
use super::variant::{Ivf, IvfFlat, Variant};
use crate::am::handler::{self, Routine};
use crate::am::method::{AccessMethod, VectorMethod};
use crate::am::opclass::OpClass;
use crate::am::parameters::Parameters;
use crate::am::vector::Vector;
use crate::pg::error::Report;
use crate::pg::function::pg_functions;
use crate::pg::store::RelationStore;

/// The access method of a variant.
pub struct Method<V>(PhantomData<V>);

impl<V: Variant> AccessMethod for Method<V> {
    const NAME: &'static str = V::NAME;
    /// pgvector's classes have five.
    const SUPPORT_FUNCTIONS: u16 = 5;

    fn parameters() -> &'static Parameters {
        V::parameters()
    }

    fn accept(parameters: &[i32], class: OpClass) -> Result<(), Report> {
        match *parameters {
            [_, quantization, ..] => {
                options::check(options::quantization(quantization), class.metric)
            }
            _ => Ok(()),
        }
    }
}

impl<V: Variant> VectorMethod for Method<V> {
    type Index = Lists;

    fn open(store: &RelationStore<'_>) -> pages::Result<Lists> {
        let ivf = ivf::Ivf::open(store)?;
        let settings = V::settings();
        let (options, reaching) = (settings.scan_options(ivf.meta()), settings.reaching());
        Ok(Lists { ivf, options, reaching })
    }

    fn indexable(metric: Metric, vector: Vector<'_>) -> bool {
        ivf::indexable(metric, dense(vector))
    }

    unsafe fn insert(
        _: Relation,
        store: &RelationStore<'_>,
        vector: Vector<'_>,
        tid: HeapTid,
    ) -> pages::Result<()> {
        ivf::insert(store, dense(vector), tid)
    }
}

/// The numbers of a vector that is no sparse one: no index of inverted lists is on such.
pub fn dense(vector: Vector<'_>) -> &[f32] {
    match vector {
        Vector::Dense(numbers) => numbers,
        Vector::Sparse(_) => &[],
    }
}

pg_functions! {
    /// Describes the access method `ivf`.
    fn ivfhandler() -> Routine {
        handler::routine::<Method<Ivf>>()
    }

    /// Describes the access method `ivfflat`.
    fn ivfflathandler() -> Routine {
        handler::routine::<Method<IvfFlat>>()
    }
}
