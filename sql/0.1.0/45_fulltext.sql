-- Full text: tokens of texts, and fragments that show them.

CREATE FUNCTION run_analyzer(text text, analyzer text DEFAULT 'standard')
	RETURNS TABLE (token text, start_offset bigint, end_offset bigint, "position" bigint, position_length bigint)
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 100 ROWS 100;
COMMENT ON FUNCTION run_analyzer(text, text) IS 'tokens of a text';

CREATE FUNCTION highlight(document text, query text, analyzer text DEFAULT 'standard', pre_tags text[] DEFAULT ARRAY['<em>'], post_tags text[] DEFAULT ARRAY['</em>'], fragment_offset int DEFAULT 0, fragment_size int DEFAULT 100, num_of_fragments int DEFAULT 5)
	RETURNS text[]
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION highlight(text, text, text, text[], text[], int, int, int) IS 'fragments of a text with the tokens of a query marked';
