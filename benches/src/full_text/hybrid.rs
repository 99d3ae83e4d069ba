//! Rankings by BM25 merged with those of dense vectors.

use pg_test::Vector;
use serde::Serialize;

use super::analyzers::{ENGLISH, MILVUS_ENGLISH, STANDARD};
use super::corpus::{Corpus, Question};
use super::quality::{HEAD, Quality};
use super::session::Session;
use crate::Result;
use crate::database::{self, text};
use crate::dataset::Dataset;
use crate::options::Options;
use crate::server::Server;

/// Searches of a vector `$1` and words `$2`. A search that ranks by words is made for each analyzer.
const SEARCHES: [(&str, &str); 6] = [
    ("dense", "vector_search(NULL::items, ann('v', $1::vector), k => 100) WHERE $2::text <> ''"),
    (
        "BM25",
        "vector_search(NULL::items, bm25('body', $2::text), k => 100) WHERE $1::vector IS NOT NULL",
    ),
    (
        "RRF, legs of 10",
        "hybrid_search(NULL::items, ARRAY[ann('v', $1::vector, 10), bm25('body', $2::text, 10)],
                       rrf_ranker(60), k => 100)",
    ),
    (
        "RRF",
        "hybrid_search(NULL::items, ARRAY[ann('v', $1::vector, 100), bm25('body', $2::text, 100)],
                       rrf_ranker(60), k => 100)",
    ),
    (
        "weighted",
        "hybrid_search(NULL::items, ARRAY[ann('v', $1::vector, 100), bm25('body', $2::text, 100)],
                       weighted_ranker('{0.5, 0.5}'), k => 100)",
    ),
    (
        "min-max",
        "hybrid_search(NULL::items, ARRAY[ann('v', $1::vector, 100), bm25('body', $2::text, 100)],
                       min_max_ranker('{0.5, 0.5}'), k => 100)",
    ),
];

/// A way to merge.
#[derive(Debug, Serialize)]
struct Merged {
    /// The analyzer.
    analyzer: &'static str,
    /// The search.
    search: &'static str,
    /// What it finds.
    quality: Quality,
    /// Processor time of the server for a query, in microseconds.
    cpu_us: f64,
}

/// Measures all searches with each analyzer, on the texts that have dense vectors.
pub fn run(server: &Server, corpus: &Corpus, options: &Options) -> Result<Vec<impl Serialize>> {
    let data = Dataset::open(&corpus.dir.to_string_lossy(), &options.selection)?;
    let (base, dims) = (&data.base, data.base.cols);
    let mut session = Session::empty(server, corpus, options, &format!("vector({dims})"))?;
    let body = |row: usize| corpus.texts[row].replace('\\', "\\\\");
    let rows = base.rows().min(corpus.texts.len());
    database::copy_with(&mut session.client, base, rows, "body text NOT NULL", body)?;
    let hnsw = session.system.create_index(data.metric, rows);
    session.build(&hnsw)?;
    session.client.batch_execute("VACUUM (FREEZE, ANALYZE) items")?;
    // All but exact.
    session.client.batch_execute("SET hnsw.ef_search = 400")?;

    let questions = corpus.with_vectors();
    let asked: Vec<(Vector, &Question)> = questions
        .iter()
        .filter_map(|question| {
            let vector = question.vector.filter(|&vector| vector < data.queries.rows())?;
            Some((Vector(data.queries.row(vector).to_vec()), question))
        })
        .collect();
    println!(
        "\n{:<18} {:<16} {HEAD}  cpu us    ({rows} texts, {} queries)",
        "analyzer",
        "search",
        asked.len()
    );
    let mut lines = Vec::new();
    for analyzer in [STANDARD, MILVUS_ENGLISH, ENGLISH] {
        session.build(&analyzer.create_index("body", true))?;
        for (search, call) in SEARCHES {
            let (quality, cpu_us) = ask(&mut session, call, &asked)?;
            let line = Merged { analyzer: analyzer.name, search, quality, cpu_us };
            println!("{:<18} {search:<16} {} {cpu_us:>7.0}", analyzer.name, quality.columns());
            lines.push(line);
        }
        session.client.batch_execute("DROP INDEX items_body")?;
    }
    Ok(lines)
}

/// What `call` finds, and its processor time; all queries are asked once before.
fn ask(
    session: &mut Session<'_>,
    call: &str,
    asked: &[(Vector, &Question)],
) -> Result<(Quality, f64)> {
    let search = format!("SELECT (hit).id FROM {call}");
    let statement = session.client.prepare(&search).map_err(|e| text(&e))?;
    let (mut answers, mut cpu_us) = (Vec::new(), 0.0);
    for _ in 0..2 {
        answers.clear();
        let before = session.cpu_us()?;
        for (vector, question) in asked {
            let rows = session.client.query(&statement, &[vector, &question.text]);
            let rows = rows.map_err(|e| text(&e))?;
            answers.push(rows.iter().map(|row| row.get(0)).collect::<Vec<i32>>());
        }
        cpu_us = (session.cpu_us()? - before) / asked.len() as f64;
    }
    let relevant = asked.iter().map(|(_, question)| question.relevant);
    let rankings = relevant.zip(answers.iter().map(Vec::as_slice));
    Ok((Quality::of(rankings), cpu_us))
}
