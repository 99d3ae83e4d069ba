//! Types and operators, and their names for generated SQL.
//!
//! A name with its schema is not enough: whoever may create objects in that schema can add an
//! operator for a closer pair of types. PostgreSQL picks exactly one operator if the schema is
//! given and both operands have exactly its types, so callers cast operands to the types that are
//! told here.

#![allow(unsafe_code)] // reads what PostgreSQL caches of the catalog

use std::ffi::CStr;

use pgrx::pg_sys::{self, Datum, Oid, SysCacheIdentifier};

use super::encoding::decode_c;
use super::error::Report;
use super::relation::quoted;
use super::value::SqlValue;

/// The name of a type with its schema, quoted.
///
/// # Errors
/// Where a name is no text.
pub fn type_name(of: Oid) -> Result<String, Report> {
    let (name, schema) = (pg_sys::Anum_pg_type_typname, pg_sys::Anum_pg_type_typnamespace);
    let (schema, name) = qualified(SysCacheIdentifier::TYPEOID, of, name, schema)?;
    Ok(format!("{}.{}", quoted(&schema), quoted(&name)))
}

/// An operator as a statement writes it between operands of [`operator_types`].
///
/// # Errors
/// Where a name is no text.
pub fn operator_name(operator: Oid) -> Result<String, Report> {
    let columns = (pg_sys::Anum_pg_operator_oprname, pg_sys::Anum_pg_operator_oprnamespace);
    let (schema, name) = qualified(SysCacheIdentifier::OPEROID, operator, columns.0, columns.1)?;
    Ok(format!("OPERATOR({}.{name})", quoted(&schema)))
}

/// The name of a text-search configuration, parser, or dictionary with its schema, quoted. `cache`
/// is its catalog's by OID.
///
/// # Errors
/// Where a name is no text.
pub fn text_search_name(cache: SysCacheIdentifier::Type, of: Oid) -> Result<String, Report> {
    // OID, name, and schema are the first columns of all these catalogs.
    let (schema, name) = qualified(cache, of, 2, 3)?;
    Ok(format!("{}.{}", quoted(&schema), quoted(&name)))
}

/// The options of a text-search dictionary, as the catalog has them.
///
/// # Errors
/// Where they are no text.
pub fn dictionary_options(dictionary: Oid) -> Result<String, Report> {
    const OPTIONS: pg_sys::AttrNumber = 6;
    let cache = SysCacheIdentifier::TSDICTOID as i32;
    // SAFETY: the sixth column of the catalog is a `text` that may be NULL. It is copied before the
    // row is released.
    unsafe {
        let row = pg_sys::SearchSysCache1(cache, Datum::from(dictionary));
        if row.is_null() {
            return Ok(String::new());
        }
        let mut null = false;
        let options = pg_sys::SysCacheGetAttr(cache, row, OPTIONS, &raw mut null);
        let text =
            if null { Ok(String::new()) } else { SqlValue::new(pg_sys::TEXTOID, options).text() };
        pg_sys::ReleaseSysCache(row);
        text
    }
}

/// The types of an operator's operands.
pub fn operator_types(operator: Oid) -> [Oid; 2] {
    let (mut left, mut right) = (Oid::INVALID, Oid::INVALID);
    // SAFETY: a look-up in the catalog; the results have places of their types.
    unsafe { pg_sys::op_input_types(operator, &raw mut left, &raw mut right) };
    [left, right]
}

/// Applies an operator that gives a `double precision`; none if it is another, or takes other
/// types.
pub fn apply(operator: Oid, left: SqlValue, right: SqlValue) -> Option<f64> {
    // SAFETY: a look-up in the catalog.
    let result = unsafe { pg_sys::get_op_rettype(operator) };
    if operator_types(operator) != [left.of(), right.of()] || result != pg_sys::FLOAT8OID {
        return None;
    }
    // SAFETY: the operands are of the operator's types, as just checked.
    let result = unsafe {
        let function = pg_sys::get_opcode(operator);
        pg_sys::OidFunctionCall2Coll(function, Oid::INVALID, left.datum(), right.datum())
    };
    Some(f64::from_bits(result.value() as u64))
}

/// The operator that gives the same with its operands the other way round.
pub fn commutator(operator: Oid) -> Option<Oid> {
    // SAFETY: a look-up in the catalog.
    let commutator = unsafe { pg_sys::get_commutator(operator) };
    (commutator != Oid::INVALID).then_some(commutator)
}

/// The operator `name` in `schema` on operands of these types.
pub fn operator(schema: Oid, name: &CStr, [left, right]: [Oid; 2]) -> Option<Oid> {
    let (left, right) = (Datum::from(left), Datum::from(right));
    let key = [Datum::from(name.as_ptr()), left, right, Datum::from(schema)];
    oid(SysCacheIdentifier::OPERNAMENSP, key)
}

