//! How each extension is driven. Adding a system is adding a descriptor to [`SYSTEMS`].

use crate::Result;
use crate::exact::Metric;

/// An extension with an index. `{class}` in `index` is an operator class, such as `vector_l2_ops`; `{l2}` and
/// `{cosine}` are `true` for that metric, else `false`; `{lists}` is a number of lists.
#[derive(Debug)]
pub struct System {
    /// Name on the command line and in reports.
    pub name: &'static str,
    /// What `CREATE EXTENSION … CASCADE` takes.
    pub extension: &'static str,
    /// The library that the server must load at its start, for `shared_preload_libraries`.
    pub preload: Option<&'static str>,
    /// Access method, column and operator class: what follows `USING` in CREATE INDEX.
    pub index: &'static str,
    /// The setting that trades time for recall.
    pub effort: &'static str,
    /// A query that tells how many microseconds the session's last index scan took inside.
    pub scan_time: Option<&'static str>,
    /// Whether the setting bounds the number of results, so that it must be at least `k`.
    pub effort_covers_k: bool,
}

/// This extension, with default options.
const VECTOR_EXT: System = System {
    name: "vector_ext",
    extension: "vector_ext",
    preload: None,
    index: "hnsw (v {class})",
    effort: "hnsw.ef_search",
    scan_time: Some("SELECT time_us FROM vector_scan_stats()"),
    effort_covers_k: true,
};

/// pgvector, with default options.
const PGVECTOR: System = System {
    name: "pgvector",
    extension: "vector",
    preload: None,
    index: "hnsw (v {class})",
    effort: "hnsw.ef_search",
    scan_time: None,
    effort_covers_k: true,
};

/// All known systems.
pub const SYSTEMS: &[System] = &[
    VECTOR_EXT,
    System {
        name: "vector_ext_none",
        index: "hnsw (v {class}) WITH (quantization = none)",
        ..VECTOR_EXT
    },
    System {
        name: "vector_ext_sq8",
        index: "hnsw (v {class}) WITH (quantization = sq8)",
        ..VECTOR_EXT
    },
    System {
        name: "vector_ext_rabitq",
        index: "hnsw (v {class}) WITH (quantization = rabitq)",
        ..VECTOR_EXT
    },
    System {
        name: "vector_ext_ivf",
        index: "ivf (v {class})",
        effort: "ivf.probes",
        scan_time: None,
        effort_covers_k: false,
        ..VECTOR_EXT
    },
    System {
        name: "vector_ext_ivf_sq8",
        index: "ivf (v {class}) WITH (quantization = sq8)",
        effort: "ivf.probes",
        scan_time: None,
        effort_covers_k: false,
        ..VECTOR_EXT
    },
    System {
        name: "vector_ext_ivfflat",
        index: "ivfflat (v {class}) WITH (lists = {lists})",
        effort: "ivfflat.probes",
        scan_time: None,
        effort_covers_k: false,
        ..VECTOR_EXT
    },
    System {
        name: "vector_ext_ivfflat_rabitq",
        index: "ivfflat (v {class}) WITH (lists = {lists}, quantization = rabitq)",
        effort: "ivfflat.probes",
        scan_time: None,
        effort_covers_k: false,
        ..VECTOR_EXT
    },
    PGVECTOR,
    System {
        name: "pgvector_ivfflat",
        index: "ivfflat (v {class}) WITH (lists = {lists})",
        effort: "ivfflat.probes",
        effort_covers_k: false,
        ..PGVECTOR
    },
    System {
        name: "vectorscale",
        extension: "vectorscale",
        preload: None,
        index: "diskann (v {class})",
        effort: "diskann.query_search_list_size",
        scan_time: None,
        effort_covers_k: true,
    },
    // What its documentation advises for each metric. The probes
    // of the index serve until a session has its own: by default it refuses an index with lists.
    System {
        name: "vectorchord",
        extension: "vchord",
        preload: Some("vchord"),
        index: "vchordrq (v {class}) WITH (options = $$
            residual_quantization = {l2}
            [build.internal]
            lists = [{lists}]
            spherical_centroids = {cosine}
            build_threads = 2
            $$, probes = '10')",
        effort: "vchordrq.probes",
        scan_time: None,
        effort_covers_k: false,
    },
];

impl System {
    /// The system called `name`.
    pub fn by_name(name: &str) -> Result<&'static Self> {
        SYSTEMS.iter().find(|system| system.name == name).ok_or_else(|| {
            let known: Vec<_> = SYSTEMS.iter().map(|system| system.name).collect();
            format!("unknown system \"{name}\": known are {}", known.join(", ")).into()
        })
    }

    /// The statement that builds the index `items_v` of so many vectors with the extension's default
    /// options, and the square root of the rows as lists.
    pub fn create_index(&self, metric: Metric, rows: usize) -> String {
        let class = match metric {
            Metric::L2 => "vector_l2_ops",
            Metric::Cosine => "vector_cosine_ops",
        };
        self.create_index_with(class, rows.isqrt().max(1))
    }

    /// The same for any operator class and number of lists.
    pub fn create_index_with(&self, class: &str, lists: usize) -> String {
        let is = |metric: &str| class.ends_with(&format!("_{metric}_ops")).to_string();
        let index = self.index.replace("{class}", class).replace("{lists}", &lists.to_string());
        let index = index.replace("{l2}", &is("l2")).replace("{cosine}", &is("cosine"));
        format!("CREATE INDEX items_v ON items USING {index}")
    }

    /// The query that is measured.
    pub fn query(metric: Metric, k: usize) -> String {
        let operator = match metric {
            Metric::L2 => "<->",
            Metric::Cosine => "<=>",
        };
        format!("SELECT id FROM items ORDER BY v {operator} $1 LIMIT {k}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements() {
        let system = System::by_name("pgvector").unwrap();
        let index = "CREATE INDEX items_v ON items USING hnsw (v vector_cosine_ops)";
        assert_eq!(system.create_index(Metric::Cosine, 50), index);
        let of_lists = System::by_name("vectorchord").unwrap().create_index(Metric::L2, 1_000);
        assert!(of_lists.contains("lists = [31]"));
        assert!(of_lists.contains("vector_l2_ops"));
        assert!(of_lists.contains("residual_quantization = true"));
        assert!(of_lists.contains("spherical_centroids = false"));
        let query = "SELECT id FROM items ORDER BY v <-> $1 LIMIT 10";
        assert_eq!(System::query(Metric::L2, 10), query);
        assert!(
            System::by_name("x").unwrap_err().to_string().contains("pgvector, pgvector_ivfflat")
        );
    }
}
