-- Type i8vec: integers from -128 to 127, in the style of halfvec. Casts that round to them are
-- explicit only. Sums and averages are of type vector.

CREATE TYPE i8vec;

CREATE FUNCTION i8vec_in(cstring, oid, integer) RETURNS i8vec
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION i8vec_in(cstring, oid, integer) IS 'I/O';

CREATE FUNCTION i8vec_out(i8vec) RETURNS cstring
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION i8vec_out(i8vec) IS 'I/O';

CREATE FUNCTION i8vec_typmod_in(cstring[]) RETURNS integer
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION i8vec_typmod_in(cstring[]) IS 'I/O typmod';

CREATE FUNCTION i8vec_recv(internal, oid, integer) RETURNS i8vec
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION i8vec_recv(internal, oid, integer) IS 'I/O';

CREATE FUNCTION i8vec_send(i8vec) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION i8vec_send(i8vec) IS 'I/O';

CREATE TYPE i8vec (
	INPUT = i8vec_in,
	OUTPUT = i8vec_out,
	TYPMOD_IN = i8vec_typmod_in,
	RECEIVE = i8vec_recv,
	SEND = i8vec_send,
	STORAGE = external
);
COMMENT ON TYPE i8vec IS '8-bit integer vector';

-- Functions for users.

CREATE FUNCTION i8vec_distance_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION i8vec_distance_support(internal) IS 'what a distance costs, for the planner';

CREATE FUNCTION l2_distance(i8vec, i8vec) RETURNS float8
	AS 'MODULE_PATHNAME', 'i8vec_l2_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	SUPPORT i8vec_distance_support;
COMMENT ON FUNCTION l2_distance(i8vec, i8vec) IS 'Euclidean distance';

CREATE FUNCTION inner_product(i8vec, i8vec) RETURNS float8
	AS 'MODULE_PATHNAME', 'i8vec_inner_product' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	SUPPORT i8vec_distance_support;
COMMENT ON FUNCTION inner_product(i8vec, i8vec) IS 'inner product';

CREATE FUNCTION cosine_distance(i8vec, i8vec) RETURNS float8
	AS 'MODULE_PATHNAME', 'i8vec_cosine_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	SUPPORT i8vec_distance_support;
COMMENT ON FUNCTION cosine_distance(i8vec, i8vec) IS '1 - cosine of the angle';

CREATE FUNCTION l1_distance(i8vec, i8vec) RETURNS float8
	AS 'MODULE_PATHNAME', 'i8vec_l1_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	SUPPORT i8vec_distance_support;
COMMENT ON FUNCTION l1_distance(i8vec, i8vec) IS 'taxicab distance';

CREATE FUNCTION vector_dims(i8vec) RETURNS integer
	AS 'MODULE_PATHNAME', 'i8vec_dims' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_dims(i8vec) IS 'number of dimensions';

CREATE FUNCTION l2_norm(i8vec) RETURNS float8
	AS 'MODULE_PATHNAME', 'i8vec_norm' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION l2_norm(i8vec) IS 'Euclidean norm';

CREATE FUNCTION binary_quantize(i8vec) RETURNS bit
	AS 'MODULE_PATHNAME', 'i8vec_binary_quantize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION binary_quantize(i8vec) IS 'signs: one bit an element, 1 where positive';

CREATE FUNCTION subvector(i8vec, integer, integer) RETURNS i8vec
	AS 'MODULE_PATHNAME', 'i8vec_subvector' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION subvector(i8vec, integer, integer) IS 'elements from a position on, first one is 1';

-- Functions behind operators and operator classes.

CREATE FUNCTION i8vec_l2_squared_distance(i8vec, i8vec) RETURNS float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	SUPPORT i8vec_distance_support;
COMMENT ON FUNCTION i8vec_l2_squared_distance(i8vec, i8vec) IS 'squared Euclidean distance';

CREATE FUNCTION i8vec_negative_inner_product(i8vec, i8vec) RETURNS float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	SUPPORT i8vec_distance_support;
COMMENT ON FUNCTION i8vec_negative_inner_product(i8vec, i8vec) IS 'implementation of <#> operator';

