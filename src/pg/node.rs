//! Expressions and lists, as the planner has them.

#![allow(unsafe_code)] // makes and reads nodes of the planner

use std::ffi::CStr;
use std::ptr;

use pgrx::pg_sys::{self, CoercionForm, InvalidOid, List, Node, NodeTag, Oid, OpExpr};

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

/// A new node, all of it zero but its tag.
///
/// # Safety
/// `T` is the struct of the tag; zeroed, it is valid.
pub unsafe fn new_node<T>(tag: NodeTag) -> *mut T {
    // SAFETY: the caller's promise; every node begins with its tag.
    unsafe {
        let node = pg_sys::palloc0(size_of::<T>()).cast::<Node>();
        (*node).type_ = tag;
        node.cast()
    }
}

/// An operator with its operands, if a node is one.
///
/// # Safety
/// `node` is an expression.
pub unsafe fn operation(node: *mut Node) -> Option<*mut OpExpr> {
    // SAFETY: the caller's promise; the tag tells the struct.
    unsafe { ((*node).type_ == NodeTag::T_OpExpr).then(|| node.cast()) }
}

/// The operands of an operator that has two.
///
/// # Safety
/// `operation` is valid.
pub unsafe fn operands(operation: *mut OpExpr) -> Option<[*mut Node; 2]> {
    // SAFETY: operators have expressions as operands.
    unsafe { nodes((*operation).args).collect::<Vec<_>>().try_into().ok() }
}

/// A list of OIDs.
pub fn oids(oids: &[Oid]) -> *mut List {
    // SAFETY: a null pointer is the empty list.
    oids.iter().fold(ptr::null_mut(), |list, &oid| unsafe { pg_sys::lappend_oid(list, oid) })
}

/// A list of small numbers; larger ones are as large as one can be.
pub fn integers(numbers: &[usize]) -> *mut List {
    numbers.iter().fold(ptr::null_mut(), |list, &number| {
        // SAFETY: a null pointer is the empty list.
        unsafe { pg_sys::lappend_int(list, i32::try_from(number).unwrap_or(i32::MAX)) }
    })
}

/// The members of a list of OIDs.
///
/// # Safety
/// `list` is one, and stays as it is meanwhile.
pub unsafe fn oids_of(list: *mut List) -> impl Iterator<Item = Oid> {
    // SAFETY: the caller's promise.
    (0..unsafe { pg_sys::list_length(list) })
        .map(move |i| unsafe { (*(*list).elements.add(i as usize)).oid_value })
}

/// The members of a list that [`integers`] has made.
///
/// # Safety
/// `list` is one, and stays as it is meanwhile.
pub unsafe fn integers_of(list: *mut List) -> impl Iterator<Item = usize> {
    // SAFETY: the caller's promise.
    (0..unsafe { pg_sys::list_length(list) })
        .map(move |i| unsafe { (*(*list).elements.add(i as usize)).int_value } as usize)
}
