-- The first entry of these blocks that is missing or changed, or whose details are. Erased details are right if the
-- audit has an entry about the erasure.
SELECT sealed.id,
    CASE WHEN e.id IS NULL THEN 'missing'
        WHEN e.leaf <> sealed.leaf OR audit_leaf(e) <> sealed.leaf THEN 'changed'
        WHEN d.entry_id IS NULL THEN 'no_details' ELSE 'details' END,
    sealed.number
FROM (
    SELECT b.number, u.id, substring(b.leaves FROM (u.place::integer - 1) * 32 + 1 FOR 32) AS leaf
    FROM audit_blocks b CROSS JOIN unnest(b.ids) WITH ORDINALITY AS u(id, place)
    WHERE b.number BETWEEN %s AND %s
) sealed
LEFT JOIN audit_entries e ON e.id = sealed.id
LEFT JOIN audit_details d ON d.entry_id = sealed.id
LEFT JOIN audit_entries erasure ON erasure.id = d.erased_by_id AND erasure.action = 'audit.erased'
WHERE (
    e.leaf = sealed.leaf AND audit_leaf(e) = sealed.leaf
    AND CASE WHEN d.origin IS NULL THEN erasure.id IS NOT NULL ELSE audit_digest(d.salt, d.origin) = e.origin_digest END
    AND CASE WHEN d.content IS NULL THEN erasure.id IS NOT NULL ELSE audit_digest(d.salt, d.content) = e.content_digest END
) IS NOT TRUE
ORDER BY sealed.number, sealed.id
LIMIT 1
