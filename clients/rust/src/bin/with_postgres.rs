//! The synchronous driver `postgres`.

use half::f16;
use pgvector::{Bit, HalfVector, SparseVector, Vector};
use postgres::{Config, NoTls};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut config = Config::new();
    config.host(&std::env::var("PGHOST")?).user(&std::env::var("PGUSER")?);
    let mut client = config.dbname(&std::env::var("PGDATABASE")?).connect(NoTls)?;
    client.batch_execute(
        "CREATE EXTENSION IF NOT EXISTS vector;
         CREATE TABLE items (id serial, v vector(3), h halfvec(3), b bit(3), s sparsevec(3));
         CREATE INDEX ON items USING hnsw (v vector_l2_ops)",
    )?;
    for row in [[1.0, 1.0, 1.0], [2.0, 2.0, 2.0], [1.0, 1.0, 2.0]] {
        let half = HalfVector::from(row.map(f16::from_f32).to_vec());
        let bits = Bit::new(&row.map(|x| x > 1.0));
        let (vector, sparse) = (Vector::from(row.to_vec()), SparseVector::from_dense(&row));
        let insert = "INSERT INTO items (v, h, b, s) VALUES ($1, $2, $3, $4)";
        client.execute(insert, &[&vector, &half, &bits, &sparse])?;
    }

    let query = Vector::from(vec![1.0, 1.0, 1.0]);
    let nearest = "SELECT id, v, h, b, s FROM items ORDER BY v <-> $1 LIMIT 5";
    let rows = client.query(nearest, &[&query])?;
    let ids: Vec<i32> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(ids, [1, 3, 2]);
    assert_eq!(rows[1].get::<_, Vector>(1).as_slice(), [1.0, 1.0, 2.0]);
    assert_eq!(rows[1].get::<_, HalfVector>(2).as_slice()[2], f16::from_f32(2.0));
    assert_eq!(rows[1].get::<_, Bit>(3), Bit::new(&[false, false, true]));
    assert_eq!(rows[1].get::<_, SparseVector>(4).to_vec(), [1.0, 1.0, 2.0]);

    // A type that pgvector has not, as text.
    let row = client.query_one("SELECT ($1::text::bf16vec)::text", &[&"[1,-2.5,3]"])?;
    assert_eq!(row.get::<_, String>(0), "[1,-2.5,3]");
    Ok(())
}
