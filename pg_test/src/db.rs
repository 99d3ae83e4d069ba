//! A fresh database for each test, in one server for all of them.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{OnceLock, RwLock};

use postgres::Client;

use crate::Cluster;

static SHARED: OnceLock<Cluster> = OnceLock::new();

/// Read by those who connect, written by those who clear away. A backend that starts has a snapshot
/// but no database yet, and keeps deleted rows alive in all of them.
static STARTING: RwLock<()> = RwLock::new(());

/// The server that tests share.  The watchdog stops it when their program ends.
fn shared() -> &'static Cluster {
    SHARED.get_or_init(|| Cluster::new("shared", &[]).unwrap())
}

/// A database of its own for one test, dropped with the value.  It dereferences to a connection.
///
/// ```no_run
/// let mut db = pg_test::TestDb::new();
/// db.execute("CREATE TABLE t (v vector(3))", &[]).unwrap();
/// ```
///
/// All its methods panic where the server refuses: they are for tests.
pub struct TestDb {
    name: String,
    client: Client,
}

impl TestDb {
    /// A database with the extension.
    pub fn new() -> Self {
        let mut db = Self::without_extension();
        db.batch_execute("CREATE EXTENSION vector_ext").unwrap();
        db
    }

    /// A database as PostgreSQL makes it.
    pub fn without_extension() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let _starting = STARTING.read();
        shared().connect().unwrap().execute(&format!("CREATE DATABASE {name}"), &[]).unwrap();
        let client = shared().connect_db(&name).unwrap();
        Self { name, client }
    }

    /// The database's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The server that this database shares with those of the other tests: do not stop it.
    pub fn cluster(&self) -> &'static Cluster {
        shared()
    }

    /// Runs statements, as the method of the connection does. VACUUM removes all deleted rows that no
    /// session of this database sees: no other test connects meanwhile.
    pub fn batch_execute(&mut self, statements: &str) -> Result<(), postgres::Error> {
        let vacuums = statements.starts_with("VACUUM");
        let _alone = vacuums.then(|| STARTING.write());
        self.client.batch_execute(statements)
    }

    /// One more connection.
    pub fn connect(&self) -> Client {
        let _starting = STARTING.read();
        shared().connect_db(&self.name).unwrap()
    }
}

impl Default for TestDb {
    fn default() -> Self {
        Self::new()
    }
}

impl Deref for TestDb {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl DerefMut for TestDb {
    fn deref_mut(&mut self) -> &mut Client {
        &mut self.client
    }
}

impl Drop for TestDb {
    fn drop(&mut self) {
        // Only for the disk's sake: a failure must not hide the test's own.
        if let Ok(mut admin) = shared().connect() {
            let _ = admin.execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name), &[]);
        }
    }
}
