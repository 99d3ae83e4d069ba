# The SQL of a type that stores every element.

# What distinguishes TYPE: title, description, type of sums and averages, and the contexts of its
# casts to real[], from numbers that it may have to round, and from dense types before it.
dense_facts() {
  mean=$1 to_reals=ASSIGNMENT from_reals=ASSIGNMENT from_dense=ASSIGNMENT
  case $1 in
    vector)
      title='single precision.' description='single-precision vector' to_reals=IMPLICIT ;;
    halfvec)
      title='half precision, with the objects that pgvector has.'
      description='half-precision vector' from_dense=IMPLICIT ;;
    bf16vec)
      title='bfloat16, in the style of halfvec.' description='bfloat16 vector' ;;
    i8vec)
      title='integers from -128 to 127, in the style of halfvec. Casts that round to them are
-- explicit only. Sums and averages are of type vector.'
      description='8-bit integer vector' mean=vector from_reals= from_dense= ;;
  esac
}

dense_type() {
  local type=$1 title description mean to_reals from_reals from_dense
  dense_facts "$type"
  cat <<SQL
-- Type $type: $title

CREATE TYPE $type;

SQL
  library_function "${type}_in" 'cstring, oid, integer' "$type" 'I/O'
  library_function "${type}_out" "$type" cstring 'I/O'
  library_function "${type}_typmod_in" 'cstring[]' integer 'I/O typmod'
  library_function "${type}_recv" 'internal, oid, integer' "$type" 'I/O'
  library_function "${type}_send" "$type" bytea 'I/O'
  cat <<SQL
CREATE TYPE $type (
	INPUT = ${type}_in,
	OUTPUT = ${type}_out,
	TYPMOD_IN = ${type}_typmod_in,
	RECEIVE = ${type}_recv,
	SEND = ${type}_send,
	STORAGE = external
);
COMMENT ON TYPE $type IS '$description';

SQL
  dense_functions
  dense_aggregates
  dense_array_casts
  dense_casts
  dense_operators
}

# The functions below read the variables of dense_type.

dense_functions() {
  local two="$type, $type" support=${type}_distance_support name
  cat <<SQL
-- Functions for users.

SQL
  library_function "$support" internal internal 'what a distance costs, for the planner'
  distance() { library_function "$1" "$two" float8 "$2" "$3" "$support"; }
  distance l2_distance 'Euclidean distance' "${type}_l2_distance"
  distance inner_product 'inner product' "${type}_inner_product"
  distance cosine_distance '1 - cosine of the angle' "${type}_cosine_distance"
  distance l1_distance 'taxicab distance' "${type}_l1_distance"
  library_function vector_dims "$type" integer 'number of dimensions' "${type}_dims"
  library_function "$(norm_of "$type")" "$type" float8 'Euclidean norm' "${type}_norm"
  [ "$type" = i8vec ] || # unit vectors are not of integers
    library_function l2_normalize "$type" "$type" 'vector divided by its Euclidean norm' "${type}_l2_normalize"
  library_function binary_quantize "$type" bit 'signs: one bit an element, 1 where positive' "${type}_binary_quantize"
  library_function subvector "$type, integer, integer" "$type" 'elements from a position on, first one is 1' "${type}_subvector"
  cat <<SQL
-- Functions behind operators and operator classes.

SQL
  distance "${type}_l2_squared_distance" 'squared Euclidean distance' ''
  distance "${type}_negative_inner_product" 'implementation of <#> operator' ''
  distance "${type}_spherical_distance" 'angle between unit vectors, as part of a half turn' ''
  for name in add:+ sub:- mul:\* concat:\|\|; do
    library_function "${type}_${name%%:*}" "$two" "$type" "implementation of ${name#*:} operator"
  done
  for name in 'lt:<' 'le:<=' 'eq:=' 'ne:<>' 'ge:>=' 'gt:>'; do
    library_function "${type}_${name%%:*}" "$two" boolean "implementation of ${name#*:} operator"
  done
  library_function "${type}_cmp" "$two" integer less-equal-greater
}

dense_aggregates() {
  local state='double precision[]'
  cat <<SQL
-- avg and sum.

SQL
  library_function "${type}_accum" "$state, $type" "$state" 'transition function of avg'
  library_function "${type}_combine" "$state, $state" "$state" 'combine function of avg and sum'
  library_function "${type}_avg" "$state" "$mean" 'final function of avg'
  library_function "${type}_sum_accum" "$state, $type" "$state" 'transition function of sum'
  library_function "${type}_sum" "$state" "$mean" 'final function of sum'
  dense_aggregate avg accum average
  dense_aggregate sum sum_accum sum
}

