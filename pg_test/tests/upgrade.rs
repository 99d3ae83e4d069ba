//! Released versions: their SQL and formats do not change, and a database of theirs works with today's
//! library, before and after `ALTER EXTENSION vector_ext UPDATE`.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt, symlink};
use std::path::{Path, PathBuf};

use flate2::Crc;
use pg_test::every_index::{Index, ROWS, create_all, sound, work};
use pg_test::{Cluster, Prefix, TestDb, hint, members, message, sqlstate, text};
use postgres::Client;

/// A version that users have.
struct Release {
    version: &'static str,
    /// What scripts/test-upgrade.sh builds.
    #[expect(dead_code, reason = "read by a script")]
    commit: &'static str,
    /// CRC-32 of its SQL.
    sql: u32,
    /// Files of indexes that its library wrote, and their CRC-32.
    stored: &'static [(&'static str, u32)],
}

const RELEASES: [Release; 1] = [Release {
    version: "0.1.0",
    commit: "18f142eb8f164201b2bed252746b48ee92bc14f7",
    sql: 0x3F5E_4ED3,
    stored: &[
        ("graph/tests/stored/bits.gz", 0xEF45_7900),
        ("graph/tests/stored/bytes.gz", 0xC763_DE6B),
        ("graph/tests/stored/floats.gz", 0xE137_F5AC),
        ("graph/tests/stored/halves.gz", 0xA354_C3AA),
        ("graph/tests/stored/rabitq.gz", 0x2057_4222),
        ("graph/tests/stored/sparse.gz", 0xBFE0_C8E4),
        ("graph/tests/stored/sq8.gz", 0xC4F0_A134),
        ("inverted/tests/stored/frequencies.gz", 0xA8FD_4BDF),
        ("inverted/tests/stored/weights.gz", 0x186E_C954),
        ("ivf/tests/stored/bits.gz", 0x35A9_EE5E),
        ("ivf/tests/stored/none.gz", 0xF8D0_8CEC),
        ("ivf/tests/stored/rabitq.gz", 0x5449_AC6C),
        ("ivf/tests/stored/sq8.gz", 0xB071_1C00),
    ],
}];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

fn checksum(paths: &[PathBuf]) -> u32 {
    let mut crc = Crc::new();
    paths.iter().for_each(|path| crc.update(&fs::read(path).unwrap()));
    crc.sum()
}

#[test]
fn what_was_released_does_not_change() {
    for Release { version, sql, stored, .. } in RELEASES {
        let folder = fs::read_dir(repository().join("sql").join(version)).unwrap();
        let mut files: Vec<_> = folder.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let changes =
            format!("sql/{version} was released: changes of it belong to the next version");
        assert_eq!(checksum(&files), sql, "{changes}");
        for &(file, sum) in stored {
            let path = repository().join("crates").join(file);
            assert_eq!(checksum(&[path]), sum, "{file} is an index that {version} wrote");
        }
    }
}

#[test]
fn files_name_the_same_version() {
    for (file, line) in [
        ("vector_ext.control", "default_version = '$'"),
        ("Cargo.toml", "version = \"$\""),
        ("META.json", "   \"version\": \"$\","),
        ("META.json", "         \"version\": \"$\""),
    ] {
        let line = line.replace('$', env!("CARGO_PKG_VERSION"));
        let text = fs::read_to_string(repository().join(file)).unwrap();
        assert!(text.lines().any(|other| other == line), "{file}: {line}");
    }
}

fn version(client: &mut Client) -> String {
    text(client, "SELECT extversion FROM pg_extension WHERE extname = 'vector_ext'").unwrap()
}

fn update(client: &mut Client) {
    client.batch_execute("ALTER EXTENSION vector_ext UPDATE").unwrap();
    assert_eq!(version(client), env!("CARGO_PKG_VERSION"));
    assert_eq!(members(client, "vector_ext"), members(&mut TestDb::new(), "vector_ext"));
}

