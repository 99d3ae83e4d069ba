//! SQL declares the functions of the library as they are: all of them, with their number of arguments,
//! and `STRICT` unless they take NULL. The library has a table of them, see src/pg/signature.rs.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use pg_test::TestDb;

/// Bytes of an entry: call convention, number of arguments, whether it takes NULL, name.
const ENTRY: usize = 64;
const CALL_CONVENTION: usize = 4;

struct Signature {
    arguments: i16,
    takes_null: bool,
}

/// The functions that the library exports, by their names.
fn library(db: &mut TestDb) -> BTreeMap<String, Signature> {
    let path =
        "SELECT setting || '/vector_ext.so' FROM pg_catalog.pg_config() WHERE name = 'PKGLIBDIR'";
    let path: String = db.query_one(path, &[]).unwrap().get(0);
    let table = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}.functions", db.name()));
    // Of the package binutils, as is the linker.
    let mut objcopy = Command::new("objcopy");
    objcopy.args(["-O", "binary", "--only-section=vector_ext_functions", &path]).arg(&table);
    assert!(objcopy.status().unwrap().success());
    let bytes = fs::read(&table).unwrap();
    fs::remove_file(&table).unwrap();
    let entry = |bytes: &[u8]| {
        let [arguments, takes_null, name @ ..] = &bytes[CALL_CONVENTION..] else { unreachable!() };
        let name = String::from_utf8(name.to_vec()).unwrap().trim_end_matches('\0').to_owned();
        let arguments = i16::from(*arguments);
        (name, Signature { arguments, takes_null: *takes_null == 1 })
    };
    bytes.chunks_exact(ENTRY).map(entry).collect()
}

/// Volatility and parallel safety of a function, as `pg_proc` abbreviates them.
fn behavior(name: &str) -> (&'static str, &'static str) {
    const SEARCHES: [&str; 4] =
        ["vector_search", "grouped_search", "range_search", "hybrid_search"];
    match name {
        // These read pages of an index, or shared memory, which change within a statement.
        "vector_index_info" | "vector_index_check" | "vector_index_counters" => ("v", "u"),
        "vector_scan_stats" => ("v", "r"),
        // These run statements, under the snapshot of the caller. A search makes settings, which
        // a worker process cannot; recall also acts as another user.
        "vector_index_recall" => ("s", "u"),
        name if SEARCHES.contains(&name.trim_end_matches("_sql")) => ("s", "r"),
        // A request names types of the catalog; the CPU is that of the server.
        "ann" | "bm25" | "fts" | "vector_ext_info" => ("s", "s"),
        // Text-search configurations change.
        "run_analyzer" | "highlight" => ("s", "s"),
        name if name.starts_with("search_request_") => ("s", "s"),
        // These call a model, with the connections of the session.
        "rerank"
        | "model_score"
        | "embed_text"
        | "embed_texts"
        | "embed_image"
        | "embed_images"
        | "embed_pending_count" => ("s", "r"),
        // These write.
        "embed_column" | "embed_pending" | "embed_stale" => ("v", "u"),
        // Only PostgreSQL calls them; declared as those of pgvector are.
        "vector_ext_model_validator" => ("v", "u"),
        name if name.ends_with("handler") => ("v", "u"),
        name if ["hnsw_", "ivf_", "inverted_"].iter().any(|method| name.starts_with(method)) => {
            ("v", "u")
        }
        // These read pages of an index, which may be temporary.
        "bm25_text_distance" | "bm25_texts_distance" | "text_satisfies" | "texts_satisfy" => {
            ("s", "r")
        }
        "bm25_unresolved_distance" | "text_condition_unresolved" | "text_condition_selectivity" => {
            ("s", "s")
        }
        // All others compute with their arguments.
        _ => ("i", "s"),
    }
}

/// What differs between the catalog and the library.
fn faults(db: &mut TestDb) -> Vec<String> {
    let query = "SELECT p.prosrc, p.pronargs, p.proisstrict, p.provolatile::text, p.proparallel::text,
            p.proargtypes[0] = 'internal'::regtype AS is_internal
        FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang AND l.lanname = 'c'
        JOIN pg_depend AS d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
        JOIN pg_extension AS e ON e.oid = d.refobjid AND e.extname = 'vector_ext'
        ORDER BY p.prosrc COLLATE \"C\"";
    let library = library(db);
    let mut undeclared: Vec<&str> = library.keys().map(String::as_str).collect();
    let mut faults = Vec::new();
    for row in db.query(query, &[]).unwrap() {
        let name: String = row.get(0);
        let Some(signature) = library.get(&name) else {
            faults.push(format!("{name}: not in the library"));
            continue;
        };
        undeclared.retain(|&undeclared| undeclared != name);
        let (arguments, is_strict): (i16, bool) = (row.get(1), row.get(2));
        // A handler or a support function of an access method does not look at its argument.
        let looks_away = signature.arguments == 0 && arguments == 1 && row.get(5);
        if arguments != signature.arguments && !looks_away {
            faults.push(format!("{name}: {arguments} arguments, not {}", signature.arguments));
        }
        if signature.arguments > 0 && is_strict == signature.takes_null {
            faults.push(format!("{name}: strict {is_strict}"));
        }
        let declared: (&str, &str) = (row.get(3), row.get(4));
        if declared != behavior(&name) {
            faults.push(format!("{name}: {declared:?}, not {:?}", behavior(&name)));
        }
    }
    // Only scripts that update call it, and drop it.
    undeclared.retain(|&name| name != "vector_index_format");
    faults.extend(undeclared.into_iter().map(|name| format!("{name}: not in SQL")));
    faults
}

#[test]
fn sql_declares_every_function_as_the_library_has_it() {
    let mut db = TestDb::new();
    assert!(library(&mut db).len() > 250);
    assert_eq!(faults(&mut db), [""; 0]);
}

#[test]
fn what_differs_is_noticed() {
    let mut db = TestDb::new();
    db.batch_execute(
        "ALTER FUNCTION vector_add(vector, vector) CALLED ON NULL INPUT;
         ALTER FUNCTION fts(text, tsquery, int, text) STRICT;
         ALTER FUNCTION vector_sub(vector, vector) STABLE PARALLEL RESTRICTED;
         UPDATE pg_proc SET prosrc = 'vector_dims' WHERE proname = 'vector_mul';
         UPDATE pg_proc SET prosrc = 'vector_most' WHERE proname = 'vector_concat'",
    )
    .unwrap();
    assert_eq!(
        faults(&mut db),
        [
            "fts: strict true",
            "vector_add: strict false",
            "vector_dims: 2 arguments, not 1",
            "vector_most: not in the library",
            "vector_sub: (\"s\", \"r\"), not (\"i\", \"s\")",
            "vector_concat: not in SQL",
            "vector_mul: not in SQL",
        ]
    );
}
