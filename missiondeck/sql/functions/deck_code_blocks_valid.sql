-- Whether code blocks are a list of {"language", "code"}, both texts, for the CHECK of chat_messages.
CREATE OR REPLACE FUNCTION deck_code_blocks_valid(blocks jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = public, pg_temp
RETURN CASE WHEN jsonb_typeof(blocks) = 'array' THEN jsonb_array_length(blocks) <= 50 AND NOT EXISTS (
    SELECT FROM jsonb_array_elements(blocks) AS b (block) WHERE NOT coalesce(CASE WHEN jsonb_typeof(block) = 'object' THEN
        block - ARRAY['language', 'code'] = '{}'
        AND jsonb_typeof(block->'language') = 'string' AND length(block->>'language') <= 40
        AND jsonb_typeof(block->'code') = 'string' AND length(block->>'code') <= 100000
    END, false)
) ELSE false END;
