//! `WHERE column <-> query < radius ORDER BY column <-> query` as a search within a sphere.
//!
//! PostgreSQL knows the comparison of two numbers only, and so filters what the index gives, beyond
//! the radius too, until there are rows enough. In finished plans, an index scan of ours that orders
//! by the distance gets the sphere as a condition of the index; the filter stays.

#![allow(unsafe_code)] // reads and changes PostgreSQL's plans

use std::ffi::{CStr, CString};
use std::ptr;

use pgrx::pg_sys::{self, IndexScan, InvalidOid, List, Node, NodeTag, Oid, OpExpr};

use crate::pg::node::{call, copy, list, names, nodes};

/// The operators `<` and `>` of `float8`.
const LESS: u32 = 672;
const GREATER: u32 = 674;

/// Gives an index scan of ours that has no condition the sphere of its filter, if there is one.
///
/// # Safety
/// `scan` is a node of a finished plan, on an index of ours.
pub unsafe fn bound(scan: &mut IndexScan) {
    // SAFETY: the lists of a scan are valid.
    unsafe {
        let (order, original) = (only(scan.indexorderby), only(scan.indexorderbyorig));
        let (Some(order), Some(original), true) = (order, original, scan.indexqual.is_null())
        else {
            return;
        };
        let filter = scan.scan.plan.qual;
        let radius = nodes(filter).find_map(|clause| radius_of(clause, original.cast()));
        let conditions =
            radius.and_then(|radius| Some((inside(order, radius)?, inside(original, radius)?)));
        if let Some((condition, original)) = conditions {
            scan.indexqual = list(&[condition.cast()]);
            scan.indexqualorig = list(&[original.cast()]);
        }
    }
}

/// What a clause says that `distance` is less than, if that is the same for all rows.
///
/// # Safety
/// Both are expressions of a finished plan.
unsafe fn radius_of(clause: *mut Node, distance: *mut Node) -> Option<*mut Node> {
    // SAFETY: the tag tells the struct.
    unsafe {
        let comparison = operation(clause)?;
        let [left, right] = operands(comparison)?;
        let (less, radius) = match (*comparison).opno.to_u32() {
            LESS => (left, right),
            GREATER => (right, left),
            _ => return None,
        };
        let is_steady = !pg_sys::contain_var_clause(radius)
            && !pg_sys::contain_subplans(radius)
            && !pg_sys::contain_volatile_functions(radius);
        (is_steady && pg_sys::equal(less.cast(), distance.cast())).then_some(radius)
    }
}

/// `column <<->> sphere(query, radius)` of `column <-> query`; none where a type has no spheres.
///
/// # Safety
/// Both are expressions of a finished plan.
unsafe fn inside(distance: *mut OpExpr, radius: *mut Node) -> Option<*mut OpExpr> {
    // SAFETY: an operator that is used has a name and a schema; the function has as many arguments
    // as types are given.
    unsafe {
        let [column, query] = operands(distance)?;
        let schema = schema_of((*distance).opfuncid)?;
        let no_inner = pg_sys::makeNullConst(pg_sys::FLOAT8OID, -1, InvalidOid).cast();
        let sphere = call(schema, c"sphere", &[query, radius, no_inner])?;
        let name = CStr::from_ptr(pg_sys::get_opname((*distance).opno)).to_bytes();
        let name = CString::new([b"<", name, b">"].concat()).ok()?;
        let types = [column, sphere].map(|node| pg_sys::exprType(node));
        let operator = pg_sys::OpernameGetOprid(names(schema, &name), types[0], types[1]);
        if operator == InvalidOid {
            return None;
        }
        let clause = pg_sys::make_opclause(
            operator,
            pg_sys::BOOLOID,
            false,
            copy(column).cast(),
            pg_sys::eval_const_expressions(ptr::null_mut(), sphere).cast(),
            InvalidOid,
            (*distance).inputcollid,
        );
        pg_sys::set_opfuncid(clause.cast());
        Some(clause.cast())
    }
}

/// # Safety
/// `function` is a function.
unsafe fn schema_of<'a>(function: Oid) -> Option<&'a CStr> {
    // SAFETY: look-ups in the catalog; a name ends with NUL.
    unsafe {
        let name = pg_sys::get_namespace_name(pg_sys::get_func_namespace(function));
        (!name.is_null()).then(|| CStr::from_ptr(name))
    }
}

/// # Safety
/// `node` is an expression.
unsafe fn operation(node: *mut Node) -> Option<*mut OpExpr> {
    // SAFETY: the caller's promise; the tag tells the struct.
    unsafe { ((*node).type_ == NodeTag::T_OpExpr).then(|| node.cast()) }
}

/// # Safety
/// `operation` is valid.
unsafe fn operands(operation: *mut OpExpr) -> Option<[*mut Node; 2]> {
    // SAFETY: operators have expressions as operands.
    unsafe {
        let operands: Vec<*mut Node> = nodes((*operation).args).collect();
        operands.try_into().ok()
    }
}

/// # Safety
/// `list` is null or a list of expressions.
unsafe fn only(list: *mut List) -> Option<*mut OpExpr> {
    // SAFETY: the caller's promise.
    unsafe {
        let mut nodes = nodes(list);
        let first = nodes.next()?;
        if nodes.next().is_some() { None } else { operation(first) }
    }
}
