# Single SQL statements. Names are qualified by their argument types: see SECURITY.md.

# A function of the library: NAME ARGUMENTS RESULT COMMENT [SYMBOL] [SUPPORT]
library_function() {
  local name=$1 arguments=$2 result=$3 comment=$4 symbol=${5:-$1} support=${6:-}
  [ "$symbol" = "$name" ] && symbol= || symbol=", '$symbol'"
  echo "CREATE FUNCTION $name($arguments) RETURNS $result"
  echo "	AS 'MODULE_PATHNAME'$symbol LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE${support:+
	SUPPORT $support};"
  echo "COMMENT ON FUNCTION $name($arguments) IS '$comment';"
  echo
}

# An operator of two values of TYPE: SYMBOL FUNCTION TYPE COMMENT [CLAUSES]
operator() {
  local symbol=$1 function=$2 type=$3 comment=$4 clauses=${5:-}
  echo "CREATE OPERATOR $symbol ("
  echo "	FUNCTION = $function, LEFTARG = $type, RIGHTARG = $type${clauses:+,
	$clauses}"
  echo ");"
  echo "COMMENT ON OPERATOR $symbol ($type, $type) IS '$comment';"
  echo
}

# A cast by a function that also takes the modifier: FROM TO FUNCTION [CONTEXT]
# Without a context, it is explicit.
cast() {
  echo "CREATE CAST ($1 AS $2)"
  echo "	WITH FUNCTION $3($1, integer, boolean)${4:+ AS $4};"
}

# The composite type of spheres around vectors of TYPE.
sphere_of() {
  [ "$1" = vector ] && echo vsphere || echo "$1_sphere"
}

# The function that gives the Euclidean norm of TYPE.
norm_of() {
  [ "$1" = vector ] && echo vector_norm || echo l2_norm
}
