//! What Npgsql, the driver for C#, and its package Pgvector exchange with a server, replayed: neither can be
//! had from the registries that tests use.

use std::collections::HashMap;
use std::error::Error;

use bytes::{BufMut, BytesMut};
use pg_test::TestDb;
use postgres::SimpleQueryMessage;
use postgres::types::{FromSql, IsNull, Kind, ToSql, Type, to_sql_checked};

/// A value in its binary form.
#[derive(Debug, PartialEq, Eq)]
struct Binary(Vec<u8>);

impl ToSql for Binary {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.put_slice(&self.0);
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl FromSql<'_> for Binary {
    fn from_sql(_: &Type, raw: &[u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(raw.to_vec()))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// The types of the server, by name: OID, kind, and OID of the elements. A connection begins with this, in one
/// message. An array is told by its function that reads the binary form.
fn types(db: &mut TestDb) -> HashMap<String, (u32, String, u32)> {
    let query = "SELECT version();
        SELECT typname, t.oid, CASE proname WHEN 'array_recv' THEN 'a' ELSE typtype::text END, typelem
        FROM pg_type AS t LEFT JOIN pg_proc AS receive ON receive.oid = typreceive
        WHERE typtype IN ('b', 'r', 'm', 'e', 'd')";
    let row = |message| {
        let SimpleQueryMessage::Row(row) = message else { return None };
        let field = |i| row.try_get(i).ok().flatten();
        let number = |i| field(i)?.parse().ok();
        // The first statement's row has no more than one column.
        Some((field(0)?.into(), (number(1)?, field(2)?.into(), number(3)?)))
    };
    db.simple_query(query).unwrap().into_iter().filter_map(row).collect()
}

#[test]
fn parameters_and_results_are_binary_and_connections_are_used_again() {
    let mut db = TestDb::new();
    let types = types(&mut db);
    // Dimensions, 0, and numbers; of sparsevec, dimensions, count, 0, indices, and numbers.
    let halves = [0, 2, 0, 0, 0x3c, 0, 0xc1, 0];
    let floats = [0, 2, 0, 0, 0x3f, 0x80, 0, 0, 0xc0, 0x20, 0, 0];
    let sparse = [0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0xc0, 0x20, 0, 0];
    for (name, value) in [("vector", &floats[..]), ("halfvec", &halves), ("sparsevec", &sparse)] {
        let (oid, kind, _) = &types[name];
        let (_, array, element) = &types[&format!("_{name}")];
        assert_eq!((&**kind, &**array, element), ("b", "a", oid), "{name}");

        db.batch_execute(&format!("CREATE TABLE {name}s (id serial, v {name}(2))")).unwrap();
        let type_ = Type::new(name.into(), *oid, Kind::Simple, "public".into());
        let insert = format!("INSERT INTO {name}s (v) VALUES ($1), ($1) RETURNING v");
        let insert = db.prepare_typed(&insert, std::slice::from_ref(&type_)).unwrap();
        let search = format!("SELECT v, ARRAY[v] FROM {name}s ORDER BY v <-> $1, id LIMIT 1");
        let search = db.prepare_typed(&search, &[type_]).unwrap();
        let value = Binary(value.to_vec());
        for round in 1..3 {
            let returned = db.query(&insert, &[&value]).unwrap();
            assert!(returned.iter().all(|row| row.get::<_, Binary>(0) == value), "{name}");
            let found = db.query_one(&search, &[&value]).unwrap();
            assert_eq!(found.get::<_, Binary>(0), value, "{name}");
            let array: Binary = found.get(1);
            assert!(array.0.ends_with(&value.0), "{name}: {array:?}");
            let count = format!("SELECT count(*) FROM {name}s");
            assert_eq!(db.query_one(&count, &[]).unwrap().get::<_, i64>(0), 2 * round);
            // What a connection with prepared statements is sent when it goes back to the pool.
            db.batch_execute(
                "SET SESSION AUTHORIZATION DEFAULT; RESET ALL; CLOSE ALL; UNLISTEN *;
                 SELECT pg_advisory_unlock_all(); DISCARD SEQUENCES; DISCARD TEMP",
            )
            .unwrap();
        }
    }
}
