//! The vectors of a model's tokens.

use std::collections::HashMap;
use std::io;

use memory::Grow;

use crate::files::Parts;
use crate::options::MOST_DIMENSIONS;
use crate::tensors::{Numbers, Tensor, bad, tensors};

/// Vectors of tokens, in a file.
#[derive(Debug)]
pub(super) struct Table {
    file: Parts,
    vectors: Tensor,
    dimensions: usize,
    /// For each token the row of its vector; as many rows as tokens without.
    mapping: Option<Vec<u32>>,
    /// For each token the factor of its vector.
    weights: Option<Vec<f32>>,
}

impl Table {
    /// The vectors of a file for tokens with numbers below `tokens`.
    ///
    /// # Errors
    /// What is wrong with the file, or why it cannot be read.
    pub(super) fn new(file: Parts, tokens: usize) -> io::Result<Self> {
        let mut found = tensors(&file)?;
        let vectors =
            found.remove("embeddings").ok_or_else(|| bad("it has no tensor \"embeddings\""))?;
        let [rows, dimensions] = vectors.shape[..] else {
            return Err(bad("the tensor \"embeddings\" is no matrix"));
        };
        if !(1..=MOST_DIMENSIONS).contains(&dimensions) {
            return Err(bad("the tensor \"embeddings\" has too many dimensions"));
        }
        if matches!(vectors.numbers, Numbers::I32 | Numbers::I64) {
            return Err(bad("the tensor \"embeddings\" has another type of numbers"));
        }
        let mapping = mapping(&file, &mut found, rows)?;
        let weights = weights(&file, &mut found)?;
        let lens =
            [mapping.as_ref().map_or(rows, Vec::len), weights.as_ref().map_or(tokens, Vec::len)];
        if lens.iter().any(|len| *len < tokens) {
            return Err(bad("it has fewer vectors than the vocabulary has tokens"));
        }
        Ok(Self { file, vectors, dimensions, mapping, weights })
    }

    pub(super) fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// Adds the first numbers of the vector of `token`, times its factor: as many as `sum` has, and no
    /// more than the vector. `row` is room that is used again.
    ///
    /// # Errors
    /// Why the file cannot be read.
    pub(super) fn add(&self, token: u32, row: &mut Vec<u8>, sum: &mut [f32]) -> io::Result<()> {
        /// What `list` has for a token, or `usual` without a list.
        fn of<T: Copy>(list: Option<&Vec<T>>, token: u32, usual: T) -> io::Result<T> {
            let found = list.map_or(Some(usual), |list| list.get(token as usize).copied());
            found.ok_or_else(|| bad("it has no vector for a token"))
        }
        let number = of(self.mapping.as_ref(), token, token)? as usize;
        let factor = of(self.weights.as_ref(), token, 1.0)?;
        self.vectors.add_row(&self.file, number, factor, row, sum)
    }
}

/// The tensor `mapping`, if there is one; all rows are below `rows`.
fn mapping(
    file: &Parts,
    found: &mut HashMap<String, Tensor>,
    rows: usize,
) -> io::Result<Option<Vec<u32>>> {
    let Some(tensor) = found.remove("mapping") else { return Ok(None) };
    let bytes = file.part(tensor.bytes)?;
    let mut mapping = Vec::new();
    let mut add = |row: i64| {
        let row = u32::try_from(row).ok().filter(|row| (*row as usize) < rows);
        let row = row.ok_or_else(no_mapping)?;
        mapping.try_push(row).map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))
    };
    match tensor.numbers {
        Numbers::I32 => {
            bytes.as_chunks::<4>().0.iter().try_for_each(|b| add(i32::from_le_bytes(*b).into()))?;
        }
        Numbers::I64 => {
            bytes.as_chunks::<8>().0.iter().try_for_each(|b| add(i64::from_le_bytes(*b)))?;
        }
        Numbers::F64 | Numbers::F32 | Numbers::F16 | Numbers::Bf16 | Numbers::I8 => {
            return Err(no_mapping());
        }
    }
    Ok(Some(mapping))
}

fn no_mapping() -> io::Error {
    bad("the tensor \"mapping\" is not of rows of \"embeddings\"")
}

/// The tensor `weights`, if there is one.
fn weights(file: &Parts, found: &mut HashMap<String, Tensor>) -> io::Result<Option<Vec<f32>>> {
    let Some(tensor) = found.remove("weights") else { return Ok(None) };
    let bytes = file.part(tensor.bytes)?;
    let mut weights = memory::filled(bytes.len() / tensor.numbers.size(), 0.0)
        .map_err(|_| io::ErrorKind::OutOfMemory)?;
    tensor.numbers.add(&bytes, 1.0, &mut weights);
    Ok(Some(weights))
}
