"""K-means of faiss-cpu, beside `train_time` of crates/kmeans (pip install faiss-cpu numpy).

    python faiss_kmeans.py FILE.u8bin.gz CLUSTERS ROUNDS THREADS
"""
import gzip
import sys
import time

import faiss
import numpy as np

path, clusters, rounds, threads = sys.argv[1], *map(int, sys.argv[2:])
data = gzip.open(path).read()
rows, dims = map(int, np.frombuffer(data[:8], np.uint32))
kind = np.uint8 if "u8bin" in path else np.float16
base = np.frombuffer(data[8:], kind).reshape(rows, dims).astype(np.float32)

faiss.omp_set_num_threads(threads)
training = faiss.Clustering(dims, clusters)
training.niter = rounds
training.min_points_per_centroid = 1
index = faiss.IndexFlatL2(dims)
start = time.time()
training.train(base, index)
seconds = time.time() - start
distances, nearest = index.search(base, 1)
sizes = np.bincount(nearest[:, 0], minlength=clusters).astype(float)
print(
    f"{clusters} clusters: {seconds:.2f} s, inertia {distances.mean():.5f}, "
    f"imbalance {(sizes**2).sum() * clusters / rows**2:.3f}, "
    f"largest / mean {sizes.max() * clusters / rows:.2f}, empty {int((sizes == 0).sum())}"
)
