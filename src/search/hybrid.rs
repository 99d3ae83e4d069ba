//! `hybrid_search`: one ranking of several searches.

use pgrx::pg_sys;

use super::grouping::{Grouping, Scorer};
use super::groups::GroupReader;
use super::leg::{Leg, Search};
use super::parameters::Parameters;
use super::query::{FOUND, Select, function, operator};
use super::ranker::{LegColumns, Ranker};
use super::reader::Row;
use super::table::{PLACE, place};
use crate::pg::error::Report;
use crate::pg::value::SqlValue;

/// Least number of rows of a leg whose request sets no `k`.
const DEFAULT_ROWS: i64 = 100;

/// A search of several legs.
pub struct Hybrid<'a> {
    /// What its legs share.
    pub search: &'a Search,
    /// Computes the score of a row.
    pub ranker: &'a Ranker,
    /// The legs; `None` for a request without a query.
    pub legs: &'a [Option<Leg>],
    /// How the result is grouped, if it is.
    pub groups: Option<&'a Groups>,
}

/// What the result is grouped by, and how groups are ranked.
pub type Groups = (Grouping, Scorer);

/// Expressions over the rows of all legs.
struct Merged {
    /// Ranks and scores of each leg.
    columns: String,
    /// The score of a row.
    score: String,
    /// Its ranks, as an array.
    ranks: String,
    /// Its scores, as an array.
    scores: String,
}