dense_aggregate() {
  cat <<SQL
CREATE AGGREGATE $1($type) (
	SFUNC = ${type}_$2,
	STYPE = double precision[],
	INITCOND = '{0}',
	FINALFUNC = ${type}_$1,
	COMBINEFUNC = ${type}_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE $1($type) IS '$3 of each element';

SQL
}

dense_array_casts() {
  local from
  cat <<SQL
-- Casts from and to arrays, and to a modifier.

SQL
  library_function "$type" "$type, integer, boolean" "$type" 'check the number of dimensions' "${type}_check_typmod"
  for from in integer real 'double precision' numeric; do
    library_function "array_to_$type" "${from}[], integer, boolean" "$type" "convert ${from}[] to $type" "${type}_from_array"
  done
  library_function "${type}_to_float4" "$type, integer, boolean" 'real[]' "convert $type to real[]"
  cast "$type" "$type" "$type" IMPLICIT
  cast "$type" 'real[]' "${type}_to_float4" "$to_reals"
  cast 'integer[]' "$type" "array_to_$type" ASSIGNMENT
  for from in real 'double precision' numeric; do
    cast "${from}[]" "$type" "array_to_$type" "$from_reals"
  done
  echo
}

dense_casts() {
  local other before=()
  for other in "${dense_types[@]}"; do
    [ "$other" != "$type" ] || break
    before+=("$other")
  done
  [ ${#before[@]} -gt 0 ] || return 0
  cat <<SQL
-- Casts to and from other dense types.

SQL
  for other in "${before[@]}"; do
    library_function "${type}_to_$other" "$type, integer, boolean" "$other" "convert $type to $other"
    library_function "${other}_to_$type" "$other, integer, boolean" "$type" "convert $other to $type" "${type}_from_$other"
  done
  for other in "${before[@]}"; do
    cast "$type" "$other" "${type}_to_$other" ASSIGNMENT
    cast "$other" "$type" "${other}_to_$type" "$from_dense"
  done
  echo
}

dense_operators() {
  cat <<SQL
-- Distances; ORDER BY one of them and LIMIT is a nearest-neighbor search.

SQL
  operator '<->' l2_distance "$type" 'Euclidean distance' 'COMMUTATOR = <->'
  operator '<#>' "${type}_negative_inner_product" "$type" 'negative inner product' 'COMMUTATOR = <#>'
  operator '<=>' cosine_distance "$type" 'cosine distance' 'COMMUTATOR = <=>'
  operator '<+>' l1_distance "$type" 'taxicab distance' 'COMMUTATOR = <+>'
  cat <<SQL
-- Arithmetic, element by element.

SQL
  operator + "${type}_add" "$type" add 'COMMUTATOR = +'
  operator - "${type}_sub" "$type" subtract
  operator '*' "${type}_mul" "$type" multiply 'COMMUTATOR = *'
  operator '||' "${type}_concat" "$type" concatenate
  cat <<SQL
-- Order: by the first element that differs, then by length.

SQL
  comparison '<' lt 'less than' '>' '>=' scalarlt
  comparison '<=' le 'less than or equal' '>=' '>' scalarle
  comparison = eq equal = '<>' eq
  comparison '<>' ne 'not equal' '<>' = eq
  comparison '>=' ge 'greater than or equal' '<=' '<' scalarge
  comparison '>' gt 'greater than' '<' '<=' scalargt
  cat <<SQL
-- Sorting, grouping, unique constraints.

CREATE OPERATOR CLASS ${type}_ops
	DEFAULT FOR TYPE $type USING btree AS
	OPERATOR 1 <,
	OPERATOR 2 <=,
	OPERATOR 3 =,
	OPERATOR 4 >=,
	OPERATOR 5 >,
	FUNCTION 1 ${type}_cmp($type, $type);
SQL
}

# SYMBOL NAME COMMENT COMMUTATOR NEGATOR ESTIMATOR
comparison() {
  operator "$1" "${type}_$2" "$type" "$3" "COMMUTATOR = $4, NEGATOR = $5,
	RESTRICT = $6sel, JOIN = $6joinsel"
}
