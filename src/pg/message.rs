//! Messages of the wire protocol: what a `receive` function reads.

#![allow(unsafe_code)] // calls into PostgreSQL

use std::marker::PhantomData;
use std::slice;

use pgrx::pg_sys::{self, StringInfo};

use super::error::Report;
use super::function::{Args, Argument};

/// The binary value that a `receive` function is to read. Reading past its end is an error that
/// PostgreSQL raises.
pub struct Message<'a> {
    buffer: StringInfo,
    call: PhantomData<&'a ()>,
}

impl<'a> Message<'a> {
    /// The next two bytes, in network order.
    pub fn u16(&mut self) -> u16 {
        let bytes = self.bytes(2);
        u16::from_be_bytes([bytes[0], bytes[1]])
    }

    /// The next four bytes, in network order.
    pub fn i32(&mut self) -> i32 {
        let bytes = self.bytes(4);
        i32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
    }

    /// The next `n` bytes.
    pub fn bytes(&mut self, n: usize) -> &'a [u8] {
        // SAFETY: the buffer is valid during the call; PostgreSQL checks that `n` bytes are left.
        unsafe {
            let bytes = pg_sys::pq_getmsgbytes(self.buffer, i32::try_from(n).unwrap_or(i32::MAX));
            slice::from_raw_parts(bytes.cast(), n)
        }
    }
}

impl<'a> Argument<'a> for Message<'a> {
    fn take(args: &mut Args<'a>) -> Result<Message<'a>, Report> {
        Ok(Message { buffer: args.datum()?.cast_mut_ptr(), call: PhantomData })
    }
}
