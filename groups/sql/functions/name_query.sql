-- The query that finds names with all words of a name, by the indexes on search_words; NULL for a name of one word.
CREATE OR REPLACE FUNCTION name_query(name text) RETURNS tsquery
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = public, pg_temp
AS $$
    SELECT CASE WHEN count(*) > 1 THEN string_agg(quote_literal(lexeme), ' & ')::tsquery END FROM unnest(search_words(name))
$$;
