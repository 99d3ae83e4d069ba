//! The binary form of the dense types, byte by byte, and `COPY` in that form.

use std::io::{Read, Write};

use half::{bf16, f16};
use pg_test::{DENSE_TYPES, TestDb, Vector, message, sqlstate};

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

/// dims, unused and elements as the wire has them for a type.
fn wire(sql_type: &str, dims: u16, unused: u16, elements: &[f32]) -> Vec<u8> {
    let mut bytes = [dims.to_be_bytes(), unused.to_be_bytes()].concat();
    for &x in elements {
        match sql_type {
            "halfvec" => bytes.extend(f16::from_f32(x).to_be_bytes()),
            "bf16vec" => bytes.extend(bf16::from_f32(x).to_be_bytes()),
            "i8vec" => bytes.push(x as i8 as u8),
            _ => bytes.extend(x.to_be_bytes()),
        }
    }
    bytes
}

#[test]
fn send_writes_these_bytes() {
    let mut db = TestDb::new();
    for (t, literal, bytes) in [
        ("vector", "[1,-2.5,3e-5]", "\\x000300003f800000c020000037fba882"),
        ("vector", "[0]", "\\x0001000000000000"),
        ("vector", "[-0]", "\\x0001000080000000"),
        ("vector", "[1e-45]", "\\x0001000000000001"),
        ("vector", "[3.4028235e38]", "\\x000100007f7fffff"),
        ("halfvec", "[1,-2.5,65504]", "\\x000300003c00c1007bff"),
        ("halfvec", "[-0,6e-8]", "\\x0002000080000001"),
        ("bf16vec", "[1,-2.5,3e-5]", "\\x000300003f80c02037fc"),
        ("bf16vec", "[-0,1e-40,3.3895314e38]", "\\x00030000800000017f7f"),
        ("i8vec", "[1,-2,127,-128]", "\\x0004000001fe7f80"),
    ] {
        let query = format!("SELECT {t}_send('{literal}')::text");
        let sent: String = db.query_one(&query, &[]).unwrap().get(0);
        assert_eq!(sent, bytes, "{t} {literal}");
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

/// Every finite element of the narrow types.
#[test]
fn narrow_values_come_back_bit_for_bit() {
    let mut db = TestDb::new();
    let halves = |infinity: u16| {
        let all = (0..=u16::MAX).filter(move |bits| bits & 0x7fff < infinity);
        all.flat_map(u16::to_be_bytes).collect::<Vec<u8>>()
    };
    for (t, width, bytes) in [
        ("halfvec", 2, halves(0x7c00)),
        ("bf16vec", 2, halves(0x7f80)),
        ("i8vec", 1, (0..=u8::MAX).collect()),
    ] {
        db.batch_execute(&format!("CREATE TABLE of_{t} (v {t})")).unwrap();
        for part in bytes.chunks(width * 16_000) {
            let dims = u16::try_from(part.len() / width).unwrap();
            let field = [&dims.to_be_bytes(), [0, 0].as_slice(), part].concat();
            copy_in(&mut db, &format!("of_{t}"), &field).unwrap();
            // And by way of text.
            let query = format!(
                "SELECT {t}_send(v), {t}_send(v::text::{t}), {t}_send(v::vector::{t})
                 FROM of_{t}; "
            );
            let row = db.query_one(&query, &[]).unwrap();
            for column in 0..3 {
                assert!(row.get::<_, &[u8]>(column) == field, "{t} {column}");
            }
            db.batch_execute(&format!("TRUNCATE of_{t}")).unwrap();
        }
    }
}

#[test]
fn copy_binary_round_trip() {
    let mut db = TestDb::new();
    for t in DENSE_TYPES {
        db.batch_execute(&format!(
            "DROP TABLE IF EXISTS a, b;
             CREATE TABLE a (v {t}(3));
             CREATE TABLE b (v {t}(3));
             INSERT INTO a VALUES ('[0,0,0]'), ('[1,-2,3]'), (NULL)"
        ))
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
}

#[test]
fn receive_refuses() {
    let mut db = TestDb::new();
    for t in DENSE_TYPES {
        db.batch_execute(&format!(
            "DROP TABLE IF EXISTS t, t3; CREATE TABLE t (v {t}); CREATE TABLE t3 (v {t}(3))"
        ))
        .unwrap();
        let no_dims = format!("{t} must have at least 1 dimension");
        let too_many = format!("{t} cannot have more than 16000 dimensions");
        let truncated = "insufficient data left in message";
        for (table, field, code, text) in [
            ("t", vec![], "08P01", truncated),
            ("t", vec![0, 1, 0], "08P01", truncated),
            ("t", wire(t, 0, 0, &[]), "22000", &no_dims),
            ("t", wire(t, 0, 1, &[]), "22000", &no_dims),
            ("t", wire(t, 16_001, 0, &[]), "54000", &too_many),
            ("t", wire(t, 0xffff, 0, &[]), "54000", &too_many),
            ("t3", wire(t, 2, 7, &[1.0, 2.0]), "22000", "expected 3 dimensions, not 2"),
            ("t", wire(t, 1, 7, &[1.0]), "22000", "expected unused to be 0, not 7"),
            ("t", wire(t, 1, 0xffff, &[1.0]), "22000", "expected unused to be 0, not 65535"),
            ("t", wire(t, 2, 0, &[1.0]), "08P01", truncated),
            ("t", wire(t, 16_000, 0, &[1.0]), "08P01", truncated),
            ("t", wire(t, 1, 0, &[1.0, 2.0]), "22P03", "incorrect binary data format"),
        ] {
            let error = copy_in(&mut db, table, &field).unwrap_err();
            assert_eq!((sqlstate(&error), message(&error).as_str()), (code, text), "{field:?}");
        }
        if t != "i8vec" {
            for (number, text) in [
                (f32::NAN, format!("NaN not allowed in {t}")),
                (-f32::INFINITY, format!("infinite value not allowed in {t}")),
            ] {
                let error = copy_in(&mut db, "t", &wire(t, 2, 0, &[1.0, number])).unwrap_err();
                assert_eq!((sqlstate(&error), message(&error)), ("22000", text));
            }
        }
        assert_eq!(copy_in(&mut db, "t3", &wire(t, 3, 0, &[1.0, 2.0, 3.0])).unwrap(), 1);
    }
}
