"""BM25 by tantivy (pip install tantivy): build, bytes, and processor time of a search, one thread.

    python tantivy_bm25.py DIR [ROWS]

DIR has docs.tsv.gz and queries.tsv.gz; tokens are those of our analyzers of the same names. Or it has
docs.txt, a text of words a line, and files of queries, *.N.txt.
"""
import glob
import gzip
import os
import sys
import tempfile
import time

from tantivy import (
    Document, Filter, Index, Occur, Query, SchemaBuilder, TextAnalyzerBuilder, Tokenizer,
)

ROUNDS, K = 5, 10
STOP_WORDS = (
    "a an and are as at be but by for if in into is it no not of on or such that the their then "
    "there these they this to was will with"
).split()


def column(name, number):
    """A column of a table, without its head."""
    lines = gzip.open(f"{sys.argv[1]}/{name}.tsv.gz", "rt", encoding="utf-8").read().splitlines()
    return [line.split("\t")[number] for line in lines[1:]]


def analyzers():
    """Analyzers by their names."""
    start = lambda: TextAnalyzerBuilder(Tokenizer.simple()).filter(Filter.lowercase())
    stop = Filter.custom_stopword(STOP_WORDS)
    return {
        "standard": start().build(),
        "standard, stop": start().filter(stop).build(),
        "Milvus's english": start().filter(Filter.stemmer("english")).filter(stop).build(),
    }


def build(texts, analyzer, option, folder):
    """An index of one segment, and the processor time of its build."""
    builder = SchemaBuilder()
    builder.add_text_field("body", stored=False, tokenizer_name="own", index_option=option)
    schema = builder.build()
    index = Index(schema, path=folder)
    index.register_tokenizer("own", analyzer)
    start = time.process_time()
    writer = index.writer(heap_size=1_000_000_000, num_threads=1)
    for text in texts:
        writer.add_document(Document(body=[text]))
    writer.commit()
    writer.wait_merging_threads()
    seconds = time.process_time() - start
    index.reload()
    return index, schema, seconds


def ranked(schema, analyzer, text):
    """The query for any word of a text; repeated words count as often."""
    times = {}
    for token in analyzer.analyze(text):
        times[token] = times.get(token, 0) + 1
    terms = [Query.term_query(schema, "body", token) for token in times]
    terms = [Query.boost_query(term, n) if n > 1 else term for term, n in zip(terms, times.values())]
    return Query.boolean_query([(Occur.Should, term) for term in terms])


def least_us(searcher, queries):
    """Processor time of a query in the best of some rounds, in microseconds."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        for query in queries:
            searcher.search(query, K, count=False)
        best = min(best, time.process_time() - start)
    return best / len(queries) * 1e6


def words(folder):
    """Searches the texts of docs.txt."""
    texts = open(f"{folder}/docs.txt", encoding="utf-8").read().splitlines()
    analyzer = TextAnalyzerBuilder(Tokenizer.whitespace()).build()
    print(f"{len(texts)} texts")
    for option in ["freq", "position"]:
        with tempfile.TemporaryDirectory() as place:
            index, schema, seconds = build(texts, analyzer, option, place)
            size = sum(os.path.getsize(f"{place}/{file}") for file in os.listdir(place))
            print(f"{option}: build {seconds:.2f} cpu s, {size / len(texts):.1f} bytes/row")
            for name in sorted(glob.glob(f"{folder}/*.[0-9].txt")):
                queries = open(name, encoding="utf-8").read().splitlines()
                queries = [ranked(schema, analyzer, text) for text in queries]
                us = least_us(index.searcher(), queries)
                print(f"{os.path.basename(name):16} {us:7.0f} cpu us")


def main():
    texts = column("docs", -1)[: int(sys.argv[2]) if len(sys.argv) > 2 else None]
    vectors, questions = column("queries", 2), column("queries", -1)
    questions = [text for text, vector in zip(questions, vectors) if int(vector) >= 0]
    print(f"{len(texts)} texts, {len(questions)} queries")
    print(f"{'analyzer':18} {'build cpu s':>11} {'bytes/row':>9} {'without positions':>17} {'cpu us':>7}")
    for name, analyzer in analyzers().items():
        sizes = []
        for option in ["freq", "position"]:
            with tempfile.TemporaryDirectory() as folder:
                index, schema, seconds = build(texts, analyzer, option, folder)
                size = sum(os.path.getsize(f"{folder}/{file}") for file in os.listdir(folder))
                sizes.append(size / len(texts))
                searcher = index.searcher()
                queries = [ranked(schema, analyzer, text) for text in questions]
                us = least_us(searcher, queries)
        print(f"{name:18} {seconds:11.2f} {sizes[1]:9.1f} {sizes[0]:17.1f} {us:7.0f}")


if os.path.exists(f"{sys.argv[1]}/docs.txt"):
    words(sys.argv[1])
else:
    main()
