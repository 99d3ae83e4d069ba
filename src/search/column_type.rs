//! Types of columns and of their values, as filters know them.

use filter::{Column, Kind, ParameterType, Scalar};
use pgrx::pg_sys::{self, Oid};

use crate::pg::catalog::{array_type, base_type, displayed_type, element_type, is_enum, type_name};
use crate::pg::context::in_context;
use crate::pg::encoding::encode;
use crate::pg::error::Report;
use crate::pg::parameter::Parameter;

/// The column `name`, of type `of`, or of a domain over it.
///
/// # Errors
/// Where the name of its type is no text.
pub fn column(name: &str, of: Oid, of_domain: bool) -> Result<Column, Report> {
    let (element, base) =
        element_type(of).map_or((of, of), |element| (element, base_type(element)));
    // An array over a domain is cast to the array over the domain's type.
    let of_domain = of_domain || element != base;
    let kind = match of {
        pg_sys::JSONOID => Kind::Json,
        pg_sys::JSONBOID => Kind::Jsonb,
        of => scalar(of)
            .map(Kind::Scalar)
            .or_else(|| scalar(base).map(Kind::Array))
            .unwrap_or(Kind::Other),
    };
    let named = if element == base { of } else { array_type(base) };
    let column = Column::new(name, kind);
    Ok(Column {
        type_name: type_name(named)?,
        shown_type: displayed_type(named)?,
        of_domain,
        ..column
    })
}

/// Reads a string as a value that `column` is compared with: PostgreSQL raises an error where the
/// type has none such.
pub fn read(scalar: Scalar, column: &str, text: &str) -> Result<(), String> {
    let context = encode(&format!("filter on column {column}")).unwrap_or_default();
    let value = Parameter::of_text(scalar_oid(scalar), text.to_owned());
    let value = in_context(&context, || value.datum());
    value.map(|_| ()).map_err(|_| "the string is no text".into())
}

/// Types that filters know.
const SCALARS: [(Oid, Scalar); 12] = [
    (pg_sys::BOOLOID, Scalar::Bool),
    (pg_sys::INT2OID, Scalar::Int2),
    (pg_sys::INT4OID, Scalar::Int4),
    (pg_sys::INT8OID, Scalar::Int8),
    (pg_sys::FLOAT4OID, Scalar::Float4),
    (pg_sys::FLOAT8OID, Scalar::Float8),
    (pg_sys::NUMERICOID, Scalar::Numeric),
    (pg_sys::TEXTOID, Scalar::Text),
    (pg_sys::VARCHAROID, Scalar::Varchar),
    (pg_sys::BPCHAROID, Scalar::Bpchar),
    (pg_sys::NAMEOID, Scalar::Name),
    (pg_sys::TIMESTAMPTZOID, Scalar::Timestamptz),
];

/// Other types whose operators are PostgreSQL's own.
const OTHERS: [Oid; 10] = [
    pg_sys::UUIDOID,
    pg_sys::DATEOID,
    pg_sys::TIMEOID,
    pg_sys::TIMETZOID,
    pg_sys::TIMESTAMPOID,
    pg_sys::INTERVALOID,
    pg_sys::INETOID,
    pg_sys::CIDROID,
    pg_sys::MACADDROID,
    pg_sys::MACADDR8OID,
];

fn scalar(of: Oid) -> Option<Scalar> {
    let known = SCALARS.into_iter().find(|&(oid, _)| oid == of).map(|(_, scalar)| scalar);
    let is_other = || OTHERS.contains(&of) || is_enum(of);
    known.or_else(|| is_other().then(|| Scalar::Other(of.to_u32())))
}

/// The type of a parameter.
pub fn oid(kind: ParameterType) -> Oid {
    match kind {
        ParameterType::Interval => pg_sys::INTERVALOID,
        ParameterType::JsonPath => pg_sys::JSONPATHOID,
        ParameterType::TsQuery => pg_sys::TSQUERYOID,
        ParameterType::Scalar(scalar) => scalar_oid(scalar),
        ParameterType::Array(scalar) => array_type(scalar_oid(scalar)),
    }
}

fn scalar_oid(scalar: Scalar) -> Oid {
    if let Scalar::Other(number) = scalar {
        return Oid::from(number);
    }
    let known = SCALARS.into_iter().find(|&(_, known)| known == scalar);
    known.map_or(Oid::INVALID, |(oid, _)| oid)
}
