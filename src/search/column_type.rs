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

/// Reads a string as a value that `column` is compared with: PostgreSQL raises an error where the type
/// has none such.
pub fn read(scalar: Scalar, column: &str, text: &str) -> Result<(), String> {
    let context = encode(&format!("filter on column {column}")).unwrap_or_default();
    let value = Parameter::of_text(scalar_oid(scalar), text.to_owned());
    let value = in_context(&context, || value.datum());
    value.map(|_| ()).map_err(|_| "the string is no text".into())
}

fn scalar(of: Oid) -> Option<Scalar> {
    Some(match of {
        pg_sys::BOOLOID => Scalar::Bool,
        pg_sys::INT2OID => Scalar::Int2,
        pg_sys::INT4OID => Scalar::Int4,
        pg_sys::INT8OID => Scalar::Int8,
        pg_sys::FLOAT4OID => Scalar::Float4,
        pg_sys::FLOAT8OID => Scalar::Float8,
        pg_sys::NUMERICOID => Scalar::Numeric,
        pg_sys::TEXTOID => Scalar::Text,
        pg_sys::VARCHAROID => Scalar::Varchar,
        pg_sys::BPCHAROID => Scalar::Bpchar,
        pg_sys::NAMEOID => Scalar::Name,
        pg_sys::TIMESTAMPTZOID => Scalar::Timestamptz,
        // Of others those whose operators are PostgreSQL's own.
        pg_sys::UUIDOID
        | pg_sys::DATEOID
        | pg_sys::TIMEOID
        | pg_sys::TIMETZOID
        | pg_sys::TIMESTAMPOID
        | pg_sys::INTERVALOID
        | pg_sys::INETOID
        | pg_sys::CIDROID
        | pg_sys::MACADDROID
        | pg_sys::MACADDR8OID => Scalar::Other(of.to_u32()),
        of if is_enum(of) => Scalar::Other(of.to_u32()),
        _ => return None,
    })
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
    match scalar {
        Scalar::Bool => pg_sys::BOOLOID,
        Scalar::Int2 => pg_sys::INT2OID,
        Scalar::Int4 => pg_sys::INT4OID,
        Scalar::Int8 => pg_sys::INT8OID,
        Scalar::Float4 => pg_sys::FLOAT4OID,
        Scalar::Float8 => pg_sys::FLOAT8OID,
        Scalar::Numeric => pg_sys::NUMERICOID,
        Scalar::Text => pg_sys::TEXTOID,
        Scalar::Varchar => pg_sys::VARCHAROID,
        Scalar::Bpchar => pg_sys::BPCHAROID,
        Scalar::Name => pg_sys::NAMEOID,
        Scalar::Timestamptz => pg_sys::TIMESTAMPTZOID,
        Scalar::Other(number) => Oid::from(number),
    }
}
