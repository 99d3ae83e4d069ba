//! Input and output: text, binary, type modifier.

use std::ffi::{CStr, CString};

use pgrx::PgSqlErrorCode::{ERRCODE_DATA_EXCEPTION, ERRCODE_INVALID_PARAMETER_VALUE};

use super::{DenseBuf, DenseRef, Element, MAX_DIMS, check, text};
use crate::pg::array::ArrayRef;
use crate::pg::error::Report;
use crate::pg::function::Ignored;
use crate::pg::message::Message;
use crate::pg::varlena::{VARHDRSZ, VarlenaBuf};

/// From text.
pub fn input<E: Element>(
    literal: &CStr,
    _type: Ignored,
    typmod: i32,
) -> Result<DenseBuf<E>, Report> {
    let elements = text::parse::<E>(literal)?;
    check::typmod(typmod, elements.len())?;
    DenseBuf::from_slice(&elements)
}

/// To text.
pub fn output<E: Element>(vector: DenseRef<E>) -> CString {
    text::format::<E>(&vector)
}

/// From binary: dimensions and an unused zero, 16 bits each, then the elements; big-endian.
pub fn receive<E: Element>(
    mut message: Message,
    _type: Ignored,
    typmod: i32,
) -> Result<DenseBuf<E>, Report> {
    let dims = usize::from(message.u16());
    let unused = message.u16();
    check::dims::<E>(dims)?;
    check::typmod(typmod, dims)?;
    if unused != 0 {
        let text = format!("expected unused to be 0, not {unused}");
        return Err(Report::new(ERRCODE_DATA_EXCEPTION, text));
    }
    let mut vector = DenseBuf::<E>::zeroed(dims)?;
    vector.bytes_mut().copy_from_slice(message.bytes(dims * size_of::<E>()));
    for element in vector.as_mut() {
        *element = element.to_network();
        check::finite::<E>(element.to_f32())?;
    }
    Ok(vector)
}

/// To binary, a `bytea`.
pub fn send<E: Element>(vector: DenseRef<E>) -> Result<VarlenaBuf, Report> {
    const HEADER: usize = VARHDRSZ + 4;
    let mut bytes = VarlenaBuf::zeroed(HEADER + size_of_val::<[E]>(&vector))?;
    bytes.slice_mut::<u16>(VARHDRSZ, 1)[0] = (vector.len() as u16).to_be(); // at most MAX_DIMS
    let elements = bytes.slice_mut::<E>(HEADER, vector.len());
    elements.iter_mut().zip(vector.iter()).for_each(|(out, x)| *out = x.to_network());
    Ok(bytes)
}

/// The modifier of `vector(n)` is n.
pub fn typmod_in<E: Element>(modifiers: ArrayRef) -> Result<i32, Report> {
    let invalid = |text: String| Err(Report::new(ERRCODE_INVALID_PARAMETER_VALUE, text));
    let of = E::TYPE;
    match modifiers.typmods()[..] {
        [..=0] => invalid(format!("dimensions for type {of} must be at least 1")),
        [n] if n as usize > MAX_DIMS => {
            invalid(format!("dimensions for type {of} cannot exceed {MAX_DIMS}"))
        }
        [n] => Ok(n),
        _ => invalid("invalid type modifier".into()),
    }
}
