//! Operands: constants, fields, lists, templates, calls.

use super::parser::Parser;
use super::token::{Keyword, Symbol, Token, Word};
use super::{Call, Expr, Field, Node, Step, string};
use crate::error::Error;
use crate::limits::MAX_LIST;
use crate::value::Value;

impl Parser<'_> {
    /// An operand without the operators around it.
    pub(super) fn primary(&mut self) -> Result<Expr, Error> {
        let Token { word, span } = self.token();
        let node = match word {
            Word::Integer(magnitude) => match i64::try_from(magnitude) {
                Ok(integer) => Node::Constant(Value::Int(integer)),
                Err(_) if magnitude == 1 << 63 => Node::Huge,
                Err(_) => {
                    return Err(Error::syntax(span, format!("'{magnitude}' is out of range")));
                }
            },
            Word::Float(float) => Node::Constant(Value::Float(float)),
            Word::Decimal(text) => Node::Constant(Value::Decimal(text.into())),
            Word::Text(quoted) => Node::Constant(Value::Text(string::decode(quoted, span)?)),
            Word::Keyword(Keyword::True) => Node::Constant(Value::Bool(true)),
            Word::Keyword(Keyword::False) => Node::Constant(Value::Bool(false)),
            Word::Name(name) => return self.named(name),
            Word::Symbol(Symbol::OpenParen) => return self.parenthesised(),
            Word::Symbol(Symbol::OpenBracket) => return self.list(),
            Word::Symbol(Symbol::OpenBrace) => return self.template(),
            Word::Symbol(Symbol::Dollar) => {
                return Err(Error::unsupported(span, "struct array fields are not supported"));
            }
            Word::Symbol(_) | Word::Keyword(_) | Word::End => {
                return Err(self.unexpected("an operand"));
            }
        };
        self.next();
        Expr::new(span, node)
    }

    fn parenthesised(&mut self) -> Result<Expr, Error> {
        let start = self.next().span.start;
        let mut inner = self.expr(0)?;
        self.expect(Symbol::CloseParen, "')'")?;
        inner.span.start = start;
        inner.span.end = self.last_end();
        Ok(inner)
    }

    fn list(&mut self) -> Result<Expr, Error> {
        let start = self.next().span.start;
        let mut elements = Vec::new();
        while !self.accept(Symbol::CloseBracket) {
            if elements.len() == MAX_LIST {
                let message = format!("list is too long, max {MAX_LIST} values");
                return Err(Error::limit(self.token().span, message));
            }
            elements.push(self.expr(0)?);
            if !self.accept(Symbol::Comma) {
                self.expect(Symbol::CloseBracket, "',' or ']'")?;
                break;
            }
        }
        self.finish(start, Node::List(elements))
    }

    fn template(&mut self) -> Result<Expr, Error> {
        let start = self.next().span.start;
        let Word::Name(name) = self.peek() else {
            return Err(self.unexpected("the name of a template variable"));
        };
        self.next();
        self.expect(Symbol::CloseBrace, "'}'")?;
        self.finish(start, Node::Template(name.into()))
    }

    /// What begins with a name: a field, its test for null, a call, a point or a span of time.
    fn named(&mut self, name: &str) -> Result<Expr, Error> {
        let start = self.next().span.start;
        if self.peek() == Word::Symbol(Symbol::OpenParen) {
            return self.call(name, start);
        }
        if let Word::Text(quoted) = self.peek()
            && let Some(node) = time(name)
        {
            let span = self.next().span;
            return self.finish(start, node(string::decode(quoted, span)?));
        }
        let field = Field { name: name.into(), path: self.path()? };
        match self.null_test()? {
            Some(negated) => self.finish(start, Node::IsNull { field, negated }),
            None => self.finish(start, Node::Field(field)),
        }
    }

    /// `["key"][0]…`
    fn path(&mut self) -> Result<Vec<Step>, Error> {
        let mut path = Vec::new();
        while self.accept(Symbol::OpenBracket) {
            let Token { word, span } = self.token();
            path.push(match word {
                Word::Text(quoted) => Step::Key(string::decode(quoted, span)?),
                Word::Integer(index) => Step::Index(
                    i64::try_from(index)
                        .map_err(|_| Error::syntax(span, format!("'{index}' is out of range")))?,
                ),
                Word::Name(_) => {
                    let message = "struct array fields are not supported";
                    return Err(Error::unsupported(span, message)
                        .hint("Write the key of a document in quotes."));
                }
                Word::Float(_)
                | Word::Decimal(_)
                | Word::Keyword(_)
                | Word::Symbol(_)
                | Word::End => {
                    return Err(self.unexpected("a key in quotes or an index"));
                }
            });
            self.next();
            self.expect(Symbol::CloseBracket, "']'")?;
        }
        Ok(path)
    }

    /// Reads `is null` (false) or `is not null` (true) if one of them comes next.
    fn null_test(&mut self) -> Result<Option<bool>, Error> {
        if !matches!(self.peek(), Word::Name("is" | "IS")) {
            return Ok(None);
        }
        self.next();
        let negated = self.peek() == Word::Keyword(Keyword::Not);
        if negated {
            self.next();
        }
        if !matches!(self.peek(), Word::Name("null" | "NULL")) {
            return Err(self.unexpected("'null' or 'not null' after 'is'"));
        }
        self.next();
        Ok(Some(negated))
    }

    fn call(&mut self, name: &str, start: usize) -> Result<Expr, Error> {
        self.next();
        let mut call = Call { name: name.to_lowercase(), arguments: Vec::new(), option: None };
        while !self.accept(Symbol::CloseParen) {
            if let Some(option) = self.option_name() {
                call.option = Some((option, self.expr(0)?.into()));
                self.expect(Symbol::CloseParen, "')'")?;
                break;
            }
            if call.arguments.len() == MAX_LIST {
                return Err(Error::limit(self.token().span, "too many arguments"));
            }
            call.arguments.push(self.expr(0)?);
            if !self.accept(Symbol::Comma) {
                self.expect(Symbol::CloseParen, "',' or ')'")?;
                break;
            }
        }
        self.finish(start, Node::Call(call))
    }

    /// Reads `name =` if it comes next.
    fn option_name(&mut self) -> Option<String> {
        let Word::Name(name) = self.peek() else { return None };
        if self.second() != Word::Symbol(Symbol::Assign) {
            return None;
        }
        self.next();
        self.next();
        Some(name.to_lowercase())
    }
}

/// What `ISO '…'` and `INTERVAL '…'` make.
fn time(name: &str) -> Option<fn(String) -> Node> {
    match name {
        "iso" | "ISO" => Some(Node::Instant),
        "interval" | "INTERVAL" => Some(Node::Interval),
        _ => None,
    }
}
