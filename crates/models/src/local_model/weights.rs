//! The numbers of a model, as they are in `model.safetensors`.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::AtomicBool;

use super::linear::{Linear, Norm};
use crate::Error;
use crate::error::{bounded, go_on, out_of_memory};
use crate::files::{Folder, MODEL, Parts};
use crate::tensors::{Numbers, Tensor, tensors};

/// Bytes that are read at a time.
const READ: usize = 1 << 16;
/// What may be before the name of each tensor.
const PREFIXES: [&str; 3] = ["", "bert.", "roberta."];
/// The table of the vectors of tokens.
const WORDS: &str = "embeddings.word_embeddings.weight";

/// The tensors of a model's file.
pub(super) struct Weights<'w> {
    folder: &'w Folder<'w>,
    file: Parts,
    tensors: HashMap<String, Tensor>,
    prefix: &'static str,
    stop: &'w AtomicBool,
}

impl<'w> Weights<'w> {
    /// # Errors
    /// [`ErrorKind::File`](crate::ErrorKind::File), as of the other functions here, which also
    /// fail if `stop` is set or memory is refused.
    pub(super) fn new(
        folder: &'w Folder<'w>,
        file: Parts,
        stop: &'w AtomicBool,
    ) -> Result<Self, Error> {
        let tensors = tensors(&file).map_err(|error| folder.unreadable(MODEL, &error))?;
        let has_words = |prefix: &&str| tensors.contains_key(&format!("{prefix}{WORDS}"));
        let prefix = PREFIXES.into_iter().find(has_words);
        let prefix = prefix.ok_or_else(|| folder.failure(MODEL, &missing(WORDS)))?;
        Ok(Self { folder, file, tensors, prefix, stop })
    }

    fn failure(&self, what: &str) -> Error {
        self.folder.failure(MODEL, what)
    }

    /// A tensor of the encoder, or, if `name` begins with a dot, of what is after it.
    fn find(&self, name: &str) -> Option<&Tensor> {
        match name.strip_prefix('.') {
            Some(name) => self.tensors.get(name),
            None => self.tensors.get(&format!("{}{name}", self.prefix)),
        }
    }

    /// Whether there is a tensor.
    pub(super) fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// A tensor of floats.
    fn tensor(&self, name: &str) -> Result<&Tensor, Error> {
        let tensor = self.find(name).ok_or_else(|| self.failure(&missing(name)))?;
        match tensor.numbers {
            Numbers::F32 | Numbers::F16 | Numbers::Bf16 => Ok(tensor),
            Numbers::F64 | Numbers::I8 | Numbers::I32 | Numbers::I64 => Err(self.failure(
                &format!("the numbers of the tensor \"{}\" are not F32, F16, or BF16", shown(name)),
            )),
        }
    }

    /// The rows of a matrix with so many columns.
    fn rows(&self, name: &str, columns: usize) -> Result<usize, Error> {
        match self.tensor(name)?.shape[..] {
            [rows, found] if found == columns && rows > 0 => Ok(rows),
            _ => Err(self.misshapen(name)),
        }
    }

    fn misshapen(&self, name: &str) -> Error {
        self.failure(&format!("the tensor \"{}\" has another shape than it should", shown(name)))
    }

    /// Adds the numbers of a tensor to `values`.
    fn read(&self, name: &str, shape: &[usize], values: &mut Vec<f32>) -> Result<(), Error> {
        let tensor = self.tensor(name)?;
        if tensor.shape != shape {
            return Err(self.misshapen(name));
        }
        let size = tensor.numbers.size();
        let start = values.len();
        values.try_reserve_exact(tensor.bytes.len() / size).map_err(no_room)?;
        let fail = |error| self.folder.unreadable(MODEL, &error);
        let mut bytes = memory::filled(READ.min(tensor.bytes.len()), 0).map_err(out_of_memory)?;
        for at in tensor.bytes.clone().step_by(READ) {
            go_on(self.stop)?;
            let bytes = &mut bytes[..READ.min(tensor.bytes.end - at)];
            self.file.fill(bytes, at).map_err(fail)?;
            let before = values.len();
            values.resize(before + bytes.len() / size, 0.0);
            tensor.numbers.add(bytes, 1.0, &mut values[before..]);
        }
        match values[start..].iter().all(|value| value.is_finite()) {
            true => Ok(()),
            false => Err(self.failure(&format!(
                "the tensor \"{}\" has numbers that are not finite",
                shown(name)
            ))),
        }
    }

    /// The numbers of a tensor of this shape.
    pub(super) fn numbers(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, Error> {
        let mut values = Vec::new();
        self.read(name, shape, &mut values)?;
        Ok(values)
    }

    /// A matrix with so many columns, row by row.
    pub(super) fn matrix(&self, name: &str, columns: usize) -> Result<Vec<f32>, Error> {
        self.numbers(name, &[self.rows(name, columns)?, columns])
    }

    /// A linear layer; several names are layers beside each other with the same input.
    pub(super) fn linear(
        &self,
        names: &[&str],
        outputs: usize,
        inputs: usize,
    ) -> Result<Linear, Error> {
        let (mut weight, mut bias) = (Vec::new(), Vec::new());
        for name in names {
            self.read(&format!("{name}.weight"), &[outputs, inputs], &mut weight)?;
            self.read(&format!("{name}.bias"), &[outputs], &mut bias)?;
        }
        Ok(Linear { weight, bias })
    }

    /// A normalization. Its tensors have other names in files that came from TensorFlow.
    pub(super) fn norm(&self, name: &str, width: usize, epsilon: f32) -> Result<Norm, Error> {
        let either = |new, old| {
            let (new, old) = (format!("{name}.{new}"), format!("{name}.{old}"));
            let name = if self.has(&new) || !self.has(&old) { new } else { old };
            self.numbers(&name, &[width])
        };
        Ok(Norm { weight: either("weight", "gamma")?, bias: either("bias", "beta")?, epsilon })
    }

    /// The table of the vectors of tokens, which stays in the file.
    pub(super) fn into_words(self, width: usize) -> Result<Words, Error> {
        let rows = self.rows(WORDS, width)?;
        let tensor = self.tensor(WORDS)?.clone();
        Ok(Words { file: self.file, tensor, rows })
    }
}

fn no_room(_: std::collections::TryReserveError) -> Error {
    out_of_memory(memory::OutOfMemory)
}

/// The vectors of tokens. Those that a text needs are read from the file, through the operating
/// system's cache, which all processes share.
#[derive(Debug)]
pub(super) struct Words {
    file: Parts,
    tensor: Tensor,
    rows: usize,
}

impl Words {
    /// How many tokens have a vector.
    pub(super) fn len(&self) -> usize {
        self.rows
    }

    /// Adds the vector of a token to `vector`. `bytes` is room that is used again.
    ///
    /// # Errors
    /// Why the file cannot be read.
    pub(super) fn add(
        &self,
        token: u32,
        bytes: &mut Vec<u8>,
        vector: &mut [f32],
    ) -> io::Result<()> {
        let token = token as usize;
        if token >= self.rows {
            return Err(crate::tensors::bad("it has no vector for a token"));
        }
        self.tensor.add_row(&self.file, token, 1.0, bytes, vector)
    }
}

fn missing(name: &str) -> String {
    format!("it has no tensor \"{}\"", shown(name))
}

/// The name of a tensor in a message.
fn shown(name: &str) -> String {
    bounded(name.trim_start_matches('.'), 100)
}
