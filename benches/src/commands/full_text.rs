//! Full text and sparse vectors in inverted indexes.

use pico_args::Arguments;
use serde_json::{Map, Value, json};

use super::Command;
use crate::Result;
use crate::full_text::{Corpus, Extent, Part};
use crate::options::{Options, finish, list};

pub(super) const COMMAND: Command = Command {
    usage: "full-text --data DIR",
    help: "\
Measures full text and sparse vectors: quality, exactness, speed, size, inserts.
DIR has texts (docs.tsv.gz, last column), queries (queries.tsv.gz: number, relevant text, row of the
query's vector, text), and vectors of the first texts. A private server is measured, and the first
system alone.

  --parts A,B          rankings   by analyzer, beside GIN and ts_rank
                       inserts    of single rows, beside GIN
                       fresh      searches among new rows, before and after VACUUM
                       hybrid     merged with dense vectors
                       sparse     sparse vectors, beside hnsw  [all]
  --rounds N           passes of all queries; the least processor time counts [5]
  --inserts N          rows inserted                    [100000]
  --fresh A,B,...      numbers of new rows              [0,100,1000,10000,100000]
",
    run,
};

fn run(mut arguments: Arguments) -> Result<()> {
    let options = Options::take_with(&mut arguments, "vector_ext")?;
    let parts: Vec<Part> = list(&mut arguments, "--parts", "rankings,inserts,fresh,hybrid,sparse")?;
    let extent = Extent {
        rounds: arguments.opt_value_from_str("--rounds")?.unwrap_or(5),
        inserts: arguments.opt_value_from_str("--inserts")?.unwrap_or(100_000),
        fresh: list(&mut arguments, "--fresh", "0,100,1000,10000,100000")?,
    };
    finish(arguments)?;
    if options.data.is_empty() {
        return Err("--data DIR is missing: see --help".into());
    }
    let (run, server) = options.begin()?;
    println!("{}", run.heading());
    let mut results = Vec::new();
    for dir in &options.data {
        let corpus = Corpus::read(dir, &options.selection)?;
        println!("\n{dir}: {} texts", corpus.texts.len());
        let mut measured = Map::new();
        for part in &parts {
            measured.insert(part.name().to_owned(), part.run(&server, &corpus, &options, &extent)?);
        }
        measured.insert("data".to_owned(), json!(dir));
        measured.insert("rows".to_owned(), json!(corpus.texts.len()));
        results.push(Value::Object(measured));
    }
    options.drop_databases(&server)?;
    options.write_results(&run, &json!({ "results": results }))
}
