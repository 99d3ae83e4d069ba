-- What is running.

CREATE FUNCTION vector_ext_info(OUT version text, OUT cpu text, OUT gpu text)
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_ext_info() IS 'version, instruction set in use, GPU or why there is none';
