//! Nodes, expressions and lists of the planner, read and made by safe functions.

#![allow(unsafe_code)] // reads and makes nodes of the planner

use std::ffi::CStr;
use std::marker::PhantomData;
use std::ptr::{self, NonNull};

use pgrx::pg_sys::{self, CoercionForm, InvalidOid, List, NodeTag, NullTestType, Oid};

use super::catalog;
use super::varlena::Detoasted;

/// A node that lives, unchanged, during `'p`: mostly a call of the planner.
#[derive(Clone, Copy)]
pub struct Node<'p> {
    ptr: NonNull<pg_sys::Node>,
    life: PhantomData<&'p pg_sys::Node>,
}

/// A struct that a tag names.
///
/// # Safety
/// The tag is that of the struct.
pub unsafe trait Tagged {
    /// What the struct begins with.
    const TAG: NodeTag;
}

macro_rules! tagged {
    ($($name:ident: $tag:ident),*) => {$(
        // SAFETY: PostgreSQL names tags after their structs.
        unsafe impl Tagged for pg_sys::$name {
            const TAG: NodeTag = NodeTag::$tag;
        }
    )*};
}
tagged! {
    Const: T_Const, CustomPath: T_CustomPath, FuncExpr: T_FuncExpr,
    IndexClause: T_IndexClause, IndexOptInfo: T_IndexOptInfo, IndexPath: T_IndexPath,
    NullTest: T_NullTest, OpExpr: T_OpExpr, RangeTblEntry: T_RangeTblEntry,
    RelabelType: T_RelabelType, RowExpr: T_RowExpr,
    RestrictInfo: T_RestrictInfo, SupportRequestCost: T_SupportRequestCost,
    SupportRequestIndexCondition: T_SupportRequestIndexCondition,
    SupportRequestSelectivity: T_SupportRequestSelectivity,
    SupportRequestSimplify: T_SupportRequestSimplify, TargetEntry: T_TargetEntry, Var: T_Var
}

impl<'p> Node<'p> {
    /// None for null.
    ///
    /// # Safety
    /// `node` is null or a node that lives during `'p`, as does all that it points to; neither
    /// changes meanwhile.
    pub unsafe fn of<T>(node: *mut T) -> Option<Self> {
        Some(Self { ptr: NonNull::new(node.cast())?, life: PhantomData })
    }

    /// The node for PostgreSQL, by the struct that its tag names or begins with.
    pub fn as_ptr<T>(self) -> *mut T {
        self.ptr.as_ptr().cast()
    }

