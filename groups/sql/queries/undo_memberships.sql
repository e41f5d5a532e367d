-- undo_memberships: the memberships that a changeset of an import wrote, each with its state before, and whether it was
-- changed since.
-- changeset: of the import.
WITH written AS (
    SELECT pgh_obj_id AS id, min(pgh_id) AS first, max(pgh_id) AS last, bool_or(pgh_label = 'insert') AS is_new
    FROM memberships_history WHERE pgh_context_id = %(changeset)s GROUP BY pgh_obj_id
)
SELECT w.id, w.is_new, b.role, b.role_until, b.status, b.left_at,
       EXISTS (SELECT FROM memberships_history h WHERE h.pgh_obj_id = w.id AND h.pgh_id > w.last)
           OR (NOT w.is_new AND b.pgh_id IS NULL) AS is_kept
FROM written w
LEFT JOIN LATERAL (
    SELECT h.* FROM memberships_history h WHERE h.pgh_obj_id = w.id AND h.pgh_id < w.first ORDER BY h.pgh_id DESC LIMIT 1
) b ON NOT w.is_new
ORDER BY w.first
