//! `hybrid_search`: one ranking of several searches.

use super::grouping::{Grouping, Scorer};
use super::leg::{Leg, Search};
use super::ranker::{Found, Ranker};
use super::request::Request;
use super::statement::{FOUND, Parameters};
use super::stream::Stream;
use crate::pg::error::Report;

/// Rows that a leg finds at least that does not say how many.
const USUAL: i64 = 100;

/// A search of several legs.
pub struct Hybrid<'a> {
    search: &'a Search<'a>,
    ranker: &'a Ranker,
    legs: Vec<Option<Leg>>,
    groups: Option<Groups>,
}

/// What the result is grouped by, and how groups are ranked.
pub type Groups = (Grouping, Scorer);

/// How rows are made of what legs have found.
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

impl<'a> Hybrid<'a> {
    /// A search for what the requests ask for.
    ///
    /// # Errors
    /// Where a request does not fit the table.
    pub fn new(
        search: &'a Search<'a>,
        requests: &[Request],
        ranker: &'a Ranker,
        groups: Option<Groups>,
        parameters: &mut Parameters,
    ) -> Result<Self, Report> {
        let leg = |request| search.leg(request, parameters);
        let legs = requests.iter().map(leg).collect::<Result<_, _>>()?;
        Ok(Self { search, ranker, legs, groups })
    }

    /// The statement that gives rows, scores, and what each leg has of them, `k` after the first
    /// `skip`. Rows of one score come in the order of the primary key. Where the result is grouped,
    /// legs are read for it, and `k` and `skip` count groups.
    ///
    /// # Errors
    /// Where the ranker does not fit the table, or PostgreSQL refuses a statement.
    pub fn statement(&self, parameters: &mut Parameters) -> Result<String, Report> {
        let Search { table, options, .. } = self.search;
        let (row, ties, (k, skip)) = (table.row(FOUND), table.ties(FOUND), options.page);
        let mut found = Vec::new();
        for (number, leg) in self.found() {
            found.push(match &self.groups {
                None => self.rows(number, leg, parameters),
                Some((grouping, _)) => self.rows_of_groups(number, leg, grouping, parameters)?,
            });
        }
        if found.is_empty() {
            let columns = "pg_catalog.float4, NULL::pg_catalog.int4[], NULL::pg_catalog.float4[]";
            return Ok(self.search.nothing(&format!("NULL::{columns}")));
        }
        let merged = self.merged(parameters)?;
        let of_legs = self.of_legs(&merged.columns, &found.join(" UNION ALL "));
        let scored = format!("SELECT *, {} AS score FROM ({of_legs}) AS {FOUND}", merged.score);
        let (ranked, first) = match &self.groups {
            None => {
                let (k, skip) = (parameters.count(k), parameters.count(skip));
                let order = format!("score DESC, {ties}");
                (format!("{scored} ORDER BY {order} LIMIT {k} OFFSET {skip}"), "")
            }
            Some((grouping, scorer)) => {
                (self.ranked_groups(&scored, grouping, *scorer, parameters), "f.gr, ")
            }
        };
        let Merged { ranks, scores, .. } = merged;
        Ok(format!(
            "SELECT {row}, f.score, {ranks}, {scores} FROM ({ranked}) AS {FOUND} \
             ORDER BY {first}f.score DESC, {ties}"
        ))
    }

    /// Each row once, with what all legs have found of it. Rows go through windows, not groups: so
    /// their columns come along, and the table need not be read again.
    fn of_legs(&self, columns: &str, found: &str) -> String {
        let row = self.search.table.found(FOUND);
        format!(
            "SELECT * FROM (SELECT {row}, {columns}, pg_catalog.row_number() OVER w AS copy \
             FROM ({found}) AS {FOUND} WINDOW w AS (PARTITION BY f.o, f.p)) AS {FOUND} \
             WHERE f.copy OPERATOR(pg_catalog.=) 1"
        )
    }

    /// The statements that are read for groups.
    pub fn streams(&self) -> String {
        let Some((grouping, _)) = &self.groups else { return String::new() };
        let streams = self.found().map(|(_, leg)| self.stream(leg, grouping).statement());
        streams.collect::<Vec<_>>().join(";\n")
    }

    /// The legs that look for something, with their numbers, from 0.
    fn found(&self) -> impl Iterator<Item = (usize, &Leg)> {
        self.legs.iter().enumerate().filter_map(|(number, leg)| Some((number, leg.as_ref()?)))
    }

    /// How many rows, or groups, a leg finds that does not say: the same for many pages, since the
    /// pages of one ranking must be made of the same rows.
    fn usual(&self) -> i64 {
        let (k, skip) = self.search.options.page;
        let mut usual = USUAL;
        while usual < k.saturating_add(skip) {
            usual = usual.saturating_mul(2);
        }
        usual
    }

