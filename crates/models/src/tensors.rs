//! Files of tensors: the format safetensors.
//!
//! Eight bytes with the length of a header in JSON, the header, and the numbers of all tensors.
//! <https://huggingface.co/docs/safetensors>

use std::collections::HashMap;
use std::io;
use std::ops::Range;

use serde::Deserialize;

use crate::files::Parts;

/// Bytes of a header at most: those of a thousand tensors take a tenth of that.
const LONGEST_HEADER: usize = 1 << 20;
/// Bytes of a file up to the end of its header, at most.
const LONGEST_BEGINNING: usize = 8 + LONGEST_HEADER;

/// Where a tensor is in a file.
#[derive(Clone, Debug)]
pub(crate) struct Tensor {
    pub(crate) numbers: Numbers,
    pub(crate) shape: Vec<usize>,
    /// Its bytes in the file: as many as its shape needs.
    pub(crate) bytes: Range<usize>,
}

impl Tensor {
    /// Adds the first numbers of a row of a matrix, times `factor`: as many as `sum` has, and no more than
    /// the row. `bytes` is room that is used again.
    ///
    /// # Errors
    /// Why the file cannot be read.
    pub(crate) fn add_row(
        &self,
        file: &Parts,
        row: usize,
        factor: f32,
        bytes: &mut Vec<u8>,
        sum: &mut [f32],
    ) -> io::Result<()> {
        let (width, size) = (self.shape.last().copied().unwrap_or_default(), self.numbers.size());
        let len = sum.len().min(width) * size;
        if bytes.len() != len {
            *bytes = memory::filled(len, 0).map_err(|_| io::ErrorKind::OutOfMemory)?;
        }
        // The rows' bytes are in the file, as was checked, so they can be counted.
        file.fill(bytes, self.bytes.start + row * width * size)?;
        self.numbers.add(bytes, factor, sum);
        Ok(())
    }
}

/// Types of numbers, all little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Numbers {
    F64,
    F32,
    F16,
    Bf16,
    I8,
    I32,
    I64,
}

impl Numbers {
    /// Bytes of a number.
    pub(crate) fn size(self) -> usize {
        match self {
            Self::F64 | Self::I64 => 8,
            Self::F32 | Self::I32 => 4,
            Self::F16 | Self::Bf16 => 2,
            Self::I8 => 1,
        }
    }

    /// Adds numbers times `factor` to `sum`, as many as it has.
    pub(crate) fn add(self, bytes: &[u8], factor: f32, sum: &mut [f32]) {
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
        match self {
            Self::F64 => each(bytes, factor, sum, |bytes| f64::from_le_bytes(bytes) as f32),
            Self::F32 => each(bytes, factor, sum, f32::from_le_bytes),
            Self::F16 => {
                each(bytes, factor, sum, |bytes| half::f16::from_le_bytes(bytes).to_f32());
            }
            Self::Bf16 => {
                each(bytes, factor, sum, |bytes| half::bf16::from_le_bytes(bytes).to_f32());
            }
            Self::I8 => each(bytes, factor, sum, |bytes| f32::from(i8::from_le_bytes(bytes))),
            Self::I32 => each(bytes, factor, sum, |bytes| i32::from_le_bytes(bytes) as f32),
            Self::I64 => each(bytes, factor, sum, |bytes| i64::from_le_bytes(bytes) as f32),
        }
    }

    fn new(name: &str) -> Option<Self> {
        match name {
            "F64" => Some(Self::F64),
            "F32" => Some(Self::F32),
            "F16" => Some(Self::F16),
            "BF16" => Some(Self::Bf16),
            "I8" => Some(Self::I8),
            "I32" => Some(Self::I32),
            "I64" => Some(Self::I64),
            _ => None,
        }
    }
}

/// The error of a file with other tensors than it should have.
pub(crate) fn bad(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.into())
}

