-- The words of a name without accents in alphabetical order: the same for “Souza, Ana” and “ana souza”; with `sounds`,
-- each word without its vowels after the first letter, doubled letters and letters that are written in several ways, so
-- that “Jon Smith” and “John Smyth” have the same key. Empty for a name of one word.
CREATE OR REPLACE FUNCTION name_key(name text, sounds boolean DEFAULT false) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = public, pg_temp
AS $$
    SELECT CASE WHEN count(*) > 1 THEN coalesce(string_agg(word, ' ' ORDER BY word), '') ELSE '' END
    FROM (
        SELECT CASE WHEN sounds THEN left(plain, 1)
            || regexp_replace(regexp_replace(substr(plain, 2), '[aeiouyhw]', '', 'g'), '(.)\1+', '\1', 'g')
            ELSE plain END AS word
        FROM (
            SELECT CASE WHEN sounds
                THEN translate(replace(replace(lexeme, 'ph', 'f'), 'ck', 'k'), 'cqzvj', 'kksfi') ELSE lexeme END AS plain
            FROM unnest(search_words(name))
            WHERE length(lexeme) > 1 AND lexeme NOT IN ('da', 'de', 'do', 'das', 'dos', 'di', 'del', 'der', 'van', 'von')
        ) AS words
    ) AS keys
$$;
