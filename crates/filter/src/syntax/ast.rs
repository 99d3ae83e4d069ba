//! The tree that the parser makes.

use super::Span;
use crate::error::Error;
use crate::limits::MAX_DEPTH;
use crate::value::Value;

/// An expression, not yet typed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Expr {
    pub span: Span,
    pub node: Node,
    /// Nodes on the longest way down. Bounded, so that every walk may recurse.
    height: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    Constant(Value),
    /// 2^63, of which only the negation is an integer.
    Huge,
    List(Vec<Expr>),
    Template(String),
    Field(Field),
    /// `ISO '…'`
    Instant(String),
    /// `INTERVAL '…'`
    Interval(String),
    Sign(Sign, Box<Expr>),
    Arithmetic(Arithmetic, Box<Expr>, Box<Expr>),
    Comparison(Comparison, Box<Expr>, Box<Expr>),
    /// `low < field <= high`, or the same with `>`, in the order written.
    Range {
        operands: Box<[Expr; 3]>,
        first: Comparison,
        second: Comparison,
    },
    In {
        left: Box<Expr>,
        list: Box<Expr>,
        negated: bool,
    },
    Like(Box<Expr>, Box<Expr>),
    Regex {
        left: Box<Expr>,
        pattern: Box<Expr>,
        negated: bool,
    },
    IsNull {
        field: Field,
        negated: bool,
    },
    Exists(Box<Expr>),
    Not(Box<Expr>),
    Logic(Logic, Vec<Expr>),
    Call(Call),
}

/// A column, or a value inside of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Field {
    pub name: String,
    pub path: Vec<Step>,
}

/// One step down in a document or an array.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    Key(String),
    /// Counted from 0.
    Index(i64),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    /// In lower case.
    pub name: String,
    pub arguments: Vec<Expr>,
    /// `minimum_should_match = 2`
    pub option: Option<(String, Box<Expr>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    Plus,
    Minus,
    BitNot,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Logic {
    And,
    Or,
}

impl Logic {
    /// What Milvus calls the operator in its messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::And => "and",
            Self::Or => "or",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Power,
    BitAnd,
    BitOr,
    BitXor,
    ShiftLeft,
    ShiftRight,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
}

impl Comparison {
    /// The comparison that holds when this does not, of values that are not null.
    pub(crate) fn negated(self) -> Self {
        match self {
            Self::Less => Self::GreaterOrEqual,
            Self::LessOrEqual => Self::Greater,
            Self::Greater => Self::LessOrEqual,
            Self::GreaterOrEqual => Self::Less,
            Self::Equal => Self::NotEqual,
            Self::NotEqual => Self::Equal,
        }
    }

    /// The comparison of the same operands in the other order.
    pub(crate) fn swapped(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            Self::Equal | Self::NotEqual => self,
        }
    }

    /// This, or its negation.
    pub(crate) fn negated_if(self, negated: bool) -> Self {
        if negated { self.negated() } else { self }
    }
}

impl Expr {
    /// # Errors
    /// When the tree becomes too high.
    pub(crate) fn new(span: Span, node: Node) -> Result<Self, Error> {
        let height = 1 + node.children_height();
        if height > MAX_DEPTH {
            return Err(Error::limit(
                span,
                format!("expression is nested too deep, max {MAX_DEPTH}"),
            )
            .hint("Join long lists of conditions by IN, or by and/or without parentheses."));
        }
        Ok(Self { span, node, height })
    }
}

impl Node {
    fn children_height(&self) -> usize {
        let highest = |all: &[Expr]| all.iter().map(|expr| expr.height).max().unwrap_or(0);
        match self {
            Self::Constant(_)
            | Self::Huge
            | Self::Template(_)
            | Self::Field(_)
            | Self::Instant(_)
            | Self::Interval(_)
            | Self::IsNull { .. } => 0,
            Self::List(all) | Self::Logic(_, all) => highest(all),
            Self::Sign(_, one) | Self::Exists(one) | Self::Not(one) => one.height,
            Self::Arithmetic(_, a, b)
            | Self::Comparison(_, a, b)
            | Self::In { left: a, list: b, .. }
            | Self::Like(a, b)
            | Self::Regex { left: a, pattern: b, .. } => a.height.max(b.height),
            Self::Range { operands, .. } => highest(operands.as_slice()),
            Self::Call(call) => {
                let option = call.option.as_ref().map_or(0, |(_, value)| value.height);
                highest(&call.arguments).max(option)
            }
        }
    }
}
