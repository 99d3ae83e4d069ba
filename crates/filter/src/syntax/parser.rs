//! Operators by precedence, as ANTLR reads Milvus's grammar.
//!
//! | level | operators |
//! |---|---|
//! | 35, 34, 33 | `like`, `=~`, `!~` |
//! | 25 | `**` |
//! | 24 | before an operand: `+ - ~ ! not` |
//! | 23 | `* / %` |
//! | 22 | `+ -` |
//! | 21 | `<< >>` |
//! | 20 | `in`, `not in` |
//! | 11, 10 | `a < field < b`, `a > field > b` |
//! | 9 | `< <= > >=` |
//! | 8 | `== !=` |
//! | 7, 6, 5 | `&`, `^`, `\|` |
//! | 4, 3 | `and &&`, `or \|\|` |
//!
//! All of them associate to the left.

use super::token::{Keyword, Symbol, Token, Word};
use super::{Arithmetic, Comparison, Expr, Logic, Node, Sign, Span, lexer, string};
use crate::error::Error;
use crate::limits::{MAX_DEPTH, MAX_TEXT};

const LIKE: u8 = 35;
const MATCHES: u8 = 34;
const MATCHES_NOT: u8 = 33;
pub(super) const PREFIX: u8 = 24;
const IN: u8 = 20;
const RANGE_UP: u8 = 11;
const RANGE_DOWN: u8 = 10;
const RELATIONAL: u8 = 9;

/// Parses the text of a filter. Nothing but white space means that all rows match: `None`.
pub(crate) fn parse(text: &str) -> Result<Option<Expr>, Error> {
    if text.len() > MAX_TEXT {
        let span = Span { start: MAX_TEXT, end: text.len() };
        return Err(Error::limit(span, format!("expression is too long, max {MAX_TEXT} bytes"))
            .hint("Give long lists as values of templates."));
    }
    let mut parser = Parser { tokens: lexer::tokens(text)?, at: 0, depth: 0, text };
    if parser.peek() == Word::End {
        return Ok(None);
    }
    let expr = parser.expr(0)?;
    match parser.peek() {
        Word::End => Ok(Some(expr)),
        _ => Err(parser.unexpected("an operator or the end")),
    }
}

pub(super) struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    at: usize,
    depth: usize,
    text: &'a str,
}

/// An operator between operands, by its level.
enum Infix {
    Like,
    Regex { negated: bool },
    Arithmetic(Arithmetic),
    In { negated: bool },
    Comparison(Comparison),
    Logic(Logic),
}

