-- The key by which names are sorted as people sort them: without case, accents and other marks, and with the letters that
-- people type for those that do not decompose; signs between words count as one blank.
-- Indexes use it: a change of its result needs a REINDEX.
CREATE OR REPLACE FUNCTION name_sort_key(name text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT btrim(regexp_replace(replace(replace(replace(replace(translate(
        lower(normalize(regexp_replace(normalize(coalesce(name, ''), NFKD), U&'[\0300-\036F]', '', 'g'), NFC)),
        'ıłđøðςħŧ''’', 'ildodσht'), 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th'),
        '[\x01-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]+', ' ', 'g'))
        COLLATE "C"
$$;
