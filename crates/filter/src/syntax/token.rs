//! The words of the language.

use super::Span;

/// A word and where it stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Token<'a> {
    pub word: Word<'a>,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Word<'a> {
    Integer(u64),
    Float(f64),
    /// A fraction with more digits than a float has.
    Decimal(&'a str),
    Text(Quoted<'a>),
    Name(&'a str),
    Keyword(Keyword),
    Symbol(Symbol),
    End,
}

/// What stands between quotes, before its escapes are decoded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Quoted<'a> {
    pub body: &'a str,
    /// Written `r"…"`: a backslash is a backslash.
    pub raw: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keyword {
    And,
    Or,
    Not,
    In,
    Like,
    Exists,
    True,
    False,
}

impl Keyword {
    /// The keyword that `name` spells: keywords are all lower case or all upper case.
    pub(crate) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "and" | "AND" => Self::And,
            "or" | "OR" => Self::Or,
            "not" | "NOT" => Self::Not,
            "in" | "IN" => Self::In,
            "like" | "LIKE" => Self::Like,
            "exists" | "EXISTS" => Self::Exists,
            "true" | "True" | "TRUE" => Self::True,
            "false" | "False" | "FALSE" => Self::False,
            _ => return None,
        })
    }
}

/// Spelling and name of each symbol. Of two that begin alike the longer one stands first.
macro_rules! symbols {
    ($($name:ident $spelling:literal,)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Symbol { $($name),* }

        impl Symbol {
            /// The symbol that `text` begins with, and its length.
            pub(crate) fn at(text: &str) -> Option<(Self, usize)> {
                $(if text.starts_with($spelling) {
                    return Some((Self::$name, $spelling.len()));
                })*
                None
            }
        }
    };
}

symbols! {
    Power "**", ShiftLeft "<<", ShiftRight ">>", AndAnd "&&", OrOr "||", Equal "==", NotEqual "!=",
    LessOrEqual "<=", GreaterOrEqual ">=", Matches "=~", MatchesNot "!~", Assign "=", Less "<",
    Greater ">", Plus "+", Minus "-", Times "*", Divide "/", Modulo "%", BitAnd "&", BitOr "|",
    BitXor "^", BitNot "~", Not "!", OpenParen "(", CloseParen ")", OpenBracket "[",
    CloseBracket "]", OpenBrace "{", CloseBrace "}", Comma ",", Dollar "$",
}
