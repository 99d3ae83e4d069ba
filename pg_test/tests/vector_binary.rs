//! The binary form of `vector`, byte by byte, and `COPY` in that form.

use std::io::{Read, Write};

use pg_test::{TestDb, Vector, message, sqlstate};

/// A `COPY BINARY` file of one row with one field of these bytes.
fn copy_file(field: &[u8]) -> Vec<u8> {
    let mut file = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0".to_vec();
    file.extend(1u16.to_be_bytes());
    file.extend(u32::try_from(field.len()).unwrap().to_be_bytes());
    file.extend(field);
    file.extend(u16::MAX.to_be_bytes());
    file
}

fn copy_in(db: &mut TestDb, table: &str, field: &[u8]) -> Result<u64, postgres::Error> {
    let mut writer = db.copy_in(&format!("COPY {table} FROM STDIN (FORMAT binary)"))?;
    writer.write_all(&copy_file(field)).unwrap();
    writer.finish()
}

/// dims, unused and elements as the wire has them.
fn wire(dims: u16, unused: u16, elements: &[f32]) -> Vec<u8> {
    let mut bytes = [dims.to_be_bytes(), unused.to_be_bytes()].concat();
    bytes.extend(elements.iter().flat_map(|x| x.to_be_bytes()));
    bytes
}

#[test]
fn send_writes_these_bytes() {
    let mut db = TestDb::new();
    for (literal, bytes) in [
        ("[1,-2.5,3e-5]", "\\x000300003f800000c020000037fba882"),
        ("[0]", "\\x0001000000000000"),
        ("[-0]", "\\x0001000080000000"),
        ("[1e-45]", "\\x0001000000000001"),
        ("[3.4028235e38]", "\\x000100007f7fffff"),
    ] {
        let query = format!("SELECT vector_send('{literal}')::text");
        let sent: String = db.query_one(&query, &[]).unwrap().get(0);
        assert_eq!(sent, bytes, "{literal}");
    }
}

#[test]
fn values_come_back_bit_for_bit() {
    let mut db = TestDb::new();
    db.batch_execute("CREATE TABLE t (id int, v vector)").unwrap();
    let mut bits = 0x1234_5678u32;
    for n in [1usize, 2, 3, 31, 32, 33, 1_000, 16_000] {
        let elements: Vec<f32> = std::iter::repeat_with(|| {
            bits = bits.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f32::from_bits(bits)
        })
        .filter(|x| x.is_finite())
        .take(n)
        .collect();
        let vector = Vector(elements);
        let sql = "INSERT INTO t VALUES ($1, $2) RETURNING v";
        let stored: Vector = db.query_one(sql, &[&(n as i32), &vector]).unwrap().get(0);
        assert_eq!(stored, vector);
        // Text, too, reads back to the same number.
        let sql = "SELECT v::text::vector FROM t WHERE id = $1";
        let read: Vector = db.query_one(sql, &[&(n as i32)]).unwrap().get(0);
        assert_eq!(read, vector);
    }
}

#[test]
fn copy_binary_round_trip() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE a (v vector(3));
         CREATE TABLE b (v vector(3));
         INSERT INTO a VALUES ('[0,0,0]'), ('[1,-2.5,3e-5]'), (NULL)",
    )
    .unwrap();
    let mut file = Vec::new();
    let mut reader = db.copy_out("COPY a TO STDOUT (FORMAT binary)").unwrap();
    reader.read_to_end(&mut file).unwrap();
    drop(reader);
    let mut writer = db.copy_in("COPY b FROM STDIN (FORMAT binary)").unwrap();
    writer.write_all(&file).unwrap();
    assert_eq!(writer.finish().unwrap(), 3);
    let same = "SELECT count(*) FROM (TABLE a EXCEPT ALL TABLE b) AS missing";
    assert_eq!(db.query_one(same, &[]).unwrap().get::<_, i64>(0), 0);
}

#[test]
fn receive_refuses() {
    let mut db = TestDb::new();
    db.batch_execute("CREATE TABLE t (v vector); CREATE TABLE t3 (v vector(3))").unwrap();
    let no_dims = "vector must have at least 1 dimension";
    let too_many = "vector cannot have more than 16000 dimensions";
    let cases: [(&str, Vec<u8>, &str, &str); 14] = [
        ("t", vec![], "08P01", "insufficient data left in message"),
        ("t", vec![0, 1, 0], "08P01", "insufficient data left in message"),
        ("t", wire(0, 0, &[]), "22000", no_dims),
        ("t", wire(0, 1, &[]), "22000", no_dims),
        ("t", wire(16_001, 0, &[]), "54000", too_many),
        ("t", wire(0xffff, 0, &[]), "54000", too_many),
        ("t3", wire(2, 7, &[1.0, 2.0]), "22000", "expected 3 dimensions, not 2"),
        ("t", wire(1, 7, &[1.0]), "22000", "expected unused to be 0, not 7"),
        ("t", wire(1, 0xffff, &[1.0]), "22000", "expected unused to be 0, not 65535"),
        ("t", wire(2, 0, &[1.0]), "08P01", "insufficient data left in message"),
        ("t", wire(16_000, 0, &[1.0]), "08P01", "insufficient data left in message"),
        ("t", wire(2, 0, &[1.0, f32::NAN]), "22000", "NaN not allowed in vector"),
        ("t", wire(1, 0, &[-f32::INFINITY]), "22000", "infinite value not allowed in vector"),
        ("t", wire(1, 0, &[1.0, 2.0]), "22P03", "incorrect binary data format"),
    ];
    for (table, field, code, text) in cases {
        let error = copy_in(&mut db, table, &field).unwrap_err();
        assert_eq!((sqlstate(&error), message(&error).as_str()), (code, text), "{field:?}");
    }
    assert_eq!(copy_in(&mut db, "t3", &wire(3, 0, &[1.0, 2.0, 3.0])).unwrap(), 1);
}
