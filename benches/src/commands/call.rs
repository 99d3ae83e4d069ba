//! What searches in one call cost beside the same written by hand, and how much of what is relevant
//! they find.

use std::path::Path;
use std::time::Instant;

use pg_test::Vector;
use pico_args::Arguments;
use postgres::Client;
use serde_json::json;

use super::Command;
use crate::dataset::Dataset;
use crate::options::{Options, finish};
use crate::{Result, database, texts};

pub(super) const COMMAND: Command = Command {
    usage: "call --data DIR",
    help: "\
Measures searches in one call beside the same written by hand; what they find.
DIR has vectors and, in their order, texts (docs.tsv.gz, last column), and queries (queries.tsv.gz:
number, relevant document, row of the query's vector, text). Asks each query by vector, by words,
by both, by two vectors; in one call and by hand. The first system alone is measured.

  --rounds N           passes of all queries; the fastest counts [5]
",
    run,
};

/// Ways to ask, each by hand and in one call. `$1` and `$3` are vectors, `$2` words.
const SEARCHES: [(&str, &str, &str); 5] = [
    (
        "vector",
        "SELECT id, vector_score(v, $1, 'COSINE') FROM items
         WHERE $2::text IS NOT NULL AND $3::vector IS NOT NULL ORDER BY v <=> $1 LIMIT 10",
        "SELECT (hit).id, score FROM vector_search(NULL::items, ann('v', $1::vector))
         WHERE $2::text IS NOT NULL AND $3::vector IS NOT NULL",
    ),
    (
        "words",
        "SELECT id, ts_rank(words, $2::text::tsquery) AS score FROM items
         WHERE words @@ $2::text::tsquery AND $1::vector IS NOT NULL AND $3::vector IS NOT NULL
         ORDER BY score DESC LIMIT 10",
        "SELECT (hit).id, score FROM vector_search(NULL::items, fts('words', $2::text::tsquery))
         WHERE $1::vector IS NOT NULL AND $3::vector IS NOT NULL",
    ),
    (
        "both",
        "SELECT id, sum(rrf(rank)) AS score FROM (
             (SELECT id, row_number() OVER (ORDER BY v <=> $1) AS rank
              FROM items ORDER BY v <=> $1 LIMIT 50)
             UNION ALL
             (SELECT id, row_number() OVER (ORDER BY ts_rank(words, $2::text::tsquery) DESC)
              FROM items WHERE words @@ $2::text::tsquery
              ORDER BY ts_rank(words, $2::text::tsquery) DESC LIMIT 50)) AS legs
         WHERE $3::vector IS NOT NULL GROUP BY id ORDER BY score DESC, id LIMIT 10",
        "SELECT (hit).id, score FROM hybrid_search(NULL::items,
             ARRAY[ann('v', $1::vector, 50), fts('words', $2::text::tsquery, 50)])
         WHERE $3::vector IS NOT NULL",
    ),
    (
        "both, scores",
        "SELECT id, sum(score) AS score FROM (
             (SELECT id, 0.7 * norm_score(vector_score(v, $1, 'COSINE'), 'COSINE') AS score
              FROM items ORDER BY v <=> $1 LIMIT 50)
             UNION ALL
             (SELECT id, 0.3 * norm_score(ts_rank(words, $2::text::tsquery), 'BM25')
              FROM items WHERE words @@ $2::text::tsquery
              ORDER BY ts_rank(words, $2::text::tsquery) DESC LIMIT 50)) AS legs
         WHERE $3::vector IS NOT NULL GROUP BY id ORDER BY score DESC, id LIMIT 10",
        "SELECT (hit).id, score FROM hybrid_search(NULL::items,
             ARRAY[ann('v', $1::vector, 50), fts('words', $2::text::tsquery, 50)],
             weighted_ranker('{0.7, 0.3}'))
         WHERE $3::vector IS NOT NULL",
    ),
    (
        "two vectors",
        "SELECT id, sum(rrf(rank)) AS score FROM (
             (SELECT id, row_number() OVER (ORDER BY v <=> $1) AS rank
              FROM items ORDER BY v <=> $1 LIMIT 50)
             UNION ALL
             (SELECT id, row_number() OVER (ORDER BY v <=> $3)
              FROM items ORDER BY v <=> $3 LIMIT 50)) AS legs
         WHERE $2::text IS NOT NULL GROUP BY id ORDER BY score DESC, id LIMIT 10",
        "SELECT (hit).id, score FROM hybrid_search(NULL::items,
             ARRAY[ann('v', $1::vector, 50), ann('v', $3::vector, 50)])
         WHERE $2::text IS NOT NULL",
    ),
];

/// A query whose relevant document is known.
struct Question {
    relevant: i32,
    vector: Vector,
    words: String,
}

