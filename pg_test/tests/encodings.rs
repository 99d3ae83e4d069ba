//! Names and values of any letters work in databases of any encoding.

use pg_test::{TestDb, refusal, text};
use postgres::Client;

/// A database of an encoding, dropped with the value.
struct Encoded {
    admin: TestDb,
    name: String,
}

impl Encoded {
    fn new(encoding: &str) -> (Encoded, Client) {
        let mut admin = TestDb::without_extension();
        let name = format!("{}_{}", admin.name(), encoding.to_lowercase());
        admin
            .batch_execute(&format!(
                "CREATE DATABASE {name} ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
            ))
            .unwrap();
        let client = admin.cluster().connect_db(&name).unwrap();
        (Encoded { admin, name }, client)
    }
}

impl Drop for Encoded {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        let _ = self.admin.batch_execute(&drop);
    }
}

const TABLE: &str = r#"
CREATE SCHEMA "grün";
CREATE EXTENSION vector_ext SCHEMA "grün";
SET search_path = "grün", public;
CREATE SCHEMA "schön";
CREATE TABLE "schön"."Käse ""ß""" ("née" int PRIMARY KEY, "größe" text, "vé" vector(2), j jsonb,
    price float8, "mots é" tsvector);
INSERT INTO "schön"."Käse ""ß""" VALUES
    (1, 'größer', '[1,0]', '{"é": {"ü": 1}}', 1, 'é:1'),
    (2, 'klein', '[2,0]', '{"é": {"ü": 2}}', 2, 'e:1'),
    (3, 'größer', '[3,0]', NULL, 3, 'é:2');
CREATE INDEX "indé" ON "schön"."Käse ""ß""" USING hnsw ("vé" vector_l2_ops);
"#;

fn found(db: &mut Client, call: &str) -> String {
    let query = format!(
        r#"SELECT array_agg((hit)."née") FROM {}"#,
        call.replace("REL", r#"NULL::"schön"."Käse ""ß""""#)
    );
    text(db, &query).unwrap_or_default()
}

#[test]
fn names_and_values_keep_their_letters() {
    for encoding in ["UTF8", "LATIN1", "LATIN9", "WIN1252", "SQL_ASCII"] {
        let (_dropped, mut db) = Encoded::new(encoding);
        db.batch_execute(TABLE).unwrap();
        let cases = [
            ("vector_search(REL, ann('vé', '[1,0]'))", "{1,2,3}"),
            ("vector_search(REL, ann('vé', '[1,0]'), filter => 'größe == \"größer\"')", "{1,3}"),
            ("vector_search(REL, ann('vé', '[1,0]'), filter => 'größe like \"grö%\"')", "{1,3}"),
            ("vector_search(REL, ann('vé', '[1,0]'), filter => 'j[\"é\"][\"ü\"] == 2')", "{2}"),
            (
                "vector_search(REL, ann('vé', '[1,0]'), filter => 'größe in {names}',
                    filter_params => '{\"names\": [\"größer\"]}')",
                "{1,3}",
            ),
            ("range_search(REL, ann('vé', '[1,0]'), radius => 2)", "{1,2}"),
            ("grouped_search(REL, ann('vé', '[1,0]'), 'größe', 2, 2, true)", "{1,3,2}"),
            ("vector_search(REL, fts('mots é', 'é')) ORDER BY 1", "{1,3}"),
            ("vector_search(REL, fts('mots é', 'é')::text::search_request) ORDER BY 1", "{1,3}"),
            (
                "hybrid_search(REL, ARRAY[ann('vé', '[1,0]'), fts('mots é', 'é')], group_by => 'größe')",
                "{1,2}",
            ),
            (
                "hybrid_search(REL, ARRAY[ann('vé', '[1,0]')],
                    decay_ranker('exp', 'price', 3, 1, norm_score => true))",
                "{1,2,3}",
            ),
        ];
        for (call, ids) in cases {
            let got = found(&mut db, call);
            let sorted = |ids: &str| {
                let mut ids: Vec<_> =
                    ids.trim_matches(['{', '}']).split(',').map(str::to_owned).collect();
                ids.sort();
                ids
            };
            assert_eq!(sorted(&got), sorted(ids), "{encoding}: {call}");
        }
        let tokens = "SELECT string_agg(token, '|') FROM run_analyzer('Größe: É', 'standard')";
        assert_eq!(text(&mut db, tokens).unwrap(), "größe|é", "{encoding}");
        for analyzer in ["standard", "simple"] {
            let query = format!(
                "SELECT highlight('größer Ziel', 'ziel', '{analyzer}', fragment_offset => 3)"
            );
            assert_eq!(text(&mut db, &query).unwrap(), "{\"er <em>Ziel</em>\"}", "{encoding}");
        }
        // The statement that is shown is the one that runs.
        let shown = text(
            &mut db,
            r#"SELECT vector_search_sql(NULL::"schön"."Käse ""ß""", ann('vé', '[1,0]'),
                filter => 'größe == "größer"')"#,
        )
        .unwrap();
        assert!(shown.contains(r#""schön"."Käse ""ß""""#) && shown.contains("größer"), "{shown}");
        let rows = text(&mut db, &format!("SELECT count(*) FROM ({shown}) AS shown"));
        assert_eq!(rows.unwrap(), "2", "{encoding}: {shown}");
        let request = text(&mut db, "SELECT ann('größe', 'é')").unwrap();
        assert!(request.contains("größe") && request.contains("\"é\""), "{encoding}: {request}");
        // A message is text of the encoding, too.
        let unknown = r#"SELECT vector_search(NULL::"schön"."Käse ""ß""", ann('né', '[1,0]'))"#;
        let (code, message, _) = refusal(&mut db, unknown);
        assert_eq!(code, "42703");
        assert!(message.starts_with("field n") && !message.contains("Ã"), "{encoding}: {message}");
        // Letters that the encoding has not.
        if encoding.starts_with("LATIN") {
            let document = r#"SELECT '{"kind":"ann","field":"漢"}'::search_request"#;
            assert_eq!(refusal(&mut db, document).0, "22P05");
        }
        assert_eq!(
            text(&mut db, "SELECT count(*) FROM vector_index_check('\"schön\".\"indé\"')"),
            Some("0".into())
        );
    }
}

