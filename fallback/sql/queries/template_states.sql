-- Why the enabled templates of a project may not be proposed (template_states in selectors/template_states.py).
-- open_count: open proposals, unfinished missions, and missions in Todo that a proposal was a duplicate of.
-- Parameters: project_id, at (timestamptz), until_edited (array of reasons).
WITH taken AS (
    SELECT i.template_id, i.id FROM mission_fallback_items i
    WHERE i.project_id = %(project_id)s AND i.status = 'proposed'
    UNION
    SELECT i.template_id, m.id FROM missions m JOIN mission_fallback_items i ON i.id = m.fallback_item_id
    WHERE m.project_id = %(project_id)s AND m.list IN ('todo', 'doing', 'review')
    UNION
    SELECT i.template_id, m.id FROM missions m JOIN mission_fallback_items i ON i.duplicate_of_id = m.id
    WHERE m.project_id = %(project_id)s AND m.list = 'todo'
)
SELECT t.id,
    (SELECT count(*) FROM taken WHERE taken.template_id = t.id),
    (SELECT max(i.rest_until) FROM mission_fallback_items i WHERE i.template_id = t.id AND i.rest_until > %(at)s),
    EXISTS (SELECT FROM mission_fallback_items i
            WHERE i.template_id = t.id AND i.reason = ANY (%(until_edited)s) AND i.reviewed_at > t.edited_at)
FROM mission_fallback_templates t
WHERE t.project_id = %(project_id)s AND t.enabled
