//! Static models in the format of Model2Vec: the vector of a text is the mean of its tokens' vectors.
//!
//! <https://github.com/MinishLab/model2vec>. A model is a folder with `tokenizer.json`,
//! `model.safetensors`, and `config.json`. The files are untrusted: sizes, offsets, and numbers are
//! checked when a model is loaded.

mod table;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde::Deserialize;

use self::table::Table;
use crate::error::{go_on, out_of_memory};
use crate::files::{CONFIG, Cache, Folder, MODEL, lost};
use crate::norm::normalize;
use crate::tokenizer::{LONGEST_TEXT, Tokenizer};
use crate::{Error, ErrorKind};

/// Tokens of a text that count, unless the model says otherwise.
const USUAL_LENGTH: usize = 512;

static LOADED: Cache<StaticModel> = Cache::new(8);

/// The model of a folder, loaded once as long as its files are the same.
///
/// # Errors
/// [`ErrorKind::File`], and if `stop` is set.
pub(crate) fn model(
    path: &Path,
    sha256: Option<&[u8; 32]>,
    stop: &AtomicBool,
) -> Result<Arc<StaticModel>, Error> {
    let folder = folder(path);
    LOADED.get(&folder, sha256, || StaticModel::load(&folder, sha256, stop))
}

fn folder(path: &Path) -> Folder<'_> {
    Folder {
        path,
        optional: &[],
        hint: "The folder must have tokenizer.json, model.safetensors, and config.json of a model \
               in the format of Model2Vec.",
    }
}

/// A model that is loaded.
#[derive(Debug)]
pub(crate) struct StaticModel {
    tokenizer: Tokenizer,
    table: Table,
    is_normalized: bool,
    /// How many tokens of a text count, and how many of its characters are looked at for them.
    most: Option<(usize, usize)>,
}

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    normalize: bool,
    /// Absent, it has a default; null, texts may have any length.
    #[serde(default = "usual_length")]
    max_length: Option<usize>,
}

#[expect(clippy::unnecessary_wraps, reason = "serde wants the type of the field")]
fn usual_length() -> Option<usize> {
    Some(USUAL_LENGTH)
}

impl StaticModel {
    /// The model of a folder.
    ///
    /// # Errors
    /// [`ErrorKind::File`], and if `stop` is set.
    fn load(
        folder: &Folder<'_>,
        sha256: Option<&[u8; 32]>,
        stop: &AtomicBool,
    ) -> Result<Self, Error> {
        let files = folder.open(sha256, stop)?;
        let config: Config = serde_json::from_slice(&files.config)
            .map_err(|error| folder.malformed(CONFIG, &error))?;
        let tokenizer = Tokenizer::new(&files.tokenizer).map_err(|bad| bad.of_file(folder))?;
        let table = Table::new(files.model, tokenizer.len())
            .map_err(|error| folder.unreadable(MODEL, &error))?;
        let median = tokenizer.median_length().map_err(|bad| bad.of_file(folder))?;
        let most = config.max_length.map(|tokens| (tokens, tokens.saturating_mul(median)));
        Ok(Self { tokenizer, table, is_normalized: config.normalize, most })
    }

    /// The dimensions of its vectors.
    pub(crate) fn dimensions(&self) -> usize {
        self.table.dimensions()
    }

    /// The first `dimensions` numbers of the vector of `text`. A text without known tokens has zeros.
    ///
    /// # Errors
    /// [`Error`] without a message of where it comes from. Its `input` is 0 where it is of the text.
    pub(crate) fn embed(
        &self,
        text: &str,
        dimensions: usize,
        tokens: &mut Vec<u32>,
        stop: &AtomicBool,
    ) -> Result<Vec<f32>, Error> {
        let (text, most) = match self.most {
            Some((tokens, characters)) => {
                let end = text.char_indices().nth(characters).map_or(text.len(), |(at, _)| at);
                (&text[..end], tokens)
            }
            None => (text, usize::MAX),
        };
        if text.len() > LONGEST_TEXT {
            return Err(Error {
                kind: ErrorKind::Rejected,
                message: format!("text of more than {LONGEST_TEXT} bytes"),
                hint: Some("Embed parts of the text.".into()),
                input: Some(0),
            });
        }
        self.tokenizer.tokens(text, most, tokens, stop)?;
        let unknown = self.tokenizer.unknown();
        let known = tokens.iter().copied().filter(|token| Some(*token) != unknown);
        let mut sum = memory::filled(dimensions, 0.0).map_err(out_of_memory)?;
        let (mut count, mut row) = (0, Vec::new());
        for token in known {
            go_on(stop)?;
            self.table.add(token, &mut row, &mut sum).map_err(|error| lost(&error))?;
            count += 1;
        }
        if count > 0 {
            let share = 1.0 / count as f32;
            sum.iter_mut().for_each(|value| *value *= share);
        }
        if self.is_normalized {
            normalize(&mut sum);
        }
        match sum.iter().all(|value| value.is_finite()) {
            true => Ok(sum),
            false => Err(Error::of_text("model has vectors with infinite numbers")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_that_becomes_shorter_is_an_error_of_no_text() {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/wordpiece");
        let folder = std::env::temp_dir().join(format!("models-short-{}", std::process::id()));
        fs::create_dir(&folder).expect("a folder");
        for name in ["config.json", "model.safetensors", "tokenizer.json"] {
            fs::copy(data.join(name), folder.join(name)).expect("a file");
        }
        let model = model(&folder, None, &AtomicBool::new(false)).expect("a model");
        let embed = || model.embed("green tea", 8, &mut Vec::new(), &AtomicBool::new(false));
        assert!(embed().is_ok());
        let file = fs::File::options().write(true).open(folder.join("model.safetensors"));
        file.and_then(|file| file.set_len(0)).expect("a shorter file");
        let error = embed().expect_err("no vectors");
        assert_eq!((error.kind, error.input), (ErrorKind::File, None));
        assert!(error.message.contains("it has become shorter"), "{error}");
        fs::remove_dir_all(&folder).expect("a folder");
    }
}
