//! Messages of the wire protocol: what a `receive` function reads, and a `send` function gives.

#![allow(unsafe_code)] // calls into PostgreSQL

use std::ffi::{CStr, CString};
use std::marker::PhantomData;
use std::slice;

use pgrx::pg_sys::{self, Datum, StringInfo, StringInfoData};

use super::error::Report;
use super::function::{Args, Argument, Return};

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

    /// All that is left, a text, in the encoding of the database.
    pub fn text(&mut self) -> CString {
        // SAFETY: the buffer is valid during the call. PostgreSQL converts what is left from the
        // client's encoding, into a copy of its own that ends with NUL.
        unsafe {
            let left = (*self.buffer).len - (*self.buffer).cursor;
            let mut length = 0;
            let text = pg_sys::pq_getmsgtext(self.buffer, left, &raw mut length);
            CStr::from_ptr(text).to_owned()
        }
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

/// What a `send` function gives: a number and a text.
pub struct TextMessage {
    /// The version of the format.
    pub version: u8,
    /// In the encoding of the database.
    pub text: CString,
}

impl Return for TextMessage {
    fn into_datum(self, _: &Args) -> Result<Datum, Report> {
        let bytes = self.text.as_bytes();
        let length =
            i32::try_from(bytes.len()).map_err(|_| Report::internal("text is too long"))?;
        let mut buffer = StringInfoData::default();
        // SAFETY: the buffer is begun before it is used; both texts are as long as said. PostgreSQL
        // converts the text to the client's encoding.
        unsafe {
            pg_sys::pq_begintypsend(&raw mut buffer);
            let version = (&raw const self.version).cast();
            pg_sys::appendBinaryStringInfo(&raw mut buffer, version, 1);
            pg_sys::pq_sendtext(&raw mut buffer, bytes.as_ptr().cast(), length);
            Ok(Datum::from(pg_sys::pq_endtypsend(&raw mut buffer)))
        }
    }
}
