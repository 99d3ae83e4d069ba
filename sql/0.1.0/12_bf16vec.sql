-- Type bf16vec: bfloat16, in the style of halfvec.

CREATE TYPE bf16vec;

CREATE FUNCTION bf16vec_in(cstring, oid, integer) RETURNS bf16vec
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bf16vec_in(cstring, oid, integer) IS 'I/O';

CREATE FUNCTION bf16vec_out(bf16vec) RETURNS cstring
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bf16vec_out(bf16vec) IS 'I/O';

CREATE FUNCTION bf16vec_typmod_in(cstring[]) RETURNS integer
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bf16vec_typmod_in(cstring[]) IS 'I/O typmod';

CREATE FUNCTION bf16vec_recv(internal, oid, integer) RETURNS bf16vec
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bf16vec_recv(internal, oid, integer) IS 'I/O';

CREATE FUNCTION bf16vec_send(bf16vec) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bf16vec_send(bf16vec) IS 'I/O';

CREATE TYPE bf16vec (
	INPUT = bf16vec_in,
	OUTPUT = bf16vec_out,
	TYPMOD_IN = bf16vec_typmod_in,
	RECEIVE = bf16vec_recv,
	SEND = bf16vec_send,
	STORAGE = external
);
COMMENT ON TYPE bf16vec IS 'bfloat16 vector';

-- Functions for users.

CREATE FUNCTION bf16vec_distance_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bf16vec_distance_support(internal) IS 'what a distance costs, for the planner';

CREATE FUNCTION l2_distance(bf16vec, bf16vec) RETURNS float8
	AS 'MODULE_PATHNAME', 'bf16vec_l2_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	SUPPORT bf16vec_distance_support;
COMMENT ON FUNCTION l2_distance(bf16vec, bf16vec) IS 'Euclidean distance';

CREATE FUNCTION inner_product(bf16vec, bf16vec) RETURNS float8
	AS 'MODULE_PATHNAME', 'bf16vec_inner_product' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	SUPPORT bf16vec_distance_support;
COMMENT ON FUNCTION inner_product(bf16vec, bf16vec) IS 'inner product';

CREATE FUNCTION cosine_distance(bf16vec, bf16vec) RETURNS float8
	AS 'MODULE_PATHNAME', 'bf16vec_cosine_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	SUPPORT bf16vec_distance_support;
COMMENT ON FUNCTION cosine_distance(bf16vec, bf16vec) IS '1 - cosine of the angle';

CREATE FUNCTION l1_distance(bf16vec, bf16vec) RETURNS float8
	AS 'MODULE_PATHNAME', 'bf16vec_l1_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	SUPPORT bf16vec_distance_support;
COMMENT ON FUNCTION l1_distance(bf16vec, bf16vec) IS 'taxicab distance';

CREATE FUNCTION vector_dims(bf16vec) RETURNS integer
	AS 'MODULE_PATHNAME', 'bf16vec_dims' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_dims(bf16vec) IS 'number of dimensions';

CREATE FUNCTION l2_norm(bf16vec) RETURNS float8
	AS 'MODULE_PATHNAME', 'bf16vec_norm' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION l2_norm(bf16vec) IS 'Euclidean norm';

CREATE FUNCTION l2_normalize(bf16vec) RETURNS bf16vec
	AS 'MODULE_PATHNAME', 'bf16vec_l2_normalize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION l2_normalize(bf16vec) IS 'vector divided by its Euclidean norm';

CREATE FUNCTION binary_quantize(bf16vec) RETURNS bit
	AS 'MODULE_PATHNAME', 'bf16vec_binary_quantize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION binary_quantize(bf16vec) IS 'signs: one bit an element, 1 where positive';

CREATE FUNCTION subvector(bf16vec, integer, integer) RETURNS bf16vec
	AS 'MODULE_PATHNAME', 'bf16vec_subvector' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION subvector(bf16vec, integer, integer) IS 'elements from a position on, first one is 1';

-- Functions behind operators and operator classes.

CREATE FUNCTION bf16vec_l2_squared_distance(bf16vec, bf16vec) RETURNS float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	SUPPORT bf16vec_distance_support;
COMMENT ON FUNCTION bf16vec_l2_squared_distance(bf16vec, bf16vec) IS 'squared Euclidean distance';