    /// The node as a struct, if its tag names that.
    pub fn get<T: Tagged>(self) -> Option<&'p T> {
        // SAFETY: the node is valid, and the tag tells the struct.
        unsafe { (self.ptr.as_ref().type_ == T::TAG).then(|| self.ptr.cast().as_ref()) }
    }

    /// Whether both are one node.
    pub fn is(self, other: Node) -> bool {
        self.ptr == other.ptr
    }

    /// Whether both are the same expression.
    pub fn equals(self, other: Node) -> bool {
        // SAFETY: both are valid.
        unsafe { pg_sys::equal(self.as_ptr(), other.as_ptr()) }
    }

    /// A copy.
    pub fn copy(self) -> Self {
        // SAFETY: the node is valid, and its copy, which is not null, is new.
        unsafe { Node::of(pg_sys::copyObjectImpl(self.as_ptr())) }.unwrap_or(self)
    }

    /// The type of an expression.
    pub fn type_of(self) -> Oid {
        // SAFETY: the node is valid; PostgreSQL raises an error if it is no expression.
        unsafe { pg_sys::exprType(self.as_ptr()) }
    }

    /// The modifier of this type; negative if it has none.
    pub fn type_modifier(self) -> i32 {
        // SAFETY: the node is valid.
        unsafe { pg_sys::exprTypmod(self.as_ptr()) }
    }

    /// NULL of the same type.
    pub fn null(self) -> Self {
        // SAFETY: the node is valid; the constant, which is not null, is new.
        unsafe {
            let collation = pg_sys::exprCollation(self.as_ptr());
            let null = pg_sys::makeNullConst(self.type_of(), self.type_modifier(), collation);
            Node::of(null).unwrap_or(self)
        }
    }

    /// Whether it is a column.
    pub fn is_column(self) -> bool {
        self.get::<pg_sys::Var>().is_some()
    }

    /// Bytes of a constant of a type of variable length; none if it is NULL or something else.
    pub fn constant_size(self) -> Option<usize> {
        let constant = self.get::<pg_sys::Const>()?;
        let has_size = constant.constlen == -1 && !constant.constisnull;
        // SAFETY: a value of variable length.
        has_size.then(|| unsafe { pg_sys::toast_raw_datum_size(constant.constvalue) })
    }

    /// The value that it is a constant of; none if it is NULL or something else.
    pub fn constant(self) -> Option<pg_sys::Datum> {
        let constant = self.get::<pg_sys::Const>()?;
        (!constant.constisnull).then_some(constant.constvalue)
    }

    /// The text that it is a constant of; none if it is NULL or something else.
    pub fn constant_text(self) -> Option<Detoasted<'p>> {
        let constant = self.get::<pg_sys::Const>()?;
        let is_text = constant.consttype == pg_sys::TEXTOID && !constant.constisnull;
        // SAFETY: a text, which is part of the node.
        is_text.then(|| unsafe { Detoasted::from_datum(constant.constvalue) })
    }

    /// The expression without the labels that only say that its value is of another type.
    pub fn without_relabels(self) -> Self {
        match self.get::<pg_sys::RelabelType>() {
            // SAFETY: the expression is part of the node.
            Some(label) => unsafe { Node::of(label.arg) }.map_or(self, Self::without_relabels),
            None => self,
        }
    }

    /// The expression that it says is not NULL, if it says that.
    pub fn not_null(self) -> Option<Self> {
        let test = self.get::<pg_sys::NullTest>()?;
        let says = test.nulltesttype == NullTestType::IS_NOT_NULL && !test.argisrow;
        // SAFETY: the expression is part of the node.
        if says { unsafe { Node::of(test.arg) } } else { None }
    }

    /// The operands of an operator, or the arguments of a function; none of other nodes.
    pub fn arguments(self) -> Vec<Self> {
        let operation = self.get::<pg_sys::OpExpr>().map(|operation| operation.args);
        let call = || self.get::<pg_sys::FuncExpr>().map(|call| call.args);
        let list = operation.or_else(call).unwrap_or(ptr::null_mut());
        // SAFETY: the list is part of the node.
        unsafe { nodes(list).collect() }
    }

    /// The node as an operator with two operands, if it is one.
    pub fn operation(self) -> Option<Operation<'p>> {
        let &pg_sys::OpExpr { opno: operator, inputcollid: collation, .. } = self.get()?;
        let operands = self.arguments().try_into().ok()?;
        Some(Operation { node: self, operator, collation, operands })
    }

    /// Whether its value is the same for all rows of a scan.
    pub fn is_constant(self) -> bool {
        let node = self.as_ptr();
        // SAFETY: the node is valid.
        unsafe {
            !pg_sys::contain_var_clause(node)
                && !pg_sys::contain_subplans(node)
                && !pg_sys::contain_volatile_functions(node)
        }
    }

    /// The condition of a restriction.
    pub fn restriction(self) -> Option<Self> {
        // SAFETY: the condition is part of the node.
        unsafe { Node::of(self.get::<pg_sys::RestrictInfo>()?.clause) }
    }
}

/// An operator with two operands.
#[derive(Clone, Copy)]
pub struct Operation<'p> {
    /// The whole expression.
    pub node: Node<'p>,
    /// The operator.
    pub operator: Oid,
    /// The collation of its operands.
    pub collation: Oid,
    /// Left and right.
    pub operands: [Node<'p>; 2],
}

impl<'p> Operation<'p> {
    /// The same with its operands the other way round; none if the operator has no commutator.
    pub fn commuted(&self) -> Option<Operation<'p>> {
        catalog::commutator(self.operator)?;
        let copy = self.node.copy();
        // SAFETY: the copy, an operator with two operands and a commutator, is ours to change.
        unsafe {
            pg_sys::CommuteOpExpr(copy.as_ptr());
            pg_sys::set_opfuncid(copy.as_ptr());
        }
        copy.operation()
    }
}

/// What an operator makes of two operands.
pub fn operation<'p>(operator: Oid, collation: Oid, [left, right]: [Node<'p>; 2]) -> Node<'p> {
    // SAFETY: both operands are valid; a new node is not null.
    unsafe {
        let (left, right) = (left.as_ptr(), right.as_ptr());
        let kind = pg_sys::get_op_rettype(operator);
        let new = pg_sys::make_opclause(operator, kind, false, left, right, InvalidOid, collation);
        pg_sys::set_opfuncid(new.cast());
        Node { ptr: NonNull::new_unchecked(new.cast()), life: PhantomData }
    }
}

/// A constant of a type whose values are OIDs.
pub fn oid_constant<'p>(of: Oid, value: Oid) -> Node<'p> {
    const SIZE: i32 = size_of::<Oid>() as i32;
    // SAFETY: the type has values of this size; a new node is not null.
    unsafe {
        let value = pg_sys::Datum::from(value);
        let new = pg_sys::makeConst(of, -1, InvalidOid, SIZE, value, false, true);
        Node { ptr: NonNull::new_unchecked(new.cast()), life: PhantomData }
    }
}

/// A constant of type `integer`.
pub fn integer_constant<'p>(value: i32) -> Node<'p> {
    const SIZE: i32 = size_of::<i32>() as i32;
    // SAFETY: the type has values of this size; a new node is not null.
    unsafe {
        let (of, value) = (pg_sys::INT4OID, pg_sys::Datum::from(value));
        let new = pg_sys::makeConst(of, -1, InvalidOid, SIZE, value, false, true);
        Node { ptr: NonNull::new_unchecked(new.cast()), life: PhantomData }
    }
}

