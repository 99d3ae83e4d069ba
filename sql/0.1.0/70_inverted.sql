-- Access method inverted: full text ranked by BM25, and sparse vectors ranked by inner product.

CREATE FUNCTION invertedhandler(internal) RETURNS index_am_handler
	AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION invertedhandler(internal) IS 'inverted index access method handler';

CREATE ACCESS METHOD inverted TYPE INDEX HANDLER invertedhandler;
COMMENT ON ACCESS METHOD inverted IS 'inverted index access method: BM25 and sparse vectors';

CREATE TYPE bm25query AS (index regclass, words text);
COMMENT ON TYPE bm25query IS 'words to search for, and the inverted index whose analyzer and statistics rank them';

CREATE FUNCTION bm25query(index regclass, words text) RETURNS bm25query
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN ROW(index, words)::@extschema@.bm25query;
COMMENT ON FUNCTION bm25query(regclass, text) IS 'a query of full text by this index';

CREATE FUNCTION bm25_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bm25_support(internal) IS 'planner support for <@>: finds the index';

CREATE FUNCTION bm25_distance(text, bm25query) RETURNS float8
	AS 'MODULE_PATHNAME', 'bm25_text_distance' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 1000;
COMMENT ON FUNCTION bm25_distance(text, bm25query) IS 'implementation of <@> operator';
CREATE FUNCTION bm25_distance(text[], bm25query) RETURNS float8
	AS 'MODULE_PATHNAME', 'bm25_texts_distance' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 1000;
COMMENT ON FUNCTION bm25_distance(text[], bm25query) IS 'implementation of <@> operator';
CREATE FUNCTION bm25_distance(text, text) RETURNS float8
	AS 'MODULE_PATHNAME', 'bm25_unresolved_distance' LANGUAGE C STABLE STRICT PARALLEL SAFE SUPPORT bm25_support;
COMMENT ON FUNCTION bm25_distance(text, text) IS 'implementation of <@> operator';
CREATE FUNCTION bm25_distance(text[], text) RETURNS float8
	AS 'MODULE_PATHNAME', 'bm25_unresolved_distance' LANGUAGE C STABLE STRICT PARALLEL SAFE SUPPORT bm25_support;
COMMENT ON FUNCTION bm25_distance(text[], text) IS 'implementation of <@> operator';

CREATE OPERATOR <@> (LEFTARG = text, RIGHTARG = bm25query, PROCEDURE = bm25_distance);
COMMENT ON OPERATOR <@> (text, bm25query) IS 'negative BM25 score by an index';
CREATE OPERATOR <@> (LEFTARG = text[], RIGHTARG = bm25query, PROCEDURE = bm25_distance);
COMMENT ON OPERATOR <@> (text[], bm25query) IS 'negative BM25 score by an index';
CREATE OPERATOR <@> (LEFTARG = text, RIGHTARG = text, PROCEDURE = bm25_distance);
COMMENT ON OPERATOR <@> (text, text) IS 'negative BM25 score by the index of the column';
CREATE OPERATOR <@> (LEFTARG = text[], RIGHTARG = text, PROCEDURE = bm25_distance);
COMMENT ON OPERATOR <@> (text[], text) IS 'negative BM25 score by the index of the column';

CREATE TYPE text_condition AS (index regclass, words text, minimum integer, slop integer, edits integer);
COMMENT ON TYPE text_condition IS 'words that a text is to hold, and the inverted index whose analyzer splits both';

CREATE FUNCTION text_condition(index regclass, words text, minimum integer, slop integer, edits integer) RETURNS text_condition
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN ROW(index, words, minimum, slop, edits)::@extschema@.text_condition;
COMMENT ON FUNCTION text_condition(regclass, text, integer, integer, integer) IS 'a condition on texts: so many of the words, or a phrase if slop is not negative, each word with so many edits';

CREATE FUNCTION text_satisfies(text, text_condition) RETURNS boolean
	AS 'MODULE_PATHNAME', 'text_satisfies' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 1000;
COMMENT ON FUNCTION text_satisfies(text, text_condition) IS 'implementation of <?> operator';
CREATE FUNCTION text_satisfies(text[], text_condition) RETURNS boolean
	AS 'MODULE_PATHNAME', 'texts_satisfy' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 1000;
COMMENT ON FUNCTION text_satisfies(text[], text_condition) IS 'implementation of <?> operator';

CREATE FUNCTION text_condition_selectivity(internal, oid, internal, integer) RETURNS float8
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION text_condition_selectivity(internal, oid, internal, integer) IS 'how many rows <?> finds, for the planner';

