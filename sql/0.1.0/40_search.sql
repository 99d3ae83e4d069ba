-- Searches of a table in one call. Each becomes one statement, which the functions that end in _sql
-- show.

CREATE TYPE search_request;

CREATE FUNCTION search_request_in(cstring) RETURNS search_request
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION search_request_in(cstring) IS 'I/O';

CREATE FUNCTION search_request_out(search_request) RETURNS cstring
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION search_request_out(search_request) IS 'I/O';

CREATE FUNCTION search_request_recv(internal) RETURNS search_request
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION search_request_recv(internal) IS 'I/O';

CREATE FUNCTION search_request_send(search_request) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION search_request_send(search_request) IS 'I/O';

CREATE TYPE search_request (
	INPUT = search_request_in,
	OUTPUT = search_request_out,
	RECEIVE = search_request_recv,
	SEND = search_request_send,
	INTERNALLENGTH = VARIABLE,
	STORAGE = extended
);
COMMENT ON TYPE search_request IS 'what one leg of a search looks for: ann(), bm25(), fts()';

CREATE FUNCTION standard_tsvector(text) RETURNS tsvector
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION standard_tsvector(text) IS 'tokens of a text for text_match and phrase_match in filters';

CREATE DOMAIN ranker AS jsonb;
COMMENT ON DOMAIN ranker IS 'how one ranking is made of several: rrf_ranker(), weighted_ranker(), min_max_ranker(), decay_ranker()';

CREATE FUNCTION ann(field text, query anyelement, k int DEFAULT NULL, filter text DEFAULT NULL, params jsonb DEFAULT NULL)
	RETURNS search_request
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION ann(text, anyelement, int, text, jsonb) IS 'search for the nearest vectors';

CREATE FUNCTION ann(field text, query text, k int DEFAULT NULL, filter text DEFAULT NULL, params jsonb DEFAULT NULL)
	RETURNS search_request
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION ann(text, text, int, text, jsonb) IS 'search for the nearest vectors';

CREATE FUNCTION bm25(field text, query text, k int DEFAULT NULL, filter text DEFAULT NULL, params jsonb DEFAULT NULL)
	RETURNS search_request
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION bm25(text, text, int, text, jsonb) IS 'search of texts in a column with a BM25 index';

CREATE FUNCTION fts(field text, query tsquery, k int DEFAULT NULL, filter text DEFAULT NULL)
	RETURNS search_request
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION fts(text, tsquery, int, text) IS 'search of texts in a column of type tsvector';

CREATE FUNCTION rrf_ranker(k float8 DEFAULT 60, weights float8[] DEFAULT NULL) RETURNS ranker
	LANGUAGE sql STABLE PARALLEL SAFE
	RETURN pg_catalog.jsonb_build_object('strategy', 'rrf', 'k', k, 'weights', weights)::@extschema@.ranker;
COMMENT ON FUNCTION rrf_ranker(float8, float8[]) IS 'reciprocal rank fusion';

CREATE FUNCTION weighted_ranker(weights float8[], norm_score boolean DEFAULT true) RETURNS ranker
	LANGUAGE sql STABLE PARALLEL SAFE
	RETURN pg_catalog.jsonb_build_object('strategy', 'weighted', 'weights', weights, 'norm_score', norm_score)::@extschema@.ranker;
COMMENT ON FUNCTION weighted_ranker(float8[], boolean) IS 'weighted sum of scores';

CREATE FUNCTION min_max_ranker(weights float8[] DEFAULT NULL) RETURNS ranker
	LANGUAGE sql STABLE PARALLEL SAFE
	RETURN pg_catalog.jsonb_build_object('strategy', 'min_max', 'weights', weights)::@extschema@.ranker;
COMMENT ON FUNCTION min_max_ranker(float8[]) IS 'weighted sum of scores, scaled to 0 to 1 by the worst and best of each leg';

CREATE FUNCTION decay_ranker(function text, field text, origin float8, scale float8, "offset" float8 DEFAULT 0, decay float8 DEFAULT 0.5, score_mode text DEFAULT 'max', norm_score boolean DEFAULT false)
	RETURNS ranker
	LANGUAGE sql STABLE PARALLEL SAFE
	RETURN pg_catalog.jsonb_build_object('strategy', 'decay', 'function', function, 'field', field, 'origin', origin, 'scale', scale,
		'offset', "offset", 'decay', decay, 'score_mode', score_mode, 'norm_score', norm_score)::@extschema@.ranker;
COMMENT ON FUNCTION decay_ranker(text, text, float8, float8, float8, float8, text, boolean) IS 'scores that fade with a distance from a number';

