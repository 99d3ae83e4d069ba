//! `vector_index_recall`: how many of the true nearest rows searches of an index find, and with how
//! much work.
//!
//! Searches for rows of the table, each without itself, and compares with the exact answer. All of
//! it runs as the table's owner, whose functions may be in the index, under the caller's settings.

use std::time::Duration;

use pgrx::PgSqlErrorCode::{
    ERRCODE_INSUFFICIENT_PRIVILEGE, ERRCODE_INVALID_PARAMETER_VALUE,
    ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
};
use pgrx::pg_sys::Oid;

use super::index_choice::IndexChoice;
use super::inspect::Index;
use super::stats;
use crate::pg::error::Report;
use crate::pg::function::pg_functions;
use crate::pg::role::AsOwner;
use crate::pg::rows::{Cell, Rows};
use crate::pg::spi::Connection;

pg_functions! {
    /// Recall and work of searches for `sample` rows of the table: one row.
    fn vector_index_recall(index: Oid, k: i32, sample: i32) -> Result<Rows<6>, Report> {
        if k < 1 || sample < 1 {
            let message = "k and sample must be at least 1";
            return Err(Report::new(ERRCODE_INVALID_PARAMETER_VALUE, message));
        }
        let index = Index::open(index)?;
        check_privilege(&index)?;
        let owner = AsOwner::begin(index.table().owner())?;
        // The index shall be taken, however cheap the table is.
        for (setting, value) in [
            ("enable_seqscan", "off"),
            ("enable_sort", "off"),
            ("enable_indexscan", "on"),
            ("vector_ext.filtered_scan", "look"),
        ] {
            owner.settings().set(setting, value)?;
        }
        let measured = measure(&index, k, sample)?;
        Ok(Rows(vec![measured.row()]))
    }
}

/// Who may read the table may learn how well its rows are found, unless policies hide some.
fn check_privilege(index: &Index) -> Result<(), Report> {
    let table = index.table();
    if !table.may_read() {
        return Err(index.denied());
    }
    if !table.has_row_security() {
        return Ok(());
    }
    let message = format!("row security of table {} applies to the current user", table.name());
    Err(Report::new(ERRCODE_INSUFFICIENT_PRIVILEGE, message)
        .hint("Measure recall as the owner of the table, or as a role with BYPASSRLS."))
}

/// Sums over all searches.
#[derive(Default)]
struct Measured {
    queries: u64,
    /// Rows that are among the nearest.
    wanted: u64,
    /// Those of them that were found.
    hits: u64,
    expanded: Option<u64>,
    probed: Option<u64>,
    pages: u64,
    time: Duration,
}

impl Measured {
    fn row(&self) -> [Cell; 6] {
        let share = |part: f64, of: u64| {
            if of == 0 { Cell::Null } else { Cell::Float(part / of as f64) }
        };
        let mean = |sum: Option<u64>| sum.map_or(Cell::Null, |sum| share(sum as f64, self.queries));
        [
            Cell::from(self.queries),
            share(self.hits as f64, self.wanted),
            mean(self.expanded),
            mean(self.probed),
            mean(Some(self.pages)),
            share(self.time.as_secs_f64() * 1e6, self.queries),
        ]
    }
}

fn measure(index: &Index, k: i32, sample: i32) -> Result<Measured, Report> {
    let spi = Connection::begin()?;
    let statements = Statements::of(&spi, index.oid(), k)?;
    let table = index.table().oid();
    let mut measured = Measured::default();
    let queries = spi.select_once(&statements.queries(sample), &[])?;
    for row in 0..queries.count() {
        let (Some(place), Some(query)) = (queries.value(row, 1), queries.value(row, 2)) else {
            continue;
        };
        let nearest = |choice| -> Result<Vec<f64>, Report> {
            let _choice = IndexChoice::of(table, choice);
            let found = spi.select_once(&statements.nearest, &[query, place])?;
            Ok((0..found.count()).filter_map(|row| found.value(row, 1)?.double()).collect())
        };
        let truth = nearest(None)?;
        let found = nearest(Some(index.oid()))?;
        let Some(scan) = stats::last_scan().filter(|scan| scan.index == index.oid()) else {
            return Err(unusable(index));
        };
        measured.queries += 1;
        measured.wanted += truth.len() as u64;
        // Rows as near as the farthest of the true ones are as good as these.
        let within = |distance: &&f64| {
            truth.last().is_some_and(|farthest| *distance <= farthest || farthest.is_nan())
        };
        measured.hits += found.iter().filter(within).count() as u64;
        add(&mut measured.expanded, scan.work.value("expanded"));
        add(&mut measured.probed, scan.work.value("probed"));
        measured.pages += scan.pages;
        measured.time += scan.time;
    }
    Ok(measured)
}

