# Scores, spheres, and intervals of scores.

scores() {
  local type
  cat <<SQL
-- Scores as Milvus reports them, for the select list; ordering stays with the operators.
SQL
  for type in "${number_types[@]}"; do
    score "$type" COSINE 'L2 (squared), IP, COSINE'
  done
  score bit HAMMING 'HAMMING, JACCARD'
}

# TYPE DEFAULT METRICS
score() {
  cat <<SQL

CREATE FUNCTION vector_score(a $1, b $1, metric text DEFAULT '$2') RETURNS real
	AS 'MODULE_PATHNAME', 'vector_score_$1' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_score($1, $1, text) IS 'score by a metric: $3';
SQL
}

ranges() {
  local type
  cat <<SQL
-- Range search: vectors whose distance from a center is within bounds.

SQL
  for type in "${number_types[@]}"; do
    sphere "$type" "$(sphere_of "$type")"
  done
  cat <<SQL
-- Milvus's intervals, which an index serves by a sphere that holds them.

CREATE FUNCTION within_radius(radius float8, range_filter float8, metric text) RETURNS float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION within_radius(float8, float8, text) IS 'radius of a sphere that holds what is within';

CREATE FUNCTION within_inner(range_filter float8, metric text) RETURNS float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION within_inner(float8, text) IS 'inner bound of a sphere that holds what is within';
SQL
  for type in "${number_types[@]}"; do
    within "$type"
  done
}

# TYPE SPHERE
sphere() {
  cat <<SQL
CREATE TYPE $2 AS (center $1, radius float8, inner_radius float8);
COMMENT ON TYPE $2 IS 'a $1, and the distances from it that are inside: inner_radius <= distance < radius';

CREATE FUNCTION sphere(center $1, radius float8, "inner" float8 DEFAULT NULL) RETURNS $2
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN ROW(center, radius, "inner")::@extschema@.$2;
COMMENT ON FUNCTION sphere($1, float8, float8) IS 'the sphere of this center and radius, without what is nearer than the inner bound';

SQL
  inside "$1" "$2" '<<->>' l2 'Euclidean distance'
  inside "$1" "$2" '<<#>>' ip 'negative inner product'
  inside "$1" "$2" '<<=>>' cosine 'cosine distance'
}

# TYPE SPHERE OPERATOR METRIC DISTANCE
inside() {
  cat <<SQL
CREATE FUNCTION $1_$4_inside($1, $2) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION $1_$4_inside($1, $2) IS 'implementation of $3 operator';
CREATE OPERATOR $3 (
	LEFTARG = $1, RIGHTARG = $2, PROCEDURE = $1_$4_inside,
	RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR $3 ($1, $2) IS 'inside of a sphere by $5';

SQL
}

# TYPE
within() {
  cat <<SQL

CREATE FUNCTION $1_within_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION $1_within_support(internal) IS 'what within means to the planner';
CREATE FUNCTION within(v $1, q $1, radius float8, range_filter float8 DEFAULT NULL, metric text DEFAULT 'L2') RETURNS boolean
	AS 'MODULE_PATHNAME', 'within_$1' LANGUAGE C IMMUTABLE PARALLEL SAFE SUPPORT $1_within_support;
COMMENT ON FUNCTION within($1, $1, float8, float8, text) IS 'whether a score is in the interval of a range search: L2 (squared), IP, COSINE';
SQL
}