CREATE FUNCTION decay_ranker(function text, field text, origin timestamptz, scale interval, "offset" interval DEFAULT '0', decay float8 DEFAULT 0.5, score_mode text DEFAULT 'max', norm_score boolean DEFAULT false)
	RETURNS ranker
	LANGUAGE sql STABLE PARALLEL SAFE
	RETURN pg_catalog.jsonb_build_object('strategy', 'decay', 'function', function, 'field', field, 'origin', origin, 'scale', scale,
		'offset', "offset", 'decay', decay, 'score_mode', score_mode, 'norm_score', norm_score)::@extschema@.ranker;
COMMENT ON FUNCTION decay_ranker(text, text, timestamptz, interval, interval, float8, text, boolean) IS 'scores that fade with a distance from a time';

CREATE FUNCTION vector_search(rel anyelement, request search_request, k int DEFAULT 10, skip int DEFAULT 0,
	filter text DEFAULT NULL, filter_params jsonb DEFAULT NULL,
	OUT hit anyelement, OUT score real) RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 10;
COMMENT ON FUNCTION vector_search(anyelement, search_request, int, int, text, jsonb) IS 'rows nearest to a vector';

CREATE FUNCTION vector_search_sql(rel anyelement, request search_request, k int DEFAULT 10, skip int DEFAULT 0,
	filter text DEFAULT NULL, filter_params jsonb DEFAULT NULL) RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION vector_search_sql(anyelement, search_request, int, int, text, jsonb) IS 'the statement of vector_search';

CREATE FUNCTION grouped_search(rel anyelement, request search_request, group_by text, k int DEFAULT 10,
	group_size int DEFAULT 1, strict_group_size boolean DEFAULT false, skip int DEFAULT 0,
	filter text DEFAULT NULL, filter_params jsonb DEFAULT NULL,
	OUT hit anyelement, OUT score real, OUT group_no int, OUT group_rank int) RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 10;
COMMENT ON FUNCTION grouped_search(anyelement, search_request, text, int, int, boolean, int, text, jsonb) IS 'groups of rows nearest to a vector';

CREATE FUNCTION grouped_search_sql(rel anyelement, request search_request, group_by text, k int DEFAULT 10,
	group_size int DEFAULT 1, strict_group_size boolean DEFAULT false, skip int DEFAULT 0,
	filter text DEFAULT NULL, filter_params jsonb DEFAULT NULL) RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION grouped_search_sql(anyelement, search_request, text, int, int, boolean, int, text, jsonb) IS 'the statement that grouped_search reads';

CREATE FUNCTION range_search(rel anyelement, request search_request, radius float8, range_filter float8 DEFAULT NULL,
	k int DEFAULT 100, skip int DEFAULT 0, filter text DEFAULT NULL, filter_params jsonb DEFAULT NULL,
	OUT hit anyelement, OUT score real) RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 10;
COMMENT ON FUNCTION range_search(anyelement, search_request, float8, float8, int, int, text, jsonb) IS 'rows within a distance';

CREATE FUNCTION range_search_sql(rel anyelement, request search_request, radius float8, range_filter float8 DEFAULT NULL,
	k int DEFAULT 100, skip int DEFAULT 0, filter text DEFAULT NULL, filter_params jsonb DEFAULT NULL) RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION range_search_sql(anyelement, search_request, float8, float8, int, int, text, jsonb) IS 'the statement that range_search reads';

CREATE FUNCTION hybrid_search(rel anyelement, requests search_request[], ranker ranker DEFAULT @extschema@.rrf_ranker(60::pg_catalog.float8, NULL::pg_catalog.float8[]),
	k int DEFAULT 10, skip int DEFAULT 0, filter text DEFAULT NULL, filter_params jsonb DEFAULT NULL,
	group_by text DEFAULT NULL, group_size int DEFAULT 1, strict_group_size boolean DEFAULT false, group_scorer text DEFAULT 'max',
	OUT hit anyelement, OUT score real, OUT ranks int[], OUT scores real[]) RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 10;
COMMENT ON FUNCTION hybrid_search(anyelement, search_request[], ranker, int, int, text, jsonb, text, int, boolean, text) IS 'rows that several searches find, in one ranking';

CREATE FUNCTION hybrid_search_sql(rel anyelement, requests search_request[], ranker ranker DEFAULT @extschema@.rrf_ranker(60::pg_catalog.float8, NULL::pg_catalog.float8[]),
	k int DEFAULT 10, skip int DEFAULT 0, filter text DEFAULT NULL, filter_params jsonb DEFAULT NULL,
	group_by text DEFAULT NULL, group_size int DEFAULT 1, strict_group_size boolean DEFAULT false, group_scorer text DEFAULT 'max') RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION hybrid_search_sql(anyelement, search_request[], ranker, int, int, text, jsonb, text, int, boolean, text) IS 'the statement of hybrid_search';
