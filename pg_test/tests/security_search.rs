//! A search by one user over another's table runs nothing of the table's owner: no operator, function,
//! cast or type that a name or a closer argument type could select.

use pg_test::TestDb;
use postgres::Client;

/// The owner of the table owns the schemas too, that of the extension included.
const OWNER: &str = "
CREATE ROLE shop_owner;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO shop_owner', current_database()); END $$;
SET ROLE shop_owner;
CREATE SCHEMA ext;
CREATE SCHEMA shop;
CREATE SCHEMA evil;
CREATE EXTENSION vector_ext SCHEMA ext;
CREATE DOMAIN shop.key AS int;
CREATE DOMAIN shop.age AS int;
CREATE DOMAIN shop.embedding AS ext.vector(2);
CREATE DOMAIN shop.tags AS ext.sparsevec(4);
CREATE DOMAIN shop.words AS tsvector;
CREATE DOMAIN shop.bits AS varbit(4);
CREATE DOMAIN shop.day AS date;
CREATE TYPE shop.color AS ENUM ('red', 'green');
CREATE TABLE shop.items (
    k shop.key PRIMARY KEY, e shop.embedding, s shop.tags, b shop.bits, v varbit(4), words shop.words,
    color shop.color, age shop.age, made shop.day, title varchar(9)
);
INSERT INTO shop.items VALUES
    (1, '[1,0]', '{1:1}/4', '0001', '0001', 'tea pot', 'red', 1, '2026-01-01', 'a'),
    (2, '[1,0]', '{1:2}/4', '0011', '0011', 'tea', 'green', 2, '2026-01-02', 'b'),
    (3, '[1,1]', '{2:2}/4', '0111', '0111', 'pot', 'red', 2, '2026-01-03', 'c'),
    (4, '[0,1]', '{1:1,3:1}/4', '1111', '1111', 'cup', 'green', 3, '2026-01-04', 'd');
ANALYZE shop.items;
";

/// Operators, functions, casts and types in all three schemas; each raises an error if it runs.
const TRAPS: &str = "
DO $$
DECLARE
    place text; op text; l text; r text; result text; name text; arguments text;
    types text[] := ARRAY['shop.key', 'shop.age', 'shop.embedding', 'shop.tags', 'shop.bits', 'shop.words',
        'shop.color', 'shop.day', 'varbit'];
    -- Types that domains are over, and those of numbers, places and words in statements.
    pairs text[] := ARRAY[['shop.embedding', 'ext.vector'], ['ext.vector', 'shop.embedding'],
        ['shop.embedding', 'shop.embedding'], ['shop.tags', 'ext.sparsevec'], ['ext.sparsevec', 'shop.tags'],
        ['shop.tags', 'shop.tags'], ['shop.bits', 'varbit'], ['varbit', 'varbit'], ['varbit', '\"bit\"'],
        ['\"bit\"', 'varbit'], ['shop.bits', '\"bit\"'], ['shop.words', 'tsquery'], ['tsvector', 'tsquery'],
        ['shop.key', 'int4'], ['int4', 'shop.key'], ['shop.key', 'shop.key'], ['shop.age', 'int4'],
        ['int4', 'shop.age'], ['shop.age', 'shop.age'], ['shop.age', 'float8'], ['shop.color', 'shop.color'],
        ['shop.color', 'text'], ['text', 'text'], ['varchar', 'varchar'], ['varchar', 'text'], ['int4', 'int4'],
        ['int8', 'int4'], ['int8', 'int8'], ['float4', 'float4'], ['float8', 'float8'], ['float8', 'int8'],
        ['oid', 'oid'], ['tid', 'tid'], ['shop.day', 'date'], ['boolean', 'boolean'],
        ['varchar', 'ext.bm25query']]::text[];
    sprung text := 'LANGUAGE plpgsql AS $f$ BEGIN RAISE EXCEPTION ''a trap was sprung''; END $f$';
