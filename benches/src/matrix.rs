//! Binary matrices: `u32` rows, `u32` columns, then row-major values, little endian, plain or gzip.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use half::f16;

use crate::Result;

/// A row-major matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix<T> {
    /// Number of values in a row.
    pub cols: usize,
    /// `rows * cols` values.
    pub data: Vec<T>,
}

impl<T> Matrix<T> {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.data.len() / self.cols
    }

    /// Row `i`.
    pub fn row(&self, i: usize) -> &[T] {
        &self.data[i * self.cols..(i + 1) * self.cols]
    }
}

/// Reads at most `limit` rows of a `.fbin`, `.f16bin` or `.u8bin` file (with or without `.gz`),
/// widened to `f32`.
pub fn read_vectors(path: &Path, limit: Option<usize>) -> Result<Matrix<f32>> {
    match element(path) {
        "fbin" => read(path, limit, |b: [u8; 4]| f32::from_le_bytes(b)),
        "f16bin" => read(path, limit, |b: [u8; 2]| f16::from_le_bytes(b).to_f32()),
        "u8bin" => read(path, limit, |[b]: [u8; 1]| f32::from(b)),
        other => Err(format!(
            "{}: unknown kind of vectors \"{other}\": fbin, f16bin, u8bin are known",
            path.display()
        )
        .into()),
    }
}

/// The file's kind: its last extension before `.gz`.
fn element(path: &Path) -> &str {
    let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
    let name = name.strip_suffix(".gz").unwrap_or(name);
    name.rsplit_once('.').map_or("", |(_, kind)| kind)
}

/// The number of rows that the header of `path` states.
pub fn rows_in(path: &Path) -> Result<usize> {
    Ok(open(path)?.1[0])
}

