//! Input and output: text, binary, type modifier.

use std::ffi::{CStr, CString};

use pgrx::PgSqlErrorCode::{
    ERRCODE_DATA_EXCEPTION, ERRCODE_INVALID_PARAMETER_VALUE, ERRCODE_PROGRAM_LIMIT_EXCEEDED,
};

use super::{MAX_DIMS, SparseBuf, SparseRef, check, text};
use crate::pg::array::ArrayRef;
use crate::pg::error::Report;
use crate::pg::function::{Ignored, pg_functions};
use crate::pg::message::Message;
use crate::pg::varlena::{VARHDRSZ, VarlenaBuf};
use crate::types::dense::check::typmod as check_typmod;

pg_functions! {
    fn sparsevec_in(literal: &CStr, _type: Ignored, typmod: i32) -> Result<SparseBuf, Report> {
        let mut literal = text::parse(literal)?;
        let dims = check::dims(literal.dims)?;
        check_typmod(typmod, dims)?;
        literal.elements.sort_unstable_by_key(|&(index, _)| index);
        SparseBuf::from_elements(dims, &literal.elements)
    }

    fn sparsevec_out(vector: SparseRef) -> CString {
        text::format(&vector)
    }

    /// Binary: dimensions, number of elements and an unused zero, 32 bits each, then the indices
    /// (from 0), then the values; big-endian.
    fn sparsevec_recv(
        message: Message,
        _type: Ignored,
        typmod: i32,
    ) -> Result<SparseBuf, Report> {
        let mut message = message;
        let invalid = |text: &str| Report::new(ERRCODE_DATA_EXCEPTION, text);
        let [dims, nnz, unused] = [message.i32(), message.i32(), message.i32()];
        let dims = check::dims(dims.into())?;
        let Ok(nnz) = usize::try_from(nnz) else {
            return Err(invalid("sparsevec cannot have negative number of elements"));
        };
        check::nnz(nnz)?;
        if nnz > dims {
            let message = "sparsevec cannot have more elements than dimensions";
            return Err(Report::new(ERRCODE_PROGRAM_LIMIT_EXCEEDED, message));
        }
        check_typmod(typmod, dims)?;
        if unused != 0 {
            return Err(invalid(&format!("expected unused to be 0, not {unused}")));
        }
        let mut vector = SparseBuf::zeroed(dims, nnz)?;
        let mut before = None;
        for index in vector.indices_mut() {
            *index = check::index(message.i32().into(), before, dims)?;
            before = Some(*index);
        }
        for value in vector.values_mut() {
            *value = f32::from_bits(message.i32() as u32);
            check::finite(*value)?;
            if *value == 0.0 {
                let message = "binary representation of sparsevec cannot contain zero values";
                return Err(invalid(message));
            }
        }
        Ok(vector)
    }

    fn sparsevec_send(vector: SparseRef) -> Result<VarlenaBuf, Report> {
        let (indices, values) = (vector.indices(), vector.values());
        let header = [vector.dims() as u32, indices.len() as u32, 0]; // they are stored as such
        let words = header.iter().chain(indices).copied();
        let words = words.chain(values.iter().map(|value| value.to_bits()));
        let n_words = header.len() + 2 * indices.len();
        let mut bytes = VarlenaBuf::zeroed(VARHDRSZ + n_words * size_of::<u32>())?;
        let out = bytes.slice_mut::<u32>(VARHDRSZ, n_words);
        out.iter_mut().zip(words).for_each(|(out, word)| *out = word.to_be());
        Ok(bytes)
    }

    /// The modifier of `sparsevec(n)` is n.
    fn sparsevec_typmod_in(modifiers: ArrayRef) -> Result<i32, Report> {
        let invalid = |text: String| Err(Report::new(ERRCODE_INVALID_PARAMETER_VALUE, text));
        match modifiers.typmods()[..] {
            [..=0] => invalid("dimensions for type sparsevec must be at least 1".into()),
            [n] if n as usize > MAX_DIMS => {
                invalid(format!("dimensions for type sparsevec cannot exceed {MAX_DIMS}"))
            }
            [n] => Ok(n),
            _ => invalid("invalid type modifier".into()),
        }
    }
}