#[test]
fn sql_of_every_release_is_updated_to_todays() {
    for Release { version: old, .. } in RELEASES {
        let mut db = TestDb::without_extension();
        db.batch_execute(&format!("CREATE EXTENSION vector_ext VERSION '{old}'")).unwrap();
        assert_eq!(version(&mut db), old);
        let indexes = create_all(&mut db);
        work(&mut db, &indexes, 201);
        update(&mut db);
        work(&mut db, &indexes, 251);
    }
}

#[test]
fn dumps_of_every_release_are_restored() {
    for Release { version: old, .. } in RELEASES {
        let mut db = TestDb::without_extension();
        db.batch_execute(&format!("CREATE EXTENSION vector_ext VERSION '{old}'")).unwrap();
        let indexes = create_all(&mut db);
        db.batch_execute("DROP FUNCTION more").unwrap();
        for (format, jobs) in [("custom", "1"), ("directory", "2"), ("schema", "1")] {
            let path = db.cluster().data_dir().with_file_name(format!("{}.{format}", db.name()));
            let run = |program: &str, args: &[&str]| {
                let mut program = db.cluster().program(program);
                assert!(program.args(args).arg(&path).status().unwrap().success(), "{format}");
            };
            let what: &[&str] = match format {
                "schema" => &["--format=custom", "--schema-only"],
                "custom" => &["--format=custom"],
                _ => &["--format=directory", "--jobs=2"],
            };
            run("pg_dump", &[&["--dbname", db.name()], what, &["--file"]].concat());
            let mut copy = TestDb::without_extension();
            run("pg_restore", &["--exit-on-error", "--jobs", jobs, "--dbname", copy.name()]);
            assert_eq!(version(&mut copy), env!("CARGO_PKG_VERSION"));
            let definitions = "SELECT string_agg(indexdef, ';' ORDER BY indexname) FROM pg_indexes
                WHERE schemaname = 'public' AND to_regclass(format('%I.%I', schemaname, tablename)) NOT IN
                    (SELECT objid FROM pg_depend WHERE classid = 'pg_class'::regclass AND deptype = 'e')";
            assert_eq!(text(&mut copy, definitions), text(&mut db, definitions), "{format}");
            if format == "schema" {
                copy.batch_execute(&format!(
                    "CREATE FUNCTION {}",
                    ROWS.split("CREATE FUNCTION ").nth(1).unwrap()
                ))
                .unwrap();
                copy.batch_execute("INSERT INTO rows SELECT * FROM more(1, 200)").unwrap();
                for Index { table, .. } in &indexes {
                    copy.batch_execute(&format!("INSERT INTO {table} SELECT * FROM rows")).unwrap();
                }
            }
            sound(&mut copy, &indexes);
        }
    }
}

/// Writes an older version, which this library refuses, or damage into a page of an index.
fn write_byte(server: &Cluster, file: &str, at: u64, byte: u8) {
    let file = File::options().write(true).open(server.data_dir().join(file)).unwrap();
    file.write_all_at(&[byte], at).unwrap();
}

