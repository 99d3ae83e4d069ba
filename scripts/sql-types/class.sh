# Access methods and their operator classes.

# The support functions that tell type and metric: PREFIX TYPE METRIC...
supports() {
  local prefix=$1 type=$2 metric
  shift 2
  echo
  for metric; do
    echo "CREATE FUNCTION ${prefix}_${type}_${metric}_support(internal) RETURNS internal"
    echo "	AS 'MODULE_PATHNAME' LANGUAGE C;"
  done
}

# Operator classes, whose support functions begin with PREFIX: METHOD PREFIX TYPE METRIC...
classes() {
  local method=$1 prefix=$2 type=$3 metric
  shift 3
  for metric; do
    class
  done
}

# Reads the variables of `classes`. As in pgvector, hnsw has no default, and ivfflat one. In ivf each type
# has one, so that an index outlives ALTER COLUMN TYPE.
class() {
  local operator distance default='' sphere=yes norm=''
  case $metric in
    l2) operator='<->' distance=${type}_l2_squared_distance ;;
    ip) operator='<#>' distance=${type}_negative_inner_product ;;
    cosine) operator='<=>' distance=${type}_negative_inner_product norm=$(norm_of "$type") ;;
    l1) operator='<+>' distance=l1_distance sphere= ;;
    hamming) operator='<~>' distance=hamming_distance sphere= ;;
    jaccard) operator='<%>' distance=jaccard_distance sphere= ;;
  esac
  case "$method $type $metric" in
    'ivfflat vector l2' | ivf' '*' l2' | 'ivf bit hamming') default='DEFAULT ' ;;
  esac
  echo
  echo "CREATE OPERATOR CLASS ${type}_${metric}_ops"
  echo "	${default}FOR TYPE $type USING $method AS"
  echo "	OPERATOR 1 $operator ($type, $type) FOR ORDER BY float_ops,"
  [ -z "$sphere" ] || echo "	OPERATOR 2 <$operator> ($type, $(sphere_of "$type")),"
  echo "	FUNCTION 1 $distance($type, $type),"
  [ -z "$norm" ] || echo "	FUNCTION 2 $norm($type),"
  echo "	FUNCTION 3 ${prefix}_${type}_${metric}_support(internal);"
}

# An access method: NAME TITLE
access_method() {
  cat <<SQL
-- Access method $1: $2

CREATE FUNCTION $1handler(internal) RETURNS index_am_handler
	AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION $1handler(internal) IS '$1 index access method handler';

CREATE ACCESS METHOD $1 TYPE INDEX HANDLER $1handler;
COMMENT ON ACCESS METHOD $1 IS '$1 index access method';
SQL
}

hnsw_of() {
  supports hnsw "$@"
  classes hnsw hnsw "$@"
}

hnsw_vector() {
  access_method hnsw 'graph search.'
  echo
  echo '-- Support function 3: what an operator class says to the access method.'
  hnsw_of vector l2 ip cosine l1
}

hnsw_dense() {
  local type
  echo '-- Access method hnsw on the other dense types.'
  for type in "${dense_types[@]:1}"; do
    hnsw_of "$type" l2 ip cosine l1
  done
}

hnsw_bit() {
  echo "-- Access method hnsw on the host's type bit."
  hnsw_of bit hamming jaccard
}

hnsw_sparsevec() {
  echo '-- Access method hnsw on sparse vectors.'
  hnsw_of sparsevec l2 ip cosine l1
}

ivfflat() {
  local type
  access_method ivfflat 'inverted lists.'
  echo
  echo '-- Support function 3: what an operator class says to the access method.'
  for type in "${dense_types[@]}"; do
    supports ivf "$type" l2 ip cosine
    classes ivfflat ivf "$type" l2 ip cosine
  done
  supports ivf bit hamming
  classes ivfflat ivf bit hamming
}

# Shares the support functions of ivfflat.
ivf() {
  local type
  access_method ivf 'ivfflat with codes, and with lists and probes that need no setting.'
  for type in "${dense_types[@]}"; do
    classes ivf ivf "$type" l2 ip cosine
  done
  classes ivf ivf bit hamming
}