CREATE OPERATOR <?> (
	LEFTARG = text, RIGHTARG = text_condition, PROCEDURE = text_satisfies,
	RESTRICT = text_condition_selectivity, JOIN = contjoinsel
);
COMMENT ON OPERATOR <?> (text, text_condition) IS 'holds words';
CREATE OPERATOR <?> (
	LEFTARG = text[], RIGHTARG = text_condition, PROCEDURE = text_satisfies,
	RESTRICT = text_condition_selectivity, JOIN = contjoinsel
);
COMMENT ON OPERATOR <?> (text[], text_condition) IS 'holds words';

CREATE FUNCTION text_match_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION text_match_support(internal) IS 'planner support for text_match: finds the index';
CREATE FUNCTION text_match(document text, words text, minimum_should_match integer DEFAULT 1) RETURNS boolean
	AS 'MODULE_PATHNAME', 'text_condition_unresolved' LANGUAGE C STABLE STRICT PARALLEL SAFE SUPPORT text_match_support;
COMMENT ON FUNCTION text_match(text, text, integer) IS 'whether a text holds so many of the words, by the analyzer of its index';
CREATE FUNCTION text_match(document text[], words text, minimum_should_match integer DEFAULT 1) RETURNS boolean
	AS 'MODULE_PATHNAME', 'text_condition_unresolved' LANGUAGE C STABLE STRICT PARALLEL SAFE SUPPORT text_match_support;
COMMENT ON FUNCTION text_match(text[], text, integer) IS 'whether a text holds so many of the words, by the analyzer of its index';

CREATE FUNCTION phrase_match_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION phrase_match_support(internal) IS 'planner support for phrase_match: finds the index';
CREATE FUNCTION phrase_match(document text, phrase text, slop integer DEFAULT 0) RETURNS boolean
	AS 'MODULE_PATHNAME', 'text_condition_unresolved' LANGUAGE C STABLE STRICT PARALLEL SAFE SUPPORT phrase_match_support;
COMMENT ON FUNCTION phrase_match(text, text, integer) IS 'whether a text holds the words one behind the other, up to this much displaced';
CREATE FUNCTION phrase_match(document text[], phrase text, slop integer DEFAULT 0) RETURNS boolean
	AS 'MODULE_PATHNAME', 'text_condition_unresolved' LANGUAGE C STABLE STRICT PARALLEL SAFE SUPPORT phrase_match_support;
COMMENT ON FUNCTION phrase_match(text[], text, integer) IS 'whether a text holds the words one behind the other, up to this much displaced';

CREATE FUNCTION text_match_fuzzy_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION text_match_fuzzy_support(internal) IS 'planner support for text_match_fuzzy: finds the index';
CREATE FUNCTION text_match_fuzzy(document text, words text, max_edit_distance integer DEFAULT 1) RETURNS boolean
	AS 'MODULE_PATHNAME', 'text_condition_unresolved' LANGUAGE C STABLE STRICT PARALLEL SAFE SUPPORT text_match_fuzzy_support;
COMMENT ON FUNCTION text_match_fuzzy(text, text, integer) IS 'whether a text holds a word that differs by so many letters at most';
CREATE FUNCTION text_match_fuzzy(document text[], words text, max_edit_distance integer DEFAULT 1) RETURNS boolean
	AS 'MODULE_PATHNAME', 'text_condition_unresolved' LANGUAGE C STABLE STRICT PARALLEL SAFE SUPPORT text_match_fuzzy_support;
COMMENT ON FUNCTION text_match_fuzzy(text[], text, integer) IS 'whether a text holds a word that differs by so many letters at most';

CREATE FUNCTION inverted_text_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C;
CREATE FUNCTION inverted_texts_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C;
CREATE FUNCTION inverted_sparsevec_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C;

CREATE OPERATOR CLASS text_bm25_ops
	DEFAULT FOR TYPE text USING inverted AS
	OPERATOR 1 <@> (text, bm25query) FOR ORDER BY float_ops,
	OPERATOR 2 <?> (text, text_condition),
	FUNCTION 1 inverted_text_support(internal);

CREATE OPERATOR CLASS text_array_bm25_ops
	DEFAULT FOR TYPE text[] USING inverted AS
	OPERATOR 1 <@> (text[], bm25query) FOR ORDER BY float_ops,
	OPERATOR 2 <?> (text[], text_condition),
	FUNCTION 1 inverted_texts_support(internal);

CREATE OPERATOR CLASS sparsevec_ip_ops
	DEFAULT FOR TYPE sparsevec USING inverted AS
	OPERATOR 1 <#> (sparsevec, sparsevec) FOR ORDER BY float_ops,
	FUNCTION 1 inverted_sparsevec_support(internal);
