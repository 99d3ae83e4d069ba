//! Expressions and lists, as the planner has them.

#![allow(unsafe_code)] // makes and reads nodes of the planner

use std::ffi::CStr;
use std::ptr;

use pgrx::pg_sys::{self, CoercionForm, InvalidOid, List, Node, Oid};

/// A name with its schema.
pub fn names(schema: &CStr, name: &CStr) -> *mut List {
    // SAFETY: both are copied.
    let string =
        |name: &CStr| unsafe { pg_sys::makeString(pg_sys::pstrdup(name.as_ptr())).cast::<Node>() };
    list(&[string(schema), string(name)])
}

/// A list of nodes.
pub fn list(nodes: &[*mut Node]) -> *mut List {
    // SAFETY: a null pointer is the empty list.
    nodes.iter().fold(ptr::null_mut(), |list, &node| unsafe { pg_sys::lappend(list, node.cast()) })
}

/// The nodes of a list.
///
/// # Safety
/// `list` is null or a list of nodes, and stays as it is meanwhile.
pub unsafe fn nodes(list: *mut List) -> impl Iterator<Item = *mut Node> {
    // SAFETY: the caller's promise.
    let length = if list.is_null() { 0 } else { unsafe { (*list).length } };
    // SAFETY: a list has as many elements as it says.
    (0..length).map(move |i| unsafe { (*(*list).elements.add(i as usize)).ptr_value.cast() })
}

/// A copy of an expression.
///
/// # Safety
/// `node` is valid.
pub unsafe fn copy(node: *mut Node) -> *mut Node {
    // SAFETY: the caller's promise.
    unsafe { pg_sys::copyObjectImpl(node.cast()).cast() }
}

/// A call of a function by its name, with copies of `arguments`; none where there is no such
/// function.
///
/// # Safety
/// `arguments` are expressions.
pub unsafe fn call(schema: &CStr, function: &CStr, arguments: &[*mut Node]) -> Option<*mut Node> {
    // SAFETY: the caller's promise; the function has as many arguments as types are given.
    unsafe {
        let types: Vec<Oid> = arguments.iter().map(|&node| pg_sys::exprType(node)).collect();
        let count = i32::try_from(types.len()).ok()?;
        let function = pg_sys::LookupFuncName(names(schema, function), count, types.as_ptr(), true);
        if function == InvalidOid {
            return None;
        }
        let copies: Vec<*mut Node> = arguments.iter().map(|&node| copy(node)).collect();
        let of = pg_sys::get_func_rettype(function);
        let form = CoercionForm::COERCE_EXPLICIT_CALL;
        let arguments = list(&copies);
        Some(pg_sys::makeFuncExpr(function, of, arguments, InvalidOid, InvalidOid, form).cast())
    }
}
