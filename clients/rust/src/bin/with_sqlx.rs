//! sqlx; its options come from libpq's variables.

use pgvector::{SparseVector, Vector};
use sqlx::Row;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pool = PgPoolOptions::new().connect_with(PgConnectOptions::new()).await?;
    sqlx::query("CREATE EXTENSION IF NOT EXISTS vector").execute(&pool).await?;
    sqlx::query("CREATE TABLE items (id serial, v vector(3), s sparsevec(3))")
        .execute(&pool)
        .await?;
    for row in [[1.0, 1.0, 1.0], [2.0, 2.0, 2.0], [1.0, 1.0, 2.0]] {
        let insert = sqlx::query("INSERT INTO items (v, s) VALUES ($1, $2)");
        let insert = insert.bind(Vector::from(row.to_vec())).bind(SparseVector::from_dense(&row));
        insert.execute(&pool).await?;
    }
    sqlx::query("CREATE INDEX ON items USING hnsw (v vector_l2_ops)").execute(&pool).await?;

    let nearest = sqlx::query("SELECT id, v, s FROM items ORDER BY v <-> $1 LIMIT 5");
    let rows = nearest.bind(Vector::from(vec![1.0, 1.0, 1.0])).fetch_all(&pool).await?;
    let ids: Vec<i32> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(ids, [1, 3, 2]);
    assert_eq!(rows[1].get::<Vector, _>(1).as_slice(), [1.0, 1.0, 2.0]);
    assert_eq!(rows[1].get::<SparseVector, _>(2).to_vec(), [1.0, 1.0, 2.0]);
    Ok(())
}
