//! Scans of indexes of vectors: rows by their distance from a vector, or within a distance.

#![allow(unsafe_code)] // reads the keys of a scan

use pgrx::PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED;
use pgrx::pg_sys::IndexScanDescData;

use super::method::VectorMethod;
use super::opclass::OpClass;
use super::ordered_scan::Distance;
use super::scan::{Begun, Request, Scan};
use super::search::{Demand, Extent, Searchable};
use super::target::Target;
use crate::pg::error::Report;
use crate::pg::relation;
use crate::pg::store::RelationStore;
use crate::types::sphere::Range;

impl<M: VectorMethod> Scan for M {
    unsafe fn begin(
        desc: &IndexScanDescData,
        store: &RelationStore<'_>,
        request: Option<Request>,
    ) -> Result<Begun, Report> {
        // SAFETY: the index is open, keys are set, and an order-by argument that is not NULL is a
        // vector.
        unsafe {
            let relation = desc.indexRelation;
            let failed = |error| Report::of_index(&relation::qualified_name(relation), error);
            let index = M::open(store).map_err(failed)?;
            let Some(mut target) = Target::of(desc)? else {
                let method = relation::access_method(relation);
                let message = format!("cannot scan {method} index without order");
                return Err(Report::new(ERRCODE_FEATURE_NOT_SUPPORTED, message));
            };
            target.range = target.range.or(request.and_then(|request| request.range));
            let demand = request.map_or(Demand::UNKNOWN, |request| Demand {
                wanted: request.wanted,
                filtered: request.filtered,
            });
            let extent = match (target.range, target.ordered) {
                (None, _) => Extent::Settings,
                (Some(_), true) => Extent::Ordered,
                (Some(_), false) => Extent::Unordered,
            };
            let keeps_order = index.keeps_order(extent);
            let query = target.query().filter(|_| !target.is_empty());
            let (search, distance) = if let Some(query) = query {
                let OpClass { kind, .. } = OpClass::of(relation)?;
                kind.look(query, |found, query| {
                    let dims = index.dims();
                    if found != dims {
                        return Err(kind.different_dims(dims, found));
                    }
                    index.accept(query).map_err(failed)?;
                    let indexable = M::indexable(index.metric(), query);
                    let distance = if indexable { Distance::Number } else { Distance::NotANumber };
                    Ok((index.search(Some(query), extent, demand), distance))
                })??
            } else {
                (index.search(None, extent, demand), Distance::Null)
            };
            if !matches!(distance, Distance::Number) {
                // No distance is inside of a range, as none is a number.
                target.range = target.range.map(|_| Range::EMPTY);
            }
            Ok(Begun { search: Box::new(search), target, distance, keeps_order })
        }
    }
}
