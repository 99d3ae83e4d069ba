//! What the planner asks of a function's support function, and the answers.

#![allow(unsafe_code)] // reads and fills requests of the planner

use pgrx::pg_sys::{
    self, Datum, InvalidOid, Oid, RangeTblEntry, SupportRequestCost, SupportRequestIndexCondition,
    SupportRequestSelectivity, SupportRequestSimplify,
};

use super::catalog;
use super::error::Report;
use super::function::{Args, Argument, Return};
use super::node::{Node, Tagged, list, nodes, operation};
use super::relation::Opened;
use super::version;

/// A question about the calls of a function.
pub enum SupportRequest<'p> {
    /// What one costs.
    Cost(CostRequest<'p>),
    /// Which part of all rows fulfills it.
    Selectivity(SelectivityRequest<'p>),
    /// A condition that an index can serve instead.
    IndexCondition(IndexConditionRequest<'p>),
    /// A simpler expression of the same value.
    Simplify(SimplifyRequest<'p>),
    /// Another one.
    Other,
}

impl<'p> Argument<'p> for SupportRequest<'p> {
    fn take(args: &mut Args<'p>) -> Result<SupportRequest<'p>, Report> {
        let request = args.datum()?.cast_mut_ptr();
        // SAFETY: PostgreSQL calls a support function with a request, which is the function's to
        // change; nobody else changes it meanwhile, or what it points to.
        unsafe {
            Ok(if let Some(request) = as_mut(request) {
                Self::Cost(CostRequest(request))
            } else if let Some(request) = as_mut(request) {
                Self::Selectivity(SelectivityRequest(request))
            } else if let Some(request) = as_mut(request) {
                Self::IndexCondition(IndexConditionRequest(request))
            } else if let Some(request) = as_mut(request) {
                Self::Simplify(SimplifyRequest(request))
            } else {
                Self::Other
            })
        }
    }
}

/// # Safety
/// `node` is a node that nobody else uses during `'p`.
unsafe fn as_mut<'p, T: Tagged>(node: *mut pg_sys::Node) -> Option<&'p mut T> {
    // SAFETY: nobody else uses the node; the tag tells the struct.
    unsafe { if (*node).type_ == T::TAG { node.cast::<T>().as_mut() } else { None } }
}

/// An answer.
pub struct Answer(Datum);

impl Answer {
    /// There is none.
    pub const NONE: Self = Self(Datum::null());

    fn of<T>(answer: *mut T) -> Self {
        Self(Datum::from(answer))
    }
}

impl Return for Answer {
    fn into_datum(self, _: &Args) -> Result<Datum, Report> {
        Ok(self.0)
    }
}

/// What does a call cost?
pub struct CostRequest<'p>(&'p mut SupportRequestCost);

impl<'p> CostRequest<'p> {
    /// The arguments of the call, if they are known.
    pub fn arguments(&self) -> Vec<Node<'p>> {
        // SAFETY: the call is null or an expression.
        unsafe { Node::of(self.0.node) }.map_or_else(Vec::new, Node::arguments)
    }

    /// Bytes that a column takes in a row on average, by the statistics; 0 if there are none, or it
    /// is no column of the query that is planned.
    pub fn average_width(&self, column: Node) -> usize {
        let Some(column) = column.get::<pg_sys::Var>() else { return 0 };
        // SAFETY: the planner's state, if it is told; the range table has an entry for every number
        // of a column of this level.
        unsafe {
            let root = self.0.root.as_ref().filter(|_| column.varlevelsup == 0);
            let number = usize::try_from(column.varno).ok().and_then(|n| n.checked_sub(1));
            let Some((root, number)) = root.zip(number) else { return 0 };
            let entry = nodes((*root.parse).rtable).nth(number);
            let entry = entry.and_then(|entry| entry.get::<RangeTblEntry>());
            let table = entry.map_or(InvalidOid, |entry| entry.relid);
            if table == InvalidOid {
                return 0;
            }
            usize::try_from(pg_sys::get_attavgwidth(table, column.varattno)).unwrap_or(0)
        }
    }

    /// So many times what a simple operator costs, and what reading a random page does.
    pub fn answer(self, operators: f64, pages: f64) -> Answer {
        self.0.startup = 0.0;
        // SAFETY: settings, read on the backend's own thread.
        self.0.per_tuple =
            unsafe { pg_sys::cpu_operator_cost * operators + pg_sys::random_page_cost * pages };
        Answer::of(self.0)
    }
}

/// Which part of all rows fulfills a call?
pub struct SelectivityRequest<'p>(&'p mut SupportRequestSelectivity);

impl<'p> SelectivityRequest<'p> {
    /// The call.
    pub fn call(&self) -> Call<'p> {
        // SAFETY: arguments of a call are expressions.
        let arguments = unsafe { nodes(self.0.args).collect() };
        Call { function: self.0.funcid, arguments, root: self.0.root }
    }

    /// As many as fulfill an operator; not known for joins.
    pub fn answer(self, operator: Oid, operands: [Node; 2]) -> Answer {
        let Self(request) = self;
        if request.is_join {
            return Answer::NONE;
        }
        let (collation, relation) = (request.inputcollid, request.varRelid);
        // SAFETY: the planner's own state, and expressions.
        request.selectivity = unsafe {
            let operands = list(operands);
            pg_sys::restriction_selectivity(request.root, operator, operands, collation, relation)
        };
        Answer::of(request)
    }
}

