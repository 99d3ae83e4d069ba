//! A few searches that a person can judge.

use pg_test::Result;
use postgres::Client;

use crate::terminal::{cut, detail, step};

/// Questions of the table `queries`, each with the filter that it is asked under.
const EXAMPLES: &[(&str, Option<&str>)] = &[
    ("a rise in the cost of living reflects the rate of inflation", None),
    ("he had done a lot of parachuting in the army", None),
    ("We dressed up for Halloween as pumpkins", None),
    ("he stuffed his mouth with candy", Some("noun.food")),
];

/// What to try in psql.
pub const SUGGESTION: &str = "
  SELECT embedding <=> (SELECT embedding FROM queries WHERE text ~ 'hackers') AS distance, text
  FROM docs ORDER BY distance LIMIT 5;
  SELECT text FROM notes ORDER BY embedding <=> embed('words', 'your sentence') LIMIT 5;";

/// Asks the examples and prints the nearest sentences with their distances.
pub fn examples(client: &mut Client) -> Result<()> {
    step("Search", "SELECT text FROM docs [WHERE topic = …] ORDER BY embedding <=> $1 LIMIT 5");
    for &(question, topic) in EXAMPLES {
        println!();
        match topic {
            None => detail(&format!("\"{question}\"")),
            Some(topic) => detail(&format!("\"{question}\"  (WHERE topic = '{topic}')")),
        }
        let filter = topic.map_or(String::new(), |topic| format!("WHERE topic = '{topic}'"));
        let sql = format!(
            "SELECT embedding <=> (SELECT embedding FROM queries WHERE text = $1) AS distance, text
             FROM docs {filter} ORDER BY 1 LIMIT 5"
        );
        for row in client.query(&sql, &[&question])? {
            let (distance, text): (f64, String) = (row.get(0), row.get(1));
            detail(&format!("  {distance:.3}  {}", cut(&text, 80)));
        }
    }
    Ok(())
}
