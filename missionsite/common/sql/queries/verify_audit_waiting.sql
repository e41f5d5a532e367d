-- The first entry that is not sealed and is wrong: changed, without its details, or not waiting to be sealed; and the first
-- that waits but is missing.
WITH sealed AS MATERIALIZED (SELECT unnest(ids) AS id FROM audit_blocks)
(
    SELECT e.id,
        CASE WHEN NOT EXISTS (SELECT FROM audit_pending p WHERE p.entry_id = e.id) THEN 'unsealed'
            WHEN audit_leaf(e) <> e.leaf THEN 'changed' WHEN d.entry_id IS NULL THEN 'no_details' ELSE 'details' END,
        NULL::bigint
    FROM audit_entries e LEFT JOIN audit_details d ON d.entry_id = e.id
    LEFT JOIN audit_entries erasure ON erasure.id = d.erased_by_id AND erasure.action = 'audit.erased'
    WHERE NOT EXISTS (SELECT FROM sealed WHERE sealed.id = e.id) AND (
        audit_leaf(e) = e.leaf AND EXISTS (SELECT FROM audit_pending p WHERE p.entry_id = e.id)
        AND CASE WHEN d.origin IS NULL THEN erasure.id IS NOT NULL ELSE audit_digest(d.salt, d.origin) = e.origin_digest END
        AND CASE WHEN d.content IS NULL THEN erasure.id IS NOT NULL
            ELSE audit_digest(d.salt, d.content) = e.content_digest END
    ) IS NOT TRUE
    ORDER BY e.id LIMIT 1
)
UNION ALL
(
    SELECT p.entry_id, 'missing', NULL FROM audit_pending p
    WHERE NOT EXISTS (SELECT FROM audit_entries e WHERE e.id = p.entry_id)
    ORDER BY 1 LIMIT 1
)
