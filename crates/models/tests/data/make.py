"""Makes the small static models of the tests, and what Model2Vec's own library computes with them.

pip install model2vec==0.10.0 tokenizers==0.23.3 sentencepiece protobuf
"""
import base64, io, json, pathlib, sys, tempfile

import numpy as np
import sentencepiece
from model2vec import StaticModel
from sentencepiece import sentencepiece_model_pb2
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

HERE = pathlib.Path(__file__).parent
CORPUS = """
The quick brown fox jumps over the lazy dog. A green tea pot stands on the kitchen table, beside two cups.
Water is heated in a kettle until it boils; then it is poured over the leaves. Sugar, milk and lemon are optional.
Databases store rows in tables, and indexes find the rows that a query asks for without reading all of them.
Vectors that are close to each other belong to texts of similar meaning: that is what embeddings are made for.
Über den Wolken muss die Freiheit wohl grenzenlos sein. Où est la gare? El niño comió una manzana.
1234567890 0.5 e-mail@example.com don't can't it's (brackets) [more] {even more} -- -- --
""" * 3
TEXTS = [
    "", " ", "tea", "Tea", "TEA POT", "a green tea pot", "the kettle boils", "unseenword", "xyzzy plugh",
    "Database indexes find rows.", "don't", "über Über UBER", "u\u0308ber", "El ni\u00f1o comi\u00f3", "caf\u00e9",
    "\u4e2d\u6587 text", "\u65e5\u672c\u8a9e", "tabs\tand\nlines\r\n", "zero\u200bwidth", "soft\u00adhyphen", "nul\x00byte", "\ufffd",
    "\U0001f375 tea", "e-mail@example.com", "a.b,c;d:e", "\u00a1hola! \u2014 dash", "5\u20ac $5", "\u0130stanbul", "\u03a3\u03b1\u03c2 \u03a3",
    "ﬁ ligature \u2460 \uff21\uff22", "[PAD] tea", "tea[UNK]pot", "[MASK]", "green tea!", "lazy dog runs", "[mask] green",
    "x" * 101, "tea " * 600, "a" * 5000, "\u0939\u093f\u0928\u094d\u0926\u0940", "\u0e44\u0e17\u0e22", "\ud55c\uad6d\uc5b4", "\u1112\u1161\u11ab",
    "  many   spaces  ", "\u3000wide\u3000", "\u2581meta", "q\u0323\u0307", "A\u030a", "<unk> tea", "a\u08e0b", "a\u08cab", "a\u0903b", "a\u20ddb", "a\u061db", "a\u166db", "a\u08e2b", "\x07bell", "\ue000private",
]


def corpus():
    return CORPUS.strip().splitlines()


def rows(count, seed):
    return np.random.default_rng(seed).standard_normal((count, 8)).astype(np.float32).round(3)


def save(name, vectors, tokenizer, **more):
    model = StaticModel(vectors, tokenizer, **more)
    folder = HERE / name
    model.save_pretrained(folder)
    for extra in ["README.md", "modules.json"]:
        (folder / extra).unlink(missing_ok=True)
    # As it is loaded, so that what was saved is what was computed with.
    model = StaticModel.from_pretrained(folder)
    found = model.encode(TEXTS).astype(np.float64)
    expected = {"texts": TEXTS, "vectors": [[round(float(x), 6) for x in v] for v in found]}
    (folder / "expected.json").write_text(json.dumps(expected) + "\n")


def word_piece():
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(vocab_size=300, special_tokens=special, min_frequency=1)
    tokenizer.train_from_iterator(corpus(), trainer)
    tokenizer.add_tokens([AddedToken("Green Tea", normalized=True), AddedToken("lazy dog", single_word=True)])
    return tokenizer


def unigram():
    with tempfile.TemporaryDirectory() as folder:
        rules = pathlib.Path(folder) / "rules.tsv"
        # What NFKC and NMT do, in a few lines: upper case letters with accents, ligatures, spaces.
        rows = [("C5", "E5"), ("41 30A", "E5"), ("DC", "FC"), ("FB01", "66 69"), ("2460", "31"), ("FF21", "41"),
                ("3000", "20"), ("9", "20"), ("A", "20"), ("200B", ""), ("75 308", "FC"), ("1112 1161 11AB", "D55C")]
        rules.write_text("".join(f"{a}\t{b}\n" for a, b in rows))
        out = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(corpus()), model_writer=out, vocab_size=200, model_type="unigram",
            normalization_rule_tsv=str(rules), minloglevel=2, hard_vocab_limit=False)
        proto = sentencepiece_model_pb2.ModelProto()
        proto.ParseFromString(out.getvalue())
    vocabulary = [(piece.piece, piece.score) for piece in proto.pieces if piece.type in (1, 2)]
    unknown = next(i for i, piece in enumerate(vocabulary) if piece[0] == "<unk>")
    tokenizer = Tokenizer(models.Unigram(vocabulary, unknown, False))
    table = base64.b64encode(proto.normalizer_spec.precompiled_charsmap).decode()
    steps = [normalizers.Replace(".", " . "), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip(left=False)]
    tokenizer.normalizer = normalizers.Sequence(steps)
    state = json.loads(tokenizer.to_str())
    state["normalizer"]["normalizers"].insert(0, {"type": "Precompiled", "precompiled_charsmap": table})
    tokenizer = Tokenizer.from_str(json.dumps(state))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=False)
    return tokenizer


def words():
    tokenizer = Tokenizer(models.WordLevel(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Whitespace(), pre_tokenizers.Split(Regex("[0-9]"), "isolated")])
    tokenizer.train_from_iterator(corpus(), trainers.WordLevelTrainer(vocab_size=200, special_tokens=["<unk>"]))
    return tokenizer


if __name__ == "__main__":
    tokenizer = word_piece()
    save("wordpiece", rows(tokenizer.get_vocab_size(), 1), tokenizer, normalize=True)
    tokenizer = unigram()
    save("unigram", rows(tokenizer.get_vocab_size(), 2), tokenizer, normalize=False, max_length=None)
    tokenizer = words()
    size = tokenizer.get_vocab_size()
    random = np.random.default_rng(3)
    save("mapped", rows(20, 3).astype(np.float16), tokenizer, normalize=True,
         token_mapping=random.integers(0, 20, size), weights=random.random(size).round(3))
