//! Whatever a stored `search_request` is made of, and whatever its bytes are: a search by it finds
//! rows or fails with an error that tells why. It shows nobody's memory, and no server falls.

use std::io::{Read, Write};

use pg_test::{TestDb, refusal, sqlstate, text};
use postgres::Client;

const ITEMS: &str = "
CREATE TABLE items (id int PRIMARY KEY, title text, e vector(2), b bit(4),
    words tsvector GENERATED ALWAYS AS (to_tsvector('english', title)) STORED);
INSERT INTO items VALUES (1, 'red apples', '[1,0]', B'0000'), (2, 'tea', '[2,0]', B'0001'),
    (3, 'apple pie', '[3,0]', B'0011');
CREATE INDEX ON items USING hnsw (e vector_l2_ops);
GRANT CREATE ON SCHEMA public TO PUBLIC;
GRANT SELECT ON items TO PUBLIC;
";

/// One of each kind of query that can be stored.
const REQUESTS: [&str; 9] = [
    "ann('e', '[1,0]')",
    "ann('e', '[1,0]'::vector, 2, 'id > 0', '{\"ef\": 50}')",
    "ann('e', '[1,0]'::halfvec)",
    "ann('e', '[1,0]'::bf16vec)",
    "ann('e', '{1:1}/2'::sparsevec::vector)",
    "ann('b', B'0001')",
    "ann('b', B'0001'::bit varying)",
    "fts('words', 'tea | apple:*')",
    "ann('e', NULL::vector)",
];

/// Errors that tell what is wrong with bytes that are no request.
const REFUSED: [&str; 13] = [
    "XX001", "22023", "22P02", "22P03", "22000", "22021", "22026", "08P01", "42601", "42703",
    "42804", "2201W", "54000",
];

fn items() -> TestDb {
    let mut db = TestDb::new();
    db.batch_execute(ITEMS).unwrap();
    db
}

/// The ids that a search by a request finds.
fn found(db: &mut Client, from: &str, request: &str) -> Option<String> {
    text(
        db,
        &format!(
            "SELECT array_agg((hit).id ORDER BY (hit).id) FROM {from}, \
             vector_search(NULL::items, {request}) AS found"
        ),
    )
}

#[test]
fn a_stored_query_of_a_type_that_changes_stays_as_it_was() {
    let mut db = items();
    db.batch_execute(
        "CREATE ROLE request_maker; SET ROLE request_maker;
        CREATE TYPE pair AS (a bigint, b bigint);
        CREATE TYPE pairs AS (p pair, ps pair[]);
        CREATE TYPE mood AS ENUM ('glad', 'sad');
        CREATE TABLE kept (n int, request search_request);
        INSERT INTO kept VALUES
            (1, ann('e', ROW(1000, 2000)::pair)),
            (2, ann('e', ROW(ROW(1, 2), ARRAY[ROW(3, 4)::pair])::pairs)),
            (3, ann('e', ARRAY[ROW(1, 2)::pair])),
            (4, ann('e', ROW(1, repeat('long', 1000)))),
            (5, ann('e', 'glad'::mood)),
            (6, ann('e', int8range(1, 5)));",
    )
    .unwrap();
    let all =
        "SELECT string_agg(left((request::text::json)->>'query', 12), ' ' ORDER BY n) FROM kept";
    let queries = "(1000,2000) (\"(1,2)\",\"{\" {\"(1,2)\"} (1,longlongl glad [1,5)";
    assert_eq!(text(&mut db, all).unwrap(), queries);
    let changes = [
        "ALTER TYPE pair ALTER ATTRIBUTE a TYPE text, ALTER ATTRIBUTE b TYPE text",
        "ALTER TYPE pair DROP ATTRIBUTE a, ADD ATTRIBUTE c numeric",
        "ALTER TYPE mood RENAME VALUE 'glad' TO 'happy'",
        "DROP TYPE pairs; DROP TYPE pair; DROP TYPE mood",
    ];
    for change in changes {
        db.batch_execute(change).unwrap();
        assert_eq!(text(&mut db, all).unwrap(), queries, "{change}");
        for n in 1..=6 {
            let search =
                format!("SELECT vector_search(NULL::items, request) FROM kept WHERE n = {n}");
            assert_eq!(refusal(&mut db, &search).0, "22P02", "{change}: {n}");
        }
    }
    db.batch_execute(
        "RESET ROLE; DROP TABLE kept; DROP OWNED BY request_maker; DROP ROLE request_maker",
    )
    .unwrap();
}

