//! Diesel; its connection takes libpq's variables.

use diesel::{
    Connection, ExpressionMethods, PgConnection, QueryDsl, RunQueryDsl, sql_query, table,
};
use pgvector::{Vector, VectorExpressionMethods};

table! {
    use diesel::sql_types::Int4;
    use pgvector::sql_types::Vector;

    items (id) {
        id -> Int4,
        v -> Vector,
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let connection = &mut PgConnection::establish("")?;
    sql_query("CREATE EXTENSION IF NOT EXISTS vector").execute(connection)?;
    sql_query("CREATE TABLE items (id int PRIMARY KEY, v vector(3))").execute(connection)?;
    for (id, row) in [(1, [1.0, 1.0, 1.0]), (2, [2.0, 2.0, 2.0]), (3, [1.0, 1.0, 2.0])] {
        let row = Vector::from(row.to_vec());
        diesel::insert_into(items::table)
            .values((items::id.eq(id), items::v.eq(row)))
            .execute(connection)?;
    }
    sql_query("CREATE INDEX ON items USING hnsw (v vector_l2_ops)").execute(connection)?;

    let query = Vector::from(vec![1.0, 1.0, 1.0]);
    let nearest = items::table.order(items::v.l2_distance(query)).limit(5);
    let found: Vec<(i32, Vector)> = nearest.load(connection)?;
    assert_eq!(found.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [1, 3, 2]);
    assert_eq!(found[1].1.as_slice(), [1.0, 1.0, 2.0]);
    Ok(())
}
