//! Vectors into tables, fast.

use postgres::binary_copy::BinaryCopyInWriter;
use postgres::types::Type;
use postgres::{Client, Error};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::Vector;

/// Copies rows `(id, v)` into a table that has these two columns, of types `int` and `vector`.
/// Ids count up from `first`.
pub fn copy_vectors<'a>(
    client: &mut Client,
    table: &str,
    first: i32,
    vectors: impl IntoIterator<Item = &'a [f32]>,
) -> Result<(), Error> {
    // The type's oid is this database's own: the column tells.
    let columns = client.prepare(&format!("SELECT v FROM {table}"))?;
    let types = [Type::INT4, columns.columns()[0].type_().clone()];
    let writer = client.copy_in(&format!("COPY {table} (id, v) FROM STDIN (FORMAT binary)"))?;
    let mut writer = BinaryCopyInWriter::new(writer, &types);
    for (id, vector) in (first..).zip(vectors) {
        writer.write(&[&id, &Vector(vector.to_vec())])?;
    }
    writer.finish().map(drop)
}

/// The same vector for the same seed, another for another: values from -1 to 1.
pub fn random_vector(seed: u64, dimensions: usize) -> Vec<f32> {
    let mut random = SmallRng::seed_from_u64(seed);
    (0..dimensions).map(|_| random.random_range(-1.0..1.0)).collect()
}

/// Dimensions of [`random_sparse`].
pub const SPARSE_DIMENSIONS: usize = 5_000;

/// Writes a sparse vector of 3 to 600 elements; those of an index go on in other records where they
/// are many.
pub fn random_sparse(seed: u64) -> String {
    let mut random = SmallRng::seed_from_u64(seed);
    let count = [3, 40, 150, 600][seed as usize % 4];
    let element =
        |i: u64| format!("{}:{}", 1 + seed % 700 + 7 * i, random.random_range(0.1..1.0f32));
    let elements: Vec<String> = (0..count).map(element).collect();
    format!("{{{}}}/{SPARSE_DIMENSIONS}", elements.join(","))
}