/// Opens `path` behind its header; returns the header's rows and columns too.
fn open(path: &Path) -> Result<(Box<dyn Read>, [usize; 2])> {
    let file = File::open(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let file = BufReader::with_capacity(1 << 20, file);
    let mut input: Box<dyn Read> = if path.extension().is_some_and(|e| e == "gz") {
        Box::new(BufReader::with_capacity(1 << 20, MultiGzDecoder::new(file)))
    } else {
        Box::new(file)
    };
    let mut header = [[0; 4]; 2];
    fill(&mut *input, header.as_flattened_mut(), path, || "no complete header".into())?;
    Ok((input, header.map(|word| u32::from_le_bytes(word) as usize)))
}

/// Fills `buffer`; a file that ends before is called truncated, with `what` as the reason.
fn fill(
    input: &mut dyn Read,
    buffer: &mut [u8],
    path: &Path,
    what: impl Fn() -> String,
) -> Result<()> {
    input.read_exact(buffer).map_err(|e| {
        let truncated = e.kind() == ErrorKind::UnexpectedEof;
        let reason = if truncated { format!("truncated: {}", what()) } else { e.to_string() };
        format!("{}: {reason}", path.display()).into()
    })
}

fn read<const N: usize>(
    path: &Path,
    limit: Option<usize>,
    decode: fn([u8; N]) -> f32,
) -> Result<Matrix<f32>> {
    let (mut input, [rows, cols]) = open(path)?;
    let width = cols.checked_mul(N).filter(|&width| width > 0 && width <= 1 << 20);
    let width = width.ok_or_else(|| format!("{}: {cols} columns in a row", path.display()))?;

    let wanted = limit.map_or(rows, |limit| limit.min(rows));
    let mut row = vec![0; width];
    let mut data = Vec::new();
    for i in 0..wanted {
        fill(&mut *input, &mut row, path, || {
            format!("its header says {rows} rows of {cols}, it ends in row {i}")
        })?;
        data.extend(row.as_chunks::<N>().0.iter().map(|&value| decode(value)));
    }
    if wanted == rows && input.read(&mut row)? != 0 {
        return Err(format!("{}: longer than the {rows} rows of its header", path.display()).into());
    }
    Ok(Matrix { cols, data })
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::path::PathBuf;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    /// A file in a directory of its own, removed on drop.
    struct Temp(PathBuf);

    impl Temp {
        fn new(name: &str, bytes: &[u8]) -> Self {
            let dir = std::env::temp_dir().join(format!("matrix-{}-{name}", std::process::id()));
            std::fs::create_dir_all(&dir).unwrap();
            let path = dir.join(name);
            if name.ends_with(".gz") {
                let mut gz = GzEncoder::new(File::create(&path).unwrap(), Compression::fast());
                gz.write_all(bytes).unwrap();
                gz.finish().unwrap();
            } else {
                std::fs::write(&path, bytes).unwrap();
            }
            Self(path)
        }
    }

    impl Drop for Temp {
        fn drop(&mut self) {
            std::fs::remove_dir_all(self.0.parent().unwrap()).unwrap();
        }
    }

    fn file(rows: u32, cols: u32, values: &[u8]) -> Vec<u8> {
        [&rows.to_le_bytes()[..], &cols.to_le_bytes(), values].concat()
    }

    #[test]
    fn reads_each_kind_plain_and_gzip() {
        let f32s: Vec<u8> =
            [1.5f32, -2.0, 0.25, 4.0].iter().flat_map(|v| v.to_le_bytes()).collect();
        let f16s: Vec<u8> =
            [1.5, -2.0, 0.25, 4.0].iter().flat_map(|&v| f16::from_f32(v).to_le_bytes()).collect();
        for suffix in ["", ".gz"] {
            for (kind, values) in [("fbin", &f32s), ("f16bin", &f16s)] {
                let temp = Temp::new(&format!("a.{kind}{suffix}"), &file(2, 2, values));
                let matrix = read_vectors(&temp.0, None).unwrap();
                assert_eq!((matrix.rows(), matrix.cols), (2, 2));
                assert_eq!(matrix.row(1), [0.25, 4.0]);
            }
            let temp = Temp::new(&format!("a.u8bin{suffix}"), &file(2, 3, &[0, 1, 2, 3, 4, 255]));
            assert_eq!(read_vectors(&temp.0, None).unwrap().row(1), [3.0, 4.0, 255.0]);
        }
    }

    #[test]
    fn limit_takes_the_first_rows() {
        let temp = Temp::new("limit.u8bin.gz", &file(3, 1, &[1, 2, 3]));
        assert_eq!(read_vectors(&temp.0, Some(2)).unwrap().data, [1.0, 2.0]);
        assert_eq!(read_vectors(&temp.0, Some(9)).unwrap().data, [1.0, 2.0, 3.0]);
    }

    #[test]
    fn damaged_files_are_named() {
        let error = |temp: &Temp| read_vectors(&temp.0, None).unwrap_err().to_string();
        for name in ["cut.u8bin", "cut.u8bin.gz"] {
            let text = error(&Temp::new(name, &file(3, 2, &[1, 2, 3])));
            assert!(text.contains(name), "{text}");
            assert!(text.contains("truncated: its header says 3 rows of 2, it ends in row 1"));
        }
        let text = error(&Temp::new("header.fbin", &[1, 2, 3]));
        assert!(text.contains("truncated: no complete header"), "{text}");
        let text = error(&Temp::new("long.u8bin", &file(1, 1, &[1, 2])));
        assert!(text.contains("longer than the 1 rows"), "{text}");
        let text = error(&Temp::new("wide.fbin", &file(1, u32::MAX, &[])));
        assert!(text.contains("columns in a row"), "{text}");
        let text = error(&Temp::new("name.npy", &[]));
        assert!(text.contains("unknown kind"), "{text}");
    }

    #[test]
    fn a_cut_gzip_stream_is_truncated_too() {
        let whole = Temp::new("whole.u8bin.gz", &file(200, 1, &(0..200).collect::<Vec<u8>>()));
        let bytes = std::fs::read(&whole.0).unwrap();
        let cut = Temp::new("stream.u8bin", &[]);
        let path = cut.0.with_extension("u8bin.gz");
        std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        let text = read_vectors(&path, None).unwrap_err().to_string();
        assert!(text.contains("truncated"), "{text}");
    }
}
