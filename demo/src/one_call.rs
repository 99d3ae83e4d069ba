//! Searches in one call: filtered, hybrid, grouped.

use pg_test::Result;
use postgres::{Client, Row};

use crate::terminal::{cut, detail, step};

/// A search of the table `docs`.
struct Example {
    name: &'static str,
    question: &'static str,
    /// The call, in which `$embedding` is the question's embedding, and `$text` its text.
    call: &'static str,
    /// What to show of a row before its text.
    shown: &'static str,
}

const EXAMPLES: &[Example] = &[
    Example {
        name: "Filtered",
        question: "he stuffed his mouth with candy",
        call: "vector_search(NULL::docs, ann('embedding', $embedding), k => 4,
              filter => 'topic in [\"noun.food\", \"noun.body\"]')",
        shown: "format('%s  %-14s', round(score::numeric, 3), (hit).topic)",
    },
    Example {
        name: "Hybrid",
        question: "We dressed up for Halloween as pumpkins",
        call: "hybrid_search(NULL::docs, ARRAY[ann('embedding', $embedding, k => 50),
              bm25('text', $text, k => 50)], min_max_ranker('{0.5, 0.5}'), k => 5)",
        shown: "format('%s  rank %2s by meaning, %2s by words', round(score::numeric, 3),
                    coalesce(ranks[1]::text, '-'), coalesce(ranks[2]::text, '-'))",
    },
    Example {
        name: "Grouped",
        question: "a rise in the cost of living reflects the rate of inflation",
        call: "grouped_search(NULL::docs, ann('embedding', $embedding), group_by => 'topic',
              k => 4, group_size => 2, strict_group_size => true)",
        shown: "format('%s  %-18s', group_no, CASE WHEN group_rank = 1 THEN (hit).topic END)",
    },
];

/// Runs the examples and prints what they find.
pub fn examples(client: &mut Client) -> Result<()> {
    for Example { name, question, call, shown } in EXAMPLES {
        println!();
        let call_lines: Vec<&str> = call.lines().map(str::trim).collect();
        step(name, call_lines[0]);
        call_lines[1..].iter().for_each(|line| detail(&format!("  {line}")));
        detail(&format!("\"{question}\""));
        let embedding = "(SELECT embedding FROM queries WHERE text = $1)";
        let found = call.replace("$embedding", embedding).replace("$text", "$1");
        let sql = format!("SELECT {shown}, (hit).text FROM {found}");
        client.query(&sql, &[question])?.iter().for_each(show);
    }
    Ok(())
}

fn show(row: &Row) {
    let (shown, text): (String, String) = (row.get(0), row.get(1));
    detail(&format!("  {shown}  {}", cut(&text, 60)));
}
