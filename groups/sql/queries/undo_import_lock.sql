-- undo_import: locks the rows that the import wrote, so that no one changes them meanwhile.
SELECT (SELECT count(*) FROM (
    SELECT FROM members WHERE id IN (SELECT pgh_obj_id FROM members_history WHERE pgh_context_id = %(changeset)s)
    ORDER BY id FOR NO KEY UPDATE) m)
    + (SELECT count(*) FROM (
    SELECT FROM community_members
    WHERE id IN (SELECT pgh_obj_id FROM community_members_history WHERE pgh_context_id = %(changeset)s)
    ORDER BY id FOR NO KEY UPDATE) c)
