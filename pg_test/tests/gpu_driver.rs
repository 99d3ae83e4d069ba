//! Builds on a GPU, from SQL to the kernels. In place of NVIDIA's driver stands an emulator, which runs
//! the kernels on the CPU.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use pg_test::{Cluster, clusters_dir, index_problems};
use postgres::{Client, NoTls};

#[path = "../../crates/gpu/emulator/compile.rs"]
mod compile;

/// The folder of the emulator's `libcuda.so.1`, where servers can read it.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = clusters_dir().unwrap().join("gpu_emulator");
        let of_crate = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/gpu");
        compile::emulator(&of_crate, &folder);
        folder
    })
}

/// What a server says.
type Said = Arc<Mutex<Vec<String>>>;

/// A server that finds the emulator, set by `environment`; a session with a table `t`, and what it says.
fn server(name: &str, environment: &[(&str, &str)]) -> (Cluster, Client, Said) {
    let library_path = ("LD_LIBRARY_PATH", folder().to_str().unwrap());
    let environment = [&[library_path], environment].concat();
    let cluster = Cluster::in_environment(name, &environment).unwrap();
    let said = Said::default();
    let heard = said.clone();
    let hear = move |notice: postgres::error::DbError| {
        heard.lock().unwrap().push(notice.message().to_owned());
        heard.lock().unwrap().extend(notice.detail().map(str::to_owned));
    };
    let mut client = cluster.config().notice_callback(hear).connect(NoTls).unwrap();
    client
        .batch_execute(
            "CREATE EXTENSION vector_ext;
             CREATE TABLE t AS SELECT i AS id,
                 ARRAY[sin(i), cos(i), sin(3 * i), cos(3 * i), sin(7 * i), cos(7 * i)]::vector(6) AS v
             FROM generate_series(1, 400) AS i;
             SET maintenance_work_mem = '256MB';
             SET vector_ext.gpu_build = auto; SET vector_ext.gpu_min_rows = 0",
        )
        .unwrap();
    (cluster, client, said)
}

/// The ten nearest rows of some.
fn nearest(client: &mut Client, scan: &str) -> Vec<Vec<i32>> {
    client.batch_execute(scan).unwrap();
    let query = "SELECT ARRAY(SELECT id FROM t ORDER BY v <-> q.v, id LIMIT 10) FROM t AS q
                 WHERE id % 20 = 0 ORDER BY id";
    client.query(query, &[]).unwrap().iter().map(|row| row.get(0)).collect()
}

#[test]
fn gpu_builds_indexes() {
    let (_cluster, mut client, said) = server("gpu_driver", &[]);
    let row = client.query_one("SELECT gpu FROM vector_ext_info()", &[]).unwrap();
    assert_eq!(row.get::<_, &str>(0), "emulator, 1 GiB, CUDA 12.2");
    let exact = nearest(&mut client, "SET enable_indexscan = off");
    for method in ["hnsw (v vector_l2_ops)", "ivf (v vector_l2_ops) WITH (lists = 10)"] {
        said.lock().unwrap().clear();
        let create = format!("SET vector_ext.gpu_build = on; CREATE INDEX i ON t USING {method}");
        client.batch_execute(&create).unwrap();
        let expected =
            "building index public.i on GPU 0 (emulator, 1 GiB free): 400 vectors of 6 dimensions";
        assert_eq!(*said.lock().unwrap(), [expected]);
        assert_eq!(index_problems(&mut client, "i").unwrap(), [""; 0]);
        let all = "SET ivf.probes = 10; SET enable_indexscan = on; SET enable_seqscan = off";
        assert_eq!(nearest(&mut client, all), exact, "{method}");
        client.batch_execute("DROP INDEX i").unwrap();
    }
}

#[test]
fn gpu_that_fails_is_not_tried_again() {
    let (cluster, mut client, said) = server("gpu_driver_fails", &[("EMULATOR_FAILS", "25")]);
    client.batch_execute("CREATE INDEX i ON t USING hnsw (v vector_l2_ops)").unwrap();
    assert_eq!(index_problems(&mut client, "i").unwrap(), [""; 0]);
    let text = said.lock().unwrap().join(" ");
    assert!(text.contains("building index public.i without a GPU"), "{text}");
    assert!(text.contains("The device failed: unspecified launch failure."), "{text}");
    said.lock().unwrap().clear();
    client.batch_execute("REINDEX INDEX i").unwrap();
    let text = said.lock().unwrap().join(" ");
    assert!(text.contains("failed") && text.contains("in this session"), "{text}");
    let error = client.batch_execute("SET vector_ext.gpu_build = on; REINDEX INDEX i").unwrap_err();
    assert_eq!(error.as_db_error().unwrap().message(), "could not build index public.i on a GPU");
    assert!(!cluster.has_crashed());
}
