//! The access method `ivf`: what it does that `ivfflat` leaves to its user.

use pg_test::{KINDS, Search, TestDb, index_problems, refusal, text};
use postgres::Client;

/// Rows of each table.
const ROWS: i32 = 3_000;
/// Operators with a class.
const OPERATORS: [&str; 4] = ["<->", "<#>", "<=>", "<~>"];

fn property(db: &mut Client, name: &str) -> Option<String> {
    text(db, &format!("SELECT max(value) FROM vector_index_info('i') WHERE property = '{name}'"))
}

#[test]
fn every_type_finds_most_in_exact_order_without_a_setting() {
    let mut db = TestDb::new();
    for kind in KINDS.iter().filter(|kind| kind.name != "sparsevec") {
        kind.create_table(&mut db, "");
        kind.insert(&mut db, 0..ROWS);
        for (class, operator) in kind.classes.iter().filter(|class| OPERATORS.contains(&class.1)) {
            let create = format!("CREATE INDEX i ON t USING ivf (v {class})");
            db.batch_execute(&create).unwrap();
            assert_eq!(property(&mut db, "lists").as_deref(), Some("54"), "{class}");
            assert_eq!(index_problems(&mut db, "i").unwrap(), [""; 0], "{class}");
            let nearest = Search { operator, condition: "true", limit: 10 };
            let recall = kind.recall(&mut db, &nearest);
            let rare = Search { operator, condition: "id % 50 = 0", limit: 40 };
            let of_rare = kind.recall(&mut db, &rare);
            println!("{class}: recall {recall}, of rare rows {of_rare}");
            assert!(of_rare >= 0.93, "{class}: recall of rare rows {of_rare}");
            assert!(recall >= 0.9, "{class}: recall {recall}");
            for condition in ["true", "id % 50 = 0"] {
                let search = Search { operator, condition, limit: 40 };
                for found in kind.search(&mut db, &search, true) {
                    assert!(found.is_sorted(), "{class}: {found:?}");
                }
            }
            db.batch_execute("DROP INDEX i").unwrap();
        }
    }
}

#[test]
fn the_target_decides_how_many_lists_are_read() {
    let mut db = TestDb::new();
    let kind = &KINDS[0];
    kind.create_table(&mut db, "");
    kind.insert(&mut db, 0..ROWS);
    db.batch_execute("CREATE INDEX i ON t USING ivf (v vector_l2_ops)").unwrap();
    let wanted = ["0.9", "0.95", "0.99"].map(|recall| {
        let probes = property(&mut db, &format!("probes for recall {recall}"));
        probes.unwrap().parse::<u32>().unwrap()
    });
    assert!(wanted.is_sorted() && wanted[0] > 1 && wanted[2] <= 54, "{wanted:?}");
    let nearest = Search { operator: "<->", condition: "true", limit: 10 };
    let mut recall = |settings: &str| {
        db.batch_execute(settings).unwrap();
        kind.recall(&mut db, &nearest)
    };
    let few = recall("SET ivf.probes = 1; SET ivf.iterative_scan = off");
    let most = recall("RESET ivf.probes; SET vector_ext.target_recall = 0.99");
    assert!(few < 0.8 && most >= 0.95, "{few}, {most}");
}

#[test]
fn empty_and_small_tables_have_indexes() {
    let mut db = TestDb::new();
    let kind = &KINDS[0];
    kind.create_table(&mut db, "");
    db.batch_execute("CREATE INDEX i ON t USING ivf (v vector_l2_ops)").unwrap();
    let all = || Search { operator: "<->", condition: "true", limit: 1_000 };
    assert_eq!(kind.search(&mut db, &all(), true)[0], [0.0; 0]);
    kind.insert(&mut db, 0..200);
    // In strict order, rows that are met too late are left out.
    db.batch_execute("SET ivf.iterative_scan = relaxed_order").unwrap();
    assert_eq!(kind.search(&mut db, &all(), true)[0].len(), 200);
    kind.insert(&mut db, 200..ROWS);
    assert_eq!(property(&mut db, "lists").as_deref(), Some("1"));
    db.batch_execute("VACUUM t").unwrap();
    assert_ne!(property(&mut db, "lists").as_deref(), Some("1"));
    assert_ne!(property(&mut db, "probes for recall 0.95"), None);
    assert!(kind.recall(&mut db, &Search { limit: 10, ..all() }) >= 0.93);
    db.batch_execute("DELETE FROM t WHERE id >= 200").unwrap();
    // A build counts deleted rows that any transaction may still see: they go with the table's file.
    db.batch_execute("CREATE TABLE few AS TABLE t; TRUNCATE t; INSERT INTO t TABLE few").unwrap();
    db.batch_execute("REINDEX INDEX i").unwrap();
    assert_eq!(property(&mut db, "lists").as_deref(), Some("14"));
    assert_eq!(property(&mut db, "probes for recall 0.95"), None);
    assert_eq!(kind.recall(&mut db, &Search { limit: 10, ..all() }), 1.0);
}

#[test]
fn options_decide_and_are_checked() {
    let mut db = TestDb::new();
    let kind = &KINDS[0];
    kind.create_table(&mut db, "");
    kind.insert(&mut db, 0..100);
    db.batch_execute("CREATE INDEX i ON t USING ivf (v) WITH (lists = 5, quantization = none)")
        .unwrap();
    assert_eq!(property(&mut db, "lists").as_deref(), Some("5"));
    assert_eq!(property(&mut db, "bits per code").as_deref(), Some("0"));
    db.batch_execute("ALTER INDEX i RESET (lists, quantization); REINDEX INDEX i").unwrap();
    assert_eq!(property(&mut db, "lists").as_deref(), Some("10"));
    assert_ne!(property(&mut db, "bits per code").as_deref(), Some("0"));
    for (statement, code, message) in [
        (
            "CREATE INDEX ON t USING ivf (v) WITH (lists = 32769)",
            "22023",
            "value 32769 out of bounds for option \"lists\"",
        ),
        (
            "CREATE INDEX ON t USING ivf (v) WITH (quantization = pq)",
            "22023",
            "invalid value for enum option \"quantization\": pq",
        ),
        (
            "CREATE INDEX ON t USING ivf ((B'101'::bit(3)) bit_hamming_ops) WITH (quantization = sq8)",
            "0A000",
            "quantization \"sq8\" is not supported for bit strings",
        ),
        (
            "SET ivf.probes = -1",
            "22023",
            "-1 is outside the valid range for parameter \"ivf.probes\" (0 .. 32768)",
        ),
    ] {
        let (found, text, _) = refusal(&mut db, statement);
        assert_eq!((found.as_str(), text.as_str()), (code, message), "{statement}");
    }
}
