//! The types that an `hnsw` index can be on, for tests that are the same for all of them.

use std::ops::Range;

use postgres::Client;

use crate::{explain_plan, index_problems, random_vector, scans_index};

/// An operator class and its operator.
pub type Class = (&'static str, &'static str);

/// Distances, an answer a row.
pub type Answers = Vec<Vec<f64>>;

/// What is asked of table `t`.
pub struct Search<'a> {
    /// The distance.
    pub operator: &'a str,
    /// Which rows count, in SQL.
    pub condition: &'a str,
    /// Most rows of an answer.
    pub limit: usize,
}

/// Seeds of the values that searches ask for; those of rows are not negative.
const QUERIES: Range<i32> = -10..0;

/// A type that an index can be on, and how values of it are made.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// The type's name.
    pub name: &'static str,
    /// Dimensions of every value; bits of a bit string.
    pub dims: usize,
    /// Operator classes.
    pub classes: &'static [Class],
    /// Writes a value, given numbers from -1 to 1.
    pub literal: fn(&[f32]) -> String,
}

/// Every type that an index can be on.
pub const KINDS: [Kind; 6] = [
    Kind {
        name: "vector",
        dims: 16,
        classes: &[
            ("vector_l2_ops", "<->"),
            ("vector_ip_ops", "<#>"),
            ("vector_cosine_ops", "<=>"),
            ("vector_l1_ops", "<+>"),
        ],
        literal: reals,
    },
    Kind {
        name: "halfvec",
        dims: 16,
        classes: &[
            ("halfvec_l2_ops", "<->"),
            ("halfvec_ip_ops", "<#>"),
            ("halfvec_cosine_ops", "<=>"),
            ("halfvec_l1_ops", "<+>"),
        ],
        literal: reals,
    },
    Kind {
        name: "bf16vec",
        dims: 16,
        classes: &[
            ("bf16vec_l2_ops", "<->"),
            ("bf16vec_ip_ops", "<#>"),
            ("bf16vec_cosine_ops", "<=>"),
            ("bf16vec_l1_ops", "<+>"),
        ],
        literal: reals,
    },
    Kind {
        name: "i8vec",
        dims: 16,
        classes: &[
            ("i8vec_l2_ops", "<->"),
            ("i8vec_ip_ops", "<#>"),
            ("i8vec_cosine_ops", "<=>"),
            ("i8vec_l1_ops", "<+>"),
        ],
        literal: integers,
    },
    Kind {
        name: "bit",
        dims: 48,
        classes: &[("bit_hamming_ops", "<~>"), ("bit_jaccard_ops", "<%>")],
        literal: bits,
    },
    Kind {
        name: "sparsevec",
        dims: 24,
        classes: &[
            ("sparsevec_l2_ops", "<->"),
            ("sparsevec_ip_ops", "<#>"),
            ("sparsevec_cosine_ops", "<=>"),
            ("sparsevec_l1_ops", "<+>"),
        ],
        literal: sparse,
    },
];

fn reals(vector: &[f32]) -> String {
    format!("{vector:?}")
}

fn integers(vector: &[f32]) -> String {
    let integers: Vec<i32> = vector.iter().map(|x| (x * 127.0).round() as i32).collect();
    format!("{integers:?}")
}

/// A third of the numbers, and zeros.
fn sparse(vector: &[f32]) -> String {
    let elements = vector.iter().zip(1..).filter(|&(x, _)| x.abs() > 0.66);
    let elements: Vec<String> = elements.map(|(x, index)| format!("{index}:{x}")).collect();
    format!("{{{}}}/{}", elements.join(","), vector.len())
}

fn bits(vector: &[f32]) -> String {
    vector.iter().map(|&x| if x > 0.0 { '1' } else { '0' }).collect()
}

impl Kind {
    /// The type with its modifier, such as `halfvec(16)`.
    pub fn column(&self) -> String {
        format!("{}({})", self.name, self.dims)
    }

