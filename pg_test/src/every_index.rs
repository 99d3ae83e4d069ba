//! An index of every kind, in a database that is used, for tests of upgrades.

use postgres::Client;

use crate::index_problems;

/// An index, alone on its table, whose name with `_index` is that of the index.
pub struct Index {
    /// The table, with the columns of `rows`.
    pub table: String,
    /// Selects the distances of the nearest rows, in order.
    pub search: String,
}

/// Rows with a column of each type that can be indexed, by the type's name.
pub const ROWS: &str = "
    CREATE TABLE rows (id int, vector vector(8), halfvec halfvec(8), bf16vec bf16vec(8), i8vec i8vec(8),
        sparsevec sparsevec(40), \"bit\" bit(24), text text, texts text[]);
    CREATE FUNCTION more(first int, last int) RETURNS SETOF rows LANGUAGE sql AS $$
        SELECT n, v, v, v, (v * array_fill(100::real, '{8}')::vector)::i8vec,
            format('{%s:%s,%s:1}/40', 1 + n % 9, n, 10 + n % 30)::sparsevec,
            (n * 7919)::bit(24), words, ARRAY[words, 'more']
        FROM generate_series(first, last) n,
            LATERAL (SELECT ARRAY(SELECT sin(n * d) FROM generate_series(1, 8) d)::vector(8) v,
                repeat(format('word%s ', n % 7), 1 + n % 11) || 'own' || n AS words) made
    $$";

/// An index of every operator class, and of every quantization.
pub fn create_all(client: &mut Client) -> Vec<Index> {
    client.batch_execute(ROWS).unwrap();
    client.batch_execute("INSERT INTO rows SELECT * FROM more(1, 200)").unwrap();
    let classes = "SELECT amname::text, opcname::text, opcintype::regtype::text, oprname::text
        FROM pg_opclass c JOIN pg_am a ON a.oid = opcmethod
        JOIN pg_amop o ON amopfamily = opcfamily AND amoplefttype = opcintype AND amoppurpose = 'o'
        JOIN pg_operator p ON p.oid = amopopr
        WHERE amname IN ('hnsw', 'ivf', 'ivfflat', 'inverted')
            AND (opcintype <> 'text'::regtype OR oprright = 'text'::regtype)
            AND (opcintype <> 'text[]'::regtype OR oprright = 'text'::regtype)
        ORDER BY 1, 2";
    let mut indexes = Vec::new();
    for row in client.query(classes, &[]).unwrap() {
        let [method, class, kind, operator] = [0, 1, 2, 3].map(|i| row.get::<_, String>(i));
        let forms: &[&str] = match (method.as_str(), class.as_str()) {
            ("hnsw", "vector_l2_ops") => &["quantization = none", "quantization = sq8", "m = 4"],
            ("ivf" | "ivfflat", "vector_l2_ops") => &["quantization = none", "quantization = sq8"],
            ("inverted", "text_bm25_ops") => &["analyzer = english, positions = off"],
            _ => &[],
        };
        let rabitq =
            ["hnsw", "ivf", "ivfflat"].contains(&method.as_str()) && class == "vector_cosine_ops";
        let rabitq = if rabitq { Some("quantization = rabitq") } else { None };
        for with in [None].into_iter().chain(forms.iter().copied().chain(rabitq).map(Some)) {
            let column = if kind == "text[]" { "texts" } else { kind.as_str() };
            let table = format!("t_{}", indexes.len());
            let with = with.map(|with| format!("WITH ({with})")).unwrap_or_default();
            client
                .batch_execute(&format!(
                    "CREATE TABLE {table} (LIKE rows); INSERT INTO {table} SELECT * FROM rows;
                    SET client_min_messages = error;
                    CREATE INDEX {table}_index ON {table} USING {method} (\"{column}\" {class}) {with};
                    RESET client_min_messages"
                ))
                .unwrap();
            let query = match column {
                "text" | "texts" => "'word5'".into(),
                _ => format!("(SELECT \"{column}\" FROM rows WHERE id = 9)"),
            };
            let distance = format!("\"{column}\" OPERATOR(public.{operator}) {query}");
            let search = format!("SELECT {distance} FROM {table} ORDER BY {distance} LIMIT 10");
            indexes.push(Index { table, search });
        }
    }
    assert!(indexes.len() > 50, "{}", indexes.len());
    indexes
}

/// The indexes are sound and find what is nearest.
#[track_caller]
pub fn sound(client: &mut Client, indexes: &[Index]) {
    let mut all = |settings: &str, search: &str| -> Vec<f64> {
        client.batch_execute(settings).unwrap();
        client.query(search, &[]).unwrap().iter().map(|row| row.get(0)).collect()
    };
    for Index { table, search } in indexes {
        let by_index =
            "SET enable_seqscan = off; SET hnsw.ef_search = 200; SET ivfflat.probes = 200;
            SET ivf.probes = 200; RESET enable_indexscan";
        let found = all(by_index, search);
        let expected = all("RESET enable_seqscan; SET enable_indexscan = off", search);
        assert_eq!(found.len(), 10, "{table}: {search}");
        assert_eq!(found, expected, "{table}: {search}");
    }
    for Index { table, .. } in indexes {
        let index = format!("{table}_index");
        assert_eq!(index_problems(client, &index).unwrap(), [""; 0], "{index}");
    }
}

/// Reads and writes with all indexes; the last rows are those from `first` on.
#[track_caller]
pub fn work(client: &mut Client, indexes: &[Index], first: i32) {
    sound(client, indexes);
    for Index { table, .. } in indexes {
        let last = first + 50;
        client
            .batch_execute(&format!(
                "DELETE FROM {table} WHERE id % 7 = {first} % 7 AND id <> 9;
                INSERT INTO {table} SELECT * FROM more({first}, {last})"
            ))
            .unwrap();
        client.batch_execute(&format!("VACUUM {table}")).unwrap();
    }
    sound(client, indexes);
}