#[test]
fn an_update_names_the_indexes_that_are_to_be_rebuilt() {
    /// Where a page has the version of its format.
    const VERSION: u64 = 8192 - 16 + 9;
    // From 18 on, checksums are there by default and would tell of other bytes before we do.
    let server = Cluster::new("retired", &[("ignore_checksum_failure", "on")]).unwrap();
    let mut client = server.connect().unwrap();
    client
        .batch_execute(
            "CREATE EXTENSION vector_ext VERSION '0.1.0'; CREATE SCHEMA \"My schema\";
            CREATE TABLE t (id int, v vector(2), body text);
            INSERT INTO t SELECT n, ARRAY[n, 0], 'word' || n FROM generate_series(1, 20) n;
            CREATE TABLE \"My schema\".u (LIKE t);
            CREATE INDEX kept ON t USING hnsw (v vector_l2_ops);
            CREATE INDEX damaged ON t USING ivf (v);
            CREATE INDEX words ON t USING inverted (body);
            CREATE INDEX \"My index\" ON \"My schema\".u USING ivfflat (v) WITH (lists = 1)",
        )
        .unwrap();
    let old = ["\"My schema\".\"My index\"", "public.words"];
    let mut file = |index: &str| {
        text(&mut client, &format!("SELECT pg_relation_filepath('{index}')")).unwrap()
    };
    let (files, damaged) = (old.map(&mut file), file("damaged"));
    drop(client);
    server.stop().unwrap();
    files.iter().for_each(|file| write_byte(&server, file, VERSION, 1));
    write_byte(&server, &damaged, VERSION - 1, 99);
    server.start().unwrap();

    let mut client = server.connect().unwrap();
    let error = client.batch_execute("ALTER EXTENSION vector_ext UPDATE").unwrap_err();
    assert_eq!(sqlstate(&error), "0A000");
    let expected = "indexes have a format that this version of vector_ext does not support: \
        \"My schema\".\"My index\", public.words";
    assert_eq!(message(&error), expected);
    let commands =
        hint(&error).strip_prefix("Rebuild them, then update again: ").unwrap().to_owned();
    let reindex = old.map(|index| format!("REINDEX INDEX CONCURRENTLY {index};")).join(" ");
    assert_eq!(commands, reindex);
    assert_eq!(version(&mut client), "0.1.0");
    let search = "SET enable_seqscan = off; SELECT id FROM t ORDER BY body <@> 'word7' LIMIT 1";
    let error = client.batch_execute(search).unwrap_err();
    assert_eq!(message(&error), "index public.words has format version 1, which is not supported");

    for command in commands.split_inclusive(';') {
        client.batch_execute(command).unwrap();
    }
    client.batch_execute("ALTER EXTENSION vector_ext UPDATE").unwrap();
    assert_eq!(version(&mut client), env!("CARGO_PKG_VERSION"));
    client.batch_execute(search).unwrap();
}

/// What `folder` has of vector_ext becomes that of another folder.
fn replace(folder: &Path, by: &Path) {
    let ours = |folder: &Path| -> Vec<_> {
        let entries = fs::read_dir(folder).unwrap().flatten();
        entries
            .filter(|entry| entry.file_name().to_string_lossy().starts_with("vector_ext"))
            .collect()
    };
    ours(folder).iter().for_each(|entry| fs::remove_file(entry.path()).unwrap());
    ours(by)
        .iter()
        .for_each(|entry| symlink(entry.path(), folder.join(entry.file_name())).unwrap());
}

#[test]
#[ignore = "needs libraries of released versions: make test-upgrade"]
fn indexes_of_every_release_go_on() {
    for release in RELEASES {
        let sources = repository().join("target/upgrade").join(release.version);
        let (prefix, today) = (Prefix::new("upgrade").unwrap(), Prefix::new("today").unwrap());
        let install = ["--old-file=build", "install", "PROFILE=dev", "CARGO_TARGET_DIR=target"];
        prefix.make_in(&sources, &install).unwrap();
        let server = Cluster::in_prefix(&prefix, "upgrade", &[]).unwrap();
        let mut client = server.connect().unwrap();
        client.batch_execute("CREATE EXTENSION vector_ext").unwrap();
        let library = "SELECT version FROM vector_ext_info()";
        assert_eq!(text(&mut client, library).unwrap(), release.version);
        let indexes = create_all(&mut client);
        work(&mut client, &indexes, 201);
        drop(client);
        server.stop().unwrap();

        replace(&prefix.libraries(), &today.libraries());
        replace(&prefix.extensions(), &today.extensions());
        server.start().unwrap();
        let mut client = server.connect().unwrap();
        assert_eq!(text(&mut client, library).unwrap(), env!("CARGO_PKG_VERSION"));
        assert_eq!(version(&mut client), release.version);
        work(&mut client, &indexes, 251);
        update(&mut client);
        work(&mut client, &indexes, 301);
        client.batch_execute("REINDEX DATABASE postgres").unwrap();
        sound(&mut client, &indexes);
    }
}
