-- Each block with its expected number, and whether it follows the block before it, has its digest, fits its ids and leaves,
-- and was emptied before its entries were 400 days old; then the number of emptied entries.
SELECT row_number() OVER chain, number, previous = coalesce(lag(digest) OVER chain, sha256('')),
    digest = audit_block_digest(b),
    CASE WHEN deleted_at IS NULL
        THEN coalesce(content = sha256(convert_to(array_to_string(ids, ','), 'UTF8') || leaves), false)
        ELSE ids IS NULL AND leaves IS NULL END,
    deleted_at IS NOT NULL AND newest_at > deleted_at - interval '400 days',
    CASE WHEN deleted_at IS NULL THEN 0 ELSE entries END
FROM audit_blocks b
WINDOW chain AS (ORDER BY number)
ORDER BY number
