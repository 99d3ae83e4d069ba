//! docs/reference.md names what the catalog has: no object is missing, and no signature, default
//! or range differs.

use std::fs;
use std::path::Path;

use pg_test::{Cluster, refusal};
use postgres::Client;

/// Members of the extension in a catalog, as a condition on a query of it.
fn members(catalog: &str) -> String {
    format!(
        "FROM {catalog} o JOIN pg_depend d ON d.classid = '{catalog}'::regclass AND d.objid = o.oid
             AND d.deptype = 'e'
         JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'vector_ext'"
    )
}

/// The rows of a query, each column as text, empty where it is NULL.
fn rows(client: &mut Client, query: &str) -> Vec<Vec<String>> {
    let rows = client.query(query, &[]).unwrap();
    assert!(!rows.is_empty(), "no row: {query}");
    let column = |row: &postgres::Row, i| row.get::<_, Option<String>>(i).unwrap_or_default();
    rows.iter().map(|row| (0..row.len()).map(|i| column(row, i)).collect()).collect()
}

/// The page.
struct Page(String);

impl Page {
    fn read() -> Page {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference.md");
        Page(fs::read_to_string(path).unwrap())
    }

    /// Whether a name stands in code of its own.
    fn names(&self, name: &str) -> bool {
        self.0.contains(&format!("`{name}`")) || self.0.contains(&format!("`{name}("))
    }

    /// The cells of the rows of tables that name something in their first cell.
    fn table_rows(&self, name: &str) -> Vec<Vec<&str>> {
        let code = format!("`{}`", name.replace('|', "\\|"));
        let cells = |line| cells(line).filter(|cells: &Vec<&str>| cells[0].contains(&code));
        self.0.lines().filter_map(cells).collect()
    }

    /// The page in one line, with single spaces.
    fn flat(&self) -> String {
        let words: Vec<&str> = self.0.split_whitespace().collect();
        words.join(" ")
    }
}

/// The cells of a row of a table.
fn cells(line: &str) -> Option<Vec<&str>> {
    let row = line.strip_prefix("| ")?.strip_suffix('|')?;
    // A bar in code is escaped, and has no space before it.
    Some(row.split(" |").map(str::trim).collect())
}

fn server() -> (Cluster, Client) {
    // Preloaded, the library has all its settings.
    let cluster = Cluster::new("reference", &[("shared_preload_libraries", "vector_ext")]).unwrap();
    let mut client = cluster.connect().unwrap();
    client.batch_execute("CREATE EXTENSION vector_ext").unwrap();
    (cluster, client)
}

/// What the page lacks or has wrong.
#[derive(Default)]
struct Faults(Vec<String>);

impl Faults {
    fn unless(&mut self, right: bool, what: String) {
        if !right {
            self.0.push(what);
        }
    }

    fn none(self) {
        assert!(self.0.is_empty(), "docs/reference.md: {}", self.0.join("\n"));
    }
}

#[test]
fn names_every_type_view_and_access_method() {
    let (_cluster, mut client) = server();
    let (page, mut faults) = (Page::read(), Faults::default());
    let types = format!(
        "SELECT o.typname::text {} WHERE typtype <> 'r' AND typcategory <> 'A'",
        members("pg_type")
    );
    let views = format!("SELECT o.relname::text {} WHERE relkind = 'v'", members("pg_class"));
    let methods = format!("SELECT o.amname::text {}", members("pg_am"));
    for query in [types, views, methods] {
        for row in rows(&mut client, &query) {
            let found = page.names(&row[0]);
            faults.unless(found, format!("{} is missing", row[0]));
        }
    }
    faults.none();
}