    /// The same value for the same seed, another for another, as a literal without quotes.
    pub fn value(&self, seed: i32) -> String {
        (self.literal)(&random_vector(seed as u64, self.dims))
    }

    /// Makes an empty table `t (id, v)`, in place of the one that was there. `persistence` is
    /// `UNLOGGED`, or empty.
    pub fn create_table(&self, client: &mut Client, persistence: &str) {
        let create = format!(
            "DROP TABLE IF EXISTS t; CREATE {persistence} TABLE t (id int, v {}) \
             WITH (autovacuum_enabled = false)",
            self.column()
        );
        client.batch_execute(&create).unwrap();
    }

    /// Makes index `i`; `options` are what `WITH` has, or empty.
    pub fn create_index(&self, client: &mut Client, class: &str, options: &str) {
        let with = if options.is_empty() { String::new() } else { format!("WITH ({options})") };
        let create =
            format!("DROP INDEX IF EXISTS i; CREATE INDEX i ON t USING hnsw (v {class}) {with}");
        client.batch_execute(&create).unwrap();
    }

    /// Inserts rows into `t`: the value of a row is that of its id.
    pub fn insert(&self, client: &mut Client, ids: Range<i32>) {
        let values: Vec<String> = ids.clone().map(|id| self.value(id)).collect();
        let insert = format!(
            "INSERT INTO t SELECT id, v::{} FROM unnest($1::int[], $2::text[]) AS r (id, v)",
            self.column()
        );
        client.execute(&insert, &[&ids.collect::<Vec<_>>(), &values]).unwrap();
    }

    /// Searches of `t` with a condition, through index `i` or by a sort: the distances in the order
    /// in which they come, for each of a few values that are not in the table.
    ///
    /// # Panics
    /// If the plan is another one.
    pub fn search(&self, client: &mut Client, search: &Search, by_index: bool) -> Answers {
        let Search { operator, condition, limit } = search;
        let settings = format!(
            "SET enable_seqscan = {0}; SET enable_sort = {0}; SET enable_indexscan = {by_index}",
            !by_index
        );
        client.batch_execute(&settings).unwrap();
        let ask = |seed| {
            let distance = format!("v {operator} '{}'::{}", self.value(seed), self.column());
            let query = format!(
                "SELECT {distance} FROM t WHERE {condition} ORDER BY {distance} LIMIT {limit}"
            );
            if seed == QUERIES.start {
                let plan = explain_plan(client, &query).unwrap();
                assert_eq!(scans_index(&plan, "i"), by_index, "{plan}");
            }
            client.query(&query, &[]).unwrap().iter().map(|row| row.get(0)).collect()
        };
        let answers = QUERIES.map(ask).collect();
        let reset = "RESET enable_seqscan; RESET enable_sort; RESET enable_indexscan";
        client.batch_execute(reset).unwrap();
        answers
    }

    /// Share of the exact answers that the index gives.
    pub fn recall(&self, client: &mut Client, search: &Search) -> f64 {
        let exact = self.search(client, search, false);
        let found = self.search(client, search, true);
        let mut hits = 0;
        for (found, exact) in found.iter().zip(&exact) {
            let farthest = exact.last().unwrap();
            hits += found.iter().filter(|&distance| distance <= farthest).count();
        }
        hits as f64 / exact.iter().map(Vec::len).sum::<usize>() as f64
    }

    /// Index `i` is sound, and gives every row of `t`, at its distance.
    ///
    /// # Panics
    /// If not.
    #[track_caller]
    pub fn check_whole(&self, client: &mut Client, operator: &str) {
        assert_eq!(index_problems(client, "i").unwrap(), [""; 0]);
        let all = Search { operator, condition: "true", limit: 1_000_000 };
        let exact = self.search(client, &all, false);
        let found = self.search(client, &all, true);
        for (found, exact) in found.into_iter().zip(exact) {
            let (name, rows) = (self.name, exact.len());
            assert!(found == exact, "{name} {operator}: {} of {rows} rows", found.len());
        }
    }
}
