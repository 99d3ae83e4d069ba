-- Embeddings and rerankers. A model is a foreign server of this wrapper: its privileges, secrets, and dumps
-- are those of servers and user mappings. Nobody may create one unless a superuser grants USAGE on the
-- wrapper.
--
-- Names of wrappers are global in a database. Where another wrapper has this one, PostgreSQL says so, and
-- nothing is installed: rename that one first.

CREATE FUNCTION vector_ext_model_handler() RETURNS fdw_handler
	AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION vector_ext_model_handler() IS 'tells that models have no tables';

CREATE FUNCTION vector_ext_model_validator(options text[], catalog oid) RETURNS void
	AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
COMMENT ON FUNCTION vector_ext_model_validator(text[], oid) IS 'checks options of models';

CREATE FOREIGN DATA WRAPPER vector_ext_model
	HANDLER @extschema@.vector_ext_model_handler VALIDATOR @extschema@.vector_ext_model_validator;
COMMENT ON FOREIGN DATA WRAPPER vector_ext_model IS 'models that embed and rerank';

-- Calls of a model take long: plans that make fewer are better.
CREATE FUNCTION embed(server text, input text) RETURNS vector
	AS 'MODULE_PATHNAME', 'embed_text' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 100000;
COMMENT ON FUNCTION embed(text, text) IS 'vector of a text, by a model';

CREATE FUNCTION embed(server text, inputs text[]) RETURNS vector[]
	AS 'MODULE_PATHNAME', 'embed_texts' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 100000;
COMMENT ON FUNCTION embed(text, text[]) IS 'vectors of texts, by a model';

CREATE FUNCTION embed(server text, input bytea) RETURNS vector
	AS 'MODULE_PATHNAME', 'embed_image' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 100000;
COMMENT ON FUNCTION embed(text, bytea) IS 'vector of an image, by a model';

CREATE FUNCTION embed(server text, inputs bytea[]) RETURNS vector[]
	AS 'MODULE_PATHNAME', 'embed_images' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 100000;
COMMENT ON FUNCTION embed(text, bytea[]) IS 'vectors of images, by a model';

-- The files of a static model, of which the server's options tell the hash, always give the same vectors.
CREATE FUNCTION embed_immutable(server text, input text) RETURNS vector
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION embed_immutable(text, text) IS 'vector of a text, by a static model, for indexes and generated columns';

CREATE FUNCTION rerank(server text, query text, documents text[]) RETURNS real[]
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 100000;
COMMENT ON FUNCTION rerank(text, text, text[]) IS 'how relevant documents are for a query, by a model';

CREATE FUNCTION model_score(server text, query text, document text) RETURNS real
	AS 'MODULE_PATHNAME' LANGUAGE C WINDOW STABLE PARALLEL RESTRICTED COST 100000;
COMMENT ON FUNCTION model_score(text, text, text) IS 'rerank of the rows of a window';

CREATE FUNCTION model_ranker(server text, query text, field text) RETURNS ranker
	LANGUAGE sql STABLE PARALLEL SAFE
	RETURN pg_catalog.jsonb_build_object('strategy', 'model', 'server', server, 'query', query, 'field', field)::@extschema@.ranker;
COMMENT ON FUNCTION model_ranker(text, text, text) IS 'scores of a reranking model';
