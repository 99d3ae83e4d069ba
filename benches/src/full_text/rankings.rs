//! Rankings by BM25 and by `ts_rank`: builds, quality, exactness, speed.

use std::time::Instant;

use serde::Serialize;
use serde_json::{Value, json};

use super::analyzers::{ANALYZERS, Analyzer, CONFIGURATIONS};
use super::brute::{self, Ranking};
use super::corpus::Question;
use super::indexes::{self, Index};
use super::quality::{self, Quality};
use super::session::{self, Session, Speed};
use crate::Result;
use crate::database::text;

/// Rows whose scores are compared.
const COMPARED: usize = 100;
/// Of so many queries, one is ranked by `ts_rank`.
const SAMPLED: usize = 4;

/// A ranking of all texts.
#[derive(Debug, Serialize)]
struct Ranked {
    /// What ranks.
    ranking: String,
    /// Of all queries, if they were asked.
    quality: Option<Quality>,
    /// Of the queries whose text has a dense vector.
    quality_with_vectors: Quality,
    /// Of these queries, the 10 best texts.
    speed: Speed,
    /// Pages of the index touched by a query.
    pages: Option<f64>,
    /// Greatest relative difference of a score from that without an index.
    difference: Option<f64>,
}

/// Measures all analyzers and configurations.
pub fn run(session: &mut Session<'_>, rounds: usize) -> Result<Value> {
    let (mut indexes, mut rankings) = (Vec::new(), Vec::new());
    for analyzer in &ANALYZERS {
        eprintln!("inverted, {}", analyzer.name);
        indexes.push(Index::inverted(session, analyzer)?);
        rankings.push(bm25(session, analyzer, rounds)?);
        session.client.batch_execute("DROP INDEX items_v")?;
    }
    for configuration in CONFIGURATIONS {
        eprintln!("GIN, {configuration}");
        indexes.push(Index::gin(session, configuration)?);
        rankings.push(ts_rank(session, configuration)?);
    }
    println!("\n{}", indexes::HEAD);
    indexes.iter().for_each(|index| println!("{}", index.line()));
    let (all, few) = (session.corpus.questions.len(), session.corpus.with_vectors().len());
    println!("\n{:<24} {:<31} | {few} queries", "", format!("{all} queries"));
    let head = quality::HEAD;
    println!(
        "{:<24} {head} | {head} {} {:>6} {:>10}",
        "ranking",
        session::HEAD,
        "pages",
        "difference"
    );
    rankings.iter().for_each(|ranked| println!("{}", ranked.line()));
    Ok(json!({ "indexes": indexes, "rankings": rankings }))
}

fn bm25(session: &mut Session<'_>, analyzer: &Analyzer, rounds: usize) -> Result<Ranked> {
    let search = |limit: usize| format!("SELECT id FROM items ORDER BY v <@> $1 LIMIT {limit}");
    let corpus = session.corpus;
    let few = corpus.with_vectors();
    let texts: Vec<&str> = few.iter().map(|question| &*question.text).collect();
    let [quality, quality_with_vectors] = qualities(session, &search(100), &corpus.questions)?;
    let quality = Some(quality);
    let speed = session.speed(&search(10), &texts, rounds)?;
    let pages = session.pages(&search(10), &texts)?;
    let difference = Some(difference(session, analyzer, &few)?);
    let ranking = format!("BM25, {}", analyzer.name);
    Ok(Ranked { ranking, quality, quality_with_vectors, speed, pages, difference })
}

/// `ts_rank` of a stored column with a GIN index, for rows that have any word of the query. It is slow:
/// some queries are asked, once.
fn ts_rank(session: &mut Session<'_>, configuration: &str) -> Result<Ranked> {
    session.client.batch_execute(&format!(
        "CREATE TABLE words AS SELECT id, to_tsvector('{configuration}', v) AS words FROM items;
         CREATE INDEX ON words USING gin (words)"
    ))?;
    session.client.batch_execute("VACUUM (FREEZE, ANALYZE) words")?;
    let any = format!("SELECT replace(plainto_tsquery('{configuration}', $1)::text, '&', '|')");
    let any = session.client.prepare(&any)?;
    let mut questions: Vec<Question> =
        session.corpus.with_vectors().into_iter().step_by(SAMPLED).collect();
    for question in &mut questions {
        question.text = session.client.query_one(&any, &[&question.text])?.get(0);
    }
    let search = "SELECT id FROM words WHERE words @@ $1::text::tsquery
                  ORDER BY ts_rank(words, $1::text::tsquery, 1) DESC, id LIMIT 100";
    let (start, before) = (Instant::now(), session.cpu_us()?);
    let answers = session.ids(search, &questions)?;
    let count = questions.len() as f64;
    let speed = Speed {
        qps: count / start.elapsed().as_secs_f64(),
        cpu_us: (session.cpu_us()? - before) / count,
        scan_us: None,
    };
    let rankings = questions.iter().zip(&answers);
    let quality = Quality::of(rankings.map(|(question, ids)| (question.relevant, &ids[..])));
    session.client.batch_execute("DROP TABLE words")?;
    let ranking = format!("ts_rank, {configuration}, 1 in {SAMPLED}");
    let (quality, quality_with_vectors) = (None, quality);
    Ok(Ranked { ranking, quality, quality_with_vectors, speed, pages: None, difference: None })
}

/// Of all `questions`, and of those that have a vector.
fn qualities(
    session: &mut Session<'_>,
    search: &str,
    questions: &[Question],
) -> Result<[Quality; 2]> {
    let answers = session.ids(search, questions)?;
    let all: Vec<(&Question, &[i32])> =
        questions.iter().zip(answers.iter().map(Vec::as_slice)).collect();
    let few: Vec<_> = all.iter().filter(|(question, _)| question.vector.is_some()).collect();
    Ok([
        Quality::of(all.iter().map(|(question, ids)| (question.relevant, *ids))),
        Quality::of(few.iter().map(|(question, ids)| (question.relevant, *ids))),
    ])
}

/// The greatest relative difference between scores and those that are computed without an index.
fn difference(
    session: &mut Session<'_>,
    analyzer: &Analyzer,
    questions: &[Question],
) -> Result<f64> {
    let (corpus, client) = (session.corpus, &mut session.client);
    let ranking = Ranking::new(brute::tokens(client, &corpus.texts, analyzer.option)?);
    let texts: Vec<String> = questions.iter().map(|question| question.text.clone()).collect();
    let queries = brute::tokens(client, &texts, analyzer.option)?;
    let search = format!("SELECT id, -(v <@> $1) FROM items ORDER BY v <@> $1 LIMIT {COMPARED}");
    let search = client.prepare(&search)?;
    let mut greatest: f64 = 0.0;
    for (text_asked, query) in texts.iter().zip(&queries) {
        let rows = client.query(&search, &[text_asked]).map_err(|e| text(&e))?;
        let found: Vec<(i32, f64)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        greatest = greatest.max(ranking.difference(query, &found, COMPARED));
    }
    Ok(greatest)
}

impl Ranked {
    fn line(&self) -> String {
        let Self { ranking, quality, quality_with_vectors, speed, pages, difference } = self;
        let pages = pages.map_or("-".to_owned(), |pages| format!("{pages:.1}"));
        let difference = difference.map_or("-".to_owned(), |greatest| format!("{greatest:.1e}"));
        format!(
            "{ranking:<24} {:<31} | {} {} {pages:>6} {difference:>10}",
            quality.map_or_else(String::new, |quality| quality.columns()),
            quality_with_vectors.columns(),
            speed.columns()
        )
    }
}