    /// What is known of the rows that a leg finds: their columns, ranks, and scores where the ranker
    /// looks at them.
    fn selected(&self, number: usize, leg: &Leg, order: &str) -> String {
        let score = if self.ranker.by_scores() { &leg.score } else { "NULL::pg_catalog.float4" };
        format!(
            "SELECT {number} AS leg, {}, \
             pg_catalog.row_number() OVER (ORDER BY {order}) AS r, {score} AS s",
            self.search.table.found(FOUND)
        )
    }

    fn rows(&self, number: usize, leg: &Leg, parameters: &mut Parameters) -> String {
        let page = self.search.page(leg, leg.k.unwrap_or(self.usual()), 0, parameters);
        let selected = self.selected(number, leg, &self.search.order(leg));
        format!("({selected} FROM ({page}) AS {FOUND})")
    }

    fn stream<'s>(&'s self, leg: &'s Leg, grouping: &'s Grouping) -> Stream<'s> {
        Stream { search: self.search, leg, grouping, wanted: leg.k.unwrap_or(self.usual()) }
    }

    fn rows_of_groups(
        &self,
        number: usize,
        leg: &Leg,
        grouping: &Grouping,
        parameters: &mut Parameters,
    ) -> Result<String, Report> {
        let groups = self.stream(leg, grouping).groups(parameters)?;
        let found = parameters.groups(&groups, self.search.table)?;
        Ok(format!("({} FROM {found})", self.selected(number, leg, "f.g, f.n")))
    }

    /// The rows of the best groups, with the numbers of groups. Of groups of one score, larger ones
    /// come first, then those whose first row does.
    fn ranked_groups(
        &self,
        scored: &str,
        grouping: &Grouping,
        scorer: Scorer,
        parameters: &mut Parameters,
    ) -> String {
        let (k, skip) = self.search.options.page;
        let (value, scorer, ties) = (&grouping.found, scorer.name(), self.search.table.ties(FOUND));
        let keys = self.search.table.tie_columns();
        let first: String = (0..)
            .zip(&keys)
            .map(|(n, key): (usize, _)| {
                format!(
                    ", pg_catalog.first_value(f.{key}) \
                     OVER (PARTITION BY f.{value} ORDER BY f.n) AS f{n}"
                )
            })
            .collect();
        let of_first: String = (0..keys.len()).map(|n| format!(", f.f{n}")).collect();
        let size = parameters.count(grouping.sizes.size);
        let (skip, last) = (parameters.count(skip), parameters.count(skip.saturating_add(k)));
        format!(
            "SELECT * FROM (\
             SELECT *, pg_catalog.dense_rank() \
             OVER (ORDER BY f.gs DESC, f.gn DESC{of_first}, f.{value}) AS gr FROM (\
             SELECT *, pg_catalog.{scorer}(f.score) OVER (PARTITION BY f.{value}) AS gs, \
             pg_catalog.count(*) OVER (PARTITION BY f.{value}) AS gn{first} FROM (\
             SELECT *, pg_catalog.row_number() \
             OVER (PARTITION BY f.{value} ORDER BY f.score DESC, {ties}) AS n \
             FROM ({scored}) AS f) AS f \
             WHERE f.n OPERATOR(pg_catalog.<=) {size}) AS f) AS f \
             WHERE f.gr OPERATOR(pg_catalog.>) {skip} AND f.gr OPERATOR(pg_catalog.<=) {last}"
        )
    }

    fn merged(&self, parameters: &mut Parameters) -> Result<Merged, Report> {
        let (mut columns, mut found) = (Vec::new(), Vec::new());
        let null = || "NULL".to_owned();
        let (mut ranks, mut scores) =
            (vec![null(); self.legs.len()], vec![null(); self.legs.len()]);
        for (number, leg) in self.found() {
            let (rank, score) = (format!("r{number}"), format!("s{number}"));
            let of_leg = format!("FILTER (WHERE f.leg OPERATOR(pg_catalog.=) {number}) OVER w");
            columns.push(format!("pg_catalog.max(f.r) {of_leg} AS {rank}"));
            if self.ranker.by_scores() {
                columns.push(format!("pg_catalog.max(f.s) {of_leg} AS {score}"));
            }
            let (rank, score) = (format!("{FOUND}.{rank}"), format!("{FOUND}.{score}"));
            scores[number] = format!("CASE WHEN {rank} IS NOT NULL THEN {} END", leg.score);
            ranks[number].clone_from(&rank);
            found.push(Found { number, scale: leg.scale, rank, score });
        }
        Ok(Merged {
            columns: columns.join(", "),
            score: self.ranker.score(&found, self.search, parameters)?,
            ranks: format!("ARRAY[{}]::pg_catalog.int4[]", ranks.join(", ")),
            scores: format!("ARRAY[{}]::pg_catalog.float4[]", scores.join(", ")),
        })
    }
}
