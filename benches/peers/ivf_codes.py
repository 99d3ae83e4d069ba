"""Product quantization beside RaBitQ in inverted lists, by faiss-cpu (pip install faiss-cpu numpy).

    python ivf_codes.py DIR l2|cosine [BITS]

All indexes share sqrt(rows) lists, and read the nearest of them that hold 0.99 of the true neighbors.
Codes take about BITS (default 1), half and a quarter of a bit a dimension. One thread; processor time.
"""
import glob
import gzip
import sys
import time

import faiss
import numpy as np

K, CANDIDATES, QUERIES = 10, 4000, 300
TRAINING = 20_000  # rows that codebooks are trained with
ROUNDS = 3


def load(stem):
    """All vectors of a file, of length one under cosine."""
    (path,) = glob.glob(f"{stem}.*bin.gz")
    data = gzip.open(path).read()
    rows, dims = map(int, np.frombuffer(data[:8], np.uint32))
    kind = {"u8bin": np.uint8, "f16bin": np.float16, "fbin": np.float32}[path.split(".")[-2]]
    vectors = np.frombuffer(data[8:], kind).reshape(rows, dims).astype(np.float32)
    if METRIC == "cosine":
        faiss.normalize_L2(vectors)
    return vectors


def padded(vectors):
    """Zeros spread among the dimensions, to a multiple of 8 of them."""
    dims = vectors.shape[1]
    wide = np.zeros((len(vectors), -(-dims // 8) * 8), np.float32)
    wide[:, np.arange(dims) * wide.shape[1] // dims] = vectors
    return wide


def seconds(work):
    """Processor time of `work()`, and what it returns."""
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def subquantizers(wanted):
    """The divisor of the dimensions that is nearest to `wanted` by ratio."""
    divisors = [m for m in range(1, DIMS + 1) if DIMS % m == 0]
    return min(divisors, key=lambda m: abs(np.log(m / wanted)))


def rotation(matrix):
    """Trains `matrix` on residuals; it turns rows, queries and centroids alike."""
    matrix.train(sample - centroids[sample_lists])
    return matrix.apply


def opq(m, bits):
    """A rotation that suits a product quantizer, not trained yet."""
    matrix = faiss.OPQMatrix(DIMS, m)
    # Faiss does not own the quantizer: an attribute keeps it.
    matrix.kept = faiss.ProductQuantizer(DIMS, m, bits)
    matrix.pq, matrix.niter = matrix.kept, 15
    return matrix


def measure(name, make, matrix=None):
    """Prints a line for the index that `make(quantizer)` makes, after the rotation `matrix`."""
    train, turn = seconds(lambda: rotation(matrix)) if matrix else (0, lambda vectors: vectors)
    quantizer = faiss.IndexFlatL2(DIMS)
    quantizer.add(turn(centroids))
    index = make(quantizer)
    rows, asked = turn(base), turn(queries)
    train += seconds(lambda: index.train(turn(sample)))[0]
    encode, _ = seconds(lambda: index.add(rows))
    # Faiss finds the list of each row again; that is no part of its code.
    encode -= seconds(lambda: quantizer.search(rows, 1))[0]
    index.nprobe = probes
    _, found = index.search(asked, CANDIDATES)
    recall = np.zeros(CANDIDATES)
    for row, true in zip(found, reached):
        recall[np.isin(row, true)] += 1
    recall = np.cumsum(recall) / sum(map(len, reached))
    needed = [int(np.searchsorted(recall, target)) + 1 for target in (0.95, 0.99)]
    rerank = min(needed[0], CANDIDATES)
    search = lambda: [index.search(query[None], rerank) for query in asked]
    scan = (min(seconds(search)[0] for _ in range(ROUNDS)) - coarse) / len(asked)
    told = [f"{n:,}" if n <= CANDIDATES else f"> {CANDIDATES:,}" for n in needed]
    bytes_ = index.code_size
    print(f"{name:24}{bytes_:6}{train:9.1f}{encode:9.2f}{told[0]:>9}{told[1]:>9}"
          f"{scan * 1e6:10.0f}{scan * 1e9 / codes:9.1f}", flush=True)


folder, METRIC = sys.argv[1:3]
bits = float(sys.argv[3]) if len(sys.argv) > 3 else 1
faiss.omp_set_num_threads(1)
base, queries = padded(load(f"{folder}/base")), padded(load(f"{folder}/query"))[:QUERIES]
DIMS = base.shape[1]
lists = round(len(base) ** 0.5)
clustering = faiss.Clustering(DIMS, lists)
clustering.train(base, faiss.IndexFlatL2(DIMS))
centroids = faiss.vector_to_array(clustering.centroids).reshape(lists, DIMS)

flat, coarse_index = faiss.IndexFlatL2(DIMS), faiss.IndexFlatL2(DIMS)
flat.add(base)
coarse_index.add(centroids)
truth = flat.search(queries, K)[1]
list_of = coarse_index.search(base, 1)[1][:, 0]
order = coarse_index.search(queries, lists)[1]
place = np.argsort(order, axis=1)
probe_of = np.take_along_axis(place, list_of[truth], axis=1)
probes = int(np.quantile(probe_of, 0.99, method="higher")) + 1
reached = [true[at < probes] for true, at in zip(truth, probe_of)]
codes = np.bincount(list_of, minlength=lists)[order[:, :probes]].sum(axis=1).mean()
coarse = min(
    seconds(lambda: [coarse_index.search(query[None], probes) for query in queries])[0]
    for _ in range(ROUNDS)
)
chosen = np.random.default_rng(1).choice(len(base), min(TRAINING, len(base)), replace=False)
sample, sample_lists = base[chosen], list_of[chosen]

print(f"{folder.rstrip('/').split('/')[-1]}, {METRIC}: {len(base):,} rows, {base.shape[1]} dimensions "
      f"(padded), {lists} lists, {probes} probes, {codes:,.0f} codes a query")
print(f"{'':24}{'bytes':>6}{'train s':>9}{'encode s':>9}{'R 0.95':>9}{'R 0.99':>9}{'scan us':>10}{'ns/code':>9}")
for planes in (1, 2):
    sizes = DIMS, lists, faiss.METRIC_L2
    one = lambda q: faiss.IndexIVFRaBitQ(q, *sizes, True, planes)
    fast = lambda q: faiss.IndexIVFRaBitQFastScan(q, *sizes, 32, True, planes)
    measure(f"RaBitQ, {planes} bit", one, faiss.RandomRotationMatrix(DIMS, DIMS))
    measure(f"RaBitQ fast scan, {planes} bit", fast, faiss.RandomRotationMatrix(DIMS, DIMS))
for share in (1, 0.5, 0.25):
    budget = DIMS * bits * share / 8
    m4, m8 = subquantizers(2 * budget), subquantizers(budget)
    fast = lambda q: faiss.IndexIVFPQFastScan(q, DIMS, lists, m4, 4)
    wide = lambda q: faiss.IndexIVFPQ(q, DIMS, lists, m8, 8)
    measure(f"PQ {m4} x 4, fast scan", fast)
    measure(f"OPQ {m4} x 4, fast scan", fast, opq(m4, 4))
    measure(f"PQ {m8} x 8", wide)
    measure(f"OPQ {m8} x 8", wide, opq(m8, 8))
