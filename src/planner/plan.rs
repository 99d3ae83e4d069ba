//! Makes the node of a plan from its path.

#![allow(unsafe_code)] // called by PostgreSQL

use std::ptr;

use pgrx::pg_guard;
use pgrx::pg_sys::{
    self, CustomPath, CustomScan, CustomScanMethods, IndexOptInfo, List, NodeTag, Plan,
    PlannerInfo, RelOptInfo, TargetEntry, Var,
};

use super::conditions::Conditions;
use super::join_keys::JoinKeys;
use super::methods::{Methods, NAME};
use super::private::{Private, Wanted, outlook_of};
use super::recognize::Recognized;
use super::strategy::Outlook;
use super::{bitmap_path, cost, execute};
use crate::pg::node::{Node, Operation, list, new_node, nodes};

static METHODS: Methods<CustomScanMethods> = Methods(CustomScanMethods {
    CustomName: NAME.as_ptr(),
    CreateCustomScanState: Some(execute::create_custom_scan_state),
});

/// Makes the node known, also to parallel workers, which read plans.
pub fn register() {
    // SAFETY: the table lives forever.
    unsafe { pg_sys::RegisterCustomScanMethods(&raw const METHODS.0) };
}

/// Makes the node. Its scan tuple has all columns that somebody above may want, and the distance:
/// PostgreSQL takes what equals it from there. `custom_exprs` are what the index is asked with: the
/// query, what conditions of the index compare with, and the radius if there is one.
#[pg_guard]
pub unsafe extern "C-unwind" fn plan_custom_path(
    root: *mut PlannerInfo,
    rel: *mut RelOptInfo,
    path: *mut CustomPath,
    targets: *mut List,
    clauses: *mut List,
    plans: *mut List,
) -> *mut Plan {
    // SAFETY: PostgreSQL gives a path of ours, whose only member is a path that was recognized.
    unsafe {
        let parts: Vec<Node> = nodes((*path).custom_private).collect();
        let Some(found) = parts.first().copied().and_then(Recognized::of) else {
            pgrx::error!("a path of {} has no index", NAME.to_string_lossy());
        };
        let keys = keys(&parts[1..], plans);
        if keys.is_none() && parts.len() > 1 {
            // What is below the path gives rows, and is no bitmap.
            pgrx::error!("a path of {} has lost the keys of its join", NAME.to_string_lossy());
        }
        let conditions = Conditions::new(rel, clauses, &found, keys.is_some());
        let Conditions { tested, drops_rows, is_steady, radius } = conditions;
        let wanted = Wanted::before_joins(&mut *root, (*path).path.rows);
        let outlook = match keys {
            Some((_, outlook)) => Some(outlook),
            None => {
                let bitmap = bitmap_path::of(&*path);
                is_steady.then(|| cost::outlook(wanted, &*rel, &found, bitmap))
            }
        };
        let Recognized { index, distance, conditions, inspector, .. } = found;
        let mut tuple = columns(&*rel, [(*(*rel).reltarget).exprs, targets, tested]);
        let columns = pg_sys::list_length(tuple);
        for distance in [Some(distance), distance.commuted()].into_iter().flatten() {
            tuple = pg_sys::add_to_flat_tlist(tuple, list([distance.node]));
        }

        let asked = || [distance].into_iter().chain(conditions.iter().copied());
        let private = Private {
            index: index.indexoid,
            operators: asked().map(|asked| (asked.operator, asked.collation)).collect(),
            distances: (pg_sys::list_length(tuple) - columns) as usize,
            wanted,
            joins_drop: wanted != Wanted::of(&*root),
            is_tight: wanted.rows() as f64 >= (*rel).rows || drops_rows,
            matches: inspector.matches,
            outlook,
            keys: keys.map(|(keys, _)| keys),
        };
        let operands = asked().map(|asked| asked.operands[1]);

        let scan = new_node::<CustomScan>(NodeTag::T_CustomScan);
        (*scan).scan.plan.targetlist = targets;
        (*scan).scan.plan.qual = tested;
        (*scan).scan.scanrelid = (*rel).relid;
        (*scan).flags = (*path).flags;
        if keys.is_some() {
            (*scan).custom_plans = plans;
        } else if is_steady {
            let bitmaps =
                nodes(plans).filter_map(|plan| Node::of(bitmap_path::bitmap_of(plan.as_ptr())));
            (*scan).custom_plans = list(bitmaps);
        }
        (*scan).custom_exprs = list(operands.chain(radius));
        (*scan).custom_private = private.into_list();
        (*scan).custom_scan_tlist = tuple;
        (*scan).methods = &raw const METHODS.0;
        scan.cast()
    }
}

/// The keys of a path that is among them, and what is expected of it: `parts` are the index, the clause
/// that it serves, and the latter.
///
/// # Safety
/// `plans` is what PostgreSQL has made of the paths below.
unsafe fn keys(parts: &[Node], plans: *mut List) -> Option<(JoinKeys, Outlook)> {
    let &[index, clause, outlook] = parts else { return None };
    let Operation { operator, collation, operands: [_, key], .. } = clause.operation()?;
    let key = key.without_relabels();
    // SAFETY: the plan has a list of what it gives; the outlook is a list of numbers.
    unsafe {
        let plan: *mut Plan = nodes(plans).next()?.as_ptr();
        let is_key = |entry: Node| {
            let entry: &TargetEntry = entry.get()?;
            Node::of(entry.expr).filter(|given| given.equals(key)).map(|_| i32::from(entry.resno))
        };
        let index = (*index.as_ptr::<IndexOptInfo>()).indexoid;
        let column = nodes((*plan).targetlist).find_map(is_key)?;
        let keys = JoinKeys { index, operator: (operator, collation), column };
        Some((keys, outlook_of(outlook.as_ptr())?))
    }
}

/// The columns of a relation in some expressions, as entries of a target list.
///
/// # Safety
/// `expressions` are lists of expressions of the relation, or null.
unsafe fn columns(rel: &RelOptInfo, expressions: [*mut List; 3]) -> *mut List {
    let flags = pg_sys::PVC_RECURSE_AGGREGATES
        | pg_sys::PVC_RECURSE_WINDOWFUNCS
        | pg_sys::PVC_RECURSE_PLACEHOLDERS;
    let is_own = |node: &Node| {
        node.get::<Var>()
            .is_some_and(|var| var.varno as pg_sys::Index == rel.relid && var.varlevelsup == 0)
    };
    // SAFETY: lists of expressions, or null.
    expressions.into_iter().fold(ptr::null_mut(), |entries, expressions| unsafe {
        let variables = pg_sys::pull_var_clause(expressions.cast(), flags as i32);
        pg_sys::add_to_flat_tlist(entries, list(nodes(variables).filter(is_own)))
    })
}
