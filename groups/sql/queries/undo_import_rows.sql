-- undo_import: the rows that a changeset of an import wrote, each with its state before (b) in the history, and whether it
-- has to be kept because it was changed or used since. A person is kept with their entry.
-- changeset: of the import.
CREATE TEMPORARY TABLE undo_rows ON COMMIT DROP AS
WITH members_written AS (
    SELECT pgh_obj_id AS id, min(pgh_id) AS first, max(pgh_id) AS last, bool_or(pgh_label = 'insert') AS is_new
    FROM members_history WHERE pgh_context_id = %(changeset)s GROUP BY pgh_obj_id
), entries_written AS (
    SELECT pgh_obj_id AS id, min(pgh_id) AS first, max(pgh_id) AS last, bool_or(pgh_label = 'insert') AS is_new
    FROM community_members_history WHERE pgh_context_id = %(changeset)s GROUP BY pgh_obj_id
), pairs AS (
    SELECT w.id AS member_id, w.first AS member_first, w.last AS member_last, coalesce(w.is_new, false) AS member_is_new,
           e.id AS entry_id, e.first AS entry_first, e.last AS entry_last, coalesce(e.is_new, false) AS entry_is_new
    FROM members_written w FULL JOIN (
        SELECT e.*, c.person_id FROM entries_written e JOIN community_members c ON c.id = e.id
    ) e ON e.person_id = w.id
)
SELECT p.*, b.email, b.display_name, b.trust_score, a.person_id, a.telegram_id, a.name, a.primary_role,
       a.telegram_username, a.organization, a.country, a.github_username, a.github_verified, a.github_verified_at,
       a.github_profile_data, a.reputation_score,
       m.member_id AS stable_id, c.member_id AS number,
       coalesce(m.display_name, c.name) AS shown,
       EXISTS (SELECT FROM members_history h WHERE h.pgh_obj_id = p.member_id AND h.pgh_id > p.member_last)
           OR EXISTS (SELECT FROM community_members_history h WHERE h.pgh_obj_id = p.entry_id AND h.pgh_id > p.entry_last)
           OR (p.member_id IS NOT NULL AND NOT p.member_is_new AND b.pgh_id IS NULL)
           OR (p.entry_id IS NOT NULL AND NOT p.entry_is_new AND a.pgh_id IS NULL)
           OR (p.member_is_new AND (m.last_login IS NOT NULL OR EXISTS (
               SELECT FROM events e WHERE e.member_id = p.member_id AND e.changeset_id IS DISTINCT FROM %(changeset)s)))
           AS is_kept
FROM pairs p
LEFT JOIN members m ON m.id = p.member_id
LEFT JOIN community_members c ON c.id = p.entry_id
LEFT JOIN LATERAL (
    SELECT h.* FROM members_history h WHERE h.pgh_obj_id = p.member_id AND h.pgh_id < p.member_first
    ORDER BY h.pgh_id DESC LIMIT 1
) b ON NOT p.member_is_new
LEFT JOIN LATERAL (
    SELECT h.* FROM community_members_history h WHERE h.pgh_obj_id = p.entry_id AND h.pgh_id < p.entry_first
    ORDER BY h.pgh_id DESC LIMIT 1
) a ON NOT p.entry_is_new
