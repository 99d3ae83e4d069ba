"""Searches through pgbouncer in transaction mode: many clients share two connections to the server."""
import os
import pwd
import re
import shutil
import subprocess
import tempfile
import threading
import time

import psycopg
from pgvector import Vector
from pgvector.psycopg import register_vector

PROGRAM = shutil.which("pgbouncer", path=os.environ["PATH"] + ":/usr/sbin")
CLIENTS = 8
CONNECTIONS = 2
VERSION = tuple(int(part) for part in re.findall(r"\d+", subprocess.check_output([PROGRAM, "--version"], text=True))[:2])
# Older ones do not follow prepared statements from connection to connection.
PREPARES = VERSION >= (1, 21)

CONFIGURATION = """
[databases]
* = host={host} port={port} user={user}
[pgbouncer]
listen_addr =
listen_port = 6432
unix_socket_dir = {folder}
auth_type = any
pool_mode = transaction
default_pool_size = {connections}
query_wait_timeout = 20
{prepared}
"""


class Pgbouncer:
    """pgbouncer for as long as the `with` lasts; its folder has the socket and the log."""

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="pgbouncer", dir="/tmp")
        path = os.path.join(self.folder, "pgbouncer.ini")
        self.log = os.path.join(self.folder, "log")
        with open(path, "w") as file:
            file.write(CONFIGURATION.format(
                host=os.environ["PGHOST"], port=os.environ.get("PGPORT", 5432), user=os.environ["PGUSER"],
                folder=self.folder, connections=CONNECTIONS,
                prepared="max_prepared_statements = 100" if PREPARES else ""))
        command = [PROGRAM, path]
        if os.getuid() == 0:  # which it refuses; the server's user may use the server's socket
            server = pwd.getpwuid(os.stat(os.environ["PGHOST"]).st_uid)
            for owned in self.folder, path:
                os.chown(owned, server.pw_uid, server.pw_gid)
            command[1:1] = ["-u", server.pw_name]
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder)

    def connect(self):
        threshold = 0 if PREPARES else None  # None: no statement outlives its transaction
        conn = psycopg.connect(host=self.folder, port=6432, autocommit=True, prepare_threshold=threshold)
        register_vector(conn)
        return conn

    def wait(self):
        """Until it accepts connections."""
        deadline = time.monotonic() + 60
        while True:
            try:
                return self.connect().close()
            except psycopg.OperationalError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(open(self.log).read())
                time.sleep(0.01)


def value(conn, sql, *parameters):
    return conn.execute(sql, parameters).fetchone()[0]


def search(conn, query):
    """The three nearest, in both formats of the wire."""
    sql = "SELECT id, v FROM items ORDER BY v <-> %s LIMIT 3"
    text, binary = (conn.execute(sql, (query,), binary=binary).fetchall() for binary in (False, True))
    assert text == binary, (text, binary)
    assert all(v == Vector([id, 0]) for id, v in text), text
    return [id for id, _ in text]


def client(pgbouncer, number, barrier, found):
    with pgbouncer.connect() as conn:
        barrier.wait()
        for turn in range(50):
            near = number * 100 + turn + 0.25
            width = 100 + number
            with conn.transaction():
                conn.execute(f"SET LOCAL hnsw.ef_search = {width}")
                inside = search(conn, Vector([near, 0]))
                assert value(conn, "SELECT current_setting('hnsw.ef_search')") == str(width)
            outside = search(conn, Vector([near, 0]))
            expected = [number * 100 + turn + step for step in (0, 1, -1)]
            assert inside == outside == expected, (inside, outside, expected)
            # What a transaction set, no other client has.
            left, process = conn.execute("SELECT current_setting('hnsw.ef_search'), pg_backend_pid()").fetchone()
            assert left == "40", left
            found.append(process)


def threads(pgbouncer):
    """Clients at the same time; the processes of the server that answered them."""
    barrier, found, errors = threading.Barrier(CLIENTS, timeout=60), [], []

    def run(number):
        try:
            client(pgbouncer, number, barrier, found)
        except BaseException as error:
            errors.append(error)

    running = [threading.Thread(target=run, args=(number,)) for number in range(1, CLIENTS + 1)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    if errors:
        raise errors[0]
    return found


def overlap(pgbouncer):
    """Two open transactions have a connection each, and the settings of their own."""
    with pgbouncer.connect() as one, pgbouncer.connect() as other:
        with one.transaction(), other.transaction():
            assert value(one, "SELECT pg_backend_pid()") != value(other, "SELECT pg_backend_pid()")
            one.execute("SET LOCAL hnsw.ef_search = 7")
            other.execute("SET LOCAL hnsw.ef_search = 9")
            assert search(one, Vector([5, 0]))[0] == search(other, Vector([5, 0]))[0] == 5
            assert value(one, "SELECT current_setting('hnsw.ef_search')") == "7"
            assert value(other, "SELECT current_setting('hnsw.ef_search')") == "9"
            # A failed search takes its transaction's settings with it.
            try:
                with one.transaction():
                    one.execute("SET LOCAL hnsw.ef_search = 8")
                    one.execute("SELECT id FROM items ORDER BY v <-> %s", (Vector([1]),))
                raise AssertionError("a vector of one dimension was accepted")
            except psycopg.errors.DataException:
                assert value(one, "SELECT current_setting('hnsw.ef_search')") == "7"


def prepared_by_sql(pgbouncer):
    """PREPARE within a transaction, as every version allows."""
    with pgbouncer.connect() as conn, conn.transaction():
        conn.execute("PREPARE nearest (vector) AS SELECT id FROM items ORDER BY v <-> $1 LIMIT 1")
        for near in range(1, 11):  # past the five that are planned with their values
            assert value(conn, f"EXECUTE nearest('[{near},0]')") == near
        conn.execute("DEALLOCATE nearest")


with psycopg.connect(autocommit=True) as conn:
    conn.execute("CREATE EXTENSION IF NOT EXISTS vector")
    conn.execute("CREATE TABLE items (id int, v vector(2))")
    conn.execute("INSERT INTO items SELECT i, ARRAY[i, 0]::vector FROM generate_series(1, 1000) i")
    conn.execute("CREATE INDEX ON items USING hnsw (v vector_l2_ops)")
with Pgbouncer() as pgbouncer:
    pgbouncer.wait()
    overlap(pgbouncer)
    processes = threads(pgbouncer)
    assert len(set(processes)) <= CONNECTIONS and len(processes) == CLIENTS * 50, set(processes)
    prepared_by_sql(pgbouncer)