CREATE FUNCTION bf16vec_negative_inner_product(bf16vec, bf16vec) RETURNS float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	SUPPORT bf16vec_distance_support;
COMMENT ON FUNCTION bf16vec_negative_inner_product(bf16vec, bf16vec) IS 'implementation of <#> operator';

CREATE FUNCTION bf16vec_spherical_distance(bf16vec, bf16vec) RETURNS float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	SUPPORT bf16vec_distance_support;
COMMENT ON FUNCTION bf16vec_spherical_distance(bf16vec, bf16vec) IS 'angle between unit vectors, as part of a half turn';

CREATE FUNCTION bf16vec_add(bf16vec, bf16vec) RETURNS bf16vec
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bf16vec_add(bf16vec, bf16vec) IS 'implementation of + operator';

CREATE FUNCTION bf16vec_sub(bf16vec, bf16vec) RETURNS bf16vec
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bf16vec_sub(bf16vec, bf16vec) IS 'implementation of - operator';

CREATE FUNCTION bf16vec_mul(bf16vec, bf16vec) RETURNS bf16vec
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bf16vec_mul(bf16vec, bf16vec) IS 'implementation of * operator';

CREATE FUNCTION bf16vec_concat(bf16vec, bf16vec) RETURNS bf16vec
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bf16vec_concat(bf16vec, bf16vec) IS 'implementation of || operator';

CREATE FUNCTION bf16vec_lt(bf16vec, bf16vec) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bf16vec_lt(bf16vec, bf16vec) IS 'implementation of < operator';

CREATE FUNCTION bf16vec_le(bf16vec, bf16vec) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bf16vec_le(bf16vec, bf16vec) IS 'implementation of <= operator';

CREATE FUNCTION bf16vec_eq(bf16vec, bf16vec) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bf16vec_eq(bf16vec, bf16vec) IS 'implementation of = operator';

CREATE FUNCTION bf16vec_ne(bf16vec, bf16vec) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bf16vec_ne(bf16vec, bf16vec) IS 'implementation of <> operator';

CREATE FUNCTION bf16vec_ge(bf16vec, bf16vec) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bf16vec_ge(bf16vec, bf16vec) IS 'implementation of >= operator';

CREATE FUNCTION bf16vec_gt(bf16vec, bf16vec) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bf16vec_gt(bf16vec, bf16vec) IS 'implementation of > operator';

CREATE FUNCTION bf16vec_cmp(bf16vec, bf16vec) RETURNS integer
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bf16vec_cmp(bf16vec, bf16vec) IS 'less-equal-greater';

-- avg and sum.

CREATE FUNCTION bf16vec_accum(double precision[], bf16vec) RETURNS double precision[]
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bf16vec_accum(double precision[], bf16vec) IS 'transition function of avg';

CREATE FUNCTION bf16vec_combine(double precision[], double precision[]) RETURNS double precision[]
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bf16vec_combine(double precision[], double precision[]) IS 'combine function of avg and sum';

CREATE FUNCTION bf16vec_avg(double precision[]) RETURNS bf16vec
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bf16vec_avg(double precision[]) IS 'final function of avg';

CREATE FUNCTION bf16vec_sum_accum(double precision[], bf16vec) RETURNS double precision[]
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bf16vec_sum_accum(double precision[], bf16vec) IS 'transition function of sum';

CREATE FUNCTION bf16vec_sum(double precision[]) RETURNS bf16vec
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bf16vec_sum(double precision[]) IS 'final function of sum';