#[test]
fn containers_give_requests_back() {
    let mut db = items();
    db.batch_execute(
        "CREATE DOMAIN of_items AS search_request CHECK ((VALUE::text::json)->>'field' IS NOT NULL);
        CREATE TYPE labelled AS (label text, request search_request);
        CREATE TABLE kept (n int, request search_request);
        CREATE TEMP TABLE briefly (request of_items);",
    )
    .unwrap();
    for request in REQUESTS {
        let found_by = |db: &mut Client, request: &str| found(db, "(SELECT 1) AS once", request);
        let wanted = found_by(&mut db, request);
        let copies = [
            format!("({request})::text::search_request"),
            format!("({request})::of_items"),
            format!("(ROW('x', {request})::labelled).request"),
            format!("(ARRAY[{request}])[1]"),
            format!("(ARRAY[{request}]::text::search_request[])[1]"),
            format!("(ROW('x', {request})::labelled::text::labelled).request"),
        ];
        for copy in copies {
            assert_eq!(found_by(&mut db, &copy), wanted, "{copy}");
        }
        let quoted = request.replace('\'', "''");
        db.batch_execute(&format!(
            "TRUNCATE kept, briefly; DROP TABLE IF EXISTS made;
            INSERT INTO briefly SELECT {request}; INSERT INTO kept SELECT 1, {request};
            CREATE TABLE made AS SELECT request FROM kept;
            DO $$ DECLARE r search_request; c refcursor; rec record; BEGIN
                EXECUTE 'SELECT {quoted}' INTO r;
                INSERT INTO kept VALUES (2, r);
                OPEN c FOR SELECT request FROM kept WHERE n = 2;
                FETCH c INTO rec;
                INSERT INTO kept VALUES (3, rec.request);
            END $$"
        ))
        .unwrap();
        assert_eq!(found(&mut db, "briefly", "request"), wanted, "{request}");
        assert_eq!(found(&mut db, "made", "request"), wanted, "{request}");
        for n in 1..=3 {
            let from = format!("(SELECT request FROM kept WHERE n = {n}) AS kept");
            assert_eq!(found(&mut db, &from, "request"), wanted, "{request} {n}");
        }
    }
}

#[test]
fn requests_can_be_copied() {
    let mut db = items();
    db.batch_execute(
        "CREATE TABLE kept (n int, request search_request); CREATE TABLE copy (LIKE kept)",
    )
    .unwrap();
    for (n, request) in REQUESTS.iter().enumerate() {
        db.batch_execute(&format!("INSERT INTO kept SELECT {n}, {request}")).unwrap();
    }
    for format in ["text", "csv", "binary"] {
        let mut bytes = Vec::new();
        let to = format!("COPY kept TO STDOUT (FORMAT {format})");
        db.copy_out(&to).unwrap().read_to_end(&mut bytes).unwrap();
        db.batch_execute("TRUNCATE copy").unwrap();
        let from = format!("COPY copy FROM STDIN (FORMAT {format})");
        let mut copy = db.copy_in(&from).unwrap();
        copy.write_all(&bytes).unwrap();
        copy.finish().unwrap();
        let others = "SELECT count(*) FROM kept JOIN copy USING (n)
            WHERE kept.request::text = copy.request::text";
        assert_eq!(text(&mut db, others).unwrap(), REQUESTS.len().to_string(), "{format}");
        for n in 0..REQUESTS.len() {
            let of = |table: &str| format!("(SELECT request FROM {table} WHERE n = {n}) AS r");
            let wanted = found(&mut db, &of("kept"), "request");
            assert_eq!(found(&mut db, &of("copy"), "request"), wanted, "{format} {n}");
        }
    }
    // Damaged on the way.
    let binary = |request: &[u8]| -> Vec<u8> {
        let mut bytes = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0\0\x02\0\0\0\x04\0\0\0\x01".to_vec();
        bytes.extend_from_slice(&i32::try_from(request.len()).unwrap().to_be_bytes());
        bytes.extend_from_slice(request);
        bytes.extend_from_slice(&[0xff, 0xff]);
        bytes
    };
    let cases: [(&[u8], &str); 6] = [
        (b"\x01{\"kind\":\"ann\",\"field\":\"e\",\"query\":\"[1,0]\"}", ""),
        (b"\x02{}", "0A000"),
        (b"\x01", "22P02"),
        (b"\x01[]", "22023"),
        (b"\x01{\"query\":\"\xff\"}", "22021"),
        (b"", "08P01"),
    ];
    for (request, code) in cases {
        let mut copy = db.copy_in("COPY copy FROM STDIN (FORMAT binary)").unwrap();
        copy.write_all(&binary(request)).unwrap();
        let error = copy.finish().err();
        assert_eq!(error.as_ref().map_or("", sqlstate), code, "{request:?}: {error:?}");
    }
}