CREATE FUNCTION i8vec_spherical_distance(i8vec, i8vec) RETURNS float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	SUPPORT i8vec_distance_support;
COMMENT ON FUNCTION i8vec_spherical_distance(i8vec, i8vec) IS 'angle between unit vectors, as part of a half turn';

CREATE FUNCTION i8vec_add(i8vec, i8vec) RETURNS i8vec
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION i8vec_add(i8vec, i8vec) IS 'implementation of + operator';

CREATE FUNCTION i8vec_sub(i8vec, i8vec) RETURNS i8vec
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION i8vec_sub(i8vec, i8vec) IS 'implementation of - operator';

CREATE FUNCTION i8vec_mul(i8vec, i8vec) RETURNS i8vec
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION i8vec_mul(i8vec, i8vec) IS 'implementation of * operator';

CREATE FUNCTION i8vec_concat(i8vec, i8vec) RETURNS i8vec
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION i8vec_concat(i8vec, i8vec) IS 'implementation of || operator';

CREATE FUNCTION i8vec_lt(i8vec, i8vec) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION i8vec_lt(i8vec, i8vec) IS 'implementation of < operator';

CREATE FUNCTION i8vec_le(i8vec, i8vec) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION i8vec_le(i8vec, i8vec) IS 'implementation of <= operator';

CREATE FUNCTION i8vec_eq(i8vec, i8vec) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION i8vec_eq(i8vec, i8vec) IS 'implementation of = operator';

CREATE FUNCTION i8vec_ne(i8vec, i8vec) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION i8vec_ne(i8vec, i8vec) IS 'implementation of <> operator';

CREATE FUNCTION i8vec_ge(i8vec, i8vec) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION i8vec_ge(i8vec, i8vec) IS 'implementation of >= operator';

CREATE FUNCTION i8vec_gt(i8vec, i8vec) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION i8vec_gt(i8vec, i8vec) IS 'implementation of > operator';

CREATE FUNCTION i8vec_cmp(i8vec, i8vec) RETURNS integer
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION i8vec_cmp(i8vec, i8vec) IS 'less-equal-greater';

-- avg and sum.

CREATE FUNCTION i8vec_accum(double precision[], i8vec) RETURNS double precision[]
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION i8vec_accum(double precision[], i8vec) IS 'transition function of avg';

CREATE FUNCTION i8vec_combine(double precision[], double precision[]) RETURNS double precision[]
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION i8vec_combine(double precision[], double precision[]) IS 'combine function of avg and sum';

CREATE FUNCTION i8vec_avg(double precision[]) RETURNS vector
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION i8vec_avg(double precision[]) IS 'final function of avg';

CREATE FUNCTION i8vec_sum_accum(double precision[], i8vec) RETURNS double precision[]
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION i8vec_sum_accum(double precision[], i8vec) IS 'transition function of sum';

CREATE FUNCTION i8vec_sum(double precision[]) RETURNS vector
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION i8vec_sum(double precision[]) IS 'final function of sum';