/// Which condition can an index serve?
pub struct IndexConditionRequest<'p>(&'p mut SupportRequestIndexCondition);

impl<'p> IndexConditionRequest<'p> {
    /// The call; none for operators.
    pub fn call(&self) -> Option<Call<'p>> {
        // SAFETY: the call is an expression.
        let node = unsafe { Node::of(self.0.node) }?;
        node.get::<pg_sys::FuncExpr>()?;
        let arguments = node.arguments();
        Some(Call { function: self.0.funcid, arguments, root: self.0.root })
    }

    /// The number of the argument that the index is on.
    pub fn indexed(&self) -> Option<usize> {
        usize::try_from(self.0.indexarg).ok()
    }

    /// Whether an expression is the same for all rows of the table of the index.
    pub fn is_constant(&self, expression: Node) -> bool {
        let Self(request) = self;
        // SAFETY: the planner's own state, and an expression.
        unsafe {
            let expression = expression.as_ptr();
            pg_sys::is_pseudo_constant_for_index(request.root, expression, request.index)
        }
    }

    /// The operator on the column that the index is on, if the index serves it: all rows that
    /// fulfill the call fulfill it, and some others.
    pub fn answer(self, operator: Oid, operands: [Node; 2]) -> Answer {
        let Self(request) = self;
        // SAFETY: a look-up in the catalog.
        if !unsafe { pg_sys::op_in_opfamily(operator, request.opfamily) } {
            return Answer::NONE;
        }
        request.lossy = true;
        Answer::of(list([operation(operator, request.indexcollation, operands)]))
    }
}

/// Which simpler expression has the same value as a call?
pub struct SimplifyRequest<'p>(&'p mut SupportRequestSimplify);

impl<'p> SimplifyRequest<'p> {
    /// The call.
    pub fn call(&self) -> Call<'p> {
        // SAFETY: PostgreSQL gives the call, whose arguments are expressions.
        unsafe {
            let call = &*self.0.fcall;
            let arguments = nodes(call.args).collect();
            Call { function: call.funcid, arguments, root: self.0.root }
        }
    }

    /// The collation that the call uses.
    pub fn collation(&self) -> Oid {
        // SAFETY: PostgreSQL gives the call.
        unsafe { (*self.0.fcall).inputcollid }
    }

    /// An expression by columns of tables, where it is one by columns that the query groups by.
    pub fn ungrouped(&self, expression: Node<'p>) -> Node<'p> {
        // SAFETY: the planner's state, and an expression of its query.
        unsafe { Node::of(version::ungrouped(self.0.root, expression.as_ptr())) }
            .unwrap_or(expression)
    }

    /// The only table of the query whose columns are in an expression; none if there are several, or
    /// the expression is planned for no query.
    pub fn table_of(&self, expression: Node) -> Option<Opened> {
        // SAFETY: the planner's state, if it is told, and an expression.
        unsafe { table_of(self.0.root, expression) }
    }

    /// This expression.
    pub fn answer(self, expression: Node) -> Answer {
        Answer::of(expression.as_ptr::<pg_sys::Node>())
    }
}

/// The only table of a query whose columns are in an expression; none if there are several.
///
/// # Safety
/// `root` is the planner's state, or null; `expression` is one of the query that is planned.
pub unsafe fn table_of(root: *const pg_sys::PlannerInfo, expression: Node) -> Option<Opened> {
    // SAFETY: the range table has an entry for every number of a column of this level.
    unsafe {
        let root = root.as_ref()?;
        let flags = pg_sys::PVC_RECURSE_AGGREGATES
            | pg_sys::PVC_RECURSE_WINDOWFUNCS
            | pg_sys::PVC_RECURSE_PLACEHOLDERS;
        let columns = pg_sys::pull_var_clause(expression.as_ptr(), flags as i32);
        let mut columns = nodes(columns).filter_map(Node::get::<pg_sys::Var>);
        let first = columns.next().filter(|first| first.varlevelsup == 0)?;
        if columns.any(|other| (other.varno, other.varlevelsup) != (first.varno, 0)) {
            return None;
        }
        let number = usize::try_from(first.varno).ok()?.checked_sub(1)?;
        let entry = nodes((*root.parse).rtable).nth(number)?.get::<RangeTblEntry>()?;
        (entry.rtekind == pg_sys::RTEKind::RTE_RELATION).then(|| Opened::open(entry.relid))
    }
}

/// A call of a function that the planner asks about.
pub struct Call<'p> {
    function: Oid,
    /// Its arguments.
    pub arguments: Vec<Node<'p>>,
    root: *mut pg_sys::PlannerInfo,
}

impl<'p> Call<'p> {
    /// The schema of the function.
    pub fn schema(&self) -> Oid {
        catalog::schema_of_function(self.function)
    }

    /// An expression whose constant parts are computed.
    pub fn simplified(&self, expression: Node<'p>) -> Node<'p> {
        // SAFETY: the planner's own state, and an expression; its simplified form is not null.
        unsafe {
            Node::of(pg_sys::eval_const_expressions(self.root, expression.as_ptr()))
                .unwrap_or(expression)
        }
    }
}