impl Hybrid<'_> {
    /// The statement that gives rows, scores, and what each leg has of them. Ties are broken by the
    /// primary key. If the result is grouped, the legs are read for it, and `k` and `skip` count
    /// groups.
    ///
    /// # Errors
    /// Where the ranker does not fit the table, or PostgreSQL refuses a statement.
    pub fn statement(&self, parameters: &mut Parameters) -> Result<String, Report> {
        let Search { table, options } = self.search;
        let mut found = Vec::new();
        for (number, leg) in self.found() {
            let rows = match self.groups {
                None => self.rows(number, leg, parameters),
                Some((grouping, _)) => self.rows_of_groups(number, leg, grouping, parameters)?,
            };
            found.push(format!("({rows})"));
        }
        if found.is_empty() {
            let columns = "pg_catalog.float4, NULL::pg_catalog.int4[], NULL::pg_catalog.float4[]";
            return Ok(self.search.nothing(&format!("NULL::{columns}")));
        }
        let Merged { columns, score, ranks, scores } = self.merged(parameters)?;
        let of_legs = self.of_legs(&columns, &found.join(" UNION ALL "));
        let scored = Select::new("*").column(format!("{score} AS score")).of_query(of_legs);
        let result = Select::new(table.row(FOUND)).column("f.score").column(ranks).column(scores);
        let result = match self.groups {
            None => {
                let page = scored.order_by("score DESC").order_by(table.ties(FOUND));
                let page = page.limit(parameters.count(options.page.k));
                result.of_query(page.offset(parameters.count(options.page.skip)))
            }
            Some((grouping, scorer)) => result
                .of_query(self.ranked_groups(scored, grouping, *scorer, parameters))
                .order_by("f.gr"),
        };
        Ok(result.order_by("f.score DESC").order_by(table.ties(FOUND)).to_string())
    }

    /// Each row once, with its ranks and scores in all legs. Windows keep the columns of a row,
    /// which GROUP BY would not, so the table is not read again.
    fn of_legs(&self, columns: &str, found: &str) -> Select {
        let copies = Select::new(self.search.table.found(FOUND))
            .column(columns)
            .column("pg_catalog.row_number() OVER w AS copy")
            .of_query(found)
            .window(format!("PARTITION BY {}", place(FOUND)));
        Select::new("*").of_query(copies).filter(operator("f.copy", "=", 1))
    }

    /// The statements that are read for groups.
    pub fn group_statements(&self) -> String {
        let Some((grouping, _)) = self.groups else { return String::new() };
        let statements = self.found().map(|(_, leg)| self.reader(leg, grouping).statement());
        statements.collect::<Vec<_>>().join(";\n")
    }

    /// The legs with a query, and their numbers, from 0.
    fn found(&self) -> impl Iterator<Item = (usize, &Leg)> {
        self.legs.iter().enumerate().filter_map(|(number, leg)| Some((number, leg.as_ref()?)))
    }

    /// Number of rows, or groups, of a leg whose request sets no `k`. It is the same for many
    /// pages, because all pages of one ranking must be computed from the same rows.
    fn default_rows(&self) -> i64 {
        let mut rows = DEFAULT_ROWS;
        while rows < self.search.options.page.end() {
            rows = rows.saturating_mul(2);
        }
        rows
    }

    /// Whether the rows of a leg carry their scores. If not, the scores are computed from the rows
    /// that are returned.
    fn carries_scores(&self, leg: &Leg) -> bool {
        leg.by_distance || self.ranker.by_scores() || self.groups.is_some()
    }

    /// Selects the rows of a leg: their columns, ranks, and scores.
    fn selected(&self, number: usize, score: &str, order: &str) -> Select {
        Select::new(format!("{number} AS leg"))
            .column(self.search.table.found(FOUND))
            .column(format!("pg_catalog.row_number() OVER (ORDER BY {order}) AS r"))
            .column(format!("{score} AS s"))
    }

    fn rows(&self, number: usize, leg: &Leg, parameters: &mut Parameters) -> Select {
        let page = self.search.page(leg, leg.k.unwrap_or(self.default_rows()), 0, parameters);
        let score = if self.carries_scores(leg) { &leg.score } else { "NULL::pg_catalog.float4" };
        self.selected(number, score, &self.search.order(leg)).of_query(page)
    }

    fn reader<'s>(&'s self, leg: &'s Leg, grouping: &'s Grouping) -> GroupReader<'s> {
        GroupReader {
            search: self.search,
            leg,
            grouping,
            wanted: leg.k.unwrap_or(self.default_rows()),
        }
    }

    fn rows_of_groups(
        &self,
        number: usize,
        leg: &Leg,
        grouping: &Grouping,
        parameters: &mut Parameters,
    ) -> Result<Select, Report> {
        let groups = self.reader(leg, grouping).groups(parameters)?;
        let source = self.source_of(&groups, parameters)?;
        Ok(self.selected(number, "f.s", "f.g, f.n").from(source))
    }

    /// Groups as a source of rows [`FOUND`] with three more columns: `s`, the score, `g`, the
    /// number of the group, and `n`, the number of the row in its group, both from 1.
    fn source_of(
        &self,
        groups: &[Vec<Row>],
        parameters: &mut Parameters,
    ) -> Result<String, Report> {
        let table = &self.search.table;
        let rows = || groups.iter().flatten();
        let numbers = || {
            let rows = |(group, rows)| (1_i32..).zip(rows).map(move |(n, _): (_, &Row)| [group, n]);
            (1_i32..).zip(groups).flat_map(rows)
        };
        let mut sources = vec![parameters.unnested(table.row_type.0, rows().filter_map(Row::hit))?];
        for (column, (_, of)) in PLACE.into_iter().enumerate() {
            sources.push(parameters.unnested(of, rows().filter_map(|row| row.place()[column]))?);
        }
        let scores = rows().filter_map(Row::sql_score);
        sources.push(parameters.unnested(pg_sys::FLOAT4OID, scores)?);
        for column in [0, 1] {
            let numbers = numbers().map(|numbers| SqlValue::from(numbers[column]));
            sources.push(parameters.unnested(pg_sys::INT4OID, numbers)?);
        }
        let (sources, columns) = (sources.join(", "), table.found_columns());
        Ok(format!("ROWS FROM ({sources}) AS {FOUND}({columns}, s, g, n)"))
    }

    /// The rows of the best groups, with the numbers of groups. Groups with equal scores are
    /// ordered by size, largest first, then by the key of their first rows.
    fn ranked_groups(
        &self,
        scored: Select,
        grouping: &Grouping,
        scorer: Scorer,
        parameters: &mut Parameters,
    ) -> Select {
        let (page, table) = (self.search.options.page, &self.search.table);
        let (partition, ties) = (format!("PARTITION BY f.{}", grouping.found), table.ties(FOUND));
        let numbered = Select::new("*")
            .column(format!(
                "pg_catalog.row_number() OVER ({partition} ORDER BY f.score DESC, {ties}) AS n"
            ))
            .of_query(scored);
        let scorer = function(scorer.0, "f.score");
        let largest = parameters.count(grouping.sizes.size);
        let mut valued = Select::new("*")
            .column(format!("{scorer} OVER ({partition}) AS gs"))
            .column(format!("pg_catalog.count(*) OVER ({partition}) AS gn"));
        let mut order = "f.gs DESC, f.gn DESC".to_owned();
        for (number, key) in table.tie_columns().iter().enumerate() {
            let first = function("first_value", format_args!("f.{key}"));
            valued = valued.column(format!("{first} OVER ({partition} ORDER BY f.n) AS f{number}"));
            order.push_str(&format!(", f.f{number}"));
        }
        let valued = valued.of_query(numbered).filter(operator("f.n", "<=", largest));
        let order = format!("ORDER BY {order}, f.{}", grouping.found);
        let ranked = Select::new("*")
            .column(format!("pg_catalog.dense_rank() OVER ({order}) AS gr"))
            .of_query(valued);
        let (skip, last) = (parameters.count(page.skip), parameters.count(page.end()));
        Select::new("*")
            .of_query(ranked)
            .filter(operator("f.gr", ">", skip))
            .filter(operator("f.gr", "<=", last))
    }

    fn merged(&self, parameters: &mut Parameters) -> Result<Merged, Report> {
        let (mut columns, mut found) = (Vec::new(), Vec::new());
        let null = || "NULL".to_owned();
        let (mut ranks, mut scores) =
            (vec![null(); self.legs.len()], vec![null(); self.legs.len()]);
        for (number, leg) in self.found() {
            let (rank, score) = (format!("r{number}"), format!("s{number}"));
            let of_leg = format!("FILTER (WHERE {}) OVER w", operator("f.leg", "=", number));
            columns.push(format!("pg_catalog.max(f.r) {of_leg} AS {rank}"));
            if self.carries_scores(leg) {
                columns.push(format!("pg_catalog.max(f.s) {of_leg} AS {score}"));
            }
            let (rank, score) = (format!("{FOUND}.{rank}"), format!("{FOUND}.{score}"));
            scores[number] = if self.carries_scores(leg) {
                score.clone()
            } else {
                format!("CASE WHEN {rank} IS NOT NULL THEN {} END", leg.score)
            };
            ranks[number].clone_from(&rank);
            found.push(LegColumns { number, score_type: leg.score_type, rank, score });
        }
        Ok(Merged {
            columns: columns.join(", "),
            score: self.ranker.score(&found, self.search, parameters)?,
            ranks: format!("ARRAY[{}]::pg_catalog.int4[]", ranks.join(", ")),
            scores: format!("ARRAY[{}]::pg_catalog.float4[]", scores.join(", ")),
        })
    }
}
