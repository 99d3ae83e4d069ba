-- Range search: vectors whose distance from a center is within bounds.

CREATE TYPE vsphere AS (center vector, radius float8, inner_radius float8);
COMMENT ON TYPE vsphere IS 'a vector, and the distances from it that are inside: inner_radius <= distance < radius';

CREATE FUNCTION sphere(center vector, radius float8, "inner" float8 DEFAULT NULL) RETURNS vsphere
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN ROW(center, radius, "inner")::@extschema@.vsphere;
COMMENT ON FUNCTION sphere(vector, float8, float8) IS 'the sphere of this center and radius, without what is nearer than the inner bound';

CREATE FUNCTION vector_l2_inside(vector, vsphere) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_l2_inside(vector, vsphere) IS 'implementation of <<->> operator';
CREATE OPERATOR <<->> (
	LEFTARG = vector, RIGHTARG = vsphere, PROCEDURE = vector_l2_inside,
	RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR <<->> (vector, vsphere) IS 'inside of a sphere by Euclidean distance';

CREATE FUNCTION vector_ip_inside(vector, vsphere) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_ip_inside(vector, vsphere) IS 'implementation of <<#>> operator';
CREATE OPERATOR <<#>> (
	LEFTARG = vector, RIGHTARG = vsphere, PROCEDURE = vector_ip_inside,
	RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR <<#>> (vector, vsphere) IS 'inside of a sphere by negative inner product';

CREATE FUNCTION vector_cosine_inside(vector, vsphere) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_cosine_inside(vector, vsphere) IS 'implementation of <<=>> operator';
CREATE OPERATOR <<=>> (
	LEFTARG = vector, RIGHTARG = vsphere, PROCEDURE = vector_cosine_inside,
	RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR <<=>> (vector, vsphere) IS 'inside of a sphere by cosine distance';

CREATE TYPE halfvec_sphere AS (center halfvec, radius float8, inner_radius float8);
COMMENT ON TYPE halfvec_sphere IS 'a halfvec, and the distances from it that are inside: inner_radius <= distance < radius';

CREATE FUNCTION sphere(center halfvec, radius float8, "inner" float8 DEFAULT NULL) RETURNS halfvec_sphere
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN ROW(center, radius, "inner")::@extschema@.halfvec_sphere;
COMMENT ON FUNCTION sphere(halfvec, float8, float8) IS 'the sphere of this center and radius, without what is nearer than the inner bound';

CREATE FUNCTION halfvec_l2_inside(halfvec, halfvec_sphere) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION halfvec_l2_inside(halfvec, halfvec_sphere) IS 'implementation of <<->> operator';
CREATE OPERATOR <<->> (
	LEFTARG = halfvec, RIGHTARG = halfvec_sphere, PROCEDURE = halfvec_l2_inside,
	RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR <<->> (halfvec, halfvec_sphere) IS 'inside of a sphere by Euclidean distance';

CREATE FUNCTION halfvec_ip_inside(halfvec, halfvec_sphere) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION halfvec_ip_inside(halfvec, halfvec_sphere) IS 'implementation of <<#>> operator';
CREATE OPERATOR <<#>> (
	LEFTARG = halfvec, RIGHTARG = halfvec_sphere, PROCEDURE = halfvec_ip_inside,
	RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR <<#>> (halfvec, halfvec_sphere) IS 'inside of a sphere by negative inner product';

CREATE FUNCTION halfvec_cosine_inside(halfvec, halfvec_sphere) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION halfvec_cosine_inside(halfvec, halfvec_sphere) IS 'implementation of <<=>> operator';
CREATE OPERATOR <<=>> (
	LEFTARG = halfvec, RIGHTARG = halfvec_sphere, PROCEDURE = halfvec_cosine_inside,
	RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR <<=>> (halfvec, halfvec_sphere) IS 'inside of a sphere by cosine distance';

CREATE TYPE bf16vec_sphere AS (center bf16vec, radius float8, inner_radius float8);
COMMENT ON TYPE bf16vec_sphere IS 'a bf16vec, and the distances from it that are inside: inner_radius <= distance < radius';

CREATE FUNCTION sphere(center bf16vec, radius float8, "inner" float8 DEFAULT NULL) RETURNS bf16vec_sphere
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN ROW(center, radius, "inner")::@extschema@.bf16vec_sphere;
COMMENT ON FUNCTION sphere(bf16vec, float8, float8) IS 'the sphere of this center and radius, without what is nearer than the inner bound';

CREATE FUNCTION bf16vec_l2_inside(bf16vec, bf16vec_sphere) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bf16vec_l2_inside(bf16vec, bf16vec_sphere) IS 'implementation of <<->> operator';
CREATE OPERATOR <<->> (
	LEFTARG = bf16vec, RIGHTARG = bf16vec_sphere, PROCEDURE = bf16vec_l2_inside,
	RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR <<->> (bf16vec, bf16vec_sphere) IS 'inside of a sphere by Euclidean distance';

CREATE FUNCTION bf16vec_ip_inside(bf16vec, bf16vec_sphere) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bf16vec_ip_inside(bf16vec, bf16vec_sphere) IS 'implementation of <<#>> operator';
CREATE OPERATOR <<#>> (
	LEFTARG = bf16vec, RIGHTARG = bf16vec_sphere, PROCEDURE = bf16vec_ip_inside,
	RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR <<#>> (bf16vec, bf16vec_sphere) IS 'inside of a sphere by negative inner product';

CREATE FUNCTION bf16vec_cosine_inside(bf16vec, bf16vec_sphere) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bf16vec_cosine_inside(bf16vec, bf16vec_sphere) IS 'implementation of <<=>> operator';
CREATE OPERATOR <<=>> (
	LEFTARG = bf16vec, RIGHTARG = bf16vec_sphere, PROCEDURE = bf16vec_cosine_inside,
	RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR <<=>> (bf16vec, bf16vec_sphere) IS 'inside of a sphere by cosine distance';

CREATE TYPE i8vec_sphere AS (center i8vec, radius float8, inner_radius float8);
COMMENT ON TYPE i8vec_sphere IS 'a i8vec, and the distances from it that are inside: inner_radius <= distance < radius';

CREATE FUNCTION sphere(center i8vec, radius float8, "inner" float8 DEFAULT NULL) RETURNS i8vec_sphere
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN ROW(center, radius, "inner")::@extschema@.i8vec_sphere;
COMMENT ON FUNCTION sphere(i8vec, float8, float8) IS 'the sphere of this center and radius, without what is nearer than the inner bound';

CREATE FUNCTION i8vec_l2_inside(i8vec, i8vec_sphere) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION i8vec_l2_inside(i8vec, i8vec_sphere) IS 'implementation of <<->> operator';
CREATE OPERATOR <<->> (
	LEFTARG = i8vec, RIGHTARG = i8vec_sphere, PROCEDURE = i8vec_l2_inside,
	RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR <<->> (i8vec, i8vec_sphere) IS 'inside of a sphere by Euclidean distance';

CREATE FUNCTION i8vec_ip_inside(i8vec, i8vec_sphere) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION i8vec_ip_inside(i8vec, i8vec_sphere) IS 'implementation of <<#>> operator';
CREATE OPERATOR <<#>> (
	LEFTARG = i8vec, RIGHTARG = i8vec_sphere, PROCEDURE = i8vec_ip_inside,
	RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR <<#>> (i8vec, i8vec_sphere) IS 'inside of a sphere by negative inner product';

CREATE FUNCTION i8vec_cosine_inside(i8vec, i8vec_sphere) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION i8vec_cosine_inside(i8vec, i8vec_sphere) IS 'implementation of <<=>> operator';
CREATE OPERATOR <<=>> (
	LEFTARG = i8vec, RIGHTARG = i8vec_sphere, PROCEDURE = i8vec_cosine_inside,
	RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR <<=>> (i8vec, i8vec_sphere) IS 'inside of a sphere by cosine distance';

CREATE TYPE sparsevec_sphere AS (center sparsevec, radius float8, inner_radius float8);
COMMENT ON TYPE sparsevec_sphere IS 'a sparsevec, and the distances from it that are inside: inner_radius <= distance < radius';

CREATE FUNCTION sphere(center sparsevec, radius float8, "inner" float8 DEFAULT NULL) RETURNS sparsevec_sphere
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN ROW(center, radius, "inner")::@extschema@.sparsevec_sphere;
COMMENT ON FUNCTION sphere(sparsevec, float8, float8) IS 'the sphere of this center and radius, without what is nearer than the inner bound';

CREATE FUNCTION sparsevec_l2_inside(sparsevec, sparsevec_sphere) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sparsevec_l2_inside(sparsevec, sparsevec_sphere) IS 'implementation of <<->> operator';
CREATE OPERATOR <<->> (
	LEFTARG = sparsevec, RIGHTARG = sparsevec_sphere, PROCEDURE = sparsevec_l2_inside,
	RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR <<->> (sparsevec, sparsevec_sphere) IS 'inside of a sphere by Euclidean distance';

CREATE FUNCTION sparsevec_ip_inside(sparsevec, sparsevec_sphere) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sparsevec_ip_inside(sparsevec, sparsevec_sphere) IS 'implementation of <<#>> operator';
CREATE OPERATOR <<#>> (
	LEFTARG = sparsevec, RIGHTARG = sparsevec_sphere, PROCEDURE = sparsevec_ip_inside,
	RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR <<#>> (sparsevec, sparsevec_sphere) IS 'inside of a sphere by negative inner product';

CREATE FUNCTION sparsevec_cosine_inside(sparsevec, sparsevec_sphere) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sparsevec_cosine_inside(sparsevec, sparsevec_sphere) IS 'implementation of <<=>> operator';
CREATE OPERATOR <<=>> (
	LEFTARG = sparsevec, RIGHTARG = sparsevec_sphere, PROCEDURE = sparsevec_cosine_inside,
	RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR <<=>> (sparsevec, sparsevec_sphere) IS 'inside of a sphere by cosine distance';

-- Milvus's intervals, which an index serves by a sphere that holds them.

CREATE FUNCTION within_radius(radius float8, range_filter float8, metric text) RETURNS float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION within_radius(float8, float8, text) IS 'radius of a sphere that holds what is within';

CREATE FUNCTION within_inner(range_filter float8, metric text) RETURNS float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION within_inner(float8, text) IS 'inner bound of a sphere that holds what is within';

CREATE FUNCTION vector_within_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_within_support(internal) IS 'what within means to the planner';
CREATE FUNCTION within(v vector, q vector, radius float8, range_filter float8 DEFAULT NULL, metric text DEFAULT 'L2') RETURNS boolean
	AS 'MODULE_PATHNAME', 'within_vector' LANGUAGE C IMMUTABLE PARALLEL SAFE SUPPORT vector_within_support;
COMMENT ON FUNCTION within(vector, vector, float8, float8, text) IS 'whether a score is in the interval of a range search: L2 (squared), IP, COSINE';

CREATE FUNCTION halfvec_within_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION halfvec_within_support(internal) IS 'what within means to the planner';
CREATE FUNCTION within(v halfvec, q halfvec, radius float8, range_filter float8 DEFAULT NULL, metric text DEFAULT 'L2') RETURNS boolean
	AS 'MODULE_PATHNAME', 'within_halfvec' LANGUAGE C IMMUTABLE PARALLEL SAFE SUPPORT halfvec_within_support;
COMMENT ON FUNCTION within(halfvec, halfvec, float8, float8, text) IS 'whether a score is in the interval of a range search: L2 (squared), IP, COSINE';

CREATE FUNCTION bf16vec_within_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bf16vec_within_support(internal) IS 'what within means to the planner';
CREATE FUNCTION within(v bf16vec, q bf16vec, radius float8, range_filter float8 DEFAULT NULL, metric text DEFAULT 'L2') RETURNS boolean
	AS 'MODULE_PATHNAME', 'within_bf16vec' LANGUAGE C IMMUTABLE PARALLEL SAFE SUPPORT bf16vec_within_support;
COMMENT ON FUNCTION within(bf16vec, bf16vec, float8, float8, text) IS 'whether a score is in the interval of a range search: L2 (squared), IP, COSINE';

CREATE FUNCTION i8vec_within_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION i8vec_within_support(internal) IS 'what within means to the planner';
CREATE FUNCTION within(v i8vec, q i8vec, radius float8, range_filter float8 DEFAULT NULL, metric text DEFAULT 'L2') RETURNS boolean
	AS 'MODULE_PATHNAME', 'within_i8vec' LANGUAGE C IMMUTABLE PARALLEL SAFE SUPPORT i8vec_within_support;
COMMENT ON FUNCTION within(i8vec, i8vec, float8, float8, text) IS 'whether a score is in the interval of a range search: L2 (squared), IP, COSINE';

CREATE FUNCTION sparsevec_within_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sparsevec_within_support(internal) IS 'what within means to the planner';
CREATE FUNCTION within(v sparsevec, q sparsevec, radius float8, range_filter float8 DEFAULT NULL, metric text DEFAULT 'L2') RETURNS boolean
	AS 'MODULE_PATHNAME', 'within_sparsevec' LANGUAGE C IMMUTABLE PARALLEL SAFE SUPPORT sparsevec_within_support;
COMMENT ON FUNCTION within(sparsevec, sparsevec, float8, float8, text) IS 'whether a score is in the interval of a range search: L2 (squared), IP, COSINE';
