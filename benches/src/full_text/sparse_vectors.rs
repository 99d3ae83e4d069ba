//! Sparse vectors in an inverted index, which is exact, beside a graph.

use std::collections::HashSet;

use serde::Serialize;

use super::corpus::Corpus;
use super::session::{HEAD, Session, Speed};
use crate::Result;
use crate::build::Timed;
use crate::options::Options;
use crate::server::Server;
use crate::sparse::{Kind, Sparse, Vocabulary, load, product, to_text};

/// Rows, at most.
const ROWS: usize = 50_000;
/// Elements of a query: those with the largest weights.
const ELEMENTS: usize = 32;
/// Rows asked for.
const K: usize = 10;

const SEARCH: &str = "SELECT id FROM items ORDER BY v <#> $1::text::sparsevec LIMIT 10";

/// An index, asked at one width.
#[derive(Debug, Serialize)]
struct Measured {
    /// The index.
    index: String,
    /// Its build.
    #[serde(flatten)]
    timed: Timed,
    /// Bytes a row.
    bytes: f64,
    /// Bytes of a value, on average.
    value_bytes: f64,
    /// Share of the rows found that are among the best.
    recall: f64,
    /// Searches.
    speed: Speed,
    /// Pages of the index touched by a query.
    pages: Option<f64>,
}

/// Compares `inverted` with `hnsw` at several widths.
pub fn run(
    server: &Server,
    corpus: &Corpus,
    options: &Options,
    rounds: usize,
) -> Result<Vec<impl Serialize>> {
    let texts = &corpus.texts[..corpus.texts.len().min(ROWS)];
    let vocabulary = Vocabulary::new(texts.iter().map(String::as_str));
    let dims = vocabulary.dims();
    let vector = |text: &str| vocabulary.vector(text, Kind::Expanded);
    let rows: Vec<Sparse> = texts.iter().map(|text| vector(text)).collect();
    let questions = corpus.with_vectors();
    let queries: Vec<Sparse> =
        questions.iter().map(|question| strongest(vector(&question.text))).collect();
    let asked: Vec<String> = queries.iter().map(|query| to_text(query, dims)).collect();
    let truth = best(&rows, &queries, dims);

    let mut session = Session::empty(server, corpus, options, &format!("sparsevec({dims})"))?;
    load(&mut session.client, &rows, dims)?;
    session.client.batch_execute("VACUUM (FREEZE, ANALYZE) items")?;
    let value = "SELECT avg(pg_column_size(v))::float8 FROM items";
    let value_bytes: f64 = session.client.query_one(value, &[])?.get(0);
    let average = |vectors: &[Sparse]| {
        vectors.iter().map(Vec::len).sum::<usize>() as f64 / vectors.len() as f64
    };
    println!(
        "\n{} sparse vectors of {:.0} elements ({value_bytes:.0} bytes), {} queries of {:.0}\n\
         {:<20} {:>8} {:>7} {:>9} {:>7} {HEAD} {:>6}",
        rows.len(),
        average(&rows),
        queries.len(),
        average(&queries),
        "index",
        "build s",
        "cpu s",
        "bytes/row",
        "recall",
        "pages"
    );
    let mut lines = Vec::new();
    for (method, class, efs) in
        [("inverted", "", &[0][..]), ("hnsw", "sparsevec_ip_ops", &[40, 100, 200])]
    {
        let timed =
            session.build(&format!("CREATE INDEX items_v ON items USING {method} (v {class})"))?;
        let bytes = session.bytes("items_v")? as f64 / rows.len() as f64;
        for &ef in efs {
            let mut index = method.to_owned();
            if ef > 0 {
                session.client.batch_execute(&format!("SET hnsw.ef_search = {ef}"))?;
                index += &format!(", ef {ef}");
            }
            let found = session.ids_with(SEARCH, &asked)?;
            let recall = recall(&rows, &queries, &truth, &found);
            let pages = session.pages(SEARCH, &asked)?;
            let speed = session.speed(SEARCH, &asked, rounds)?;
            let line = Measured { index, timed, bytes, value_bytes, recall, speed, pages };
            println!("{}", line.text());
            lines.push(line);
        }
        session.client.batch_execute("DROP INDEX items_v")?;
    }
    Ok(lines)
}

/// The elements with the largest weights.
fn strongest(mut vector: Sparse) -> Sparse {
    vector.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    vector.truncate(ELEMENTS);
    vector.sort_by_key(|element| element.0);
    vector
}

/// For each query, how many rows should be found, and the least product of them.
fn best(rows: &[Sparse], queries: &[Sparse], dims: usize) -> Vec<(usize, f64)> {
    let mut postings: Vec<Sparse> = vec![Vec::new(); dims];
    for (number, row) in (0..).zip(rows) {
        row.iter().for_each(|&(index, weight)| postings[index as usize].push((number, weight)));
    }
    let best = |query: &Sparse| {
        let mut products = vec![0.0; rows.len()];
        for &(index, weight) in query {
            for &(row, other) in &postings[index as usize] {
                products[row as usize] += f64::from(weight) * f64::from(other);
            }
        }
        products.retain(|&product| product > 0.0);
        products.sort_unstable_by(|a, b| b.total_cmp(a));
        products.truncate(K);
        (products.len(), products.last().copied().unwrap_or_default())
    };
    queries.iter().map(best).collect()
}

fn recall(rows: &[Sparse], queries: &[Sparse], truth: &[(usize, f64)], found: &[Vec<i32>]) -> f64 {
    let (mut hits, mut wanted) = (0, 0);
    for ((query, &(count, least)), ids) in queries.iter().zip(truth).zip(found) {
        let ids: HashSet<&i32> = ids.iter().collect();
        let is_hit = |&&&id: &&&i32| product(query, &rows[id as usize]) >= least * (1.0 - 1e-5);
        hits += ids.iter().filter(is_hit).count().min(count);
        wanted += count;
    }
    hits as f64 / wanted.max(1) as f64
}

impl Measured {
    fn text(&self) -> String {
        let Self { index, timed, bytes, recall, speed, pages, .. } = self;
        let Timed { build_s, build_cpu_s } = timed;
        let cpu = build_cpu_s.map_or("-".to_owned(), |cpu| format!("{cpu:.1}"));
        let pages = pages.map_or("-".to_owned(), |pages| format!("{pages:.0}"));
        let speed = speed.columns();
        format!("{index:<20} {build_s:>8.1} {cpu:>7} {bytes:>9.0} {recall:>7.4} {speed} {pages:>6}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_are_found() {
        let rows = vec![vec![(0, 1.0), (2, 2.0)], vec![(1, 1.0)], vec![(2, 1.0)]];
        let queries = vec![vec![(2, 3.0)], vec![(1, 1.0)]];
        let truth = best(&rows, &queries, 3);
        assert_eq!(truth, [(2, 3.0), (1, 1.0)]);
        assert_eq!(recall(&rows, &queries, &truth, &[vec![0, 2], vec![1]]), 1.0);
        assert_eq!(recall(&rows, &queries, &truth, &[vec![0, 0], vec![2]]), 1.0 / 3.0);
        let many = (0..100).map(|i| (i, i as f32)).collect();
        assert_eq!(strongest(many)[0], (68, 68.0));
    }
}