fn run(mut arguments: Arguments) -> Result<()> {
    let options = Options::take(&mut arguments)?;
    let rounds = arguments.opt_value_from_str("--rounds")?.unwrap_or(5);
    finish(arguments)?;
    let (run, server) = options.begin()?;
    let system = options.systems.first().ok_or("no system")?;
    let mut results = Vec::new();
    for dir in &options.data {
        let data = Dataset::open(dir, &options.selection)?;
        let mut client = database::create(&server, system, data.base.cols)?;
        load(&mut client, &data, dir)?;
        let questions = questions(&mut client, &data, dir)?;
        println!("\nPostgreSQL {}, {}: {dir}, {} rows", run.postgres, run.date, data.base.rows());
        println!(
            "{:12} {:>10} {:>10} {:>6} {:>8}",
            "search", "by hand us", "call us", "ratio", "nDCG@10"
        );
        for (name, by_hand, call) in SEARCHES {
            let [by_hand, call] = cost(&mut client, [by_hand, call], &questions, rounds)?;
            let (ratio, gain) = (call.us / by_hand.us, call.gain);
            println!("{name:12} {:10.0} {:10.0} {ratio:6.2} {gain:8.4}", by_hand.us, call.us);
            results.push(json!({
                "data": dir, "search": name, "by_hand_us": by_hand.us, "call_us": call.us,
                "ratio": ratio, "ndcg": gain, "by_hand_ndcg": by_hand.gain,
            }));
        }
        drop(client);
        database::drop(&server, system)?;
    }
    options.write_results(&run, &json!({ "results": results }))
}

fn load(client: &mut Client, data: &Dataset, dir: &str) -> Result<()> {
    database::copy(client, "items", &data.base, 0..data.base.rows())?;
    let mut texts = texts::last_column(&Path::new(dir).join("docs.tsv.gz"))?;
    texts.truncate(data.base.rows());
    let ids: Vec<i32> = (0i32..).take(texts.len()).collect();
    client.batch_execute("CREATE TEMP TABLE texts (id int, text text)")?;
    client.execute(
        "INSERT INTO texts SELECT * FROM unnest($1::int[], $2::text[])",
        &[&ids, &texts],
    )?;
    client.batch_execute(
        "CREATE TABLE whole AS SELECT id, v, to_tsvector('english', text) AS words
             FROM items JOIN texts USING (id) ORDER BY id;
         DROP TABLE items;
         ALTER TABLE whole RENAME TO items;
         ALTER TABLE items ADD PRIMARY KEY (id);
         CREATE INDEX ON items USING hnsw (v vector_cosine_ops);
         CREATE INDEX ON items USING gin (words)",
    )?;
    Ok(client.batch_execute("VACUUM ANALYZE items")?)
}

/// The queries that have a vector. Words are any of those in the text.
fn questions(client: &mut Client, data: &Dataset, dir: &str) -> Result<Vec<Question>> {
    let any = "SELECT replace(plainto_tsquery('english', $1)::text, '&', '|')";
    let mut questions = Vec::new();
    for row in texts::rows(&Path::new(dir).join("queries.tsv.gz"))? {
        let [_, relevant, vector, text] = &row[..] else {
            return Err(format!("{dir}/queries.tsv.gz has not 4 columns").into());
        };
        let (relevant, vector): (i32, i64) = (relevant.parse()?, vector.parse()?);
        let Ok(vector) = usize::try_from(vector) else { continue };
        if vector < data.queries.rows() && (relevant as usize) < data.base.rows() {
            let vector = Vector(data.queries.row(vector).to_vec());
            let words = client.query_one(any, &[text])?.get(0);
            questions.push(Question { relevant, vector, words });
        }
    }
    Ok(questions)
}

/// What a search takes and finds, on average over the queries.
#[derive(Clone, Copy)]
struct Measured {
    /// Microseconds, as the client sees them, in the fastest round.
    us: f64,
    /// Discounted gain: 1 where the relevant document comes first, 0 where it is not found.
    gain: f64,
}

/// Two ways to search take turns.
fn cost(
    client: &mut Client,
    searches: [&str; 2],
    questions: &[Question],
    rounds: usize,
) -> Result<[Measured; 2]> {
    let mut measured = [Measured { us: f64::INFINITY, gain: 0.0 }; 2];
    let statements = [client.prepare(searches[0])?, client.prepare(searches[1])?];
    for _ in 0..=rounds {
        for (statement, measured) in statements.iter().zip(&mut measured) {
            let start = Instant::now();
            let mut gain = 0.0;
            for (i, question) in questions.iter().enumerate() {
                let other = &questions[(i + 1) % questions.len()].vector;
                let (vector, words) = (&question.vector, &question.words);
                let rows = client.query(statement, &[vector, words, other])?;
                let rank = rows.iter().position(|row| row.get::<_, i32>(0) == question.relevant);
                gain += rank.map_or(0.0, |rank| 1.0 / (rank as f64 + 2.0).log2());
            }
            let count = questions.len() as f64;
            measured.us = measured.us.min(start.elapsed().as_secs_f64() * 1e6 / count);
            measured.gain = gain / count;
        }
    }
    Ok(measured)
}