/// The tensors of a file.
///
/// # Errors
/// What is wrong with the file, or why it cannot be read.
pub(crate) fn tensors(file: &Parts) -> io::Result<HashMap<String, Tensor>> {
    let beginning = file.part(0..file.len().min(LONGEST_BEGINNING))?;
    listed(&beginning, file.len()).map_err(bad)
}

/// The tensors of a file of `file_len` bytes, of which the first are given: all of them, or
/// [`LONGEST_BEGINNING`].
fn listed(beginning: &[u8], file_len: usize) -> Result<HashMap<String, Tensor>, &'static str> {
    #[derive(Deserialize)]
    struct Entry {
        dtype: String,
        shape: Vec<usize>,
        data_offsets: (usize, usize),
    }
    let bad = "it is no valid safetensors file";
    let (len, rest) = beginning.split_first_chunk::<8>().ok_or(bad)?;
    let len = usize::try_from(u64::from_le_bytes(*len)).map_err(|_| bad)?;
    if len > LONGEST_HEADER {
        return Err(bad);
    }
    let header = rest.get(..len).ok_or(bad)?;
    let before = 8 + len;
    let data_len = file_len.checked_sub(before).ok_or(bad)?;
    let header: HashMap<String, serde_json::Value> =
        serde_json::from_slice(header).map_err(|_| bad)?;
    let (mut tensors, mut left) = (HashMap::new(), data_len);
    for (name, value) in header {
        if name == "__metadata__" {
            continue;
        }
        let entry: Entry = serde_json::from_value(value).map_err(|_| bad)?;
        // A type that is not known is of no tensor that is needed.
        let Some(numbers) = Numbers::new(&entry.dtype) else { continue };
        let (start, end) = entry.data_offsets;
        let size = entry.shape.iter().try_fold(numbers.size(), |size, len| size.checked_mul(*len));
        if end > data_len || end.checked_sub(start) != size || size.is_none() {
            return Err(bad);
        }
        // They do not overlap, so all of them take no more memory than the file.
        left = left.checked_sub(end - start).ok_or(bad)?;
        let bytes = before + start..before + end;
        tensors.insert(name, Tensor { numbers, shape: entry.shape, bytes });
    }
    Ok(tensors)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(header: &str, data: usize) -> Vec<u8> {
        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.extend(header.as_bytes());
        file.resize(file.len() + data, 0);
        file
    }

    #[test]
    fn tensors_are_where_the_header_says() {
        let header =
            r#"{"__metadata__":{"a":"b"},"m":{"dtype":"F32","shape":[2,3],"data_offsets":[4,28]}}"#;
        let file = file(header, 28);
        let tensors = listed(&file, file.len()).expect("valid");
        let tensor = &tensors["m"];
        assert_eq!((tensor.numbers, &tensor.shape[..]), (Numbers::F32, &[2, 3][..]));
        assert_eq!(tensor.bytes, file.len() - 24..file.len());
    }

    #[test]
    fn headers_that_lie_are_refused() {
        for (header, data) in [
            ("", 0),
            ("[]", 0),
            ("{", 0),
            (r#"{"m":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}"#, 23),
            (r#"{"m":{"dtype":"F32","shape":[2,3],"data_offsets":[24,0]}}"#, 24),
            (r#"{"m":{"dtype":"F32","shape":[2,3],"data_offsets":[0,20]}}"#, 24),
            (r#"{"m":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, 24),
            (r#"{"m":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}"#, 24),
            (r#"{"m":{"dtype":"F32","shape":[1],"data_offsets":[18446744073709551615,3]}}"#, 24),
            (
                r#"{"m":{"dtype":"F32","shape":[6],"data_offsets":[0,24]},
                    "n":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
                24,
            ),
        ] {
            let file = file(header, data);
            assert!(listed(&file, file.len()).is_err(), "{header}");
        }
        for bytes in [&[][..], &[1; 7], &[255; 8], &[9, 0, 0, 0, 0, 0, 0, 0, b'{']] {
            assert!(listed(bytes, bytes.len()).is_err(), "{bytes:?}");
        }
    }
}
