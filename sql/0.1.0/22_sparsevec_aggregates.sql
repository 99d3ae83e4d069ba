-- avg and sum of sparse vectors.

CREATE FUNCTION sparsevec_accum(double precision[], sparsevec) RETURNS double precision[]
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sparsevec_accum(double precision[], sparsevec) IS 'transition function of sum and avg';

CREATE FUNCTION sparsevec_combine(double precision[], double precision[]) RETURNS double precision[]
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sparsevec_combine(double precision[], double precision[]) IS 'combine function of sum and avg';

CREATE FUNCTION sparsevec_sum(double precision[]) RETURNS sparsevec
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sparsevec_sum(double precision[]) IS 'final function of sum';

CREATE FUNCTION sparsevec_avg(double precision[]) RETURNS sparsevec
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sparsevec_avg(double precision[]) IS 'final function of avg';

CREATE AGGREGATE avg(sparsevec) (
	SFUNC = sparsevec_accum,
	STYPE = double precision[],
	INITCOND = '{0,0}',
	FINALFUNC = sparsevec_avg,
	COMBINEFUNC = sparsevec_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE avg(sparsevec) IS 'average of each dimension';

CREATE AGGREGATE sum(sparsevec) (
	SFUNC = sparsevec_accum,
	STYPE = double precision[],
	INITCOND = '{0,0}',
	FINALFUNC = sparsevec_sum,
	COMBINEFUNC = sparsevec_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE sum(sparsevec) IS 'sum of each dimension';
