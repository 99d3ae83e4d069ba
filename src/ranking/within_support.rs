//! What the planner is told of `within`: that an index on the column finds the rows inside of a
//! sphere, and how many these are.

#![allow(unsafe_code)] // reads and makes nodes of the planner

use std::ffi::CStr;
use std::ptr;

use pgrx::pg_sys::{
    self, FuncExpr, InvalidOid, List, Node, NodeTag, Oid, PlannerInfo,
    SupportRequestIndexCondition, SupportRequestSelectivity,
};

use super::within::operator;
use crate::pg::node::{call, list, names, nodes};
use crate::pg::varlena::Detoasted;
use crate::types::cost::Internal;

/// Arguments of `within`: two vectors, radius, range filter and metric.
const ARGUMENTS: usize = 5;

/// Answers what is asked of `within` alone; none for other questions.
///
/// # Safety
/// `request` is a request node about a call of `within`.
pub unsafe fn answer(request: &Internal) -> Option<Internal> {
    // SAFETY: the tag tells the struct.
    unsafe {
        let (tag, node) = ((*request.node()).type_, request.node());
        if tag == NodeTag::T_SupportRequestIndexCondition {
            let condition = index_condition(&mut *node.cast());
            Some(Internal::of(condition.unwrap_or(ptr::null_mut()).cast()))
        } else if tag == NodeTag::T_SupportRequestSelectivity {
            let known = selectivity(&mut *node.cast());
            Some(Internal::of(known.map_or(ptr::null_mut(), |()| node)))
        } else {
            None
        }
    }
}

/// A condition that an index can serve, where one of the vectors is its column.
///
/// # Safety
/// `request` is PostgreSQL's.
unsafe fn index_condition(request: &mut SupportRequestIndexCondition) -> Option<*mut List> {
    // SAFETY: the tag tells the struct; the other arguments are expressions.
    unsafe {
        if (*request.node).type_ != NodeTag::T_FuncExpr {
            return None;
        }
        let arguments = arguments((*request.node.cast::<FuncExpr>()).args)?;
        let column = usize::try_from(request.indexarg).ok().filter(|&number| number < 2)?;
        let others = (0..ARGUMENTS).filter(|&number| number != column);
        let constant = |number: usize| {
            pg_sys::is_pseudo_constant_for_index(request.root, arguments[number], request.index)
        };
        if !others.into_iter().all(constant) {
            return None;
        }
        let Inside { operator, sphere } =
            Inside::of(request.root, request.funcid, &arguments, column)?;
        if !pg_sys::op_in_opfamily(operator, request.opfamily) {
            return None;
        }
        let clause = pg_sys::make_opclause(
            operator,
            pg_sys::BOOLOID,
            false,
            arguments[column].cast(),
            sphere.cast(),
            InvalidOid,
            request.indexcollation,
        );
        request.lossy = true;
        Some(list(&[clause.cast()]))
    }
}

/// As selective as the operator is; not known for joins.
///
/// # Safety
/// `request` is PostgreSQL's.
unsafe fn selectivity(request: &mut SupportRequestSelectivity) -> Option<()> {
    // SAFETY: arguments of a call are expressions.
    unsafe {
        let arguments = arguments(request.args)?;
        let is_column = |&number: &usize| (*arguments[number]).type_ == NodeTag::T_Var;
        let column = [0, 1].into_iter().find(is_column)?;
        let Inside { operator, sphere } =
            Inside::of(request.root, request.funcid, &arguments, column)?;
        if request.is_join {
            return None;
        }
        let operands = list(&[arguments[column], sphere]);
        let (collation, relation) = (request.inputcollid, request.varRelid);
        request.selectivity =
            pg_sys::restriction_selectivity(request.root, operator, operands, collation, relation);
        Some(())
    }
}

/// A call of `within` as an operator and a sphere.
struct Inside {
    operator: Oid,
    sphere: *mut Node,
}

impl Inside {
    /// None where the metric is not known yet.
    ///
    /// # Safety
    /// `arguments` are those of a call of the function `within`; `column` is one of the vectors.
    unsafe fn of(
        root: *mut PlannerInfo,
        within: Oid,
        arguments: &[*mut Node; ARGUMENTS],
        column: usize,
    ) -> Option<Self> {
        // SAFETY: the tag tells the struct; a constant metric that is not NULL is a text.
        unsafe {
            let &[_, _, radius, range_filter, metric] = arguments;
            let name = metric.cast::<pg_sys::Const>();
            if (*metric).type_ != NodeTag::T_Const || (*name).constisnull {
                return None;
            }
            let operator = operator(&Detoasted::from_datum((*name).constvalue))?;
            let schema = pg_sys::get_namespace_name(pg_sys::get_func_namespace(within));
            if schema.is_null() {
                return None;
            }
            let schema = CStr::from_ptr(schema);
            let outer = call(schema, c"within_radius", &[radius, range_filter, metric])?;
            let inner = call(schema, c"within_inner", &[range_filter, metric])?;
            let sphere = call(schema, c"sphere", &[arguments[1 - column], outer, inner])?;
            let of = pg_sys::exprType(arguments[column]);
            let operator =
                pg_sys::OpernameGetOprid(names(schema, operator), of, pg_sys::exprType(sphere));
            let sphere = pg_sys::eval_const_expressions(root, sphere);
            (operator != InvalidOid).then_some(Self { operator, sphere })
        }
    }
}

/// # Safety
/// `list` is null or a list of expressions.
unsafe fn arguments(list: *mut List) -> Option<[*mut Node; ARGUMENTS]> {
    // SAFETY: the caller's promise.
    unsafe { nodes(list).collect::<Vec<_>>().try_into().ok() }
}
