//! Texts, and queries whose one relevant text is known.

use std::path::{Path, PathBuf};

use crate::dataset::Selection;
use crate::{Result, texts};

/// Texts to rank, and what to ask.
pub struct Corpus {
    /// The folder they came from.
    pub dir: PathBuf,
    /// The texts; a text's number is its row's id.
    pub texts: Vec<String>,
    /// All queries whose relevant text is here.
    pub questions: Vec<Question>,
}

/// A query.
#[derive(Debug, Clone)]
pub struct Question {
    /// The id of the relevant text.
    pub relevant: i32,
    /// The row of the query's dense vector, if the relevant text has one, too.
    pub vector: Option<usize>,
    /// What is asked.
    pub text: String,
}

impl Corpus {
    /// Reads `docs.tsv.gz` (last column) and `queries.tsv.gz` (number, relevant text, row of the
    /// query's vector or -1, text) of the folder `dir`.
    pub fn read(dir: &str, selection: &Selection) -> Result<Self> {
        let dir = Path::new(dir);
        let mut texts = texts::last_column(&dir.join("docs.tsv.gz"))?;
        texts.truncate(selection.rows.unwrap_or(usize::MAX));
        let path = dir.join("queries.tsv.gz");
        let mut questions = Vec::new();
        for row in texts::rows(&path)? {
            let [_, relevant, vector, text] = &row[..] else {
                return Err(format!("{} has not 4 columns", path.display()).into());
            };
            let relevant: i32 = relevant.parse()?;
            let vector = usize::try_from(vector.parse::<i64>()?).ok();
            if usize::try_from(relevant)? < texts.len() {
                questions.push(Question { relevant, vector, text: text.clone() });
            }
        }
        questions.truncate(selection.queries.unwrap_or(usize::MAX));
        if questions.is_empty() {
            return Err(format!("{}: no query for the first rows", path.display()).into());
        }
        Ok(Self { dir: dir.to_owned(), texts, questions })
    }

    /// The queries whose relevant text has a dense vector.
    pub fn with_vectors(&self) -> Vec<Question> {
        self.questions.iter().filter(|question| question.vector.is_some()).cloned().collect()
    }
}
