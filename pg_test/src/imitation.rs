//! An imitation of pgvector, for tests of the move where pgvector itself is not installed.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::{Prefix, Result};

/// What pgvector 0.8 has too, by files of our SQL.
const FILES: &[&str] = &[
    "10_vector",
    "11_halfvec",
    "20_sparsevec",
    "25_bit",
    "50_hnsw",
    "51_hnsw_dense",
    "52_hnsw_bit",
    "53_hnsw_sparsevec",
    "60_ivfflat",
];
/// What pgvector has not, by words in a statement.
const LACKING: &[&str] = &["bf16vec", "i8vec"];

/// Installs an extension `vector` 0.8 into a prefix: pgvector's types, operators and access methods
/// under the name of pgvector's library.
pub fn imitate_pgvector(prefix: &Prefix) -> Result<()> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut script = String::new();
    for file in FILES {
        let sql = fs::read_to_string(repository.join(format!("sql/0.1.0/{file}.sql")))?;
        let statements = sql.split_inclusive(";\n");
        for statement in statements.filter(|sql| !LACKING.iter().any(|word| sql.contains(word))) {
            let lines = statement.lines().filter(|line| !line.contains("sphere"));
            script.extend(lines.flat_map(|line| [line, "\n"]));
        }
    }
    fs::write(prefix.extensions().join("vector--0.8.0.sql"), script)?;
    fs::write(
        prefix.extensions().join("vector.control"),
        "default_version = '0.8.0'\nmodule_pathname = '$libdir/vector'\nrelocatable = true\ntrusted = true\n",
    )?;
    let libraries = prefix.libraries();
    Ok(symlink(libraries.join("vector_ext.so"), libraries.join("vector.so"))?)
}