#[test]
fn names_every_function() {
    let (_cluster, mut client) = server();
    let (page, mut faults) = (Page::read(), Faults::default());
    let flat = page.flat();
    let functions = format!(
        "SELECT o.proname::text, pg_get_function_arguments(o.oid), o.proargnames::text,
                o.proargtypes[0]::regtype::text {}",
        members("pg_proc")
    );
    for row in rows(&mut client, &functions) {
        let [name, arguments, names, first] = &row[..] else { unreachable!() };
        if names.is_empty() {
            let (call, first) = (format!("`{name}("), format!("`{first}`"));
            let of_type = |line: &str| line.contains(&call) && line.contains(&first);
            let found = page.0.lines().any(of_type) || page.0.contains(&format!("`{name}`"));
            faults.unless(found, format!("{name}({arguments}) is missing"));
        } else {
            let signature = format!("{name}({})", documented(arguments));
            faults.unless(flat.contains(&signature), format!("{signature} is missing"));
        }
    }
    faults.none();
}

/// Arguments as the page writes them: without OUT arguments and casts of defaults, and those of
/// all vector types as those of `vector`.
fn documented(arguments: &str) -> String {
    let written = arguments.split("OUT ").next().unwrap().trim_end_matches(", ");
    // Of a procedure.
    let mut written = written.trim_start_matches("IN ").to_owned();
    for cast in ["double precision[]", "double precision", "integer", "interval", "text", "jsonb"] {
        written = written.replace(&format!("::{cast}"), "");
    }
    for kind in ["halfvec", "bf16vec", "i8vec", "sparsevec"] {
        written = written.replace(kind, "vector");
    }
    written.replace("(60)", "60")
}

#[test]
fn names_every_operator_with_its_types() {
    let (_cluster, mut client) = server();
    let (page, mut faults) = (Page::read(), Faults::default());
    let operators =
        format!("SELECT o.oprname::text, o.oprleft::regtype::text {}", members("pg_operator"));
    for row in rows(&mut client, &operators) {
        let kind = format!("`{}`", row[1]);
        let found = page.table_rows(&row[0]).iter().any(|cells| cells[1].contains(&kind));
        faults.unless(found, format!("{} of {} is missing", row[0], row[1]));
    }
    faults.none();
}

#[test]
fn names_every_operator_class_and_its_access_methods() {
    let (_cluster, mut client) = server();
    let (page, mut faults) = (Page::read(), Faults::default());
    let classes = format!(
        "SELECT o.opcname::text, o.opcintype::regtype::text,
                max(CASE WHEN opcdefault THEN 'default' ELSE 'yes' END)
                    FILTER (WHERE amname = 'hnsw'),
                max(CASE WHEN opcdefault THEN 'default' ELSE 'yes' END)
                    FILTER (WHERE amname = 'ivf'),
                max(CASE WHEN opcdefault THEN 'default' ELSE 'yes' END)
                    FILTER (WHERE amname = 'ivfflat'),
                max(CASE WHEN opcdefault THEN 'default' ELSE 'yes' END)
                    FILTER (WHERE amname = 'inverted')
         {} JOIN pg_am m ON m.oid = opcmethod WHERE amname <> 'btree' GROUP BY 1, 2",
        members("pg_opclass")
    );
    for row in rows(&mut client, &classes) {
        let [name, kind, methods @ ..] = &row[..] else { unreachable!() };
        let kind = format!("`{kind}`");
        let found = page
            .table_rows(name)
            .iter()
            .any(|cells| cells.len() == 7 && cells[1] == kind && cells[3..] == *methods);
        faults.unless(found, format!("operator class {row:?} is missing or differs"));
    }
    let btree = format!(
        "SELECT o.opcname::text {} JOIN pg_am m ON m.oid = opcmethod WHERE amname = 'btree'",
        members("pg_opclass")
    );
    for row in rows(&mut client, &btree) {
        faults.unless(page.names(&row[0]), format!("operator class {} is missing", row[0]));
    }
    faults.none();
}

