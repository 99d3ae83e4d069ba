//! The documentation, README.md and its kin and the pages of docs/: each block of SQL runs, page by
//! page, with the result that is shown, and each link leads somewhere.
//!
//! A table that follows a block, as psql prints it, is the result of the block's last statement.
//! A word after the language of a block says more of it:
//! * `sql error`: the server refuses it, with the message in the block that follows.
//! * `sql fragment`: a part of a statement; it is not run.

use std::fs;
use std::path::{Path, PathBuf};

use model_server::ModelServer;
use pg_test::{TestDb, message};
use postgres::SimpleQueryMessage;

/// The folder of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The pages.
fn pages() -> Vec<PathBuf> {
    let folders = [root(), root().join("docs")];
    let entries = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap());
    let mut pages: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    pages.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    assert!(pages.len() > 10, "{pages:?}");
    pages.sort();
    pages
}

/// A block between fences.
struct Block {
    /// What follows the first fence.
    kind: String,
    text: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(kind) = line.trim_start().strip_prefix("```") {
            let text = lines.by_ref().take_while(|line| line.trim() != "```");
            let text = text.map(|line| format!("{line}\n")).collect();
            blocks.push(Block { kind: kind.into(), text });
        }
    }
    blocks
}

/// The statements of a block: each ends with a semicolon at the end of a line.
fn statements(block: &str) -> impl Iterator<Item = &str> {
    block.split_inclusive(";\n").map(str::trim).filter(|statement| !statement.is_empty())
}

/// Runs a block; the message of the first error.
fn run(db: &mut TestDb, block: &str) -> Result<(), String> {
    statements(block)
        .try_for_each(|statement| db.batch_execute(statement).map_err(|error| message(&error)))
}

/// The cells of a table as psql prints it: the names of its columns, then its rows; none where a block
/// holds something else.
fn table(block: &Block) -> Option<Vec<Vec<String>>> {
    let mut lines = block.text.lines();
    let (header, line) = (lines.next()?, lines.next()?);
    let is_table = block.kind.is_empty() && line.starts_with("--");
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect();
    is_table.then(|| std::iter::once(header).chain(lines).map(cells).collect())
}

/// The result of the last statement of a block that was run.
fn result(db: &mut TestDb, block: &str) -> Vec<Vec<String>> {
    let mut table = Vec::new();
    for message in db.simple_query(statements(block).last().unwrap()).unwrap() {
        if let SimpleQueryMessage::RowDescription(columns) = &message {
            table.push(columns.iter().map(|column| column.name().to_owned()).collect());
        } else if let SimpleQueryMessage::Row(row) = &message {
            let cell = |i| row.get(i).unwrap_or_default().trim().to_owned();
            table.push((0..row.len()).map(cell).collect());
        }
    }
    table
}

/// Whether two tables are the same, but for the last digits of numbers, which differ between
/// processors.
fn alike(a: &[Vec<String>], b: &[Vec<String>]) -> bool {
    let same = |a: &String, b: &String| match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(a), Ok(b)) => (a - b).abs() <= 1e-5 * a.abs(),
        _ => a == b,
    };
    let same_row = |a: &Vec<String>, b: &Vec<String>| {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
    };
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_row(a, b))
}

/// Addresses of models in the documentation, instead of which the tests have a provider of their own.
const MODELS: [&str; 2] = ["http://localhost:11434", "http://localhost:8080"];

