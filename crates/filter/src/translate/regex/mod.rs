//! Regular expressions: from RE2's language, which Milvus has, to PostgreSQL's.
//!
//! Three steps: [`spelling`] writes what RE2 spells in its own way as `regex-syntax` reads it, that
//! crate parses and folds case, and [`notation`] writes the result for the host. It leaves nothing to
//! the host's locale: classes are ranges of characters, and word boundaries are look-around for
//! ASCII words, as in RE2.
//!
//! Only whether some part of a text matches is asked for: groups need not capture, and quantifiers
//! need not be lazy. `.` matches a line end, as in Milvus; `(?-s)` makes it RE2's own.

mod notation;
mod size;
mod spelling;

use regex_syntax::ast::{self, Ast, RepetitionKind, RepetitionRange};
use regex_syntax::hir::translate::TranslatorBuilder;

use crate::error::ErrorKind;
use spelling::Respelled;

/// Groups, classes and repetitions inside each other.
const MAX_NESTING: u32 = 128;

/// The largest count, also of counts inside each other, as in RE2.
const MAX_COUNT: u32 = 1000;

/// Why a pattern is refused.
#[derive(Debug, PartialEq)]
pub(crate) struct Mistake {
    pub kind: ErrorKind,
    /// Byte of the pattern.
    pub at: usize,
    pub message: String,
    pub hint: Option<&'static str>,
}

impl Mistake {
    fn new(at: usize, message: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Pattern, at, message: message.into(), hint: None }
    }

    fn hint(self, hint: &'static str) -> Self {
        Self { hint: Some(hint), ..self }
    }

    fn too_large() -> Self {
        let mistake = Self { kind: ErrorKind::Limit, ..Self::new(0, "the pattern is too large") };
        mistake.hint("Use smaller counts, or fewer of them.")
    }
}

/// The host's notation of `pattern`.
pub(crate) fn translate(pattern: &str) -> Result<String, Mistake> {
    let respelled = spelling::respell(pattern)?;
    let ast = ast::parse::ParserBuilder::new()
        .nest_limit(MAX_NESTING)
        .build()
        .parse(&respelled.text)
        .map_err(|error| syntax(&respelled, &error))?;
    ast::visit(&ast, Counts { respelled: &respelled, product: vec![1] })?;
    let hir = TranslatorBuilder::new()
        .dot_matches_new_line(true)
        .build()
        .translate(&respelled.text, &ast)
        .map_err(|error| {
            let at = respelled.origin(error.span().start.offset);
            Mistake::new(at, error.kind().to_string())
        })?;
    size::check(&hir)?;
    notation::write(&hir)
}

fn syntax(respelled: &Respelled, error: &ast::Error) -> Mistake {
    let at = respelled.origin(error.span().start.offset);
    match error.kind() {
        ast::ErrorKind::NestLimitExceeded(_) => Mistake {
            kind: ErrorKind::Limit,
            ..Mistake::new(at, format!("groups are nested too deep, max {MAX_NESTING}"))
        },
        kind => Mistake::new(at, kind.to_string()),
    }
}

/// Refuses the repetitions that RE2 refuses.
struct Counts<'a> {
    respelled: &'a Respelled,
    /// Products of the counts on the way down.
    product: Vec<u32>,
}

impl Counts<'_> {
    fn repetition(&mut self, repetition: &ast::Repetition) -> Result<(), Mistake> {
        let at = self.respelled.origin(repetition.op.span.start.offset);
        if matches!(*repetition.ast, Ast::Repetition(_)) {
            return Err(Mistake::new(at, "bad repetition operator")
                .hint("Put what a second operator repeats in parentheses."));
        }
        let count = match &repetition.op.kind {
            RepetitionKind::Range(RepetitionRange::Exactly(n) | RepetitionRange::AtLeast(n)) => *n,
            RepetitionKind::Range(RepetitionRange::Bounded(_, n)) => *n,
            RepetitionKind::ZeroOrOne | RepetitionKind::ZeroOrMore | RepetitionKind::OneOrMore => 1,
        };
        let product = self.product.last().copied().unwrap_or(1).saturating_mul(count.max(1));
        if product > MAX_COUNT {
            let message = format!("repetition count is too large, max {MAX_COUNT}");
            return Err(Mistake::new(at, message).hint("Counts inside each other are multiplied."));
        }
        self.product.push(product);
        Ok(())
    }
}

impl ast::Visitor for Counts<'_> {
    type Output = ();
    type Err = Mistake;

    fn finish(self) -> Result<(), Mistake> {
        Ok(())
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), Mistake> {
        if let Ast::Repetition(repetition) = ast {
            self.repetition(repetition)?;
        }
        Ok(())
    }

    fn visit_post(&mut self, ast: &Ast) -> Result<(), Mistake> {
        if matches!(ast, Ast::Repetition(_)) {
            self.product.pop();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
