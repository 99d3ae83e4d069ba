//! The sentences and embeddings under `demo/`: real data for the demo and the tests.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use half::f16;

use crate::Result;

/// A sentence and its embedding.
#[derive(Clone, Debug)]
pub struct Sentence {
    /// A document's WordNet category, such as `noun.animal`; the word a query exemplifies.
    pub topic: String,
    /// A definition, or for a query an example sentence.
    pub text: String,
    /// Unit length; [`DIMENSIONS`] values.
    pub embedding: Vec<f32>,
}

/// Dimensions of every embedding.
pub const DIMENSIONS: usize = 384;

/// Folder of a small static model, made for texts like these.
pub const STATIC_MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../demo/model");

/// The 12,000 documents.
pub fn documents() -> Result<Vec<Sentence>> {
    read("docs")
}

/// The 300 queries; none of their sentences is in the documents.
pub fn queries() -> Result<Vec<Sentence>> {
    read("queries")
}

/// Joins `NAME.tsv.gz`, a header and then topic and text a row, with the rows of `NAME.f16bin.gz`.
fn read(name: &str) -> Result<Vec<Sentence>> {
    let dir = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../demo"));
    let embeddings = embeddings(&gunzip(&dir.join(format!("{name}.f16bin.gz")))?)?;
    let table = String::from_utf8(gunzip(&dir.join(format!("{name}.tsv.gz")))?)?;
    let rows: Vec<&str> = table.lines().skip(1).collect();
    if rows.len() != embeddings.len() {
        return Err(format!("{name}: {} texts, {} embeddings", rows.len(), embeddings.len()).into());
    }
    rows.into_iter()
        .zip(embeddings)
        .map(|(row, embedding)| {
            let (topic, text) = row.split_once('\t').ok_or("a row without a tab")?;
            Ok(Sentence { topic: topic.into(), text: text.into(), embedding })
        })
        .collect()
}

/// Decodes u32 rows, u32 dimensions, then rows of f16, all little endian.
fn embeddings(bytes: &[u8]) -> Result<Vec<Vec<f32>>> {
    let (header, values) = bytes.split_at_checked(8).ok_or("a file without a header")?;
    let dimensions = u32::from_le_bytes([header[4], header[5], header[6], header[7]]);
    if dimensions as usize != DIMENSIONS {
        return Err(format!("{dimensions} dimensions instead of {DIMENSIONS}").into());
    }
    let (values, _) = values.as_chunks::<2>();
    let values: Vec<f32> = values.iter().map(|&bytes| f16::from_le_bytes(bytes).to_f32()).collect();
    Ok(values.chunks_exact(DIMENSIONS).map(<[f32]>::to_vec).collect())
}

fn gunzip(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    GzDecoder::new(file).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn demo_data_is_complete_and_of_unit_length() {
        let (documents, queries) = (documents().unwrap(), queries().unwrap());
        assert_eq!((documents.len(), queries.len()), (12_000, 300));
        for sentence in documents.iter().chain(&queries) {
            let norm = sentence.embedding.iter().map(|x| x * x).sum::<f32>().sqrt();
            assert!((norm - 1.0).abs() < 1e-3, "{norm} {}", sentence.text);
            assert!(!sentence.topic.is_empty() && !sentence.text.is_empty());
        }
    }
}