BEGIN
    FOREACH place IN ARRAY ARRAY['ext', 'shop', 'evil'] LOOP
        FOR n IN 1 .. cardinality(pairs) / 2 LOOP
                l := pairs[n][1];
                r := pairs[n][2];
                EXECUTE format('CREATE FUNCTION %I.distance(%s, %s) RETURNS float8 %s', place, l, r, sprung);
                EXECUTE format('CREATE FUNCTION %I.holds(%s, %s) RETURNS boolean %s', place, l, r, sprung);
                FOREACH op IN ARRAY ARRAY['<->', '<#>', '<=>', '<~>', '<%>', '<@>', '=', '<>', '<', '>', '<=', '>=',
                    '+', '*', '/', '@@'] LOOP
                    -- The extension has some of these itself.
                    CONTINUE WHEN EXISTS (SELECT FROM pg_operator WHERE oprname = op
                        AND oprleft = l::regtype AND oprright = r::regtype
                        AND oprnamespace = place::regnamespace);
                    result := CASE WHEN op IN ('<->', '<#>', '<=>', '<~>', '<%>', '<@>', '+', '*', '/')
                        THEN 'distance' ELSE 'holds' END;
                    EXECUTE format('CREATE OPERATOR %I.%s (FUNCTION = %I.%I, LEFTARG = %s, RIGHTARG = %s)',
                        place, op, place, result, l, r);
                END LOOP;
        END LOOP;
        FOREACH l IN ARRAY types LOOP
            FOREACH name IN ARRAY ARRAY['max', 'sum', 'avg', 'count', 'unnest', 'float4', 'int4'] LOOP
                CONTINUE WHEN to_regprocedure(format('%I.%I(%s)', place, name, l)) IS NOT NULL;
                EXECUTE format('CREATE FUNCTION %I.%I(%s) RETURNS float8 %s', place, name, l, sprung);
            END LOOP;
            FOREACH arguments IN ARRAY ARRAY['ext.vector, text', 'shop.embedding, text', 'ext.sparsevec, text',
                'shop.tags, text', 'varbit, text', '\"bit\", text', 'ext.vector, varchar', 'ext.vector, name'] LOOP
                CONTINUE WHEN to_regprocedure(format('%I.vector_score(%s, %s)', place, l, arguments)) IS NOT NULL;
                EXECUTE format('CREATE FUNCTION %I.vector_score(%s, %s) RETURNS real %s',
                    place, l, arguments, sprung);
            END LOOP;
            FOREACH name IN ARRAY ARRAY['decay_exp', 'decay_gauss', 'decay_linear'] LOOP
                CONTINUE WHEN l = 'pg_catalog.float8';
                EXECUTE format('CREATE FUNCTION %I.%I(%s, float8, float8, float8, float8) RETURNS float8 %s',
                    place, name, l, sprung);
            END LOOP;
            EXECUTE format('CREATE FUNCTION %I.ts_rank(%s, tsquery) RETURNS float4 %s', place, l, sprung);
        END LOOP;
        FOREACH arguments IN ARRAY ARRAY['real', 'numeric', 'int8'] LOOP
            EXECUTE format('CREATE FUNCTION %I.as_score(%s) RETURNS real %s', place, arguments, sprung);
            EXECUTE format('CREATE FUNCTION %I.faded(%s, real) RETURNS real %s', place, arguments, sprung);
        END LOOP;
        FOREACH arguments IN ARRAY ARRAY['real, text', 'real, varchar', 'float8, varchar', 'float8, name'] LOOP
            EXECUTE format('CREATE FUNCTION %I.norm_score(%s) RETURNS real %s', place, arguments, sprung);
        END LOOP;
    END LOOP;
    FOREACH name IN ARRAY ARRAY['text', 'varchar', 'name', 'json', 'jsonb', 'int4', 'float8'] LOOP
        FOREACH l IN ARRAY ARRAY['color', 'items'] LOOP
            EXECUTE format('CREATE FUNCTION shop.%I(shop.%I) RETURNS pg_catalog.%I %s',
                l || '_as_' || name, l, name, sprung);
            EXECUTE format('CREATE CAST (shop.%I AS pg_catalog.%I) WITH FUNCTION shop.%I(shop.%I) AS IMPLICIT',
                l, name, l || '_as_' || name, l);
        END LOOP;
    END LOOP;
    FOREACH name IN ARRAY ARRAY['float4', 'float8', 'int4', 'int8', 'text', 'oid', 'tid', 'tsquery', 'varbit',
        'bit', 'vector', 'items', 'color'] LOOP
        EXECUTE format('CREATE TYPE evil.%I AS (n pg_catalog.int4)', name);
    END LOOP;
END $$;
RESET ROLE;
SET search_path = evil, shop, ext, pg_catalog;
";

