//! Writes a data set as plain files, for programs that cannot read or generate it.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use pico_args::Arguments;

use super::Command;
use crate::Result;
use crate::dataset::Dataset;
use crate::matrix::Matrix;
use crate::options::{Options, finish};

pub(super) const COMMAND: Command = Command {
    usage: "dump --data DIR --out DIR2",
    help: "\
Writes a data set as plain files, for programs that cannot read or generate it.
The files are base.fbin, query.fbin, and kth.fbin: the distance of each query's k-th true neighbor.

  --out DIR2           where to
",
    run,
};

fn run(mut arguments: Arguments) -> Result<()> {
    let options = Options::take(&mut arguments)?;
    let out: PathBuf = arguments.value_from_str("--out")?;
    finish(arguments)?;
    let [name] = &options.data[..] else { return Err("one --data at a time".into()) };
    let dataset = Dataset::open(name, &options.selection)?;
    let kth = dataset.kth().iter().map(|&distance| distance as f32).collect();
    fs::create_dir_all(&out)?;
    write(&out.join("base.fbin"), &dataset.base)?;
    write(&out.join("query.fbin"), &dataset.queries)?;
    write(&out.join("kth.fbin"), &Matrix { cols: 1, data: kth })
}

fn write(path: &Path, matrix: &Matrix<f32>) -> Result<()> {
    let mut file = BufWriter::new(fs::File::create(path)?);
    for size in [matrix.rows(), matrix.cols] {
        file.write_all(&u32::try_from(size)?.to_le_bytes())?;
    }
    for value in &matrix.data {
        file.write_all(&value.to_le_bytes())?;
    }
    Ok(file.flush()?)
}
