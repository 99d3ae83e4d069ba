//! `vector_index_memory`: what a build and its index will take.

use graph::{IndexOptions, build_memory, index_pages};
use pgrx::PgSqlErrorCode::{ERRCODE_INVALID_PARAMETER_VALUE, ERRCODE_PROGRAM_LIMIT_EXCEEDED};
use pgrx::pg_sys::{self, BLCKSZ, VARHDRSZ};
use quant::Metric;

use super::quantization::Quantization;
use crate::am::element_kind::ElementKind;
use crate::am::opclass::OpClass;
use crate::pg::error::{Report, printable};
use crate::pg::function::pg_functions;
use crate::pg::rows::Rows;
use crate::pg::varlena::Detoasted;
use crate::types::sparsevec::MAX_NNZ;

pg_functions! {
    /// Bytes of memory that a build of so many rows needs to stay off the disk, and bytes of the
    /// index: one row. Sparse vectors have `nonzero` elements on average.
    fn vector_index_memory(
        rows: i64,
        dims: i32,
        m: i32,
        opclass: Detoasted,
        quantization: Detoasted,
        nonzero: i32,
    ) -> Result<Rows<2>, Report> {
        let rows = u64::try_from(rows).map_err(|_| {
            invalid("rows must not be negative".into()).hint("Give the number of rows of the table.")
        })?;
        let class = named("operator class", &opclass, class_named)?;
        let dims = within(dims, 1..=class.kind.max_dims(), "dims")?;
        let m = within(m, 2..=100, "m")?;
        let nonzero = within(nonzero, 0..=MAX_NNZ, "nonzero")?;
        let form = named("quantization", &quantization, Quantization::named)?.form(class, dims)?;
        let (metric, ef_construction, seed) = (class.metric, 2 * m, 0);
        let options = IndexOptions { metric, form, dims, m, ef_construction, seed };
        let pages = index_pages(&options, rows, nonzero)
            .map_err(|error| Report::new(ERRCODE_PROGRAM_LIMIT_EXCEEDED, error.to_string()))?;
        if pages > pg_sys::InvalidBlockNumber.into() {
            let message = format!("an index of {rows} such rows would exceed the limit of 32 TB");
            return Err(invalid(message)
                .hint("Partition the table: each partition has an index of its own."));
        }
        let size = pages * u64::from(BLCKSZ);
        Ok(Rows(vec![[build_memory(&options, rows, nonzero).into(), size.into()]]))
    }
}

/// What a `text` names.
fn named<T>(what: &str, name: &Detoasted, find: fn(&str) -> Option<T>) -> Result<T, Report> {
    let name = name.slice::<u8>(VARHDRSZ, name.size() - VARHDRSZ).unwrap_or_default();
    let found = str::from_utf8(name).ok().and_then(find);
    found.ok_or_else(|| invalid(format!("unknown {what} \"{}\"", printable(name))))
}

/// `TYPE_METRIC_ops`, taken apart.
fn class_named(name: &str) -> Option<OpClass> {
    let (kind, metric) = name.strip_suffix("_ops")?.rsplit_once('_')?;
    let kind = ElementKind::named(kind)?;
    let metric = match metric {
        "l2" => Metric::L2,
        "ip" => Metric::InnerProduct,
        "cosine" => Metric::Cosine,
        "l1" => Metric::L1,
        "hamming" => Metric::Hamming,
        "jaccard" => Metric::Jaccard,
        _ => return None,
    };
    let of_bits = kind == ElementKind::Bit;
    (metric.is_of_bits() == of_bits).then_some(OpClass { kind, metric })
}

fn within(value: i32, range: std::ops::RangeInclusive<usize>, name: &str) -> Result<usize, Report> {
    let found = usize::try_from(value).ok().filter(|value| range.contains(value));
    found.ok_or_else(|| {
        invalid(format!("{name} must be between {} and {}", range.start(), range.end()))
    })
}

fn invalid(message: String) -> Report {
    Report::new(ERRCODE_INVALID_PARAMETER_VALUE, message)
}
