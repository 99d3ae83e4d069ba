#!/bin/bash
# Writes the SQL that is the same for several vector types: the dense types, and spheres, scores, and
# operator classes of all types. Run it after changing a template in scripts/sql-types/, and commit
# the SQL: users install it as it is in sql/, and SQL that was released does not change.
#
# Usage: scripts/sql-types.sh [FOLDER]    (default: sql/0.1.0, which has all types so far)
#
# A new dense type gets a line in `dense_types`, its facts in dense.sh, and a call below.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=${1:-sql/0.1.0}

# The dense types; those after the first convert to and from all types before them.
dense_types=(vector halfvec bf16vec i8vec)
# The types with the distances <->, <#>, <=>, and <+>.
number_types=("${dense_types[@]}" sparsevec)

. scripts/sql-types/statement.sh
. scripts/sql-types/dense.sh
. scripts/sql-types/score.sh
. scripts/sql-types/class.sh

dense_type vector >"$folder/10_vector.sql"
dense_type halfvec >"$folder/11_halfvec.sql"
dense_type bf16vec >"$folder/12_bf16vec.sql"
dense_type i8vec >"$folder/13_i8vec.sql"
scores >"$folder/30_score.sql"
ranges >"$folder/36_range.sql"
hnsw_vector >"$folder/50_hnsw.sql"
hnsw_dense >"$folder/51_hnsw_dense.sql"
hnsw_bit >"$folder/52_hnsw_bit.sql"
hnsw_sparsevec >"$folder/53_hnsw_sparsevec.sql"
ivfflat >"$folder/60_ivfflat.sql"
ivf >"$folder/61_ivf.sql"
