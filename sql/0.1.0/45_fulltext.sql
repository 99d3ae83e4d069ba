-- Full text: tokens of texts.

CREATE FUNCTION run_analyzer(text text, analyzer text DEFAULT 'standard')
	RETURNS TABLE (token text, start_offset bigint, end_offset bigint, "position" bigint, position_length bigint)
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 100 ROWS 100;
COMMENT ON FUNCTION run_analyzer(text, text) IS 'tokens of a text';
