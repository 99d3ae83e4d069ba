//! What an index is asked with: the query, conditions and radius, computed when a scan begins.

#![allow(unsafe_code)] // calls into PostgreSQL

use pgrx::pg_sys::{
    self, CustomScan, CustomScanState, Datum, ExprContext, ExprState, MemoryContext, Oid, Relation,
    ScanKeyData,
};

use super::private::Private;
use crate::pg::memory;
use crate::pg::node::{Node, nodes};
use crate::types::sphere::Range;

/// The operands of a scan, not yet computed.
pub struct Operands {
    /// Those of the operators, and behind them the radius if there is one.
    expressions: Vec<*mut ExprState>,
    operators: Vec<(Oid, Oid)>,
    /// Where the values live until the scan begins anew.
    memory: MemoryContext,
}

/// What a scan is begun with.
pub struct Keys {
    /// The distance that rows are ordered by.
    pub order: ScanKeyData,
    /// Conditions that the index serves.
    pub conditions: Vec<ScanKeyData>,
    /// Distances that are wanted.
    pub range: Option<Range>,
}

impl Operands {
    /// Prepares for the scans of a node.
    ///
    /// # Safety
    /// The node is being begun; `plan` is its plan.
    pub unsafe fn new(node: &mut CustomScanState, plan: &CustomScan, private: &Private) -> Self {
        // SAFETY: the node is being begun; `custom_exprs` refer to nothing that changes with rows.
        unsafe {
            let compile =
                |expression: Node| pg_sys::ExecInitExpr(expression.as_ptr(), &raw mut node.ss.ps);
            Self {
                expressions: nodes(plan.custom_exprs).map(compile).collect(),
                operators: private.operators.clone(),
                memory: memory::new_context((*node.ss.ps.state).es_query_cxt, c"VectorScan keys"),
            }
        }
    }

    /// Conditions that the index serves.
    pub fn conditions(&self) -> usize {
        self.operators.len() - 1
    }

    /// Computes the operands.
    ///
    /// # Safety
    /// `index` is the node's; nobody uses the keys that were computed before.
    pub unsafe fn compute(&self, context: *mut ExprContext, index: Relation) -> Keys {
        // SAFETY: nobody uses the values computed before; the radius is a `float8`.
        unsafe {
            pg_sys::MemoryContextReset(self.memory);
            let values: Vec<Option<Datum>> = memory::within(self.memory, || {
                let value = |&expression: &*mut ExprState| {
                    let mut is_null = false;
                    let value = pg_sys::ExecEvalExpr(expression, context, &raw mut is_null);
                    (!is_null).then_some(value)
                };
                self.expressions.iter().map(value).collect()
            });
            let keys = self.operators.iter().zip(&values).enumerate();
            let mut keys = keys
                .map(|(number, (&operator, &value))| scan_key(index, operator, value, number == 0));
            let order = keys.next().unwrap_or_default();
            let conditions = keys.collect();
            let radius = values.get(self.operators.len());
            let range = radius.and_then(|radius| {
                Range::below(radius.map(|radius| f64::from_bits(radius.value() as u64)))
            });
            Keys { order, conditions, range }
        }
    }
}

/// What an index compares its first column with.
///
/// # Safety
/// The operator is one of the index's operator class.
pub(super) unsafe fn scan_key(
    index: Relation,
    (operator, collation): (Oid, Oid),
    value: Option<Datum>,
    is_order: bool,
) -> ScanKeyData {
    let (mut strategy, mut left, mut right) = (0, Oid::INVALID, Oid::INVALID);
    let mut key = ScanKeyData::default();
    let order = if is_order { pg_sys::SK_ORDER_BY } else { 0 };
    let null = if value.is_none() { pg_sys::SK_ISNULL } else { 0 };
    // SAFETY: the operator is one of the operator class of the index's first column.
    unsafe {
        pg_sys::get_op_opfamily_properties(
            operator,
            *(*index).rd_opfamily,
            is_order,
            &raw mut strategy,
            &raw mut left,
            &raw mut right,
        );
        pg_sys::ScanKeyEntryInitialize(
            &raw mut key,
            (order | null) as i32,
            1,
            strategy as u16,
            right,
            collation,
            pg_sys::get_opcode(operator),
            value.unwrap_or(Datum::null()),
        );
    }
    key
}
