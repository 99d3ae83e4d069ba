//! How a part of a text becomes tokens of a vocabulary.

use memory::Grow;

use super::json::{Bad, Model};
use super::vocabulary::{Prefix, Vocabulary};

/// Bytes of a part that are looked at together at most.
const LONGEST_PART: usize = 1 << 16;
/// What an unknown character costs, below the least likely token, as in SentencePiece.
const UNKNOWN_PENALTY: f64 = 10.0;

/// A vocabulary and how it is used.
#[derive(Debug)]
pub(super) struct Pieces {
    vocabulary: Vocabulary,
    kind: Kind,
    unknown: Option<u32>,
}

#[derive(Debug)]
enum Kind {
    /// A part is a token.
    WordLevel,
    /// Longest token first; those within a word begin with a prefix. Schuster and Nakajima, 2012.
    WordPiece { within: Option<Prefix>, longest_word: usize },
    /// The most likely sequence of tokens. Kudo, 2018.
    Unigram { scores: Vec<f64>, unknown_score: f64, bytes: Option<Box<[u32; 256]>> },
}

impl Pieces {
    /// # Errors
    /// [`Bad`] if the model is of another kind, or does not fit together.
    pub(super) fn new(model: Model) -> Result<Self, Bad> {
        let vocabulary = Vocabulary::new(model.vocab.entries).map_err(Bad::out_of_memory)?;
        if vocabulary.len() == 0 {
            return Err(Bad::new("vocabulary is empty"));
        }
        let token = |text: &str| vocabulary.get(text.as_bytes());
        let unknown = model.unk_token.as_deref();
        let guess = match (&model.vocab.scores, &model.continuing_subword_prefix) {
            (Some(_), _) => "Unigram",
            (None, Some(_)) => "WordPiece",
            (None, None) => "",
        };
        let (kind, unknown) = match model.r#type.as_deref().unwrap_or(guess) {
            "WordLevel" => (Kind::WordLevel, unknown.and_then(token)),
            "WordPiece" => {
                let prefix = model.continuing_subword_prefix.as_deref().unwrap_or("##");
                let kind = Kind::WordPiece {
                    within: vocabulary.after(vocabulary.all(), prefix.as_bytes()),
                    longest_word: model.max_input_chars_per_word.unwrap_or(100),
                };
                (kind, unknown.and_then(token))
            }
            "Unigram" => {
                let scores =
                    model.vocab.scores.ok_or_else(|| Bad::new("vocabulary has no scores"))?;
                if scores.iter().any(|score| !score.is_finite()) {
                    return Err(Bad::new("vocabulary has a score that is not finite"));
                }
                if model.unk_id.is_some_and(|id| id as usize >= scores.len()) {
                    return Err(Bad::new("vocabulary has no token with the number \"unk_id\""));
                }
                let bytes = match model.byte_fallback {
                    Some(true) => bytes(&vocabulary),
                    Some(false) | None => None,
                };
                let least = scores.iter().copied().fold(f64::INFINITY, f64::min);
                let unknown_score = least - UNKNOWN_PENALTY;
                (Kind::Unigram { scores, unknown_score, bytes }, model.unk_id)
            }
            "" => return Err(Bad::new("model without a type")),
            other => return Err(Bad::unsupported("model", other)),
        };
        Ok(Self { vocabulary, kind, unknown })
    }

    pub(super) fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// The token of what is not known.
    pub(super) fn unknown(&self) -> Option<u32> {
        self.unknown
    }

    /// Adds the tokens of `part`, which is not empty; of a long one only the first if `more` is false
    /// of how many there are.
    pub(super) fn encode(
        &self,
        part: &str,
        tokens: &mut Vec<u32>,
        more: &dyn Fn(usize) -> bool,
    ) -> Result<(), Bad> {
        match &self.kind {
            Kind::WordLevel => {
                let token = self.vocabulary.get(part.as_bytes());
                push(tokens, token.map_or_else(|| self.unknown_or_error(), Ok)?)?;
            }
            Kind::WordPiece { within, longest_word } => {
                let before = tokens.len();
                let is_short = part.len() <= *longest_word || part.chars().count() <= *longest_word;
                if !is_short || !self.word_pieces(part, *within, tokens)? {
                    tokens.truncate(before);
                    push(tokens, self.unknown_or_error()?)?;
                }
            }
            Kind::Unigram { scores, unknown_score, bytes } => {
                let mut rest = part;
                while !rest.is_empty() && (rest.len() == part.len() || more(tokens.len())) {
                    let (now, after) = rest.split_at(rest.floor_char_boundary(LONGEST_PART));
                    self.likeliest(now, scores, *unknown_score, bytes.as_deref(), tokens)?;
                    rest = after;
                }
            }
        }
        Ok(())
    }

    fn unknown_or_error(&self) -> Result<u32, Bad> {
        self.unknown.ok_or_else(|| Bad::new("vocabulary has no token for unknown words"))
    }

    /// Adds the pieces of a word; false if some of it is in no token.
    fn word_pieces(
        &self,
        word: &str,
        within: Option<Prefix>,
        tokens: &mut Vec<u32>,
    ) -> Result<bool, Bad> {
        let mut rest = word;
        while !rest.is_empty() {
            let is_begin = rest.len() == word.len();
            let mut prefix = if is_begin { Some(self.vocabulary.all()) } else { within };
            let mut longest = None;
            for (at, byte) in rest.bytes().enumerate() {
                prefix = prefix.and_then(|prefix| self.vocabulary.next(prefix, byte));
                let Some(prefix) = prefix else { break };
                // Tokens are whole characters, and so is what they match.
                longest = self.vocabulary.exact(prefix).map(|id| (at + 1, id)).or(longest);
            }
            let Some((len, token)) = longest else { return Ok(false) };
            push(tokens, token)?;
            rest = &rest[len..];
        }
        Ok(true)
    }

    /// Adds the most likely tokens of `text`, by the algorithm of Viterbi.
    fn likeliest(
        &self,
        text: &str,
        scores: &[f64],
        unknown_score: f64,
        fallback: Option<&[u32; 256]>,
        tokens: &mut Vec<u32>,
    ) -> Result<(), Bad> {
        /// The best way to a position: its score, where its last token starts, and which that is.
        #[derive(Clone, Copy)]
        struct Best {
            score: f64,
            start: usize,
            token: Option<u32>,
        }
        let none = Best { score: f64::NEG_INFINITY, start: usize::MAX, token: None };
        let mut best = memory::filled(text.len() + 1, none).map_err(Bad::out_of_memory)?;
        best[0].score = 0.0;
        for (start, c) in text.char_indices() {
            let score = best[start].score;
            let mut better = |end: usize, score: f64, token: Option<u32>| {
                if best[end].start == usize::MAX || score > best[end].score {
                    best[end] = Best { score, start, token };
                }
            };
            let mut has_single = false;
            let mut prefix = self.vocabulary.all();
            for (at, byte) in text.bytes().enumerate().skip(start) {
                let Some(longer) = self.vocabulary.next(prefix, byte) else { break };
                prefix = longer;
                if let Some(token) = self.vocabulary.exact(prefix) {
                    has_single |= at + 1 - start == c.len_utf8();
                    let more = scores.get(token as usize).ok_or_else(no_score)?;
                    better(at + 1, score + more, Some(token));
                }
            }
            if !has_single {
                better(start + c.len_utf8(), score + unknown_score, None);
            }
        }
        let before = tokens.len();
        let mut end = text.len();
        while end > 0 {
            let Best { start, token, .. } = best[end];
            // What is unknown is one token, however long it is.
            let mut unknown_start = start;
            let token = token.filter(|token| Some(*token) != self.unknown);
            if let Some(token) = token {
                push(tokens, token)?;
                end = start;
                continue;
            }
            while unknown_start > 0
                && best[unknown_start].token.is_none_or(|token| Some(token) == self.unknown)
            {
                unknown_start = best[unknown_start].start;
            }
            let unknown = &text[unknown_start..end];
            match (self.vocabulary.get(unknown.as_bytes()), fallback) {
                (Some(token), _) => push(tokens, token)?,
                (None, Some(bytes)) => {
                    let bytes = unknown.bytes().rev().map(|byte| bytes[usize::from(byte)]);
                    tokens.try_extend(bytes).map_err(Bad::out_of_memory)?;
                }
                (None, None) => push(tokens, self.unknown_or_error()?)?,
            }
            end = unknown_start;
        }
        tokens[before..].reverse();
        Ok(())
    }
}

/// Adds a token.
fn push(tokens: &mut Vec<u32>, token: u32) -> Result<(), Bad> {
    tokens.try_push(token).map_err(Bad::out_of_memory)
}

fn no_score() -> Bad {
    Bad::new("vocabulary has a token without a score")
}

/// The tokens of single bytes, if all are there.
fn bytes(vocabulary: &Vocabulary) -> Option<Box<[u32; 256]>> {
    let mut tokens = Box::new([0; 256]);
    for (byte, token) in tokens.iter_mut().enumerate() {
        *token = vocabulary.get(format!("<0x{byte:02X}>").as_bytes())?;
    }
    Some(tokens)
}
