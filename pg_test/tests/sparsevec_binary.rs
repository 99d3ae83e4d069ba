//! The binary form of `sparsevec`, byte by byte, and `COPY` in that form.

use std::io::{Read, Write};

use pg_test::{TestDb, message, sqlstate};

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

/// dims, nnz, unused, indices and values as the wire has them.
fn wire(header: [i32; 3], indices: &[i32], values: &[f32]) -> Vec<u8> {
    let numbers = header.iter().chain(indices).map(|n| n.to_be_bytes());
    numbers.chain(values.iter().map(|x| x.to_be_bytes())).flatten().collect()
}

#[test]
fn send_writes_these_bytes() {
    let mut db = TestDb::new();
    for (literal, bytes) in [
        ("{1:1.5,3:-2}/5", "\\x00000005000000020000000000000000000000023fc00000c0000000"),
        ("{}/1", "\\x000000010000000000000000"),
        ("{1000000000:1e-45}/1000000000", "\\x3b9aca0000000001000000003b9ac9ff00000001"),
    ] {
        let query = format!("SELECT sparsevec_send('{literal}')::text");
        let sent: String = db.query_one(&query, &[]).unwrap().get(0);
        assert_eq!(sent, bytes, "{literal}");
    }
}

#[test]
fn values_come_back_bit_for_bit() {
    let mut db = TestDb::new();
    db.batch_execute("CREATE TABLE t (v sparsevec)").unwrap();
    let mut bits = 0x1234_5678u32;
    for n in [0usize, 1, 2, 3, 31, 1_000, 16_000] {
        let values: Vec<f32> = std::iter::repeat_with(|| {
            bits = bits.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f32::from_bits(bits)
        })
        .filter(|x| x.is_finite() && *x != 0.0)
        .take(n)
        .collect();
        let indices: Vec<i32> = (0..n as i32).map(|i| i * 62_500 + i % 7).collect();
        let field = wire([1_000_000_000, n as i32, 0], &indices, &values);
        db.batch_execute("TRUNCATE t").unwrap();
        assert_eq!(copy_in(&mut db, "t", &field).unwrap(), 1);
        // Text, too, reads back to the same numbers.
        let query = "SELECT sparsevec_send(v), sparsevec_send(v::text::sparsevec) FROM t";
        let row = db.query_one(query, &[]).unwrap();
        assert_eq!(row.get::<_, Vec<u8>>(0), field);
        assert_eq!(row.get::<_, Vec<u8>>(1), field);
    }
}

#[test]
fn copy_binary_round_trip() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE a (v sparsevec(3));
         CREATE TABLE b (v sparsevec(3));
         INSERT INTO a VALUES ('{}/3'), ('{1:1,2:-2.5,3:3e-5}/3'), (NULL)",
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
    db.batch_execute("CREATE TABLE t (v sparsevec); CREATE TABLE t3 (v sparsevec(3))").unwrap();
    let cut = ("08P01", "insufficient data left in message");
    let data = |text| ("22000", text);
    let limit = |text| ("54000", text);
    let no_dims = data("sparsevec must have at least 1 dimension");
    let too_many = limit("sparsevec cannot have more than 1000000000 dimensions");
    let negative = data("sparsevec cannot have negative number of elements");
    let non_zeros = limit("sparsevec cannot have more than 16000 non-zero elements");
    let more = limit("sparsevec cannot have more elements than dimensions");
    let bounds = data("sparsevec index out of bounds");
    let order = data("sparsevec indices must be in ascending order");
    let duplicates = data("sparsevec indices must not contain duplicates");
    let zero = data("binary representation of sparsevec cannot contain zero values");
    let nan = data("NaN not allowed in sparsevec");
    let infinite = data("infinite value not allowed in sparsevec");
    let cases = [
        ("t", vec![], cut),
        ("t", wire([1, 0, 0], &[], &[])[..11].to_vec(), cut),
        ("t", wire([0, -1, 1], &[], &[]), no_dims),
        ("t", wire([i32::MIN, 0, 0], &[], &[]), no_dims),
        ("t", wire([1_000_000_001, -1, 0], &[], &[]), too_many),
        ("t", wire([i32::MAX, 0, 0], &[], &[]), too_many),
        ("t3", wire([2, -1, 1], &[], &[]), negative),
        ("t", wire([9, i32::MIN, 0], &[], &[]), negative),
        ("t", wire([9, 16_001, 0], &[], &[]), non_zeros),
        ("t", wire([9, i32::MAX, 0], &[], &[]), non_zeros),
        ("t3", wire([2, 3, 7], &[], &[]), more),
        ("t3", wire([2, 1, 7], &[5], &[0.0]), data("expected 3 dimensions, not 2")),
        ("t", wire([2, 1, 7], &[5], &[0.0]), data("expected unused to be 0, not 7")),
        ("t", wire([2, 1, -1], &[0], &[1.0]), data("expected unused to be 0, not -1")),
        ("t", wire([2, 1, 0], &[], &[]), cut),
        ("t", wire([2, 1, 0], &[2], &[f32::NAN]), bounds),
        ("t", wire([2, 1, 0], &[-1], &[1.0]), bounds),
        ("t", wire([2, 1, 0], &[i32::MIN], &[1.0]), bounds),
        ("t", wire([3, 2, 0], &[1, 0], &[1.0, 1.0]), order),
        ("t", wire([3, 2, 0], &[1, 1], &[1.0, 1.0]), duplicates),
        ("t", wire([3, 2, 0], &[0, 3], &[1.0, 1.0]), bounds),
        ("t", wire([3, 2, 0], &[0, 1], &[1.0]), cut),
        ("t", wire([3, 2, 0], &[0, 1], &[0.0]), zero),
        ("t", wire([3, 2, 0], &[0, 1], &[-0.0, f32::NAN]), zero),
        ("t", wire([3, 2, 0], &[0, 1], &[1.0, f32::NAN]), nan),
        ("t", wire([3, 1, 0], &[0], &[-f32::INFINITY]), infinite),
        ("t", wire([3, 1, 0], &[0], &[1.0, 2.0]), ("22P03", "incorrect binary data format")),
    ];
    for (table, field, (code, text)) in cases {
        let error = copy_in(&mut db, table, &field).unwrap_err();
        assert_eq!((sqlstate(&error), message(&error).as_str()), (code, text), "{field:?}");
    }
    assert_eq!(copy_in(&mut db, "t3", &wire([3, 2, 0], &[0, 2], &[1.0, 2.0])).unwrap(), 1);
}
