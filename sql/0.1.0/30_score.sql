-- Scores as Milvus reports them, for the select list; ordering stays with the operators.

CREATE FUNCTION vector_score(a vector, b vector, metric text DEFAULT 'COSINE') RETURNS real
	AS 'MODULE_PATHNAME', 'vector_score_vector' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_score(vector, vector, text) IS 'score by a metric: L2 (squared), IP, COSINE';

CREATE FUNCTION vector_score(a halfvec, b halfvec, metric text DEFAULT 'COSINE') RETURNS real
	AS 'MODULE_PATHNAME', 'vector_score_halfvec' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_score(halfvec, halfvec, text) IS 'score by a metric: L2 (squared), IP, COSINE';

CREATE FUNCTION vector_score(a bf16vec, b bf16vec, metric text DEFAULT 'COSINE') RETURNS real
	AS 'MODULE_PATHNAME', 'vector_score_bf16vec' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_score(bf16vec, bf16vec, text) IS 'score by a metric: L2 (squared), IP, COSINE';

CREATE FUNCTION vector_score(a i8vec, b i8vec, metric text DEFAULT 'COSINE') RETURNS real
	AS 'MODULE_PATHNAME', 'vector_score_i8vec' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_score(i8vec, i8vec, text) IS 'score by a metric: L2 (squared), IP, COSINE';

CREATE FUNCTION vector_score(a sparsevec, b sparsevec, metric text DEFAULT 'COSINE') RETURNS real
	AS 'MODULE_PATHNAME', 'vector_score_sparsevec' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_score(sparsevec, sparsevec, text) IS 'score by a metric: L2 (squared), IP, COSINE';

CREATE FUNCTION vector_score(a bit, b bit, metric text DEFAULT 'HAMMING') RETURNS real
	AS 'MODULE_PATHNAME', 'vector_score_bit' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_score(bit, bit, text) IS 'score by a metric: HAMMING, JACCARD';
