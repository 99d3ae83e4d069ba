//! A full disk ends builds and inserts with PostgreSQL's error, and nothing is lost.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use pg_test::{Cluster, index_problems, message, skipped, sqlstate, text};
use postgres::{Client, Error};

/// A small file system, gone with this.
struct Disk(PathBuf);

impl Disk {
    /// None for users who cannot mount.
    fn new(server: &Cluster) -> Option<Self> {
        let folder = server.data_dir().with_file_name("disk");
        fs::create_dir(&folder).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=1536k", "tmpfs"]).arg(&folder);
        if !mount.output().is_ok_and(|output| output.status.success()) {
            return None;
        }
        let disk = Self(folder);
        assert!(Command::new("chown").arg("postgres").arg(&disk.0).status().unwrap().success());
        Some(disk)
    }

    fn resize(&self, size: &str) {
        let mut mount = Command::new("mount");
        mount.args(["-o", &format!("remount,size={size}")]).arg(&self.0);
        assert!(mount.status().unwrap().success());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // A server may still have files open there.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

const TABLE: &str = "
    CREATE EXTENSION vector_ext;
    CREATE TABLE t (id int, v vector(128), body text) WITH (autovacuum_enabled = off);
    CREATE PROCEDURE fill(first int, last int) LANGUAGE sql AS $$
        INSERT INTO t SELECT n, ARRAY(SELECT sin(n * d) FROM generate_series(1, 128) d)::vector,
            (SELECT string_agg('word' || n * d % 5003, ' ') FROM generate_series(1, 120) d)
        FROM generate_series(first, last) n $$;
    CALL fill(1, 6000);
    SET client_min_messages = error";

#[track_caller]
fn is_full(result: Result<(), Error>) {
    let error = result.expect_err("there is no room");
    assert_eq!(sqlstate(&error), "53100", "{}", message(&error));
}

/// The index is sound and finds a row.
#[track_caller]
fn sound(client: &mut Client, search: &str) {
    assert_eq!(index_problems(client, "i").unwrap(), [""; 0]);
    assert_eq!(text(client, search).as_deref(), Some("7"));
}

#[test]
fn a_full_disk_ends_statements_and_nothing_else() {
    let server = Cluster::new("full", &[]).unwrap();
    let Some(disk) = Disk::new(&server) else {
        return skipped("this user cannot mount a file system");
    };
    let mut client = server.connect().unwrap();
    client.batch_execute(TABLE).unwrap();
    let tablespace = format!("CREATE TABLESPACE small LOCATION '{}'", disk.0.display());
    client.batch_execute(&tablespace).unwrap();
    let nearest = "SELECT id FROM t ORDER BY v <-> (SELECT v FROM t WHERE id = 7) LIMIT 1";
    let ranked = "SELECT count(*) FILTER (WHERE id = 7) * 7 FROM
        (SELECT id FROM t WHERE text_match(body, 'word7')) AS found";
    for (index, search) in [
        ("hnsw (v vector_l2_ops)", nearest),
        ("ivf (v)", nearest),
        ("ivfflat (v) WITH (lists = 5)", nearest),
        ("inverted (body)", ranked),
    ] {
        let create = format!("CREATE INDEX i ON t USING {index}");
        // No room for the index, nor for the file of its build.
        is_full(client.batch_execute(&format!("{create} TABLESPACE small")));
        client
            .batch_execute("SET maintenance_work_mem = '1MB'; SET temp_tablespaces = small")
            .unwrap();
        is_full(client.batch_execute(&create));
        client.batch_execute("RESET maintenance_work_mem; RESET temp_tablespaces").unwrap();

        client.batch_execute("TRUNCATE t; CALL fill(1, 200)").unwrap();
        client.batch_execute(&format!("{create} TABLESPACE small")).unwrap();
        let mut last = 200;
        let insert = |last: i32| format!("CALL fill({}, {})", last + 1, last + 500);
        while client.batch_execute(&insert(last)).is_ok() {
            last += 500;
            assert!(last < 40_000, "{index}");
        }
        is_full(client.batch_execute(&insert(last)));
        let count = text(&mut client, "SELECT count(*) FROM t").unwrap();
        assert_eq!(count, last.to_string(), "{index}");
        sound(&mut client, search);
        client.batch_execute("DELETE FROM t WHERE id % 2 = 0").unwrap();
        let vacuum = client.batch_execute("VACUUM t");
        // It makes a segment of the documents that were inserted.
        if index.starts_with("inverted") {
            is_full(vacuum);
            sound(&mut client, search);
            disk.resize("16m");
            client.batch_execute("VACUUM t").unwrap();
        } else {
            vacuum.unwrap();
        }
        sound(&mut client, search);
        client.batch_execute("CALL fill(50000, 50010)").unwrap();
        sound(&mut client, search);
        client.batch_execute("DROP INDEX i").unwrap();
        client.batch_execute("TRUNCATE t; CALL fill(1, 6000)").unwrap();
    }
    assert!(!server.has_crashed(), "{}", server.log());
    client.batch_execute("DROP TABLESPACE small").unwrap();
}
