//! `hybrid_search`: one ranking of several searches.

use super::grouping::{Grouping, Scorer};
use super::leg::{Leg, Search};
use super::ranker::{Found, Ranker};
use super::request::Request;
use super::statement::{ALIAS, Parameters};
use super::stream::Stream;
use crate::pg::error::Report;

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
        let (name, row, (k, skip)) = (&table.name, table.row(), options.page);
        let mut found = Vec::new();
        for (number, leg) in self.found() {
            found.push(match &self.groups {
                None => self.rows(number, leg),
                Some((grouping, _)) => self.rows_of_groups(number, leg, grouping, parameters)?,
            });
        }
        if found.is_empty() {
            let nothing =
                "NULL::pg_catalog.float4, NULL::pg_catalog.int4[], NULL::pg_catalog.float4[]";
            return Ok(format!("SELECT {row}, {nothing} FROM {name} AS {ALIAS} WHERE false"));
        }
        let Merged { columns, score, ranks, scores } = self.merged(parameters)?;
        let (found, carried, key) = (found.join(" UNION ALL "), self.names(""), self.key(""));
        let merged = format!(
            "SELECT *, {score} AS score FROM (\
             SELECT o, c{carried}, {columns} FROM ({found}) AS l GROUP BY o, c{carried}) AS m"
        );
        let (ranked, first) = match &self.groups {
            None => (format!("{merged} ORDER BY score DESC{key} LIMIT {k} OFFSET {skip}"), ""),
            Some((grouping, scorer)) => (self.ranked_groups(&merged, grouping, *scorer), "f.gr, "),
        };
        Ok(format!(
            "SELECT {row}, f.score, {ranks}, {scores} FROM ({ranked}) AS f \
             JOIN {name} AS {ALIAS} ON {ALIAS}.ctid OPERATOR(pg_catalog.=) f.c \
             AND {ALIAS}.tableoid OPERATOR(pg_catalog.=) f.o \
             ORDER BY {first}f.score DESC{}",
            self.key("f.")
        ))
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

    /// How many rows, or groups, a leg finds that does not say.
    fn usual(&self) -> i64 {
        let (k, skip) = self.search.options.page;
        k.saturating_add(skip)
    }

    /// What is known of a row besides its place: the columns, and what they are called on the way.
    fn carried(&self) -> Vec<(String, String)> {
        let key = self.search.table.key().into_iter().zip(0..);
        let mut carried: Vec<_> = key.map(|(column, n)| (column, format!("k{n}"))).collect();
        carried.extend(self.groups.iter().map(|(by, _)| (by.column.clone(), "g".into())));
        carried.extend(self.ranker.column().map(|column| (column, "v".into())));
        carried
    }

    fn names(&self, owner: &str) -> String {
        self.carried().iter().map(|(_, name)| format!(", {owner}{name}")).collect()
    }

    fn key(&self, owner: &str) -> String {
        (0..self.search.table.key().len()).map(|n| format!(", {owner}k{n}")).collect()
    }

    /// What a leg selects of the rows that it finds, in the order `order`: places, ranks, and scores
    /// where the ranker looks at them.
    fn selected(&self, number: usize, leg: &Leg, order: &str) -> String {
        let score = if self.ranker.by_scores() { &leg.score } else { "NULL::pg_catalog.float4" };
        let carried = self.carried();
        let carried = carried.iter().map(|(column, name)| format!(", {ALIAS}.{column} AS {name}"));
        format!(
            "SELECT {number} AS leg, {ALIAS}.tableoid AS o, {ALIAS}.ctid AS c{}, \
             pg_catalog.row_number() OVER (ORDER BY {order}) AS r, {score} AS s",
            carried.collect::<String>()
        )
    }

    fn rows(&self, number: usize, leg: &Leg) -> String {
        let (name, k) = (&self.search.table.name, leg.k.unwrap_or(self.usual()));
        let order = format!("{} {}", leg.by, leg.direction());
        let selected = self.selected(number, leg, &order);
        format!(
            "({selected} FROM {name} AS {ALIAS} WHERE {} ORDER BY {order} LIMIT {k})",
            leg.condition
        )
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
        let (found, name) = (parameters.groups(&groups, 1), &self.search.table.name);
        Ok(format!(
            "({} FROM {found} JOIN {name} AS {ALIAS} ON {ALIAS}.ctid OPERATOR(pg_catalog.=) u.c \
             AND {ALIAS}.tableoid OPERATOR(pg_catalog.=) u.o)",
            self.selected(number, leg, "u.g, u.n")
        ))
    }

    /// The rows of the best groups, with the numbers of groups. Of groups of one score, larger ones
    /// come first, then those whose first row does.
    fn ranked_groups(&self, merged: &str, grouping: &Grouping, scorer: Scorer) -> String {
        let ((k, skip), size) = (self.search.options.page, grouping.sizes.size);
        let (key, scorer, n_keys) = (self.key(""), scorer.name(), self.search.table.key().len());
        let first: String = (0..n_keys)
            .map(|n| {
                format!(", pg_catalog.first_value(k{n}) OVER (PARTITION BY g ORDER BY n) AS f{n}")
            })
            .collect();
        let ties: String = (0..n_keys).map(|n| format!(", f{n}")).collect();
        let last = skip.saturating_add(k);
        format!(
            "SELECT * FROM (\
             SELECT *, pg_catalog.dense_rank() OVER (ORDER BY gs DESC, gn DESC{ties}, g) AS gr FROM (\
             SELECT *, pg_catalog.{scorer}(score) OVER (PARTITION BY g) AS gs, \
             pg_catalog.count(*) OVER (PARTITION BY g) AS gn{first} FROM (\
             SELECT *, pg_catalog.row_number() OVER (PARTITION BY g ORDER BY score DESC{key}) AS n \
             FROM ({merged}) AS s) AS a \
             WHERE n OPERATOR(pg_catalog.<=) {size}) AS b) AS d \
             WHERE gr OPERATOR(pg_catalog.>) {skip} AND gr OPERATOR(pg_catalog.<=) {last}"
        )
    }

    fn merged(&self, parameters: &mut Parameters) -> Result<Merged, Report> {
        let (mut columns, mut found) = (Vec::new(), Vec::new());
        let null = || "NULL".to_owned();
        let (mut ranks, mut scores) =
            (vec![null(); self.legs.len()], vec![null(); self.legs.len()]);
        for (number, leg) in self.found() {
            let (rank, score) = (format!("r{number}"), format!("s{number}"));
            let of_leg = format!("FILTER (WHERE leg OPERATOR(pg_catalog.=) {number})");
            columns.push(format!("pg_catalog.max(r) {of_leg} AS {rank}"));
            if self.ranker.by_scores() {
                columns.push(format!("pg_catalog.max(s) {of_leg} AS {score}"));
            }
            ranks[number] = format!("f.{rank}");
            scores[number] = format!("CASE WHEN f.{rank} IS NOT NULL THEN {} END", leg.score);
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
