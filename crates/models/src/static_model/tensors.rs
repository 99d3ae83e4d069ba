//! Files of tensors: the format safetensors.
//!
//! Eight bytes with the length of a header in JSON, the header, and the numbers of all tensors.
//! <https://huggingface.co/docs/safetensors>

use std::collections::HashMap;
use std::ops::Range;

use serde::Deserialize;

/// Bytes of a header at most. Models of this kind have three tensors.
const LONGEST_HEADER: usize = 1 << 20;
/// Bytes of a file up to the end of its header, at most.
pub(super) const LONGEST_BEGINNING: usize = 8 + LONGEST_HEADER;

/// Where a tensor is in a file.
#[derive(Clone, Debug)]
pub(super) struct Tensor {
    pub(super) numbers: Numbers,
    pub(super) shape: Vec<usize>,
    /// Its bytes in the file: as many as its shape needs.
    pub(super) bytes: Range<usize>,
}

/// Types of numbers, all little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Numbers {
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
    pub(super) fn size(self) -> usize {
        match self {
            Self::F64 | Self::I64 => 8,
            Self::F32 | Self::I32 => 4,
            Self::F16 | Self::Bf16 => 2,
            Self::I8 => 1,
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

/// The tensors of a file of `file_len` bytes, of which the first are given: all of them, or
/// [`LONGEST_BEGINNING`].
///
/// # Errors
/// What is wrong with the file.
pub(super) fn tensors(
    beginning: &[u8],
    file_len: usize,
) -> Result<HashMap<String, Tensor>, &'static str> {
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
    let mut tensors = HashMap::new();
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
        let tensors = tensors(&file, file.len()).expect("valid");
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
        ] {
            let file = file(header, data);
            assert!(tensors(&file, file.len()).is_err(), "{header}");
        }
        for bytes in [&[][..], &[1; 7], &[255; 8], &[9, 0, 0, 0, 0, 0, 0, 0, b'{']] {
            assert!(tensors(bytes, bytes.len()).is_err(), "{bytes:?}");
        }
    }
}