/// A superuser can say that any bytes are a request.
const FORGE: &str = "
CREATE CAST (bytea AS search_request) WITHOUT FUNCTION;
CREATE CAST (search_request AS bytea) WITHOUT FUNCTION;
CREATE FUNCTION try(forged bytea, OUT states text[]) LANGUAGE plpgsql AS $$
DECLARE statement text; state text;
BEGIN
    FOREACH statement IN ARRAY ARRAY[
        'SELECT ($1::search_request)::text',
        'SELECT search_request_send($1::search_request)::text',
        'SELECT count(*)::text FROM vector_search(NULL::items, $1::search_request)',
        'SELECT count(*)::text FROM range_search(NULL::items, $1::search_request, 1)',
        'SELECT count(*)::text FROM grouped_search(NULL::items, $1::search_request, ''title'')',
        'SELECT vector_search_sql(NULL::items, $1::search_request)',
        'SELECT count(*)::text FROM hybrid_search(NULL::items,
            ARRAY[ann(''e'', ''[1,0]''), $1::search_request])'] LOOP
        BEGIN
            EXECUTE statement INTO state USING forged;
            state := '';
        EXCEPTION WHEN OTHERS THEN state := SQLSTATE;
        END;
        states := states || state;
    END LOOP;
END $$;
";

#[test]
fn forged_bytes_are_refused() {
    let mut db = items();
    db.batch_execute(FORGE).unwrap();
    let damaged = [
        // None, one, and a length that lies.
        "'\\x'",
        "'\\x01'",
        "'\\x0101'",
        "'\\x0101ffffffff7b7d'",
        "'\\x0101ffffff7f7b7d'",
        "'\\x0109020000007b7d'",
        "'\\x0001020000007b7d'",
        // As versions before stored a text, a `bigint` and a pointer to a value that lies apart.
        "'\\x19000000020000007b7d0000000000002400000058585858'",
        "'\\x14000000020000007b7d0000000000000000000000000000'",
        "'\\x19000000020000007b7d00000000000001120010000000100000a64000000b400000'",
    ];
    for bytes in damaged {
        let states = text(&mut db, &format!("SELECT try({bytes})")).unwrap();
        assert!(states.matches("XX001").count() == 7, "{bytes}: {states}");
    }
    // A pointer to a value that lies apart is a text like any other.
    let pointer = "SELECT try('\\x0101'::bytea || '\\x1c0000007b226b696e64223a22616e6e222c226669656c64223a2265227d'
        || '\\x0112001000000010a6400b40')";
    let states = text(&mut db, pointer).unwrap();
    assert!(!states.contains("XX000") && states.contains("XX001"), "{states}");
}

#[test]
fn random_bytes_are_read_or_refused() {
    let mut db = items();
    db.batch_execute(FORGE).unwrap();
    let pid = text(&mut db, "SELECT pg_backend_pid()");
    // Whole requests with a few bytes changed, cut off or put in; and heads with any bytes behind.
    let made: Vec<String> = REQUESTS.iter().map(|request| format!("({request})::bytea")).collect();
    db.batch_execute(&format!(
        "SELECT setseed(0.25);
        CREATE TABLE whole AS SELECT ARRAY[{}] AS made;
        CREATE TABLE forged AS
        SELECT CASE n / 9 % 4
            WHEN 0 THEN substr(w, 1, (random() * length(w))::int)
            WHEN 1 THEN set_byte(w, (random() * (length(w) - 1))::int, (random() * 255)::int)
            WHEN 2 THEN overlay(w PLACING decode(md5(n::text), 'hex')
                FROM 1 + (random() * length(w))::int FOR (random() * 8)::int)
            ELSE substr(w, 1, 6 + get_byte(w, 2)) || decode(md5(n::text), 'hex') END AS bytes
        FROM whole, generate_series(0, 899) AS n, LATERAL (SELECT made[1 + n % 9]) AS one(w);
        CREATE TABLE tried AS SELECT bytes, try(bytes) AS states FROM forged;",
        made.join(", ")
    ))
    .unwrap();
    let bad = format!(
        "SELECT string_agg(DISTINCT state, ' ') FROM tried, unnest(states) AS state
        WHERE state <> '' AND state <> ALL ('{{{}}}')",
        REFUSED.join(",")
    );
    assert_eq!(text(&mut db, &bad), None);
    // Some are requests still, and most are not.
    let counts = "SELECT count(*) FILTER (WHERE states[1] = '') > 50
        AND count(*) FILTER (WHERE states[1] <> '') > 300 FROM tried";
    assert_eq!(text(&mut db, counts).unwrap(), "t");
    assert_eq!(text(&mut db, "SELECT pg_backend_pid()"), pid);
}
