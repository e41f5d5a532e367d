-- Restores loop missions with their schedule. A mission that was moved meanwhile keeps its list.
-- The templates made from them stay: a loop mission that is converted again keeps its template.
UPDATE missions m SET is_loop = c.is_loop, loop_schedule = c.loop_schedule,
    list = CASE WHEN m.list = 'todo' THEN c.list ELSE m.list END
FROM mission_loops_converted c WHERE c.mission_id = m.id;