/// Adds to a sum what an access method has of it.
fn add(sum: &mut Option<u64>, value: Option<u64>) {
    if let Some(value) = value {
        *sum.get_or_insert(0) += value;
    }
}

fn unusable(index: &Index) -> Report {
    let name = index.name();
    let message = format!("a search does not use index {name}");
    Report::new(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, message)
        .hint(format!("If it is invalid, rebuild it with REINDEX INDEX {name}."))
}

/// What is searched for, and how.
struct Statements {
    table: String,
    /// Which rows the index is made of.
    predicate: String,
    /// What it is made of.
    value: String,
    /// Distances of the nearest rows from `$1`, without the row at `$2`.
    nearest: String,
}

/// The facts about an index `$1`, as text of SQL. Operator and type are those of its operator class.
const FACTS: &str = "
    SELECT
        pg_catalog.format('%I.%I', s.nspname, t.relname),
        coalesce(pg_catalog.pg_get_expr(i.indpred, i.indrelid), 'true'),
        pg_catalog.format('(%s)::%s', pg_catalog.pg_get_indexdef(i.indexrelid, 1, true),
            pg_catalog.format_type(p.opcintype, -1)),
        pg_catalog.format('OPERATOR(%I.%s)', n.nspname, o.oprname)
    FROM pg_catalog.pg_index AS i
    JOIN pg_catalog.pg_class AS t ON t.oid OPERATOR(pg_catalog.=) i.indrelid
    JOIN pg_catalog.pg_namespace AS s ON s.oid OPERATOR(pg_catalog.=) t.relnamespace
    JOIN pg_catalog.pg_opclass AS p ON p.oid OPERATOR(pg_catalog.=) i.indclass[0]
    JOIN pg_catalog.pg_amop AS a ON a.amopfamily OPERATOR(pg_catalog.=) p.opcfamily
        AND a.amoplefttype OPERATOR(pg_catalog.=) p.opcintype
        AND a.amoppurpose OPERATOR(pg_catalog.=) 'o' AND a.amopstrategy OPERATOR(pg_catalog.=) 1
    JOIN pg_catalog.pg_operator AS o ON o.oid OPERATOR(pg_catalog.=) a.amopopr
    JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) o.oprnamespace
    WHERE i.indexrelid OPERATOR(pg_catalog.=) $1";

impl Statements {
    fn of(spi: &Connection, index: Oid, k: i32) -> Result<Statements, Report> {
        let facts = spi.select_once(FACTS, &[index.into()])?;
        let text = |column| facts.text(0, column);
        let (table, predicate, value, operator) = (text(1)?, text(2)?, text(3)?, text(4)?);
        let distance = format!("{value} {operator} $1");
        // A distance is NULL where a value is, which is last.
        let nearest = format!(
            "SELECT {distance} FROM ONLY {table} AS t
             WHERE ({predicate}) AND t.ctid OPERATOR(pg_catalog.<>) $2 ORDER BY {distance} LIMIT {k}"
        );
        Ok(Statements { table, predicate, value, nearest })
    }

    /// Rows drawn at random: their places, and what is searched for.
    fn queries(&self, sample: i32) -> String {
        let Statements { table, predicate, value, .. } = self;
        format!(
            "SELECT t.ctid, {value} FROM ONLY {table} AS t
             WHERE CASE WHEN {predicate} THEN {value} IS NOT NULL END
             ORDER BY pg_catalog.random() LIMIT {sample}"
        )
    }
}