/// The function `name` in `schema` that takes arguments of these types.
pub fn function(schema: Oid, name: &CStr, arguments: &[Oid]) -> Option<Oid> {
    let count = i32::try_from(arguments.len()).ok()?;
    // SAFETY: as many types as are counted.
    let types = unsafe { pg_sys::buildoidvector(arguments.as_ptr(), count) };
    let (types, schema) = (Datum::from(types), Datum::from(schema));
    let key = [Datum::from(name.as_ptr()), types, schema, Datum::null()];
    oid(SysCacheIdentifier::PROCNAMEARGSNSP, key)
}

/// The schema of a function.
pub fn schema_of_function(function: Oid) -> Oid {
    // SAFETY: a look-up in the catalog.
    unsafe { pg_sys::get_func_namespace(function) }
}

/// The name of a schema; none if there is no such schema.
///
/// # Errors
/// Where it is no text.
pub fn schema_name(schema: Oid) -> Result<Option<String>, Report> {
    // SAFETY: a look-up in the catalog, which gives null or a name that ends with NUL.
    unsafe {
        let name = pg_sys::get_namespace_name(schema);
        if name.is_null() { Ok(None) } else { decode_c(name).map(Some) }
    }
}

/// The type that a domain is over; any other type itself.
pub fn base_type(of: Oid) -> Oid {
    // SAFETY: a look-up in the catalog.
    unsafe { pg_sys::getBaseType(of) }
}

/// The type of the elements of an array; none of other types.
pub fn element_type(of: Oid) -> Option<Oid> {
    // SAFETY: a look-up in the catalog.
    let element = unsafe { pg_sys::get_element_type(of) };
    (element != Oid::INVALID).then_some(element)
}

/// The type of arrays of a type; 0 if there is none.
pub fn array_type(element: Oid) -> Oid {
    // SAFETY: a look-up in the catalog.
    unsafe { pg_sys::get_array_type(element) }
}

/// Whether a type is an enumeration.
pub fn is_enum(of: Oid) -> bool {
    // SAFETY: a look-up in the catalog.
    unsafe { pg_sys::type_is_enum(of) }
}

/// What users call a type.
///
/// # Errors
/// Where the name is no text.
pub fn displayed_type(of: Oid) -> Result<String, Report> {
    // SAFETY: PostgreSQL gives a text that ends with NUL, whatever the type.
    unsafe { decode_c(pg_sys::format_type_be(of)) }
}

/// The relation whose rows are of a type; none of other types.
pub fn relation_of_rows(row: Oid) -> Option<Oid> {
    // SAFETY: a look-up in the catalog, with a type or nothing.
    let relation = unsafe { pg_sys::get_typ_typrelid(row) };
    (relation != Oid::INVALID).then_some(relation)
}

/// The type `name` in `schema`.
pub fn type_in(schema: Oid, name: &CStr) -> Option<Oid> {
    let none = Datum::null();
    let key = [Datum::from(name.as_ptr()), Datum::from(schema), none, none];
    oid(SysCacheIdentifier::TYPENAMENSP, key)
}

fn oid(cache: SysCacheIdentifier::Type, [a, b, c, d]: [Datum; 4]) -> Option<Oid> {
    // The first column of the other catalogs, too.
    const OID: pg_sys::AttrNumber = pg_sys::Anum_pg_type_oid as pg_sys::AttrNumber;
    // SAFETY: a look-up whose key has the parts of the cache's; names end with NUL.
    let oid = unsafe { pg_sys::GetSysCacheOid(cache as i32, OID, a, b, c, d) };
    (oid != Oid::INVALID).then_some(oid)
}

/// Schema and name of an object; empty where another session has just dropped it, which PostgreSQL
/// then says of the statement.
fn qualified(
    cache: SysCacheIdentifier::Type,
    oid: Oid,
    name: u32,
    schema: u32,
) -> Result<(String, String), Report> {
    // SAFETY: a row of a catalog that has these columns, a `name` and an OID, neither of them NULL.
    // The name is copied before the row is released.
    unsafe {
        let cache = cache as i32;
        let row = pg_sys::SearchSysCache1(cache, Datum::from(oid));
        if row.is_null() {
            return Ok(Default::default());
        }
        let mut null = false;
        let mut column = |number: u32| {
            pg_sys::SysCacheGetAttr(cache, row, number as pg_sys::AttrNumber, &raw mut null)
        };
        let (name, schema) = (column(name), column(schema));
        let name = decode_c(name.cast_mut_ptr());
        let schema = schema_name(Oid::from(schema.value() as u32));
        pg_sys::ReleaseSysCache(row);
        Ok((schema?.unwrap_or_default(), name?))
    }
}