/// Searches, and the keys of the rows that they find.
const SEARCHES: &[(&str, &[i32])] = &[
    ("vector_search(NULL::shop.items, ext.ann('e', '[1,0]'), k => 3)", &[1, 2, 3]),
    ("vector_search(NULL::shop.items, ext.ann('e', '[1,0]'), filter => 'age > 1 and k < 4')", &[2, 3]),
    (
        "vector_search(NULL::shop.items, ext.ann('s', '{1:1}/4', params => '{\"metric_type\": \"IP\"}'),
            k => 2)",
        &[2, 1],
    ),
    ("vector_search(NULL::shop.items, ext.ann('b', '0001'), k => 2)", &[1, 2]),
    (
        "vector_search(NULL::shop.items, ext.ann('v', '0001'), k => 2, filter => 'title != \"b\"')",
        &[1, 3],
    ),
    ("range_search(NULL::shop.items, ext.ann('e', '[1,0]'), 0.5)", &[1, 2, 3]),
    ("range_search(NULL::shop.items, ext.ann('e', '[1,0]'), 0.5, filter => 'k in [2, 3]')", &[2, 3]),
    ("grouped_search(NULL::shop.items, ext.ann('e', '[1,0]'), 'age', 2, 2, true)", &[1, 2, 3]),
    ("grouped_search(NULL::shop.items, ext.ann('e', '[1,0]'), 'color', 2, 2, true)", &[1, 3, 2, 4]),
    ("grouped_search(NULL::shop.items, ext.ann('e', '[1,0]'), 'title', 2, 2, true)", &[1, 2]),
    (
        "hybrid_search(NULL::shop.items, ARRAY[ext.ann('e', '[1,0]'), ext.fts('words', 'tea')], k => 2)",
        &[1, 2],
    ),
    (
        "hybrid_search(NULL::shop.items, ARRAY[ext.ann('e', '[1,0]'), ext.fts('words', 'tea')],
            ext.weighted_ranker('{1,0.5}'), k => 2)",
        &[1, 2],
    ),
    (
        "hybrid_search(NULL::shop.items, ARRAY[ext.ann('e', '[1,0]'), ext.fts('words', 'tea')],
            ext.min_max_ranker('{1,0.5}'), k => 2)",
        &[1, 2],
    ),
    (
        "hybrid_search(NULL::shop.items, ARRAY[ext.ann('e', '[1,0]')],
            ext.decay_ranker('exp', 'age', 2, 1), k => 2)",
        &[2, 3],
    ),
    (
        "hybrid_search(NULL::shop.items, ARRAY[ext.ann('e', '[1,0]'), ext.fts('words', 'tea')], k => 2,
            group_by => 'age', group_size => 2, strict_group_size => true, group_scorer => 'sum')",
        &[2, 3, 1],
    ),
];

fn keys(db: &mut Client, search: &str) -> Vec<i32> {
    let query = format!("SELECT (hit).k::pg_catalog.int4 FROM ext.{search}");
    let rows = db.query(&query, &[]).unwrap_or_else(|error| panic!("{query}: {error:?}"));
    rows.iter().map(|row| row.get(0)).collect()
}

#[test]
fn searches_run_nothing_of_the_owner() {
    let mut db = TestDb::without_extension();
    db.batch_execute(OWNER).unwrap();
    db.batch_execute(TRAPS).unwrap();
    for (search, wanted) in SEARCHES {
        assert_eq!(keys(&mut db, search), *wanted, "without an index: {search}");
    }
    db.batch_execute(
        "SET ROLE shop_owner;
        CREATE INDEX ON shop.items USING hnsw (e ext.vector_cosine_ops);
        CREATE INDEX ON shop.items USING hnsw (s ext.sparsevec_ip_ops);
        CREATE INDEX ON shop.items USING inverted (title ext.text_bm25_ops);
        CREATE INDEX ON shop.items (age);
        RESET ROLE;
        SET enable_seqscan = off",
    )
    .unwrap();
    for (search, wanted) in SEARCHES {
        assert_eq!(keys(&mut db, search), *wanted, "with an index: {search}");
    }
    let words = "ext.bm25('title', 'b c d')";
    for (search, wanted) in [
        (format!("vector_search(NULL::shop.items, {words}, filter => 'age < 3')"), &[2, 3][..]),
        (format!("grouped_search(NULL::shop.items, {words}, 'age', 2, 2, true)"), &[2, 3, 4]),
        (format!("hybrid_search(NULL::shop.items, ARRAY[{words}], k => 1)"), &[2]),
    ] {
        assert_eq!(keys(&mut db, &search), wanted, "{search}");
    }
}
