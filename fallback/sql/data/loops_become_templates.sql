-- Converts each loop mission to a template and a mission in Todo, and keeps the previous values for the way back.

-- A template needs a flow, an actor and a repository. Projects without one get one for their loop missions.
INSERT INTO flows (project_id, name, description)
SELECT DISTINCT m.project_id, 'Loops', 'Created for loop missions without a flow.' FROM missions m
WHERE (m.is_loop OR m.list = 'loop') AND m.flow_id IS NULL AND NOT EXISTS (SELECT FROM flows f WHERE f.project_id = m.project_id)
ON CONFLICT DO NOTHING;
INSERT INTO actors (project_id, name, description)
SELECT DISTINCT m.project_id, 'Loops', 'Created for loop missions without an actor.' FROM missions m
WHERE (m.is_loop OR m.list = 'loop') AND m.actor_id IS NULL AND NOT EXISTS (SELECT FROM actors a WHERE a.project_id = m.project_id)
ON CONFLICT DO NOTHING;
INSERT INTO project_repositories (project_id, name)
SELECT DISTINCT m.project_id, 'loops' FROM missions m
WHERE (m.is_loop OR m.list = 'loop') AND m.repository_id IS NULL
  AND NOT EXISTS (SELECT FROM project_repositories r WHERE r.project_id = m.project_id)
ON CONFLICT DO NOTHING;

-- A loop mission that is converted again, after a reverse migration, keeps its template.
INSERT INTO mission_loops_converted (mission_id, template_id, loop_schedule, is_loop, list)
SELECT m.id, ulid(), m.loop_schedule, m.is_loop, m.list FROM missions m WHERE m.is_loop OR m.list = 'loop'
ON CONFLICT (mission_id) DO UPDATE
    SET loop_schedule = excluded.loop_schedule, is_loop = excluded.is_loop, list = excluded.list;

INSERT INTO mission_fallback_templates (
    id, project_id, name, description, flow_id, actor_id, repository_id, priority, estimated_effort_minutes, tags)
SELECT c.template_id, m.project_id, left(m.title, 255), m.description,
    coalesce(m.flow_id, (SELECT f.id FROM flows f WHERE f.project_id = m.project_id ORDER BY f.id LIMIT 1)),
    coalesce(m.actor_id, (SELECT a.id FROM actors a WHERE a.project_id = m.project_id ORDER BY a.id LIMIT 1)),
    coalesce(m.repository_id,
        (SELECT r.id FROM project_repositories r WHERE r.project_id = m.project_id ORDER BY r.id LIMIT 1)),
    m.priority, 60, '["loop"]'
FROM missions m JOIN mission_loops_converted c ON c.mission_id = m.id
WHERE (m.is_loop OR m.list = 'loop')
  AND NOT EXISTS (SELECT FROM mission_fallback_templates t WHERE t.id = c.template_id);

UPDATE missions SET list = 'todo', is_loop = false WHERE list = 'loop';
UPDATE missions SET is_loop = false WHERE is_loop;