CREATE AGGREGATE avg(bf16vec) (
	SFUNC = bf16vec_accum,
	STYPE = double precision[],
	INITCOND = '{0}',
	FINALFUNC = bf16vec_avg,
	COMBINEFUNC = bf16vec_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE avg(bf16vec) IS 'average of each element';

CREATE AGGREGATE sum(bf16vec) (
	SFUNC = bf16vec_sum_accum,
	STYPE = double precision[],
	INITCOND = '{0}',
	FINALFUNC = bf16vec_sum,
	COMBINEFUNC = bf16vec_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE sum(bf16vec) IS 'sum of each element';

-- Casts from and to arrays, and to a modifier.

CREATE FUNCTION bf16vec(bf16vec, integer, boolean) RETURNS bf16vec
	AS 'MODULE_PATHNAME', 'bf16vec_check_typmod' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bf16vec(bf16vec, integer, boolean) IS 'check the number of dimensions';

CREATE FUNCTION array_to_bf16vec(integer[], integer, boolean) RETURNS bf16vec
	AS 'MODULE_PATHNAME', 'bf16vec_from_array' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION array_to_bf16vec(integer[], integer, boolean) IS 'convert integer[] to bf16vec';

CREATE FUNCTION array_to_bf16vec(real[], integer, boolean) RETURNS bf16vec
	AS 'MODULE_PATHNAME', 'bf16vec_from_array' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION array_to_bf16vec(real[], integer, boolean) IS 'convert real[] to bf16vec';

CREATE FUNCTION array_to_bf16vec(double precision[], integer, boolean) RETURNS bf16vec
	AS 'MODULE_PATHNAME', 'bf16vec_from_array' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION array_to_bf16vec(double precision[], integer, boolean) IS 'convert double precision[] to bf16vec';

CREATE FUNCTION array_to_bf16vec(numeric[], integer, boolean) RETURNS bf16vec
	AS 'MODULE_PATHNAME', 'bf16vec_from_array' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION array_to_bf16vec(numeric[], integer, boolean) IS 'convert numeric[] to bf16vec';

CREATE FUNCTION bf16vec_to_float4(bf16vec, integer, boolean) RETURNS real[]
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bf16vec_to_float4(bf16vec, integer, boolean) IS 'convert bf16vec to real[]';

CREATE CAST (bf16vec AS bf16vec)
	WITH FUNCTION bf16vec(bf16vec, integer, boolean) AS IMPLICIT;
CREATE CAST (bf16vec AS real[])
	WITH FUNCTION bf16vec_to_float4(bf16vec, integer, boolean) AS ASSIGNMENT;
CREATE CAST (integer[] AS bf16vec)
	WITH FUNCTION array_to_bf16vec(integer[], integer, boolean) AS ASSIGNMENT;
CREATE CAST (real[] AS bf16vec)
	WITH FUNCTION array_to_bf16vec(real[], integer, boolean) AS ASSIGNMENT;
CREATE CAST (double precision[] AS bf16vec)
	WITH FUNCTION array_to_bf16vec(double precision[], integer, boolean) AS ASSIGNMENT;
CREATE CAST (numeric[] AS bf16vec)
	WITH FUNCTION array_to_bf16vec(numeric[], integer, boolean) AS ASSIGNMENT;

-- Casts to and from other dense types.

CREATE FUNCTION bf16vec_to_vector(bf16vec, integer, boolean) RETURNS vector
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bf16vec_to_vector(bf16vec, integer, boolean) IS 'convert bf16vec to vector';

CREATE FUNCTION vector_to_bf16vec(vector, integer, boolean) RETURNS bf16vec
	AS 'MODULE_PATHNAME', 'bf16vec_from_vector' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_to_bf16vec(vector, integer, boolean) IS 'convert vector to bf16vec';

CREATE FUNCTION bf16vec_to_halfvec(bf16vec, integer, boolean) RETURNS halfvec
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bf16vec_to_halfvec(bf16vec, integer, boolean) IS 'convert bf16vec to halfvec';

CREATE FUNCTION halfvec_to_bf16vec(halfvec, integer, boolean) RETURNS bf16vec
	AS 'MODULE_PATHNAME', 'bf16vec_from_halfvec' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION halfvec_to_bf16vec(halfvec, integer, boolean) IS 'convert halfvec to bf16vec';

CREATE CAST (bf16vec AS vector)
	WITH FUNCTION bf16vec_to_vector(bf16vec, integer, boolean) AS ASSIGNMENT;
CREATE CAST (vector AS bf16vec)
	WITH FUNCTION vector_to_bf16vec(vector, integer, boolean) AS ASSIGNMENT;
CREATE CAST (bf16vec AS halfvec)
	WITH FUNCTION bf16vec_to_halfvec(bf16vec, integer, boolean) AS ASSIGNMENT;
CREATE CAST (halfvec AS bf16vec)
	WITH FUNCTION halfvec_to_bf16vec(halfvec, integer, boolean) AS ASSIGNMENT;

-- Distances; ORDER BY one of them and LIMIT is a nearest-neighbor search.

CREATE OPERATOR <-> (
	FUNCTION = l2_distance, LEFTARG = bf16vec, RIGHTARG = bf16vec,
	COMMUTATOR = <->
);
COMMENT ON OPERATOR <-> (bf16vec, bf16vec) IS 'Euclidean distance';

CREATE OPERATOR <#> (
	FUNCTION = bf16vec_negative_inner_product, LEFTARG = bf16vec, RIGHTARG = bf16vec,
	COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (bf16vec, bf16vec) IS 'negative inner product';

CREATE OPERATOR <=> (
	FUNCTION = cosine_distance, LEFTARG = bf16vec, RIGHTARG = bf16vec,
	COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (bf16vec, bf16vec) IS 'cosine distance';

CREATE OPERATOR <+> (
	FUNCTION = l1_distance, LEFTARG = bf16vec, RIGHTARG = bf16vec,
	COMMUTATOR = <+>
);
COMMENT ON OPERATOR <+> (bf16vec, bf16vec) IS 'taxicab distance';

-- Arithmetic, element by element.

CREATE OPERATOR + (
	FUNCTION = bf16vec_add, LEFTARG = bf16vec, RIGHTARG = bf16vec,
	COMMUTATOR = +
);
COMMENT ON OPERATOR + (bf16vec, bf16vec) IS 'add';

CREATE OPERATOR - (
	FUNCTION = bf16vec_sub, LEFTARG = bf16vec, RIGHTARG = bf16vec
);
COMMENT ON OPERATOR - (bf16vec, bf16vec) IS 'subtract';

CREATE OPERATOR * (
	FUNCTION = bf16vec_mul, LEFTARG = bf16vec, RIGHTARG = bf16vec,
	COMMUTATOR = *
);
COMMENT ON OPERATOR * (bf16vec, bf16vec) IS 'multiply';

CREATE OPERATOR || (
	FUNCTION = bf16vec_concat, LEFTARG = bf16vec, RIGHTARG = bf16vec
);
COMMENT ON OPERATOR || (bf16vec, bf16vec) IS 'concatenate';

-- Order: by the first element that differs, then by length.

CREATE OPERATOR < (
	FUNCTION = bf16vec_lt, LEFTARG = bf16vec, RIGHTARG = bf16vec,
	COMMUTATOR = >, NEGATOR = >=,
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR < (bf16vec, bf16vec) IS 'less than';

CREATE OPERATOR <= (
	FUNCTION = bf16vec_le, LEFTARG = bf16vec, RIGHTARG = bf16vec,
	COMMUTATOR = >=, NEGATOR = >,
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR <= (bf16vec, bf16vec) IS 'less than or equal';

CREATE OPERATOR = (
	FUNCTION = bf16vec_eq, LEFTARG = bf16vec, RIGHTARG = bf16vec,
	COMMUTATOR = =, NEGATOR = <>,
	RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR = (bf16vec, bf16vec) IS 'equal';

CREATE OPERATOR <> (
	FUNCTION = bf16vec_ne, LEFTARG = bf16vec, RIGHTARG = bf16vec,
	COMMUTATOR = <>, NEGATOR = =,
	RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR <> (bf16vec, bf16vec) IS 'not equal';

CREATE OPERATOR >= (
	FUNCTION = bf16vec_ge, LEFTARG = bf16vec, RIGHTARG = bf16vec,
	COMMUTATOR = <=, NEGATOR = <,
	RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR >= (bf16vec, bf16vec) IS 'greater than or equal';

CREATE OPERATOR > (
	FUNCTION = bf16vec_gt, LEFTARG = bf16vec, RIGHTARG = bf16vec,
	COMMUTATOR = <, NEGATOR = <=,
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR > (bf16vec, bf16vec) IS 'greater than';

-- Sorting, grouping, unique constraints.

CREATE OPERATOR CLASS bf16vec_ops
	DEFAULT FOR TYPE bf16vec USING btree AS
	OPERATOR 1 <,
	OPERATOR 2 <=,
	OPERATOR 3 =,
	OPERATOR 4 >=,
	OPERATOR 5 >,
	FUNCTION 1 bf16vec_cmp(bf16vec, bf16vec);
