//! The SQL of the vector types is what its templates give. Needs no server.

use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn the_committed_sql_is_that_of_the_templates() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let written = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sql_types");
    if written.exists() {
        fs::remove_dir_all(&written).unwrap();
    }
    fs::create_dir_all(&written).unwrap();
    let script = repository.join("scripts/sql-types.sh");
    assert!(Command::new(script).arg(&written).status().unwrap().success());

    let committed = repository.join("sql/0.1.0");
    let files: Vec<_> = fs::read_dir(&written).unwrap().map(|entry| entry.unwrap()).collect();
    assert_eq!(files.len(), 12);
    for name in files.iter().map(|file| file.file_name()) {
        let [template, sql] =
            [&written, &committed].map(|folder| fs::read_to_string(folder.join(&name)).unwrap());
        let line = (1..).zip(template.lines().zip(sql.lines())).find(|(_, (a, b))| a != b);
        assert!(
            template == sql,
            "{name:?} differs from scripts/sql-types.sh at line {line:?}: run it, commit its files"
        );
    }
}