#[test]
fn has_the_context_of_every_cast() {
    let (_cluster, mut client) = server();
    let (page, mut faults) = (Page::read(), Faults::default());
    let header = page.0.lines().find(|line| line.starts_with("| from")).and_then(cells).unwrap();
    let mut cast_count = 0;
    for line in page.0.lines().skip_while(|line| !line.starts_with("| from")).skip(2) {
        let Some(row) = cells(line) else { break };
        for (to, context) in header.iter().zip(&row).skip(1) {
            let of = |name: &str| name.trim_matches('`').to_owned();
            let query = format!(
                "SELECT max(CASE castcontext WHEN 'i' THEN 'implicit' WHEN 'a' THEN 'assignment'
                     ELSE 'explicit' END) {} WHERE castsource = '{}'::regtype
                     AND casttarget = '{}'::regtype",
                members("pg_cast"),
                of(row[0]),
                of(to)
            );
            let actual = rows(&mut client, &query).remove(0).remove(0);
            cast_count += usize::from(!actual.is_empty());
            faults.unless(actual == *context, format!("cast of {} to {to}: {actual}", row[0]));
        }
    }
    let all = format!("SELECT count(*)::text {}", members("pg_cast"));
    let all = rows(&mut client, &all).remove(0).remove(0);
    faults.unless(all == cast_count.to_string(), format!("{cast_count} casts of {all}"));
    faults.none();
}

#[test]
fn has_every_setting_with_its_default_and_range() {
    let (_cluster, mut client) = server();
    let (page, mut faults) = (Page::read(), Faults::default());
    let settings = "SELECT name, boot_val, min_val, max_val, enumvals::text FROM pg_settings
                    WHERE name ~ '^(hnsw|ivf|ivfflat|vector_ext)[.]'";
    for row in rows(&mut client, settings) {
        let [name, default, least, most, values] = &row[..] else { unreachable!() };
        let shown = page.table_rows(name).into_iter().find(|cells| cells.len() == 5);
        let Some(cells) = shown else {
            faults.unless(false, format!("{name} is missing"));
            continue;
        };
        faults.unless(cells[2].trim_matches('`') == default, format!("{name}: {default}"));
        let range = if values.is_empty() {
            format!("{least} to {most}")
        } else {
            let values: Vec<String> = values
                .trim_matches(['{', '}'])
                .split(',')
                .map(|value| format!("`{value}`"))
                .collect();
            values.join(", ")
        };
        faults.unless(cells[3] == range, format!("{name}: {range}"));
    }
    faults.none();
}

#[test]
fn has_every_index_option_with_its_range() {
    let (_cluster, mut client) = server();
    let (page, mut faults) = (Page::read(), Faults::default());
    client.batch_execute("CREATE TABLE t (v vector(2))").unwrap();
    let options: Vec<Vec<&str>> = page.0.lines().filter_map(cells).collect();
    let options: Vec<_> = options
        .iter()
        .filter(|cells| cells.len() == 5 && matches!(cells[2], "integer" | "enum"))
        .filter(|cells| matches!(cells[0], "`hnsw`" | "`ivf`" | "`ivfflat`"))
        .collect();
    assert_eq!(options.len(), 7);
    for cells in options {
        let (method, option) = (cells[0].trim_matches('`'), cells[1].trim_matches('`'));
        let wrong =
            format!("CREATE INDEX ON t USING {method} (v vector_l2_ops) WITH ({option} = -1)");
        let (_, message, detail) = refusal(&mut client, &wrong);
        let said: Vec<&str> = detail.split('"').skip(1).step_by(2).collect();
        let right = match cells[2] {
            "integer" => cells[3 + 1].starts_with(&said.join(" to ")),
            _ => {
                let mut values: Vec<&str> = cells[4].split('`').skip(1).step_by(2).collect();
                let mut said = said.clone();
                values.sort_unstable();
                said.sort_unstable();
                values == said
            }
        };
        faults.unless(right, format!("{method}, {option}: {message}: {detail}"));
    }
    faults.none();
}
