//! Sentence transformers and rerankers of BERT's kind, run here.
//!
//! A model is a folder in the format of Hugging Face's library transformers, or of
//! sentence-transformers. The files are untrusted: what they say is checked when a model is loaded,
//! and what is not known is an error that names it. A model uses one thread.

mod attention;
mod config;
mod encoder;
mod functions;
mod judge;
mod linear;
mod modules;
mod pooling;
mod texts;
mod weights;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use memory::Grow;

use self::config::{Config, longest_for_tokenizer};
use self::encoder::Encoder;
use self::judge::Judge;
use self::modules::{MODULES, Modules, POOLING, PROMPTS, SENTENCES};
use self::pooling::Pooling;
use self::texts::Texts;
use self::weights::Weights;
use crate::error::out_of_memory;
use crate::files::{CONFIG, Cache, Folder, MODEL};
use crate::norm::normalize;
use crate::tokenizer::{Sequence, Tokenizer};
use crate::{Error, ErrorKind};

const TOKENIZER_CONFIG: &str = "tokenizer_config.json";
/// Tokens of texts that go through the encoder together: each weight is then read once for them.
const PACK: usize = 256;

static LOADED: Cache<LocalModel> = Cache::new(4);

/// The model of a folder, loaded once as long as its files are the same.
///
/// # Errors
/// [`ErrorKind::File`], and if `stop` is set or memory is refused.
pub(crate) fn model(
    path: &Path,
    sha256: Option<&[u8; 32]>,
    stop: &AtomicBool,
) -> Result<Arc<LocalModel>, Error> {
    let folder = Folder {
        path,
        optional: &[
            MODULES,
            POOLING,
            SENTENCES[0],
            SENTENCES[1],
            SENTENCES[2],
            PROMPTS,
            TOKENIZER_CONFIG,
        ],
        hint: "The folder must have the files of a model in the format of sentence-transformers, \
               with the architecture BERT, RoBERTa, or XLM-RoBERTa.",
    };
    LOADED.get(&folder, sha256, || LocalModel::load(&folder, sha256, stop))
}

/// A model that is loaded.
#[derive(Debug)]
pub(crate) struct LocalModel {
    encoder: Encoder,
    texts: Texts,
    head: Head,
    prompt: Option<String>,
}

/// What is done with the vectors of tokens.
#[derive(Debug)]
enum Head {
    Vector { pooling: Pooling, is_normalized: bool },
    Score(Judge),
}

impl LocalModel {
    fn load(
        folder: &Folder<'_>,
        sha256: Option<&[u8; 32]>,
        stop: &AtomicBool,
    ) -> Result<Self, Error> {
        let files = folder.open(sha256, stop)?;
        let config = Config::new(&files.config).map_err(|what| folder.failure(CONFIG, &what))?;
        let modules = Modules::new(folder, &files)?;
        let judging = config.judge.filter(|_| files.optional(MODULES).is_none());
        let by_tokenizer = files.optional(TOKENIZER_CONFIG).map(longest_for_tokenizer).transpose();
        let by_tokenizer =
            by_tokenizer.map_err(|what| folder.failure(TOKENIZER_CONFIG, &what))?.flatten();
        let tokenizer = Tokenizer::new(&files.tokenizer).map_err(|bad| bad.of_file(folder))?;
        let template = tokenizer.template().map_err(|bad| bad.of_file(folder))?;

        let weights = Weights::new(folder, files.model, stop)?;
        let head = match judging {
            Some(how) => Head::Score(Judge::new(&weights, config.hidden, how)?),
            None => Head::Vector { pooling: modules.pooling, is_normalized: modules.is_normalized },
        };
        let encoder = Encoder::new(weights, &config)?;
        let usual = by_tokenizer.map_or(config.longest, |most| most.min(config.longest));
        let longest = modules.longest.unwrap_or(usual).min(encoder.longest());
        let added = template.added().max(template.added_to_pair().unwrap_or(0));
        if longest <= added {
            return Err(folder.failure(CONFIG, "texts have no room for tokens"));
        }
        let is_there = |(token, _): (u32, u32)| (token as usize) < encoder.words();
        if tokenizer.len() > encoder.words() || !template.all_added().all(is_there) {
            let what = "it has fewer vectors than the vocabulary has tokens";
            return Err(folder.failure(MODEL, what));
        }
        if config.padding.is_none() && template.greatest_type() as usize >= encoder.types() {
            return Err(folder.failure(MODEL, "it has fewer types than the tokenizer"));
        }
        let texts = Texts::new(tokenizer, template, longest, modules.is_lowercase);
        Ok(Self { encoder, texts, head, prompt: modules.prompt })
    }