/// Runs the blocks of a page in a database of its own; what is wrong with them.
fn faults(name: &str, page: &str) -> Vec<String> {
    let models = ModelServer::start();
    let page =
        MODELS.iter().fold(page.to_owned(), |page, model| page.replace(model, &models.url()));
    let blocks = blocks(&page);
    let creates = blocks.iter().find(|block| block.kind == "sql");
    let creates = creates.is_some_and(|block| block.text.starts_with("CREATE EXTENSION"));
    let mut db = if creates { TestDb::without_extension() } else { TestDb::new() };
    let mut faults = Vec::new();
    for (at, block) in blocks.iter().enumerate() {
        let fault = match block.kind.as_str() {
            "sql" => match (run(&mut db, &block.text), blocks.get(at + 1).and_then(table)) {
                (Ok(()), Some(shown)) => {
                    let result = result(&mut db, &block.text);
                    (!alike(&result, &shown)).then(|| format!("not the result shown: {result:?}"))
                }
                (done, _) => done.err(),
            },
            "sql error" => match run(&mut db, &block.text) {
                Ok(()) => Some("was accepted".to_owned()),
                Err(error) => {
                    let shown = blocks.get(at + 1).map_or("", |next| &next.text);
                    let expected = format!("ERROR:  {error}\n");
                    (!shown.starts_with(&expected)).then(|| format!("not the error shown: {error}"))
                }
            },
            "sql fragment" => None,
            other if other.starts_with("sql") => Some(format!("unknown mark: {other}")),
            _ => None,
        };
        faults.extend(fault.map(|fault| format!("{name}: {fault}\n{}", block.text)));
    }
    faults
}

#[test]
fn sql_in_the_documentation_runs() {
    let mut faulty = Vec::new();
    for path in pages() {
        faulty.extend(faults(&path.display().to_string(), &fs::read_to_string(&path).unwrap()));
    }
    assert!(faulty.is_empty(), "{}", faulty.join("\n"));
}

#[test]
fn faults_are_found() {
    let page = "```sql\nSELECT 1/0;\n```\n\
                ```sql error\nSELECT 1;\n```\n\
                ```sql error\nSELECT 1/0;\n```\n\
                ```\nERROR:  no such thing\n```\n\
                ```sql error\nSELECT 1;\nSELECT 1/0;\n```\n\
                ```\nERROR:  division by zero\n```\n\
                ```sql fragment\nWITH (\n```\n\
                ```sql\nSELECT 1;\nSELECT 2.5 AS a, 'x' AS b;\n```\n\
                ```\n  a  | b \n-----+---\n 2.5 | x\n```\n\
                ```sql\nSELECT 2.5 AS a, 'x' AS b;\n```\n\
                ```\n  a  | b \n-----+---\n 2.6 | x\n```\n\
                ```sqlite\nSELECT 1\n```\n";
    let said: Vec<String> = faults("page", page)
        .iter()
        .filter_map(|fault| fault.lines().next().map(str::to_owned))
        .collect();
    assert_eq!(
        said,
        [
            "page: division by zero",
            "page: was accepted",
            "page: not the error shown: division by zero",
            "page: not the result shown: [[\"a\", \"b\"], [\"2.5\", \"x\"]]",
            "page: unknown mark: sqlite",
        ]
    );
}

/// The anchor that GitHub gives a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// The anchors of a page.
fn anchors(page: &str) -> Vec<String> {
    let mut code = false;
    let headings = page.lines().filter(|line| {
        code ^= line.trim_start().starts_with("```");
        !code && line.starts_with('#')
    });
    headings.map(anchor).collect()
}

#[test]
fn links_in_the_documentation_lead_somewhere() {
    let mut broken = Vec::new();
    for path in pages() {
        let page = fs::read_to_string(&path).unwrap();
        for target in page.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if target.contains("://") {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let file = path.parent().unwrap().join(file);
            let file = if target.starts_with('#') { &path } else { &file };
            let found = match fs::read_to_string(file) {
                Ok(there) => anchor.is_empty() || anchors(&there).iter().any(|a| a == anchor),
                Err(_) => file.is_dir(),
            };
            if !found {
                broken.push(format!("{}: {target}", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn all_items_of_the_roadmap_have_tests_that_exist() {
    let page = fs::read_to_string(root().join("docs/roadmap-coverage.md")).unwrap();
    let rows = page.lines().filter(|line| line.starts_with('|'));
    let items = rows.filter_map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        Some((cells[0].parse::<usize>().ok()?, *cells.last()?))
    });
    let items: Vec<(usize, &str)> = items.collect();
    assert!(items.iter().map(|item| item.0).eq(1..=36), "{items:?}");
    for (item, tests) in items {
        for test in tests.split(", ").filter(|test| !test.is_empty()) {
            let file = format!("pg_test/tests/{}.rs", test.trim_matches('`'));
            assert!(root().join(&file).exists(), "item {item}: {file}");
        }
    }
}
