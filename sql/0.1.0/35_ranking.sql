-- One ranking made of several. What is plain SQL is inlined into the query; written as RETURN, it
-- means what it meant when it was installed, whatever search_path its caller has.

CREATE FUNCTION rrf(rank bigint, k float8 DEFAULT 60, weight float8 DEFAULT 1) RETURNS float8
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN weight OPERATOR(pg_catalog./) (k OPERATOR(pg_catalog.+) rank::pg_catalog.float8);
COMMENT ON FUNCTION rrf(bigint, float8, float8) IS 'part of a rank, from 1, in a reciprocal rank fusion';

CREATE FUNCTION norm_score(score float8, metric text) RETURNS real
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION norm_score(float8, text) IS 'a score of a metric on a scale from 0 to 1';

CREATE FUNCTION min_max_score(score float8, worst float8, best float8) RETURNS real
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION min_max_score(float8, float8, float8) IS 'a score on a scale from 0 for the worst to 1 for the best';

CREATE FUNCTION as_score(value float8) RETURNS real
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION as_score(float8) IS 'the nearest real: infinite or 0 where a cast is an error';

CREATE FUNCTION faded(score float8, factor float8) RETURNS real
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION faded(float8, float8) IS 'score times factor: 0 where either is not a number';

CREATE FUNCTION decay_gauss(
	value float8, origin float8, scale float8, "offset" float8 DEFAULT 0, decay float8 DEFAULT 0.5
) RETURNS float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION decay_gauss(float8, float8, float8, float8, float8) IS 'factor that falls like a bell curve with the distance from the origin';

CREATE FUNCTION decay_exp(
	value float8, origin float8, scale float8, "offset" float8 DEFAULT 0, decay float8 DEFAULT 0.5
) RETURNS float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION decay_exp(float8, float8, float8, float8, float8) IS 'factor that falls exponentially with the distance from the origin';

CREATE FUNCTION decay_linear(
	value float8, origin float8, scale float8, "offset" float8 DEFAULT 0, decay float8 DEFAULT 0.5
) RETURNS float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION decay_linear(float8, float8, float8, float8, float8) IS 'factor that falls linearly with the distance from the origin, down to decay';

CREATE FUNCTION decay_gauss(
	value timestamptz, origin timestamptz, scale interval, "offset" interval DEFAULT '0', decay float8 DEFAULT 0.5
) RETURNS float8
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN @extschema@.decay_gauss(
		EXTRACT(epoch FROM value)::pg_catalog.float8, EXTRACT(epoch FROM origin)::pg_catalog.float8,
		EXTRACT(epoch FROM scale)::pg_catalog.float8, EXTRACT(epoch FROM "offset")::pg_catalog.float8, decay);
COMMENT ON FUNCTION decay_gauss(timestamptz, timestamptz, interval, interval, float8) IS 'decay_gauss of a time';

CREATE FUNCTION decay_exp(
	value timestamptz, origin timestamptz, scale interval, "offset" interval DEFAULT '0', decay float8 DEFAULT 0.5
) RETURNS float8
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN @extschema@.decay_exp(
		EXTRACT(epoch FROM value)::pg_catalog.float8, EXTRACT(epoch FROM origin)::pg_catalog.float8,
		EXTRACT(epoch FROM scale)::pg_catalog.float8, EXTRACT(epoch FROM "offset")::pg_catalog.float8, decay);
COMMENT ON FUNCTION decay_exp(timestamptz, timestamptz, interval, interval, float8) IS 'decay_exp of a time';

CREATE FUNCTION decay_linear(
	value timestamptz, origin timestamptz, scale interval, "offset" interval DEFAULT '0', decay float8 DEFAULT 0.5
) RETURNS float8
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN @extschema@.decay_linear(
		EXTRACT(epoch FROM value)::pg_catalog.float8, EXTRACT(epoch FROM origin)::pg_catalog.float8,
		EXTRACT(epoch FROM scale)::pg_catalog.float8, EXTRACT(epoch FROM "offset")::pg_catalog.float8, decay);
COMMENT ON FUNCTION decay_linear(timestamptz, timestamptz, interval, interval, float8) IS 'decay_linear of a time';
