-- Missions that looped loop again, with their schedule; one that has moved on since keeps its list.
-- Their templates stay: the migration before sets them aside, and going forward again finds them.
UPDATE missions m SET is_loop = c.is_loop, loop_schedule = c.loop_schedule,
    list = CASE WHEN m.list = 'todo' THEN c.list ELSE m.list END
FROM mission_loops_converted c WHERE c.mission_id = m.id;