#[test]
fn bytes_that_are_no_letters_keep_in_sql_ascii() {
    let (_dropped, mut db) = Encoded::new("SQL_ASCII");
    db.batch_execute(
        r"CREATE EXTENSION vector_ext;
        CREATE FUNCTION bytes(text) RETURNS text IMMUTABLE LANGUAGE sql
            AS $$ SELECT convert_from(decode($1, 'hex'), 'sql_ascii') $$;
        DO $$ DECLARE name text := bytes('6be47365'); BEGIN
            EXECUTE format('CREATE TABLE %I (id int PRIMARY KEY, t text, %I vector(1))', name, name);
            EXECUTE format('INSERT INTO %I VALUES (1, $1, ''[1]''), (2, $2, ''[2]'')', name)
                USING bytes('ffe4c3'), bytes('c3a4');
        END $$;
        CREATE FUNCTION found(OUT ids int[], filter text, value text) LANGUAGE plpgsql AS $$
        DECLARE name text := bytes('6be47365'); BEGIN
            EXECUTE format('SELECT array_agg((hit).id) FROM vector_search(NULL::%I, ann(%L, ''[1]''),
                filter => $1, filter_params => jsonb_build_object(''value'', $2))', name, name)
                INTO ids USING filter, value;
        END $$",
    )
    .unwrap();
    let mut found = |arguments: &str| text(&mut db, &format!("SELECT found({arguments})"));
    assert_eq!(found("'id > 0', ''").unwrap(), "{1,2}");
    assert_eq!(found("'t == {value}', bytes('ffe4c3')").unwrap(), "{1}");
    assert_eq!(found("'t == \"' || bytes('ffe4c3') || '\"', ''").unwrap(), "{1}");
    assert_eq!(found("'t == \"' || bytes('c3a4') || '\"', ''").unwrap(), "{2}");
    assert_eq!(found("'t != {value}', bytes('c3a4')").unwrap(), "{1}");
}