CREATE AGGREGATE avg(i8vec) (
	SFUNC = i8vec_accum,
	STYPE = double precision[],
	INITCOND = '{0}',
	FINALFUNC = i8vec_avg,
	COMBINEFUNC = i8vec_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE avg(i8vec) IS 'average of each element';

CREATE AGGREGATE sum(i8vec) (
	SFUNC = i8vec_sum_accum,
	STYPE = double precision[],
	INITCOND = '{0}',
	FINALFUNC = i8vec_sum,
	COMBINEFUNC = i8vec_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE sum(i8vec) IS 'sum of each element';

-- Casts from and to arrays, and to a modifier.

CREATE FUNCTION i8vec(i8vec, integer, boolean) RETURNS i8vec
	AS 'MODULE_PATHNAME', 'i8vec_check_typmod' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION i8vec(i8vec, integer, boolean) IS 'check the number of dimensions';

CREATE FUNCTION array_to_i8vec(integer[], integer, boolean) RETURNS i8vec
	AS 'MODULE_PATHNAME', 'i8vec_from_array' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION array_to_i8vec(integer[], integer, boolean) IS 'convert integer[] to i8vec';

CREATE FUNCTION array_to_i8vec(real[], integer, boolean) RETURNS i8vec
	AS 'MODULE_PATHNAME', 'i8vec_from_array' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION array_to_i8vec(real[], integer, boolean) IS 'convert real[] to i8vec';

CREATE FUNCTION array_to_i8vec(double precision[], integer, boolean) RETURNS i8vec
	AS 'MODULE_PATHNAME', 'i8vec_from_array' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION array_to_i8vec(double precision[], integer, boolean) IS 'convert double precision[] to i8vec';

CREATE FUNCTION array_to_i8vec(numeric[], integer, boolean) RETURNS i8vec
	AS 'MODULE_PATHNAME', 'i8vec_from_array' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION array_to_i8vec(numeric[], integer, boolean) IS 'convert numeric[] to i8vec';

CREATE FUNCTION i8vec_to_float4(i8vec, integer, boolean) RETURNS real[]
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION i8vec_to_float4(i8vec, integer, boolean) IS 'convert i8vec to real[]';

CREATE CAST (i8vec AS i8vec)
	WITH FUNCTION i8vec(i8vec, integer, boolean) AS IMPLICIT;
CREATE CAST (i8vec AS real[])
	WITH FUNCTION i8vec_to_float4(i8vec, integer, boolean) AS ASSIGNMENT;
CREATE CAST (integer[] AS i8vec)
	WITH FUNCTION array_to_i8vec(integer[], integer, boolean) AS ASSIGNMENT;
CREATE CAST (real[] AS i8vec)
	WITH FUNCTION array_to_i8vec(real[], integer, boolean);
CREATE CAST (double precision[] AS i8vec)
	WITH FUNCTION array_to_i8vec(double precision[], integer, boolean);
CREATE CAST (numeric[] AS i8vec)
	WITH FUNCTION array_to_i8vec(numeric[], integer, boolean);

-- Casts to and from other dense types.

CREATE FUNCTION i8vec_to_vector(i8vec, integer, boolean) RETURNS vector
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION i8vec_to_vector(i8vec, integer, boolean) IS 'convert i8vec to vector';

CREATE FUNCTION vector_to_i8vec(vector, integer, boolean) RETURNS i8vec
	AS 'MODULE_PATHNAME', 'i8vec_from_vector' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_to_i8vec(vector, integer, boolean) IS 'convert vector to i8vec';

CREATE FUNCTION i8vec_to_halfvec(i8vec, integer, boolean) RETURNS halfvec
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION i8vec_to_halfvec(i8vec, integer, boolean) IS 'convert i8vec to halfvec';

CREATE FUNCTION halfvec_to_i8vec(halfvec, integer, boolean) RETURNS i8vec
	AS 'MODULE_PATHNAME', 'i8vec_from_halfvec' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION halfvec_to_i8vec(halfvec, integer, boolean) IS 'convert halfvec to i8vec';

CREATE FUNCTION i8vec_to_bf16vec(i8vec, integer, boolean) RETURNS bf16vec
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION i8vec_to_bf16vec(i8vec, integer, boolean) IS 'convert i8vec to bf16vec';

CREATE FUNCTION bf16vec_to_i8vec(bf16vec, integer, boolean) RETURNS i8vec
	AS 'MODULE_PATHNAME', 'i8vec_from_bf16vec' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bf16vec_to_i8vec(bf16vec, integer, boolean) IS 'convert bf16vec to i8vec';

CREATE CAST (i8vec AS vector)
	WITH FUNCTION i8vec_to_vector(i8vec, integer, boolean) AS ASSIGNMENT;
CREATE CAST (vector AS i8vec)
	WITH FUNCTION vector_to_i8vec(vector, integer, boolean);
CREATE CAST (i8vec AS halfvec)
	WITH FUNCTION i8vec_to_halfvec(i8vec, integer, boolean) AS ASSIGNMENT;
CREATE CAST (halfvec AS i8vec)
	WITH FUNCTION halfvec_to_i8vec(halfvec, integer, boolean);
CREATE CAST (i8vec AS bf16vec)
	WITH FUNCTION i8vec_to_bf16vec(i8vec, integer, boolean) AS ASSIGNMENT;
CREATE CAST (bf16vec AS i8vec)
	WITH FUNCTION bf16vec_to_i8vec(bf16vec, integer, boolean);

-- Distances; ORDER BY one of them and LIMIT is a nearest-neighbor search.

CREATE OPERATOR <-> (
	FUNCTION = l2_distance, LEFTARG = i8vec, RIGHTARG = i8vec,
	COMMUTATOR = <->
);
COMMENT ON OPERATOR <-> (i8vec, i8vec) IS 'Euclidean distance';

CREATE OPERATOR <#> (
	FUNCTION = i8vec_negative_inner_product, LEFTARG = i8vec, RIGHTARG = i8vec,
	COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (i8vec, i8vec) IS 'negative inner product';

CREATE OPERATOR <=> (
	FUNCTION = cosine_distance, LEFTARG = i8vec, RIGHTARG = i8vec,
	COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (i8vec, i8vec) IS 'cosine distance';

CREATE OPERATOR <+> (
	FUNCTION = l1_distance, LEFTARG = i8vec, RIGHTARG = i8vec,
	COMMUTATOR = <+>
);
COMMENT ON OPERATOR <+> (i8vec, i8vec) IS 'taxicab distance';

-- Arithmetic, element by element.

CREATE OPERATOR + (
	FUNCTION = i8vec_add, LEFTARG = i8vec, RIGHTARG = i8vec,
	COMMUTATOR = +
);
COMMENT ON OPERATOR + (i8vec, i8vec) IS 'add';

CREATE OPERATOR - (
	FUNCTION = i8vec_sub, LEFTARG = i8vec, RIGHTARG = i8vec
);
COMMENT ON OPERATOR - (i8vec, i8vec) IS 'subtract';

CREATE OPERATOR * (
	FUNCTION = i8vec_mul, LEFTARG = i8vec, RIGHTARG = i8vec,
	COMMUTATOR = *
);
COMMENT ON OPERATOR * (i8vec, i8vec) IS 'multiply';

CREATE OPERATOR || (
	FUNCTION = i8vec_concat, LEFTARG = i8vec, RIGHTARG = i8vec
);
COMMENT ON OPERATOR || (i8vec, i8vec) IS 'concatenate';

-- Order: by the first element that differs, then by length.

CREATE OPERATOR < (
	FUNCTION = i8vec_lt, LEFTARG = i8vec, RIGHTARG = i8vec,
	COMMUTATOR = >, NEGATOR = >=,
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR < (i8vec, i8vec) IS 'less than';

CREATE OPERATOR <= (
	FUNCTION = i8vec_le, LEFTARG = i8vec, RIGHTARG = i8vec,
	COMMUTATOR = >=, NEGATOR = >,
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR <= (i8vec, i8vec) IS 'less than or equal';

CREATE OPERATOR = (
	FUNCTION = i8vec_eq, LEFTARG = i8vec, RIGHTARG = i8vec,
	COMMUTATOR = =, NEGATOR = <>,
	RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR = (i8vec, i8vec) IS 'equal';

CREATE OPERATOR <> (
	FUNCTION = i8vec_ne, LEFTARG = i8vec, RIGHTARG = i8vec,
	COMMUTATOR = <>, NEGATOR = =,
	RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR <> (i8vec, i8vec) IS 'not equal';

CREATE OPERATOR >= (
	FUNCTION = i8vec_ge, LEFTARG = i8vec, RIGHTARG = i8vec,
	COMMUTATOR = <=, NEGATOR = <,
	RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR >= (i8vec, i8vec) IS 'greater than or equal';

CREATE OPERATOR > (
	FUNCTION = i8vec_gt, LEFTARG = i8vec, RIGHTARG = i8vec,
	COMMUTATOR = <, NEGATOR = <=,
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR > (i8vec, i8vec) IS 'greater than';

-- Sorting, grouping, unique constraints.

CREATE OPERATOR CLASS i8vec_ops
	DEFAULT FOR TYPE i8vec USING btree AS
	OPERATOR 1 <,
	OPERATOR 2 <=,
	OPERATOR 3 =,
	OPERATOR 4 >=,
	OPERATOR 5 >,
	FUNCTION 1 i8vec_cmp(i8vec, i8vec);
