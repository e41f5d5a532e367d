-- The words of one or two texts for searching: lower case, without accents and other marks, the same for composed and
-- decomposed letters; letters that do not decompose become the ones people type for them.
-- missionsite/common/search_words.py does the same with what is searched for.
-- Indexes use it: a change of its result needs a REINDEX.
CREATE OR REPLACE FUNCTION search_words(first text, second text DEFAULT '') RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT to_tsvector('pg_catalog.simple', replace(replace(replace(replace(translate(
        lower(normalize(regexp_replace(
            normalize(coalesce(first, '') || ' ' || coalesce(second, ''), NFKD), U&'[\0300-\036F]', '', 'g'
        ), NFC)),
        'ıłđøðςħŧ', 'ildodσht'), 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th'))
$$;
