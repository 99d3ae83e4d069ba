//! The vectors of a model's tokens.

use std::collections::HashMap;

use memmap2::Mmap;

use super::tensors::{Numbers, Tensor, tensors};
use crate::options::MOST_DIMENSIONS;

/// Vectors of tokens, in a mapped file.
#[derive(Debug)]
pub(super) struct Table {
    file: Mmap,
    vectors: Tensor,
    rows: usize,
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
    /// What is wrong with the file.
    pub(super) fn new(file: Mmap, tokens: usize) -> Result<Self, &'static str> {
        let mut found = tensors(&file)?;
        let vectors = found.remove("embeddings").ok_or("it has no tensor \"embeddings\"")?;
        let [rows, dimensions] = vectors.shape[..] else {
            return Err("the tensor \"embeddings\" is no matrix");
        };
        if !(1..=MOST_DIMENSIONS).contains(&dimensions) {
            return Err("the tensor \"embeddings\" has too many dimensions");
        }
        if matches!(vectors.numbers, Numbers::I32 | Numbers::I64) {
            return Err("the tensor \"embeddings\" has another type of numbers");
        }
        let mapping = mapping(&file, &mut found, rows)?;
        let weights = weights(&file, &mut found)?;
        let lens =
            [mapping.as_ref().map_or(rows, Vec::len), weights.as_ref().map_or(tokens, Vec::len)];
        if lens.iter().any(|len| *len < tokens) {
            return Err("it has fewer vectors than the vocabulary has tokens");
        }
        Ok(Self { file, vectors, rows, dimensions, mapping, weights })
    }

    pub(super) fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// Adds the first numbers of the vector of `token`, times its factor.
    pub(super) fn add(&self, token: u32, sum: &mut [f32]) {
        let token = token as usize;
        let row = self.mapping.as_ref().map_or(token, |mapping| mapping[token] as usize);
        let factor = self.weights.as_ref().map_or(1.0, |weights| weights[token]);
        debug_assert!(row < self.rows, "the table has a row for every token");
        let len = self.dimensions * self.vectors.numbers.size();
        let start = self.vectors.bytes.start + row * len;
        add(self.vectors.numbers, &self.file[start..start + len], factor, sum);
    }
}

/// Adds numbers to `sum`, as many as it has.
fn add(numbers: Numbers, bytes: &[u8], factor: f32, sum: &mut [f32]) {
    fn each<const N: usize>(
        bytes: &[u8],
        factor: f32,
        sum: &mut [f32],
        number: impl Fn([u8; N]) -> f32,
    ) {
        for (value, bytes) in sum.iter_mut().zip(bytes.as_chunks::<N>().0) {
            *value += factor * number(*bytes);
        }
    }
    match numbers {
        Numbers::F64 => each(bytes, factor, sum, |bytes| f64::from_le_bytes(bytes) as f32),
        Numbers::F32 => each(bytes, factor, sum, f32::from_le_bytes),
        Numbers::F16 => each(bytes, factor, sum, |bytes| half::f16::from_le_bytes(bytes).to_f32()),
        Numbers::Bf16 => {
            each(bytes, factor, sum, |bytes| half::bf16::from_le_bytes(bytes).to_f32());
        }
        Numbers::I8 => each(bytes, factor, sum, |bytes| f32::from(i8::from_le_bytes(bytes))),
        Numbers::I32 => each(bytes, factor, sum, |bytes| i32::from_le_bytes(bytes) as f32),
        Numbers::I64 => each(bytes, factor, sum, |bytes| i64::from_le_bytes(bytes) as f32),
    }
}

/// The tensor `mapping`, if there is one; all rows are below `rows`.
fn mapping(
    file: &[u8],
    found: &mut HashMap<String, Tensor>,
    rows: usize,
) -> Result<Option<Vec<u32>>, &'static str> {
    let Some(tensor) = found.remove("mapping") else { return Ok(None) };
    let bytes = &file[tensor.bytes];
    let row = |row: i64| u32::try_from(row).ok().filter(|row| (*row as usize) < rows);
    let mapping: Option<Vec<u32>> = match tensor.numbers {
        Numbers::I32 => {
            bytes.as_chunks::<4>().0.iter().map(|b| row(i32::from_le_bytes(*b).into())).collect()
        }
        Numbers::I64 => {
            bytes.as_chunks::<8>().0.iter().map(|b| row(i64::from_le_bytes(*b))).collect()
        }
        Numbers::F64 | Numbers::F32 | Numbers::F16 | Numbers::Bf16 | Numbers::I8 => None,
    };
    mapping.map(Some).ok_or("the tensor \"mapping\" is not of rows of \"embeddings\"")
}

/// The tensor `weights`, if there is one.
fn weights(
    file: &[u8],
    found: &mut HashMap<String, Tensor>,
) -> Result<Option<Vec<f32>>, &'static str> {
    let Some(tensor) = found.remove("weights") else { return Ok(None) };
    let bytes = &file[tensor.bytes];
    let mut weights = memory::filled(bytes.len() / tensor.numbers.size(), 0.0)
        .map_err(|_| crate::provider::OUT_OF_MEMORY)?;
    add(tensor.numbers, bytes, 1.0, &mut weights);
    Ok(Some(weights))
}
