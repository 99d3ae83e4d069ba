//! Tables in compressed files: a head, then a row a line, columns between tabs.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;

use crate::Result;

/// The rows of a table.
pub fn rows(path: &Path) -> Result<Vec<Vec<String>>> {
    let failed = |e| format!("{}: {e}", path.display());
    let mut text = String::new();
    GzDecoder::new(File::open(path).map_err(failed)?).read_to_string(&mut text).map_err(failed)?;
    let columns = |line: &str| line.split('\t').map(str::to_owned).collect();
    Ok(text.lines().skip(1).map(columns).collect())
}

/// The last column of a table.
pub fn last_column(path: &Path) -> Result<Vec<String>> {
    Ok(rows(path)?.into_iter().filter_map(|mut row| row.pop()).collect())
}