/// A field of a composite value, by its number from 1 and its type.
pub fn field(of: Node, number: i16, kind: Oid) -> Node {
    // SAFETY: a zeroed node is valid, and new.
    unsafe {
        let new = new_node::<pg_sys::FieldSelect>(NodeTag::T_FieldSelect);
        (*new).arg = of.as_ptr();
        (*new).fieldnum = number;
        (*new).resulttype = kind;
        (*new).resulttypmod = -1;
        (*new).resultcollid = pg_sys::get_typcollation(kind);
        Node { ptr: NonNull::new_unchecked(new.cast()), life: PhantomData }
    }
}

/// A composite value of a type, of its fields.
pub fn composite<'p>(kind: Oid, fields: impl IntoIterator<Item = Node<'p>>) -> Node<'p> {
    // SAFETY: a zeroed node is valid, and new.
    unsafe {
        let new = new_node::<pg_sys::RowExpr>(NodeTag::T_RowExpr);
        (*new).args = list(fields);
        (*new).row_typeid = kind;
        (*new).row_format = CoercionForm::COERCE_EXPLICIT_CAST;
        (*new).location = -1;
        Node { ptr: NonNull::new_unchecked(new.cast()), life: PhantomData }
    }
}

/// A call of a function by its name, with copies of `arguments`; none if no function takes exactly
/// their types.
pub fn call<'p>(schema: Oid, name: &CStr, arguments: &[Node<'p>]) -> Option<Node<'p>> {
    let types: Vec<Oid> = arguments.iter().map(|argument| argument.type_of()).collect();
    let function = catalog::function(schema, name, &types)?;
    let arguments = list(arguments.iter().map(|argument| argument.copy()));
    let form = CoercionForm::COERCE_EXPLICIT_CALL;
    // SAFETY: the function takes arguments of these types.
    unsafe {
        let result = pg_sys::get_func_rettype(function);
        Node::of(pg_sys::makeFuncExpr(function, result, arguments, InvalidOid, InvalidOid, form))
    }
}

/// A new node, all of it zero but its tag.
///
/// # Safety
/// `T` is the struct of the tag; zeroed, it is valid.
pub unsafe fn new_node<T>(tag: NodeTag) -> *mut T {
    // SAFETY: `T` is the struct of the tag, valid when zeroed; every node begins with its tag.
    unsafe {
        let node = pg_sys::palloc0(size_of::<T>()).cast::<pg_sys::Node>();
        (*node).type_ = tag;
        node.cast()
    }
}

/// A list of nodes.
pub fn list<'p>(nodes: impl IntoIterator<Item = Node<'p>>) -> *mut List {
    // SAFETY: a null pointer is the empty list.
    let add = |list, node: Node| unsafe { pg_sys::lappend(list, node.as_ptr()) };
    nodes.into_iter().fold(ptr::null_mut(), add)
}

/// A list of numbers.
pub fn integer_list(numbers: impl IntoIterator<Item = i32>) -> *mut List {
    // SAFETY: as above.
    let add = |list, number| unsafe { pg_sys::lappend_int(list, number) };
    numbers.into_iter().fold(ptr::null_mut(), add)
}

/// The nodes of a list.
///
/// # Safety
/// `list` is null or a list of nodes, for each of which and the list itself [`Node::of`] may be
/// called.
pub unsafe fn nodes<'p>(list: *mut List) -> impl Iterator<Item = Node<'p>> {
    // SAFETY: `list` is null or a list of nodes.
    unsafe { pointers(list).filter_map(|node: *mut pg_sys::Node| Node::of(node)) }
}

/// The members of a list of pointers.
///
/// # Safety
/// `list` is null or one, and stays as it is meanwhile.
pub unsafe fn pointers<T>(list: *mut List) -> impl Iterator<Item = *mut T> {
    // SAFETY: `list` is null or a list of pointers.
    unsafe { cells(list).map(|cell| cell.ptr_value.cast()) }
}

/// The members of a list of OIDs.
///
/// # Safety
/// `list` is null or one, and stays as it is meanwhile.
pub unsafe fn oids(list: *mut List) -> impl Iterator<Item = Oid> {
    // SAFETY: `list` is null or a list of OIDs.
    unsafe { cells(list).map(|cell| cell.oid_value) }
}

/// The members of a list of numbers.
///
/// # Safety
/// `list` is null or one, and stays as it is meanwhile.
pub unsafe fn integers(list: *mut List) -> impl Iterator<Item = i32> {
    // SAFETY: `list` is null or a list of numbers.
    unsafe { cells(list).map(|cell| cell.int_value) }
}

/// # Safety
/// `list` is null or a list, and stays as it is meanwhile.
unsafe fn cells(list: *mut List) -> impl Iterator<Item = pg_sys::ListCell> {
    // SAFETY: a list has as many members as it says.
    unsafe {
        let length = list.as_ref().map_or(0, |list| usize::try_from(list.length).unwrap_or(0));
        (0..length).map(move |number| *(*list).elements.add(number))
    }
}
