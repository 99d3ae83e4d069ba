//! The SQL type `vector` as a Rust value, in the binary format.

use std::error::Error;

use bytes::{BufMut, BytesMut};
use postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

/// The SQL types that store every element.
pub const DENSE_TYPES: [&str; 4] = ["vector", "halfvec", "bf16vec", "i8vec"];

/// A value of type `vector`, for parameters and results.
#[derive(Clone, Debug, PartialEq)]
pub struct Vector(pub Vec<f32>);

type BoxError = Box<dyn Error + Sync + Send>;

impl ToSql for Vector {
    /// Big endian: dimensions as u16, 16 unused bits, the values as f32.
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
        out.put_u16(self.0.len().try_into()?);
        out.put_u16(0);
        self.0.iter().for_each(|&value| out.put_f32(value));
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        ty.name() == "vector"
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Vector {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, BoxError> {
        let values = raw.get(4..).ok_or("a vector's binary form has at least four bytes")?;
        let (values, rest) = values.as_chunks::<4>();
        if !rest.is_empty() {
            return Err("a vector's binary form ends in the middle of a value".into());
        }
        Ok(Self(values.iter().map(|&bytes| f32::from_be_bytes(bytes)).collect()))
    }

    fn accepts(ty: &Type) -> bool {
        <Self as ToSql>::accepts(ty)
    }
}
