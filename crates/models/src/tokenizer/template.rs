//! The tokens that go around one text or two, such as `[CLS]` and `[SEP]`.

use memory::Grow;

use super::json::{Bad, Piece, PostProcessor};

/// Tokens that a template adds at most.
const MOST_ADDED: usize = 32;

/// A part of what a model is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// All tokens of a text: the first one, or the second.
    Text {
        is_second: bool,
    },
    Token(u32),
}

/// A part, and the type of its tokens.
type Typed = (Part, u32);

/// What goes around one text, and around a pair of texts.
#[derive(Debug)]
pub(crate) struct Template {
    single: Vec<Typed>,
    pair: Vec<Typed>,
}

/// Tokens of texts, as a model is given them.
#[derive(Debug, Default)]
pub(crate) struct Sequence {
    pub(crate) tokens: Vec<u32>,
    /// For each token its type: which text it belongs to.
    pub(crate) types: Vec<u32>,
}

impl Template {
    /// # Errors
    /// [`Bad`] if it is of another kind, or does not have each text once.
    pub(super) fn new(file: Option<&PostProcessor>) -> Result<Self, Bad> {
        let text = |is_second, r#type| (Part::Text { is_second }, r#type);
        let (first, second) = (text(false, 0), text(true, 0));
        let Some(file) = file else {
            return Ok(Self { single: vec![first], pair: vec![first, text(true, 1)] });
        };
        let token = |token: &Option<(String, u32)>| {
            let found = token.as_ref().map(|(_, id)| (Part::Token(*id), 0));
            found.ok_or_else(|| Bad::new("post-processor without its tokens"))
        };
        let template = match file.r#type.as_str() {
            "TemplateProcessing" => {
                Self { single: parts(file, &file.single)?, pair: parts(file, &file.pair)? }
            }
            "BertProcessing" => {
                let (cls, sep) = (token(&file.cls)?, token(&file.sep)?);
                let pair = vec![cls, first, sep, text(true, 1), (sep.0, 1)];
                Self { single: vec![cls, first, sep], pair }
            }
            "RobertaProcessing" => {
                let (cls, sep) = (token(&file.cls)?, token(&file.sep)?);
                let pair = vec![cls, first, sep, sep, second, sep];
                Self { single: vec![cls, first, sep], pair }
            }
            other => return Err(Bad::unsupported("post-processor", other)),
        };
        let count = |parts: &[Typed], is_second| {
            parts.iter().filter(|(part, _)| *part == Part::Text { is_second }).count()
        };
        let is_single = count(&template.single, false) == 1 && count(&template.single, true) == 0;
        let is_pair = count(&template.pair, false) == 1 && count(&template.pair, true) == 1;
        match is_single && (is_pair || template.pair.is_empty()) {
            true => Ok(template),
            false => Err(Bad::new("post-processor does not have each text once")),
        }
    }

    /// How many tokens it adds to one text.
    pub(crate) fn added(&self) -> usize {
        self.single.len() - 1
    }

    /// How many tokens it adds to a pair; nothing if it has no form of pairs.
    pub(crate) fn added_to_pair(&self) -> Option<usize> {
        self.pair.len().checked_sub(2)
    }

    /// The tokens and types that it adds, of both forms.
    pub(crate) fn all_added(&self) -> impl Iterator<Item = (u32, u32)> {
        self.single.iter().chain(&self.pair).filter_map(|(part, r#type)| match part {
            Part::Token(token) => Some((*token, *r#type)),
            Part::Text { .. } => None,
        })
    }

    /// The greatest type of a token.
    pub(crate) fn greatest_type(&self) -> u32 {
        self.single.iter().chain(&self.pair).map(|(_, r#type)| *r#type).max().unwrap_or(0)
    }

    /// A text with what goes around it.
    ///
    /// # Errors
    /// [`memory::OutOfMemory`]
    pub(crate) fn single(&self, tokens: &[u32]) -> memory::Result<Sequence> {
        filled(&self.single, tokens, &[])
    }

    /// A pair of texts with what goes around them.
    ///
    /// # Errors
    /// [`memory::OutOfMemory`]
    pub(crate) fn pair(&self, first: &[u32], second: &[u32]) -> memory::Result<Sequence> {
        filled(&self.pair, first, second)
    }
}

/// The parts of a template.
fn parts(file: &PostProcessor, pieces: &[Piece]) -> Result<Vec<Typed>, Bad> {
    let mut parts = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Sequence { id, type_id } => {
                parts.push((Part::Text { is_second: id == "B" }, *type_id));
            }
            Piece::SpecialToken { id, type_id } => {
                let special = file.special_tokens.get(id);
                let special = special.ok_or_else(|| Bad::new("post-processor without a token"))?;
                let tokens = special.ids.iter().take(MOST_ADDED + 1);
                parts.extend(tokens.map(|token| (Part::Token(*token), *type_id)));
            }
        }
        if parts.len() > MOST_ADDED {
            return Err(Bad::new("post-processor with too many tokens"));
        }
    }
    Ok(parts)
}

fn filled(parts: &[Typed], first: &[u32], second: &[u32]) -> memory::Result<Sequence> {
    let len = first.len() + second.len() + parts.len();
    let mut sequence = Sequence { tokens: memory::with_room(len)?, types: memory::with_room(len)? };
    for (part, r#type) in parts {
        let tokens = match part {
            Part::Text { is_second: false } => first,
            Part::Text { is_second: true } => second,
            Part::Token(token) => std::slice::from_ref(token),
        };
        sequence.tokens.try_extend(tokens.iter().copied())?;
        sequence.types.try_extend(std::iter::repeat_n(*r#type, tokens.len()))?;
    }
    Ok(sequence)
}
