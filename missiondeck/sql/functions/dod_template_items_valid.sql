-- Whether the items of a template are a list of {"text", "category", "evidence": [{"kind", "value"}]}, for the CHECK of
-- deck_dod_templates.
CREATE OR REPLACE FUNCTION dod_template_items_valid(items jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = public, pg_temp
RETURN CASE WHEN jsonb_typeof(items) = 'array' THEN jsonb_array_length(items) <= 200 AND NOT EXISTS (
    SELECT FROM jsonb_array_elements(items) AS i (item) WHERE NOT coalesce(CASE
        WHEN jsonb_typeof(item) = 'object' AND jsonb_typeof(item->'evidence') = 'array' THEN
            item - ARRAY['text', 'category', 'evidence'] = '{}'
            AND jsonb_typeof(item->'text') = 'string' AND length(item->>'text') <= 500 AND item->>'text' ~ '\S'
            AND item->>'text' !~ '[\u0001-\u001f\u007f-\u009f\u2028\u2029]'
            AND item->>'category' IN ('functional', 'non-functional', 'tests')
            AND jsonb_array_length(item->'evidence') <= 20
            AND NOT EXISTS (
                SELECT FROM jsonb_array_elements(item->'evidence') AS e (evidence)
                WHERE NOT coalesce(CASE WHEN jsonb_typeof(evidence) = 'object' THEN
                    evidence - ARRAY['kind', 'value'] = '{}'
                    AND evidence->>'kind' IN ('test', 'suite', 'sign_off', 'address', 'link')
                    AND jsonb_typeof(evidence->'value') = 'string' AND evidence->>'value' ~ '\S'
                    AND length(evidence->>'value') <= 1000
                END, false)
            )
        END, false)
) ELSE false END;