    /// The dimensions of its vectors.
    pub(crate) fn dimensions(&self) -> usize {
        self.encoder.hidden()
    }

    /// What goes before each text, unless something else is to.
    pub(crate) fn prompt(&self) -> Option<&str> {
        self.prompt.as_deref()
    }

    /// Adds the vectors of texts, each with its first `dimensions` numbers.
    ///
    /// # Errors
    /// [`Error`] without a message of where it comes from; its `input` is the position of a text.
    pub(crate) fn embed<T: AsRef<str>>(
        &self,
        texts: &[T],
        dimensions: usize,
        vectors: &mut Vec<Vec<f32>>,
        stop: &AtomicBool,
    ) -> Result<(), Error> {
        let Head::Vector { pooling, is_normalized } = self.head else {
            let message = "the model is a reranker, and has no vectors";
            return Err(Error::new(ErrorKind::Unsupported, message));
        };
        let sequence = |position: usize| self.texts.single(texts[position].as_ref(), stop);
        self.packed(texts.len(), sequence, stop, |found| {
            let mut vector = memory::filled(dimensions, 0.0).map_err(out_of_memory)?;
            pooling.apply(found, self.encoder.hidden(), &mut vector);
            if is_normalized {
                normalize(&mut vector);
            }
            if !vector.iter().all(|value| value.is_finite()) {
                return Err(Error::of_text("model gives vectors with infinite numbers"));
            }
            vectors.try_push(vector).map_err(out_of_memory)
        })
    }

    /// Adds the scores of documents for a query.
    ///
    /// # Errors
    /// As [`LocalModel::embed`], of documents.
    pub(crate) fn rerank(
        &self,
        query: &str,
        documents: &[&str],
        scores: &mut Vec<f32>,
        stop: &AtomicBool,
    ) -> Result<(), Error> {
        let Head::Score(judge) = &self.head else {
            let message = "the model is not a reranker: it has no layer that scores";
            return Err(Error::new(ErrorKind::Unsupported, message));
        };
        let query = self.texts.query(query, stop)?;
        let sequence = |position: usize| self.texts.pair(&query, documents[position], stop);
        self.packed(documents.len(), sequence, stop, |found| {
            let score = judge.score(&found[..self.encoder.hidden()], stop)?;
            if !score.is_finite() {
                return Err(Error::of_text("model gives scores that are infinite"));
            }
            scores.try_push(score).map_err(out_of_memory)
        })
    }

    /// Has `take` the vectors of the tokens of each of `count` texts, in their order.
    fn packed(
        &self,
        count: usize,
        sequence: impl Fn(usize) -> Result<Sequence, Error>,
        stop: &AtomicBool,
        mut take: impl FnMut(&[f32]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let (mut pack, mut tokens) = (Vec::<Sequence>::new(), 0);
        for position in 0..count {
            let next = sequence(position).map_err(|error| error.at(position, 1))?;
            tokens += next.tokens.len();
            pack.try_push(next).map_err(out_of_memory)?;
            if tokens < PACK && position + 1 < count {
                continue;
            }
            let vectors = self.encoder.encode(&pack, stop)?;
            let (first, mut rest) = (position + 1 - pack.len(), &vectors[..]);
            for (number, text) in pack.drain(..).enumerate() {
                let (now, after) = rest.split_at(text.tokens.len() * self.encoder.hidden());
                take(now).map_err(|error| error.at(first + number, 1))?;
                rest = after;
            }
            tokens = 0;
        }
        Ok(())
    }
}