impl<'a> Parser<'a> {
    /// An expression whose operators bind at least as tight as `level`.
    pub(super) fn expr(&mut self, level: u8) -> Result<Expr, Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let message = format!("expression is nested too deep, max {MAX_DEPTH}");
            return Err(Error::limit(self.token().span, message));
        }
        let mut left = self.prefixed()?;
        while let Some((operator, bound)) = self.infix() {
            if let Infix::Comparison(first) = operator
                && range_level(first).is_some_and(|bound| bound >= level)
                && let Some((field, second)) = self.middle_of_range(first)?
            {
                left = self.range(left, first, field, second)?;
                continue;
            }
            if bound < level {
                break;
            }
            left = self.operation(left, operator, bound)?;
        }
        self.depth -= 1;
        Ok(left)
    }

    fn prefixed(&mut self) -> Result<Expr, Error> {
        let start = self.token().span;
        let sign = match self.peek() {
            Word::Symbol(Symbol::Plus) => Some(Sign::Plus),
            Word::Symbol(Symbol::Minus) => Some(Sign::Minus),
            Word::Symbol(Symbol::BitNot) => Some(Sign::BitNot),
            Word::Symbol(Symbol::Not) | Word::Keyword(Keyword::Not) => None,
            Word::Keyword(Keyword::Exists) => {
                self.next();
                let operand = self.expr(LIKE + 1)?;
                return Expr::new(start.to(operand.span), Node::Exists(operand.into()));
            }
            _ => return self.primary(),
        };
        self.next();
        let operand = self.expr(PREFIX)?;
        let span = start.to(operand.span);
        let operand = Box::new(operand);
        Expr::new(
            span,
            match sign {
                Some(sign) => Node::Sign(sign, operand),
                None => Node::Not(operand),
            },
        )
    }

    /// The operator that comes next, and its level.
    fn infix(&self) -> Option<(Infix, u8)> {
        use Arithmetic::*;
        Some(match self.peek() {
            Word::Keyword(Keyword::Like) => (Infix::Like, LIKE),
            Word::Keyword(Keyword::In) => (Infix::In { negated: false }, IN),
            Word::Keyword(Keyword::Not) | Word::Symbol(Symbol::Not) => {
                if self.second() != Word::Keyword(Keyword::In) {
                    return None;
                }
                (Infix::In { negated: true }, IN)
            }
            Word::Keyword(Keyword::And) => (Infix::Logic(Logic::And), 4),
            Word::Keyword(Keyword::Or) => (Infix::Logic(Logic::Or), 3),
            Word::Symbol(symbol) => match symbol {
                Symbol::Matches => (Infix::Regex { negated: false }, MATCHES),
                Symbol::MatchesNot => (Infix::Regex { negated: true }, MATCHES_NOT),
                Symbol::Power => (Infix::Arithmetic(Power), 25),
                Symbol::Times => (Infix::Arithmetic(Multiply), 23),
                Symbol::Divide => (Infix::Arithmetic(Divide), 23),
                Symbol::Modulo => (Infix::Arithmetic(Modulo), 23),
                Symbol::Plus => (Infix::Arithmetic(Add), 22),
                Symbol::Minus => (Infix::Arithmetic(Subtract), 22),
                Symbol::ShiftLeft => (Infix::Arithmetic(ShiftLeft), 21),
                Symbol::ShiftRight => (Infix::Arithmetic(ShiftRight), 21),
                Symbol::Less => (Infix::Comparison(Comparison::Less), RELATIONAL),
                Symbol::LessOrEqual => (Infix::Comparison(Comparison::LessOrEqual), RELATIONAL),
                Symbol::Greater => (Infix::Comparison(Comparison::Greater), RELATIONAL),
                Symbol::GreaterOrEqual => {
                    (Infix::Comparison(Comparison::GreaterOrEqual), RELATIONAL)
                }
                Symbol::Equal => (Infix::Comparison(Comparison::Equal), 8),
                Symbol::NotEqual => (Infix::Comparison(Comparison::NotEqual), 8),
                Symbol::BitAnd => (Infix::Arithmetic(BitAnd), 7),
                Symbol::BitXor => (Infix::Arithmetic(BitXor), 6),
                Symbol::BitOr => (Infix::Arithmetic(BitOr), 5),
                Symbol::AndAnd => (Infix::Logic(Logic::And), 4),
                Symbol::OrOr => (Infix::Logic(Logic::Or), 3),
                _ => return None,
            },
            _ => return None,
        })
    }

    /// `left operator …`, from the operator on.
    fn operation(&mut self, left: Expr, operator: Infix, level: u8) -> Result<Expr, Error> {
        self.next();
        let node = match operator {
            Infix::Like => {
                let pattern = self.pattern(level, string::decode_pattern)?;
                Node::Like(left.into(), pattern.into())
            }
            Infix::Regex { negated } => {
                let pattern = self.pattern(level, |quoted, _| Ok(string::decode_regex(quoted)))?;
                Node::Regex { left: left.into(), pattern: pattern.into(), negated }
            }
            Infix::Arithmetic(operator) => {
                Node::Arithmetic(operator, left.into(), self.expr(level + 1)?.into())
            }
            Infix::In { negated } => {
                if negated {
                    self.next();
                }
                Node::In { left: left.into(), list: self.expr(level + 1)?.into(), negated }
            }
            Infix::Comparison(operator) => {
                Node::Comparison(operator, left.into(), self.expr(level + 1)?.into())
            }
            Infix::Logic(logic) => {
                let right = self.expr(level + 1)?;
                return chained(logic, left, right);
            }
        };
        self.finish(left_start(&node), node)
    }

    /// The operand right of `like`, `=~` and `!~`, in which a string has escapes of its own.
    fn pattern(
        &mut self,
        level: u8,
        decode: impl Fn(super::token::Quoted<'_>, Span) -> Result<String, Error>,
    ) -> Result<Expr, Error> {
        let Token { word: Word::Text(quoted), span } = self.token() else {
            return self.expr(level + 1);
        };
        self.next();
        Expr::new(span, Node::Constant(decode(quoted, span)?.into()))
    }

    /// Reads `< field` when `<` or `<=` follows, that is when it is the middle of a range; else
    /// reads nothing. The same for `>`.
    fn middle_of_range(&mut self, first: Comparison) -> Result<Option<(Expr, Comparison)>, Error> {
        let start = self.at;
        self.next();
        if matches!(self.peek(), Word::Name(_)) {
            let field = self.primary()?;
            if let (Node::Field(_), Some((Infix::Comparison(second), _))) =
                (&field.node, self.infix())
                && range_level(second) == range_level(first)
            {
                return Ok(Some((field, second)));
            }
        }
        self.at = start;
        Ok(None)
    }

    fn range(
        &mut self,
        left: Expr,
        first: Comparison,
        field: Expr,
        second: Comparison,
    ) -> Result<Expr, Error> {
        self.next();
        let right = self.expr(range_level(second).map_or(0, |level| level + 1))?;
        let span = left.span.to(right.span);
        let operands = Box::new([left, field, right]);
        Expr::new(span, Node::Range { operands, first, second })
    }

    /// The node from `start` to the last word read.
    pub(super) fn finish(&self, start: usize, node: Node) -> Result<Expr, Error> {
        Expr::new(Span { start, end: self.last_end() }, node)
    }

    /// Where the last word read ends.
    pub(super) fn last_end(&self) -> usize {
        self.at.checked_sub(1).map_or(0, |last| self.tokens[last].span.end)
    }

    pub(super) fn token(&self) -> Token<'a> {
        // The last word is the end, and nothing reads on after it.
        self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    pub(super) fn peek(&self) -> Word<'a> {
        self.token().word
    }

    /// The word after the next.
    pub(super) fn second(&self) -> Word<'a> {
        self.tokens.get(self.at + 1).map_or(Word::End, |token| token.word)
    }

    pub(super) fn next(&mut self) -> Token<'a> {
        let token = self.token();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    /// Reads `symbol` if it comes next.
    pub(super) fn accept(&mut self, symbol: Symbol) -> bool {
        let accepted = self.peek() == Word::Symbol(symbol);
        if accepted {
            self.next();
        }
        accepted
    }

    pub(super) fn expect(&mut self, symbol: Symbol, what: &str) -> Result<(), Error> {
        if self.accept(symbol) { Ok(()) } else { Err(self.unexpected(what)) }
    }

    pub(super) fn unexpected(&self, expected: &str) -> Error {
        let span = self.token().span;
        let message = match self.peek() {
            Word::End => format!("the expression ends, expected {expected}"),
            _ => {
                let word: String = self.text[span.start..span.end].chars().take(40).collect();
                format!("mismatched input '{word}', expected {expected}")
            }
        };
        Error::syntax(span, message)
    }
}

/// The level of a range that begins with the operator; `==` and `!=` begin none.
fn range_level(operator: Comparison) -> Option<u8> {
    match operator {
        Comparison::Less | Comparison::LessOrEqual => Some(RANGE_UP),
        Comparison::Greater | Comparison::GreaterOrEqual => Some(RANGE_DOWN),
        Comparison::Equal | Comparison::NotEqual => None,
    }
}

/// Chains of one operator are one node, so that a thousand conditions are not a thousand deep.
fn chained(logic: Logic, left: Expr, right: Expr) -> Result<Expr, Error> {
    let span = left.span.to(right.span);
    match left.node {
        Node::Logic(same, mut operands) if same == logic => {
            operands.push(right);
            Expr::new(span, Node::Logic(logic, operands))
        }
        _ => Expr::new(span, Node::Logic(logic, vec![left, right])),
    }
}

/// Where the left operand of an operation begins.
fn left_start(node: &Node) -> usize {
    match node {
        Node::Like(left, _)
        | Node::Regex { left, .. }
        | Node::Arithmetic(_, left, _)
        | Node::Comparison(_, left, _)
        | Node::In { left, .. } => left.span.start,
        _ => 0,
    }
}
