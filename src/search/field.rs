//! The column that a leg of a search ranks by, and how.

#![allow(unsafe_code)] // reads what PostgreSQL caches of the catalog

use std::ffi::CStr;

use pgrx::PgSqlErrorCode::{ERRCODE_DATATYPE_MISMATCH, ERRCODE_INVALID_PARAMETER_VALUE};
use pgrx::pg_sys::{self, Oid};

use super::table::{Table, TableColumn};
use crate::pg::error::Report;
use crate::pg::relation::quoted;

/// How vectors are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Euclidean distance, as a score squared.
    L2,
    /// Inner product.
    Ip,
    /// Cosine of the angle.
    Cosine,
    /// Bits that differ.
    Hamming,
    /// 1 - common bits / bits in either.
    Jaccard,
}

impl Metric {
    const ALL: [Metric; 5] =
        [Metric::L2, Metric::Ip, Metric::Cosine, Metric::Hamming, Metric::Jaccard];

    /// Milvus's name.
    pub fn name(self) -> &'static str {
        match self {
            Metric::L2 => "L2",
            Metric::Ip => "IP",
            Metric::Cosine => "COSINE",
            Metric::Hamming => "HAMMING",
            Metric::Jaccard => "JACCARD",
        }
    }

    /// The operator of the distance, less of which is nearer.
    pub fn operator(self) -> &'static str {
        match self {
            Metric::L2 => "<->",
            Metric::Ip => "<#>",
            Metric::Cosine => "<=>",
            Metric::Hamming => "<~>",
            Metric::Jaccard => "<%>",
        }
    }

    /// Whether a higher score is nearer.
    pub fn is_similarity(self) -> bool {
        matches!(self, Metric::Ip | Metric::Cosine)
    }

    fn is_of_bits(self) -> bool {
        matches!(self, Metric::Hamming | Metric::Jaccard)
    }
}

/// A column of vectors and the metric it is searched by.
pub struct Field {
    /// The column's name, quoted.
    pub name: String,
    /// The type of its vectors.
    pub of: Oid,
    /// How they are compared.
    pub metric: Metric,
}

impl Field {
    /// The column `name` of a table, compared as `metric` says, or else as the column's indexes do.
    /// Types of vectors are those in the schema `schema`.
    ///
    /// # Errors
    /// Where there is no such column, it holds no vectors, or has no such metric; where no metric is
    /// named and indexes have several.
    pub fn find(
        table: &Table,
        name: &str,
        metric: Option<&str>,
        schema: Oid,
    ) -> Result<Field, Report> {
        let column = table.column(name)?;
        let of_bits = is_vector(column, schema).ok_or_else(|| {
            let message = format!("column {name} of table {} holds no vectors", table.name);
            Report::new(ERRCODE_DATATYPE_MISMATCH, message)
                .hint("Name a column of type vector, halfvec, bf16vec, i8vec, sparsevec or bit.")
        })?;
        let metric = match metric {
            Some(name) => named(name, of_bits)?,
            None => of_indexes(table, column, of_bits)?,
        };
        Ok(Field { name: quoted(&column.name), of: column.of, metric })
    }
}

/// Whether the vectors of a column are of bits; none where it holds no vectors.
fn is_vector(column: &TableColumn, schema: Oid) -> Option<bool> {
    if [pg_sys::BITOID, pg_sys::VARBITOID].contains(&column.of) {
        return Some(true);
    }
    const TYPES: [&CStr; 5] = [c"vector", c"halfvec", c"bf16vec", c"i8vec", c"sparsevec"];
    // SAFETY: look-ups in the catalog by a name that ends with NUL and a schema.
    let of_schema = |name: &&CStr| unsafe {
        let key = pg_sys::SysCacheIdentifier::TYPENAMENSP as i32;
        let [name, schema] = [pg_sys::Datum::from(name.as_ptr()), pg_sys::Datum::from(schema)];
        let none = pg_sys::Datum::null();
        let oid = pg_sys::GetSysCacheOid(key, 1, name, schema, none, none);
        oid == column.of
    };
    TYPES.iter().any(of_schema).then_some(false)
}

fn named(name: &str, of_bits: bool) -> Result<Metric, Report> {
    let of_type = || Metric::ALL.into_iter().filter(|metric| metric.is_of_bits() == of_bits);
    of_type().find(|metric| metric.name().eq_ignore_ascii_case(name)).ok_or_else(|| {
        let names: Vec<&str> = of_type().map(Metric::name).collect();
        let message = format!("metric type {name} not found or not supported for the column");
        let hint = format!("Its metrics are {}.", names.join(", "));
        Report::new(ERRCODE_INVALID_PARAMETER_VALUE, message).hint(hint)
    })
}

/// The metric that the column's indexes agree on; without an index the usual one.
fn of_indexes(table: &Table, column: &TableColumn, of_bits: bool) -> Result<Metric, Report> {
    // SAFETY: the relation is open; the list is a copy, whose items are OIDs of indexes of it.
    let indexes: Vec<Oid> = unsafe {
        let list = pg_sys::RelationGetIndexList(table.relation());
        pgrx::PgList::<Oid>::from_pg(list).iter_oid().collect()
    };
    let mut metrics: Vec<Metric> = Vec::new();
    for index in indexes {
        // SAFETY: an index of an open relation.
        let metric = unsafe { metric_of(index, column) };
        metrics.extend(metric.filter(|metric| !metrics.contains(metric)));
    }
    match metrics[..] {
        [] if of_bits => Ok(Metric::Hamming),
        [] => Ok(Metric::Cosine),
        [metric] => Ok(metric),
        [..] => {
            let names: Vec<&str> = metrics.iter().map(|metric| metric.name()).collect();
            let message = format!(
                "column {} has indexes of several metrics: {}",
                column.name,
                names.join(", ")
            );
            let hint = format!("Choose one: params => '{{\"metric_type\": \"{}\"}}'.", names[0]);
            Err(Report::new(ERRCODE_INVALID_PARAMETER_VALUE, message).hint(hint))
        }
    }
}

/// The metric of an index whose first column is this one, where it can answer searches.
///
/// # Safety
/// `index` is an index of a relation that is open.
unsafe fn metric_of(index: Oid, column: &TableColumn) -> Option<Metric> {
    let lock = pg_sys::AccessShareLock as pg_sys::LOCKMODE;
    // SAFETY: the caller's promise; an index has at least one column, with an operator family.
    unsafe {
        let opened = pg_sys::index_open(index, lock);
        let (info, method) = (&*(*opened).rd_index, &*(*opened).rd_indam);
        let usable = info.indisvalid
            && method.amcanorderbyop
            && *info.indkey.values.as_ptr() == column.number;
        let metric = usable.then(|| {
            let (family, of) = (*(*opened).rd_opfamily, *(*opened).rd_opcintype);
            let name = pg_sys::get_opname(pg_sys::get_opfamily_member(family, of, of, 1));
            if name.is_null() {
                return None;
            }
            let name = CStr::from_ptr(name).to_bytes();
            Metric::ALL.into_iter().find(|metric| metric.operator().as_bytes() == name)
        });
        pg_sys::index_close(opened, lock);
        metric.flatten()
    }
}
