//! The binary forms of type `vector` and of COPY.

use std::error::Error;
use std::io::{self, Write};
use std::ops::Range;

use bytes::BytesMut;
use postgres::types::{Format, IsNull, ToSql, Type, to_sql_checked};

use crate::matrix::Matrix;

/// A vector in its binary form: `int16` dimensions, `int16` 0, `float4` values, big endian.
#[derive(Debug, Clone)]
pub struct Vector(Vec<u8>);

impl Vector {
    /// Encodes `values`; a vector has at most 32,767 dimensions on the wire.
    pub fn new(values: &[f32]) -> Result<Self, std::num::TryFromIntError> {
        let dims = i16::try_from(values.len())?;
        let mut bytes = Vec::with_capacity(4 + 4 * values.len());
        bytes.extend(dims.to_be_bytes());
        bytes.extend(0i16.to_be_bytes());
        bytes.extend(values.iter().flat_map(|v| v.to_be_bytes()));
        Ok(Self(bytes))
    }
}

impl ToSql for Vector {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.extend_from_slice(&self.0);
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        ty.name() == "vector"
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Binary
    }

    to_sql_checked!();
}

/// Writes `rows` of `base` as `(row number int4, vector)` in the format of
/// `COPY … (FORMAT binary)`.
pub fn copy_rows(out: &mut impl Write, base: &Matrix<f32>, rows: Range<usize>) -> io::Result<()> {
    out.write_all(b"PGCOPY\n\xff\r\n\0")?;
    out.write_all(&[0; 8])?; // flags, length of the header's extension
    for row in rows {
        let id = i32::try_from(row).map_err(io::Error::other)?;
        let vector = Vector::new(base.row(row)).map_err(io::Error::other)?.0;
        let length = i32::try_from(vector.len()).map_err(io::Error::other)?;
        out.write_all(&2i16.to_be_bytes())?; // fields
        out.write_all(&4i32.to_be_bytes())?;
        out.write_all(&id.to_be_bytes())?;
        out.write_all(&length.to_be_bytes())?;
        out.write_all(&vector)?;
    }
    out.write_all(&(-1i16).to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_a_copy() {
        let mut out = Vec::new();
        copy_rows(&mut out, &Matrix { cols: 1, data: vec![1.0] }, 0..1).unwrap();
        let row = [0, 2, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 8, 0, 1, 0, 0, 0x3f, 0x80, 0, 0];
        assert_eq!(out[19..], [&row[..], &[0xff, 0xff]].concat());
    }
}
