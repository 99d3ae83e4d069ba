//! Input and output: text, binary, type modifier.

use std::ffi::{CStr, CString};

use pgrx::PgSqlErrorCode::{ERRCODE_DATA_EXCEPTION, ERRCODE_INVALID_PARAMETER_VALUE};

use super::error::{check_dims, check_element, check_typmod};
use super::{MAX_DIMS, VectorBuf, VectorRef, text};
use crate::pg::array::ArrayRef;
use crate::pg::error::Report;
use crate::pg::function::{Ignored, pg_functions};
use crate::pg::message::{Message, bytea};
use crate::pg::varlena::VarlenaBuf;

pg_functions! {
    fn vector_in(literal: &CStr, _type: Ignored, typmod: i32) -> Result<VectorBuf, Report> {
        let elements = text::parse(literal)?;
        check_typmod(typmod, elements.len())?;
        VectorBuf::from_slice(&elements)
    }

    fn vector_out(vector: VectorRef) -> CString {
        text::format(&vector)
    }

    /// Binary: dimensions and an unused zero, 16 bits each, then the elements; big-endian.
    fn vector_recv(message: Message, _type: Ignored, typmod: i32) -> Result<VectorBuf, Report> {
        let mut message = message;
        let dims = usize::from(message.u16());
        let unused = message.u16();
        check_dims(dims)?;
        check_typmod(typmod, dims)?;
        if unused != 0 {
            let text = format!("expected unused to be 0, not {unused}");
            return Err(Report::new(ERRCODE_DATA_EXCEPTION, text));
        }
        let mut vector = VectorBuf::zeroed(dims)?;
        let (elements, _) = message.bytes(dims * 4).as_chunks::<4>();
        for (element, &bytes) in vector.as_mut().iter_mut().zip(elements) {
            *element = f32::from_be_bytes(bytes);
            check_element(*element)?;
        }
        Ok(vector)
    }

    fn vector_send(vector: VectorRef) -> Result<VarlenaBuf, Report> {
        let dims = vector.len() as u16; // at most MAX_DIMS
        let mut bytes = Vec::with_capacity(4 + vector.len() * 4);
        bytes.extend_from_slice(&dims.to_be_bytes());
        bytes.extend_from_slice(&[0, 0]);
        bytes.extend(vector.iter().flat_map(|element| element.to_be_bytes()));
        bytea(&bytes)
    }

    /// The modifier of `vector(n)` is n.
    fn vector_typmod_in(modifiers: ArrayRef) -> Result<i32, Report> {
        let invalid = |text: String| Err(Report::new(ERRCODE_INVALID_PARAMETER_VALUE, text));
        match modifiers.typmods()[..] {
            [..=0] => invalid("dimensions for type vector must be at least 1".into()),
            [n] if n as usize > MAX_DIMS => {
                invalid(format!("dimensions for type vector cannot exceed {MAX_DIMS}"))
            }
            [n] => Ok(n),
            _ => invalid("invalid type modifier".into()),
        }
    }
}
